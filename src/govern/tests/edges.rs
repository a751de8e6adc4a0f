//! The lines between acting and waiting: each rule on one side of its line and on the other, and what is said meanwhile.

use super::scene::*;
use crate::govern::*;
use crate::types::{Check, Digest, Measurement, Operator, Span, Verdict};

const SECOND: Span = Span::from_secs(1);
const PROMOTED: [(crate::types::Version, State); 2] = [(OLD, State::Retired), (NEW, State::Promoted)];

fn catastrophe() -> Scene {
    let mut scene = Scene::with_champion().performing(3, Verdict::Fail, Verdict::Fail).judged(4);
    scene.seen.data.rows = 11_000;
    scene
}

#[test]
fn a_cooldown_is_over_when_it_is_over() {
    // The champion of day 0 came by itself.
    let mut scene = Scene::with_promotable().judged(5);
    scene.rules.promotion.cooldown = Span::from_days(9);
    assert_eq!(steps(&scene.decide(day(9) - SECOND)), []);
    scene.says(day(9) - SECOND, &format!("waits for the cooldown of the last change, until {}", day(9)));
    assert_eq!(scene.run(day(9)), PROMOTED);
}

#[test]
fn a_window_is_newer_than_promotable_only_if_it_was_sealed_later() {
    let sealed = |later: Span| {
        let mut scene = Scene::with_promotable();
        let since = scene.standing.candidate.as_ref().unwrap().since;
        scene.seen.judged = vec![Judged { sealed_at: since + later, ..judged(window(4)) }];
        scene
    };
    assert_eq!(sealed(Span::ZERO).run(day(9)), []);
    assert_eq!(sealed(SECOND).run(day(9)), PROMOTED);
}

#[test]
fn a_shadow_that_passes_with_a_bundle_that_does_not_verify_is_not_promotable() {
    let mut scene = Scene::with_shadow().shadowed(Verdict::Pass).judged(4);
    scene.seen.bundles.iter_mut().for_each(|bundle| bundle.verdict = Verdict::Fail);
    assert_eq!(scene.run(day(6)), []);
    scene.says(day(6), "1.1.0 is not verified");
}

#[test]
fn promotable_says_by_how_much_it_is_better() {
    let mut scene = Scene::with_shadow().shadowed(Verdict::Pass).judged(4);
    let gain = Check::require(Measurement::new("loss_gain_lower", 0.25, 500), Operator::Greater, 0.0, 1);
    scene.seen.shadow.as_mut().unwrap().checks.push(gain);
    let reasons = scene.decide(day(6)).record.unwrap().transitions[0].reasons.clone();
    assert!(reasons[0].contains("loss_gain_lower 0.25"), "{reasons:?}");
}

#[test]
fn a_silent_training_is_repeated_when_its_time_is_over_and_not_while_frozen() {
    let training = || Scene::with_champion().training(NEW, day(1));
    let over = day(1) + training().rules.promotion.takeover_after;
    training().says(over - SECOND, &format!("1.1.0 trains; another governor takes over after {over}"));
    assert!(training().decide(over - SECOND).effects.is_empty());
    assert_eq!(training().decide(over).effects.len(), 1);
    let frozen = training().order("f", Order::Freeze, None).decide(over);
    assert!(frozen.effects.is_empty() && frozen.record.unwrap().training.is_none());
}

#[test]
fn a_training_that_left_its_bundle_is_not_repeated() {
    let published = Scene::with_champion().training(NEW, day(1)).bundle(NEW).evaluated(NEW, Verdict::Insufficient);
    let decision = published.decide(day(9));
    assert!(decision.effects.is_empty() && decision.record.is_none());
    // It waits for its evaluation and for nothing else.
    assert!(decision.notes.iter().all(|note| note.contains("waits for its evaluation")), "{:?}", decision.notes);
    let shadowing = Scene::with_shadow().decide(day(9));
    assert!(shadowing.effects.is_empty());
    assert!(shadowing.notes.iter().all(|note| note.contains("waits for its shadow")), "{:?}", shadowing.notes);
}

