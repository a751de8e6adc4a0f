//! A window is judged only when it is mature; doubt never condemns, and silence never acquits.

use uuid::Uuid;

use super::*;
use crate::contract::Task;
use crate::log::{Event, Label, Status};
use crate::train::{Metric, measure};
use crate::types::{Measurement, Span};

fn event(row: u64) -> Event {
    Event {
        ts: Timestamp::EPOCH + Span::from_mins(row as i64),
        request_id: Uuid::from_u128(u128::from(row)),
        model: "rain".parse().unwrap(),
        model_version: Version::FIRST,
        prediction: Some(if row % 2 == 1 { 0.8 } else { 0.2 }),
        latency_us: 10,
        status: Status::Valid,
        codes: Vec::new(),
        shadow: None,
        slices: std::collections::BTreeMap::new(),
    }
}

fn label(row: u64, value: f64) -> Label {
    Label { request_id: Uuid::from_u128(u128::from(row)), label: value, at: Timestamp::EPOCH + Span::from_days(1) }
}

const RIGHT: fn(u64) -> f64 = |row| f64::from(u8::from((row % 2 == 1) ^ (row % 10 == 0)));
const WRONG: fn(u64) -> f64 = |row| f64::from(u8::from(row % 2 == 0));

fn judged(labels: &[Label], answered: u64) -> PerformanceReport {
    let events: Vec<Event> = (0..answered).map(event).collect();
    let predictions: Vec<f64> = events.iter().filter_map(|event| event.prediction).collect();
    let truths: Vec<f64> = (0..answered).map(RIGHT).collect();
    let baseline = Baseline {
        version: Version::FIRST,
        metrics: measure(Task::Binary, &predictions, &truths, Some(0.5)),
        threshold: Some(0.5),
    };
    let model = "rain".parse().unwrap();
    let what = Judged {
        model: &model,
        task: Task::Binary,
        version: Version::FIRST,
        bundle: Digest::of("bundle"),
        window: Window { start: Timestamp::EPOCH, size: Span::from_days(1) },
        requests: answered.saturating_sub(3),
        baseline: &baseline,
    };
    judge(what, &join(&events, labels), &PerformanceRules::defaults(), Timestamp::EPOCH + Span::from_days(2))
}

fn all(truth: fn(u64) -> f64, rows: std::ops::Range<u64>) -> Vec<Label> {
    rows.map(|row| label(row, truth(row))).collect()
}

#[test]
fn a_model_as_good_as_promoted_passes() {
    let report = judged(&all(RIGHT, 0..300), 300);
    assert_eq!((report.verdict, report.catastrophic.verdict), (Verdict::Pass, Verdict::Pass), "{:?}", report.checks);
}

#[test]
fn a_model_that_is_wrong_throughout_is_a_catastrophe() {
    let report = judged(&all(WRONG, 0..300), 300);
    assert_eq!((report.verdict, report.catastrophic.verdict), (Verdict::Fail, Verdict::Fail));
}

#[test]
fn an_immature_window_says_nothing_even_when_it_looks_terrible() {
    let report = judged(&all(WRONG, 0..200), 300);
    assert_eq!((report.verdict, report.catastrophic.verdict), (Verdict::Insufficient, Verdict::Insufficient));
    assert_eq!(judged(&[], 300).verdict, Verdict::Insufficient);
    assert_eq!(confirm(&[report], &PerformanceRules::defaults()).verdict, Verdict::Insufficient);
}

#[test]
fn one_catastrophe_is_enough_and_one_loss_is_not() {
    let rules = PerformanceRules::defaults();
    let (good, bad) = (judged(&all(RIGHT, 0..300), 300), judged(&all(WRONG, 0..300), 300));
    let mild = PerformanceReport { catastrophic: good.catastrophic.clone(), ..bad.clone() };
    let verdict =
        |reports: &[&PerformanceReport]| confirm(&reports.iter().copied().cloned().collect::<Vec<_>>(), &rules).verdict;
    assert_eq!(verdict(&[&good, &good, &bad]), Verdict::Fail);
    assert_eq!(verdict(&[&good, &good, &mild]), Verdict::Pass);
    assert_eq!(verdict(&[&good, &mild, &mild]), Verdict::Fail);
    assert_eq!(verdict(&[&mild, &mild, &good]), Verdict::Pass);
}

