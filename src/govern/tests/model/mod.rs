//! The model check: every decision that can be made on a stated finite domain, to the end, each held against every law.
//!
//! A state is the real `Standing`, brought to a canonical form (`canonical`): the same up to the names of versions and a shift of
//! time, with every age cut off just above the longest time that a rule compares it with. A step is one tick at an instant
//! before, at or after the newest entry, on some evidence, under some orders (`domain`, `seen`): the real `decide`, then the real fold.
//! Breadth first (`explore`), so that what breaks a law is shown by a shortest way to it.
//!
//! `turns` explores the other half: two governors, each of whose ticks may stop at any point, one another's rival.

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
    assert!(explored.states > 1_000 && explored.transitions > 10_000, "{explored}");
}

#[test]
#[ignore = "minutes: make test-model"]
fn two_governors_of_the_whole_domain_keep_every_law() {
    let explored = turns::every_interleaving(Breadth::Whole);
    println!("{explored}");
    assert!(explored.states > 100_000 && explored.transitions > 1_000_000, "{explored}");
}
