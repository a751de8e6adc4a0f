//! What the fold takes and what it refuses, whoever wrote the entry; and what it remembers.

use super::scene::*;
use crate::govern::*;
use crate::types::{Digest, Span, Verdict, Version};

fn step(version: Version, from: Option<State>, to: State, bundle: Option<Digest>) -> Transition {
    Transition { version, bundle, from, to, reasons: Vec::new() }
}

/// Why the fold refuses these steps, if it does.
fn refusal(scene: &Scene, steps: &[Transition]) -> Option<String> {
    let record = Record {
        transitions: steps.to_vec(),
        baseline: Some(baseline(NEW)),
        training: Some(training(NEXT, day(9))),
        ..Record::empty(day(9))
    };
    let refused = scene.standing.clone().after(&entry(&scene.standing, record), Digest::of("x")).err()?;
    Some(std::error::Error::source(&refused).map_or_else(|| refused.to_string(), ToString::to_string))
}

#[test]
fn an_entry_follows_the_one_before_by_its_number_and_by_its_digest() {
    let standing = Scene::with_champion().standing;
    let next = entry(&standing, Record::empty(day(1)));
    let taken = |entry: Entry| standing.clone().after(&entry, Digest::of("x"));
    assert!(taken(next.clone()).is_ok());
    let (seq, _) = standing.head.unwrap();
    for wrong in [
        Entry { seq: seq + 2, ..next.clone() },
        Entry { seq, ..next.clone() },
        Entry { parent: Some(Digest::of("another")), ..next.clone() },
        Entry { parent: None, ..next },
    ] {
        assert!(matches!(taken(wrong), Err(GovernError::Chain { seq: expected }) if expected == seq + 1));
    }
}

#[test]
fn a_step_is_on_the_road_and_from_where_its_version_stands() {
    use State::*;
    let (old, new, other) = (Some(bundle_of(OLD)), Some(bundle_of(NEW)), Some(Digest::of("another")));
    let shadowing = Scene::with_shadow();
    assert_eq!(refusal(&shadowing, &[step(NEW, Some(Shadowing), Promotable, new)]), None);
    let off = refusal(&shadowing, &[step(OLD, Some(Promoted), Rejected, old)]).unwrap();
    assert_eq!(off, "take 1.0.0 from PROMOTED to REJECTED: there is no such step from where it stands");
    let lies = refusal(&shadowing, &[step(OLD, Some(Shadowing), Rejected, old)]);
    assert!(lies.unwrap().starts_with("take 1.0.0 from SHADOWING"), "it does not stand there");
    assert!(refusal(&shadowing, &[step(NEW, Some(Shadowing), Promotable, other)]).is_some(), "another bundle");
    assert!(refusal(&shadowing, &[step(NEW, Some(Shadowing), Promotable, None)]).is_some(), "no bundle");
    let training = Scene::with_champion().training(NEW, day(1));
    assert_eq!(refusal(&training, &[step(NEW, Some(Training), Shadowing, new)]), None);
    assert!(refusal(&training, &[step(NEW, Some(Training), Shadowing, None)]).is_some(), "no bundle");
    let champion = Scene::with_champion();
    assert_eq!(refusal(&champion, &[step(NEXT, None, Training, None)]), None);
    let another = refusal(&champion, &[step(NEW, None, Training, None)]);
    assert!(another.unwrap().starts_with("take 1.1.0 from nothing"), "what is pinned is another version's");
}

#[test]
fn only_a_change_that_nobody_asked_for_begins_a_cooldown() {
    let changed = |scene: &Scene| scene.standing.last_automatic_change;
    let mut promoted = Scene::with_shadow().order("p", Order::Promote, Some(NEW));
    promoted.run(day(2));
    assert_eq!((promoted.standing.champion_version(), changed(&promoted)), (Some(NEW), Some(day(0))));
    let mut approved = Scene::with_promotable().judged(5).order("a", Order::Approve, Some(NEW));
    approved.rules.promotion.mode = Mode::Manual;
    approved.run(day(9));
    assert_eq!((approved.standing.champion_version(), changed(&approved)), (Some(NEW), Some(day(0))));
    let mut taken_back = Scene::with_predecessor().order("r", Order::Rollback, None);
    let before = changed(&taken_back);
    taken_back.run(day(9));
    assert_eq!((taken_back.standing.champion_version(), changed(&taken_back)), (Some(OLD), before));
    let mut fallen = Scene::with_predecessor().performing(9, Verdict::Fail, Verdict::Fail).judged(9);
    fallen.run(day(10) + Span::from_hours(1));
    assert_eq!(changed(&fallen), Some(day(10) + Span::from_hours(1)));
}

