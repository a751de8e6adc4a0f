//! Drift over the last windows: k of m, so that one odd day confirms nothing; pure.

use super::rules::DriftRules;
use super::{ConfirmedDrift, DriftReport, Severity};
use crate::types::{Check, Measurement, Operator, Verdict};

/// Confirm drift over the last reports of one version, oldest first; more than `of` of them are not looked at.
///
/// A window that was `Insufficient` counts as a window that did not drift and never as one that was quiet: with too few
/// judged windows the verdict is `Insufficient`.
pub fn confirm(reports: &[DriftReport], rules: &DriftRules) -> ConfirmedDrift {
    let windows: Vec<(Verdict, Severity)> = reports.iter().map(|report| (report.verdict, report.severity)).collect();
    confirm_windows(&windows, rules)
}

/// What k of the last m windows say of one question: `Fail` if so many fail, `Pass` if all m were judged and fewer do.
pub fn confirmed(reports: &[DriftReport], question: impl Fn(&DriftReport) -> Verdict, rules: &DriftRules) -> Verdict {
    Verdict::confirmed(reports.iter().map(question), rules.confirm, rules.of)
}

/// [`confirm`], of what each window said and how bad it was.
pub fn confirm_windows(windows: &[(Verdict, Severity)], rules: &DriftRules) -> ConfirmedDrift {
    let last = &windows[windows.len().saturating_sub(rules.of as usize)..];
    let at_least = |least: Severity| last.iter().filter(|(_, severity)| *severity >= least).count() as u64;
    let judged = last.iter().filter(|(verdict, _)| *verdict != Verdict::Insufficient).count() as u64;
    let drifted = at_least(Severity::Moderate);
    let confirmed = drifted >= rules.confirm;
    let minimum = if confirmed { rules.confirm } else { rules.of };
    let check = Check::require(
        Measurement::new("drifted_windows", drifted as f64, judged),
        Operator::Less,
        rules.confirm as f64,
        minimum,
    );
    let severity = if at_least(Severity::Severe) >= rules.confirm {
        Severity::Severe
    } else if confirmed {
        Severity::Moderate
    } else {
        Severity::None
    };
    ConfirmedDrift { verdict: check.verdict, check, severity }
}
