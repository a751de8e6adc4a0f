//! A catastrophe that a rollback may rest on: the same drop as an alert's, beyond a stricter bound; pure.

use super::rules::PerformanceRules;
use super::{Baseline, PerformanceReport};
use crate::contract::Task;
use crate::stats::Estimate;
use crate::stats::classification::roc_auc_interval;
use crate::train::Metric;
use crate::types::{Check, Measurement, NotComputable, Operator, Value, Verdict};

/// Whether AUC (R²) in the newest mature windows has dropped below the promoted one by more than `rules.catastrophic`, and only
/// by chance, would seem to, with probability `risk`. `Fail` if it has. `reports` are of one version, oldest first.
///
/// An alert and a training rest on the newest window's 95 % interval alone: they may be wrong once in forty windows. A
/// rollback may not, so it is stricter, and it doubts the baseline too: what a version was promoted with was measured on a few
/// held-out rows. In return it may look further back: at the newest window, at the newest two, and so on up to `rules.of`, each
/// with an equal part of the risk, so that a great fall is seen in one window and a smaller one in three.
///
/// The bound of the drop b - Σ wᵢ·aᵢ joins the score interval of each, b - Σ wᵢ·aᵢ - √((b - lower b)² + Σ wᵢ²·(upper aᵢ - aᵢ)²),
/// with windows weighted by their rows: Newcombe 1998, Statistics in Medicine 17:873–890, method 10; for any linear combination
/// Zou & Donner 2008 ("MOVER"), 27:1693–1702.
pub fn collapse(reports: &[PerformanceReport], baseline: &Baseline, rules: &PerformanceRules, risk: f64) -> Check {
    let mature: Vec<&PerformanceReport> = reports.iter().rev().filter(|report| report.verdict.is_judged()).collect();
    let level = risk / rules.of.max(1) as f64;
    let looks =
        (1..=mature.len().min(rules.of as usize)).map(|newest| drop_in(&mature[..newest], baseline, rules, level));
    // The furthest beyond the line speaks; without a mature window nothing does.
    let known = looks.max_by(|a, b| a.verdict.cmp(&b.verdict).then(number(a).total_cmp(&number(b))));
    known.unwrap_or_else(|| drop_in(&[], baseline, rules, level))
}

fn number(check: &Check) -> f64 {
    check.measurement.value.number().unwrap_or(f64::NEG_INFINITY)
}

/// The drop over these windows, newest first.
fn drop_in(windows: &[&PerformanceReport], baseline: &Baseline, rules: &PerformanceRules, level: f64) -> Check {
    let (task, name, measured): (_, _, fn(&[Metric], f64) -> Known) = match value(&baseline.metrics, "r2") {
        Ok(_) => (Task::Regression, "r2_drop_lower", r2),
        Err(_) => (Task::Binary, "auc_drop_lower", auc),
    };
    let then = measured(&baseline.metrics, level);
    let now: Result<Vec<(f64, Estimate)>, NotComputable> =
        windows.iter().map(|report| Ok((report.labelled as f64, measured(&report.metrics, level)?))).collect();
    let rows = windows.iter().map(|report| report.labelled).sum();
    let drop = then.and_then(|then| now.map(|now| lower_bound_of_drop(then, &now)));
    let check = Check::require(Measurement::new(name, Value::from(drop), rows), Operator::AtMost, rules.drop(task), 1);
    match check.verdict {
        Verdict::Pass | Verdict::Fail => check.with_note(format!(
            "in {} windows, by a bound that is wrong in 1 of {:.0}",
            windows.len(),
            1.0 / level
        )),
        Verdict::Insufficient | Verdict::Error => check,
    }
}

type Known = Result<Estimate, NotComputable>;

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

fn value(metrics: &[Metric], name: &str) -> Result<(f64, f64), NotComputable> {
    let found = metrics.iter().find(|found| found.measurement.metric == name);
    let value = found.and_then(|found| Some((found.measurement.value.number()?, found.measurement.n as f64)));
    value.ok_or_else(|| NotComputable::because(format!("no {name}")))
}

fn auc(metrics: &[Metric], level: f64) -> Known {
    let ((area, rows), (rate, _)) = (value(metrics, "auc")?, value(metrics, "base_rate")?);
    let positives = (rate * rows).round();
    Ok(Estimate { value: area, interval: roc_auc_interval(area, positives, rows - positives, level)? })
}

fn r2(metrics: &[Metric], level: f64) -> Known {
    let (value, _) = value(metrics, "r2")?;
    let found = metrics.iter().find(|found| found.measurement.metric == "r2");
    let interval = found.and_then(|found| found.interval).ok_or_else(|| NotComputable::because("no interval of r2"))?;
    Estimate { value, interval }.normal_at(level)
}
