//! `GET /openapi.json` and `GET /docs`: the description of every route, its own included; pure. The viewer's files say nothing of this
//! server, so nobody is asked for a key there; what they show they ask for with their reader's key.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use super::{Subject, document, viewer};
use crate::console;
use crate::metrics;
use crate::serve::{self, Access, Routes, Row, Scope};

/// Who is served now; the first is meant where a path names nobody.
pub type Subjects = Box<dyn Fn() -> Vec<Subject> + Send + Sync>;

/// What the routes need.
pub struct Api {
    rows: Vec<Row>,
    subjects: Subjects,
}

/// The routes that describe these and themselves.
pub fn routes(others: &Routes, subjects: Subjects) -> Routes {
    let own = unwired();
    let rows = others.table().chain(own.table()).cloned().collect();
    own.wired(Arc::new(Api { rows, subjects }))
}

/// The same before there is anything to describe: a table of what needs which key.
pub fn unwired() -> Routes<Arc<Api>> {
    // It names the models and what they are asked.
    let routes = Routes::new().get("/openapi.json", Access::Needs(Scope::Read), describe);
    viewer::routes(routes)
}

/// Every route of a server, before there is one.
pub fn rows() -> Vec<Row> {
    let (works, looks, counts, tells) = (serve::unwired(), console::unwired(), metrics::unwired(), unwired());
    works.table().chain(looks.table()).chain(counts.table()).chain(tells.table()).cloned().collect()
}

async fn describe(State(api): State<Arc<Api>>) -> Response {
    let told = document(&api.rows, &(api.subjects)());
    let mut response = serde_json::to_vec(&told).unwrap_or_default().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // A promotion may change what is asked.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
