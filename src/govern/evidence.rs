//! What of an observation is evidence; pure. A report about another model, version, bundle, opponent or time is set aside and
//! said, and what is set aside counts as not seen.

use std::collections::BTreeMap;

use super::decide::Draft;
use super::observe::{Judged, Observation};
use super::rules::Rules;
use super::standing::{Candidate, Champion, Standing};
use crate::drift::DriftReport;
use crate::evaluate::{Evaluation, Opponent};
use crate::performance::PerformanceReport;
use crate::shadow::ShadowReport;
use crate::snapshot::Window;
use crate::types::{Check, Digest, ModelName, Timestamp, Verdict, Version};

/// What may be rested on, each series in the order of time and each window once.
pub(super) struct Evidence {
    /// Judged windows.
    pub(super) judged: Vec<Judged>,
    /// The champion's drift in the last windows.
    pub(super) drift: Vec<DriftReport>,
    /// The champion's performance.
    pub(super) performance: Vec<PerformanceReport>,
    /// The candidate's drift against its own profile.
    pub(super) candidate_drift: Vec<DriftReport>,
    /// The end of the newest window that was judged, now or before.
    pub(super) judged_until: Option<Timestamp>,
    /// What was set aside, each with its reason.
    pub(super) set_aside: Vec<String>,
}

/// Whose report it is to be, and since when it stands where it stands.
struct Subject {
    version: Version,
    bundle: Option<Digest>,
    since: Timestamp,
}

impl From<&Champion> for Subject {
    fn from(champion: &Champion) -> Self {
        Subject { version: champion.version, bundle: Some(champion.bundle), since: champion.since }
    }
}

impl From<&Candidate> for Subject {
    fn from(candidate: &Candidate) -> Self {
        let since = candidate.shadowing_since.unwrap_or(candidate.since);
        Subject { version: candidate.version, bundle: candidate.bundle, since }
    }
}

impl Evidence {
    /// Keep what speaks of who stands where, at a time that has been.
    pub(super) fn of(observation: &Observation, standing: &Standing, rules: &Rules, now: Timestamp) -> Evidence {
        let mut set_aside = Vec::new();
        let judged = judged(observation, now, &mut set_aside);
        let judged_until = standing.judged_until.max(judged.last().map(|judged| judged.window.end()));
        let mut sieve = Sieve { model: &observation.model, now, set_aside };
        let champion = standing.champion.as_ref().map(Subject::from);
        let candidate = standing.candidate.as_ref().map(Subject::from);
        // Older than the windows that are counted: it was judged when it was new.
        let old = |window: Window| {
            let counted = window.end() + window.size.times(rules.drift.of as i64);
            judged_until.is_some_and(|until| counted <= until).then(|| "it is too old".to_owned())
        };
        Evidence {
            drift: sieve.keep(&observation.drift, "drift", champion.as_ref(), |report| Claim {
                fault: old(report.window),
                ..Claim::from(report)
            }),
            performance: sieve.keep(&observation.performance, "performance", champion.as_ref(), |report| Claim {
                fault: performance_fault(report, rules, now),
                ..Claim::from(report)
            }),
            candidate_drift: sieve.keep(&observation.candidate_drift, "drift", candidate.as_ref(), |report| Claim {
                fault: old(report.window),
                ..Claim::from(report)
            }),
            judged,
            judged_until,
            set_aside: sieve.set_aside,
        }
    }
}

/// Lets through what speaks of its subject, and remembers why the rest does not.
struct Sieve<'a> {
    model: &'a ModelName,
    now: Timestamp,
    set_aside: Vec<String>,
}

/// What a report says it speaks of, and what is wrong with it as such.
struct Claim<'a> {
    model: &'a ModelName,
    version: Version,
    bundle: Digest,
    window: Window,
    fault: Option<String>,
}

impl<'a> From<&'a DriftReport> for Claim<'a> {
    fn from(report: &'a DriftReport) -> Self {
        let DriftReport { model, version, bundle, window, .. } = report;
        Claim { model, version: *version, bundle: *bundle, window: *window, fault: None }
    }
}

impl<'a> From<&'a PerformanceReport> for Claim<'a> {
    fn from(report: &'a PerformanceReport) -> Self {
        let PerformanceReport { model, version, bundle, window, .. } = report;
        Claim { model, version: *version, bundle: *bundle, window: *window, fault: None }
    }
}

impl Sieve<'_> {
    /// Of a series the reports that speak of the subject, the newest window last and each window once.
    fn keep<'r, Report: Clone>(
        &mut self,
        reports: &'r [Report],
        kind: &str,
        subject: Option<&Subject>,
        claim: impl Fn(&'r Report) -> Claim<'r>,
    ) -> Vec<Report> {
        let mut kept: BTreeMap<Window, Report> = BTreeMap::new();
        for report in reports {
            let claim = claim(report);
            let window = claim.window;
            // The same window again is the same evidence: it counts once.
            let again = || kept.contains_key(&window).then(|| "there is one of this window already".to_owned());
            match self.fault(claim, subject).or_else(again) {
                Some(why) => self.set_aside.push(format!("the {kind} report of {window} is set aside: {why}")),
                None => drop(kept.insert(window, report.clone())),
            }
        }
        kept.into_values().collect()
    }

    fn fault(&self, claim: Claim<'_>, subject: Option<&Subject>) -> Option<String> {
        let Some(subject) = subject else { return Some("there is nobody it could speak of".to_owned()) };
        if claim.model != self.model {
            return Some(format!("it is of another model, {}", claim.model));
        }
        if claim.version != subject.version || subject.bundle.is_some_and(|bundle| bundle != claim.bundle) {
            return Some(format!("it is of {} {}, not of {}", claim.version, claim.bundle, subject.version));
        }
        if claim.window.end() > self.now {
            return Some(format!("its window ends in the future, now is {}", self.now));
        }
        if claim.window.end() <= subject.since {
            return Some(format!("its window was over before {} stood where it stands", subject.version));
        }
        claim.fault
    }
}

