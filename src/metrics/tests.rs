//! What is told can be read by whoever scrapes it, and is written down; a test module.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::exposition::expose;
use super::families::{Seen, Served};
use crate::console::{Gate, Gauges};
use crate::contract::{Given, Task};
use crate::govern::State;
use crate::log::Backlog;
use crate::serve::fixture::{Memo, a_model, serving};
use crate::serve::{Answered, Counter, Meter, Metered, Tally};
use crate::types::{Check, Measurement, ModelName, Operator, Span, Value, Verdict, Version};

fn a_check(value: f64) -> Check {
    Check {
        measurement: Measurement { metric: "auc".to_owned(), value: Value::Number(value), n: 900 },
        operator: Operator::AtLeast,
        threshold: 0.7,
        verdict: Verdict::Fail,
        note: String::new(),
    }
}

/// One row that the model says 0.4 of, and one that the contract refuses for two reasons.
fn answer_two_rows(tally: Arc<Tally>) {
    let memo = Arc::new(Memo::default());
    let metered = Metered::new(tally, memo.clone(), memo.clone());
    let serving = serving(a_model(Version::FIRST, 1.0), None);
    for humidity in [40.0, 400.0] {
        let row = [
            ("temperature", Given::Number(1.0)),
            ("humidity", Given::Number(humidity)),
            ("station", Given::Text(if humidity > 100.0 { "west" } else { "south" })),
            ("windy", Given::Bool(true)),
        ];
        let answer = serving.champion.answer(row).unwrap();
        let at = "2026-11-21T10:00:00Z".parse().unwrap();
        let (request_id, serving) = (Uuid::from_u128(1), &*serving);
        metered.answered(&Answered { request_id, at, answer: &answer, latency_us: 400, serving, trace: None });
    }
    assert_eq!(memo.all(), ["count scored", "count refused"], "it goes on to where it was counted before");
}

/// One scrape of everything there can be.
fn a_scrape() -> String {
    let model: ModelName = "rain".parse().unwrap();
    let meter = Meter::new([model.clone()]);
    let tally = meter.tally(&model).unwrap();
    answer_two_rows(tally);
    meter.count(meter.place("/api/v1/predict"), http::StatusCode::OK);
    let now = "2026-11-21T10:00:00Z".parse().unwrap();
    let gauges = Gauges {
        head: 7,
        last_at: Some(now),
        judged_until: Some(now),
        champion: Some((Version::FIRST, now)),
        versions: BTreeMap::from([(Version::FIRST, State::Promoted)]),
        // The same gate twice is told once.
        gates: vec![Gate { about: "evaluation", version: Version::FIRST, check: a_check(0.5) }; 2],
        verdicts: BTreeMap::from([("drift", Verdict::Insufficient)]),
    };
    let champion = Some((Version::FIRST, Task::Binary));
    let served = [Served { model, champion, candidate: Some(Version::new(1, 1, 0)), gauges: Some(gauges) }];
    let backlog = Backlog { since: Some(now - Span::from_secs(3)), bytes: 12 };
    expose(Seen { meter: &meter, served: &served, backlog, now }.families()).unwrap()
}

#[test]
fn a_scrape_says_what_there_is() {
    let text = a_scrape();
    for line in [
        r#"regent_requests_total{model="rain",code="200",role="predict"} 1"#,
        r#"regent_answer_latency_seconds_bucket{le="0.0005",model="rain"} 2"#,
        r#"regent_answer_latency_seconds_count{model="rain"} 2"#,
        r#"regent_score_sum{model="rain"} 0.4"#,
        r#"regent_score_bucket{le="0.35",model="rain"} 0"#,
        r#"regent_score_bucket{le="0.4",model="rain"} 1"#,
        r#"regent_violations_total{model="rain",reason="out_of_range"} 1"#,
        r#"regent_violations_total{model="rain",reason="unseen"} 1"#,
        r#"regent_violations_total{model="rain",reason="missing"} 0"#,
        r#"regent_spool_oldest_seconds 3.0"#,
        r#"regent_spool_bytes 12.0"#,
        r#"regent_serving_info{model="rain",version="1.1.0",role="candidate"} 1"#,
        r#"regent_version_state_info{model="rain",version="1.0.0",state="PROMOTED"} 1"#,
        r#"regent_journal_head{model="rain"} 7.0"#,
        r#"regent_report_verdict{model="rain",about="drift"} 1.0"#,
        r#"regent_gate_value{model="rain",version="1.0.0",about="evaluation",metric="auc",operator=">="} 0.5"#,
        r#"regent_gate_verdict{model="rain",version="1.0.0",about="evaluation",metric="auc",operator=">="} 3.0"#,
    ] {
        assert!(text.lines().any(|told| told == line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let names: BTreeSet<&str> = samples.iter().filter_map(|line| line.rsplit_once(' ')).map(|(name, _)| name).collect();
    assert_eq!(names.len(), samples.len(), "no sample is told twice");
}

/// docs/metrics.md has a row for each family, and for nothing else.
#[test]
fn every_metric_is_written_down() {
    let text = a_scrape();
    let told: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        })
        .collect();
    let page = include_str!("../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `regent_")?.split_once('`'));
    let written: BTreeSet<String> = rows.map(|(name, _)| format!("regent_{name}")).collect();
    assert_eq!(told, written);
}
