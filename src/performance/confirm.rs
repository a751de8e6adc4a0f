//! Performance over the last mature windows: k of m, or one catastrophe; pure.

use super::rules::PerformanceRules;
use super::{ConfirmedLoss, PerformanceReport};
use crate::types::{Check, Measurement, Operator, Verdict};

/// Confirm a loss over the newest revisions of one version's windows, oldest first.
///
/// Immature windows are passed over: they are neither good nor bad.
pub fn confirm(reports: &[PerformanceReport], rules: &PerformanceRules) -> ConfirmedLoss {
    let check = confirmed(reports, "lost_windows", |report| report.verdict, rules);
    let newest_first = || reports.iter().rev().filter(|report| report.verdict.is_judged());
    let newest = newest_first().next();
    let catastrophic = newest.map_or(Verdict::Insufficient, |report| report.catastrophic.verdict);
    let worst = |report: &PerformanceReport| match catastrophic {
        Verdict::Fail => report.catastrophic.verdict,
        Verdict::Pass | Verdict::Insufficient | Verdict::Error => report.verdict,
    };
    let run = newest_first().take_while(|report| worst(report) == Verdict::Fail);
    ConfirmedLoss {
        onset: run.last().map(|report| report.window.start),
        matured_until: newest.map(|report| report.window.end()),
        verdict: if catastrophic == Verdict::Fail { Verdict::Fail } else { check.verdict },
        catastrophic,
        check,
    }
}

/// Count the last mature windows of which something fails, under a name of their own: k of m confirm it. A window that cannot be
/// told is passed over.
pub fn confirmed(
    reports: &[PerformanceReport],
    name: &str,
    says: impl Fn(&PerformanceReport) -> Verdict,
    rules: &PerformanceRules,
) -> Check {
    let mature = reports.iter().rev().filter(|report| report.verdict.is_judged());
    let told = mature.map(says).filter(|verdict| verdict.is_judged());
    let newest_first: Vec<Verdict> = told.take(rules.of as usize).collect();
    let bad = newest_first.iter().filter(|verdict| **verdict == Verdict::Fail).count() as u64;
    // What is over is no reason to act: the newest mature window must be bad too.
    let counted = if newest_first.first() == Some(&Verdict::Fail) { bad } else { bad.min(rules.confirm - 1) };
    Check::require(
        Measurement::new(name, counted as f64, newest_first.len() as u64),
        Operator::Less,
        rules.confirm as f64,
        if counted >= rules.confirm { rules.confirm } else { rules.of },
    )
}
