//! The transition table, one test a rule; pure, because the decision is.

use std::collections::BTreeMap;

use super::scene::*;
use crate::drift::Severity;
use crate::evaluate::Watch;
use crate::govern::*;
use crate::types::{Digest, Measurement, Span, Verdict, Version};

#[test]
fn the_first_of_a_lineage_is_promoted_at_a_later_tick() {
    let mut scene = Scene::new().training(OLD, day(0)).bundle(OLD).evaluated(OLD, Verdict::Pass);
    assert_eq!(scene.run(day(0)), [(OLD, State::Shadowing), (OLD, State::Promotable)]);
    assert_eq!(scene.run(day(0)), [], "the same instant is not a later tick");
    assert_eq!(scene.run(day(0) + Span::from_secs(1)), [(OLD, State::Promoted)]);
}

#[test]
fn silence_never_promotes() {
    for verdict in [Verdict::Insufficient, Verdict::Error] {
        let mut training = Scene::with_champion().training(NEW, day(1)).bundle(NEW).evaluated(NEW, verdict);
        assert_eq!(training.run(day(9)), []);
        let mut shadowing = Scene::with_shadow().shadowed(verdict).judged(4);
        assert_eq!(shadowing.run(day(9)), []);
        let mut promotable = Scene::with_promotable().shadowed(verdict).judged(5);
        assert_eq!(promotable.run(day(9)), [(NEW, State::Shadowing)]);
    }
    let mut nothing = Scene::with_shadow().judged(4);
    assert_eq!(nothing.run(day(9)), []);
    let mut gone = Scene::with_promotable().judged(5);
    gone.seen.shadow = None;
    assert_eq!(gone.run(day(9)), [(NEW, State::Shadowing)]);
}

#[test]
fn promotable_and_promoted_are_never_in_one_run() {
    let mut scene = Scene::with_shadow().shadowed(Verdict::Pass).judged(4);
    assert_eq!(scene.run(day(9)), [(NEW, State::Promotable)]);
}

#[test]
fn promoted_only_on_a_window_sealed_after_promotable() {
    let mut stale = Scene::with_promotable();
    assert_eq!(stale.run(day(9)), [], "window 4 was sealed before");
    assert!(stale.decide(day(9)).notes.iter().any(|note| note.contains("one more judged window")));
    let mut fresh = Scene::with_promotable().judged(5);
    assert_eq!(fresh.run(day(9)), [(OLD, State::Retired), (NEW, State::Promoted)]);
}

#[test]
fn a_gate_that_fails_rejects() {
    let mut evaluated = Scene::with_champion().training(NEW, day(1)).bundle(NEW).evaluated(NEW, Verdict::Fail);
    assert_eq!(evaluated.run(day(1)), [(NEW, State::Rejected)]);
    let mut shadowed = Scene::with_shadow().shadowed(Verdict::Fail);
    assert_eq!(shadowed.run(day(3)), [(NEW, State::Rejected)]);
    let mut old = Scene::with_shadow().shadowed(Verdict::Insufficient);
    assert_eq!(old.run(day(16)), [(NEW, State::Rejected)], "older than max_age");
}

#[test]
fn a_bundle_that_does_not_verify_stops_the_walk() {
    let mut scene = Scene::with_promotable().judged(5);
    for bundle in &mut scene.seen.bundles {
        bundle.verdict = Verdict::Fail;
    }
    assert_eq!(scene.run(day(9)), []);
    let mut swapped = Scene::with_promotable().judged(5);
    for bundle in &mut swapped.seen.bundles {
        bundle.digest = Some(Digest::of("another"));
    }
    assert_eq!(swapped.run(day(9)), []);
}

