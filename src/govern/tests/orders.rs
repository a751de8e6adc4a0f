//! Orders: expiry, once by id, conflicts; of two that conflict the stricter wins, and that is said.

use proptest::prelude::*;
use rstest::rstest;

use super::scene::*;
use crate::govern::*;
use crate::types::{Digest, Span, Verdict, Version};

const MAJOR: Version = Version::new(2, 0, 0);

/// NEW is due to be promoted at day 9, and OLD has a predecessor's place to fall back to.
fn due() -> Scene {
    Scene::with_promotable().judged(5)
}

/// A third version is due to be promoted over NEW, which followed OLD: every kind of order has something to do.
fn everything_is_due() -> Scene {
    let mut scene = Scene::with_predecessor().training(NEXT, day(7)).bundle(NEXT).evaluated(NEXT, Verdict::Pass);
    assert_eq!(scene.run(day(7)), [(NEXT, State::Shadowing)]);
    scene.seen.evaluation = None;
    scene.seen.judged = vec![judged(window(9))];
    scene.seen.shadow = Some(shadow(NEW, NEXT, day(7), day(10), Verdict::Pass));
    assert_eq!(scene.run(day(10)), [(NEXT, State::Promotable)]);
    scene.seen.judged = vec![judged(window(10))];
    scene.seen.shadow = Some(shadow(NEW, NEXT, day(7), day(11), Verdict::Pass));
    scene.seen.next = Some(plan(Version::new(1, 3, 0)));
    scene.rules.promotion.mode = Mode::Manual;
    scene
}

fn with(scene: Scene, kind: Order) -> Scene {
    let version = match kind {
        Order::Pin => Some(NEW),
        Order::Approve | Order::Promote | Order::Reject => Some(NEXT),
        Order::Rollback | Order::Freeze | Order::Retrain | Order::Clock => None,
    };
    scene.order(&format!("the-{kind}"), kind, version)
}

#[rstest]
#[case(Order::Rollback, &[(NEW, State::RolledBack), (OLD, State::Promoted), (NEXT, State::Shadowing)])]
#[case(Order::Reject, &[(NEXT, State::Rejected)])]
#[case(Order::Freeze, &[])]
#[case(Order::Pin, &[])]
#[case(Order::Approve, &[(NEW, State::Retired), (NEXT, State::Promoted)])]
#[case(Order::Promote, &[(NEW, State::Retired), (NEXT, State::Promoted)])]
#[case(Order::Retrain, &[])]
#[case(Order::Clock, &[])]
fn an_order_alone(#[case] kind: Order, #[case] expected: &[(Version, State)]) {
    assert_eq!(with(everything_is_due(), kind).run(day(11)), expected);
}

/// Whoever reads the journal sees in the reason of a step who asked for it, and why.
#[rstest]
#[case(Order::Rollback)]
#[case(Order::Reject)]
#[case(Order::Approve)]
#[case(Order::Promote)]
fn what_an_order_brings_about_names_it(#[case] kind: Order) {
    let record = with(everything_is_due(), kind).decide(day(11)).record.unwrap();
    let by = format!("override `the-{kind}` by ana: because");
    assert!(record.transitions.iter().any(|step| step.reasons.iter().any(|reason| reason.contains(&by))), "{by}");
    assert!(record.reasons.iter().any(|reason| reason.contains(&by)), "{by}");
}

