//! Who is rejected without anybody asking: a candidate that drifts from its own profile, and one that newer evidence outdates.

use super::scene::*;
use crate::drift::Severity;
use crate::govern::*;
use crate::policy::Action;
use crate::types::{Span, Timestamp, Verdict, Version};

fn now() -> Timestamp {
    day(10) + Span::from_hours(1)
}

const SUPERSEDED: [(Version, State); 2] = [(NEW, State::Rejected), (NEXT, State::Training)];

/// NEW shadows beside OLD, which fell in the window of day 9: a training is required, and starts if there is room.
fn outdated() -> Scene {
    let mut scene = Scene::with_shadow().performing(9, Verdict::Fail, Verdict::Fail).judged(9);
    scene.seen.data.rows = 11_000;
    matured(scene, day(9))
}

/// What the candidate learned had matured until then.
fn matured(mut scene: Scene, until: Timestamp) -> Scene {
    scene.standing.candidate.as_mut().unwrap().training.matured_until = Some(until);
    scene
}

fn learned(mut scene: Scene, rows: u64) -> Scene {
    let candidates = scene.seen.bundles.iter_mut().filter(|bundle| bundle.version == NEW);
    candidates.for_each(|bundle| bundle.learned_rows = rows);
    scene
}

fn drifting(mut scene: Scene, severity: Severity) -> Scene {
    scene.seen.performance.clear();
    scene.seen.drift = [8, 9].map(|of| drift(OLD, window(of), severity, Verdict::Fail)).to_vec();
    scene
}

#[test]
fn a_loss_that_began_after_what_a_candidate_learned_supersedes_it() {
    assert_eq!(outdated().run(now()), SUPERSEDED);
    assert_eq!(matured(outdated(), day(9) + Span::from_secs(1)).run(now()), [], "it learned from the loss");
    let mut unknown = outdated();
    unknown.standing.candidate.as_mut().unwrap().training.matured_until = None;
    assert_eq!(unknown.run(now()), SUPERSEDED);
}

#[test]
fn a_candidate_that_could_know_as_much_again_is_superseded() {
    let learned_from_it = |rows: u64| {
        let mut scene = matured(outdated(), day(10));
        scene.seen.data.rows = 10_000 + rows;
        scene
    };
    assert_eq!(learned(learned_from_it(1_000), 1_001).run(now()), []);
    assert_eq!(learned(learned_from_it(1_000), 1_000).run(now()), SUPERSEDED);
    assert_eq!(learned(learned_from_it(1_000), 0).run(now()), [], "nobody knows what it knows");
}

#[test]
fn nothing_but_a_training_that_is_required_and_starts_supersedes() {
    assert_eq!(outdated().order("f", Order::Freeze, None).run(now()), []);
    let mut no_window = outdated();
    no_window.seen.judged.clear();
    assert_eq!(no_window.run(now()), [], "only with the window that shows it");
    let mut too_few = outdated();
    too_few.seen.data.rows = 10_050;
    assert_eq!(too_few.run(now()), [], "the training would not start");
    let drifted = drifting(outdated(), Severity::Severe);
    assert_eq!(drifted.decide(now()).record.unwrap().action, Action::RetrainRequired);
    assert_eq!(steps(&drifted.decide(now())), [], "drift has no onset that could be newer");
    let mut blind = drifting(outdated(), Severity::Severe);
    blind.standing.candidate.as_mut().unwrap().training.matured_until = None;
    assert_eq!(blind.run(now()), []);
    assert_eq!(learned(drifting(outdated(), Severity::Severe), 1_000).run(now()), SUPERSEDED);
    let mut recommended = learned(drifting(outdated(), Severity::Moderate), 1_000);
    recommended.rules.retrain.on = Action::RetrainRecommended;
    assert_eq!(recommended.decide(now()).record.unwrap().action, Action::RetrainRecommended);
    assert_eq!(recommended.run(now()), [], "a recommendation is not newer evidence");
}

#[test]
fn whoever_passes_its_gates_is_not_superseded() {
    let mut scene = Scene::with_promotable().performing(9, Verdict::Fail, Verdict::Fail).judged(9);
    scene.seen.data.rows = 200_000;
    scene.rules.promotion.mode = Mode::Manual;
    assert_eq!(scene.run(now()), []);
}

#[test]
fn severe_drift_from_its_own_profile_rejects_whoever_does_not_pass_on_the_same_traffic() {
    let drifts = |scene: Scene, version: Version| {
        let mut scene = scene.judged(9);
        scene.seen.candidate_drift =
            [8, 9].map(|of| drift(version, window(of), Severity::Severe, Verdict::Fail)).to_vec();
        scene
    };
    assert_eq!(drifts(Scene::with_shadow(), NEW).run(now()), [(NEW, State::Rejected)]);
    let passes = Scene::with_shadow().shadowed(Verdict::Pass);
    assert_eq!(drifts(passes, NEW).run(now()), [(NEW, State::Promotable)], "it is the better one all the same");
    let mut moderate = drifts(Scene::with_shadow(), NEW);
    moderate.seen.candidate_drift.iter_mut().for_each(|report| report.severity = Severity::Moderate);
    assert_eq!(moderate.run(now()), []);
    // The first of a lineage is compared with nobody, so nothing speaks for it.
    let major = Version::new(2, 0, 0);
    let mut first = Scene::with_champion().training(major, day(1)).bundle(major).evaluated(major, Verdict::Pass);
    assert_eq!(first.run(day(1)), [(major, State::Shadowing), (major, State::Promotable)]);
    assert_eq!(drifts(first, major).run(now()), [(major, State::Rejected)]);
}
