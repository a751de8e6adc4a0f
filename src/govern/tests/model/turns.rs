//! Two governors at once, each of whose turns may stop at any point: fold and decide, inputs, entry, training, its failure.
//!
//! The steps are those of `promote::tick::run`; the entry is the one committing line, created if absent. Governors are alike, so
//! states that differ in who is who are one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use super::super::laws::decide_lawfully;
use super::super::scene::entry;
use super::canonical::{Key, after, beginning, canonical, failure, key};
use super::domain::{Breadth, RULES, few};
use super::explore::{Explored, words};
use super::seen::Shape;
use crate::govern::*;
use crate::types::Digest;

/// Where a governor is in its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    /// It does nothing; here it begins, and here it lies after a crash.
    Rest,
    /// It has decided on what it folded; the number of the record.
    Decided(usize),
    /// The inputs are written.
    Written(usize),
    /// Another wrote the entry it wanted.
    Late,
    /// Its entry is written; it trains this attempt, of the candidate or of one that is gone.
    Trains { attempt: u32, current: bool },
    /// The training failed, and the journal does not know yet.
    Failed { attempt: u32, current: bool },
}

/// A state of the world: where everything stands, whether the candidate's bundle is there, and where the governors are.
struct Point {
    standing: Standing,
    published: bool,
    governors: [At; 2],
    from: Option<(usize, String)>,
}

struct World {
    breadth: Breadth,
    points: Vec<Point>,
    known: BTreeMap<(Key, bool, [At; 2]), usize>,
    records: Vec<Record>,
    transitions: u64,
    promoted: u64,
    rolled_back: u64,
}

/// Explore every interleaving to the end.
///
/// # Panics
/// When a law is broken, with the way to it.
pub fn every_interleaving(breadth: Breadth) -> Explored {
    let mut world = World {
        breadth,
        points: Vec::new(),
        known: BTreeMap::new(),
        records: Vec::new(),
        transitions: 0,
        promoted: 0,
        rolled_back: 0,
    };
    world.reach(beginning(), false, [At::Rest; 2], None);
    let mut place = 0;
    while place < world.points.len() {
        for governor in 0..2 {
            world.move_on(place, governor);
        }
        place += 1;
    }
    let mut depth = 0;
    let mut at = place - 1;
    while let Some((from, _)) = &world.points[at].from {
        (at, depth) = (*from, depth + 1);
    }
    let World { points, transitions, promoted, rolled_back, .. } = world;
    let what = format!("interleavings of two governors, {breadth:?} domain");
    Explored { what, states: points.len(), transitions, depth, promoted, rolled_back }
}

impl World {
    fn reach(&mut self, standing: Standing, published: bool, mut governors: [At; 2], from: Option<(usize, String)>) {
        self.transitions += 1;
        governors.sort_unstable();
        if let Slot::Vacant(place) = self.known.entry((key(&standing), published, governors)) {
            place.insert(self.points.len());
            self.points.push(Point { standing: canonical(&standing), published, governors, from });
        }
    }

    /// Every step that one governor may take from here; a crash is one of them.
    fn move_on(&mut self, place: usize, governor: usize) {
        let Point { standing, published, governors, .. } = &self.points[place];
        let (standing, published, governors) = (standing.clone(), *published, *governors);
        let with = |at: At| {
            let mut moved = governors;
            moved[governor] = at;
            moved
        };
        let how = |step: &str| Some((place, format!("governor {governor} {step}")));
        match governors[governor] {
            At::Rest => self.decide(place, governor),
            At::Decided(record) => {
                self.reach(standing, published, with(At::Written(record)), how("writes the inputs"));
            }
            At::Written(record) => self.append(place, governor, record),
            At::Late => {
                self.reach(standing, published, with(At::Rest), how("is late: it folds again"));
            }
            At::Trains { attempt, current } => {
                let failed = with(At::Failed { attempt, current });
                self.reach(standing.clone(), published || current, with(At::Rest), how("publishes"));
                self.reach(standing, published, failed, how("sees the training fail"));
            }
            At::Failed { attempt, current } => self.journal(place, governor, attempt, current),
        }
        if governors[governor] != At::Rest {
            let Point { standing, published, .. } = &self.points[place];
            let (standing, published) = (standing.clone(), *published);
            self.reach(standing, published, with(At::Rest), how("crashes"));
        }
    }

