//! Refusals as problem JSON (RFC 9457); pure. Names fields, never repeats a value.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::contract::Violation;
use crate::types::{ModelName, Version};

/// Why a request was not served. `kind` is stable: clients may match on it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    /// `urn:regent:problem:contract-violation`
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    #[schemars(with = "u16")]
    status: StatusCode,
    detail: String,
    /// Every violation of the contract, with its stable code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Violation>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    asked: Option<Box<Asked>>,
}

/// What was asked of whom, once that is known.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Asked {
    pub(super) request_id: Uuid,
    pub(super) model: ModelName,
    pub(super) model_version: Version,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

/// What the violations in one answer may weigh. A contract of four hundred features is told whole; a caller that sends a megabyte of
/// names of its own, and does not read what it is answered, is not kept many megabytes for.
const TOLD_BYTES: usize = 64 * 1024;

/// As many violations as fit, the first ones.
fn told(mut errors: Vec<Violation>) -> Vec<Violation> {
    let mut left = TOLD_BYTES;
    let fits = |error: &&Violation| {
        // Braces, names of members and the code.
        let weight = error.feature.len() + error.detail.len() + 64;
        let fits = weight <= left;
        left = left.saturating_sub(weight);
        fits
    };
    let count = errors.iter().take_while(fits).count();
    errors.truncate(count);
    errors
}

