//! What may happen on a walk, and how often.

use proptest::prelude::*;

use crate::drift::Severity;
use crate::govern::*;
use crate::types::Verdict;

/// What a person, the world or a governor does next.
#[derive(Debug, Clone)]
pub enum Move {
    Hours(i64),
    /// The clock on the wall is set: so many hours from the truth.
    SetClock(i64),
    Order(Order, Aim, i64),
    TakeOrdersAway,
    /// The bundle of the champion, the candidate or the newest former champion.
    Damage(Whose, Verdict),
    /// One governor folds, looks and decides …
    Decide(usize, Box<Evidence>),
    /// … writes its entry and trains; it may crash instead, or the training may fail.
    Commit(usize, Fate),
    /// Both, with nobody between.
    Turn(Box<Evidence>, Fate),
}

#[derive(Debug, Clone, Copy)]
pub enum Aim {
    Right,
    AnotherBundle,
    AnotherVersion,
}

#[derive(Debug, Clone, Copy)]
pub enum Whose {
    Champion,
    Candidate,
    Former,
}

#[derive(Debug, Clone, Copy)]
pub enum Fate {
    Goes,
    Fails,
    Crashes,
}

/// What is seen, as far as it can be chosen.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub gate: Option<Verdict>,
    pub of_another: bool,
    pub own: Severity,
    pub loss: Verdict,
    pub catastrophic: Verdict,
    pub world: Option<Severity>,
    pub outdone: Option<Verdict>,
    pub window: bool,
    pub rows: u64,
    pub major: u64,
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        14 => Just(Verdict::Pass),
        1 => Just(Verdict::Insufficient),
        1 => Just(Verdict::Error),
        2 => Just(Verdict::Fail),
    ]
}

fn severity() -> impl Strategy<Value = Severity> {
    prop_oneof![6 => Just(Severity::None), 1 => Just(Severity::Moderate), 1 => Just(Severity::Severe)]
}

prop_compose! {
    pub fn evidence()(
        gate in prop::option::weighted(0.9, verdict()),
        of_another in prop::bool::weighted(0.05),
        own in severity(),
        (loss, catastrophic) in (verdict(), verdict()),
        world in prop::option::weighted(0.9, severity()),
        outdone in prop::option::weighted(0.1, verdict()),
        window in prop::bool::weighted(0.8),
        rows in 10_000u64..300_000,
        major in prop_oneof![8 => Just(1u64), 1 => Just(2)],
    ) -> Evidence {
        Evidence { gate, of_another, own, loss, catastrophic, world, outdone, window, rows, major }
    }
}

pub fn a_move() -> impl Strategy<Value = Move> {
    let kind = prop::sample::select(super::super::model::KINDS.to_vec());
    let aim = prop_oneof![5 => Just(Aim::Right), 1 => Just(Aim::AnotherBundle), 1 => Just(Aim::AnotherVersion)];
    let whose = prop_oneof![Just(Whose::Champion), Just(Whose::Candidate), Just(Whose::Former)];
    let fate = prop_oneof![8 => Just(Fate::Goes), 1 => Just(Fate::Fails), 1 => Just(Fate::Crashes)];
    let skew = prop_oneof![8 => Just(0i64), 3 => -200i64..200, 1 => -20_000i64..20_000];
    prop_oneof![
        8 => (0i64..40).prop_map(Move::Hours),
        1 => skew.prop_map(Move::SetClock),
        2 => (kind, aim, 1i64..60).prop_map(|(kind, aim, hours)| Move::Order(kind, aim, hours)),
        1 => Just(Move::TakeOrdersAway),
        1 => (whose, verdict()).prop_map(|(whose, verdict)| Move::Damage(whose, verdict)),
        5 => (0usize..2, evidence()).prop_map(|(governor, evidence)| Move::Decide(governor, Box::new(evidence))),
        5 => (0usize..2, fate.clone()).prop_map(|(governor, fate)| Move::Commit(governor, fate)),
        12 => (evidence(), fate).prop_map(|(evidence, fate)| Move::Turn(Box::new(evidence), fate)),
    ]
}
