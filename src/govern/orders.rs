//! Which orders are in force at an instant, which one wins where two conflict, and what is said of the others; pure. None is
//! ignored in silence.

use std::fmt;

use super::overrides::{Order, Override};
use super::standing::Standing;
use super::state::State;
use crate::types::{Digest, Timestamp, Version};

/// The orders in force at an instant, and what is said of the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orders {
    /// In force, the strictest first.
    pub in_force: Vec<Override>,
    /// Files that use the id of another order again, each in a sentence: while one stands nothing moves by itself.
    pub refused: Vec<String>,
    /// Expired, obeyed already, or about what is not there: each in a sentence.
    pub notes: Vec<String>,
}

impl Orders {
    /// Sort what stands in the folder. `seen` is the digest of the candidate's bundle as it lies in the registry, if it does.
    pub fn of(orders: &[Override], standing: &Standing, seen: Option<Digest>, now: Timestamp) -> Orders {
        let mut sorted = Orders::default();
        for order in orders {
            let said = format!("override `{}` ({})", order.id, order.order);
            // What stands for as long as its file does may be edited; what is obeyed once is obeyed once by its id.
            let used = standing.applied.get(&order.id).filter(|_| order.order.is_one_shot());
            if let Some(applied) = used.filter(|applied| applied.order == *order) {
                sorted.notes.push(format!("{said} was already applied at entry {}", applied.seq));
            } else if order.expires <= now {
                sorted.notes.push(format!("{said} expired at {}: ignored", order.expires));
            } else if let Some(applied) = used {
                let why = format!("its id is that of another order, applied at entry {}", applied.seq);
                sorted.refused.push(format!("{said}: {why}: give it a new id"));
            } else if let Some(why) = idle(order, standing, seen) {
                sorted.notes.push(format!("{said} does nothing: {why}"));
            } else {
                sorted.in_force.push(order.clone());
            }
        }
        sorted.in_force.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        sorted
    }

    /// The order of this kind that is in force, if any.
    pub fn get(&self, order: Order) -> Option<&Override> {
        self.all(order).next()
    }

    /// Every order of this kind that is in force.
    pub fn all(&self, order: Order) -> impl Iterator<Item = &Override> {
        self.in_force.iter().filter(move |standing| standing.order == order)
    }

    /// The order of this kind that means exactly this version and bundle.
    pub fn meaning(&self, order: Order, version: Version, bundle: Option<Digest>) -> Option<&Override> {
        self.all(order).find(|standing| standing.version == Some(version) && standing.bundle == bundle)
    }

    /// The strictest order in force that this one cannot be obeyed beside.
    pub fn over(&self, order: &Override) -> Option<&Override> {
        self.in_force.iter().find(|stricter| conflict(stricter, order))
    }

    /// Every pair in force that cannot both be obeyed, the stricter first.
    pub fn conflicts(&self) -> Vec<Conflict<'_>> {
        let beside = |winner| self.in_force.iter().filter(move |loser| conflict(winner, loser));
        self.in_force.iter().flat_map(|winner| beside(winner).map(move |loser| Conflict { winner, loser })).collect()
    }
}

/// Two orders that cannot both be obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict<'a> {
    /// The stricter one, which is obeyed.
    pub winner: &'a Override,
    /// The other one, which waits for as long as the stricter one stands.
    pub loser: &'a Override,
}

impl fmt::Display for Conflict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Conflict { winner, loser } = self;
        write!(f, "`{}` ({}) is stricter than `{}` ({}) and wins", winner.id, winner.order, loser.id, loser.order)
    }
}

/// Whether the first order is stricter than the second and keeps it from being obeyed.
fn conflict(stricter: &Override, other: &Override) -> bool {
    match (stricter.order, other.order) {
        // A rollback is for an emergency: it takes back what others hold, and nobody is promoted beside it.
        (Order::Rollback, Order::Freeze | Order::Pin | Order::Approve | Order::Promote) => true,
        // These three are in force only for the candidate that walks, so they speak of the same one.
        (Order::Reject, Order::Freeze | Order::Approve | Order::Promote) => true,
        (Order::Freeze, Order::Approve | Order::Promote | Order::Retrain) => true,
        (Order::Pin, Order::Approve | Order::Promote) => true,
        // "Once its gates pass" is stricter than "now".
        (Order::Approve, Order::Promote) => true,
        // What moves different things is obeyed side by side; the clock is nobody's rival.
        (Order::Rollback, Order::Rollback | Order::Reject | Order::Retrain | Order::Clock)
        | (Order::Reject, Order::Rollback | Order::Reject | Order::Pin | Order::Retrain | Order::Clock)
        | (Order::Freeze, Order::Rollback | Order::Reject | Order::Freeze | Order::Pin | Order::Clock)
        | (Order::Pin, Order::Rollback | Order::Reject | Order::Freeze | Order::Pin | Order::Retrain | Order::Clock)
        | (
            Order::Approve,
            Order::Rollback
            | Order::Reject
            | Order::Freeze
            | Order::Pin
            | Order::Approve
            | Order::Retrain
            | Order::Clock,
        )
        | (Order::Promote | Order::Retrain | Order::Clock, _) => false,
    }
}

/// Why an order has nothing to say here and now.
fn idle(order: &Override, standing: &Standing, seen: Option<Digest>) -> Option<String> {
    match order.order {
        Order::Freeze | Order::Pin | Order::Retrain | Order::Clock => None,
        Order::Rollback => standing.champion.is_none().then(|| "nobody serves".to_owned()),
        Order::Reject | Order::Approve | Order::Promote => {
            let Some(candidate) = &standing.candidate else { return Some("there is no candidate".to_owned()) };
            if order.version != Some(candidate.version) {
                return Some(format!("the candidate is {}", candidate.version));
            }
            // What trains has no bundle yet: then the version says enough.
            let (known, meant) = candidate.bundle.or(seen).zip(order.bundle)?;
            (meant != known).then(|| format!("it means the bundle {meant}, the candidate's is {known}"))
        }
    }
}

/// What is to be said of a pin: it holds what serves, whatever it names.
pub(super) fn pinned(order: &Override, standing: &Standing) -> String {
    let until = format!("pinned by `{}` until {}: {}", order.id, order.expires, order.reason);
    let serves = standing.champion.as_ref().map(|champion| (champion.version, champion.bundle));
    match (serves, order.version, order.bundle) {
        (Some((serving, bundle)), Some(named), digest) if serving != named || digest.is_some_and(|d| d != bundle) => {
            let state = standing.versions.get(&named).map_or_else(|| "unknown".to_owned(), State::to_string);
            format!("{until}; it names {named} ({state}), but {serving} serves and stays: to go back drop a `rollback`")
        }
        (Some(_) | None, _, _) => until,
    }
}
