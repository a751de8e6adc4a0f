//! What a tick has seen, as findings; pure. One finding a kind, the worst of what was seen.
//!
//! A new check is one line in [`derive`]: its kind, and what its verdict says. Not derived yet, because no report carries them:
//! `concept_drift`, `prediction_mean_anomaly` and `label_coverage`. `governor_late` comes from [`lateness`](super::lateness).

use super::{Findings, Kind, Level, Seen};
use crate::drift::{self, DriftReport, Severity};
use crate::govern::{Decision, Observation, Rules};
use crate::performance;
use crate::types::{Check, Verdict};

/// The findings of one tick.
pub fn derive(observation: &Observation, decision: &Decision, rules: &Rules) -> Findings {
    Findings::from([
        (Kind::DataDrift, data_drift(observation, rules)),
        (Kind::PredictionShift, prediction_shift(observation)),
        (Kind::PerformanceDegradation, performance_loss(observation, rules)),
        (Kind::PerformanceThreshold, below_a_floor(observation, rules)),
        (Kind::ErrorRate, newest(observation, |report| &report.invalid)),
        (Kind::Volume, newest(observation, |report| &report.volume)),
        (Kind::Source, refused(observation, decision)),
        (Kind::Integrity, integrity(observation, decision)),
        (Kind::Held, held(decision)),
    ])
}

/// A model that could not be ticked at all: nothing was seen of it but why.
pub fn could_not(kind: Kind, why: String) -> Findings {
    Findings::from([(kind, Seen::stands(Level::Critical, why))])
}

fn data_drift(observation: &Observation, rules: &Rules) -> Seen {
    let confirmed = drift::confirm(&observation.drift, &rules.drift);
    let level = match confirmed.severity {
        Severity::None | Severity::Moderate => Level::Info,
        Severity::Severe => Level::Warning,
    };
    Seen::by(confirmed.verdict, level, || {
        let features = observation.drift.last().into_iter().flat_map(|newest| &newest.features);
        let drifted: Vec<&str> =
            features.filter(|feature| feature.drifted).map(|feature| feature.feature.as_str()).collect();
        format!("{}; in the newest window: {}", confirmed.check, drifted.join(", "))
    })
}

/// A check of the newest window.
fn newest(observation: &Observation, check: impl Fn(&DriftReport) -> &Check) -> Seen {
    let Some(check) = observation.drift.last().map(check) else { return Seen::Unclear };
    Seen::by(check.verdict, Level::Warning, || check.to_string())
}

/// The prediction has shifted only if it is significant and large: the first check and one of the others.
fn prediction_shift(observation: &Observation) -> Seen {
    let Some([significance, sizes @ ..]) = observation.drift.last().map(|report| report.prediction.as_slice()) else {
        return Seen::Unclear;
    };
    let large = sizes.iter().find(|size| size.verdict == Verdict::Fail);
    match (significance.verdict, large) {
        (Verdict::Fail, Some(large)) => Seen::stands(Level::Warning, large.to_string()),
        (Verdict::Fail, None) | (Verdict::Pass, _) => Seen::Over,
        (Verdict::Insufficient | Verdict::Error, _) => Seen::Unclear,
    }
}

fn performance_loss(observation: &Observation, rules: &Rules) -> Seen {
    let confirmed = performance::confirm(&observation.performance, &rules.performance);
    let newest = observation.performance.iter().rev().find(|report| report.verdict == Verdict::Fail);
    if confirmed.catastrophic == Verdict::Fail {
        let check = newest.map(|report| report.catastrophic.to_string()).unwrap_or_default();
        return Seen::stands(Level::Critical, format!("catastrophic: {check}"));
    }
    Seen::by(confirmed.check.verdict, Level::Warning, || {
        let failing = newest.and_then(|report| report.checks.iter().find(|check| check.verdict == Verdict::Fail));
        format!("{}; {}", confirmed.check, failing.map(ToString::to_string).unwrap_or_default())
    })
}

/// Floors are the owner's word for what is too bad to serve: one mature window below is enough.
fn below_a_floor(observation: &Observation, rules: &Rules) -> Seen {
    let mature = observation.performance.iter().rev().find(|report| report.verdict.is_judged());
    let is_floor = |check: &&Check| rules.performance.floors.contains_key(&check.measurement.metric);
    let floors: Vec<&Check> = mature.into_iter().flat_map(|report| &report.checks).filter(is_floor).collect();
    let failing = floors.iter().find(|check| check.verdict == Verdict::Fail);
    let verdict = Verdict::worst(floors.iter().map(|check| check.verdict));
    Seen::by(verdict, Level::Critical, || failing.map(ToString::to_string).unwrap_or_default())
}

fn refused(observation: &Observation, decision: &Decision) -> Seen {
    let refused = &observation.data.refused;
    match refused.is_empty() {
        false => Seen::stands(Level::Warning, refused.join("; ")),
        true => over_if_looked(decision),
    }
}

/// A bundle that is not what was published is critical; one that waits for a signature, or goes without, is not.
fn integrity(observation: &Observation, decision: &Decision) -> Seen {
    let bundles = &observation.bundles;
    let broken = bundles.iter().find(|bundle| bundle.verdict == Verdict::Fail).map(|bundle| (bundle, Level::Critical));
    let unsigned = || {
        let found = bundles.iter().find(|bundle| bundle.digest.is_some() && !bundle.note.is_empty())?;
        Some((found, if found.verdict.is_pass() { Level::Info } else { Level::Warning }))
    };
    match broken.or_else(unsigned) {
        Some((bundle, level)) => Seen::stands(level, format!("{}: {}", bundle.version, bundle.note)),
        None => over_if_looked(decision),
    }
}

/// A model that is held was not looked at.
fn over_if_looked(decision: &Decision) -> Seen {
    if decision.held.is_some() { Seen::Unclear } else { Seen::Over }
}

fn held(decision: &Decision) -> Seen {
    match &decision.held {
        Some(why) => Seen::stands(Level::Critical, why.clone()),
        None => Seen::Over,
    }
}