/// Windows that have ended and were sealed by now, in order, each once.
fn judged(observation: &Observation, now: Timestamp, set_aside: &mut Vec<String>) -> Vec<Judged> {
    let mut kept: Vec<Judged> = Vec::new();
    for judged in &observation.judged {
        let Judged { window, sealed_at, .. } = *judged;
        if window.end() > now || sealed_at > now || sealed_at < window.end() {
            set_aside.push(format!("the window {window} is set aside: sealed at {sealed_at}, now is {now}"));
        } else if kept.iter().all(|kept| kept.window != window) {
            kept.push(*judged);
        }
    }
    kept.sort_by_key(|judged| judged.window);
    kept
}

/// What is wrong with a performance report as such: it is too old, it judges an immature window, or its checks do not bear
/// its verdict out.
fn performance_fault(report: &PerformanceReport, rules: &Rules, now: Timestamp) -> Option<String> {
    if now.since(report.window.end()) > rules.performance.wait {
        return Some("it is too old".to_owned());
    }
    let mature = Verdict::worst(report.maturity.iter().map(|check| check.verdict)).is_pass();
    let judges = report.verdict.is_judged() || report.catastrophic.verdict.is_judged();
    if judges && !mature {
        return Some("it judges a window that is not mature".to_owned());
    }
    if report.labelled > report.predictions {
        return Some(format!("{} labels of {} predictions", report.labelled, report.predictions));
    }
    let of_slices = report.slices.iter().map(|slice| &slice.check);
    unsound(report.checks.iter().chain(&report.floors).chain(of_slices).chain([&report.catastrophic]))
}

/// The first check whose verdict its own number does not bear out.
fn unsound<'a>(checks: impl IntoIterator<Item = &'a Check>) -> Option<String> {
    let borne_out = |check: &Check| {
        let holds = check.measurement.value.number().map(|value| check.operator.holds(value, check.threshold));
        match check.verdict {
            Verdict::Pass => holds == Some(true),
            Verdict::Fail => holds == Some(false),
            Verdict::Insufficient | Verdict::Error => true,
        }
    };
    let unsound = checks.into_iter().find(|check| !borne_out(check))?;
    Some(format!("its verdict does not follow from its number: {unsound}"))
}

/// A report that may be cited, or what is waited for.
pub(super) type Cited<'a, Report> = Result<(&'a Report, Verdict), String>;

/// The candidate head to head with who serves now, and what it says.
pub(super) fn evaluation<'a>(draft: &Draft<'a>, candidate: &Candidate, bundle: Digest) -> Cited<'a, Evaluation> {
    let observation = draft.observation;
    let report = observation.evaluation.as_ref().ok_or("none has been made yet")?;
    let opponent = match &draft.standing.champion {
        Some(champion) if !draft.standing.first_of_lineage(candidate.version) => {
            Opponent::Champion { version: champion.version, bundle: champion.bundle }
        }
        Some(_) | None => Opponent::FirstOfLineage,
    };
    if report.model != observation.model {
        return Err(format!("the report is of another model, {}", report.model));
    }
    if report.candidate != candidate.version || report.candidate_bundle != bundle {
        return Err(format!("the report is of {} {}", report.candidate, report.candidate_bundle));
    }
    if report.against != opponent {
        return Err(format!("the report is against {}, not {}", named(&report.against), named(&opponent)));
    }
    match unsound(&report.checks) {
        Some(why) => Err(why),
        None => Ok((report, borne_out(report.verdict, &report.checks))),
    }
}

fn named(opponent: &Opponent) -> String {
    match opponent {
        Opponent::Champion { version, .. } => format!("the champion {version}"),
        Opponent::FirstOfLineage => "the prior".to_owned(),
    }
}

/// The candidate beside who serves now, up to the newest judged window, and what it says.
pub(super) fn shadow<'a>(draft: &Draft<'a>, candidate: &Candidate) -> Cited<'a, ShadowReport> {
    let observation = draft.observation;
    let report = observation.shadow.as_ref().ok_or("no live traffic has been judged yet")?;
    let champion = draft.standing.champion_version();
    if report.model != observation.model {
        return Err(format!("the report is of another model, {}", report.model));
    }
    if report.candidate != candidate.version || Some(report.candidate_bundle) != candidate.bundle {
        return Err(format!("the report is of {} {}", report.candidate, report.candidate_bundle));
    }
    if Some(report.champion) != champion {
        return Err(format!("the report is against {}, who does not serve", report.champion));
    }
    if report.until > draft.now {
        return Err(format!("the report reaches into the future: until {}, now is {}", report.until, draft.now));
    }
    if candidate.shadowing_since.is_none_or(|since| report.since < since) {
        return Err(format!("the report begins at {}, before the candidate shadowed", report.since));
    }
    if draft.evidence.judged_until.is_some_and(|judged| report.until < judged) {
        return Err(format!("the report ends at {}, before the newest judged window", report.until));
    }
    if report.labelled_pairs > report.pairs {
        return Err(format!("the report has {} labels of {} pairs", report.labelled_pairs, report.pairs));
    }
    match unsound(report.checks.iter().chain(&report.shown)) {
        Some(why) => Err(why),
        None => Ok((report, borne_out(report.verdict, &report.checks))),
    }
}

/// A report is no better than its worst check, and one without checks says nothing.
fn borne_out(verdict: Verdict, checks: &[Check]) -> Verdict {
    verdict.max(Verdict::worst(checks.iter().map(|check| check.verdict)))
}
