//! What lies in files: the orders that people drop, and the reports that an entry cites.

use super::scene::*;
use crate::drift::Severity;
use crate::govern::*;
use crate::store::{Body, Memory, Store};
use crate::types::{Digest, Verdict, canonical_json};

const FREEZE: &str = "id: f\nmodel: rain\norder: freeze\nauthor: ana\nreason: because\nexpires: 2026-01-01T00:00:00Z\n";

/// The orders in these files, or why they cannot be read.
fn load(files: &[(&str, &[u8])]) -> Result<Vec<Override>, String> {
    let store = Memory::new();
    for (name, bytes) in files {
        let key = overrides::folder(&model()).unwrap().join(name).unwrap();
        store.create(&key, Body::Bytes(bytes)).unwrap();
    }
    overrides::load(&store, &model()).map_err(|error| error.to_string())
}

fn one(text: &str) -> Result<Vec<Override>, String> {
    load(&[("a.yaml", text.as_bytes())])
}

#[track_caller]
fn refused(read: Result<Vec<Override>, String>, words: &str) {
    let why = read.expect_err(words);
    assert!(why.contains(words), "{why}");
}

#[test]
fn every_file_that_is_an_order_is_read() {
    assert_eq!(load(&[]), Ok(Vec::new()));
    let second = FREEZE.replace("id: f", "id: g");
    let orders = load(&[("a.yaml", FREEZE.as_bytes()), ("b.yaml", second.as_bytes())]).unwrap();
    let read: Vec<_> = orders.iter().map(|order| (order.id.as_str(), order.order, order.model == model())).collect();
    assert_eq!(read, [("f", Order::Freeze, true), ("g", Order::Freeze, true)]);
}

#[test]
fn a_file_that_is_no_order_is_refused_with_the_mend() {
    refused(load(&[("a.txt", FREEZE.as_bytes())]), "an order is a file that ends in .yaml");
    refused(load(&[("a.yaml", FREEZE.as_bytes()), ("b.yaml", FREEZE.as_bytes())]), "the id `f` stands in two files");
    refused(load(&[("a.yaml", b"\xff\n")]), "it is not UTF-8 text");
    refused(one(FREEZE.trim_end()), "its last line has no end");
    refused(one(&FREEZE.replace("rain", "sun")), "it is for model `sun`, not `rain`");
    for (key, text) in [("id", "id: f"), ("author", "author: ana"), ("reason", "reason: because")] {
        refused(one(&FREEZE.replace(text, &format!("{key}: \"  \""))), &format!("`{key}` is empty"));
    }
    let empty = one("").unwrap_err();
    assert!(!empty.contains("no end"), "an empty file is not torn: {empty}");
}

#[test]
fn an_order_is_at_most_64_kib_and_not_read_beyond() {
    let padded = |len: usize| format!("{FREEZE}#{}\n", "x".repeat(len - FREEZE.len() - 2));
    assert_eq!(one(&padded(65_536)).map(|orders| orders.len()), Ok(1));
    refused(one(&padded(65_537)), "it has 65537 bytes, an order at most 65536");
}

#[test]
fn who_means_a_version_names_it_and_its_digest() {
    let with = |kind: Order, version: bool, bundle: bool| {
        let mut text = FREEZE.replace("order: freeze", &format!("order: {kind}"));
        if version {
            text.push_str("version: 1.1.0\n");
        }
        if bundle {
            text.push_str(&format!("bundle: {}\n", bundle_of(NEW)));
        }
        one(&text)
    };
    for kind in [Order::Pin, Order::Approve, Order::Promote] {
        refused(with(kind, false, true), "names the `version` it means");
        refused(with(kind, true, false), "and the `bundle` digest");
        assert_eq!(with(kind, true, true).unwrap()[0].version, Some(NEW));
    }
    refused(with(Order::Reject, false, false), "names the `version` it means");
    assert!(with(Order::Reject, true, false).is_ok(), "a candidate that trains has none yet");
    for kind in [Order::Rollback, Order::Freeze, Order::Retrain, Order::Clock] {
        assert!(with(kind, false, false).is_ok(), "{kind}");
    }
}

#[test]
fn every_report_of_an_observation_is_cited_by_the_digest_of_its_canonical_json() {
    let mut seen = Observation::nothing(&model());
    assert_eq!(seen.reports().unwrap(), []);
    seen.drift = vec![drift(OLD, window(1), Severity::None, Verdict::Pass)];
    seen.candidate_drift = vec![drift(NEW, window(1), Severity::None, Verdict::Pass)];
    seen.performance = vec![performance(OLD, window(1), Verdict::Pass, Verdict::Pass)];
    seen.estimated = vec![estimated(OLD, window(1), Verdict::Fail)];
    seen.evaluation = Some(evaluation(NEW, against(OLD), Verdict::Pass));
    seen.shadow = Some(shadow(OLD, NEW, day(1), day(2), Verdict::Pass));
    seen.watch = Some(watch(OLD, day(0), NEW, Verdict::Pass));
    let expected = [
        (ReportKind::Drift, canonical_json(&seen.drift[0])),
        (ReportKind::Drift, canonical_json(&seen.candidate_drift[0])),
        (ReportKind::Performance, canonical_json(&seen.performance[0])),
        (ReportKind::Estimate, canonical_json(&seen.estimated[0])),
        (ReportKind::Evaluation, canonical_json(&seen.evaluation)),
        (ReportKind::Shadow, canonical_json(&seen.shadow)),
        (ReportKind::Watch, canonical_json(&seen.watch)),
    ];
    let expected = expected.map(|(kind, bytes)| {
        let bytes = bytes.unwrap();
        (Cited { kind, sha256: Digest::of(&bytes) }, bytes)
    });
    assert_eq!(seen.reports().unwrap(), expected);
}

#[test]
fn a_kind_of_report_is_called_alike_in_paths_and_in_json() {
    for kind in ReportKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.to_string());
    }
}
