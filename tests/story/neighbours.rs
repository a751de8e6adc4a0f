//! Several models in one server, each under its name, spoken to in the words of MLflow and of the Open Inference Protocol, too; none
//! falls with another.

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::programs::{Programs, REGENT, Server, request_id, text, until};
use super::stage::weather;

const NO_FEATURES: [&str; 4] = ["day_index", "rain", "date", "ridership"];

/// The rain example with its champion and, beside it, the ridership example with one of its own; made once.
pub(crate) static TWO: LazyLock<Programs> = LazyLock::new(|| {
    let programs = Programs::with_champion();
    programs.done(&["init", "--example", "ridership"]);
    programs.done(&["contract", "register", "ridership"]);
    programs.write("incoming/ridership/000000.csv", &boardings(1_500));
    programs.done(&["train", "baseline", "ridership"]);
    programs.govern(&["--model", "ridership"]);
    assert!(programs.govern(&["--model", "ridership"]).contains("serves 1.0.0"));
    programs
});

fn boardings(days: usize) -> String {
    let file = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/chicago_ridership.csv")).unwrap();
    file.lines().take(days + 1).map(|line| format!("{line}\n")).collect()
}

/// The first so many rows of a file, by name, without what is no feature.
fn rows(file: &str, count: usize) -> Vec<Map<String, Value>> {
    let mut lines = file.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let value = |name: &str, cell: &str| match name.ends_with("_Home") || name.ends_with("_Away") {
        true => json!(cell == "1"),
        false => json!(cell.parse::<f64>().unwrap()),
    };
    let row = |line: &str| {
        let cells = header.iter().zip(line.split(',')).filter(|(name, _)| !NO_FEATURES.contains(name));
        cells.map(|(name, cell)| ((*name).to_owned(), value(name, cell))).collect()
    };
    lines.take(count).map(row).collect()
}

/// The same rows, a tensor for each feature.
fn tensors(rows: &[Map<String, Value>]) -> Vec<Value> {
    let column = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    let datatype = |name: &str| if rows[0][name].is_boolean() { "BOOL" } else { "FP64" };
    let shape = [rows.len()];
    let tensor =
        |name: &String| json!({ "name": name, "datatype": datatype(name), "shape": shape, "data": column(name) });
    rows[0].keys().map(tensor).collect()
}

/// What each model says of rows, by its own route: a number for each.
fn said(server: &Server, model: &str, rows: &[Map<String, Value>]) -> Vec<Value> {
    let batch: Vec<Value> = rows.iter().map(|row| json!({ "features": row })).collect();
    let answer = server.post(&format!("/api/v1/models/{model}/predict/batch"), &json!({ "rows": batch }));
    assert_eq!((&answer["model"], &answer["refused"]), (&json!(model), &json!(0)), "{answer}");
    let of = |row: &Value| row.get("probability").or(row.get("prediction")).unwrap().clone();
    answer["rows"].as_array().unwrap().iter().map(of).collect()
}

