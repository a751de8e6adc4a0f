//! `GET /ping`, `GET /version` and `POST /invocations`, as MLflow's scoring server has them; pure but for what is wired to it. All rows
//! are answered or none: its answers have no place for a refusal.

use std::iter::repeat;

use axum::Json;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Heard, Media, many};
use crate::serve::models::Wired;
use crate::serve::problem::Problem;
use crate::serve::request::{read_csv, read_json};

/// The body of an answer.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Predictions {
    /// A probability, or a number, for each row.
    predictions: Vec<f64>,
    /// By which labels join them.
    request_ids: Vec<Uuid>,
}

pub(super) async fn ping(Wired(wiring): Wired) -> Response {
    match *wiring.champion.current() {
        Some(_) => "\n".into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Of this program: there is no MLflow here whose version could be told.
pub(super) async fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

pub(super) async fn invocations(Wired(wiring): Wired, request: Request) -> Result<Json<Predictions>, Problem> {
    let heard = Heard::of(&wiring, request.headers());
    let (media, body) = super::rows_of(request).await?;
    let current = wiring.champion.current();
    let serving = current.as_deref().ok_or_else(|| wiring.nobody())?;
    let contract = serving.champion.contract();
    let rows = match media {
        Media::Json => read_json(&body, contract),
        Media::Csv => read_csv(&body, contract),
    };
    let rows = rows.map_err(|malformed| Problem::malformed(malformed.to_string()))?;
    let answered = many::together(&wiring, serving, heard, repeat(None), rows).await?;
    let (request_ids, predictions) = answered.into_iter().map(|(id, score)| (id, score.prediction)).unzip();
    Ok(Json(Predictions { predictions, request_ids }))
}
