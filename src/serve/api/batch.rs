//! `POST /api/v1/predict/batch`: many rows at once, each answered or refused by itself; pure but for what is wired to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::predict::Question;
use crate::contract::{Task, Violation};
use crate::serve::predictor::{Answer, Predictor};
use crate::serve::problem::Problem;
use crate::serve::request::BatchRequest;
use crate::serve::seams::Wiring;
use crate::types::{ModelName, Version};

/// The body of an answer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BatchAnswer")]
pub(crate) struct Told {
    model: ModelName,
    model_version: Version,
    /// How many rows have a prediction.
    answered: usize,
    /// How many the contract refuses.
    refused: usize,
    /// What is said of each, in the order of the request.
    rows: Vec<Row>,
}

/// A prediction, or every violation.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BatchRowAnswer")]
struct Row {
    request_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Violation>,
}

pub(super) async fn batch(State(wiring): State<Arc<Wiring>>, request: Request) -> Result<Json<Told>, Problem> {
    let started_us = wiring.clock.micros();
    let trace = super::trace(request.headers());
    let body = super::body_of(request, |rules| rules.batch_bytes).await?;
    let serving = wiring.champion.current().ok_or_else(|| wiring.nobody())?;
    let questions = questions(&wiring, &serving.champion, &body)?;
    // What a row took of it: the whole would say that each row took as long as all of them.
    let took_us = wiring.clock.micros().saturating_sub(started_us) / questions.len().max(1) as u64;
    let latency_us = u32::try_from(took_us).unwrap_or(u32::MAX);

    let recorded = questions.iter().map(|question| question.record(&wiring, &serving, latency_us, trace));
    let recorded = recorded.collect::<Result<Vec<_>, _>>()?;
    let (at, written): (Vec<_>, Vec<_>) = recorded.into_iter().map(|event| (event.at, event.on_disk)).unzip();
    // What was acknowledged is on disk (P14).
    try_join_all(written).await.map_err(|_| Problem::unrecorded())?;

    let told = Told::of(&serving.champion, &questions);
    questions.into_iter().zip(at).for_each(|(question, at)| question.shadow(&wiring, &serving, at));
    Ok(Json(told))
}

/// Every row with what the champion says of it. A number that is not finite is the model's fault, and no row is answered.
fn questions(wiring: &Wiring, champion: &Predictor, body: &[u8]) -> Result<Vec<Question>, Problem> {
    let request = BatchRequest::read(body, champion.contract());
    let BatchRequest(rows) = request.map_err(|malformed| Problem::malformed(malformed.to_string()))?;
    let (ids, features): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| (row.request_id, row.features)).unzip();
    let answers = ids.into_iter().zip(champion.answer_all(features));
    answers.map(|(id, answer)| Question::of(wiring, champion, id, answer)).collect()
}

impl Told {
    fn of(champion: &Predictor, questions: &[Question]) -> Told {
        let task = champion.contract().task();
        let rows: Vec<Row> = questions.iter().map(|question| Row::of(task, question)).collect();
        let refused = rows.iter().filter(|row| !row.errors.is_empty()).count();
        let (model, model_version) = (champion.name().clone(), champion.version());
        Told { model, model_version, answered: rows.len() - refused, refused, rows }
    }
}

impl Row {
    fn of(task: Task, question: &Question) -> Row {
        let request_id = question.request_id;
        let silent = Row { request_id, probability: None, prediction: None, interval: None, errors: Vec::new() };
        match (&question.answer, task) {
            (Answer::Refused(refusal), _) => Row { errors: refusal.violations.clone(), ..silent },
            (Answer::Scored { score, .. }, Task::Binary) => Row { probability: Some(score.prediction), ..silent },
            (Answer::Scored { score, .. }, Task::Regression) => {
                Row { prediction: Some(score.prediction), interval: score.interval, ..silent }
            }
        }
    }
}
