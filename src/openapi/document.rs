//! The whole description, from the table of routes; pure. The same routes, types and contracts always give the same document.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::operations::{Answer, Body, Operation, Parameter, Tag};
use super::{Subject, problems, requests};
use crate::console::Page;
use crate::serve::{Access, Row};

/// How the API may be used, as everybody reads it first.
const ABOUT: &str = "Bodies and answers are JSON; refusals are problem JSON (RFC 9457) with a stable `type`, and repeat no value \
                     that was sent. Once there are keys, every route but the probes and the viewer asks for one that has its scope. \
                     `x-request-id` is sent back as it came, or issued.";

/// The API as OpenAPI 3.1. The first subject is the model that is meant where a path names none.
pub fn document<'a>(rows: impl IntoIterator<Item = &'a Row>, subjects: &[Subject]) -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut book = Book { schemas: settings.into_generator(), bodies: Map::new(), subjects, paths: BTreeMap::new() };
    rows.into_iter().for_each(|row| book.tell(row));
    let responses = problems::responses(&mut book.schemas);
    let mut schemas = book.schemas.take_definitions(true);
    schemas.extend(book.bodies);
    let tags = Tag::ALL.map(|tag| json!({ "name": tag.as_str(), "description": tag.says() }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Regent",
            "summary": "Machine learning that knows when not to change.",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "tags": tags,
        "paths": book.paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "securitySchemes": { "key": {
                "type": "http",
                "scheme": "bearer",
                "description": "A key of `regent keys create`. Without any key the server answers this machine alone, and asks nobody.",
            } },
        },
    })
}

/// What is written so far.
struct Book<'a> {
    schemas: SchemaGenerator,
    bodies: Map<String, Value>,
    subjects: &'a [Subject],
    paths: BTreeMap<String, Map<String, Value>>,
}

