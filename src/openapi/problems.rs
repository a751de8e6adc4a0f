//! Every problem there is, by its status; pure. A test holds this to what the server can say.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::operations::Faults;
use crate::serve::Problem;

/// A status, when it is answered, and the stable kinds of its problems.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) when: &'static str,
    pub(super) kinds: &'static [&'static str],
}

pub(super) const REFUSALS: [Refusal; 13] = [
    Refusal {
        status: 400,
        when: "The request is malformed, or a parameter is wrong.",
        kinds: &["malformed-request", "bad-parameter"],
    },
    Refusal { status: 401, when: "There are keys, and none that opens was shown.", kinds: &["unknown-caller"] },
    Refusal {
        status: 403,
        when: "The key opens other routes; or the request is meant for another host, or sent by a page.",
        kinds: &["not-in-scope", "misdirected"],
    },
    Refusal { status: 404, when: "There is no such model, or no such route.", kinds: &["unknown-model", "not-found"] },
    Refusal { status: 405, when: "The route has other methods: see `allow`.", kinds: &["method-not-allowed"] },
    Refusal { status: 408, when: "The request did not arrive and end in time.", kinds: &["timeout"] },
    Refusal {
        status: 409,
        when: "The champion answers elsewhere, or does not.",
        kinds: &["served-elsewhere", "served-here"],
    },
    Refusal { status: 413, when: "The body is too large.", kinds: &["too-large"] },
    Refusal { status: 415, when: "The body says that it is something else.", kinds: &["not-json"] },
    Refusal {
        status: 422,
        when: "The contract refuses it: every violation is in `errors`.",
        kinds: &["contract-violation", "invalid-labels"],
    },
    Refusal { status: 429, when: "This caller asks more often than it may.", kinds: &["too-often"] },
    Refusal {
        status: 500,
        when: "A defect; or what is stored cannot be read.",
        kinds: &["internal", "not-finite", "unreadable"],
    },
    Refusal {
        status: 503,
        when: "Nobody answers yet, or not now: come back.",
        kinds: &["no-champion", "overloaded", "not-recorded"],
    },
];

/// Every refusal as a response that operations refer to by its status.
pub(super) fn responses(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let problem = generator.subschema_for::<Problem>();
    let response = |(refusal, faults): (&Refusal, Faults)| {
        let kinds: Vec<String> = refusal.kinds.iter().map(|kind| format!("urn:regent:problem:{kind}")).collect();
        let narrower = json!({ "properties": { "type": { "enum": kinds }, "status": { "const": refusal.status } } });
        let mut content = json!({ "application/problem+json": { "schema": { "allOf": [problem, narrower] } } });
        if let (Faults::Errors, Some(content)) = (faults, content.as_object_mut()) {
            let error =
                json!({ "type": "object", "properties": { "error": { "type": "string" } }, "required": ["error"] });
            content.insert("application/json".to_owned(), json!({ "schema": error }));
        }
        let mut told = json!({ "description": refusal.when, "content": content });
        let header = |name: &str, says: &str| json!({ name: { "description": says, "schema": { "type": "string" } } });
        let headers = match refusal.status {
            401 => Some(header("www-authenticate", "`Bearer`")),
            405 => Some(header("allow", "The methods of this route.")),
            429 | 503 => Some(header("retry-after", "Seconds to wait.")),
            _ => None,
        };
        if let (Some(headers), Some(told)) = (headers, told.as_object_mut()) {
            told.insert("headers".to_owned(), headers);
        }
        (name(refusal.status, faults), told)
    };
    let all = [Faults::Problems, Faults::Errors].into_iter();
    all.flat_map(|faults| REFUSALS.iter().map(move |refusal| (refusal, faults))).map(response).collect()
}

/// The name of a refusal among the components.
pub(super) fn name(status: u16, faults: Faults) -> String {
    match faults {
        Faults::Problems => format!("Problem{status}"),
        Faults::Errors => format!("Error{status}"),
    }
}
