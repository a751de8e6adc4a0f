//! A window is judged only when it is mature; doubt never condemns, and silence never acquits.

mod floors;
mod labels;
mod sampling;
mod slices;

use uuid::Uuid;

use super::collapse::e_value;
use super::*;
use crate::contract::Task;
use crate::log::{Event, Label, Sample, Status};
use crate::train::{Metric, measure};
use crate::types::{Measurement, NotComputable, Span, Value};

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
        slices: BTreeMap::new(),
        trace: None,
    }
}

fn label(row: u64, value: f64) -> Label {
    Label { request_id: Uuid::from_u128(u128::from(row)), label: value, at: Timestamp::EPOCH + Span::from_days(1) }
}

const RIGHT: fn(u64) -> f64 = |row| f64::from(u8::from((row % 2 == 1) ^ (row % 10 == 0)));
const WRONG: fn(u64) -> f64 = |row| f64::from(u8::from(row % 2 == 0));

fn judged(labels: &[Label], answered: u64) -> PerformanceReport {
    judged_under(&PerformanceRules::defaults(), labels, answered)
}

fn judged_under(rules: &PerformanceRules, labels: &[Label], answered: u64) -> PerformanceReport {
    let events: Vec<Event> = (0..answered).map(event).collect();
    let predictions: Vec<f64> = events.iter().filter_map(|event| event.prediction).collect();
    let truths: Vec<f64> = (0..answered).map(RIGHT).collect();
    let baseline = Baseline {
        version: Version::FIRST,
        metrics: measure(Task::Binary, &predictions, &truths, Some(0.5)),
        threshold: Some(0.5),
        slices: BTreeMap::new(),
    };
    let model = "rain".parse().unwrap();
    let what = Judged {
        model: &model,
        task: Task::Binary,
        version: Version::FIRST,
        bundle: Digest::of("bundle"),
        window: Window { start: Timestamp::EPOCH, size: Span::from_days(1) },
        requests: answered.saturating_sub(3),
        sealed_at: Timestamp::EPOCH + Span::from_days(1),
        sample: Sample::ALL,
        baseline: &baseline,
        promised: None,
    };
    judge(what, &join(&events, labels, rules.conflicting), rules, Timestamp::EPOCH + Span::from_days(2))
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
    let joined = join(&[retry, event(1)], &[later, label(1, 1.0)], Conflicting::First);
    assert_eq!((joined.retries, joined.labels.conflicting, joined.pairs.len()), (1, 1, 1));
    assert_eq!((joined.pairs[0].prediction, joined.pairs[0].label), (0.8, 1.0));
}

#[test]
fn what_arrives_after_the_sealing_is_counted_as_late_and_joins_its_label() {
    let report = judged(&all(RIGHT, 0..300), 300);
    assert_eq!((report.late, report.predictions, report.labelled), (3, 300, 300));
    assert_eq!(judged(&[], 0).late, 0);
}

/// So many labelled answers, every third of them positive, of which this share scores above the negatives.
fn answers(rows: usize, area: f64) -> Vec<Pair> {
    let pair = |row: usize| {
        let above = (row / 3 * 61 % 100) as f64 / 100.0 < area;
        let ts = Timestamp::EPOCH + Span::from_mins(row as i64);
        let (prediction, label) = match row % 3 {
            2 => (if above { 0.9 } else { 0.1 }, 1.0),
            _ => (0.5, 0.0),
        };
        Pair {
            request_id: Uuid::from_u128(row as u128),
            ts,
            version: Version::FIRST,
            prediction,
            shadow: None,
            label,
            first_label: label,
            known_at: ts,
            slices: BTreeMap::new(),
        }
    };
    (0..rows).map(pair).collect()
}

/// What judges make of windows with these areas on 250 rows each, of a version that was promoted with 0.85 on so many.
fn fallen(areas: &[f64], held_out: u64, risk: f64) -> Verdict {
    let metric = |name: &str, value| Metric { measurement: Measurement::new(name, value, held_out), interval: None };
    let metrics = vec![metric("auc", 0.85), metric("base_rate", 0.3)];
    let baseline = Baseline { version: Version::FIRST, metrics, threshold: None, slices: BTreeMap::new() };
    let model = "rain".parse().unwrap();
    let report = |area: &f64| {
        let answered = [(Version::FIRST, 250)].into();
        let joined = Joined { answered, pairs: answers(250, *area), ..Joined::default() };
        let window = Window { start: Timestamp::EPOCH, size: Span::from_days(1) };
        let (task, version, bundle) = (Task::Binary, Version::FIRST, Digest::of("bundle"));
        let (sealed_at, sample) = (window.end(), Sample::ALL);
        let what = Judged {
            model: &model,
            task,
            version,
            bundle,
            window,
            requests: 250,
            sealed_at,
            sample,
            baseline: &baseline,
            promised: None,
        };
        judge(what, &joined, &PerformanceRules::defaults(), Timestamp::EPOCH + Span::from_days(2))
    };
    collapse(&areas.iter().map(report).collect::<Vec<_>>(), &baseline, &PerformanceRules::defaults(), risk).verdict
}