fn each_model_answers_in_every_tongue(door: &str) {
    let programs = TWO.copy();
    let server = programs.serve_all(&["--model", "rain", "--model", "ridership", "--door", door]);
    assert!(
        server.greetings.contains(&"rain is meant where a path names no model".to_owned()),
        "{:?}",
        server.greetings
    );
    for (model, rows) in [("rain", rows(&weather(2_000..2_003), 3)), ("ridership", rows(&boardings(3), 3))] {
        let said = json!(said(&server, model, &rows));
        let invocations = format!("/api/v1/models/{model}/invocations");
        let columns: BTreeMap<&String, Vec<&Value>> =
            rows[0].keys().map(|name| (name, rows.iter().map(|row| &row[name]).collect())).collect();
        let data: Vec<Vec<&Value>> = rows.iter().map(|row| row.values().collect()).collect();
        let split = json!({ "columns": rows[0].keys().collect::<Vec<_>>(), "data": data });
        for body in [
            json!({ "dataframe_records": rows }),
            json!({ "dataframe_split": split }),
            json!({ "instances": rows }),
            json!({ "inputs": columns }),
        ] {
            assert_eq!(server.post(&invocations, &body)["predictions"], said, "{model}");
        }
        let line = |row: &Map<String, Value>| row.values().map(Value::to_string).collect::<Vec<_>>().join(",") + "\n";
        let header = rows[0].keys().map(String::as_str).collect::<Vec<_>>().join(",") + "\n";
        let csv = header + &rows.iter().map(line).collect::<String>();
        let (status, answer) = server.send_text(&invocations, "text/csv", &csv);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((status, &answer["predictions"]), (200, &said), "{model}");
        let inferred = server.post(&format!("/v2/models/{model}/infer"), &json!({ "inputs": tensors(&rows) }));
        assert_eq!((&inferred["outputs"][0]["data"], &inferred["model_name"]), (&said, &json!(model)));
        let metadata = server.get(&format!("/v2/models/{model}")).2;
        let inputs: Vec<&str> =
            metadata["inputs"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(inputs.len(), rows[0].len(), "{metadata}");
        // Labels join by the ids that MLflow's answer tells besides.
        let answer = server.post(&invocations, &json!({ "instances": rows }));
        let label = json!({ "request_id": answer["request_ids"][0], "label": 1 });
        let taken = server.post(&format!("/api/v1/models/{model}/labels"), &label);
        assert_eq!(taken["outcomes"]["new"], 1, "{taken}");
    }
    // The default is asked where no model is named, and the rows of the other are no rows of it.
    let records = json!({ "dataframe_records": rows(&boardings(1), 1) });
    assert_eq!(server.send("/invocations", &records).0, 422);
    let gone = server.get("/api/v1/models/snow/health");
    assert_eq!((gone.0, &gone.2["type"]), (404, &json!("urn:regent:problem:unknown-model")));
    for path in ["/ping", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/ridership/ready"] {
        assert_eq!(server.get(path).0, 200, "{path}");
    }
    server.end();
}

#[test]
fn each_model_answers_in_every_tongue_at_the_first_door() {
    each_model_answers_in_every_tongue("axum");
}

#[test]
fn each_model_answers_in_every_tongue_at_the_small_door() {
    each_model_answers_in_every_tongue("tiny");
}

/// One id asked of two models is two requests: each has its event, its label and its count.
#[test]
fn what_two_models_answer_under_one_id_is_sealed_apart() {
    let programs = TWO.copy();
    let server = programs.serve_all(&["--default", "ridership", "-o", "json"]);
    let names = [("rain", rows(&weather(2_000..2_001), 1)), ("ridership", rows(&boardings(1), 1))];
    for (model, rows) in &names {
        let asked = json!({ "request_id": request_id(0), "features": rows[0] });
        let answer = server.post(&format!("/api/v1/models/{model}/predict"), &asked);
        assert_eq!((&answer["model"], &answer["request_id"]), (&json!(model), &json!(request_id(0))));
        let label = json!({ "request_id": request_id(0), "label": 1 });
        assert_eq!(server.post(&format!("/api/v1/models/{model}/labels"), &label)["outcomes"]["new"], 1);
    }
    assert_eq!(server.get("/health").2["model"], "ridership");
    server.running.signal("TERM");
    let (code, printed) = server.running.ended();
    let said: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((code, &said["model"], &said["models"]), (Some(0), &json!("ridership"), &json!(["rain", "ridership"])));
    let members: Vec<&str> = said.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["format_version", "model", "models", "replica", "stopped_at"]);
    for (model, _) in names {
        for kind in ["events", "labels", "counts"] {
            assert!(!programs.names(&format!("var/{model}/{kind}")).is_empty(), "{model} has no {kind}");
        }
    }
    assert!(programs.names("var/spool/local").iter().all(|name| !name.ends_with(".jsonl")));
}

