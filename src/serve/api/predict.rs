//! `POST /api/v1/predict`: a probability or a number, never a decision; pure but for what is wired to it.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Heard, Took};
use crate::contract::Task;
use crate::scoring::Score;
use crate::serve::models::Wired;
use crate::serve::predictor::{Answer, Predictor};
use crate::serve::problem::{Asked, Problem};
use crate::serve::request::PredictRequest;
use crate::serve::seams::{Answered, Recorded, Serving, ShadowJob, Wiring};
use crate::types::{ModelName, NotComputable, Spelling, Timestamp, Version};

/// All but the body is looked at and let go before that is waited for: what is held while waiting is held for every request.
pub(super) fn predict(Wired(wiring): Wired, request: Request) -> impl Future<Output = Result<Response, Problem>> {
    let heard = Heard::of(&wiring, request.headers());
    let body = super::body(request);
    async move {
        let body = body.await?;
        let current = wiring.champion.current();
        let serving = current.as_deref().ok_or_else(|| wiring.nobody())?;
        let question = Question::answer(&wiring, serving, &body)?;
        let took = heard.took(&wiring, 1);

        let recorded = question.record(&wiring, serving, took)?;
        // What was acknowledged is on disk (P14): the answer waits for its event.
        recorded.on_disk.await.map_err(|_| Problem::unrecorded())?;
        question.count(&wiring, serving, recorded.at, took);

        let response = question.response(&serving.champion);
        question.shadow(&wiring, serving, recorded.at);
        Ok(response)
    }
}

/// A request with what the champion says of it.
pub(super) struct Question {
    pub(super) request_id: Uuid,
    /// When it was answered.
    at: Timestamp,
    pub(super) answer: Answer,
}

impl Question {
    fn answer(wiring: &Wiring, serving: &Serving, body: &[u8]) -> Result<Question, Problem> {
        let champion = &serving.champion;
        let request = PredictRequest::read(body, champion.contract());
        let request = request.map_err(|malformed| Problem::malformed(malformed.to_string()))?;
        Question::of(wiring, champion, request.request_id, champion.answer_to(request.features))
    }

    /// An answer, and the id it goes by from now on.
    pub(super) fn of(
        wiring: &Wiring,
        champion: &Predictor,
        request_id: Option<Uuid>,
        answer: Result<Answer, NotComputable>,
    ) -> Result<Question, Problem> {
        let at = wiring.clock.now();
        let request_id = request_id.unwrap_or_else(|| issue(at));
        match answer {
            Ok(answer) => Ok(Question { request_id, at, answer }),
            Err(_) => Err(Problem::not_finite(asked(request_id, champion))),
        }
    }

    /// Remember the answer.
    pub(super) fn record(&self, wiring: &Wiring, serving: &Serving, took: Took) -> Result<Recorded, Problem> {
        let answered = self.answered(self.at, serving, took);
        wiring.events.answered(&answered).map_err(|_| Problem::unrecorded())
    }

    /// Count the answer under the instant that it is remembered under.
    pub(super) fn count(&self, wiring: &Wiring, serving: &Serving, at: Timestamp, took: Took) {
        wiring.counter.answered(&self.answered(at, serving, took));
    }

    fn answered<'a>(&'a self, at: Timestamp, serving: &'a Serving, took: Took) -> Answered<'a> {
        let Took { latency_us, trace } = took;
        Answered { request_id: self.request_id, at, answer: &self.answer, latency_us, serving, trace }
    }

    fn response(&self, champion: &Predictor) -> Response {
        let asked = asked(self.request_id, champion);
        match &self.answer {
            Answer::Scored { score, .. } => {
                let said = Said::of(champion.contract().task(), score, asked).spelled();
                ([(CONTENT_TYPE, JSON)], said).into_response()
            }
            Answer::Refused(refusal) => Problem::violations(refusal.violations.clone(), asked).into_response(),
        }
    }

    /// The candidate's turn: after the answer was made, and never in its way (P9).
    pub(super) fn shadow(self, wiring: &Wiring, serving: &Serving, at: Timestamp) {
        if let (Answer::Scored { vector, .. }, Some(candidate)) = (self.answer, &serving.candidate) {
            let (champion, shadow) = (Arc::clone(&serving.champion), Arc::clone(candidate));
            let job = ShadowJob { request_id: self.request_id, at, vector, champion, candidate: shadow };
            if let Err(why) = wiring.mirror.offer(job) {
                wiring.counter.missed(at, candidate, why);
            }
        }
    }
}

/// The body of an answer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PredictAnswer")]
pub(crate) struct Said {
    request_id: Uuid,
    model: ModelName,
    model_version: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<[f64; 2]>")]
    interval: Option<(f64, f64)>,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What an answer has room for before it must move: most are shorter.
const LENGTH: usize = 256;

impl Said {
    fn of(task: Task, score: &Score, asked: Asked) -> Said {
        let Asked { request_id, model, model_version } = asked;
        let silent = Said { request_id, model, model_version, probability: None, prediction: None, interval: None };
        match task {
            Task::Binary => Said { probability: Some(score.prediction), ..silent },
            Task::Regression => Said { prediction: Some(score.prediction), interval: score.interval, ..silent },
        }
    }

    /// The words of serde, in a fraction of the time.
    fn spelled(&self) -> Vec<u8> {
        let Said { request_id, model, model_version, probability, prediction, interval } = self;
        let mut text = Vec::with_capacity(LENGTH);
        let mut said = Spelling::onto(&mut text);
        said.text(r#"{"request_id":""#);
        said.id(*request_id);
        said.text(r#"","model":""#);
        // No name needs an escape.
        said.text(model.as_str());
        said.text(r#"","model_version":""#);
        model_version.spelled(|version| said.text(version));
        said.text("\"");
        if let Some(probability) = probability {
            said.value(r#","probability":"#, probability);
        }
        if let Some(prediction) = prediction {
            said.value(r#","prediction":"#, prediction);
        }
        if let Some(interval) = interval {
            said.value(r#","interval":"#, interval);
        }
        said.text("}");
        text
    }
}

fn asked(request_id: Uuid, champion: &Predictor) -> Asked {
    Asked { request_id, model: champion.name().clone(), model_version: champion.version() }
}

/// A UUIDv7 of this instant, so that ids sort as their requests came.
fn issue(now: Timestamp) -> Uuid {
    let micros = u64::try_from(now.micros()).unwrap_or_default();
    let (secs, nanos) = (micros / 1_000_000, (micros % 1_000_000) * 1_000);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, secs, nanos as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_spelled_as_serde_would() {
        let asked = || Asked {
            request_id: Uuid::from_u128(7),
            model: "rain".parse().unwrap(),
            model_version: Version::new(1, 20, 3),
        };
        for score in [(0.1 + 0.2, None), (-1e300, Some((-0.5, 7.0))), (0.0, Some((1e-300, 1.0)))] {
            let score = Score { raw: 0.0, prediction: score.0, interval: score.1 };
            for task in [Task::Binary, Task::Regression] {
                let said = Said::of(task, &score, asked());
                assert_eq!(String::from_utf8(said.spelled()).unwrap(), serde_json::to_string(&said).unwrap());
            }
        }
    }
}
