//! A catastrophe that a rollback may rest on: the same line as an alert's, held against a stricter bound; pure.

use super::PerformanceReport;
use crate::stats::Estimate;
use crate::stats::classification::roc_auc_upper;
use crate::train::Metric;
use crate::types::{Check, Measurement, NotComputable, Operator, Value, Verdict};

/// Whether a window's loss is catastrophic beyond a one-sided bound of this level, instead of the 97.5 % that raise an alert
/// and start a training: those may be wrong once in forty windows, a rollback may not. `Fail` if it is.
///
/// Who looks at many windows, and at each while its labels come in, gives every one of them a small part of its risk.
pub fn collapse(report: &PerformanceReport, level: f64) -> Check {
    let told = &report.catastrophic;
    if told.verdict != Verdict::Fail {
        return told.clone();
    }
    let (name, upper) = match find(report, "auc") {
        Some(auc) => ("auc_upper", auc_upper(report, auc, level)),
        None => ("r2_upper", r2_upper(report, level)),
    };
    let measured = Measurement::new(name, upper, told.measurement.n);
    let check = Check::require(measured, Operator::AtLeast, told.threshold, 0);
    check.with_note(format!("bound at 1 in {:.0}", 1.0 / level))
}

fn find<'a>(report: &'a PerformanceReport, metric: &str) -> Option<&'a Metric> {
    report.metrics.iter().find(|found| found.measurement.metric == metric)
}

fn auc_upper(report: &PerformanceReport, auc: &Metric, level: f64) -> Value {
    let rows = auc.measurement.n as f64;
    let rate = find(report, "base_rate").and_then(|rate| rate.measurement.value.number());
    match (auc.measurement.value.number(), rate) {
        (Some(area), Some(rate)) => {
            let positives = (rate * rows).round();
            roc_auc_upper(area, positives, rows - positives, level).into()
        }
        (_, _) => Value::NotComputable(NotComputable::because("no area, or no share of positives")),
    }
}

fn r2_upper(report: &PerformanceReport, level: f64) -> Value {
    let r2 = find(report, "r2").and_then(|r2| Some((r2.measurement.value.number()?, r2.interval?)));
    match r2 {
        Some((value, interval)) => Estimate { value, interval }.normal_upper(level).into(),
        None => Value::NotComputable(NotComputable::because("no R² with an interval")),
    }
}
