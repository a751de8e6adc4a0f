//! Breadth first over every decision, on all cores; what breaks a law is shown with a shortest way to it.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::thread;

use super::super::laws::decide_lawfully;
use super::super::scene::entry;
use super::canonical::{Key, after, beginning, canonical, failure, key, used};
use super::domain::{Breadth, Choice, Choices, RULES, Tables, remembered};
use super::seen::Shape;
use crate::govern::*;
use crate::types::Digest;

/// The size of what was explored.
pub struct Explored {
    pub what: String,
    pub states: usize,
    pub transitions: u64,
    pub depth: usize,
    pub promoted: u64,
    pub rolled_back: u64,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explored { what, states, transitions, depth, promoted, rolled_back } = self;
        write!(
            f,
            "{what}: {states} states, {transitions} transitions, {depth} steps deep, to the end; \
             {promoted} promotions and {rolled_back} rollbacks among them"
        )
    }
}

/// How a state was reached.
#[derive(Clone, Copy)]
enum How {
    Begun,
    Tick(usize, Choice),
    Failure(usize),
}

struct Reached {
    standing: Standing,
    how: How,
}

/// Everything seen so far.
struct World {
    states: Vec<Reached>,
    known: BTreeMap<Key, usize>,
    tables: Tables,
}

/// What one state leads to.
#[derive(Default)]
struct Found {
    next: BTreeMap<Key, (How, Standing)>,
    transitions: u64,
    promoted: u64,
    rolled_back: u64,
    broken: Option<(How, String)>,
}

/// Explore the domain to its end.
///
/// # Panics
/// When a law is broken, with the way to it.
pub fn every_decision(breadth: Breadth) -> Explored {
    let mut world = World { states: Vec::new(), known: BTreeMap::new(), tables: Tables::new() };
    world.reach(key(&beginning()), How::Begun, beginning());
    let (mut from, mut depth) = (0, 0);
    let (mut transitions, mut promoted, mut rolled_back) = (0, 0, 0);
    while from < world.states.len() {
        let frontier = from..world.states.len();
        for place in frontier.clone() {
            let shape = Shape::of(&world.states[place].standing);
            world.tables.entry(shape).or_insert_with(|| Choices::of(shape, breadth));
        }
        for found in world.expand(frontier.clone()) {
            transitions += found.transitions;
            promoted += found.promoted;
            rolled_back += found.rolled_back;
            if let Some((how, broken)) = found.broken {
                panic!("{broken}\n{}", world.way_to(how));
            }
            for (key, (how, standing)) in found.next {
                world.reach(key, how, standing);
            }
        }

        from = frontier.end;
        depth += 1;
    }
    let what = format!("decisions, {breadth:?} domain");
    Explored { what, states: world.states.len(), transitions, depth, promoted, rolled_back }
}

impl World {
    fn reach(&mut self, key: Key, how: How, standing: Standing) {
        if let btree_map::Entry::Vacant(place) = self.known.entry(key) {
            place.insert(self.states.len());
            self.states.push(Reached { standing, how });
        }
    }

    fn expand(&self, frontier: std::ops::Range<usize>) -> Vec<Found> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let places: Vec<usize> = frontier.collect();
        let share = places.len().div_ceil(cores).max(1);
        thread::scope(|scope| {
            let work = |part: &[usize]| part.iter().map(|place| self.from(*place)).collect::<Vec<Found>>();
            let threads: Vec<_> = places.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    }

    /// Every tick from a state, and the news that its training failed.
    fn from(&self, place: usize) -> Found {
        let standing = &self.states[place].standing;
        let remembering = Standing { applied: used(), ..standing.clone() };
        let choices = &self.tables[&Shape::of(standing)];
        let mut found = Found::default();
        for choice in &choices.ticks {
            let how = How::Tick(place, *choice);
            let (seen, orders) = (&choices.seen[choice.seen].1, &choices.orders[choice.orders].1);
            let standing = if remembered(orders) { &remembering } else { standing };
            found.transitions += 1;
            match decide_lawfully(standing, seen, &RULES, orders, after(choice.offset)) {
                Ok((decision, Some(next))) => {
                    let steps = || decision.record.iter().flat_map(|record| &record.transitions);
                    let to = |state| steps().any(|step| step.to == state);
                    found.rolled_back += u64::from(to(State::RolledBack));
                    found.promoted += u64::from(to(State::Promoted) && !to(State::RolledBack));
                    self.keep(&mut found, how, &next);
                }
                Ok((_, None)) => {}
                Err(broken) => {
                    found.broken = Some((how, broken));
                    return found;
                }
            }
        }
        let attempt =
            standing.candidate.as_ref().map(|candidate| failure(candidate.version, candidate.training.attempt));
        if let Some(failed) = attempt {
            found.transitions += 1;
            let record = Record { failed_attempt: Some(failed), ..Record::empty(after(0)) };
            match standing.clone().after(&entry(standing, record), Digest::of("failed")) {
                Ok(next) => self.keep(&mut found, How::Failure(place), &next),
                Err(refused) => found.broken = Some((How::Failure(place), refused.to_string())),
            }
        }
        found
    }

    /// Keep what is new; of what is known look now and then whether it is the same indeed.
    fn keep(&self, found: &mut Found, how: How, next: &Standing) {
        let key = key(next);
        let known = self.known.get(&key).map(|place| &self.states[*place].standing);
        match known.or_else(|| found.next.get(&key).map(|(_, known)| known)) {
            None => drop(found.next.insert(key, (how, canonical(next)))),
            Some(known) if found.transitions.is_multiple_of(64) => {
                assert!(*known == canonical(next), "the key {key:?} leaves something out");
            }
            Some(_) => {}
        }
    }

    fn way_to(&self, how: How) -> String {
        let mut way = Vec::new();
        let mut at = how;
        loop {
            let from = match at {
                How::Begun => break,
                How::Failure(from) => {
                    way.push("its training fails".to_owned());
                    from
                }
                How::Tick(from, Choice { offset, seen, orders }) => {
                    let choices = &self.tables[&Shape::of(&self.states[from].standing)];
                    let (seen, orders) = (&choices.seen[seen].0, &choices.orders[orders].0);
                    way.push(format!("tick at {offset:+}: {seen}; {orders}"));
                    from
                }
            };
            way.push(format!("  {}", words(&self.states[from].standing)));
            at = self.states[from].how;
        }
        way.reverse();
        way.join("\n")
    }
}

/// Where everything stands, in a line.
pub fn words(standing: &Standing) -> String {
    let versions = standing.versions.iter().map(|(version, state)| format!("{version} {state}"));
    let versions = versions.collect::<Vec<_>>().join(", ");
    let attempt = standing.candidate.as_ref().map(|candidate| (candidate.training.attempt, candidate.failures.len()));
    format!("[{versions}; attempt and failures {attempt:?}; last change {:?}]", standing.last_automatic_change)
}