/// Every pair that cannot both be obeyed: what happens is what the stricter alone would do, and the record or the notes say so.
#[rstest]
#[case(Order::Rollback, Order::Freeze)]
#[case(Order::Rollback, Order::Pin)]
#[case(Order::Rollback, Order::Approve)]
#[case(Order::Rollback, Order::Promote)]
#[case(Order::Reject, Order::Freeze)]
#[case(Order::Reject, Order::Approve)]
#[case(Order::Reject, Order::Promote)]
#[case(Order::Freeze, Order::Approve)]
#[case(Order::Freeze, Order::Promote)]
#[case(Order::Freeze, Order::Retrain)]
#[case(Order::Pin, Order::Approve)]
#[case(Order::Pin, Order::Promote)]
#[case(Order::Approve, Order::Promote)]
fn of_two_that_conflict_the_stricter_wins_and_that_is_said(#[case] stricter: Order, #[case] other: Order) {
    let winner = with(everything_is_due(), stricter).run(day(11));
    for both in [[stricter, other], [other, stricter]] {
        let mut scene = both.into_iter().fold(everything_is_due(), with);
        scene
            .says(day(11), &format!("`the-{stricter}` ({stricter}) is stricter than `the-{other}` ({other}) and wins"));
        let decision = scene.decide(day(11));
        // A rollback or a rejection takes back also what a freeze held: no more than that moves.
        let expected: Vec<_> = match other {
            Order::Freeze => winner.iter().copied().filter(|(_, to)| *to != State::Shadowing).collect(),
            _ => winner.clone(),
        };
        assert_eq!(steps(&decision), expected, "{stricter} and {other}");
        let applied = |kind| decision.record.iter().flat_map(|record| &record.applied).any(|order| order.order == kind);
        assert!(!applied(other) || matches!(other, Order::Freeze | Order::Pin), "{other} was obeyed");
        let overruled = decision.record.iter().flat_map(|record| &record.reasons).any(|line| line.contains("stricter"));
        assert_eq!(overruled, applied(stricter), "who reads the journal sees which order was overruled");
        scene.run(day(11));
    }
}

/// What moves different things is obeyed side by side.
#[test]
fn orders_that_do_not_conflict_are_all_obeyed() {
    let both = |a, b| with(with(everything_is_due(), a), b).run(day(11));
    let rolled_back = [(NEW, State::RolledBack), (OLD, State::Promoted), (NEXT, State::Rejected)];
    assert_eq!(both(Order::Rollback, Order::Reject), rolled_back);
    let retrained = [(NEXT, State::Rejected), (Version::new(1, 3, 0), State::Training)];
    assert_eq!(both(Order::Reject, Order::Retrain), retrained);
    assert_eq!(both(Order::Pin, Order::Reject), [(NEXT, State::Rejected)]);
    let promoted = [(NEW, State::Retired), (NEXT, State::Promoted), (Version::new(1, 3, 0), State::Training)];
    assert_eq!(both(Order::Approve, Order::Retrain), promoted);
    assert_eq!(both(Order::Promote, Order::Retrain), promoted);
}

#[test]
fn a_one_shot_order_is_obeyed_once_by_its_id() {
    let mut scene = with(everything_is_due(), Order::Reject);
    scene.run(day(11));
    scene.says(day(11), "`the-reject` (reject) was already applied at entry");
    let mut again = scene.training(Version::new(1, 3, 0), day(12));
    assert_eq!(again.run(day(12)), []);
}

#[test]
fn an_id_that_is_used_again_for_another_order_is_refused_and_holds() {
    let mut scene = Scene::with_shadow().order("x", Order::Retrain, None);
    scene.standing.applied.insert("x".into(), Applied { seq: 3, order: order("x", Order::Reject, Some(OLD)) });
    scene.says(day(2), "`x` (retrain): its id is that of another order, applied at entry 3: give it a new id");
    let mut due = due();
    due.orders = scene.orders.clone();
    due.standing.applied = scene.standing.applied.clone();
    assert_eq!(due.run(day(9)), [], "what was meant is not known: nothing moves by itself");
    let mut emergency = everything_is_due().order("r", Order::Rollback, None);
    emergency.orders.push(order("x", Order::Retrain, None));
    emergency.standing.applied = scene.standing.applied;
    assert_eq!(emergency.run(day(11))[0], (NEW, State::RolledBack), "an emergency is one all the same");
}

#[test]
fn a_freeze_may_be_edited_and_is_journalled_as_often_as_it_says_something_new() {
    let mut scene = due().order("f", Order::Freeze, None);
    assert_eq!(scene.run(day(9)), []);
    assert_eq!(scene.standing.applied["f"].order.reason, "because");
    scene.seen.judged.clear();
    assert_eq!(scene.decide(day(9)).record, None, "nothing new");
    scene.orders[0].expires = day(2_000);
    assert_eq!(scene.decide(day(9)).record.unwrap().applied, scene.orders);
    assert_eq!(scene.run(day(9)), []);
}