#[test]
fn a_frozen_model_does_not_move() {
    let mut scene = Scene::with_promotable().judged(5).order("f", Order::Freeze, None);
    assert_eq!(scene.run(day(9)), []);
    let frozen = |scene: Scene| scene.order("f", Order::Freeze, None).run(day(9));
    for verdict in [Verdict::Pass, Verdict::Fail] {
        let training = Scene::with_champion().training(NEW, day(1)).bundle(NEW).evaluated(NEW, verdict);
        assert_eq!(frozen(training), [], "{verdict}");
        assert_eq!(frozen(Scene::with_shadow().shadowed(verdict)), [], "{verdict}");
        assert_eq!(frozen(Scene::with_promotable().shadowed(verdict).judged(5)), [], "{verdict}");
    }
    assert_eq!(frozen(Scene::with_promotable().shadowed(Verdict::Insufficient).judged(5)), [], "nor back");
    assert_eq!(frozen(Scene::with_predecessor().performing(7, Verdict::Fail, Verdict::Fail).judged(7)), []);
}

#[test]
fn a_manual_model_waits_for_an_approve_of_this_very_bundle() {
    let mut scene = Scene::with_promotable().judged(5);
    scene.rules.promotion.mode = Mode::Manual;
    assert_eq!(scene.run(day(9)), []);
    let mut other = scene.orders.clone();
    scene = scene.order("a", Order::Approve, Some(NEW));
    other.push(Override { bundle: Some(Digest::of("another")), ..scene.orders[0].clone() });
    let wrong = decide(&scene.standing, &scene.seen, &scene.rules, &other, day(9)).unwrap();
    assert!(wrong.record.is_none_or(|record| record.transitions.is_empty()));
    scene = scene.judged(6);
    assert_eq!(scene.run(day(9)), [(OLD, State::Retired), (NEW, State::Promoted)]);
}

#[test]
fn a_promote_order_forces_the_road_but_not_verification() {
    let mut scene = Scene::with_shadow().order("p", Order::Promote, Some(NEW));
    let decision = scene.decide(day(2));
    assert_eq!(decision.record.unwrap().applied[0].author, "ana");
    assert_eq!(scene.run(day(2)), [(NEW, State::Promotable), (OLD, State::Retired), (NEW, State::Promoted)]);
    assert_eq!(scene.run(day(3)), [], "an order is obeyed once");
    assert!(scene.decide(day(3)).notes.iter().any(|note| note.contains("already applied at entry")));
    let mut broken = Scene::with_shadow().order("p", Order::Promote, Some(NEW));
    broken.seen.bundles.last_mut().unwrap().verdict = Verdict::Fail;
    assert_eq!(broken.run(day(2)), []);
}

#[test]
fn whom_a_person_promotes_is_not_rejected_by_policy() {
    let mut scene = Scene::with_shadow().shadowed(Verdict::Fail).order("p", Order::Promote, Some(NEW));
    assert_eq!(scene.run(day(2)), [(NEW, State::Promotable), (OLD, State::Retired), (NEW, State::Promoted)]);
}

#[test]
fn a_promote_order_is_obeyed_whole_or_not_at_all() {
    let mut scene = Scene::with_shadow().order("p", Order::Promote, Some(NEW));
    scene.seen.bundles.iter_mut().for_each(|bundle| bundle.baseline = None);
    assert_eq!(scene.run(day(2)), []);
    assert!(!scene.standing.applied.contains_key("p"));
    scene.says(day(2), "no held-out metrics");
}

#[test]
fn an_order_that_has_nothing_to_do_with_it_does_not_make_a_promotion_a_persons() {
    let mut scene = Scene::with_promotable().judged(5).order("c", Order::Clock, None);
    assert_eq!(scene.run(day(6) + Span::from_hours(1)), [(OLD, State::Retired), (NEW, State::Promoted)]);
    assert_eq!(scene.standing.last_automatic_change, Some(day(6) + Span::from_hours(1)));
}

