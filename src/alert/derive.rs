//! What a tick has seen, as findings; pure. One finding a kind, the worst of what was seen.
//!
//! A new check is one line in [`derive()`]: its kind, and what its verdict says. `governor_late` comes from
//! [`lateness`](super::lateness).

use super::{Findings, Kind, Level, Seen};
use crate::drift::{self, DriftReport, Severity};
use crate::govern::{Decision, Observation, Rules};
use crate::performance::{self, PerformanceReport};
use crate::types::{Check, Verdict};

/// The findings of one tick.
pub fn derive(observation: &Observation, decision: &Decision, rules: &Rules) -> Findings {
    Findings::from([
        (Kind::DataDrift, data_drift(observation, rules)),
        (Kind::ConceptDrift, concept_drift(observation, rules)),
        (Kind::PredictionShift, prediction_shift(observation, rules)),
        (Kind::PredictionMeanAnomaly, prediction_mean(observation, rules)),
        (Kind::PerformanceDegradation, performance_loss(observation, rules)),
        (Kind::PerformanceThreshold, below_a_floor(observation, rules)),
        (Kind::PerformanceEstimate, foreseen(observation, rules)),
        (Kind::LabelCoverage, label_coverage(observation)),
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

fn prediction_shift(observation: &Observation, rules: &Rules) -> Seen {
    let verdict = drift::confirmed(&observation.drift, DriftReport::prediction_shifted, &rules.drift);
    Seen::by(verdict, Level::Warning, || {
        let newest = observation.drift.iter().rev().find(|report| report.prediction_shifted() == Verdict::Fail);
        let sizes = newest.into_iter().flat_map(|report| report.prediction.iter().skip(1));
        let large = sizes.filter(|size| size.verdict == Verdict::Fail).map(ToString::to_string);
        format!("confirmed; {}", large.collect::<Vec<_>>().join(", "))
    })
}

fn prediction_mean(observation: &Observation, rules: &Rules) -> Seen {
    let verdict = drift::confirmed(&observation.drift, DriftReport::prediction_mean_moved, &rules.drift);
    Seen::by(verdict, Level::Warning, || {
        let newest = observation.drift.iter().rev().find(|report| report.prediction_mean_moved() == Verdict::Fail);
        let checks = newest.into_iter().flat_map(|report| &report.prediction_mean).map(ToString::to_string);
        format!("confirmed; {}", checks.collect::<Vec<_>>().join(", "))
    })
}

/// An early warning, and never more than that: no label has been looked at.
fn foreseen(observation: &Observation, rules: &Rules) -> Seen {
    let verdict = performance::foreseen(&observation.estimated, &rules.performance);
    Seen::by(verdict, Level::Warning, || {
        let newest = observation.estimated.iter().rev().find(|report| report.verdict == Verdict::Fail);
        let checks =
            newest.into_iter().flat_map(|report| &report.checks).filter(|check| check.verdict == Verdict::Fail);
        let checks: Vec<String> = checks.map(ToString::to_string).collect();
        format!("confirmed; {}; no label was looked at: it is true if {}", checks.join(", "), performance::ASSUMES)
    })
}

/// The errors of a regression in its mature windows: do they lie where they lay? Of a probability there is nothing to ask.
fn errors_moved(observation: &Observation, rules: &Rules) -> Verdict {
    if observation.performance.iter().all(|report| report.residuals.is_none()) {
        return Verdict::Pass;
    }
    let mature = observation.performance.iter().filter(|report| report.verdict.is_judged());
    let rules = &rules.performance;
    Verdict::confirmed(mature.map(PerformanceReport::errors_moved), rules.confirm, rules.of)
}

/// What comes in is as it was, and what the model makes of it, or how well, is not.
fn concept_drift(observation: &Observation, rules: &Rules) -> Seen {
    let moved = drift::confirmed(&observation.drift, DriftReport::concept_drifted, &rules.drift);
    let features = drift::confirm(&observation.drift, &rules.drift).verdict;
    let errors = losses(observation, rules).verdict;
    let worse = errors == Verdict::Fail && features == Verdict::Pass;
    let residuals = errors_moved(observation, rules);
    if residuals == Verdict::Fail {
        let newest = observation.performance.iter().rev().find(|report| report.errors_moved() == Verdict::Fail);
        let residuals = newest.and_then(|report| report.residuals.as_ref());
        let checks = residuals.into_iter().flat_map(|residuals| residuals.checks.iter().chain([&residuals.coverage]));
        let failing = checks.filter(|check| check.verdict == Verdict::Fail).map(ToString::to_string);
        let failing = failing.collect::<Vec<_>>().join(", ");
        return Seen::stands(Level::Warning, format!("errors do not lie where they lay at training: {failing}"));
    }
    match (moved, worse) {
        (Verdict::Fail, _) => Seen::stands(Level::Warning, "the prediction has shifted while no feature has drifted"),
        (_, true) => Seen::stands(Level::Warning, "errors have grown while no feature has drifted"),
        (Verdict::Pass, false) if residuals == Verdict::Pass => Seen::Over,
        (Verdict::Pass | Verdict::Insufficient | Verdict::Error, false) => Seen::Unclear,
    }
}

/// The newest window that is old enough to be judged: did its labels come?
fn label_coverage(observation: &Observation) -> Seen {
    let of = |report: &PerformanceReport, metric: &str| {
        report.maturity.iter().find(|check| check.measurement.metric == metric).cloned()
    };
    let old = |report: &&PerformanceReport| of(report, "age_secs").is_some_and(|age| age.verdict.is_pass());
    let coverage = observation.performance.iter().rev().find(old).and_then(|report| of(report, "label_coverage"));
    match coverage {
        Some(check) if check.verdict.is_pass() => Seen::Over,
        Some(check) if check.measurement.value.number().is_some() => Seen::stands(Level::Warning, check.to_string()),
        Some(_) | None => Seen::Unclear,
    }
}

fn performance_loss(observation: &Observation, rules: &Rules) -> Seen {
    let confirmed = performance::confirm(&observation.performance, &rules.performance);
    let lost = |report: &&PerformanceReport| report.against_baseline(&rules.performance) == Verdict::Fail;
    if confirmed.catastrophic == Verdict::Fail {
        let fell = |report: &&PerformanceReport| report.catastrophic.verdict == Verdict::Fail;
        let check = newest_of(observation, fell).map(|report| report.catastrophic.to_string()).unwrap_or_default();
        return Seen::stands(Level::Critical, format!("catastrophic: {check}"));
    }
    let check = losses(observation, rules);
    Seen::by(check.verdict, Level::Warning, || {
        let newest = newest_of(observation, lost);
        let whole = newest.into_iter().flat_map(|report| &report.checks).find(|check| check.verdict == Verdict::Fail);
        let slices = newest.into_iter().flat_map(|report| &report.slices);
        let slice = slices.into_iter().find(|slice| slice.check.verdict == Verdict::Fail);
        let slice = slice.map(|slice| format!("{}={}: {}", slice.slice, slice.value, slice.check));
        format!("{check}; {}", whole.map(ToString::to_string).or(slice).unwrap_or_default())
    })
}

fn newest_of(
    observation: &Observation,
    of_interest: impl Fn(&&PerformanceReport) -> bool,
) -> Option<&PerformanceReport> {
    observation.performance.iter().rev().find(of_interest)
}

/// Windows that lost against the promoted baseline; floors are told by themselves.
fn losses(observation: &Observation, rules: &Rules) -> Check {
    let rules = &rules.performance;
    performance::confirmed(&observation.performance, "lost_windows", |report| report.against_baseline(rules), rules)
}

/// Floors are the owner's word for what is too bad to serve. One window below is chance, as it is of a loss: confirmed in k of m,
/// it is critical at once, and until then nobody is woken.
fn below_a_floor(observation: &Observation, rules: &Rules) -> Seen {
    if rules.performance.floors.is_empty() {
        return Seen::Over;
    }
    let below = |report: &PerformanceReport| report.against_floors();
    let check = performance::confirmed(&observation.performance, "windows_below_a_floor", below, &rules.performance);
    Seen::by(check.verdict, Level::Critical, || {
        let newest = newest_of(observation, |report| below(report) == Verdict::Fail);
        let failing = newest.into_iter().flat_map(|report| &report.floors).find(|floor| floor.verdict == Verdict::Fail);
        format!("{check}; {}", failing.map(ToString::to_string).unwrap_or_default())
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::performance::{EstimateReport, LabelCounts, Residuals};
    use crate::snapshot::Window;
    use crate::types::{Digest, Measurement, Operator, Span, Timestamp, Version};

    /// A window with this share of labels, old enough to be judged or not.
    fn labelled(share: f64, old: bool) -> PerformanceReport {
        let check = |metric: &str, value: f64, line| {
            let check = Check::require(Measurement::new(metric, value, 100), Operator::AtLeast, line, 0);
            // As the judge has it: not there yet is not a failure.
            let verdict = if check.verdict.is_pass() { Verdict::Pass } else { Verdict::Insufficient };
            Check { verdict, ..check }
        };
        let nothing = check("auc", 0.0, 1.0);
        PerformanceReport {
            format_version: 1,
            model: "rain".parse().unwrap(),
            version: Version::FIRST,
            bundle: Digest::of("bundle"),
            window: Window { start: Timestamp::EPOCH, size: Span::from_days(1) },
            late: 0,
            predictions: 100,
            labelled: (100.0 * share) as u64,
            sampled_share: 1.0,
            labels: LabelCounts::default(),
            maturity: vec![check("label_coverage", share, 0.5), check("age_secs", f64::from(u8::from(old)), 1.0)],
            metrics: Vec::new(),
            checks: Vec::new(),
            floors: Vec::new(),
            slices: Vec::new(),
            catastrophic: nothing.clone(),
            collapse: nothing.measurement,
            residuals: None,
            methods: std::collections::BTreeMap::new(),
            verdict: Verdict::Insufficient,
        }
    }

    #[test]
    fn nobody_is_woken_by_one_window_below_a_floor() {
        let mut rules = Rules::default();
        let floor = |value: f64| {
            let floor = Check::require(Measurement::new("auc_upper95", value, 500), Operator::AtLeast, 0.7, 1);
            let verdict = floor.verdict;
            PerformanceReport { floors: vec![floor], verdict, ..labelled(1.0, true) }
        };
        let seen = |rules: &Rules, performance: Vec<PerformanceReport>| {
            below_a_floor(&Observation { performance, ..Observation::nothing(&"rain".parse().unwrap()) }, rules)
        };
        assert_eq!(seen(&rules, vec![floor(0.6), floor(0.6)]), Seen::Over, "there is no floor any more");
        rules.performance.floors.insert("auc".to_owned(), 0.7);
        assert_eq!(seen(&rules, vec![floor(0.8), floor(0.8), floor(0.6)]), Seen::Over);
        assert_eq!(seen(&rules, vec![floor(0.6)]), Seen::Unclear);
        assert_eq!(seen(&rules, vec![]), Seen::Unclear);
        let Seen::Stands(told) = seen(&rules, vec![floor(0.8), floor(0.6), floor(0.6)]) else {
            panic!("nobody was told")
        };
        assert_eq!(told.level, Level::Critical);
        assert!(
            told.text.contains("windows_below_a_floor 2") && told.text.contains("auc_upper95 0.6 >= 0.7"),
            "{told:?}"
        );
        // The baseline is another matter.
        let performance = vec![floor(0.8), floor(0.6), floor(0.6)];
        let observation = Observation { performance, ..Observation::nothing(&"rain".parse().unwrap()) };
        assert_eq!(performance_loss(&observation, &rules), Seen::Unclear);
    }

    #[test]
    fn labels_that_did_not_come_are_told_once_they_should_be_there() {
        let seen = |performance: Vec<PerformanceReport>| {
            label_coverage(&Observation { performance, ..Observation::nothing(&"rain".parse().unwrap()) })
        };
        assert_eq!(seen(vec![]), Seen::Unclear);
        assert_eq!(seen(vec![labelled(0.2, false)]), Seen::Unclear);
        assert_eq!(seen(vec![labelled(0.9, true), labelled(0.0, false)]), Seen::Over);
        assert!(matches!(seen(vec![labelled(0.9, true), labelled(0.2, true)]), Seen::Stands(_)));
    }

    #[test]
    fn an_estimate_is_told_and_never_more_than_a_warning() {
        let rules = Rules::default();
        let estimated = |verdict| EstimateReport {
            format_version: 1,
            model: "rain".parse().unwrap(),
            version: Version::FIRST,
            bundle: Digest::of("bundle"),
            window: Window { start: Timestamp::EPOCH, size: Span::from_days(1) },
            snapshot: Digest::of("snapshot"),
            metrics: Vec::new(),
            checks: vec![Check {
                verdict,
                ..Check::require(Measurement::new("auc_estimated_drop_lower95", 0.2, 500), Operator::AtMost, 0.02, 1)
            }],
            method: String::new(),
            assumes: String::new(),
            verdict,
        };
        let seen = |verdicts: &[Verdict]| {
            let estimated = verdicts.iter().map(|verdict| estimated(*verdict)).collect();
            foreseen(&Observation { estimated, ..Observation::nothing(&"rain".parse().unwrap()) }, &rules)
        };
        assert_eq!(seen(&[Verdict::Fail]), Seen::Unclear, "one odd window confirms nothing");
        assert_eq!(seen(&[Verdict::Pass, Verdict::Fail, Verdict::Pass]), Seen::Over);
        assert_eq!(seen(&[Verdict::Insufficient; 3]), Seen::Unclear);
        let Seen::Stands(finding) = seen(&[Verdict::Fail, Verdict::Pass, Verdict::Fail]) else { panic!("not told") };
        assert_eq!(finding.level, Level::Warning);
        assert!(finding.text.contains("no label was looked at"), "{}", finding.text);
    }

    #[test]
    fn errors_of_a_regression_that_lie_elsewhere_are_concept_drift() {
        let (rules, line) = (Rules::default(), Measurement::new("p_adjusted", 0.0, 300));
        let failed = Check::require(line, Operator::AtLeast, 0.01, 1);
        let moved = Residuals {
            edges: Vec::new(),
            reference: Vec::new(),
            current: Vec::new(),
            checks: vec![failed.clone(); 2],
            coverage: failed,
        };
        let report = |verdict| PerformanceReport { verdict, residuals: Some(moved.clone()), ..labelled(0.9, true) };
        let seen = |performance| {
            concept_drift(&Observation { performance, ..Observation::nothing(&"rain".parse().unwrap()) }, &rules)
        };
        assert!(matches!(seen(vec![report(Verdict::Pass), report(Verdict::Pass)]), Seen::Stands(_)));
        assert_eq!(
            seen(vec![report(Verdict::Pass), report(Verdict::Insufficient)]),
            Seen::Unclear,
            "one is not mature"
        );
    }
}
