//! Why a version is or is not promoted, and what would change that, in one screen; pure.

use serde::Serialize;

use crate::drift::DriftReport;
use crate::govern::{Decision, Entry, Mode, Observation, Rules, Standing, State};
use crate::performance::PerformanceReport;
use crate::types::{Check, Digest, ModelName, Timestamp, Verdict, Version};

/// A check that is not `Pass`, and what it is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Open {
    /// `evaluation`, `shadow`, `drift`, `performance`
    pub about: &'static str,
    /// The check.
    #[serde(flatten)]
    pub check: Check,
}

/// Why a version stands where it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// The version.
    pub version: Version,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// The entry that says so.
    pub entry: u64,
    /// The digest of its manifest; none while it has none.
    pub bundle: Option<Digest>,
    /// What that entry gave as reasons.
    pub because: Vec<String>,
    /// Checks that pass.
    pub passed: u64,
    /// Checks that do not, the worst first.
    pub open: Vec<Open>,
    /// What it waits for, or what is wrong beside the checks.
    pub waits: Vec<String>,
    /// What would change where it stands.
    pub would_change: Vec<String>,
}

/// What a version is judged by: what is seen now for one that lives, what its last entry was decided on for one that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The journal, oldest entry first.
    pub entries: &'a [Entry],
    /// The journal, folded.
    pub standing: &'a Standing,
    /// What is seen now.
    pub now: &'a Observation,
    /// What would be decided now.
    pub decision: &'a Decision,
    /// What the version's last entry was decided on, if that is here.
    pub then: Option<&'a Observation>,
    /// The rules in force.
    pub rules: &'a Rules,
}

/// Why a version stands where it stands; nothing if it never took a step.
pub fn why(model: &ModelName, version: Version, seen: Seen<'_>) -> Option<Why> {
    let steps = seen.entries.iter().rev().flat_map(|entry| {
        let steps = entry.decision.transitions.iter().rev();
        steps.map(move |step| (entry, step))
    });
    let (entry, step) = steps.into_iter().find(|(_, step)| step.version == version)?;
    let lives = step.to.is_candidate() || step.to == State::Promoted;
    let observation = if lives { Some(seen.now) } else { seen.then };
    let checks = observation.map(|observation| checks_of(observation, version)).unwrap_or_default();
    let passed = checks.iter().filter(|open| open.check.verdict.is_pass()).count() as u64;
    let mut open: Vec<Open> = checks.into_iter().filter(|open| !open.check.verdict.is_pass()).collect();
    open.sort_by_key(|open| std::cmp::Reverse(open.check.verdict));
    let mut waits = Vec::new();
    if lives {
        let bundle = seen.now.bundle(version).filter(|bundle| bundle.verdict == Verdict::Fail);
        waits.extend(bundle.map(|bundle| format!("its bundle does not verify: {}", bundle.note)));
        waits.extend(seen.decision.held.iter().map(|why| format!("the model is held: {why}")));
        // What is said of other versions, or has been said as an open check, is left out.
        let others = seen.standing.versions.keys().filter(|other| **other != version);
        let of_others: Vec<String> = others.map(|other| format!("{other} ")).collect();
        let said: Vec<String> = open.iter().map(|open| open.check.to_string()).collect();
        let notes = seen.decision.notes.iter().filter(|note| {
            let elsewhere = of_others.iter().any(|other| note.starts_with(other));
            !elsewhere && !said.iter().any(|check| note.contains(check))
        });
        waits.extend(notes.cloned());
    }
    Some(Why {
        version,
        state: step.to,
        since: entry.decision.at,
        entry: entry.seq,
        bundle: step.bundle,
        because: step.reasons.clone(),
        passed,
        open,
        waits,
        would_change: would_change(model, version, step.to, entry.decision.at, &seen),
    })
}

/// Every check that speaks of a version, in the order of the stages; of windows the newest.
fn checks_of(seen: &Observation, version: Version) -> Vec<Open> {
    let mut checks = Vec::new();
    let mut add = |about, found: &mut dyn Iterator<Item = &Check>| {
        checks.extend(found.map(|check| Open { about, check: check.clone() }));
    };
    let drift: Option<&DriftReport> =
        seen.drift.iter().chain(&seen.candidate_drift).rev().find(|report| report.version == version);
    if let Some(report) = drift {
        add("drift", &mut [&report.dataset, &report.weighted_psi].into_iter());
    }
    let performance: Option<&PerformanceReport> =
        seen.performance.iter().rev().find(|report| report.version == version);
    if let Some(report) = performance {
        add(
            "performance",
            &mut report.maturity.iter().chain(&report.checks).chain(&report.floors).chain([&report.catastrophic]),
        );
    }
    if let Some(report) = seen.evaluation.as_ref().filter(|report| report.candidate == version) {
        add("evaluation", &mut report.checks.iter());
    }
    if let Some(report) = seen.shadow.as_ref().filter(|report| report.candidate == version) {
        let proven_worse = report.shown.iter().filter(|check| check.verdict == Verdict::Fail);
        add("shadow", &mut report.checks.iter().chain(proven_worse));
    }
    checks
}

/// What would change where a version stands, by the rules in force.
fn would_change(model: &ModelName, version: Version, state: State, since: Timestamp, seen: &Seen<'_>) -> Vec<String> {
    let Rules { promotion, rollback, shadow, .. } = seen.rules;
    let first = seen.standing.champion.is_none();
    let mode = if first { promotion.first } else { promotion.mode };
    let approve = match mode {
        Mode::Manual => Some("an `approve` override: promotion is manual".to_owned()),
        Mode::Automatic => None,
    };
    let order = |what: &str| format!("a `{what}` override in governance/{model}/overrides/");
    match state {
        State::Training => vec![
            "its bundle published and verified, and every evaluation check Pass: it shadows".to_owned(),
            format!("a check that Fails, or {} failed attempts: it is rejected", promotion.attempts),
        ],
        State::Shadowing => {
            let begun = seen.standing.candidate.as_ref().and_then(|candidate| candidate.shadowing_since);
            let until = begun.unwrap_or(since) + shadow.max_age;
            vec![
                "every shadow check Pass: it becomes PROMOTABLE".to_owned(),
                format!("proven worse, or not yet PROMOTABLE at {until}: it is rejected"),
                order("promote"),
            ]
        }
        State::Promotable => {
            let due = match first {
                true => "the next run of `governor`: it is promoted".to_owned(),
                false => format!("still Pass on a judged window sealed after {since}: it is promoted"),
            };
            let back = "a gate that is no longer Pass: it shadows again".to_owned();
            std::iter::once(due).chain(approve).chain([back]).collect()
        }
        State::Promoted => vec![
            format!("a catastrophic mature loss without severe drift until {}: rolled back", since + rollback.watch),
            "a candidate that is promoted: it retires".to_owned(),
            order("rollback"),
        ],
        State::Rejected => vec![
            "nothing: REJECTED is an end".to_owned(),
            format!(
                "another version may be trained: by the policy on newer evidence, or `regent train candidate {model}`"
            ),
        ],
        State::Retired => {
            let champion = seen.standing.champion_version();
            let champion = champion.map_or_else(|| "the champion".to_owned(), |champion| champion.to_string());
            vec![
                format!("a rollback of {champion}, while {version} is the newest former champion that verifies"),
                format!("{} that names it", order("rollback")),
            ]
        }
        State::RolledBack => vec!["nothing: ROLLED_BACK is an end".to_owned()],
    }
}
