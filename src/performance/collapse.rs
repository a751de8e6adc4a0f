//! A catastrophe that a rollback may rest on: the same drop as an alert's, beyond a bound that holds at every look; pure.

use super::rules::PerformanceRules;
use super::{Baseline, Pair, PerformanceReport};
use crate::contract::Task;
use crate::stats::Estimate;
use crate::stats::classification::{roc_auc_blocks, roc_auc_interval};
use crate::stats::sequential::{Bettor, Stake};
use crate::train::Metric;
use crate::types::{Check, Measurement, NotComputable, Operator, Value, Verdict};

/// How often what a version was promoted with may have been measured too high to be believed at all: that was measured once,
/// on a few held-out rows.
const LUCK: f64 = 0.001;
const E_VALUE: &str = "collapse_e_value";

/// Whether AUC (R²) in the newest mature windows has dropped below the promoted one by more than `rules.catastrophic`, and only
/// by chance, would ever seem to, with probability `risk`. `Fail` if it has. `reports` are of one version, oldest first.
///
/// An alert and a training rest on the newest window's 95 % interval alone: they may be wrong once in forty windows. A
/// rollback may not, so it is stricter. In return it may look further back: at the newest window, at the newest two, and so on
/// up to `rules.of`, each with an equal part of the risk, so that a great fall is seen in one window and a smaller one in three.
///
/// Evidence of several windows is multiplied: e-values of disjoint rows are. For R², which is no mean of rows within bounds, the
/// interval of its drop is asked instead.
pub fn collapse(reports: &[PerformanceReport], baseline: &Baseline, rules: &PerformanceRules, risk: f64) -> Check {
    let mature: Vec<&PerformanceReport> = reports.iter().rev().filter(|report| report.verdict.is_judged()).collect();
    let level = risk / rules.of.max(1) as f64;
    let (look, metric, task): (Look, _, _) = match baseline.value("r2") {
        Some(_) => (drop_of_r2, "r2", Task::Regression),
        None => (evidence_together, "auc", Task::Binary),
    };
    let looks = (1..=mature.len().min(rules.of as usize)).map(|newest| look(&mature[..newest], baseline, rules, level));
    // The furthest beyond the line speaks; without a mature window nothing does.
    let known = looks.max_by(|a, b| a.verdict.cmp(&b.verdict).then(number(a).total_cmp(&number(b))));
    let check = known.unwrap_or_else(|| look(&[], baseline, rules, level));
    match check.verdict {
        Verdict::Pass | Verdict::Fail => check.with_note(format!(
            "of {metric} more than {} below the promoted {}; by chance in 1 of {:.0}",
            Value::from(rules.drop(task)),
            Value::from(baseline.value(metric).unwrap_or(f64::NAN)),
            1.0 / level
        )),
        Verdict::Insufficient | Verdict::Error => check,
    }
}

type Look = fn(&[&PerformanceReport], &Baseline, &PerformanceRules, f64) -> Check;

fn number(check: &Check) -> f64 {
    check.measurement.value.number().unwrap_or(f64::NEG_INFINITY)
}

/// An e-value of "AUC in this window is still within `rules.catastrophic` of the promoted one": what a bettor who starts with 1
/// holds at the end of a game that is fair if it is so. To hold 1,000 at any look, whoever looks how often, then has a chance of
/// 1 in 1,000 (Ville's inequality). Not computable for regression.
///
/// The bettor plays block by block in the order in which labels became known, each block a share of positives that score above
/// negatives, whose mean is AUC whatever the scores' distribution; see [`roc_auc_blocks`]. Where the promoted AUC's own interval
/// reaches below the line, its lower end is the line.
pub(super) fn e_value(task: Task, pairs: &[&Pair], baseline: &Baseline, rules: &PerformanceRules) -> Measurement {
    let rows = pairs.len() as u64;
    let won = match task {
        Task::Binary => against_auc(pairs, baseline, rules),
        Task::Regression => Err(NotComputable::because("R² is no mean of rows within bounds")),
    };
    Measurement::new(E_VALUE, won, rows)
}

