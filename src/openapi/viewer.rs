//! The viewer: Swagger UI as its makers pack it, and a page that starts it; pure. Its files are sent as they lie in their archive,
//! compressed, and the page may load nothing from elsewhere.

mod archive;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

use crate::serve::{Access, Problem, Routes};

/// Scripts, styles and answers from this server, pictures that the style itself holds, and nothing else: no other host, no inline
/// script, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("viewer/page.html");
const START: &str = include_str!("viewer/start.js");

/// These routes and the viewer's.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(routes: Routes<S>) -> Routes<S> {
    routes
        .get("/docs", Access::Open, || async { plain("text/html; charset=utf-8", PAGE) })
        .get("/docs/start.js", Access::Open, || async { plain("text/javascript; charset=utf-8", START) })
        .get("/docs/swagger-ui.css", Access::Open, || async { packed("text/css; charset=utf-8", "swagger-ui.css") })
        .get("/docs/swagger-ui-bundle.js", Access::Open, || async {
            packed("text/javascript; charset=utf-8", "swagger-ui-bundle.js")
        })
}

fn plain(kind: &'static str, text: &'static str) -> Response {
    sent(kind, Body::from(text))
}

/// A file of the archive. Who does not take gzip is no browser, and has no use for it.
fn packed(kind: &'static str, name: &str) -> Response {
    match archive::gzip(SWAGGER_UI_VENDORED, &format!("/dist/{name}")) {
        Some(bytes) => {
            let mut response = sent(kind, Body::from(bytes));
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        // The archive is part of the program, and a test looks for the file in it.
        None => Problem::unreadable().into_response(),
    }
}

fn sent(kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
