//! What is evidence and what is set aside, to the instant; each case on one side of a line and on the other.

use super::scene::*;
use crate::drift::Severity;
use crate::evaluate::{Evaluation, Opponent};
use crate::govern::*;
use crate::types::{Digest, Span, Verdict, Version};

const SECOND: Span = Span::from_secs(1);

#[test]
fn every_window_is_judged_once_and_in_order_from_the_instant_of_its_sealing() {
    let mut scene = Scene::with_champion();
    scene.seen.judged = [5, 4, 5].map(|of| judged(window(of))).to_vec();
    assert_eq!(scene.decide(day(6)).record.unwrap().judged, [window(4), window(5)]);
    assert_eq!(scene.decide(day(6) - SECOND).record.unwrap().judged, [window(4)]);
}

#[test]
fn a_report_counts_up_to_the_instant_of_its_decision() {
    let mut scene = Scene::with_promotable();
    scene.seen.judged = vec![judged(window(5))];
    let mut scene = scene.shadowed(Verdict::Pass);
    assert_eq!(scene.run(day(6)), [(OLD, State::Retired), (NEW, State::Promoted)]);
}

#[test]
fn performance_is_evidence_for_as_long_as_labels_are_waited_for() {
    let mut scene = Scene::with_champion().performing(3, Verdict::Fail, Verdict::Fail).judged(4);
    scene.rules.performance.wait = Span::from_days(2);
    scene.seen.data.rows = 11_000;
    assert_eq!(steps(&scene.decide(day(6))), [(NEXT, State::Training)]);
    assert_eq!(steps(&scene.decide(day(6) + SECOND)), []);
    scene.says(day(6) + SECOND, "is set aside: it is too old");
}

#[test]
fn a_window_that_is_not_mature_judges_neither_a_loss_nor_a_catastrophe() {
    let catastrophe = Scene::with_champion().performing(3, Verdict::Insufficient, Verdict::Fail).judged(4);
    catastrophe.says(day(6), "it judges a window that is not mature");
    let mut loss = Scene::with_champion().performing(3, Verdict::Fail, Verdict::Insufficient).judged(4);
    loss.seen.performance[0].maturity.clear();
    loss.says(day(6), "it judges a window that is not mature");
    let silent = Scene::with_champion().performing(3, Verdict::Insufficient, Verdict::Insufficient).judged(4);
    assert!(silent.decide(day(6)).notes.is_empty(), "one that judges nothing is no fault");
}

/// Of the three windows that drift is confirmed over, the newest was judged at day 10: those of days 7, 8 and 9 count.
#[test]
fn a_candidate_is_not_rejected_for_drift_that_was_over_long_ago() {
    let drifted = |of: [i64; 2]| {
        let mut scene = Scene::with_shadow().judged(9);
        scene.seen.candidate_drift = of.map(|of| drift(NEW, window(of), Severity::Severe, Verdict::Fail)).to_vec();
        scene
    };
    let now = day(10) + Span::from_hours(1);
    assert_eq!(drifted([7, 9]).run(now), [(NEW, State::Rejected)]);
    assert_eq!(drifted([6, 9]).run(now), []);
    assert_eq!(drifted([3, 4]).run(now), []);
    drifted([3, 4]).says(now, "is set aside: it is too old");
}

type Change = fn(&mut Evaluation);

#[test]
fn an_evaluation_lets_shadow_whom_it_names_against_whom_it_names() {
    let evaluated = || Scene::with_champion().training(NEW, day(1)).bundle(NEW).evaluated(NEW, Verdict::Pass);
    assert_eq!(evaluated().run(day(1)), [(NEW, State::Shadowing)]);
    let faults: [(Change, &str); 7] = [
        (|report| report.model = "sun".parse().unwrap(), "the report is of another model, sun"),
        (|report| report.candidate = Version::new(3, 2, 1), "the report is of 3.2.1"),
        (|report| report.candidate_bundle = Digest::of("another"), "the report is of 1.1.0"),
        (|report| report.against = Opponent::FirstOfLineage, "is against the prior, not the champion 1.0.0"),
        (|report| report.against = against(NEXT), "is against the champion 1.2.0, not the champion 1.0.0"),
        (
            |report| report.against = Opponent::Champion { version: OLD, bundle: Digest::of("another") },
            "is against the champion 1.0.0, not the champion 1.0.0",
        ),
        (|report| report.checks[0].threshold = -1.0, "its verdict does not follow from its number"),
    ];
    for (fault, words) in faults {
        for verdict in [Verdict::Pass, Verdict::Fail] {
            let mut scene = evaluated().evaluated(NEW, verdict);
            fault(scene.seen.evaluation.as_mut().unwrap());
            // A number that bears no `Pass` out may bear a `Fail` out.
            if verdict == Verdict::Pass || !words.contains("number") {
                scene.says(day(1), words);
                assert_eq!(scene.run(day(1)), [], "{words}: {verdict}");
            }
        }
    }
    let mut first = Scene::new().training(OLD, day(0)).bundle(OLD).evaluated(OLD, Verdict::Pass);
    first.seen.evaluation.as_mut().unwrap().against = against(NEW);
    assert_eq!(first.run(day(0)), []);
    first.says(day(0), "is against the champion 1.1.0, not the prior");
}
