//! The predecessor takes over only if it is better, whole and at home; silence and doubt keep the champion.

use std::collections::BTreeMap;

use super::*;
use crate::drift::DriftRules;
use crate::snapshot::VersionCounts;
use crate::train::Metric;

/// So many rows, every second of them 1, in which each model answers by the label.
fn rows(count: usize, champion: fn(f64) -> f64, predecessor: fn(f64) -> f64) -> Vec<Answers> {
    let labels = (0..count).map(|row| (row % 2) as f64);
    labels.map(|label| Answers { champion: champion(label), challenger: predecessor(label), label }).collect()
}

fn moved(verdict: Verdict, severity: Severity) -> Moved {
    let check = Check::require(Measurement::new("weighted_psi", 0.1, 200), Operator::Less, 1.0, 100);
    let check = Check { verdict, ..check };
    Moved { features: Vec::new(), dataset: check.clone(), weighted_psi: check, severity }
}

fn at_home() -> Moved {
    moved(Verdict::Pass, Severity::None)
}

fn watched(rows: &[Answers], moved: &Moved) -> Watch {
    let model = "rain".parse().unwrap();
    let auc = Metric { measurement: Measurement::new("auc", 0.9, 1_000), interval: None };
    let baseline = Baseline { version: Version::FIRST, metrics: vec![auc], threshold: None, slices: BTreeMap::new() };
    let watched = Watched {
        model: &model,
        task: Task::Binary,
        champion: (Version::new(1, 1, 0), Digest::of("champion")),
        predecessor: (Version::FIRST, Digest::of("predecessor")),
        since: Timestamp::EPOCH,
        datasets: &[],
        left_out: &[],
        rows,
        clip: 1.0,
        baseline: &baseline,
        moved,
    };
    watch(watched, &RollbackRules::DEFAULTS, &PerformanceRules::defaults())
}

const GOOD: fn(f64) -> f64 = |label| 0.2 + 0.6 * label;
const POOR: fn(f64) -> f64 = |_| 0.5;
const WRONG: fn(f64) -> f64 = |label| 0.8 - 0.6 * label;

#[test]
fn a_better_predecessor_passes_and_the_reason_says_by_how_much() {
    let report = watched(&rows(400, POOR, GOOD), &at_home());
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.checks);
    assert!(report.reason().starts_with("1.0.0 is better than 1.1.0 on the newest labelled rows: loss_gain_lower 0."));
}

#[test]
fn silence_and_doubt_keep_the_champion() {
    assert_eq!(watched(&[], &at_home()).verdict, Verdict::Insufficient);
    assert_eq!(watched(&rows(199, POOR, GOOD), &at_home()).verdict, Verdict::Insufficient, "one row short");
    assert_eq!(watched(&rows(400, GOOD, GOOD), &at_home()).verdict, Verdict::Insufficient);
    assert_eq!(watched(&rows(400, GOOD, POOR), &at_home()).verdict, Verdict::Fail, "its ranking is a coin's");
    // A lead that is certain and not worth a change.
    let slightly: fn(f64) -> f64 = |label| 0.21 + 0.59 * label;
    assert_eq!(watched(&rows(4_000, slightly, GOOD), &at_home()).verdict, Verdict::Insufficient);
}

#[test]
fn the_better_of_two_broken_models_is_no_way_back() {
    let report = watched(&rows(400, WRONG, POOR), &at_home());
    let failing: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.verdict == Verdict::Fail)
        .map(|check| check.measurement.metric.as_str())
        .collect();
    assert_eq!(failing, ["predecessor_auc_upper95"]);
    assert_eq!(report.verdict, Verdict::Fail);
}

#[test]
fn a_predecessor_far_from_what_it_learned_does_not_come_back() {
    let better = rows(400, POOR, GOOD);
    assert_eq!(watched(&better, &moved(Verdict::Fail, Severity::Severe)).verdict, Verdict::Fail);
    assert_eq!(watched(&better, &moved(Verdict::Insufficient, Severity::None)).verdict, Verdict::Insufficient);
    assert_eq!(watched(&better, &moved(Verdict::Fail, Severity::None)).verdict, Verdict::Pass, "one sensor");
}

#[test]
fn a_lead_that_the_newest_rows_take_back_is_gone() {
    let mut changing = rows(400, POOR, GOOD);
    changing.extend(rows(200, GOOD, |label| 0.3 + 0.4 * label));
    assert_eq!(watched(&changing, &at_home()).verdict, Verdict::Insufficient);
    // And a long time as the worse one does not outweigh the days since an incident was mended.
    let mut mended = rows(3_000, GOOD, POOR);
    mended.extend(rows(250, POOR, GOOD));
    assert_eq!(watched(&mended, &at_home()).verdict, Verdict::Pass);
}

#[test]
fn what_was_not_counted_is_not_at_home() {
    let profile = crate::contract::Profile {
        format_version: 1,
        rows: 1,
        features: Vec::new(),
        score: crate::contract::Histogram {
            name: "score".into(),
            bins: crate::contract::Bins::Categorical { values: vec!["a".into()], groups: vec![0] },
            counts: vec![1, 0, 0, 0, 0],
            importance: 0.0,
        },
    };
    let unseen = crate::drift::moved(&profile, &VersionCounts::default(), &DriftRules::DEFAULTS);
    assert_eq!(watched(&rows(400, POOR, GOOD), &unseen).verdict, Verdict::Insufficient);
}