fn violations_of_the_contract(count: usize) -> String {
    format!("{count} violation{} of the contract", if count == 1 { "" } else { "s" })
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Problem { kind, title, status, detail: detail.into(), errors: Vec::new(), asked: None }
    }

    /// Its status.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// All of it in one line, for callers of whom no other form is expected.
    pub(super) fn sentence(&self) -> String {
        let errors = self.errors.iter().map(ToString::to_string);
        std::iter::once(format!("{}: {}", self.title, self.detail)).chain(errors).collect::<Vec<_>>().join("; ")
    }

    /// 400: the body is not the JSON it should be.
    pub fn malformed(detail: impl Into<String>) -> Self {
        let kind = "urn:regent:problem:malformed-request";
        Problem::new(StatusCode::BAD_REQUEST, kind, "the request is malformed", detail)
    }

    /// 422: the contract refuses the features.
    pub(super) fn violations(errors: Vec<Violation>, asked: Asked) -> Self {
        let count = errors.len();
        let mut detail = violations_of_the_contract(count);
        let errors = told(errors);
        if errors.len() < count {
            detail += &format!("; the first {} are told", errors.len());
        }
        let kind = "urn:regent:problem:contract-violation";
        let title = "the features violate the model's contract";
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, kind, title, detail);
        Problem { errors, asked: Some(Box::new(asked)), ..problem }
    }

    /// 422: the contract refuses some of the rows for so many reasons, and none is answered.
    pub(super) fn rows(errors: Vec<Violation>, count: usize, refused: usize, of: usize) -> Self {
        let errors = told(errors);
        let mut detail = match of {
            1 => violations_of_the_contract(count),
            of => format!("{refused} of {of} rows are refused, so none is answered"),
        };
        if errors.len() < count {
            detail += &format!("; the first {} violations are told", errors.len());
        }
        let kind = "urn:regent:problem:contract-violation";
        let title = "the features violate the model's contract";
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, kind, title, detail);
        Problem { errors, ..problem }
    }

    /// 422: labels that the target cannot have; none was taken.
    pub(super) fn labels(errors: Vec<Violation>) -> Self {
        let kind = "urn:regent:problem:invalid-labels";
        let detail = "no label of this request was taken";
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, kind, "labels are invalid", detail);
        Problem { errors, ..problem }
    }

    /// 503: nobody can answer yet.
    pub(super) fn no_champion() -> Self {
        let kind = "urn:regent:problem:no-champion";
        let detail = "no version has been promoted and loaded yet; `regent status` says what it waits for";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, kind, "there is no champion", detail)
    }

    /// 409: nobody here can answer, now or later.
    pub(super) fn served_elsewhere() -> Self {
        let kind = "urn:regent:problem:served-elsewhere";
        let detail = "the champion is monitor-only: ask where it is served, and tell its answers to /api/v1/inferences";
        Problem::new(StatusCode::CONFLICT, kind, "the model is served elsewhere", detail)
    }

    /// 409: what answers here is recorded as it answers.
    pub(super) fn served_here() -> Self {
        let kind = "urn:regent:problem:served-here";
        let detail = "the champion answers /api/v1/predict here, and its answers are recorded there";
        Problem::new(StatusCode::CONFLICT, kind, "the model is served here", detail)
    }

    /// 503: what cannot be remembered is not answered.
    pub(super) fn unrecorded() -> Self {
        let kind = "urn:regent:problem:not-recorded";
        let detail = "the event could not be recorded, so it is not answered; try again";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, kind, "the event log cannot be written", detail)
    }

    /// 503: more requests than the door lets in.
    pub fn overloaded() -> Self {
        let kind = "urn:regent:problem:overloaded";
        let detail = "too many requests are being served; try again in a second";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, kind, "the server is overloaded", detail)
    }

    /// 429: one caller asks more often than it may. A second gives every bucket a token.
    pub(super) fn too_often() -> Self {
        let kind = "urn:regent:problem:too-often";
        let detail = "this caller asks more often than it may; try again in a second";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, kind, "too many requests", detail)
    }

    /// 401: who calls is not known; why, without saying whether a key was ever one.
    pub(super) fn unknown_caller(detail: impl Into<String>) -> Self {
        let kind = "urn:regent:problem:unknown-caller";
        Problem::new(StatusCode::UNAUTHORIZED, kind, "a key is needed", detail)
    }

    /// 403: the caller is known, and this is not for it.
    pub(super) fn not_in_scope(scope: &'static str) -> Self {
        let kind = "urn:regent:problem:not-in-scope";
        let detail = format!("this route needs a key with the scope `{scope}`");
        Problem::new(StatusCode::FORBIDDEN, kind, "the key does not open this", detail)
    }

    /// 403: the request was meant for another host, or a page of another site sends it.
    pub(super) fn misdirected(detail: &'static str) -> Self {
        let kind = "urn:regent:problem:misdirected";
        Problem::new(StatusCode::FORBIDDEN, kind, "the request is not meant for this server", detail)
    }

    /// 400: the body is nested deeper than any request.
    pub(super) fn too_deep(limit: usize) -> Self {
        Problem::malformed(format!("the body is nested deeper than {limit} levels"))
    }

    /// 500: the model's arithmetic left the numbers.
    pub(super) fn not_finite(asked: Asked) -> Self {
        let kind = "urn:regent:problem:not-finite";
        let detail = "the model gave a number that is not finite for these features";
        let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, kind, "there is no prediction", detail);
        Problem { asked: Some(Box::new(asked)), ..problem }
    }

    /// 500: a mistake of ours; its words stay inside, for they may hold values.
    pub(super) fn internal() -> Self {
        let kind = "urn:regent:problem:internal";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, kind, "the server failed", "this is a defect of Regent")
    }

    /// 408: the request took longer than the door waits.
    pub(super) fn too_slow() -> Self {
        let kind = "urn:regent:problem:timeout";
        let detail = "the whole request did not arrive and end in time";
        Problem::new(StatusCode::REQUEST_TIMEOUT, kind, "the request was too slow", detail)
    }

    /// 413: the body is larger than the door takes.
    pub(super) fn too_large(limit: usize) -> Self {
        let kind = "urn:regent:problem:too-large";
        let detail = format!("a body has at most {limit} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, kind, "the body is too large", detail)
    }

    /// 415: the body says that it is not JSON.
    pub(super) fn not_json() -> Self {
        let kind = "urn:regent:problem:not-json";
        let detail = "send `content-type: application/json`";
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, kind, "the body is not JSON", detail)
    }

    /// 415: the body says that it is neither JSON nor CSV.
    pub(super) fn not_rows() -> Self {
        let kind = "urn:regent:problem:not-json";
        let detail = "send `content-type: application/json` or `text/csv`";
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, kind, "the body is neither JSON nor CSV", detail)
    }

    /// 404: no such route.
    pub(super) fn not_found() -> Self {
        let kind = "urn:regent:problem:not-found";
        Problem::new(StatusCode::NOT_FOUND, kind, "there is nothing here", "see the API's documentation for its routes")
    }

    /// 404: no such model.
    pub fn unknown_model() -> Self {
        let kind = "urn:regent:problem:unknown-model";
        let detail = "`regent status` names the models of this workspace";
        Problem::new(StatusCode::NOT_FOUND, kind, "there is no such model", detail)
    }

    /// 404: there may be such a model, and this server does not answer for it.
    pub(super) fn model_not_here() -> Self {
        let kind = "urn:regent:problem:unknown-model";
        let detail = "this server does not answer for a model of that name";
        Problem::new(StatusCode::NOT_FOUND, kind, "there is no such model here", detail)
    }

    /// 400: a parameter of the query is not one of this route, or has a value it cannot have.
    pub fn bad_parameter(detail: impl Into<String>) -> Self {
        let kind = "urn:regent:problem:bad-parameter";
        Problem::new(StatusCode::BAD_REQUEST, kind, "a parameter is wrong", detail)
    }

    /// 500: what is stored cannot be read; the log says where, the answer does not.
    pub fn unreadable() -> Self {
        let kind = "urn:regent:problem:unreadable";
        let detail = "what is stored could not be read; the server's log says what, and `regent verify` says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, kind, "the records cannot be read", detail)
    }

    /// 405: the route has other methods.
    pub(super) fn wrong_method() -> Self {
        let kind = "urn:regent:problem:method-not-allowed";
        let detail = "the `allow` header names the methods of this route";
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, kind, "the route does not have this method", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Only strings, numbers and lists of them: serializing cannot fail, and if it did the status would still be said.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"regent\""));
            }
            _ => {}
        }
        response
    }
}
