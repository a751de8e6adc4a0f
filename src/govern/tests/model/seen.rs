//! Everything that can be seen at one tick, as far as a decision looks at it.

use super::super::scene::{self, against, bundle, judged, plan};
use super::canonical::{FORMER, NEXT, SERVES, TAKEN_BACK, WALKS_ANEW, after, newest};
use super::domain::{Breadth, Named, UNIT};
use crate::drift::Severity;
use crate::evaluate::Opponent;
use crate::govern::*;
use crate::snapshot::Window;
use crate::types::{Digest, Timestamp, Verdict, Version};

/// What evidence there can be depends on no more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// For how many units the champion has served, as far as a rule tells.
    pub champion: Option<i64>,
    pub former: usize,
    pub candidate: Option<(State, Version)>,
}

impl Shape {
    pub fn of(standing: &Standing) -> Shape {
        Shape {
            champion: standing.champion.as_ref().map(|serving| newest().since(serving.since).micros() / UNIT.micros()),
            former: standing.retired.len(),
            candidate: standing.candidate.as_ref().map(|candidate| (candidate.state, candidate.version)),
        }
    }
}

/// What is said of the champion's windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serving {
    Quiet,
    Silent,
    Drifts,
    Fell,
    FellAndFormerIsBroken,
    FellAsTheWorldMoved,
    FellAndNobodyKnowsOfDrift,
    AnotherFell,
    /// The predecessor is better on the newest labelled rows, whatever moved.
    Outdone,
    /// The same is said of another champion, or of another's watch.
    AnotherIsOutdone,
    /// Nobody knows yet whether it is.
    PerhapsOutdone,
    /// It fell, and the predecessor is broken too.
    FellWithNoWayBack,
}

const SERVING: [Serving; 12] = [
    Serving::Quiet,
    Serving::Silent,
    Serving::Drifts,
    Serving::Fell,
    Serving::FellAndFormerIsBroken,
    Serving::FellAsTheWorldMoved,
    Serving::FellAndNobodyKnowsOfDrift,
    Serving::AnotherFell,
    Serving::Outdone,
    Serving::AnotherIsOutdone,
    Serving::PerhapsOutdone,
    Serving::FellWithNoWayBack,
];

/// How the candidate's bundle lies in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    Whole,
    Broken,
    Replaced,
    Nowhere,
}

/// What the gate of the candidate's state says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Nothing,
    Says(Verdict),
    /// `Pass`, but of another champion or opponent.
    OfAnother,
    /// `Pass`, but of another bundle.
    OfAnotherBundle,
    /// `Pass`, but up to an instant that has not been.
    Ahead,
    /// `Pass`, but up to an instant before the newest window.
    Behind,
}

const GATES: [Gate; 9] = [
    Gate::Nothing,
    Gate::Says(Verdict::Pass),
    Gate::Says(Verdict::Insufficient),
    Gate::Says(Verdict::Error),
    Gate::Says(Verdict::Fail),
    Gate::OfAnother,
    Gate::OfAnotherBundle,
    Gate::Ahead,
    Gate::Behind,
];

/// What is said of the candidate: how it lies, what its gate says, and whether it drifts against its own profile.
type Walking = (Lies, Gate, Severity);

const PASSES: Walking = (Lies::Whole, Gate::Says(Verdict::Pass), Severity::None);

fn all_walking(shape: Shape) -> Vec<Walking> {
    let Some((state, _)) = shape.candidate else { return vec![PASSES] };
    let mut all: Vec<Walking> = Vec::new();
    for gate in GATES {
        all.push((Lies::Whole, gate, Severity::None));
        if state != State::Training {
            all.push((Lies::Whole, gate, Severity::Severe));
        }
    }
    for lies in [Lies::Broken, Lies::Replaced, Lies::Nowhere] {
        all.push((lies, Gate::Says(Verdict::Pass), Severity::None));
        all.push((lies, Gate::Says(Verdict::Fail), Severity::None));
    }
    all
}

/// The few that differ most.
fn some_walking(shape: Shape) -> Vec<Walking> {
    match shape.candidate {
        None => vec![PASSES],
        Some(_) => vec![
            PASSES,
            (Lies::Whole, Gate::Nothing, Severity::None),
            (Lies::Whole, Gate::Says(Verdict::Fail), Severity::None),
            (Lies::Replaced, Gate::Says(Verdict::Pass), Severity::None),
        ],
    }
}