#[test]
fn nothing_is_trained_without_a_window_that_shows_why() {
    let now = day(5) + Span::from_hours(1);
    assert_eq!(steps(&catastrophe().decide(now)), [(NEXT, State::Training)]);
    let mut unseen = catastrophe();
    unseen.seen.judged.clear();
    assert_eq!(unseen.run(now), []);
}

#[test]
fn a_pinned_model_trains_and_a_frozen_one_does_not() {
    let now = day(5) + Span::from_hours(1);
    assert_eq!(catastrophe().order("p", Order::Pin, Some(OLD)).run(now), [(NEXT, State::Training)]);
    assert_eq!(catastrophe().order("f", Order::Freeze, None).run(now), []);
    let ordered = || Scene::with_champion().order("t", Order::Retrain, None);
    assert_eq!(ordered().run(now), [(NEXT, State::Training)]);
    assert_eq!(ordered().order("f", Order::Freeze, None).run(now), []);
    let mut first = Scene::new().training(OLD, day(-1)).bundle(OLD).evaluated(OLD, Verdict::Pass);
    first.run(day(-1));
    assert_eq!(first.order("f", Order::Freeze, None).run(day(0)), []);
}

#[test]
fn an_entry_says_what_was_decided_of_retraining_beside_the_window_that_shows_it() {
    let judged = Scene::with_champion().judged(4).decide(day(6)).record.unwrap();
    assert!(judged.retrain.is_some());
    let ordered = Scene::with_champion().order("f", Order::Freeze, None).decide(day(6)).record.unwrap();
    assert_eq!(ordered.retrain, None, "nothing was looked at");
}

#[test]
fn who_approves_or_promotes_names_a_digest() {
    let without = |scene: Scene, kind| {
        let mut scene = scene.order("o", kind, Some(NEW));
        scene.orders[0].bundle = None;
        scene
    };
    let mut approve = without(Scene::with_promotable().judged(5), Order::Approve);
    approve.rules.promotion.mode = Mode::Manual;
    assert_eq!(approve.run(day(9)), []);
    approve.says(day(9), "waits for an `approve` override");
    assert_eq!(without(Scene::with_shadow(), Order::Promote).run(day(2)), []);
}

#[test]
fn a_pin_of_another_bundle_of_the_version_that_serves_says_so() {
    let mut scene = Scene::with_promotable().judged(5).order("p", Order::Pin, Some(OLD));
    scene.orders[0].bundle = Some(Digest::of("another"));
    scene.says(day(9), "it names 1.0.0 (PROMOTED), but 1.0.0 serves and stays");
    assert_eq!(scene.run(day(9)), []);
}

#[test]
fn one_rejection_answers_all_who_asked_for_one() {
    let mut scene = Scene::with_shadow().order("a", Order::Reject, Some(NEW)).order("b", Order::Reject, Some(NEW));
    assert_eq!(scene.run(day(2)), [(NEW, State::Rejected)]);
    assert!(scene.standing.applied.contains_key("a") && scene.standing.applied.contains_key("b"));
}

/// The clock is believed, and what is there may be looked at, exactly where a decision is not held.
#[test]
fn a_clock_is_believed_up_to_the_jump_that_the_rules_allow() {
    let scene = Scene::with_champion();
    let edge = day(0) + scene.rules.promotion.clock_jump;
    let vouched = Scene::with_champion().order("c", Order::Clock, None);
    for (scene, now, believed) in
        [(&scene, edge, true), (&scene, edge + SECOND, false), (&vouched, edge + SECOND, true), (&scene, day(-9), true)]
    {
        assert_eq!(believes(&scene.standing, &scene.rules, &scene.orders, now), believed, "{now}");
        assert_eq!(scene.decide(now).held.is_none(), believed, "{now}");
    }
    assert!(believes(&Standing::default(), &scene.rules, &[], edge + SECOND), "no entry, no jump");
}
