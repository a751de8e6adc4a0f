//! What was seen, as groups of checks in the words that every window onto the house uses; pure.

use regent::drift::{DriftReport, FeatureDrift};
use regent::govern::{Bundle, Observation};
use regent::performance::{LabelIntake, PerformanceReport};
use regent::policy::RetrainDecision;
use regent::types::{Check, Verdict};
use serde::Serialize;

/// Checks about one thing.
#[derive(Debug, Serialize)]
pub struct Evidence {
    /// What they are about: `drift of 1.0.0 in 2026-11-21T00:00:00Z + 24h`
    pub about: String,
    /// What they say together.
    pub verdict: Verdict,
    /// Each of them.
    pub checks: Vec<Line>,
}

/// One check, and what it is of if that is not the whole.
#[derive(Debug, Serialize)]
pub struct Line {
    /// A feature, or a value of a slice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The check.
    #[serde(flatten)]
    pub check: Check,
}

/// How much is told of each report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What decides.
    Newest,
    /// Everything that was seen, every feature and every window.
    All,
}

/// What an observation holds, in the order of the stages.
pub fn of(observation: &Observation, detail: Detail) -> Vec<Evidence> {
    let drift = told(&observation.drift, detail).map(|report| drift(report, "drift", detail));
    let candidate = told(&observation.candidate_drift, detail).map(|report| drift_of_candidate(report, detail));
    let performance = told(&observation.performance, detail).map(|report| performance(report, detail));
    let labels = observation.labels.iter().filter(|labels| labels.received > 0).map(labels);
    let evaluation = observation.evaluation.iter().map(|report| Evidence {
        about: format!("evaluation of {} on {} rows", report.candidate, report.rows),
        verdict: report.verdict,
        checks: plain(report.checks.iter().chain(told_if(&report.shown, detail))),
    });
    let shadow = observation.shadow.iter().map(|report| Evidence {
        about: format!("shadow of {} beside {} since {}", report.candidate, report.champion, report.since),
        verdict: report.verdict,
        checks: plain(report.checks.iter().chain(told_if(&report.shown, detail))),
    });
    let watch = observation.watch.iter().map(|report| Evidence {
        about: format!("watch of {} beside {} since {}", report.champion, report.predecessor, report.since),
        verdict: report.verdict,
        checks: plain(report.checks.iter().chain(told_if(&report.shown, detail))),
    });
    let bundles = told_if(&observation.bundles, detail).iter().map(bundle);
    drift
        .chain(performance)
        .chain(labels)
        .chain(watch)
        .chain(evaluation)
        .chain(shadow)
        .chain(candidate)
        .chain(bundles)
        .collect()
}

/// A drift report with every feature.
pub fn of_drift(report: &DriftReport) -> Evidence {
    drift(report, "drift", Detail::All)
}

/// What the retraining decision looked at.
pub fn of_retraining(decision: &RetrainDecision) -> Evidence {
    Evidence {
        about: "retraining".to_owned(),
        verdict: Verdict::worst(decision.conditions.iter().map(|check| check.verdict)),
        checks: plain(&decision.conditions),
    }
}

/// The group as lines of text.
pub fn lines(evidence: &Evidence) -> Vec<String> {
    let head = format!("{} → {}", evidence.about, evidence.verdict);
    let checks = evidence.checks.iter().map(|line| match &line.of {
        Some(of) => format!("  {of}: {}", line.check),
        None => format!("  {}", line.check),
    });
    std::iter::once(head).chain(checks).collect()
}

fn told<T>(reports: &[T], detail: Detail) -> impl Iterator<Item = &T> {
    let skipped = match detail {
        Detail::Newest => reports.len().saturating_sub(1),
        Detail::All => 0,
    };
    reports.iter().skip(skipped)
}

/// What is told only when all is asked for.
fn told_if<T>(all: &[T], detail: Detail) -> &[T] {
    match detail {
        Detail::Newest => &[],
        Detail::All => all,
    }
}

fn bundle(bundle: &Bundle) -> Evidence {
    let about = match bundle.note.as_str() {
        "" => format!("bundle of {}", bundle.version),
        note => format!("bundle of {}: {note}", bundle.version),
    };
    Evidence { about, verdict: bundle.verdict, checks: Vec::new() }
}

fn plain<'a>(checks: impl IntoIterator<Item = &'a Check>) -> Vec<Line> {
    checks.into_iter().map(|check| Line { of: None, check: check.clone() }).collect()
}

fn drift(report: &DriftReport, name: &str, detail: Detail) -> Evidence {
    let whole = [&report.dataset, &report.weighted_psi, &report.volume, &report.invalid];
    let mut checks = plain(whole);
    checks.extend(report.prediction.iter().map(|check| named("prediction", check)));
    checks.extend(report.features.iter().flat_map(|feature| of_feature(feature, detail)));
    Evidence { about: format!("{name} of {} in {}", report.version, report.window), verdict: report.verdict, checks }
}

fn drift_of_candidate(report: &DriftReport, detail: Detail) -> Evidence {
    drift(report, "drift from its own profile", detail)
}

/// Of a feature that stayed nothing needs to be said unless all is asked for.
fn of_feature(feature: &FeatureDrift, detail: Detail) -> Vec<Line> {
    let checks = feature.checks.iter().filter(|check| match detail {
        Detail::Newest => feature.drifted && check.verdict == Verdict::Fail,
        Detail::All => true,
    });
    checks.map(|check| named(&feature.feature, check)).collect()
}

fn named(of: &str, check: &Check) -> Line {
    Line { of: Some(of.to_owned()), check: check.clone() }
}

fn performance(report: &PerformanceReport, detail: Detail) -> Evidence {
    let late = match report.late {
        0 => String::new(),
        late => format!(", {late} events late"),
    };
    let sampled = match report.sampled_share {
        all if all >= 1.0 => String::new(),
        share => format!(", 1 of {:.0} requests", share.recip()),
    };
    let whole = report.maturity.iter().chain(&report.checks).chain(&report.floors).chain([&report.catastrophic]);
    let slices = report.slices.iter().filter(|slice| match detail {
        Detail::Newest => slice.check.verdict == Verdict::Fail,
        Detail::All => true,
    });
    let mut checks = plain(whole);
    checks.extend(slices.map(|slice| named(&format!("{}={}", slice.slice, slice.value), &slice.check)));
    Evidence {
        about: format!("performance of {} in {}{late}{sampled}", report.version, report.window),
        verdict: report.verdict,
        checks,
    }
}

fn labels(intake: &LabelIntake) -> Evidence {
    let LabelIntake { window, looked_since, unmatched, join_rate, .. } = intake;
    let unmatched = match unmatched {
        0 => String::new(),
        unmatched => format!(", {unmatched} of no request since {looked_since}"),
    };
    Evidence { about: format!("labels of {window}{unmatched}"), verdict: join_rate.verdict, checks: plain([join_rate]) }
}
