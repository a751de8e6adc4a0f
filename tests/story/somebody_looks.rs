//! Somebody looks: what the reading routes tell is what the commands print, page by page, through either door.

use std::collections::BTreeSet;
use std::fs;

use regent::alert::{self, AlertRules, Findings, Kind, Level, Seen};
use regent::store::{Disk, Durability};
use regent::types::{Digest, canonical_json};
use rstest::rstest;
use serde_json::Value;

use super::programs::{Programs, REGENT, Server};
use super::stage::noon;

/// A path below `/api/v1/models/rain/`, and the command that answers the same.
const SAME: [(&str, &[&str]); 17] = [
    ("alerts", &["alert", "list", "--model", "rain", "--limit", "100"]),
    ("alerts?all=true&limit=2", &["alert", "list", "--model", "rain", "--all", "--limit", "2"]),
    ("metrics/baseline", &["performance", "baseline", "rain"]),
    ("metrics/latest", &["performance", "show", "rain"]),
    ("metrics/history", &["performance", "history", "rain", "--limit", "100"]),
    ("metrics/history?limit=3&after=2", &["performance", "history", "rain", "--limit", "3", "--after", "2"]),
    ("drift", &["drift", "show", "rain"]),
    ("drift?version=1.0.0&last=2", &["drift", "show", "rain", "--version", "1.0.0", "--last", "2"]),
    ("drift/history?limit=3", &["drift", "history", "rain", "--limit", "3"]),
    ("concept", &["drift", "concept", "rain"]),
    ("retraining", &["retraining", "rain"]),
    ("trust", &["trust", "rain"]),
    ("snapshots", &["snapshot", "list", "rain", "--limit", "100"]),
    ("snapshots?size=1h&limit=2", &["snapshot", "list", "rain", "--size", "1h", "--limit", "2"]),
    ("state", &["state", "rain"]),
    ("history", &["history", "rain", "--limit", "100"]),
    ("history?limit=2&after=1", &["history", "rain", "--limit", "2", "--after", "1"]),
];

/// The alerts of three days: one stands, one was resolved.
fn raise_alerts(programs: &Programs) {
    let store = Disk::open(programs.folder().to_owned(), Durability::Batched).unwrap();
    let (rules, model) = (AlertRules::default(), "rain".parse().unwrap());
    let stands = |text: &str| Seen::stands(Level::Warning, text.to_owned());
    for findings in [
        Findings::from([(Kind::Volume, stands("nobody asks"))]),
        Findings::from([(Kind::DataDrift, stands("the world moved")), (Kind::LabelCoverage, stands("no labels"))]),
        Findings::from([(Kind::Volume, Seen::Over)]),
    ] {
        alert::raise(&store, &model, &findings, &rules, noon()).unwrap();
    }
}

#[rstest]
fn a_route_tells_what_its_command_prints(#[values("axum", "tiny")] door: &str) {
    let programs = Programs::lived();
    raise_alerts(&programs);
    let server = programs.serve(&["--door", door]);
    for (path, command) in SAME {
        let (status, link, told) = server.get(&format!("/api/v1/models/rain/{path}"));
        assert_eq!(status, 200, "{path}: {told}");
        assert_eq!(told, programs.json(REGENT, command), "{path}");
        assert_eq!(link.is_some(), told["next"].is_string(), "{path}: {link:?}");
        let holds = ["alerts", "entries", "reports", "snapshots", "windows"].map(|list| told.get(list));
        let empty = holds.into_iter().flatten().find(|list| list.as_array().unwrap().is_empty());
        assert!(empty.is_none(), "{path} told of nothing: {told}");
    }
    let filed = &server.get("/api/v1/models/rain/metrics/latest").2["report"];
    let bytes = canonical_json(&filed["report"]).unwrap();
    assert_eq!(filed["sha256"], Digest::of(bytes).to_string(), "what is told is what the journal cites");
}