fn against_auc(pairs: &[&Pair], baseline: &Baseline, rules: &PerformanceRules) -> Result<f64, NotComputable> {
    let then = promoted_auc(baseline)?;
    let line = (then.value - rules.drop(Task::Binary)).min(then.interval.lower);
    let mut in_order = pairs.to_vec();
    in_order.sort_by_key(|pair| (pair.known_at, pair.ts, pair.request_id));
    let scores: Vec<f64> = in_order.iter().map(|pair| pair.prediction).collect();
    let labels: Vec<bool> = in_order.iter().map(|pair| pair.first_label > 0.5).collect();
    let blocks = roc_auc_blocks(&scores, &labels)?;
    if blocks.is_empty() {
        return Err(NotComputable::because("one class only"));
    }
    let mut bettor = Bettor::against(1.0 - line, 0.0, 1.0, Stake::AtOnce)?;
    for above in blocks {
        bettor.see(1.0 - above)?;
    }
    Ok(bettor.wealth())
}

fn promoted_auc(baseline: &Baseline) -> Known {
    let ((area, rows), (rate, _)) = (value(&baseline.metrics, "auc")?, value(&baseline.metrics, "base_rate")?);
    let positives = (rate * rows).round();
    Ok(Estimate { value: area, interval: roc_auc_interval(area, positives, rows - positives, LUCK)? })
}

/// What the games of these windows are worth together. A window of one class says nothing.
fn evidence_together(windows: &[&PerformanceReport], _: &Baseline, rules: &PerformanceRules, level: f64) -> Check {
    let told = || windows.iter().filter_map(|report| Some((report.collapse.value.number()?, report.collapse.n)));
    let won = match told().count() {
        0 => Err(NotComputable::because("no window tells")),
        _ => Ok(told().map(|(won, _)| won).product::<f64>().min(f64::MAX)),
    };
    let measured = Measurement::new(E_VALUE, won, told().map(|(_, rows)| rows).sum());
    Check::require(measured, Operator::Less, 1.0 / level, rules.min_rows)
}

type Known = Result<Estimate, NotComputable>;

/// How far R² in these windows lies below the promoted one at least.
///
/// The bound of the drop b - Σ wᵢ·aᵢ joins the interval of each, b - Σ wᵢ·aᵢ - √((b - lower b)² + Σ wᵢ²·(upper aᵢ - aᵢ)²), with
/// windows weighted by their rows: Newcombe 1998, Statistics in Medicine 17:873–890, method 10; for any linear combination Zou &
/// Donner 2008 ("MOVER"), 27:1693–1702.
fn drop_of_r2(windows: &[&PerformanceReport], baseline: &Baseline, rules: &PerformanceRules, level: f64) -> Check {
    let then = r2(&baseline.metrics, level);
    let now: Result<Vec<(f64, Estimate)>, NotComputable> =
        windows.iter().map(|report| Ok((report.labelled as f64, r2(&report.metrics, level)?))).collect();
    let drop = then.and_then(|then| now.map(|now| lower_bound_of_drop(then, &now)));
    let rows = windows.iter().map(|report| report.labelled).sum();
    let measured = Measurement::new("r2_drop_lower", drop, rows);
    Check::require(measured, Operator::AtMost, rules.drop(Task::Regression), rules.min_rows)
}

fn lower_bound_of_drop(then: Estimate, now: &[(f64, Estimate)]) -> f64 {
    let rows: f64 = now.iter().map(|(rows, _)| rows).sum();
    let down = then.value - then.interval.lower;
    let (mut drop, mut squares) = (then.value, down * down);
    for (share, window) in now.iter().map(|(of_window, window)| (of_window / rows, window)) {
        drop -= share * window.value;
        squares += (share * (window.interval.upper - window.value)).powi(2);
    }
    drop - squares.sqrt()
}

fn r2(metrics: &[Metric], level: f64) -> Known {
    let (value, _) = value(metrics, "r2")?;
    let found = metrics.iter().find(|found| found.measurement.metric == "r2");
    let interval = found.and_then(|found| found.interval).ok_or_else(|| NotComputable::because("no interval of r2"))?;
    Estimate { value, interval }.normal_at(level)
}

/// A metric, and on how many rows it was measured.
fn value(metrics: &[Metric], name: &str) -> Result<(f64, f64), NotComputable> {
    let found = metrics.iter().find(|found| found.measurement.metric == name);
    let value = found.and_then(|found| Some((found.measurement.value.number()?, found.measurement.n as f64)));
    value.ok_or_else(|| NotComputable::because(format!("no {name}")))
}
