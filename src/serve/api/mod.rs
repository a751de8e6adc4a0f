//! The routes of a model at work, as one tower service for both doors; pure but for what is wired to it. No timer and no
//! task of a runtime in a handler: the small door runs them with `block_on`.

mod batch;
mod front;
mod health;
mod inferences;
mod labels;
mod many;
mod mlflow;
mod open_inference;
mod predict;
mod table;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};
use http_body_util::BodyExt;

use super::guard::{Access, Standing, standing};
use super::keys::Scope;
use super::limits::{Bodies, Late};
use super::models::Models;
use super::problem::Problem;
use super::seams::Wiring;
use crate::types::TraceParent;
pub use front::{Answering, Front, finish, guarded};
pub use table::{Routes, Row};

/// What is answered, for whoever describes it.
pub(crate) mod answers {
    pub(crate) use super::batch::Told as Batch;
    pub(crate) use super::health::Health;
    pub(crate) use super::inferences::Taken as Inferences;
    pub(crate) use super::labels::Taken as Labels;
    pub(crate) use super::mlflow::Predictions;
    pub(crate) use super::open_inference::{Inferred, Metadata};
    pub(crate) use super::predict::Said as Prediction;
}

/// A body that is this much larger than it may be is still read to its end and let go: a client that is cut while it sends sees a
/// broken connection instead of the answer that would tell it why.
const HEARD_OUT: usize = 8;

/// W3C Trace Context.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Predict, inferences, labels and health, to be merged with other routes and then finished.
pub fn routes(models: Models) -> Routes {
    unwired().wired(Arc::new(models))
}

/// The same before anything is wired: a table of what needs which key.
pub fn unwired() -> Routes<Arc<Models>> {
    let routes = of_a_model(of_a_model(Routes::new(), "/api/v1"), "/api/v1/models/{model}");
    routes
        // It names the model and its version.
        .get("/health", Access::Needs(Scope::Read), health::health)
        .get("/api/v1/models/{model}/health", Access::Needs(Scope::Read), health::health)
        // Probes have no keys, and these say yes or no.
        .get("/livez", Access::Open, health::livez)
        .get("/readyz", Access::Open, health::readyz)
        .merge(neighbours())
}

/// What a model at work is asked and told, below the place where it is named, or where the one that is meant need not be.
fn of_a_model(routes: Routes<Arc<Models>>, below: &str) -> Routes<Arc<Models>> {
    routes
        .post(&format!("{below}/predict"), Access::Needs(Scope::Predict), predict::predict)
        .post(&format!("{below}/predict/batch"), Access::Needs(Scope::Predict), batch::batch)
        .post(&format!("{below}/inferences"), Access::Needs(Scope::Ingest), inferences::inferences)
        .post(&format!("{below}/labels"), Access::Needs(Scope::Label), labels::labels)
}

/// The same in the words of others: MLflow's scoring protocol, and the Open Inference Protocol v2.
fn neighbours() -> Routes<Arc<Models>> {
    let needs = Access::Needs(Scope::Predict);
    let mut routes = Routes::new()
        .get("/ping", Access::Open, mlflow::ping)
        .get("/version", needs, mlflow::version)
        .post("/invocations", needs, mlflow::invocations)
        .post("/api/v1/models/{model}/invocations", needs, mlflow::invocations)
        .get("/v2", needs, open_inference::server)
        .get("/v2/health/live", Access::Open, open_inference::live)
        .get("/v2/health/ready", Access::Open, open_inference::ready);
    for model in ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"] {
        routes = routes
            .get(model, needs, open_inference::metadata)
            .get(&format!("{model}/ready"), needs, open_inference::model_ready)
            .post(&format!("{model}/infer"), needs, open_inference::infer);
    }
    routes
}

/// Nobody without a key learns which routes there are.
async fn nothing_here(standing: Standing) -> Problem {
    standing.known().err().unwrap_or_else(Problem::not_found)
}

async fn wrong_method(standing: Standing) -> Problem {
    standing.known().err().unwrap_or_else(Problem::wrong_method)
}

/// What is known of a request that asks for answers before its body is read.
#[derive(Clone, Copy)]
struct Heard {
    started_us: u64,
    /// The trace that the caller says it belongs to: said once, and by the rules; else it belongs to none.
    trace: Option<TraceParent>,
}