#[test]
fn an_approve_for_another_digest_does_nothing_and_says_so() {
    let mut scene = with(everything_is_due(), Order::Approve);
    scene.orders[0].bundle = Some(Digest::of("another"));
    assert_eq!(scene.run(day(11)), []);
    scene.says(day(11), "`the-approve` (approve) does nothing: it means the bundle");
    let mut elsewhere = everything_is_due().order("a", Order::Approve, Some(OLD));
    assert_eq!(elsewhere.run(day(11)), []);
    elsewhere.says(day(11), "does nothing: the candidate is 1.2.0");
}

#[test]
fn a_rollback_names_whom_it_returns_to() {
    let to = |version: Option<Version>| {
        let mut scene = everything_is_due().order("r", Order::Rollback, version);
        scene.orders[0].bundle = None;
        scene
    };
    assert_eq!(to(Some(OLD)).run(day(11))[1], (OLD, State::Promoted));
    let mut never = to(Some(Version::new(7, 0, 0)));
    assert_eq!(never.run(day(11)), []);
    never.says(day(11), "7.0.0 never served");
    let mut serving = to(Some(NEW));
    assert_eq!(serving.run(day(11)), []);
    assert!(serving.standing.applied.contains_key("r"), "it is obeyed: what it wants is so");
    let mut another = to(Some(OLD));
    another.orders[0].bundle = Some(Digest::of("another"));
    assert_eq!(another.run(day(11)), []);
    another.says(day(11), "1.0.0 is not the bundle that is meant, or does not verify");
    let mut broken = to(Some(OLD));
    broken.seen.bundles.iter_mut().for_each(|bundle| bundle.verdict = Verdict::Fail);
    assert_eq!(broken.run(day(11)), []);
}

/// The order stands until it is obeyed or taken away; meanwhile nobody is promoted whom it would then take back.
#[test]
fn a_rollback_that_finds_nobody_keeps_others_from_being_promoted() {
    let mut scene = due().order("r", Order::Rollback, None);
    assert_eq!(scene.run(day(9)), []);
    scene.says(day(9), "nobody is promoted before it is obeyed");
    let mut none = Scene::new().order("r", Order::Rollback, None);
    assert_eq!(none.run(day(9)), []);
    none.says(day(9), "does nothing: nobody serves");
}

#[test]
fn one_rollback_answers_all_who_asked_for_one() {
    let mut scene = everything_is_due().order("a", Order::Rollback, None).order("b", Order::Rollback, None);
    assert_eq!(scene.run(day(11))[..2], [(NEW, State::RolledBack), (OLD, State::Promoted)]);
    assert!(scene.standing.applied.contains_key("a") && scene.standing.applied.contains_key("b"));
    assert_eq!(scene.run(day(12)), []);
}

#[test]
fn a_pin_of_another_version_holds_what_serves_and_says_so() {
    let mut scene = due().order("p", Order::Pin, Some(NEXT));
    assert_eq!(scene.run(day(9)), []);
    scene.says(day(9), "it names 1.2.0 (unknown), but 1.0.0 serves and stays: to go back drop a `rollback`");
    let mut right = due().order("p", Order::Pin, Some(OLD));
    assert_eq!(right.run(day(9)), []);
    right.says(day(9), "pinned by `p`");
    assert!(!right.decide(day(9)).notes.iter().any(|note| note.contains("stays")));
}

#[test]
fn a_candidate_that_trains_can_be_rejected_by_its_version() {
    let training = || Scene::with_champion().training(NEW, day(1)).order("r", Order::Reject, Some(NEW));
    assert_eq!(training().run(day(1)), [(NEW, State::Rejected)]);
    let mut by_version = training();
    by_version.orders[0].bundle = None;
    assert_eq!(by_version.run(day(1)), [(NEW, State::Rejected)]);
    let mut another = training().bundle(NEW);
    another.orders[0].bundle = Some(Digest::of("another"));
    assert_eq!(another.run(day(1)), [], "a digest that is nobody's is not obeyed");
    another.says(day(1), "does nothing: it means the bundle");
}

#[test]
fn a_retrain_waits_for_the_candidate_and_says_so() {
    let mut scene = Scene::with_shadow().order("t", Order::Retrain, None);
    assert_eq!(scene.run(day(2)), []);
    scene.says(day(2), "`t` (retrain) waits: 1.1.0 is SHADOWING");
    assert!(!scene.standing.applied.contains_key("t"));
}

