//! `/v2/…`, the Open Inference Protocol as KServe and Triton speak it over HTTP; pure but for what is wired to it. A tensor for each
//! feature; all rows are answered or none, and an error is `{"error": "…"}`.

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Heard, many};
use crate::contract::{Contract, Task};
use crate::registry::Reference;
use crate::scoring::Score;
use crate::serve::models::Wired;
use crate::serve::predictor::Predictor;
use crate::serve::problem::Problem;
use crate::serve::request::{InferRequest, datatype, parse_id};
use crate::types::{ModelName, Version};

/// Why a request was not served, as the protocol tells it: with 400 what a caller can mend.
pub(super) struct Fault(StatusCode, String);

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        let status = match problem.status() {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        };
        Fault(status, problem.sentence())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

/// The version that a path asks for, if it asks for one.
pub(super) struct Asked(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let places = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::model_not_here())?;
        let version = places.iter().find(|(place, _)| *place == "version");
        Ok(Asked(version.map(|(_, version)| version.to_owned())))
    }
}

impl Asked {
    /// Of a model that serves there is one version here: the champion.
    fn is(&self, champion: Version) -> Result<(), Fault> {
        match &self.0 {
            Some(asked) if asked.parse() != Ok(champion) => {
                let what = format!("only version {champion} answers here: it is the champion");
                Err(Fault(StatusCode::NOT_FOUND, what))
            }
            Some(_) | None => Ok(()),
        }
    }
}

pub(super) async fn server() -> Json<Value> {
    Json(json!({ "name": "regent", "version": env!("CARGO_PKG_VERSION"), "extensions": [] }))
}

pub(super) async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

fn whether(ready: bool, body: &Value) -> Response {
    // The protocol's text says 4xx; KServe answers 503, as every probe expects it.
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

pub(super) async fn ready(Wired(wiring): Wired) -> Response {
    let ready = wiring.champion.current().is_some();
    whether(ready, &json!({ "ready": ready }))
}

pub(super) async fn model_ready(
    wired: Result<Wired, Problem>,
    asked: Result<Asked, Problem>,
) -> Result<Response, Fault> {
    let (Wired(wiring), asked) = (wired?, asked?);
    let current = wiring.champion.current();
    let Some(serving) = &*current else { return Ok(whether(false, &json!({ "ready": false }))) };
    asked.is(serving.champion.version())?;
    Ok(whether(true, &json!({ "name": serving.champion.name(), "ready": true })))
}

/// A tensor as the metadata names it.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "TensorMetadata")]
struct Named {
    name: String,
    datatype: &'static str,
    /// -1 is any number of rows.
    shape: Vec<i64>,
}

/// What is to be sent and what comes back.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ModelMetadata")]
pub(crate) struct Metadata {
    name: ModelName,
    versions: [Version; 1],
    platform: &'static str,
    inputs: Vec<Named>,
    outputs: Vec<Named>,
}

impl Metadata {
    fn of(reference: &Reference, interval: bool) -> Metadata {
        let contract = reference.contract();
        let input = |feature: &crate::contract::Feature| Named {
            name: feature.name.clone(),
            datatype: datatype(&feature.domain),
            shape: vec![-1],
        };
        Metadata {
            name: reference.name().clone(),
            versions: [reference.version()],
            platform: "regent",
            inputs: contract.features().iter().map(input).collect(),
            outputs: Output::all(contract, interval).into_iter().map(Output::named).collect(),
        }
    }
}

pub(super) async fn metadata(
    wired: Result<Wired, Problem>,
    asked: Result<Asked, Problem>,
) -> Result<Json<Metadata>, Fault> {
    let (Wired(wiring), asked) = (wired?, asked?);
    let interval = wiring.champion.current().as_ref().is_some_and(|serving| has_interval(&serving.champion));
    let metadata = wiring.reference(|reference| Metadata::of(reference, interval))?;
    let [version] = metadata.versions;
    asked.is(version)?;
    Ok(Json(metadata))
}

/// Whether a number comes with its interval.
fn has_interval(champion: &Predictor) -> bool {
    champion.model().scorer().calibration().interval(0.0).is_some()
}

/// What comes back of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    Probability,
    Prediction,
    /// Its lower and its upper end.
    Interval,
    /// By which its label joins.
    RequestId,
}

