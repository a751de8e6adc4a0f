//! `POST /api/v1/predict/batch`: many rows at once, each answered or refused by itself; pure but for what is wired to it.

use axum::Json;
use axum::extract::Request;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::predict::Question;
use super::{Heard, many};
use crate::contract::{Task, Violation};
use crate::serve::models::Wired;
use crate::serve::predictor::{Answer, Predictor};
use crate::serve::problem::Problem;
use crate::serve::request::BatchRequest;
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
    #[schemars(with = "Option<[f64; 2]>")]
    interval: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Violation>,
}

pub(super) async fn batch(Wired(wiring): Wired, request: Request) -> Result<Json<Told>, Problem> {
    let heard = Heard::of(&wiring, request.headers());
    let body = super::body_of(request, |rules| rules.batch_bytes).await?;
    let current = wiring.champion.current();
    let serving = current.as_deref().ok_or_else(|| wiring.nobody())?;
    let champion = &serving.champion;
    let request = BatchRequest::read(&body, champion.contract());
    let BatchRequest(rows) = request.map_err(|malformed| Problem::malformed(malformed.to_string()))?;
    let (ids, features): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| (row.request_id, row.features)).unzip();
    let questions = many::ask(&wiring, champion, ids, features)?;
    let at = many::remember(&wiring, serving, heard, &questions).await?;
    let told = Told::of(champion, &questions);
    many::shadow(&wiring, serving, questions, at);
    Ok(Json(told))
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
