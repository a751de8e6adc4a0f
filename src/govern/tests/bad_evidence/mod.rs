//! Evidence that is not: each named fault once where a candidate is due to be promoted, and once where a champion fell. Nobody is
//! promoted and nobody is rolled back, and what is said of it is in the snapshot beside this file.

mod faults;
mod live;

use std::fmt::Write;

use super::scene::*;
use crate::govern::*;
use crate::types::{Span, Timestamp, Verdict};
use live::Live;

/// Something that is wrong with what was seen, where a promotion and where a rollback is due.
struct Fault {
    name: &'static str,
    promote: fn(&mut Scene),
    roll_back: fn(&mut Scene),
}

/// NEW, PROMOTABLE since day 5, is better than OLD on 400 labelled pairs of the window of day 5: due.
fn due_to_be_promoted() -> Scene {
    let mut scene = Scene::with_promotable().judged(5);
    scene.seen.shadow = Some(Live::shadow(|_| {}));
    scene
}

/// NEW, promoted at day 6, is wrong throughout in the window of day 9, and the world stands still: due.
fn due_to_be_rolled_back() -> Scene {
    let mut scene = Scene::with_predecessor().performing(9, Verdict::Fail, Verdict::Fail).judged(9);
    scene.seen.performance = vec![Live::performance(|_| {})];
    scene.seen.next = None;
    scene
}

fn promoting() -> Timestamp {
    day(9)
}

fn rolling_back() -> Timestamp {
    day(10) + Span::from_hours(1)
}

/// What is said of a decision; where it has nothing to say, what is said of the reports it did not act on.
fn said(scene: &Scene, now: Timestamp) -> Vec<String> {
    let decision = scene.decide(now);
    let record = decision.record.iter();
    let reasons = record.flat_map(|record| record.transitions.iter().flat_map(|step| step.reasons.clone()));
    let mut said: Vec<String> = reasons.chain(decision.notes.clone()).collect();
    if said.is_empty() {
        let reports = scene.seen.performance.iter();
        let checks = reports.flat_map(|report| report.maturity.iter().chain([&report.catastrophic]));
        let retrain = decision.record.as_ref().and_then(|record| record.retrain.as_ref());
        let checks = checks.chain(retrain.iter().flat_map(|retrain| &retrain.conditions));
        said.extend(checks.filter(|check| !check.verdict.is_judged()).map(ToString::to_string));
    }
    // Digests are for machines.
    let short = |word: &str| if word.trim_end_matches(',').len() == 64 { "…".to_owned() } else { word.to_owned() };
    said.iter().map(|line| line.split(' ').map(short).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_evidence_is_good_until_something_is_wrong_with_it() {
    assert_eq!(steps(&due_to_be_promoted().decide(promoting())), [(OLD, State::Retired), (NEW, State::Promoted)]);
    assert_eq!(
        steps(&due_to_be_rolled_back().decide(rolling_back())),
        [(NEW, State::RolledBack), (OLD, State::Promoted)]
    );
}

#[test]
fn bad_evidence_promotes_nobody_and_rolls_nobody_back() {
    let mut table = String::new();
    for Fault { name, promote, roll_back } in faults::FAULTS {
        let (mut due, mut fell) = (due_to_be_promoted(), due_to_be_rolled_back());
        promote(&mut due);
        roll_back(&mut fell);
        writeln!(table, "{name}").unwrap();
        for (what, scene, now) in [("promote", due, promoting()), ("roll back", fell, rolling_back())] {
            let changed =
                steps(&scene.decide(now)).iter().any(|(_, to)| matches!(to, State::Promoted | State::RolledBack));
            assert!(!changed, "{name}: {what}");
            let said = said(&scene, now);
            assert!(!said.concat().trim().is_empty(), "{name}: {what}: nothing is said");
            writeln!(table, "  {what}: {}", said.join(" | ")).unwrap();
        }
    }
    println!(
        "{} faults, each where a promotion and where a rollback is due: 0 promotions, 0 rollbacks",
        faults::FAULTS.len()
    );
    assert!(faults::FAULTS.len() >= 40);
    insta::assert_snapshot!(table);
}
