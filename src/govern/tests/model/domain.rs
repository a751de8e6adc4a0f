//! The stated domain: the rules, every evidence, every set of orders, every instant; and which of them meet.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::super::scene::{self, against, bundle, judged, order, plan};
use super::canonical::{FORMER, NEXT, SERVES, TAKEN_BACK, WALKS, WALKS_ANEW, after, newest, used_order};
use crate::drift::Severity;
use crate::evaluate::Opponent;
use crate::govern::*;
use crate::snapshot::Window;
use crate::types::{Digest, Span, Timestamp, Verdict, Version};

/// A judged window; every time that a rule compares with is a whole number of them.
pub const UNIT: Span = Span::from_days(1);

/// Small numbers, so that every order of events is short: what is compared, not how far apart it is, makes a state.
pub static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let mut rules = Rules::default();
    rules.promotion.cooldown = UNIT.times(2);
    rules.promotion.takeover_after = UNIT;
    rules.promotion.attempts = 2;
    rules.promotion.clock_jump = UNIT.times(2);
    rules.rollback.watch = UNIT.times(2);
    rules.shadow.max_age = UNIT.times(2);
    rules.retrain.cooldown = UNIT;
    (rules.drift.confirm, rules.drift.of) = (1, 1);
    rules
});

/// A clock that went back; one that stands still; windows that pass; and one that jumped further than is believed.
pub const BACK: i64 = -1;
pub const JUMPED: i64 = 3;

/// How much of the domain is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breadth {
    /// In every `make test`.
    Short,
    /// In `make test-model`.
    Whole,
}

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

/// Evidence, or orders, by a name that a person reads in a trace.
pub type Named<T> = (String, T);

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
enum Came {
    Nothing,
    Window,
    WindowAndRows,
    /// A window that ends later than now.
    WindowAhead,
}

/// The evidence of one tick at an instant so many units after the newest entry.
fn seen(shape: Shape, offset: i64, walking: Walking, serving: Serving, came: Came, next: Version) -> Observation {
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

/// Every set of orders: each alone, in every variant; each pair, and all at once.
pub fn every_set_of_orders(shape: Shape) -> Vec<Named<Vec<Override>>> {
    let walks = shape.candidate.map_or(WALKS, |(_, version)| version);
    let new = |kind: Order| {
        let version = match kind {
            Order::Pin => Some(SERVES),
            Order::Approve | Order::Promote | Order::Reject => Some(walks),
            Order::Rollback | Order::Freeze | Order::Retrain | Order::Clock => None,
        };
        order(&format!("new-{kind}"), kind, version)
    };
    let mut sets: Vec<Named<Vec<Override>>> = KINDS.map(|kind| (kind.to_string(), vec![new(kind)])).to_vec();
    let another = |kind| Override { bundle: Some(Digest::of("another")), ..new(kind) };
    let mut alone = |name: &str, order: Override| sets.push((name.to_owned(), vec![order]));
    for kind in [Order::Approve, Order::Promote, Order::Reject] {
        alone(&format!("{kind} of another bundle"), another(kind));
    }
    alone("reject by version", Override { bundle: None, ..new(Order::Reject) });
    for kind in [Order::Rollback, Order::Reject, Order::Promote, Order::Retrain, Order::Clock] {
        alone(&format!("{kind}, obeyed before"), used_order(kind));
        alone(&format!("{kind} under an id of before"), Override { reason: "again".into(), ..used_order(kind) });
    }
    for version in [SERVES, FORMER[1], FORMER[0], TAKEN_BACK, walks] {
        alone(&format!("rollback to {version}"), order("new-rollback", Order::Rollback, Some(version)));
    }
    alone("pin of another", order("new-pin", Order::Pin, Some(TAKEN_BACK)));
    for kind in KINDS {
        alone(&format!("{kind}, expired"), Override { expires: after(0), ..new(kind) });
        alone(&format!("{kind}, expiring"), Override { expires: after(1), ..new(kind) });
    }
    for (place, one) in KINDS.into_iter().enumerate() {
        for other in &KINDS[place + 1..] {
            sets.push((format!("{one} and {other}"), vec![new(*other), new(one)]));
        }
    }
    sets.push(("every order at once".to_owned(), KINDS.map(new).to_vec()));
    let two = [None, Some(FORMER[0])].map(|to| order(if to.is_none() { "a" } else { "b" }, Order::Rollback, to));
    sets.push(("two rollbacks".to_owned(), two.to_vec()));
    sets
}

pub const KINDS: [Order; 8] = [
    Order::Rollback,
    Order::Reject,
    Order::Freeze,
    Order::Pin,
    Order::Approve,
    Order::Promote,
    Order::Retrain,
    Order::Clock,
];

/// One tick: when, on what, under which orders. Numbers of `Choices`.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub offset: i64,
    pub seen: usize,
    pub orders: usize,
}

