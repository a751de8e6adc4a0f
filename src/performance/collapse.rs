//! A catastrophe that a rollback may rest on: the same drop as an alert's, beyond a stricter bound; pure.

use super::rules::PerformanceRules;
use super::{Baseline, PerformanceReport};
use crate::contract::Task;
use crate::stats::classification::roc_auc_bounds;
use crate::stats::{Estimate, Interval};
use crate::train::Metric;
use crate::types::{Check, Measurement, NotComputable, Operator, Value, Verdict};

/// Whether a mature window's AUC (R²) has dropped below the promoted one's by more than `rules.catastrophic`, beyond a one-sided
/// bound of this level for the drop. `Fail` if it has.
///
/// An alert and a training rest on the window's 95 % interval alone: they may be wrong once in forty windows. A rollback may
/// not, so it is stricter, and it doubts the baseline too: what a version was promoted with was measured on a few held-out
/// rows. Who looks at many windows, and at each while its labels come in, gives every one of them a small part of its risk.
///
/// The bound of the drop b - w joins the bounds of each, b - w - √((b - lower b)² + (upper w - w)²): Newcombe 1998,
/// Statistics in Medicine 17:873–890, method 10; for any two parameters Zou & Donner 2008 ("MOVER"), 27:1693–1702.
pub fn collapse(report: &PerformanceReport, baseline: &Baseline, rules: &PerformanceRules, level: f64) -> Check {
    let task = match value(&report.metrics, "r2") {
        Ok(_) => Task::Regression,
        Err(_) => Task::Binary,
    };
    let (name, ends): (_, fn(&[Metric], f64) -> Known) = match task {
        Task::Binary => ("auc_drop_lower", auc),
        Task::Regression => ("r2_drop_lower", r2),
    };
    let (then, now) = (ends(&baseline.metrics, level), ends(&report.metrics, level));
    let drop = then.and_then(|then| now.map(|now| lower_bound_of_drop(then, now)));
    let measured = Measurement::new(name, Value::from(drop), report.labelled);
    let check = Check::require(measured, Operator::AtMost, rules.drop(task), rules.min_rows)
        .with_note(format!("a bound that is wrong in 1 of {:.0}", 1.0 / level));
    match report.verdict {
        Verdict::Pass | Verdict::Fail => check,
        Verdict::Insufficient | Verdict::Error => {
            Check { verdict: Verdict::Insufficient, ..check }.with_note("the window is not mature")
        }
    }
}

type Known = Result<Estimate, NotComputable>;

fn lower_bound_of_drop(then: Estimate, now: Estimate) -> f64 {
    let (down, up) = (then.value - then.interval.lower, now.interval.upper - now.value);
    then.value - now.value - (down * down + up * up).sqrt()
}

fn value(metrics: &[Metric], name: &str) -> Result<(f64, f64), NotComputable> {
    let found = metrics.iter().find(|found| found.measurement.metric == name);
    let value = found.and_then(|found| Some((found.measurement.value.number()?, found.measurement.n as f64)));
    value.ok_or_else(|| NotComputable::because(format!("no {name}")))
}

fn auc(metrics: &[Metric], level: f64) -> Known {
    let ((area, rows), (rate, _)) = (value(metrics, "auc")?, value(metrics, "base_rate")?);
    let positives = (rate * rows).round();
    Ok(Estimate { value: area, interval: roc_auc_bounds(area, positives, rows - positives, level)? })
}

fn r2(metrics: &[Metric], level: f64) -> Known {
    let (value, _) = value(metrics, "r2")?;
    let interval = metrics.iter().find(|found| found.measurement.metric == "r2").and_then(|found| found.interval);
    let interval: Interval = interval.ok_or_else(|| NotComputable::because("no interval of r2"))?;
    Estimate { value, interval }.normal_at(level)
}
