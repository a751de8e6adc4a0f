//! What a tick has seen, as findings; pure. One finding a rule, the worst of what was seen.

use super::{Finding, Level, Rule};
use crate::drift::{self, Severity};
use crate::govern::{Decision, Observation, Rules};
use crate::performance;
use crate::types::{Check, Verdict};

/// The findings of one tick.
pub fn derive(observation: &Observation, decision: &Decision, rules: &Rules) -> Vec<Finding> {
    [
        data_drift(observation, rules),
        newest_drift(observation, Rule::PredictionShift, |report| &report.prediction),
        performance_loss(observation, rules),
        newest_drift(observation, Rule::ErrorRate, |report| std::slice::from_ref(&report.invalid)),
        newest_drift(observation, Rule::Volume, |report| std::slice::from_ref(&report.volume)),
        refused(observation),
        integrity(observation),
        held(decision),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn finding(rule: Rule, level: Level, text: impl Into<String>) -> Option<Finding> {
    Some(Finding { rule, level, text: text.into() })
}

fn data_drift(observation: &Observation, rules: &Rules) -> Option<Finding> {
    let confirmed = drift::confirm(&observation.drift, &rules.drift);
    let level = match confirmed.severity {
        Severity::None => return None,
        Severity::Moderate => Level::Info,
        Severity::Severe => Level::Warning,
    };
    let newest = observation.drift.last()?;
    let drifted: Vec<&str> =
        newest.features.iter().filter(|feature| feature.drifted).map(|feature| feature.feature.as_str()).collect();
    finding(Rule::DataDrift, level, format!("{}; in the newest window: {}", confirmed.check, drifted.join(", ")))
}

fn newest_drift(
    observation: &Observation,
    rule: Rule,
    checks: impl Fn(&drift::DriftReport) -> &[Check],
) -> Option<Finding> {
    let checks = checks(observation.drift.last()?);
    // The prediction has shifted only if it is significant and large: the first check and one of the others.
    let fails = |check: &&Check| check.verdict == Verdict::Fail;
    let (significant, large) = match checks {
        [only] => (fails(&only), Some(only)),
        [significance, sizes @ ..] => (fails(&significance), sizes.iter().find(fails)),
        [] => return None,
    };
    let worst = large.filter(|check| significant && check.verdict == Verdict::Fail)?;
    finding(rule, Level::Warning, worst.to_string())
}

fn performance_loss(observation: &Observation, rules: &Rules) -> Option<Finding> {
    let confirmed = performance::confirm(&observation.performance, &rules.performance);
    let newest = observation.performance.iter().rev().find(|report| report.verdict == Verdict::Fail);
    match (confirmed.catastrophic, confirmed.check.verdict) {
        (Verdict::Fail, _) => {
            let check = newest.map(|report| report.catastrophic.to_string()).unwrap_or_default();
            finding(Rule::PerformanceDegradation, Level::Critical, format!("catastrophic: {check}"))
        }
        (_, Verdict::Fail) => {
            let failing = newest.and_then(|report| report.checks.iter().find(|check| check.verdict == Verdict::Fail));
            let text = failing.map(ToString::to_string).unwrap_or_default();
            finding(Rule::PerformanceDegradation, Level::Warning, format!("{}; {text}", confirmed.check))
        }
        (_, Verdict::Pass | Verdict::Insufficient | Verdict::Error) => None,
    }
}

fn refused(observation: &Observation) -> Option<Finding> {
    let refused = &observation.data.refused;
    (!refused.is_empty()).then(|| finding(Rule::Source, Level::Warning, refused.join("; ")))?
}

/// A bundle that is not what was published is critical; one that waits for a signature, or goes without, is not.
fn integrity(observation: &Observation) -> Option<Finding> {
    let bundles = &observation.bundles;
    let broken = bundles.iter().find(|bundle| bundle.verdict == Verdict::Fail).map(|bundle| (bundle, Level::Critical));
    let unsigned = || {
        let found = bundles.iter().find(|bundle| bundle.digest.is_some() && !bundle.note.is_empty())?;
        Some((found, if found.verdict.is_pass() { Level::Info } else { Level::Warning }))
    };
    let (bundle, level) = broken.or_else(unsigned)?;
    finding(Rule::Integrity, level, format!("{}: {}", bundle.version, bundle.note))
}

fn held(decision: &Decision) -> Option<Finding> {
    finding(Rule::Held, Level::Critical, decision.held.clone()?)
}
