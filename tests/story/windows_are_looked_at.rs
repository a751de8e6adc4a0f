//! Somebody wants to know how it goes, window by window, and how far to trust it.

use std::process::Output;

use regent::console::{ConsoleError, Ledger, Trusted, Windows, trust, windows};
use regent::train::Metric;
use regent::types::Span;
use serde_json::Value;

use super::commands::text;
use super::estate::Estate;

fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn keys(value: &Value) -> String {
    value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
}

#[test]
fn windows_of_every_size_tell_of_traffic_drift_labels_and_performance() {
    let estate = Estate::new();
    let told: Windows =
        serde_json::from_value(json(&estate.regent(&["view", "rain", "--window", "24h", "--last", "3", "-o", "json"])))
            .unwrap();
    assert_eq!(told.windows.len(), 3);
    assert!(told.windows.is_sorted_by_key(|window| window.window));
    let window = &told.windows[0];
    let answered = window.versions.iter().find(|version| version.answered > 0).unwrap();
    assert_eq!((window.requests, answered.answered), (250, 250), "{window:?}");
    assert_eq!(answered.labelled_share.value.number(), Some(1.0));
    assert!(answered.score_mean.value.number().is_some_and(|mean| mean > 0.0 && mean < 1.0));
    assert!(answered.drift.is_some() && answered.note.is_empty());
    let auc = |metrics: Vec<&Metric>| {
        let metric = metrics.into_iter().find(|metric| metric.measurement.metric == "auc").unwrap();
        (metric.measurement.value.number().unwrap(), metric.interval.unwrap(), metric.measurement.n)
    };
    let (measured, within, rows) = auc(answered.metrics.iter().collect());
    assert!(within.contains(measured) && rows == 250);
    let (_, foretold, rows) = auc(answered.estimated.iter().map(|estimated| &estimated.metric).collect());
    assert!(foretold.width() > 0.0 && rows == 250);
    let shape = json(&estate.regent(&["view", "rain", "--last", "1", "-o", "json"]));
    assert_eq!(keys(&shape["windows"][0]), "refused_share requests sampled_share sealed_at versions window");
    assert_eq!(
        keys(&shape["windows"][0]["versions"][0]),
        "answered drift estimated labelled_share latency metrics rows score_mean version"
    );
    // A day is made of hours and those of five minutes.
    let of = |size| {
        let rules = regent::govern::Rules::default();
        windows(&estate.store, &estate.model, &rules, size, usize::MAX, window.window.end() + Span::from_days(9_000))
    };
    let requests = |size| of(size).unwrap().windows.iter().map(|window| window.requests).sum::<u64>();
    assert_eq!(requests(Span::from_days(1)), requests(Span::from_hours(1)));
    assert!(matches!(of(Span::from_mins(7)), Err(ConsoleError::NoSuchSize { .. })));
    std::fs::remove_dir_all(estate.path("var/rain/events")).unwrap();
    let archived = of(Span::from_days(1)).unwrap();
    let told = &archived.windows.last().unwrap().versions[0].labelled_share.value;
    assert!(told.to_string().contains("archived"), "{told}");
    let odd = estate.regent(&["view", "rain", "--window", "7m"]);
    assert_eq!(odd.status.code(), Some(2));
    let table = text(&estate.regent(&["view", "rain", "--last", "2"]).stdout);
    assert!(table.starts_with("window") && table.lines().count() >= 3 && table.contains("auc 0."), "{table}");
}

#[test]
fn trust_is_told_with_its_parts_and_its_windows() {
    let estate = Estate::new();
    let told: Trusted = serde_json::from_value(json(&estate.regent(&["trust", "rain", "-o", "json"]))).unwrap();
    let score = told.trust.unwrap();
    assert!(score.score.number().is_some_and(|trust| trust > 0.0 && trust <= 1.0), "{score:?}");
    assert_eq!(score.parts.len(), 5);
    assert!(
        score.parts.iter().filter(|part| part.measurement.metric != "confidence").all(|part| part.window.is_some())
    );
    let shape = json(&estate.regent(&["trust", "rain", "-o", "json"]));
    assert_eq!(keys(&shape["trust"]), "at_least at_most format_version model parts score version");
    assert_eq!(keys(&shape["trust"]["parts"][0]), "method metric n value weight window");
    assert!(text(&estate.regent(&["trust", "rain"]).stdout).contains("rain 1."), "{score:?}");
    // A report that was touched is not believed.
    let folder = estate.path("var/rain/reports/performance");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(path, "{}").unwrap();
    }
    let rules = regent::govern::Rules::default();
    let ledger = Ledger::read(&estate.store, &estate.model).unwrap();
    assert!(matches!(trust(&estate.store, &ledger, &estate.model, &rules), Err(ConsoleError::Altered { .. })));
    assert_eq!(estate.regent(&["trust", "rain"]).status.code(), Some(5));
}