/// Every page of a list, and what happens after the first.
fn walk(server: &Server, path: &str, list: &str, grow: impl FnOnce()) -> Vec<Value> {
    let (mut found, mut next) = (Vec::new(), Some(format!("/api/v1/models/rain/{path}")));
    let mut grow = Some(grow);
    while let Some(page) = next {
        let (status, link, told) = server.get(&page);
        assert_eq!(status, 200, "{page}: {told}");
        found.extend(told[list].as_array().unwrap().iter().cloned());
        if let Some(grow) = grow.take() {
            grow();
        }
        next = link.map(|link| link.split_once('<').unwrap().1.split_once('>').unwrap().0.to_owned());
    }
    found
}

#[rstest]
fn pages_hold_everything_once_while_the_journal_grows(#[values("axum", "tiny")] door: &str) {
    let programs = Programs::lived();
    let journal = programs.path("governance/rain/journal");
    let names = programs.names("governance/rain/journal");
    let newest: Vec<(String, Vec<u8>)> =
        names[names.len() - 6..].iter().map(|name| (name.clone(), fs::read(journal.join(name)).unwrap())).collect();
    for (path, list) in [("history?limit=7", "entries"), ("drift/history?limit=7", "reports")] {
        newest.iter().for_each(|(name, _)| fs::remove_file(journal.join(name)).unwrap());
        let server = programs.serve(&["--door", door]);
        let walked = walk(&server, path, list, || {
            newest.iter().for_each(|(name, bytes)| fs::write(journal.join(name), bytes).unwrap());
        });
        let all = server.get(&format!("/api/v1/models/rain/{}", path.replace("limit=7", "limit=1000"))).2;
        assert_eq!(&walked, all[list].as_array().unwrap());
        let distinct: BTreeSet<String> = walked.iter().map(ToString::to_string).collect();
        assert_eq!(distinct.len(), walked.len());
        assert!(walked.len() > 7);
    }
    let server = programs.serve(&["--door", door]);
    let windows = walk(&server, "snapshots?limit=1&size=1h", "snapshots", || {});
    assert_eq!(windows.len(), programs.names("var/rain/snapshots/1h").len());
}

#[rstest]
fn what_cannot_be_told_is_a_problem_that_names_no_file(#[values("axum", "tiny")] door: &str) {
    let programs = Programs::lived();
    let server = programs.serve(&["--door", door]);
    for (path, status, kind) in [
        ("snow/history", 404, "unknown-model"),
        ("Not%20A%20Name/history", 404, "unknown-model"),
        ("rain/nothing", 404, "not-found"),
        ("rain/history?after=tomorrow", 400, "bad-parameter"),
        ("rain/drift/history?after=-1", 400, "bad-parameter"),
        ("rain/snapshots?after=7", 400, "bad-parameter"),
        ("rain/alerts?after=7", 400, "bad-parameter"),
        ("rain/history?limit=1001", 400, "bad-parameter"),
        ("rain/state?limit=1", 400, "bad-parameter"),
    ] {
        let (found, _, told) = server.get(&format!("/api/v1/models/{path}"));
        assert_eq!((found, &told["status"]), (status, &Value::from(status)), "{path}: {told}");
        assert_eq!(told["type"], format!("urn:regent:problem:{kind}"), "{path}");
    }
    for method in ["POST", "DELETE", "OPTIONS"] {
        assert_eq!(server.call(method, "/api/v1/models/rain/state").0, 405, "{method}");
    }
    assert_eq!(server.call("HEAD", "/api/v1/models/rain/state").0, 200);
    // A report that is not what the journal cites is told by nobody.
    let report = programs.names("var/rain/reports/drift");
    for name in report {
        fs::write(programs.path(&format!("var/rain/reports/drift/{name}")), "{}").unwrap();
    }
    let (status, _, told) = server.get("/api/v1/models/rain/drift");
    assert_eq!((status, told["type"].as_str()), (500, Some("urn:regent:problem:unreadable")));
    assert!(!told.to_string().contains("var/"), "{told}");
    assert_eq!(programs.run(REGENT, &["drift", "show", "rain"]).status.code(), Some(5));
    assert_eq!(programs.run(REGENT, &["history", "rain", "--after", "x"]).status.code(), Some(2));
}