#[test]
fn a_rollback_asks_for_more_certainty_than_an_alert() {
    assert_eq!(fallen(&[0.3], 1_000, 0.0005), Verdict::Fail);
    assert_eq!(fallen(&[0.6], 1_000, 0.3), Verdict::Fail);
    assert_eq!(fallen(&[0.6], 1_000, 0.0005), Verdict::Pass, "a window may look so by chance");
    assert_eq!(fallen(&[0.6], 30, 0.3), Verdict::Pass, "so may the rows that it was promoted on");
    assert_eq!(fallen(&[0.75], 1_000_000, 0.3), Verdict::Pass, "less than 0.15 below");
}

#[test]
fn a_smaller_fall_is_seen_in_three_windows_and_a_great_one_is_not_hidden_by_two() {
    assert_eq!(fallen(&[0.6], 1_000, 0.0005), Verdict::Pass);
    assert_eq!(fallen(&[0.6, 0.6, 0.6], 1_000, 0.0005), Verdict::Fail);
    assert_eq!(fallen(&[0.85, 0.85, 0.3], 1_000, 0.0005), Verdict::Fail);
    assert_eq!(fallen(&[0.3, 0.85, 0.85, 0.85], 1_000, 0.0005), Verdict::Pass, "older windows are not looked at");
}

#[test]
fn what_cannot_be_told_is_no_collapse() {
    let rules = PerformanceRules::defaults();
    let (bad, young) = (judged(&all(WRONG, 0..300), 300), judged(&all(WRONG, 0..200), 300));
    let known = Baseline {
        version: Version::FIRST,
        metrics: judged(&all(RIGHT, 0..300), 300).metrics,
        threshold: None,
        slices: BTreeMap::new(),
    };
    let verdict = |report: &PerformanceReport| collapse(std::slice::from_ref(report), &known, &rules, 0.01).verdict;
    assert_eq!(verdict(&bad), Verdict::Fail);
    assert_eq!(verdict(&young), Verdict::Insufficient);
    let untold = Measurement::new("collapse_e_value", Value::NotComputable(NotComputable::because("one class")), 300);
    assert_eq!(verdict(&PerformanceReport { collapse: untold, ..bad }), Verdict::Insufficient);
    assert_eq!(collapse(&[], &known, &rules, 0.01).verdict, Verdict::Insufficient);
}

#[test]
fn the_order_of_a_join_does_not_tell_the_bettor_anything() {
    let rules = PerformanceRules::defaults();
    let metric = |name: &str, value| Metric { measurement: Measurement::new(name, value, 500), interval: None };
    let metrics = vec![metric("auc", 0.85), metric("base_rate", 0.3)];
    let baseline = Baseline { version: Version::FIRST, metrics, threshold: None, slices: BTreeMap::new() };
    let pairs = answers(250, 0.5);
    let forth: Vec<&Pair> = pairs.iter().collect();
    let back: Vec<&Pair> = pairs.iter().rev().collect();
    let won = |pairs: &[&Pair]| e_value(Task::Binary, pairs, &baseline, &rules);
    assert_eq!(won(&forth), won(&back));
    assert!(won(&forth).value.number().unwrap() > 1.0);
    assert!(won(&forth[..2]).value.number().is_none(), "one class");
    let nothing = Baseline { metrics: Vec::new(), ..baseline.clone() };
    assert!(e_value(Task::Binary, &forth, &nothing, &rules).value.number().is_none());
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
    let baseline =
        Baseline { version: Version::FIRST, metrics: numbers(0.5), threshold: None, slices: BTreeMap::new() };
    let now = |noise| [PerformanceReport { metrics: numbers(noise), ..judged(&all(WRONG, 0..300), 300) }];
    let check = collapse(&now(4.0), &baseline, &rules, 0.0002);
    assert_eq!((check.verdict, check.measurement.metric.as_str()), (Verdict::Fail, "r2_drop_lower"));
    assert_eq!(collapse(&now(0.6), &baseline, &rules, 0.0002).verdict, Verdict::Pass);
}

#[test]
fn every_metric_says_how_it_and_its_interval_were_made() {
    let report = judged(&all(RIGHT, 0..250), 250);
    assert!(report.metrics.iter().all(|metric| report.methods.contains_key(&metric.measurement.metric)));
    let numbers = measure(Task::Regression, &[1.0, 2.0], &[1.0, 2.5], None);
    assert!(numbers.iter().all(|metric| crate::train::method(&metric.measurement.metric).is_some()));
}