#[test]
fn the_stricter_order_wins() {
    for stricter in [Order::Freeze, Order::Pin] {
        let version = (stricter == Order::Pin).then_some(OLD);
        let mut scene = Scene::with_shadow().order("p", Order::Promote, Some(NEW)).order("s", stricter, version);
        assert_eq!(scene.run(day(2)), [], "{stricter}");
        assert!(scene.decide(day(2)).notes.iter().any(|note| note.contains("stricter")));
    }
}

#[test]
fn a_reject_order_works_while_frozen() {
    let mut scene = Scene::with_shadow().order("r", Order::Reject, Some(NEW)).order("f", Order::Freeze, None);
    assert_eq!(scene.run(day(2)), [(NEW, State::Rejected)]);
}

#[test]
fn a_rollback_order_works_while_frozen_and_returns_to_the_predecessor() {
    let mut scene = Scene::with_predecessor().order("r", Order::Rollback, None).order("f", Order::Freeze, None);
    assert_eq!(scene.run(day(7)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
    assert_eq!(scene.standing.champion_version(), Some(OLD));
    let mut nobody = Scene::with_champion().order("r", Order::Rollback, None);
    assert_eq!(nobody.run(day(7)), [], "there is nobody to return to");
}

#[test]
fn a_fallen_champion_is_rolled_back_unless_the_world_moved() {
    let fallen = || {
        let mut scene = Scene::with_predecessor().performing(9, Verdict::Fail, Verdict::Fail).judged(9);
        scene.seen.next = None;
        scene
    };
    assert_eq!(fallen().run(day(10)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
    assert_eq!(fallen().run(day(30)), [], "the watch is over");
    let mut moved = fallen();
    moved.seen.drift = vec![drift(NEW, window(9), Severity::Severe, Verdict::Fail)];
    assert_eq!(moved.run(day(10)), []);
    let mut silent = Scene::with_predecessor().performing(9, Verdict::Insufficient, Verdict::Insufficient).judged(9);
    assert_eq!(silent.run(day(10)), [], "absence of evidence never rolls back");
    let mut nowhere = fallen().watched(Verdict::Fail);
    assert_eq!(nowhere.run(day(10)), [], "the predecessor is broken too");
    nowhere.says(day(10), "1.0.0 is no way back: m 2 < 1 → Fail");
    let mut unproven = fallen().watched(Verdict::Insufficient);
    assert_eq!(unproven.run(day(10)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
    let mut unknown = fallen();
    unknown.seen.drift.clear();
    assert_eq!(unknown.run(day(10)), [], "no data is never no drift");
    unknown.says(day(10), "no window says whether the world moved");
}

#[test]
fn a_champion_whose_predecessor_is_better_is_rolled_back_whatever_moved() {
    let outdone = || {
        let mut scene = Scene::with_predecessor().watched(Verdict::Pass).judged(9);
        scene.seen.next = None;
        scene
    };
    assert_eq!(outdone().run(day(10)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
    let decision = outdone().decide(day(10));
    assert!(decision.record.unwrap().reasons[0].contains("1.0.0 is better than 1.1.0 on the newest labelled rows"));
    // The champion's inputs are far from its own profile, and the predecessor is at home among them: an incident was mended.
    let mut mended = outdone();
    mended.seen.drift = vec![drift(NEW, window(9), Severity::Severe, Verdict::Fail)];
    assert_eq!(mended.run(day(10)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
    assert_eq!(outdone().run(day(30)), [], "the watch is over");
    assert_eq!(outdone().run(day(7)), [], "promoted at day 6: the cooldown is not over");
    assert_eq!(outdone().order("f", Order::Freeze, None).run(day(10)), []);
    assert_eq!(outdone().order("p", Order::Pin, Some(NEW)).run(day(10)), []);
}

#[test]
fn a_watch_that_is_not_pass_or_not_of_this_champion_rolls_nobody_back() {
    let mut scenes = Vec::new();
    for verdict in [Verdict::Insufficient, Verdict::Error, Verdict::Fail] {
        scenes.push(Scene::with_predecessor().watched(verdict));
    }
    let faults: [fn(&mut Watch); 7] = [
        |watch| watch.champion = NEXT,
        |watch| watch.champion_bundle = Digest::of("another"),
        |watch| watch.predecessor_bundle = Digest::of("another"),
        |watch| watch.since = day(0),
        |watch| watch.model = "sun".parse().unwrap(),
        |watch| watch.checks.clear(),
        |watch| watch.checks = vec![check(Verdict::Insufficient)],
    ];
    for fault in faults {
        let mut scene = Scene::with_predecessor().watched(Verdict::Pass);
        fault(scene.seen.watch.as_mut().unwrap());
        scenes.push(scene);
    }
    let mut unverified = Scene::with_predecessor().watched(Verdict::Pass);
    unverified.seen.bundles.iter_mut().for_each(|bundle| bundle.verdict = Verdict::Fail);
    scenes.push(unverified);
    for (number, mut scene) in scenes.into_iter().enumerate() {
        scene.seen.next = None;
        assert_eq!(scene.run(day(10)), [], "scene {number}");
    }
}

#[test]
fn a_rollback_returns_to_the_newest_former_champion_that_verifies() {
    let fallen = || Scene::with_two_predecessors().performing(14, Verdict::Fail, Verdict::Fail).judged(14);
    let ordered = |to| Scene::with_two_predecessors().order("r", Order::Rollback, to);
    let broken = |mut scene: Scene, versions: &[Version]| {
        let meant = scene.seen.bundles.iter_mut().filter(|bundle| versions.contains(&bundle.version));
        meant.for_each(|bundle| bundle.verdict = Verdict::Fail);
        scene
    };
    let back_to = |version| [(NEXT, State::RolledBack), (version, State::Promoted)];
    let unnamed: [&dyn Fn() -> Scene; 2] = [&fallen, &|| ordered(None)];
    for scene in unnamed {
        assert_eq!(scene().run(day(15) + Span::from_hours(1)), back_to(NEW));
        assert_eq!(broken(scene(), &[NEW]).run(day(15) + Span::from_hours(1)), back_to(OLD), "the next newest");
        assert_eq!(broken(scene(), &[NEW, OLD]).run(day(15) + Span::from_hours(1)), []);
    }
    assert_eq!(ordered(Some(OLD)).run(day(15)), back_to(OLD), "an order names one");
    assert_eq!(broken(ordered(Some(OLD)), &[OLD]).run(day(15)), [], "whom an order names, or nobody");
    let watched = || Scene::with_two_predecessors().watched(Verdict::Pass);
    assert_eq!(watched().run(day(15)), back_to(OLD), "the watch names one");
    assert_eq!(broken(watched(), &[OLD]).run(day(15)), [], "whom the watch names, or nobody");
    let mut twice = ordered(None);
    twice.run(day(15));
    twice = twice.order("again", Order::Rollback, None);
    assert_eq!(twice.run(day(16)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
}

#[test]
fn a_catastrophe_that_only_one_look_in_forty_believes_trains_and_does_not_roll_back() {
    // Below the line by a 95 % interval, and perhaps not by evidence that all looks share.
    let fallen = |won: f64| {
        let mut scene = Scene::with_predecessor().performing(9, Verdict::Fail, Verdict::Fail).judged(9);
        scene.seen.performance[0].collapse = Measurement::new("collapse_e_value", won, 500);
        scene.seen.data.rows = 11_000;
        scene.run(day(10) + Span::from_hours(1))
    };
    assert_eq!(fallen(40.0), [(NEXT, State::Training)]);
    assert_eq!(fallen(40_000.0), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
}

#[test]
fn no_second_automatic_change_within_the_cooldown() {
    let mut scene = Scene::with_predecessor().performing(6, Verdict::Fail, Verdict::Fail).judged(6);
    scene.seen.next = None;
    assert_eq!(scene.run(day(7)), [], "promoted at day 6");
}

#[test]
fn a_catastrophe_starts_a_training_and_pins_it() {
    let mut scene = Scene::with_champion().performing(3, Verdict::Fail, Verdict::Fail).judged(4);
    scene.seen.data.rows = 11_000;
    let now = day(5) + Span::from_hours(1);
    let decision = scene.decide(now);
    assert!(matches!(&decision.effects[..], [Effect::Train(training)] if training.plan.version == NEXT));
    assert_eq!(scene.run(now), [(NEXT, State::Training)]);
    assert_eq!(scene.run(now), [], "one candidate at a time");
}

#[test]
fn a_silent_training_is_taken_over_three_times_and_then_rejected() {
    let mut scene = Scene::with_champion().training(NEW, day(1));
    assert!(scene.decide(day(1) + Span::from_mins(5)).effects.is_empty());
    for (attempt, hour) in [(2, 1), (3, 2)] {
        let decision = scene.decide(day(1) + Span::from_hours(hour));
        assert_eq!(decision.record.unwrap().training.unwrap().attempt, attempt);
        scene.run(day(1) + Span::from_hours(hour));
    }
    assert_eq!(scene.run(day(1) + Span::from_hours(3)), [(NEW, State::Rejected)], "silence is no success");
}

fn fail(scene: &mut Scene, attempt: u32) {
    let failed = FailedAttempt { version: NEW, attempt, why: "no".into() };
    scene.write(Record { failed_attempt: Some(failed), ..Record::empty(day(1)) });
}

#[test]
fn a_training_that_failed_is_repeated_at_once_and_rejected_after_three() {
    let mut scene = Scene::with_champion().training(NEW, day(1));
    for attempt in [1, 2] {
        fail(&mut scene, attempt);
        fail(&mut scene, attempt);
        assert_eq!(scene.standing.candidate.as_ref().unwrap().failures.len() as u32, attempt, "each counts once");
        assert_eq!(scene.decide(day(1)).effects.len(), 1);
        scene.run(day(1));
    }
    fail(&mut scene, 3);
    assert_eq!(scene.run(day(1)), [(NEW, State::Rejected)]);
    let mut next = scene.training(NEXT, day(1));
    fail(&mut next, 1);
    assert_eq!(next.standing.candidate.unwrap().failures, [], "what failed was another candidate's");
}

#[test]
fn a_candidate_that_cannot_pass_its_evaluation_does_not_stay_for_ever() {
    let mut scene = Scene::with_champion().training(NEW, day(1)).bundle(NEW).evaluated(NEW, Verdict::Insufficient);
    assert_eq!(scene.run(day(15)), []);
    assert_eq!(scene.run(day(16)), [(NEW, State::Rejected)]);
}

#[test]
fn every_judged_window_is_answered_for_once() {
    let mut scene = Scene::with_champion().judged(4);
    assert!(scene.decide(day(5)).record.is_none(), "it is sealed ten minutes later");
    let now = day(5) + Span::from_hours(1);
    assert_eq!(scene.decide(now).record.unwrap().judged, [window(4)]);
    scene.run(now);
    assert!(scene.decide(now).record.is_none(), "a run with nothing new adds no entry");
}

#[test]
fn a_clock_that_goes_backwards_shortens_nothing_and_one_that_jumps_holds() {
    let scene = Scene::with_champion().judged(-2);
    assert_eq!(scene.decide(day(-300)).record.unwrap().at, day(0));
    assert!(scene.decide(day(400)).held.unwrap().contains("clock"));
    let believed = Scene::with_champion().judged(4).order("c", Order::Clock, None);
    assert!(believed.decide(day(400)).held.is_none());
}

#[test]
fn an_expired_order_is_ignored_and_said() {
    let mut scene = Scene::with_promotable().judged(5).order("f", Order::Freeze, None);
    scene.orders[0].expires = day(8);
    let decision = scene.decide(day(9));
    assert!(decision.notes.iter().any(|note| note.contains("expired")));
    assert_eq!(decision.record.unwrap().transitions.len(), 2);
}

/// What a hand-written or a racing entry might say: the fold refuses it, so `carry_out` never writes it.
#[test]
fn a_record_that_leaves_the_road_is_refused_whole() {
    let refused = |scene: &Scene, steps: &[(Version, Option<State>, State, Digest)]| {
        let step = |(version, from, to, bundle): &(Version, Option<State>, State, Digest)| Transition {
            version: *version,
            bundle: Some(*bundle),
            from: *from,
            to: *to,
            reasons: Vec::new(),
        };
        let record = Record {
            transitions: steps.iter().map(step).collect(),
            baseline: Some(baseline(NEW)),
            training: Some(training(NEXT, day(9))),
            ..Record::empty(day(9))
        };
        let entry = entry(&scene.standing, record);
        scene.standing.clone().after(&entry, Digest::of("x")).is_err()
    };
    use State::*;
    let (old, new, other) = (bundle_of(OLD), bundle_of(NEW), Digest::of("another"));
    let promotable = Scene::with_promotable();
    assert!(!refused(&promotable, &[(OLD, Some(Promoted), Retired, old), (NEW, Some(Promotable), Promoted, new)]));
    assert!(refused(&promotable, &[(OLD, Some(Promoted), Retired, old)]), "nobody serves");
    assert!(refused(&promotable, &[(NEW, Some(Promotable), Promoted, new)]), "two serve");
    assert!(refused(&promotable, &[(NEXT, None, Training, new)]), "two candidates");
    let another = [(OLD, Some(Promoted), Retired, old), (NEW, Some(Promotable), Promoted, other)];
    assert!(refused(&promotable, &another), "another bundle");
    let twice = [
        (OLD, Some(Promoted), RolledBack, old),
        (NEW, Some(Promotable), Promoted, new),
        (NEW, Some(Promoted), RolledBack, new),
    ];
    assert!(refused(&promotable, &twice));
    let predecessor = Scene::with_predecessor();
    let back = [(NEW, Some(Promoted), RolledBack, new), (OLD, Some(Retired), Promoted, old)];
    assert!(!refused(&predecessor, &back));
    let swapped = [(NEW, Some(Promoted), Retired, new), (OLD, Some(Retired), Promoted, old)];
    assert!(refused(&predecessor, &swapped), "nobody was rolled back");
    let changed = [(NEW, Some(Promoted), RolledBack, new), (OLD, Some(Retired), Promoted, other)];
    assert!(refused(&predecessor, &changed), "another bundle came back");
}

#[test]
fn an_entry_of_a_clock_that_went_back_makes_nothing_older() {
    let mut scene = Scene::with_champion();
    let failed = FailedAttempt { version: NEW, attempt: 1, why: "no".into() };
    scene.write(Record { failed_attempt: Some(failed), ..Record::empty(day(-300)) });
    assert_eq!(scene.standing.last_at, Some(day(0)));
    let scene = scene.training(NEW, day(-300));
    assert_eq!(scene.standing.candidate.unwrap().attempt_since, day(0));
}

#[test]
fn the_road_has_no_other_steps() {
    let road: BTreeMap<_, Vec<_>> = ROAD.iter().fold(BTreeMap::new(), |mut road, (from, to)| {
        road.entry(*from).or_insert_with(Vec::new).push(*to);
        road
    });
    assert_eq!(road[&Some(State::Promotable)], [State::Shadowing, State::Promoted, State::Rejected]);
    assert!(!road.contains_key(&Some(State::Rejected)) && !road.contains_key(&Some(State::RolledBack)));
    let promoted_from: Vec<_> = ROAD.iter().filter(|(_, to)| *to == State::Promoted).map(|(from, _)| *from).collect();
    assert_eq!(promoted_from, [Some(State::Promotable), Some(State::Retired)]);
}