/// Whether a window was sealed, and whether there are rows enough for a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    Nothing,
    Window,
    WindowAndRows,
    /// A window that ends later than now.
    WindowAhead,
}

/// The evidence of one tick at an instant so many units after the newest entry.
pub fn seen(shape: Shape, offset: i64, walking: Walking, serving: Serving, came: Came, next: Version) -> Observation {
    let now = after(offset.max(0));
    let last = Window { start: now - UNIT, size: UNIT };
    let mut seen = Observation::nothing(&scene::model());
    seen.data = Data { datasets: vec![Digest::of("data")], rows: 10_000, refused: Vec::new() };
    seen.next = Some(plan(next));
    match came {
        Came::Nothing => {}
        Came::Window => seen.judged.push(judged(last)),
        Came::WindowAndRows => {
            seen.judged.push(judged(last));
            seen.data.rows = 200_000;
        }
        Came::WindowAhead => seen.judged.push(judged(last.next())),
    }
    if let Some(age) = shape.champion {
        serve(&mut seen, last, serving, after(-age));
    }
    for former in &FORMER[FORMER.len() - shape.former..] {
        // Of two the newest: then there is one to return to all the same.
        let broken = serving == Serving::FellAndFormerIsBroken && *former == FORMER[FORMER.len() - 1];
        let verdict = if broken { Verdict::Fail } else { Verdict::Pass };
        seen.bundles.push(Bundle { verdict, ..bundle(*former) });
    }
    if let Some((state, version)) = shape.candidate {
        walk(&mut seen, shape, (state, version), walking, (last, now));
    }
    seen
}

fn serve(seen: &mut Observation, last: Window, serving: Serving, since: Timestamp) {
    let drift = |severity, verdict| vec![scene::drift(SERVES, last, severity, verdict)];
    let (quiet, severe) = (drift(Severity::None, Verdict::Pass), drift(Severity::Severe, Verdict::Fail));
    let performs = |version, verdict| vec![scene::performance(version, last, verdict, verdict)];
    (seen.drift, seen.performance) = match serving {
        Serving::Quiet => (quiet, performs(SERVES, Verdict::Pass)),
        Serving::Silent => (Vec::new(), Vec::new()),
        Serving::Drifts => (severe, performs(SERVES, Verdict::Pass)),
        Serving::Fell | Serving::FellAndFormerIsBroken | Serving::FellWithNoWayBack => {
            (quiet, performs(SERVES, Verdict::Fail))
        }
        Serving::FellAsTheWorldMoved => (severe, performs(SERVES, Verdict::Fail)),
        Serving::FellAndNobodyKnowsOfDrift => (Vec::new(), performs(SERVES, Verdict::Fail)),
        Serving::AnotherFell => (quiet, performs(TAKEN_BACK, Verdict::Fail)),
        Serving::Outdone | Serving::AnotherIsOutdone | Serving::PerhapsOutdone => {
            (severe, performs(SERVES, Verdict::Pass))
        }
    };
    let watch = |champion, since, verdict| Some(scene::watch(champion, since, FORMER[1], verdict));
    seen.watch = match serving {
        Serving::Outdone => watch(SERVES, since, Verdict::Pass),
        Serving::AnotherIsOutdone => watch(SERVES, since - UNIT, Verdict::Pass),
        Serving::PerhapsOutdone => watch(SERVES, since, Verdict::Insufficient),
        Serving::FellWithNoWayBack => watch(SERVES, since, Verdict::Fail),
        Serving::Quiet
        | Serving::Silent
        | Serving::Drifts
        | Serving::Fell
        | Serving::FellAndFormerIsBroken
        | Serving::FellAsTheWorldMoved
        | Serving::FellAndNobodyKnowsOfDrift
        | Serving::AnotherFell => None,
    };
    seen.bundles.push(bundle(SERVES));
}