/// Whether orders that were obeyed before are remembered by the standing that meets them, so that they are not again.
pub fn remembered(orders: &[Override]) -> bool {
    orders.iter().any(|order| order.id.starts_with("used-"))
}

/// All ticks that a shape can meet.
pub struct Choices {
    pub seen: Vec<Named<Observation>>,
    pub orders: Vec<Named<Vec<Override>>>,
    pub ticks: Vec<Choice>,
}

impl Choices {
    /// The domain of a shape: all evidence without orders at the usual instants; the evidence that differs most under every set
    /// of orders; and both, more sparsely, at the odd instants.
    pub fn of(shape: Shape, breadth: Breadth) -> Choices {
        let mut choices =
            Choices { seen: Vec::new(), orders: vec![("no order".to_owned(), Vec::new())], ticks: Vec::new() };
        choices.orders.extend(every_set_of_orders(shape));
        let sets = choices.orders.len();
        let (usual, some): (&[i64], usize) = match breadth {
            Breadth::Whole => (&[0, 1, 2], usize::MAX),
            Breadth::Short => (&[1], 2),
        };
        for offset in BACK..=JUMPED {
            let odd = !usual.contains(&offset);
            let combined = if odd { odd_evidence(shape) } else { evidence(shape, breadth) };
            for (walking, serving, came, next) in combined {
                let name = format!("candidate {walking:?}, champion {serving:?}, came {came:?}, next {next}");
                choices.seen.push((name, seen(shape, offset, walking, serving, came, next)));
                choices.ticks.push(Choice { offset, seen: choices.seen.len() - 1, orders: 0 });
            }
            for (name, seen) in key_evidence(shape, offset).into_iter().take(if odd { 1 } else { some }) {
                choices.seen.push((name, seen));
                let place = choices.seen.len() - 1;
                // At odd instants one of each kind: the first of them all.
                let last = if odd && breadth == Breadth::Short { KINDS.len() + 1 } else { sets };
                choices.ticks.extend((1..last).map(|orders| Choice { offset, seen: place, orders }));
            }
        }
        choices
    }
}

type Combined = (Walking, Serving, Came, Version);

/// Everything that may be said of the candidate beside a champion that is well and one that fell; everything that may be said of
/// the champion beside the candidates that differ most.
fn evidence(shape: Shape, breadth: Breadth) -> Vec<Combined> {
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

fn odd_evidence(shape: Shape) -> Vec<Combined> {
    let mut combined: Vec<Combined> =
        some_walking(shape).into_iter().map(|walking| (walking, Serving::Quiet, Came::Window, NEXT)).collect();
    if shape.champion.is_some() {
        combined.extend([Came::WindowAndRows, Came::WindowAhead].map(|came| (PASSES, Serving::Fell, came, NEXT)));
    }
    combined
}

fn key_evidence(shape: Shape, offset: i64) -> Vec<Named<Observation>> {
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

/// The few ticks that the interleavings are made of.
pub fn few(shape: Shape, published: bool, breadth: Breadth) -> Vec<(String, i64, Observation, Vec<Override>)> {
    let lies = if published { Lies::Whole } else { Lies::Nowhere };
    let walkings = match (shape.candidate, published) {
        (None, _) | (Some((State::Training, _)), false) => vec![(lies, Gate::Nothing, Severity::None)],
        (Some(_), _) => {
            vec![(lies, Gate::Says(Verdict::Pass), Severity::None), (lies, Gate::Says(Verdict::Fail), Severity::None)]
        }
    };
    let walks = shape.candidate.map_or(WALKS, |(_, version)| version);
    let mut orders = vec![
        Vec::new(),
        vec![order("new-retrain", Order::Retrain, None)],
        vec![Override { bundle: None, ..order("new-reject", Order::Reject, Some(walks)) }],
    ];
    if breadth == Breadth::Whole {
        orders.push(vec![order("new-rollback", Order::Rollback, None)]);
    }
    let servings = if shape.champion.is_some() { vec![Serving::Quiet, Serving::Fell] } else { vec![Serving::Quiet] };
    let mut few = Vec::new();
    for walking in walkings {
        for serving in &servings {
            for offset in if breadth == Breadth::Whole { 0..2 } else { 1..2 } {
                let observation = seen(shape, offset, walking, *serving, Came::WindowAndRows, NEXT);
                for orders in &orders {
                    let ids: Vec<&str> = orders.iter().map(|order| order.id.as_str()).collect();
                    let name = format!("at +{offset}: {walking:?}, {serving:?}, orders {ids:?}");
                    few.push((name, offset, observation.clone(), orders.clone()));
                }
            }
        }
    }
    few
}

/// Choices by shape, made once.
pub type Tables = BTreeMap<Shape, Choices>;