#[test]
fn a_model_that_cannot_be_served_leaves_the_others_alone() {
    let programs = TWO.copy();
    let bundle = programs.path("registry/ridership/1.0.0/profile.json");
    let whole = fs::read(&bundle).unwrap();
    let put = |bytes: &[u8]| {
        fs::remove_file(&bundle).unwrap();
        fs::write(&bundle, bytes).unwrap();
    };
    put(b"{}");
    let server = programs.serve_all(&["rain", "--model", "ridership"]);
    let told = server.greetings.iter().find(|line| line.contains("ridership") && line.contains("503"));
    assert!(told.is_some(), "{:?}", server.greetings);
    let ask = |server: &Server, model: &str| {
        let file = if model == "rain" { weather(2_000..2_001) } else { boardings(1) };
        server.send(&format!("/api/v1/models/{model}/predict"), &json!({ "features": rows(&file, 1)[0] })).0
    };
    assert_eq!((ask(&server, "rain"), ask(&server, "ridership")), (200, 503));
    assert_eq!((server.get("/readyz").0, server.get("/v2/models/ridership/ready").0), (200, 503));
    // It is tried again, and answers once it is whole.
    put(&whole);
    until("ridership answers", || ask(&server, "ridership") == 200);
    server.end();

    // So is one whose policy cannot be read.
    let policy = fs::read_to_string(programs.path("governance/ridership/policy.yaml")).unwrap();
    programs.write("governance/ridership/policy.yaml", "windows: 7\n");
    let server = programs.serve_all(&["rain", "--model", "ridership"]);
    assert_eq!((ask(&server, "rain"), ask(&server, "ridership")), (200, 503));
    programs.write("governance/ridership/policy.yaml", &policy);
    until("ridership answers", || ask(&server, "ridership") == 200);
    server.end();

    // Alone it is no server.
    put(b"{}");
    let alone = programs.run(REGENT, &["serve", "ridership", "--listen", "127.0.0.1:0"]);
    assert_eq!(alone.status.code(), Some(5), "{}", text(&alone.stderr));
    // A journal that cannot be read is its model's alone, too.
    let journal = programs.path("governance/ridership/journal");
    let entry = journal.join(&programs.names("governance/ridership/journal")[0]);
    fs::remove_file(&entry).unwrap();
    fs::write(&entry, "{").unwrap();
    let server = programs.serve_all(&["rain", "--model", "ridership"]);
    assert_eq!(server.get("/readyz").0, 200);
    assert_eq!(server.get("/api/v1/models/ridership/health").2["status"], "waiting");
    server.end();
}

#[test]
fn of_several_models_nobody_guesses_which_one_is_meant() {
    let programs = TWO.copy();
    let refused = |arguments: &[&str]| {
        let output = programs.run(REGENT, &[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        text(&output.stderr)
    };
    let told = refused(&[]);
    assert!(told.contains("rain, ridership") && told.contains("--default NAME"), "{told}");
    assert!(refused(&["--default", "snow"]).contains("rain, ridership"));
    assert!(refused(&["rain", "--default", "ridership"]).contains("not served"));
    let settings = fs::read_to_string(programs.path("regent.yaml")).unwrap();
    programs.write("regent.yaml", &format!("{settings}\nmodel: ridership\n"));
    let server = programs.serve_all(&[]);
    assert_eq!(server.get("/health").2["model"], "ridership");
    assert_eq!(server.get("/api/v1/models/rain/health").2["status"], "serving");
    server.end();
}

#[test]
fn mlflows_names_mean_versions() {
    let programs = TWO.copy();
    programs.write("two.csv", &weather(2_000..2_002));
    let ask = |model: &str| {
        programs.run(REGENT, &["predict", "two.csv", "--model", model, "--ignore", "rain", "--ignore", "day_index"])
    };
    let by_name = ask("rain");
    assert_eq!(by_name.status.code(), Some(0), "{by_name:?}");
    for name in ["models:/rain@champion", "models:/rain/1.0.0", "models:/rain/latest"] {
        assert_eq!(ask(name).stdout, by_name.stdout, "{name}");
    }
    let refusals = [
        ("models:/rain@candidate", "rain has no candidate now"),
        ("models:/rain@best", "`@best` is not an alias"),
        ("models:/rain/Production", "`/Production` is not a version"),
    ];
    for (name, why) in refusals {
        let refused = ask(name);
        assert!(refused.status.code() == Some(2) && text(&refused.stderr).contains(why), "{refused:?}");
    }
    let version = |arguments: &[&str], place: &str| programs.json(REGENT, arguments).pointer(place).cloned();
    let first = Some(json!("1.0.0"));
    assert_eq!(version(&["registry", "show", "models:/rain@champion"], "/version"), first);
    assert_eq!(version(&["registry", "export", "models:/rain@champion", "--dry-run"], "/version"), first);
    assert_eq!(version(&["explain", "models:/rain@champion"], "/why/version"), first);
    let twice = programs.run(REGENT, &["registry", "show", "models:/rain/1.0.0", "1.0.0"]);
    assert!(twice.status.code() == Some(2) && text(&twice.stderr).contains("given twice"), "{twice:?}");
    assert_eq!(programs.run(REGENT, &["registry", "export", "rain"]).status.code(), Some(2));
}
