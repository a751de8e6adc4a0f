//! What may be sent, as the contract of a model says it; pure. What these schemas refuse the server refuses, and the other way round.

use serde_json::{Map, Value, json};

use super::operations::Body;
use crate::contract::{Contract, Task};
use crate::ingest::Domain;
use crate::serve::{MOST_INFERENCES, MOST_ROWS, datatype};

/// A UUID in its hyphenated form, and not the nil one.
fn id() -> Value {
    json!({
        "type": "string",
        "description": "The request's id: a UUID, hyphenated, not the nil one. One is issued if none is sent; labels name it.",
        "pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        "not": { "const": "00000000-0000-0000-0000-000000000000" },
    })
}

/// An object with exactly these members.
fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// The schema of a body, for a model under this contract, or one whose contract is not known yet.
pub(super) fn body(body: Body, contract: Option<&Contract>) -> Value {
    let features = || contract.map_or_else(|| json!({ "type": "object" }), features);
    // What is judged by itself may be anything: the answer says what is wrong with it.
    let judged = |wanted: Value| json!({ "anyOf": [wanted, { "type": "object" }] });
    match body {
        Body::Predict => object(json!({ "request_id": id(), "features": features() }), &["features"]),
        Body::Batch => {
            let row = object(json!({ "request_id": id(), "features": judged(features()) }), &["features"]);
            let rows = json!({
                "type": "array",
                "description": "Each row is answered, or refused with every violation, by itself.",
                "maxItems": MOST_ROWS,
                "items": row,
            });
            object(json!({ "rows": rows }), &["rows"])
        }
        Body::Invocations => invocations(contract),
        Body::Infer => tensors(contract),
        Body::Labels => {
            let label = object(json!({ "request_id": id(), "label": label(contract) }), &["request_id", "label"]);
            json!({ "oneOf": [label, object(json!({ "labels": { "type": "array", "items": label } }), &["labels"])] })
        }
        Body::Inferences => {
            let anything = json!({});
            let members = json!({
                "request_id": { "description": "A UUID." },
                "at": { "description": "When it was answered, RFC 3339; now if nobody says." },
                "features": judged(features()),
                "prediction": { "description": "What the model said." },
                "label": anything,
            });
            let one = object(members, &["features"]);
            let list = json!({ "type": "array", "maxItems": MOST_INFERENCES, "items": one });
            json!({ "oneOf": [one, object(json!({ "inferences": list }), &["inferences"])] })
        }
    }
}

/// Rows in MLflow's forms, those of them that a schema can tell: columns of one length are said in words.
fn invocations(contract: Option<&Contract>) -> Value {
    let features = || contract.map_or_else(|| json!({ "type": "object" }), features);
    let records =
        |says: &str| json!({ "type": "array", "maxItems": MOST_ROWS, "items": features(), "description": says });
    let also = "Objects; or one object of columns, all of one length.";
    let mut forms = vec![
        object(
            json!({ "dataframe_records": records("As pandas writes it with `orient=\"records\"`.") }),
            &["dataframe_records"],
        ),
        object(json!({ "instances": records(also) }), &["instances"]),
        object(json!({ "inputs": records(also) }), &["inputs"]),
    ];
    if let Some(contract) = contract {
        let names: Vec<&str> = contract.features().iter().map(|feature| feature.name.as_str()).collect();
        let row = json!({ "type": "array", "minItems": names.len(), "maxItems": names.len() });
        let members = json!({
            "columns": { "const": names, "description": "The features, in any order that the rows have, too." },
            "data": { "type": "array", "maxItems": MOST_ROWS, "items": row },
        });
        let split = object(members, &["columns", "data"]);
        forms.push(object(json!({ "dataframe_split": split }), &["dataframe_split"]));
    }
    json!({ "oneOf": forms })
}

/// A tensor for each feature.
fn tensors(contract: Option<&Contract>) -> Value {
    let tensor = |name: &str, domain: &Domain| {
        let says = "[n] or [n, 1]: as many as there are values, and the same for every input.";
        let members = json!({
            "name": { "const": name },
            "datatype": { "const": datatype(domain) },
            "shape": { "type": "array", "minItems": 1, "maxItems": 2, "items": { "type": "integer" }, "description": says },
            "data": { "type": "array", "maxItems": MOST_ROWS, "items": value(domain) },
        });
        object(members, &["name", "datatype", "shape", "data"])
    };
    let inputs = match contract {
        Some(contract) => {
            let features = contract.features();
            let inputs: Vec<Value> = features.iter().map(|feature| tensor(&feature.name, &feature.domain)).collect();
            let (all, each) = (features.len(), "Each feature once, in any order.");
            json!({ "type": "array", "items": { "oneOf": inputs }, "minItems": all, "maxItems": all, "description": each })
        }
        None => json!({ "type": "array" }),
    };
    let id =
        json!({ "type": "string", "description": "Sent back; of a single row its request's id, if it can be one." });
    object(json!({ "id": id, "inputs": inputs }), &["inputs"])
}

fn features(contract: &Contract) -> Value {
    let described = |name: &str| {
        let raw = contract.raw().features.iter().find(|feature| feature.name == name);
        raw.map(|raw| raw.description.as_str()).filter(|text| !text.is_empty())
    };
    let property = |name: &str, domain: &Domain| {
        let mut property = value(domain);
        if let (Some(text), Some(property)) = (described(name), property.as_object_mut()) {
            property.insert("description".to_owned(), text.into());
        }
        property
    };
    let properties: Map<String, Value> = contract
        .features()
        .iter()
        .map(|feature| (feature.name.clone(), property(&feature.name, &feature.domain)))
        .collect();
    let required: Vec<&str> = contract.features().iter().map(|feature| feature.name.as_str()).collect();
    object(Value::Object(properties), &required)
}

/// What a feature of this domain may be.
fn value(domain: &Domain) -> Value {
    match domain {
        // JSON has no infinity, and a number that is read as one is refused.
        Domain::Float(range) => {
            json!({ "type": "number", "minimum": range.min.max(f64::MIN), "maximum": range.max.min(f64::MAX) })
        }
        // Bounds of whole numbers have at most 53 bits.
        Domain::Integer(range) => {
            json!({ "type": "integer", "minimum": range.min.ceil() as i64, "maximum": range.max.floor() as i64 })
        }
        Domain::Boolean => json!({ "type": "boolean" }),
        Domain::Category(words) => json!({ "enum": words }),
        // No contract admits these as features.
        Domain::Date | Domain::Timestamp | Domain::Id => json!(false),
    }
}

/// What may have come true.
fn label(contract: Option<&Contract>) -> Value {
    let Some(contract) = contract else { return json!({}) };
    match (contract.task(), contract.target_domain()) {
        (Task::Binary, Some(Domain::Category(words))) => {
            let classes = [json!(0), json!(1)].into_iter();
            json!({ "enum": classes.chain(words.iter().map(|word| json!(word))).collect::<Vec<_>>() })
        }
        (Task::Binary, _) => json!({ "enum": [true, false, 0, 1] }),
        (Task::Regression, Some(domain)) => value(domain),
        (Task::Regression, None) => json!({ "type": "number" }),
    }
}