/// The old contract's champion keeps serving, in every mode, until an `approve` of this very bundle.
#[rstest]
fn a_new_contract_major_is_never_promoted_without_an_approve(
    #[values(Mode::Automatic, Mode::Manual)] mode: Mode,
    #[values(Mode::Automatic, Mode::Manual)] first: Mode,
) {
    let begin = || {
        let mut scene = Scene::with_champion().training(MAJOR, day(1)).bundle(MAJOR).evaluated(MAJOR, Verdict::Pass);
        (scene.rules.promotion.mode, scene.rules.promotion.first) = (mode, first);
        scene
    };
    let mut scene = begin();
    assert_eq!(scene.run(day(1)), [(MAJOR, State::Shadowing), (MAJOR, State::Promotable)]);
    scene.seen.evaluation = None;
    scene = scene.judged(4);
    assert_eq!(scene.run(day(6)), []);
    scene.says(day(6), "waits for an `approve` override: its contract has a new major version");
    let mut forced = begin().order("p", Order::Promote, Some(MAJOR));
    assert_eq!(forced.run(day(1)), [(MAJOR, State::Shadowing), (MAJOR, State::Promotable)]);
    forced.says(day(1), "a new contract major is never forced");
    let mut approved = scene.judged(6).order("a", Order::Approve, Some(MAJOR));
    assert_eq!(approved.run(day(8)), [(OLD, State::Retired), (MAJOR, State::Promoted)]);
}

#[test]
fn a_clock_that_jumps_a_year_ahead_holds_and_shortens_nothing_when_it_comes_back() {
    let mut scene = Scene::with_predecessor().performing(6, Verdict::Fail, Verdict::Fail).judged(6);
    scene.seen.next = None;
    let before = scene.standing.clone();
    assert_eq!(scene.run(day(7 + 365)), []);
    assert!(scene.decide(day(7 + 365)).held.unwrap().contains("clock_jump"));
    assert_eq!(scene.standing, before, "nothing was written");
    assert_eq!(scene.run(day(7)), [], "the cooldown of day 6 still runs");
    let scene = scene.performing(9, Verdict::Fail, Verdict::Fail).judged(9);
    let mut back = scene;
    assert_eq!(back.run(day(10)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
}

#[test]
fn a_clock_order_makes_the_jump_true_and_is_used_up() {
    let mut scene = Scene::with_champion().order("c", Order::Clock, None);
    assert_eq!(scene.run(day(365)), []);
    assert_eq!(scene.standing.last_at, Some(day(365)));
    assert!(scene.decide(day(2 * 365)).held.is_some(), "it believes one jump");
    let mut back = scene.training(NEW, day(1));
    assert_eq!(back.standing.candidate.as_ref().unwrap().since, day(365));
    assert!(back.decide(day(300)).effects.is_empty(), "an earlier clock ages nothing");
    back.run(day(365) + Span::from_hours(1));
    assert_eq!(back.standing.candidate.unwrap().training.attempt, 2);
}

const KINDS: [Order; 8] = [
    Order::Rollback,
    Order::Reject,
    Order::Freeze,
    Order::Pin,
    Order::Approve,
    Order::Promote,
    Order::Retrain,
    Order::Clock,
];

proptest! {
    /// Files have no order: whatever the folder lists first, the decision is the same.
    #[test]
    fn the_order_of_files_does_not_matter(kinds in prop::sample::subsequence(KINDS.to_vec(), 0..=8), seed in any::<u64>()) {
        let scene = kinds.into_iter().fold(everything_is_due(), with);
        let mut shuffled = scene.orders.clone();
        let len = shuffled.len().max(1);
        shuffled.rotate_left(seed as usize % len);
        if seed % 2 == 0 {
            shuffled.reverse();
        }
        let again = decide(&scene.standing, &scene.seen, &scene.rules, &shuffled, day(11)).unwrap();
        prop_assert_eq!(steps(&again), steps(&scene.decide(day(11))));
        prop_assert_eq!(again.record.map(|record| record.applied), scene.decide(day(11)).record.map(|record| record.applied));
    }
}
