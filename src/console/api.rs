//! The reading routes, `GET /api/v1/models/{model}/…`, as one router for both doors; pure but for its desk. A handler holds
//! no thread and no timer: the small door runs it with `block_on`.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as Given, State};
use axum::response::{IntoResponse, Response};
use http::Uri;
use http::header::{CONTENT_TYPE, HeaderValue, LINK};

use super::desk::{Desk, Told};
use super::question::{Query, ROUTES, Route};
use crate::serve::{Access, Problem, Routes, Scope};
use crate::types::ModelName;

type Pairs = Vec<(String, String)>;

/// Every reading route, to be merged with the others and then finished.
pub fn routes(desk: Arc<Desk>) -> Routes {
    unwired().wired(desk)
}

/// The same before there is a desk: a table of what needs which key.
pub fn unwired() -> Routes<Arc<Desk>> {
    ROUTES.into_iter().fold(Routes::new(), |routes, route| {
        let answer = move |State(desk): State<Arc<Desk>>,
                           model: Result<Path<String>, PathRejection>,
                           uri: Uri,
                           query: Result<Given<Pairs>, QueryRejection>| async move {
            answer(&desk, route, model, &uri, query).await
        };
        routes.get(&format!("/api/v1/models/{{model}}/{}", route.0), Access::Needs(Scope::Read), answer)
    })
}

async fn answer(
    desk: &Desk,
    (_, question): Route,
    model: Result<Path<String>, PathRejection>,
    uri: &Uri,
    query: Result<Given<Pairs>, QueryRejection>,
) -> Result<Response, Problem> {
    let model = model.ok().and_then(|Path(name)| name.parse::<ModelName>().ok()).ok_or_else(Problem::unknown_model)?;
    let Ok(Given(pairs)) = query else {
        return Err(Problem::bad_parameter("the query must be `name=value`, joined by `&`"));
    };
    let question = question(Query::new(pairs.clone())).map_err(|bad| Problem::bad_parameter(bad.to_string()))?;
    let Told { body, next } = desk.ask(model, question).await?;
    let mut response = body.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(link) = next.and_then(|next| HeaderValue::from_str(&link(uri.path(), pairs, &next)).ok()) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// Where the list goes on (RFC 8288): the same question, after the last item told.
fn link(path: &str, pairs: Pairs, next: &str) -> String {
    // Names and values were understood, so they are words, numbers and instants, which need no escaping.
    let same = pairs.into_iter().filter(|(name, _)| name != "after").map(|(name, value)| format!("{name}={value}"));
    let query: Vec<String> = same.chain([format!("after={next}")]).collect();
    format!("<{path}?{}>; rel=\"next\"", query.join("&"))
}
