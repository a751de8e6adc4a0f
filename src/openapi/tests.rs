//! Nothing that the server does is left out, and nothing is told that it does not do; a test module.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::operations::Operation;
use super::*;
use crate::serve::fixture::a_contract;
use crate::serve::{Meter, Role, Row};
use crate::types::Version;

fn subjects() -> Vec<Subject> {
    let rain =
        Subject { model: "rain".parse().unwrap(), version: Some(Version::FIRST), contract: Some(a_contract(true)) };
    vec![rain, Subject { model: "snow.v2".parse().unwrap(), version: None, contract: None }]
}

fn operations(told: &Value) -> Vec<&Value> {
    let paths = told["paths"].as_object().unwrap().values();
    paths.flat_map(|path| path.as_object().unwrap().values()).collect()
}

#[test]
fn every_route_is_described() {
    let rows = rows();
    let silent: Vec<&Row> = rows.iter().filter(|row| Operation::of(&row.method, &row.path).is_none()).collect();
    assert!(silent.is_empty(), "describe these in src/openapi/operations.rs: {silent:?}");
    let told = document(&rows, &subjects());
    for row in &rows {
        let is_told = |path: &str| !told["paths"][path][row.method.as_str().to_lowercase()].is_null();
        let each = ["rain", "snow.v2"].map(|model| row.path.replace("{model}", model));
        assert!(is_told(&row.path) || each.iter().all(|path| is_told(path)), "{row:?}");
    }
    let ids: BTreeSet<&str> = operations(&told).iter().map(|told| told["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations(&told).len(), "no two operations have one name");
}

/// Whoever adds a route says what it is for.
#[test]
fn every_route_has_a_role_in_the_metrics() {
    let meter = Meter::new(["rain".parse().unwrap()]);
    let roles = rows()
        .into_iter()
        .map(|row| (meter.place(&row.path.replace("{model}", "rain").replace("{version}", "1.0.0")).role, row.path));
    let nameless: Vec<_> = roles.filter(|(role, _)| *role == Role::Other).collect();
    assert!(nameless.is_empty(), "give these a role in src/serve/meter.rs: {nameless:?}");
}

#[test]
fn every_problem_is_described() {
    let source = include_str!("../serve/problem.rs");
    let said = source.split("\"urn:regent:problem:").skip(1).filter_map(|rest| rest.split('"').next());
    let told = problems::REFUSALS.iter().flat_map(|refusal| refusal.kinds.iter().copied());
    assert_eq!(told.collect::<BTreeSet<_>>(), said.collect::<BTreeSet<_>>());
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let told = document(&rows(), &subjects());
    let mut found = BTreeSet::new();
    references(&told, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        assert!(told.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    assert_eq!(document(&rows(), &subjects()), told);
}

#[test]
fn a_request_is_what_the_contract_admits() {
    let told = document(&rows(), &subjects());
    let body = &told["paths"]["/api/v1/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body, &json!({ "$ref": "#/components/schemas/rain.PredictRequest" }));
    let request = &told["components"]["schemas"]["rain.PredictRequest"];
    assert_eq!((&request["additionalProperties"], &request["required"]), (&json!(false), &json!(["features"])));
    let features = &request["properties"]["features"];
    assert_eq!(features["required"], json!(["temperature", "humidity", "station", "windy"]));
    assert_eq!(features["additionalProperties"], json!(false));
    assert_eq!(
        features["properties"],
        json!({
            "temperature": { "type": "number", "minimum": -60.0, "maximum": 60.0 },
            "humidity": { "type": "number", "minimum": 0.0, "maximum": 100.0 },
            "station": { "enum": ["north", "south"] },
            "windy": { "type": "boolean" },
        })
    );
    let label = &told["components"]["schemas"]["rain.LabelsRequest"]["oneOf"][0]["properties"]["label"];
    assert_eq!(label, &json!({ "enum": [true, false, 0, 1] }));
}
