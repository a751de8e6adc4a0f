//! Ties pass, proven regressions fail, too few rows say nothing, and a first model is never silently blessed.

use super::*;
use crate::contract::Task;

fn labels(n: usize) -> Vec<f64> {
    (0..n).map(|row| f64::from(u8::from(row % 3 == 0))).collect()
}

fn scores(labels: &[f64], sharpness: f64) -> Vec<f64> {
    let wobble = |row: usize| (row % 7) as f64 / 100.0;
    labels.iter().enumerate().map(|(row, label)| 0.33 + sharpness * (label - 0.33) + wobble(row)).collect()
}

fn compared(candidate: &[f64], opponent: &[f64], against: &Opponent, labels: &[f64]) -> Evaluation {
    compared_by_slice(candidate, opponent, against, labels, &[])
}

fn compared_by_slice(
    candidate: &[f64],
    opponent: &[f64],
    against: &Opponent,
    labels: &[f64],
    slices: &[(String, Vec<String>)],
) -> Evaluation {
    let model = "rain".parse().unwrap();
    let contender = Contender {
        model: &model,
        task: Task::Binary,
        version: Version::new(1, 1, 0),
        bundle: Digest::of("candidate"),
        predictions: candidate,
        calibration: candidate,
        against,
        opponent,
    };
    let rows = Rows { labels, slices, datasets: &[] };
    compare(contender, rows, &EvaluateRules::DEFAULTS, 1)
}

fn champion() -> Opponent {
    Opponent::Champion { version: Version::FIRST, bundle: Digest::of("champion") }
}

#[test]
fn a_tie_passes() {
    let labels = labels(300);
    let same = scores(&labels, 0.5);
    assert_eq!(compared(&same, &same, &champion(), &labels).verdict, Verdict::Pass);
}

#[test]
fn a_proven_regression_fails_and_says_by_how_much() {
    let labels = labels(300);
    let report = compared(&scores(&labels, 0.1), &scores(&labels, 0.8), &champion(), &labels);
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.checks.iter().any(|check| check.to_string().starts_with("brier_change_lower95")));
}

#[test]
fn too_few_rows_say_nothing() {
    let labels = labels(29);
    let same = scores(&labels, 0.5);
    assert_eq!(compared(&same, &same, &champion(), &labels).verdict, Verdict::Insufficient);
    assert_eq!(compared(&[], &[], &champion(), &[]).verdict, Verdict::Insufficient);
}

#[test]
fn the_first_of_a_lineage_must_beat_the_prior() {
    let labels = labels(300);
    let prior = vec![1.0 / 3.0; 300];
    let sharp = scores(&labels, 0.8);
    assert_eq!(compared(&sharp, &prior, &Opponent::FirstOfLineage, &labels).verdict, Verdict::Pass);
    assert_eq!(compared(&prior, &prior, &Opponent::FirstOfLineage, &labels).verdict, Verdict::Fail);
}

/// Every third row is `wet`, and there alone the rows come true.
fn wet_and_dry(n: usize) -> Vec<(String, Vec<String>)> {
    let ground = |row: usize| if row.is_multiple_of(3) { "wet" } else { "dry" };
    vec![("ground".to_owned(), (0..n).map(|row| ground(row).to_owned()).collect())]
}

#[test]
fn a_regression_within_a_slice_fails() {
    let labels = labels(300);
    let champion_scores = scores(&labels, 0.5);
    let mut spoilt = scores(&labels, 0.8);
    spoilt.iter_mut().step_by(3).for_each(|score| *score = 0.2);
    let report = compared_by_slice(&spoilt, &champion_scores, &champion(), &labels, &wet_and_dry(300));
    let failed: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.verdict == Verdict::Fail)
        .map(|check| check.measurement.metric.as_str())
        .collect();
    assert!(failed.contains(&"brier_change_lower95[ground=wet]"), "{failed:?}");
    assert!(!failed.contains(&"brier_change_lower95[ground=dry]"), "{failed:?}");
}

#[test]
fn within_a_slice_the_prior_may_be_right() {
    let labels = labels(300);
    let sharp = scores(&labels, 0.8);
    // The prior knows the wet rows as well as the model does.
    let mut prior = vec![1.0 / 3.0; 300];
    prior.iter_mut().zip(&sharp).step_by(3).for_each(|(prior, sharp)| *prior = *sharp);
    let report = compared_by_slice(&sharp, &prior, &Opponent::FirstOfLineage, &labels, &wet_and_dry(300));
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.checks);
}