#[test]
fn the_first_answer_and_the_first_label_count() {
    let mut retry = event(1);
    retry.ts = retry.ts + Span::from_mins(5);
    retry.prediction = Some(0.1);
    let later = Label { label: 0.0, at: Timestamp::EPOCH + Span::from_days(2), ..label(1, 1.0) };
    let joined = join(&[retry, event(1)], &[later, label(1, 1.0)]);
    assert_eq!((joined.retries, joined.conflicting, joined.pairs.len()), (1, 1, 1));
    assert_eq!((joined.pairs[0].prediction, joined.pairs[0].label), (0.8, 1.0));
}

#[test]
fn what_arrives_after_the_sealing_is_counted_as_late_and_joins_its_label() {
    let report = judged(&all(RIGHT, 0..300), 300);
    assert_eq!((report.late, report.predictions, report.labelled), (3, 300, 300));
    assert_eq!(judged(&[], 0).late, 0);
}

#[test]
fn a_rollback_asks_for_more_certainty_than_an_alert() {
    let rules = PerformanceRules::defaults();
    let metric = |name: &str, value, n| Metric { measurement: Measurement::new(name, value, n), interval: None };
    let measured = |auc: f64, n| vec![metric("auc", auc, n), metric("base_rate", 0.3, n)];
    let asked = |now: f64, held_out: u64, level: f64| {
        let baseline = Baseline { version: Version::FIRST, metrics: measured(0.85, held_out), threshold: None };
        let report = PerformanceReport { metrics: measured(now, 250), ..judged(&all(WRONG, 0..300), 300) };
        collapse(&report, &baseline, &rules, level)
    };
    assert_eq!(asked(0.45, 1_000, 0.0003).verdict, Verdict::Fail);
    assert_eq!(asked(0.55, 1_000, 0.025).verdict, Verdict::Fail);
    assert_eq!(asked(0.55, 1_000, 0.0003).verdict, Verdict::Pass, "a window may look so by chance");
    assert_eq!(asked(0.45, 60, 0.0003).verdict, Verdict::Pass, "so may the rows that it was promoted on");
    assert_eq!(asked(0.72, 1_000_000, 0.025).verdict, Verdict::Pass);
}

#[test]
fn what_cannot_be_told_is_no_collapse() {
    let rules = PerformanceRules::defaults();
    let (bad, young) = (judged(&all(WRONG, 0..300), 300), judged(&all(WRONG, 0..200), 300));
    let known = Baseline { version: Version::FIRST, metrics: bad.metrics.clone(), threshold: None };
    let nothing = Baseline { metrics: Vec::new(), ..known.clone() };
    assert_eq!(collapse(&bad, &nothing, &rules, 0.01).verdict, Verdict::Insufficient);
    assert_eq!(collapse(&young, &known, &rules, 0.01).verdict, Verdict::Insufficient);
    assert_eq!(collapse(&bad, &known, &rules, 0.0).verdict, Verdict::Insufficient);
}

#[test]
fn a_regression_collapses_by_r2() {
    let rules = PerformanceRules::defaults();
    let numbers = |noise: f64| -> Vec<Metric> {
        let targets: Vec<f64> = (0..300).map(|row| f64::from(row % 17)).collect();
        let predictions: Vec<f64> =
            targets.iter().zip(0..).map(|(target, row)| target + noise * f64::from(row % 5 - 2)).collect();
        measure(Task::Regression, &predictions, &targets, None)
    };
    let baseline = Baseline { version: Version::FIRST, metrics: numbers(0.5), threshold: None };
    let now = |noise| PerformanceReport { metrics: numbers(noise), ..judged(&all(WRONG, 0..300), 300) };
    let fallen = collapse(&now(4.0), &baseline, &rules, 0.0003);
    assert_eq!((fallen.verdict, fallen.measurement.metric.as_str()), (Verdict::Fail, "r2_drop_lower"));
    assert_eq!(collapse(&now(0.6), &baseline, &rules, 0.0003).verdict, Verdict::Pass);
}