impl Book<'_> {
    fn tell(&mut self, row: &Row) {
        let Some(operation) = Operation::of(&row.method, &row.path) else { return };
        let named = row.path.contains("{model}");
        match (operation.body, named) {
            // What may be sent is each model's own, so each has a path of its own.
            (Some(body), true) => {
                for subject in self.subjects {
                    let path = row.path.replace("{model}", subject.model.as_str());
                    let id = format!("{}_{}", operation.id, subject.model.as_str().replace(['.', '-'], "_"));
                    let body = self.body(body, subject);
                    self.write(&path, &row.method, row.access, (&operation, id), Some(body));
                }
            }
            (Some(body), false) => {
                let body = match self.subjects.first() {
                    Some(subject) => self.body(body, subject),
                    None => requests::body(body, None),
                };
                self.write(&row.path, &row.method, row.access, (&operation, operation.id.to_owned()), Some(body));
            }
            (None, _) => {
                self.write(&row.path, &row.method, row.access, (&operation, operation.id.to_owned()), None);
            }
        }
    }

    /// A reference to the body of this kind for this model.
    fn body(&mut self, body: Body, subject: &Subject) -> Value {
        let name = format!("{}.{body:?}Request", subject.model);
        let written = self.bodies.entry(name.clone());
        written.or_insert_with(|| requests::body(body, subject.contract.as_ref()));
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    fn write(
        &mut self,
        path: &str,
        method: &Method,
        access: Access,
        (operation, id): (&Operation, String),
        body: Option<Value>,
    ) {
        let mut told = json!({
            "operationId": id,
            "tags": [operation.tag.as_str()],
            "summary": operation.summary,
            "responses": self.responses(path, access, operation),
        });
        let parameters: Vec<Value> = self.parameters(path, operation);
        if let Some(told) = told.as_object_mut() {
            if !parameters.is_empty() {
                told.insert("parameters".to_owned(), parameters.into());
            }
            if let Some(body) = body {
                let content = json!({ "required": true, "content": { "application/json": { "schema": body } } });
                told.insert("requestBody".to_owned(), content);
            }
            if let Access::Needs(scope) = access {
                told.insert("security".to_owned(), json!([{ "key": [scope.as_str()] }]));
            }
        }
        self.paths.entry(path.to_owned()).or_default().insert(method.as_str().to_lowercase(), told);
    }

    fn parameters(&self, path: &str, operation: &Operation) -> Vec<Value> {
        let model = path.contains("{model}").then(|| {
            let names: Vec<&str> = self.subjects.iter().map(|subject| subject.model.as_str()).collect();
            let schema = if names.is_empty() { json!({ "type": "string" }) } else { json!({ "enum": names }) };
            json!({ "name": "model", "in": "path", "required": true, "description": "A model.", "schema": schema })
        });
        let version = path.contains("{version}").then(|| {
            let says = "The champion's version: no other answers here.";
            let known: BTreeSet<_> = self.subjects.iter().filter_map(|subject| subject.version).collect();
            let known: Vec<String> = known.into_iter().map(|version| version.to_string()).collect();
            let schema = if known.is_empty() { json!({ "type": "string" }) } else { json!({ "enum": known }) };
            json!({ "name": "version", "in": "path", "required": true, "description": says, "schema": schema })
        });
        let places = model.into_iter().chain(version);
        places.chain(operation.parameters.iter().map(|parameter| parameter.told())).collect()
    }

    fn responses(&mut self, path: &str, access: Access, operation: &Operation) -> Value {
        let content = match operation.answer {
            Answer::Json(schema) => json!({ "application/json": { "schema": schema(&mut self.schemas) } }),
            Answer::Text(kind) => json!({ kind: { "schema": { "type": "string" } } }),
        };
        let done = json!({ "description": "Done.", "content": content });
        let mut told = Map::from_iter([("200".to_owned(), done)]);
        let mut refusals = vec![400, 403, 408, 429, 500, 503];
        refusals.extend_from_slice(operation.also);
        if matches!(access, Access::Needs(_)) {
            refusals.push(401);
        }
        if path.starts_with("/api/v1/models/") || path.starts_with("/v2/models/") {
            refusals.push(404);
        }
        if operation.body.is_some() {
            refusals.extend([413, 415]);
        }
        for status in refusals {
            let refusal =
                json!({ "$ref": format!("#/components/responses/{}", problems::name(status, operation.faults)) });
            told.insert(status.to_string(), refusal);
        }
        if operation.is_probe {
            // Not ready is told in the form of ready; that too many ask, as a problem.
            let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
            let mut content = told.get("200").and_then(|done| done.get("content")).cloned().unwrap_or_default();
            if let Some(content) = content.as_object_mut() {
                content.insert("application/problem+json".to_owned(), problem);
            }
            told.insert("503".to_owned(), json!({ "description": "Not ready, or not now.", "content": content }));
        }
        told.into()
    }
}

impl Parameter {
    fn told(self) -> Value {
        let most = Page::MOST;
        let (name, says, schema) = match self {
            Parameter::After(form) => (
                "after",
                "What to go on after: `next` of the page before.",
                json!({ "type": "string", "pattern": form }),
            ),
            Parameter::All => ("all", "Also what was resolved.", json!({ "type": "boolean", "default": false })),
            Parameter::Last => {
                ("last", "The newest so many reports.", json!({ "type": "integer", "minimum": 1, "maximum": most }))
            }
            Parameter::Limit => {
                let schema = json!({ "type": "integer", "minimum": 1, "maximum": most, "default": Page::USUAL });
                ("limit", "So many items at most.", schema)
            }
            Parameter::Size => {
                let schema = json!({ "type": "string", "pattern": "^[1-9][0-9]{0,3}(s|m|h|d)$", "examples": ["1h"] });
                ("size", "How long the windows are; the judged ones if nobody says.", schema)
            }
            Parameter::Version => {
                let number = "(0|[1-9][0-9]{0,5})";
                let schema = json!({ "type": "string", "pattern": format!("^{number}\\.{number}\\.{number}$") });
                ("version", "Only this version's.", schema)
            }
            Parameter::TraceParent => {
                let says = "W3C Trace Context; carried into the event. What breaks its rules is ignored.";
                let schema = json!({ "type": "string" });
                return json!({ "name": "traceparent", "in": "header", "description": says, "schema": schema });
            }
        };
        json!({ "name": name, "in": "query", "description": says, "schema": schema })
    }
}
