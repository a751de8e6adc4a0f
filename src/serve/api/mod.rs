//! The routes of a model at work, as one tower service for both doors; pure but for what is wired to it. No timer and no
//! task of a runtime in a handler: the small door runs them with `block_on`.

mod batch;
mod health;
mod inferences;
mod labels;
mod predict;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::HeaderName;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use super::problem::Problem;
use super::seams::Wiring;

/// The largest body that is read. A row of a thousand features has some 40 kB; a list of 10,000 labels some 700 kB.
const BODY_LIMIT: usize = 1024 * 1024;

/// The largest body of many rows: 10,000 of twenty features have some 5 MB.
pub(super) const BATCH_LIMIT: usize = HEARD_OUT;

/// A body that is larger is still read to its end up to here and let go: a client that is cut while it sends sees a broken
/// connection instead of the answer that would tell it why.
const HEARD_OUT: usize = 8 * BODY_LIMIT;

/// The names the request's id has on its way: given by a proxy or issued here, and sent back.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Predictions, inferences, labels and health, to be merged with other routes and then finished.
pub fn routes(wiring: Wiring) -> Router {
    Router::new()
        .route("/api/v1/predict", post(predict::predict))
        .route("/api/v1/predict/batch", post(batch::batch))
        .route("/api/v1/inferences", post(inferences::inferences))
        .route("/api/v1/labels", post(labels::labels))
        .route("/health", get(health::health))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .with_state(Arc::new(wiring))
}

/// What holds for all routes: problems instead of bare 404 and 405, ids, and a panic that costs one request only.
pub fn finish(routes: Router) -> Router {
    routes
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::wrong_method() })
        .layer(
            ServiceBuilder::new()
                .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
                .layer(PropagateRequestIdLayer::new(REQUEST_ID))
                .layer(CatchPanicLayer::custom(panicked)),
        )
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::internal().into_response()
}

/// The whole body of a request that says it is JSON, or says nothing.
async fn body(request: Request) -> Result<Vec<u8>, Problem> {
    body_of(request, BODY_LIMIT).await
}

/// As [`body`], of so many bytes at most, which are no more than are heard out.
async fn body_of(request: Request, most: usize) -> Result<Vec<u8>, Problem> {
    let headers = request.headers();
    if let Some(kind) = headers.get(CONTENT_TYPE) {
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !(kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")) {
            return Err(Problem::not_json());
        }
    }
    let says = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if says.is_some_and(|length| length > HEARD_OUT) {
        return Err(Problem::too_large(most));
    }
    let (mut stream, mut body, mut length) = (request.into_body(), Vec::new(), 0);
    while let Some(frame) = stream.frame().await {
        let Ok(frame) = frame else {
            return Err(Problem::malformed("the body ended early"));
        };
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > HEARD_OUT {
            break;
        }
        if length <= most {
            body.extend_from_slice(&data);
        }
    }
    if length > most { Err(Problem::too_large(most)) } else { Ok(body) }
}