#[test]
fn a_failure_counts_for_the_attempt_that_was_made_and_while_it_trains() {
    let failed = |mut scene: Scene, attempt| {
        let failed = FailedAttempt { version: NEW, attempt, why: "no".into() };
        scene.write(Record { failed_attempt: Some(failed), ..Record::empty(day(2)) });
        scene.standing.candidate.unwrap().failures.len()
    };
    let training = || Scene::with_champion().training(NEW, day(1));
    assert_eq!(failed(training(), 1), 1);
    assert_eq!(failed(training(), 2), 0, "nobody made that attempt");
    assert_eq!(failed(Scene::with_shadow(), 1), 0, "it has left its bundle");
}

/// An attempt that failed once is made once more, and not again for the same failure.
#[test]
fn an_attempt_that_failed_is_followed_by_one_other() {
    let mut scene = Scene::with_champion().training(NEW, day(1));
    let failed = FailedAttempt { version: NEW, attempt: 1, why: "no".into() };
    scene.write(Record { failed_attempt: Some(failed), ..Record::empty(day(1)) });
    assert_eq!(scene.decide(day(1)).record.unwrap().training.unwrap().attempt, 2);
    scene.run(day(1));
    assert!(scene.decide(day(1)).effects.is_empty(), "the second attempt has not failed");
    assert_eq!(scene.standing.candidate.unwrap().state, State::Training);
}

#[test]
fn whoever_does_not_train_any_more_shadows() {
    let version = |scene: Scene| scene.standing.shadowing().map(|candidate| candidate.version);
    assert_eq!(version(Scene::with_champion()), None);
    assert_eq!(version(Scene::with_champion().training(NEW, day(1))), None);
    assert_eq!(version(Scene::with_shadow()), Some(NEW));
    assert_eq!(version(Scene::with_promotable()), Some(NEW));
}

#[test]
fn a_candidate_remembers_the_evaluation_that_let_it_shadow() {
    let mut scene = Scene::with_champion().training(NEW, day(1));
    let cited = |kind, text: &str| Cited { kind, sha256: Digest::of(text) };
    let mut write = |reports: Vec<Cited>| {
        let entry = Entry { reports, ..entry(&scene.standing, Record::empty(day(1))) };
        let digest = Digest::of(entry.seq.to_string());
        scene.standing = scene.standing.clone().after(&entry, digest).unwrap();
        scene.standing.candidate.as_ref().unwrap().evaluation
    };
    assert_eq!(write(vec![cited(ReportKind::Drift, "drift")]), None);
    let both = vec![cited(ReportKind::Drift, "drift"), cited(ReportKind::Evaluation, "first")];
    assert_eq!(write(both), Some(Digest::of("first")));
    assert_eq!(write(vec![cited(ReportKind::Shadow, "shadow")]), Some(Digest::of("first")), "it is kept");
    assert_eq!(write(vec![cited(ReportKind::Evaluation, "second")]), Some(Digest::of("second")));
    // What an entry cites beside the beginning of a training was about another.
    let champion = Scene::with_champion();
    let record = Record {
        transitions: vec![step(NEW, None, State::Training, None)],
        training: Some(training(NEW, day(1))),
        ..Record::empty(day(1))
    };
    let begins = Entry { reports: vec![cited(ReportKind::Evaluation, "first")], ..entry(&champion.standing, record) };
    let standing = champion.standing.after(&begins, Digest::of("x")).unwrap();
    assert_eq!(standing.candidate.unwrap().evaluation, None);
}
