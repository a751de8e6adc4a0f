//! The stated domain: the rules, every set of orders, every instant; and which of them meet what is seen (`seen`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::super::scene::order;
use super::canonical::{FORMER, NEXT, SERVES, TAKEN_BACK, WALKS, after, used_order};
use super::seen::{Came, Gate, Lies, Serving, Shape, evidence, key_evidence, odd_evidence, seen};
use crate::drift::Severity;
use crate::govern::*;
use crate::types::{Digest, Span, Verdict};

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

/// Evidence, or orders, by a name that a person reads in a trace.
pub type Named<T> = (String, T);

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
    // Where nobody walks, or nobody serves, what an order says of one is not looked at.
    if shape.candidate.is_some() {
        for kind in [Order::Approve, Order::Promote, Order::Reject] {
            alone(&format!("{kind} of another bundle"), another(kind));
        }
        alone("reject by version", Override { bundle: None, ..new(Order::Reject) });
    }
    for kind in [Order::Rollback, Order::Reject, Order::Promote, Order::Retrain, Order::Clock] {
        alone(&format!("{kind}, obeyed before"), used_order(kind));
        alone(&format!("{kind} under an id of before"), Override { reason: "again".into(), ..used_order(kind) });
    }
    for version in [SERVES, FORMER[1], FORMER[0], TAKEN_BACK, walks].into_iter().filter(|_| shape.champion.is_some()) {
        alone(&format!("rollback to {version}"), order("new-rollback", Order::Rollback, Some(version)));
    }
    alone("pin of another", order("new-pin", Order::Pin, Some(TAKEN_BACK)));
    // In force before, at its very end one unit after the newest entry, and over from then on.
    for kind in KINDS {
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
    let reject = Override { bundle: None, ..order("new-reject", Order::Reject, Some(walks)) };
    let retrain = order("new-retrain", Order::Retrain, None);
    let rollback = order("new-rollback", Order::Rollback, None);
    let orders = match (breadth, shape.champion) {
        (Breadth::Whole, _) => vec![Vec::new(), vec![reject], vec![retrain], vec![rollback]],
        (Breadth::Short, None) => vec![Vec::new(), vec![reject], vec![retrain]],
        (Breadth::Short, Some(_)) => vec![Vec::new(), vec![reject], vec![rollback]],
    };
    // A training begins when the champion fell, or by order; with so many new rows at every tick none would be walked to its end.
    let mut servings = vec![(Serving::Quiet, Came::Window)];
    if shape.champion.is_some() {
        servings.push((Serving::Fell, Came::WindowAndRows));
    }
    let mut few = Vec::new();
    for walking in walkings {
        for (serving, came) in &servings {
            for offset in if breadth == Breadth::Whole { 0..2 } else { 1..2 } {
                let observation = seen(shape, offset, walking, *serving, *came, NEXT);
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
