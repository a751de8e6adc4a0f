//! Long random walks: two governors whose turns interleave, a clock that lies, orders that come and go, bundles that break. Every
//! decision is held against every law; what no single decision shows is kept in mind on the way.

mod moves;
mod world;

use proptest::prelude::*;

use super::scene::{hearsay, model, steps};
use crate::drift::Severity;
use crate::govern::*;
use crate::types::{Span, Verdict};
use moves::{Move, a_move, evidence};
use world::World;

fn walk(moves: Vec<Move>) -> Result<World, String> {
    let mut world = World::new();
    world.begin();
    for (number, a_move) in moves.into_iter().enumerate() {
        world.take(a_move).map_err(|broken| format!("move {number}: {broken}"))?;
    }
    Ok(world)
}

/// Everything that can be taken away from what was seen, or be made to say less.
fn less(seen: &Observation) -> Vec<(String, Observation)> {
    let mut all = Vec::new();
    let mut with = |name: &str, weaken: &dyn Fn(&mut Observation)| {
        let mut weaker = seen.clone();
        weaken(&mut weaker);
        all.push((name.to_owned(), weaker));
    };
    with("no window", &|seen| seen.judged.clear());
    with("no drift", &|seen| seen.drift.clear());
    with("no performance", &|seen| seen.performance.clear());
    with("no drift of the candidate", &|seen| seen.candidate_drift.clear());
    with("no evaluation", &|seen| seen.evaluation = None);
    with("no shadow", &|seen| seen.shadow = None);
    with("no watch", &|seen| seen.watch = None);
    with("no bundles", &|seen| seen.bundles.clear());
    with("no rows", &|seen| (seen.data.rows, seen.next) = (0, None));
    with("nothing", &|seen| *seen = Observation::nothing(&model()));
    for weaker in [Verdict::Insufficient, Verdict::Error] {
        with(&format!("the evaluation says {weaker}"), &|seen| {
            seen.evaluation.iter_mut().for_each(|report| report.verdict = weaker);
        });
        with(&format!("the shadow says {weaker}"), &|seen| {
            seen.shadow.iter_mut().for_each(|report| report.verdict = weaker);
        });
        with(&format!("the bundles are {weaker}"), &|seen| {
            seen.bundles.iter_mut().for_each(|bundle| bundle.verdict = weaker);
        });
        with(&format!("the windows are {weaker}"), &|seen| {
            seen.performance
                .iter_mut()
                .for_each(|report| (report.verdict, report.catastrophic.verdict) = (weaker, weaker));
        });
        with(&format!("drift is {weaker}"), &|seen| {
            seen.drift
                .iter_mut()
                .for_each(|report| (report.verdict, report.severity) = (Verdict::Insufficient, Severity::None));
        });
    }
    with("no checks", &|seen| {
        seen.evaluation.iter_mut().for_each(|report| report.checks.clear());
        seen.shadow.iter_mut().for_each(|report| report.checks.clear());
        seen.performance.iter_mut().for_each(|report| report.maturity.clear());
    });
    for place in 0..seen.bundles.len() {
        with(&format!("without bundle {place}"), &|seen| drop(seen.bundles.remove(place)));
        with(&format!("without the metrics of bundle {place}"), &|seen| seen.bundles[place].baseline = None);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_law_is_kept_on_long_walks(moves in prop::collection::vec(a_move(), 1..220)) {
        if let Err(broken) = walk(moves) {
            return Err(TestCaseError::fail(broken));
        }
    }

    /// A step up that weaker evidence takes was taken on the whole of it, unless the whole took back or rejected first: what is
    /// stricter comes first, and an alarm that falls silent no longer does. A rollback needs all that it rests on.
    #[test]
    fn taking_evidence_away_never_promotes_and_never_rolls_back(
        moves in prop::collection::vec(a_move(), 1..120),
        evidence in evidence(),
        later in 0i64..60,
    ) {
        let mut world = walk(moves).map_err(TestCaseError::fail)?;
        world.truth = world.truth + Span::from_hours(later);
        let standing = world.standing();
        let seen = world.seen(&standing, &evidence);
        let decided = |seen: &Observation| {
            let decision = decide(&standing, seen, &world.rules, &world.orders, world.wall()).unwrap();
            steps(&decision)
        };
        let whole = decided(&seen);
        let stricter = whole.iter().any(|(_, to)| matches!(to, State::RolledBack | State::Rejected));
        for (name, weaker) in less(&seen) {
            let less = decided(&weaker);
            for (version, to) in &less {
                let up = matches!(to, State::Shadowing | State::Promotable | State::Promoted);
                let down = whole.contains(&(*version, State::Promoted)) || standing.candidate.as_ref().is_some_and(|candidate| candidate.state == State::Promotable && *to == State::Shadowing);
                prop_assert!(!up || down || stricter || whole.contains(&(*version, *to)), "{name}: {less:?} of {whole:?}");
                // A way back that is known to be broken holds for as long as that is known.
                let held = seen.watch.as_ref().is_some_and(|watch| watch.verdict == Verdict::Fail);
                prop_assert!(*to != State::RolledBack || held || whole.contains(&(*version, *to)), "{name}: {less:?} of {whole:?}");
            }
        }
    }

    /// An estimate, a mean prediction that moved, errors that lie elsewhere: people are told of them, and not one step, training
    /// or reason rests on them.
    #[test]
    fn what_is_only_told_decides_nothing(
        moves in prop::collection::vec(a_move(), 1..120),
        evidence in evidence(),
        later in 0i64..60,
    ) {
        let mut world = walk(moves).map_err(TestCaseError::fail)?;
        world.truth = world.truth + Span::from_hours(later);
        let standing = world.standing();
        let seen = world.seen(&standing, &evidence);
        let decided = |seen: &Observation| decide(&standing, seen, &world.rules, &world.orders, world.wall()).unwrap();
        prop_assert_eq!(decided(&hearsay(&seen)), decided(&seen));
    }
}

/// The walks go somewhere: all that the laws speak of happens on them.
#[test]
fn walks_promote_roll_back_reject_and_lose_races() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let moves = prop::collection::vec(a_move(), 220);
    let (mut promoted, mut taken_back, mut rejected, mut obeyed) = (0, 0, 0, 0);
    for _ in 0..40 {
        let world = walk(moves.new_tree(&mut runner).unwrap().current()).unwrap();
        promoted += world.promoted.len();
        taken_back += world.taken_back.len();
        obeyed += world.obeyed.len();
        rejected += world.standing().versions.values().filter(|state| **state == State::Rejected).count();
    }
    println!(
        "40 walks: {promoted} promoted, {taken_back} rolled back, {rejected} rejected, {obeyed} orders obeyed once"
    );
    assert!(
        promoted > 40 && taken_back > 5 && rejected > 20 && obeyed > 40,
        "{promoted} {taken_back} {rejected} {obeyed}"
    );
}
