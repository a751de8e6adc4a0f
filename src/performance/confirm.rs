//! Performance over the last mature windows: k of m, or one catastrophe; pure.

use super::rules::PerformanceRules;
use super::{ConfirmedLoss, PerformanceReport};
use crate::types::{Check, Measurement, Operator, Verdict};

/// Confirm a loss over the newest revisions of one version's windows, oldest first.
///
/// Immature windows are passed over: they are neither good nor bad.
pub fn confirm(reports: &[PerformanceReport], rules: &PerformanceRules) -> ConfirmedLoss {
    let mature: Vec<&PerformanceReport> = reports.iter().filter(|report| report.verdict.is_judged()).collect();
    let last = &mature[mature.len().saturating_sub(rules.of as usize)..];
    let bad = last.iter().filter(|report| report.verdict == Verdict::Fail).count() as u64;
    let newest_is_bad = last.last().is_some_and(|report| report.verdict == Verdict::Fail);
    // A loss that is over is no reason to act: the newest mature window must be bad too.
    let counted = if newest_is_bad { bad } else { bad.min(rules.confirm - 1) };
    let confirmed = counted >= rules.confirm;
    let check = Check::require(
        Measurement::new("lost_windows", counted as f64, last.len() as u64),
        Operator::Less,
        rules.confirm as f64,
        if confirmed { rules.confirm } else { rules.of },
    );
    let catastrophic = last.last().map_or(Verdict::Insufficient, |report| report.catastrophic.verdict);
    let worst = |report: &PerformanceReport| match catastrophic {
        Verdict::Fail => report.catastrophic.verdict,
        Verdict::Pass | Verdict::Insufficient | Verdict::Error => report.verdict,
    };
    let run = mature.iter().rev().take_while(|report| worst(report) == Verdict::Fail);
    ConfirmedLoss {
        onset: run.last().map(|report| report.window.start),
        matured_until: mature.last().map(|report| report.window.end()),
        verdict: if catastrophic == Verdict::Fail { Verdict::Fail } else { check.verdict },
        catastrophic,
        check,
    }
}
