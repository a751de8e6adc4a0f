//! Scores foretell what labels will say while they mean what they say, and nothing is foretold of silence.

use std::collections::BTreeMap;

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::*;
use crate::registry::testing::verified;
use crate::snapshot::{Counts, VersionCounts};
use crate::train::worlds::World;
use crate::types::{Span, Timestamp};

fn a_window(model: &VerifiedModel, prediction: Vec<u64>) -> Snapshot {
    let rows = prediction.iter().sum();
    let seen = VersionCounts { rows, prediction, ..VersionCounts::default() };
    let versions = BTreeMap::from([(model.version(), seen)]);
    Snapshot {
        format_version: 1,
        model: model.name().clone(),
        window: Window { start: Timestamp::EPOCH, size: Span::from_days(1) },
        requests: rows,
        counts: Counts { counted: rows, valid: rows, versions, ..Counts::default() },
        silent_replicas: Vec::new(),
        merged: Vec::new(),
        sealed_at: Timestamp::EPOCH + Span::from_days(1),
    }
}

fn of(model: &VerifiedModel, prediction: Vec<u64>) -> EstimateReport {
    let rules = PerformanceRules::defaults();
    estimate(model, &a_window(model, prediction), Digest::of("snapshot"), &rules).unwrap()
}

/// So many rows drawn from the scores that the profile counted.
fn drawn(model: &VerifiedModel, rows: usize, generator: &mut Pcg64) -> Vec<u64> {
    let then = &model.profile().score.counts;
    let total: u64 = then.iter().sum();
    let mut counts = vec![0; then.len()];
    for _ in 0..rows {
        let at = generator.next_u64() % total;
        let mut below = 0;
        let bin = then.iter().position(|count| {
            below += count;
            at < below
        });
        counts[bin.unwrap()] += 1;
    }
    counts
}

#[test]
fn scores_that_say_less_foretell_a_loss() {
    let model = verified(&World::rain());
    let then = model.profile().score.counts.clone();
    let same = of(&model, then.iter().map(|count| 5 * count).collect());
    assert_eq!(same.verdict, Verdict::Pass, "{:?}", same.checks);
    assert!(same.assumes.contains("no concept drift"));
    let names: Vec<&str> = same.metrics.iter().map(|metric| metric.metric.measurement.metric.as_str()).collect();
    assert_eq!(names, ["auc", "accuracy", "precision", "recall", "f1", "base_rate"]);
    // Every row gets the score nearest to one half.
    let bins = ScoreBins::of(&model).unwrap().bins;
    let nearest =
        (0..bins.len()).min_by(|a, b| (bins[*a].score - 0.5).abs().total_cmp(&(bins[*b].score - 0.5).abs())).unwrap();
    let mut unsure = vec![0; then.len()];
    unsure[nearest] = 500;
    let unsure = of(&model, unsure);
    assert_eq!(unsure.verdict, Verdict::Fail, "{:?}", unsure.checks);
    let auc = unsure.checks.iter().find(|check| check.measurement.metric == "auc_estimated_drop_lower95").unwrap();
    assert!(auc.verdict == Verdict::Fail && auc.note.contains("estimated 0.5;"), "{auc}");
}

#[test]
fn silence_foretells_nothing() {
    let model = verified(&World::rain());
    let few: Vec<u64> = model.profile().score.counts.iter().take(60).map(|count| u64::from(*count > 0)).collect();
    assert!(few.iter().sum::<u64>() < 100);
    for counts in [Vec::new(), few] {
        let report = of(&model, counts);
        assert_eq!(report.verdict, Verdict::Insufficient, "{:?}", report.checks);
    }
    let amount = verified(&World::amount());
    let rules = PerformanceRules::defaults();
    assert_eq!(estimate(&amount, &a_window(&amount, vec![500]), Digest::of("snapshot"), &rules), None);
    assert_eq!(foreseen(&[], &rules), Verdict::Insufficient);
}

#[test]
fn bins_foretell_what_the_scores_themselves_do() {
    let model = verified(&World::rain());
    let scores = model.calibration_answers();
    let bins = ScoreBins::of(&model).unwrap();
    let histogram = &model.profile().score.bins;
    let mut counts = vec![0; histogram.len()];
    for score in &scores {
        counts[histogram.place(crate::contract::Slot::Value(*score))] += 1;
    }
    let (binned, exact) = (bins.expected(&counts).unwrap(), Expected::of_scores(&scores).unwrap());
    let (found, of_rows) = (binned.roc_auc().unwrap(), exact.roc_auc().unwrap().estimate.value);
    assert!((found.estimate.value - of_rows).abs() < 0.01, "{found:?} {of_rows}");
    assert!(found.unbinned.contains(of_rows), "{found:?} {of_rows}");
    // A bin stands at the mean of just these scores.
    assert!((binned.base_rate() - exact.base_rate()).abs() < 1e-12);
}

#[test]
fn where_nothing_changed_hardly_anything_is_foretold() {
    let model = verified(&World::rain());
    let mut generator = Pcg64::new(20_261_121, 5);
    let windows = 400;
    for rows in [100, 300, 1_000] {
        let failed =
            (0..windows).filter(|_| of(&model, drawn(&model, rows, &mut generator)).verdict == Verdict::Fail).count();
        println!("estimates of unchanged windows of {rows} rows that foretell a loss: {failed} of {windows}");
        assert!(failed <= windows / 100, "{failed} at {rows}");
    }
}