impl Output {
    fn all(contract: &Contract, interval: bool) -> Vec<Output> {
        match contract.task() {
            Task::Binary => vec![Output::Probability, Output::RequestId],
            Task::Regression if interval => vec![Output::Prediction, Output::Interval, Output::RequestId],
            Task::Regression => vec![Output::Prediction, Output::RequestId],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Output::Probability => "probability",
            Output::Prediction => "prediction",
            Output::Interval => "interval",
            Output::RequestId => "request_id",
        }
    }

    fn datatype(self) -> &'static str {
        match self {
            Output::Probability | Output::Prediction | Output::Interval => "FP64",
            Output::RequestId => "BYTES",
        }
    }

    /// Of so many rows.
    fn shape(self, rows: i64) -> Vec<i64> {
        match self {
            Output::Interval => vec![rows, 2],
            Output::Probability | Output::Prediction | Output::RequestId => vec![rows],
        }
    }

    fn named(self) -> Named {
        Named { name: self.name().to_owned(), datatype: self.datatype(), shape: self.shape(-1) }
    }

    fn tensor(self, answered: &[(Uuid, Score)]) -> Tensor {
        let data = match self {
            Output::Probability | Output::Prediction => {
                Data::Numbers(answered.iter().map(|(_, score)| score.prediction).collect())
            }
            Output::Interval => {
                let ends = answered.iter().filter_map(|(_, score)| score.interval);
                Data::Numbers(ends.flat_map(|(lower, upper)| [lower, upper]).collect())
            }
            Output::RequestId => Data::Ids(answered.iter().map(|(id, _)| *id).collect()),
        };
        // No request has more rows than fit.
        let rows = i64::try_from(answered.len()).unwrap_or(i64::MAX);
        Tensor { named: Named { shape: self.shape(rows), ..self.named() }, data }
    }
}

#[derive(Serialize, JsonSchema)]
struct Tensor {
    #[serde(flatten)]
    named: Named,
    data: Data,
}

/// In the order of the rows.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "TensorData")]
enum Data {
    Numbers(Vec<f64>),
    Ids(Vec<Uuid>),
}

/// The body of an answer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "InferAnswer")]
pub(crate) struct Inferred {
    model_name: ModelName,
    model_version: Version,
    /// What the caller calls the request, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    outputs: Vec<Tensor>,
}

pub(super) async fn infer(
    wired: Result<Wired, Problem>,
    asked: Result<Asked, Problem>,
    request: Request,
) -> Result<Json<Inferred>, Fault> {
    let (Wired(wiring), asked) = (wired?, asked?);
    let heard = Heard::of(&wiring, request.headers());
    in_json(request.headers())?;
    let body = super::body_of(request, |rules| rules.batch_bytes).await?;
    let current = wiring.champion.current();
    let serving = current.as_deref().ok_or_else(|| wiring.nobody())?;
    let champion = &serving.champion;
    asked.is(champion.version())?;
    let request = InferRequest::read(&body, champion.contract());
    let InferRequest { id, outputs, rows } = request.map_err(|malformed| Problem::malformed(malformed.to_string()))?;
    let wanted = wanted(champion, outputs.as_deref())?;
    // The id of a request is that of its row, if there is but one and the id can be one.
    let own = id.as_deref().filter(|_| rows.len() == 1).and_then(parse_id);
    let ids = rows.iter().map(|_| own).collect::<Vec<_>>();
    let answered = many::together(&wiring, serving, heard, ids, rows).await?;
    let outputs = wanted.into_iter().map(|output| output.tensor(&answered)).collect();
    Ok(Json(Inferred { model_name: champion.name().clone(), model_version: champion.version(), id, outputs }))
}

/// Triton's extension for tensors of bytes behind the JSON says so in the head.
const BINARY: HeaderName = HeaderName::from_static("inference-header-content-length");

fn in_json(headers: &HeaderMap) -> Result<(), Fault> {
    if headers.contains_key(BINARY) {
        let what = "binary tensors are not taken: send `data` as JSON (with tritonclient: binary_data=False)";
        return Err(Fault(StatusCode::BAD_REQUEST, what.to_owned()));
    }
    Ok(())
}

/// The outputs that are asked for; all of them if nobody says.
fn wanted(champion: &Predictor, asked: Option<&[String]>) -> Result<Vec<Output>, Fault> {
    let all = Output::all(champion.contract(), has_interval(champion));
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else { return Ok(all) };
    let known = || {
        let names: Vec<&str> = all.iter().map(|output| output.name()).collect();
        Fault(StatusCode::BAD_REQUEST, format!("there is no such output: the model has {}", names.join(", ")))
    };
    asked.iter().map(|name| all.iter().copied().find(|output| output.name() == name).ok_or_else(known)).collect()
}
