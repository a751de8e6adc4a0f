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

/// Windows with these areas on 250 rows each, of a version that was promoted with 0.85 on so many.
fn fallen(areas: &[f64], held_out: u64, risk: f64) -> Verdict {
    let metric = |name: &str, value, n| Metric { measurement: Measurement::new(name, value, n), interval: None };
    let measured = |auc: f64, n| vec![metric("auc", auc, n), metric("base_rate", 0.3, n)];
    let baseline = Baseline { version: Version::FIRST, metrics: measured(0.85, held_out), threshold: None };
    let window = judged(&all(WRONG, 0..250), 250);
    let reports = areas.iter().map(|area| PerformanceReport { metrics: measured(*area, 250), ..window.clone() });
    collapse(&reports.collect::<Vec<_>>(), &baseline, &PerformanceRules::defaults(), risk).verdict
}

#[test]
fn a_rollback_asks_for_more_certainty_than_an_alert() {
    assert_eq!(fallen(&[0.45], 1_000, 0.0002), Verdict::Fail);
    assert_eq!(fallen(&[0.58], 1_000, 0.07), Verdict::Fail);
    assert_eq!(fallen(&[0.58], 1_000, 0.0002), Verdict::Pass, "a window may look so by chance");
    assert_eq!(fallen(&[0.45], 50, 0.0002), Verdict::Pass, "so may the rows that it was promoted on");
    assert_eq!(fallen(&[0.72], 1_000_000, 0.07), Verdict::Pass);
}

#[test]
fn a_smaller_fall_is_seen_in_three_windows_and_a_great_one_is_not_hidden_by_two() {
    assert_eq!(fallen(&[0.55], 1_000, 0.0002), Verdict::Pass);
    assert_eq!(fallen(&[0.55, 0.55, 0.55], 1_000, 0.0002), Verdict::Fail);
    assert_eq!(fallen(&[0.85, 0.85, 0.3], 1_000, 0.0002), Verdict::Fail);
    assert_eq!(fallen(&[0.3, 0.85, 0.85, 0.85], 1_000, 0.0002), Verdict::Pass, "older windows are not looked at");
}

#[test]
fn what_cannot_be_told_is_no_collapse() {
    let rules = PerformanceRules::defaults();
    let (bad, young) = (judged(&all(WRONG, 0..300), 300), judged(&all(WRONG, 0..200), 300));
    let known =
        Baseline { version: Version::FIRST, metrics: judged(&all(RIGHT, 0..300), 300).metrics, threshold: None };
    let nothing = Baseline { metrics: Vec::new(), ..known.clone() };
    let verdict = |report: &PerformanceReport, baseline, risk| {
        collapse(std::slice::from_ref(report), baseline, &rules, risk).verdict
    };
    assert_eq!(verdict(&bad, &known, 0.01), Verdict::Fail);
    assert_eq!(verdict(&bad, &nothing, 0.01), Verdict::Insufficient);
    assert_eq!(verdict(&young, &known, 0.01), Verdict::Insufficient);
    assert_eq!(verdict(&bad, &known, 0.0), Verdict::Insufficient);
    assert_eq!(collapse(&[], &known, &rules, 0.01).verdict, Verdict::Insufficient);
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
    let now = |noise| [PerformanceReport { metrics: numbers(noise), ..judged(&all(WRONG, 0..300), 300) }];
    let check = collapse(&now(4.0), &baseline, &rules, 0.0002);
    assert_eq!((check.verdict, check.measurement.metric.as_str()), (Verdict::Fail, "r2_drop_lower"));
    assert_eq!(collapse(&now(0.6), &baseline, &rules, 0.0002).verdict, Verdict::Pass);
}