fn walk(seen: &mut Observation, shape: Shape, candidate: (State, Version), walking: Walking, at: (Window, Timestamp)) {
    let ((state, version), (lies, gate, severity), (last, now)) = (candidate, walking, at);
    let whole = bundle(version);
    seen.bundles.extend(match lies {
        Lies::Whole => Some(whole),
        Lies::Broken => Some(Bundle { verdict: Verdict::Fail, digest: None, ..whole }),
        Lies::Replaced => Some(Bundle { digest: Some(Digest::of("another")), ..whole }),
        Lies::Nowhere => None,
    });
    let (verdict, until) = match gate {
        Gate::Nothing => return,
        Gate::Says(verdict) => (verdict, now),
        Gate::OfAnother | Gate::OfAnotherBundle => (Verdict::Pass, now),
        Gate::Ahead => (Verdict::Pass, now + UNIT),
        Gate::Behind => (Verdict::Pass, last.start),
    };
    if state == State::Training {
        let first = shape.champion.is_none() || version.major != SERVES.major;
        let usual = if first { Opponent::FirstOfLineage } else { against(SERVES) };
        let other = if first { against(SERVES) } else { Opponent::FirstOfLineage };
        let mut report = scene::evaluation(version, if gate == Gate::OfAnother { other } else { usual }, verdict);
        if gate == Gate::OfAnotherBundle {
            report.candidate_bundle = Digest::of("another");
        }
        seen.evaluation = Some(report);
        return;
    }
    let champion = if gate == Gate::OfAnother { TAKEN_BACK } else { SERVES };
    let mut report = scene::shadow(champion, version, until, until, verdict);
    if gate == Gate::OfAnotherBundle {
        report.candidate_bundle = Digest::of("another");
    }
    seen.shadow = Some(report);
    if severity == Severity::Severe {
        seen.candidate_drift = vec![scene::drift(version, last, severity, Verdict::Fail)];
    }
}

type Combined = (Walking, Serving, Came, Version);

/// Everything that may be said of the candidate beside a champion that is well and one that fell; everything that may be said of
/// the champion beside the candidates that differ most.
pub fn evidence(shape: Shape, breadth: Breadth) -> Vec<Combined> {
    let mut combined: Vec<Combined> = Vec::new();
    let serving = if shape.champion.is_some() { &SERVING[..] } else { &SERVING[..1] };
    for walking in all_walking(shape) {
        let servings = if shape.champion.is_some() { &[Serving::Quiet, Serving::Fell][..] } else { serving };
        combined.extend(servings.iter().map(|serving| (walking, *serving, Came::Window, NEXT)));
    }
    let some = if breadth == Breadth::Whole { some_walking(shape) } else { vec![PASSES] };
    for (walking, serving) in
        some.into_iter().flat_map(|walking| serving.iter().map(move |serving| (walking, *serving)))
    {
        for came in [Came::Nothing, Came::Window, Came::WindowAndRows, Came::WindowAhead] {
            combined.push((walking, serving, came, NEXT));
        }
        if shape.candidate.is_none() {
            combined.push((walking, serving, Came::WindowAndRows, WALKS_ANEW));
        }
    }
    combined
}

pub fn odd_evidence(shape: Shape) -> Vec<Combined> {
    let mut combined: Vec<Combined> =
        some_walking(shape).into_iter().map(|walking| (walking, Serving::Quiet, Came::Window, NEXT)).collect();
    if shape.champion.is_some() {
        combined.extend([Came::WindowAndRows, Came::WindowAhead].map(|came| (PASSES, Serving::Fell, came, NEXT)));
    }
    combined
}

pub fn key_evidence(shape: Shape, offset: i64) -> Vec<Named<Observation>> {
    let mut key = vec![("everything passes", PASSES, Serving::Quiet, Came::Window)];
    if shape.champion.is_some() {
        key.push(("the champion fell", PASSES, Serving::Fell, Came::WindowAndRows));
    }
    key.push(("nothing is known", (Lies::Whole, Gate::Nothing, Severity::None), Serving::Silent, Came::Nothing));
    if shape.candidate.is_some() {
        let fails = (Lies::Whole, Gate::Says(Verdict::Fail), Severity::None);
        key.push(("the candidate fails", fails, Serving::Quiet, Came::Window));
        let broken = (Lies::Broken, Gate::Says(Verdict::Pass), Severity::None);
        key.push(("the candidate is broken", broken, Serving::Quiet, Came::Window));
    }
    let name = |(name, walking, serving, came): (&str, Walking, Serving, Came)| {
        (name.to_owned(), seen(shape, offset, walking, serving, came, NEXT))
    };
    key.into_iter().map(name).collect()
}