    fn decide(&mut self, place: usize, governor: usize) {
        let Point { standing, published, governors, .. } = &self.points[place];
        let (standing, published, governors) = (standing.clone(), *published, *governors);
        for (name, offset, seen, orders) in few(Shape::of(&standing), published, self.breadth) {
            let decided = decide_lawfully(&standing, &seen, &RULES, &orders, after(offset));
            let (decision, _) = decided.unwrap_or_else(|broken| panic!("{broken}\n{}\n{name}", self.way_to(place)));
            let Some(record) = decision.record else { continue };
            let number = self.number(record);
            let mut moved = governors;
            moved[governor] = At::Decided(number);
            self.reach(
                standing.clone(),
                published,
                moved,
                Some((place, format!("governor {governor} decides {name}"))),
            );
        }
    }

    fn number(&mut self, record: Record) -> usize {
        match self.records.iter().position(|known| *known == record) {
            Some(number) => number,
            None => {
                self.records.push(record);
                self.records.len() - 1
            }
        }
    }

    /// The committing line: it was decided on this very head, else the governor would be `Late`.
    fn append(&mut self, place: usize, governor: usize, number: usize) {
        let record = self.records[number].clone();
        let training = record.training.as_ref().map(|training| training.attempt);
        let at = training.map_or(At::Rest, |attempt| At::Trains { attempt, current: true });
        let to = |state| record.transitions.iter().any(|step| step.to == state);
        self.rolled_back += u64::from(to(State::RolledBack));
        self.promoted += u64::from(to(State::Promoted) && !to(State::RolledBack));
        self.commit(place, governor, record, at, "writes the entry");
    }

    /// A failure is journalled if it is news, whoever wrote an entry in between.
    fn journal(&mut self, place: usize, governor: usize, attempt: u32, current: bool) {
        let standing = &self.points[place].standing;
        let version = match (&standing.candidate, current) {
            (Some(candidate), true) => candidate.version,
            (Some(_) | None, _) => super::canonical::TAKEN_BACK,
        };
        let failed = failure(version, attempt);
        let news = standing.candidate.as_ref().is_some_and(|candidate| candidate.awaits(&failed));
        if news {
            let record = Record { failed_attempt: Some(failed), ..Record::empty(after(0)) };
            self.commit(place, governor, record, At::Rest, "journals the failure");
        } else {
            let Point { standing, published, governors, .. } = &self.points[place];
            let (standing, published, mut moved) = (standing.clone(), *published, *governors);
            moved[governor] = At::Rest;
            self.reach(standing, published, moved, Some((place, format!("governor {governor} has no news"))));
        }
    }

    fn commit(&mut self, place: usize, governor: usize, record: Record, at: At, what: &str) {
        let Point { standing, published, governors, .. } = &self.points[place];
        let (published, mut moved) = (*published, *governors);
        let before = standing.candidate.as_ref().map(|candidate| candidate.version);
        let written = standing.clone().after(&entry(standing, record), Digest::of("written"));
        let next = written.unwrap_or_else(|refused| panic!("{what}: {refused}\n{}", self.way_to(place)));
        self.lawful(&next, place);
        let same = before.is_some() && next.candidate.as_ref().map(|candidate| candidate.version) == before;
        moved = moved.map(|other| match other {
            At::Decided(_) | At::Written(_) | At::Late => At::Late,
            At::Trains { attempt, current } => At::Trains { attempt, current: current && same },
            At::Failed { attempt, current } => At::Failed { attempt, current: current && same },
            At::Rest => At::Rest,
        });
        moved[governor] = at;
        let from = Some((place, format!("governor {governor} {what}")));
        self.reach(next, published && same, moved, from);
    }

    /// What holds wherever the journal stands, however it came there.
    fn lawful(&self, standing: &Standing, place: usize) {
        let broken = |what: &str| panic!("{what}\n{}\n  {}", self.way_to(place), words(standing));
        let serving = standing.versions.values().filter(|state| **state == State::Promoted).count();
        let walking = standing.versions.values().filter(|state| state.is_candidate()).count();
        if serving != usize::from(standing.champion.is_some()) {
            broken("one_champion");
        }
        if walking != usize::from(standing.candidate.is_some()) {
            broken("never_two_candidates");
        }
        let Some(candidate) = &standing.candidate else { return };
        let attempts = u64::from(candidate.training.attempt);
        if candidate.failures.len() as u64 > attempts || attempts > u64::from(RULES.promotion.attempts) {
            broken("an_attempt_fails_once");
        }
    }

    fn way_to(&self, place: usize) -> String {
        let mut way = vec![words(&self.points[place].standing)];
        let mut at = place;
        while let Some((from, step)) = &self.points[at].from {
            way.push(step.clone());
            way.push(format!("  {} {:?}", words(&self.points[*from].standing), self.points[*from].governors));
            at = *from;
        }
        way.reverse();
        way.join("\n")
    }
}