impl Heard {
    fn of(wiring: &Wiring, headers: &HeaderMap) -> Heard {
        let started_us = wiring.clock.micros();
        let mut said = headers.get_all(TRACE_PARENT).iter();
        let trace = match (said.next(), said.next()) {
            (Some(only), None) => TraceParent::read(only.as_bytes()),
            (None | Some(_), _) => None,
        };
        Heard { started_us, trace }
    }

    /// What a row took of it: the whole would say that each of many rows took as long as all of them.
    fn took(self, wiring: &Wiring, rows: usize) -> Took {
        let took_us = wiring.clock.micros().saturating_sub(self.started_us) / rows.max(1) as u64;
        Took { latency_us: u32::try_from(took_us).unwrap_or(u32::MAX), trace: self.trace }
    }
}

/// What is remembered of a row besides the row and its answer.
#[derive(Clone, Copy)]
struct Took {
    latency_us: u32,
    trace: Option<TraceParent>,
}

/// The whole body of a request that says it is JSON, or says nothing.
fn body(request: Request) -> impl Future<Output = Result<Bytes, Problem>> {
    body_of(request, |rules| rules.bytes)
}

/// As [`body`], of as many bytes at most as these rules say. All but the body is looked at and let go before it is waited for.
fn body_of(request: Request, most: fn(Bodies) -> usize) -> impl Future<Output = Result<Bytes, Problem>> {
    let (media, rules) = (Media::of(request.headers()), standing(&request).bodies());
    let whole = whole(request, most(rules));
    async move {
        match media {
            Some(Media::Json) => {}
            Some(Media::Csv) | None => return Err(Problem::not_json()),
        }
        let body = whole.await?;
        if rules.are_exceeded_by(&body) { Err(Problem::too_deep(rules.depth)) } else { Ok(body) }
    }
}

/// As [`body_of`] for many rows, which may be CSV, too.
async fn rows_of(request: Request) -> Result<(Media, Bytes), Problem> {
    let rules = standing(&request).bodies();
    match Media::of(request.headers()).ok_or_else(Problem::not_rows)? {
        Media::Json => Ok((Media::Json, body_of(request, |rules| rules.batch_bytes).await?)),
        Media::Csv => Ok((Media::Csv, whole(request, rules.batch_bytes).await?)),
    }
}

/// What a body says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    Csv,
}

impl Media {
    /// A body that says nothing is JSON.
    fn of(headers: &HeaderMap) -> Option<Media> {
        let Some(kind) = headers.get(CONTENT_TYPE) else { return Some(Media::Json) };
        let kind = kind.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        match kind {
            json if json.eq_ignore_ascii_case(b"application/json") || json.ends_with(b"+json") => Some(Media::Json),
            csv if csv.eq_ignore_ascii_case(b"text/csv") => Some(Media::Csv),
            _ => None,
        }
    }
}

/// A body of as many bytes at most.
fn whole(request: Request, most: usize) -> impl Future<Output = Result<Bytes, Problem>> {
    let says = request.headers().get(CONTENT_LENGTH);
    let says = says.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    heard(request.into_body(), says, most)
}

async fn heard(mut stream: Body, says: Option<usize>, most: usize) -> Result<Bytes, Problem> {
    let heard_out = most.saturating_mul(HEARD_OUT);
    if says.is_some_and(|length| length > heard_out) {
        return Err(Problem::too_large(most));
    }
    let (mut first, mut body, mut length) = (Bytes::new(), Vec::new(), 0);
    while let Some(frame) = stream.frame().await {
        let frame = frame.map_err(|error| match error.into_inner().downcast_ref::<Late>() {
            Some(Late) => Problem::too_slow(),
            None => Problem::malformed("the body ended early"),
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > heard_out {
            break;
        }
        if first.is_empty() {
            // Most bodies come in one piece.
            first = data;
        } else if length <= most {
            if body.is_empty() {
                body.extend_from_slice(&first);
            }
            body.extend_from_slice(&data);
        }
    }
    match length {
        over if over > most => Err(Problem::too_large(most)),
        _ if body.is_empty() => Ok(first),
        _ => Ok(body.into()),
    }
}
