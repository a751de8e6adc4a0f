//! The model check: every decision that can be made on a stated finite domain, to the end, each held against every law.
//!
//! A state is the real `Standing`, brought to a canonical form (`canonical`): the same up to the names of versions and a shift of
//! time, with every age cut off just above the longest time that a rule compares it with. A step is one tick at an instant
//! before, at or after the newest entry, on some evidence, under some orders (`domain`, `seen`): the real `decide`, then the real fold.
//! Breadth first (`explore`), so that what breaks a law is shown by a shortest way to it.
//!
//! The whole domain of one tick:
//! - everything that may be said of the candidate, each verdict of its gate among them, of somebody else, of another bundle, too
//!   early and too late, with its own drift; its bundle whole, broken, replaced by another, or nowhere;
//! - everything that may be said of the champion: well, silent, drifted, fallen with and without drift, with a predecessor that is
//!   better, broken, of another's, or unknown; no window, one, one with many rows, and one that has not ended;
//! - every order alone, expired, used before, under an id of before, of another bundle; every pair, and all at once;
//! - clocks that went back, stand still, go on, and jumped further than is believed; training that fails after any tick.
//!
//! `turns` explores what lies between: two governors, one another's rival, each of which may stop between any two steps. Their
//! evidence and orders are few, and need not be more: an entry is decided on the very head that it is written on, or it is late and
//! decided again. So whatever journal two governors write is one that `explore` walks, with ticks on all of its domain; what only
//! two of them can do is to train, to fail and to publish while the other goes on, and that is what `turns` does.

mod canonical;
mod domain;
mod explore;
mod seen;
mod turns;

use domain::Breadth;

pub use domain::KINDS;

#[test]
fn every_decision_keeps_every_law() {
    let explored = explore::every_decision(Breadth::Short);
    println!("{explored}");
    assert!(explored.states > 1_000 && explored.transitions > 200_000, "{explored}");
}

/// The same on the whole domain.
#[test]
#[ignore = "minutes: make test-model"]
fn every_decision_of_the_whole_domain_keeps_every_law() {
    let explored = explore::every_decision(Breadth::Whole);
    println!("{explored}");
    assert!(explored.states > 5_000 && explored.transitions > 5_000_000, "{explored}");
}

#[test]
fn two_governors_that_stop_anywhere_keep_every_law() {
    let explored = turns::every_interleaving(Breadth::Short);
    println!("{explored}");
    assert!(explored.states > 10_000 && explored.transitions > 100_000, "{explored}");
    assert!(explored.promoted > 100 && explored.rolled_back > 1_000, "{explored}");
}

#[test]
#[ignore = "minutes: make test-model"]
fn two_governors_of_the_whole_domain_keep_every_law() {
    let explored = turns::every_interleaving(Breadth::Whole);
    println!("{explored}");
    assert!(explored.states > 100_000 && explored.transitions > 1_000_000, "{explored}");
}
