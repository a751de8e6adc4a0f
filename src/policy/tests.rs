//! The table of retraining: one case a rule.

use std::collections::BTreeSet;

use rstest::rstest;

use super::*;
use crate::drift::{ConfirmedDrift, Severity};
use crate::performance::ConfirmedLoss;
use crate::train::Path;
use crate::types::{Measurement, Operator, Span, Timestamp, Verdict};

fn check(verdict: Verdict) -> Check {
    let value = if verdict == Verdict::Fail { 2.0 } else { 0.0 };
    let check = Check::require(Measurement::new("windows", value, 3), Operator::Less, 2.0, 1);
    Check { verdict, ..check }
}

fn drift(verdict: Verdict, severity: Severity) -> ConfirmedDrift {
    ConfirmedDrift { check: check(verdict), severity, verdict }
}

fn loss(verdict: Verdict, catastrophic: Verdict) -> ConfirmedLoss {
    ConfirmedLoss { check: check(verdict), onset: None, matured_until: None, catastrophic, verdict }
}

fn now() -> Timestamp {
    Timestamp::EPOCH + Span::from_days(100)
}

fn nothing_yet(trained_on: &BTreeSet<Digest>) -> History<'_> {
    History { trained_at: None, trained_until: None, trained_on, new_rows: 1_000, learned_rows: 10_000, path: None }
}

#[rstest]
#[case::quiet(Verdict::Pass, Severity::None, Verdict::Pass, Verdict::Pass, Action::NoAction, false)]
#[case::silence(Verdict::Insufficient, Severity::None, Verdict::Pass, Verdict::Pass, Action::Monitor, false)]
#[case::no_labels(Verdict::Pass, Severity::None, Verdict::Insufficient, Verdict::Insufficient, Action::Monitor, false)]
#[case::nobody_knows_of_a_catastrophe(
    Verdict::Pass,
    Severity::None,
    Verdict::Pass,
    Verdict::Insufficient,
    Action::Monitor,
    false
)]
#[case::drift(Verdict::Fail, Severity::Moderate, Verdict::Pass, Verdict::Pass, Action::RetrainRecommended, false)]
#[case::severe(Verdict::Fail, Severity::Severe, Verdict::Pass, Verdict::Pass, Action::RetrainRequired, true)]
#[case::loss(Verdict::Pass, Severity::None, Verdict::Fail, Verdict::Pass, Action::RetrainRequired, true)]
#[case::catastrophe(Verdict::Pass, Severity::None, Verdict::Pass, Verdict::Fail, Action::RetrainRequired, true)]
fn one_decision_for_each_evidence(
    #[case] drifted: Verdict,
    #[case] severity: Severity,
    #[case] lost: Verdict,
    #[case] catastrophic: Verdict,
    #[case] action: Action,
    #[case] starts: bool,
) {
    let none = BTreeSet::new();
    let history = nothing_yet(&none);
    let decision =
        retrain(&drift(drifted, severity), &loss(lost, catastrophic), &history, &RetrainRules::DEFAULTS, now());
    assert_eq!((decision.action, decision.starts), (action, starts), "{decision:?}");
    assert_eq!(decision.reasons.is_empty(), action <= Action::Monitor);
}

#[test]
fn the_same_evidence_never_trains_twice() {
    let none = BTreeSet::new();
    let decide = |trained_on: &BTreeSet<Digest>| {
        let (drift, loss) = (drift(Verdict::Pass, Severity::None), loss(Verdict::Fail, Verdict::Pass));
        retrain(&drift, &loss, &nothing_yet(trained_on), &RetrainRules::DEFAULTS, now())
    };
    let first = decide(&none);
    let second = decide(&BTreeSet::from([first.id]));
    assert!(first.starts && !second.starts);
}

#[test]
fn a_cooldown_holds_all_but_a_newer_catastrophe() {
    let none = BTreeSet::new();
    let trained = now() - Span::from_days(1);
    let history = History { trained_at: Some(trained), trained_until: Some(trained), ..nothing_yet(&none) };
    let quiet = drift(Verdict::Pass, Severity::None);
    let slow = retrain(&quiet, &loss(Verdict::Fail, Verdict::Pass), &history, &RetrainRules::DEFAULTS, now());
    assert!(!slow.starts && slow.action == Action::RetrainRequired);
    let newer = ConfirmedLoss { onset: Some(trained), ..loss(Verdict::Pass, Verdict::Fail) };
    assert!(retrain(&quiet, &newer, &history, &RetrainRules::DEFAULTS, now()).starts);
}

#[test]
fn a_champion_is_outgrown_by_as_much_as_it_learned_from() {
    let none = BTreeSet::new();
    let quiet = (drift(Verdict::Pass, Severity::None), loss(Verdict::Pass, Verdict::Pass));
    let with = |new_rows| {
        let history = History { new_rows, ..nothing_yet(&none) };
        retrain(&quiet.0, &quiet.1, &history, &RetrainRules::DEFAULTS, now()).action
    };
    assert_eq!((with(9_999), with(10_000)), (Action::NoAction, Action::RetrainRequired));
}

#[test]
fn a_champion_is_never_outgrown_where_the_policy_says_so() {
    let none = BTreeSet::new();
    let quiet = (drift(Verdict::Pass, Severity::None), loss(Verdict::Pass, Verdict::Pass));
    let rules = RetrainRules { outgrown: 0.0, ..RetrainRules::DEFAULTS };
    let history = History { new_rows: 1_000_000, ..nothing_yet(&none) };
    assert_eq!(retrain(&quiet.0, &quiet.1, &history, &rules, now()).action, Action::NoAction);
}

/// What stands in the way of a training a day after the last one, which had the rows of the first fifty days.
#[rstest]
#[case::newer_catastrophe(Verdict::Fail, Some(51), true)]
#[case::catastrophe_at_once(Verdict::Fail, Some(50), true)]
#[case::catastrophe_that_was_trained_on(Verdict::Fail, Some(49), false)]
#[case::catastrophe_of_no_known_time(Verdict::Fail, None, false)]
#[case::newer_loss(Verdict::Pass, Some(51), false)]
fn only_a_catastrophe_that_the_last_training_did_not_know_breaks_a_cooldown(
    #[case] catastrophic: Verdict,
    #[case] onset: Option<i64>,
    #[case] starts: bool,
) {
    let none = BTreeSet::new();
    let day = |day| Timestamp::EPOCH + Span::from_days(day);
    let trained_at = Some(now() - Span::from_days(1));
    let history = History { trained_at, trained_until: Some(day(50)), ..nothing_yet(&none) };
    let fell = ConfirmedLoss { onset: onset.map(day), ..loss(Verdict::Fail, catastrophic) };
    let quiet = drift(Verdict::Pass, Severity::None);
    assert_eq!(retrain(&quiet, &fell, &history, &RetrainRules::DEFAULTS, now()).starts, starts);
    let never_matured = History { trained_until: None, ..history };
    let unknown = ConfirmedLoss { onset: None, ..fell };
    assert!(!retrain(&quiet, &unknown, &never_matured, &RetrainRules::DEFAULTS, now()).starts);
}

#[test]
fn a_training_starts_at_the_very_end_of_its_cooldown_with_the_very_rows_it_needs() {
    let none = BTreeSet::new();
    let rules = RetrainRules::DEFAULTS;
    let starts = |since: Span, new_rows| {
        let history = History { trained_at: Some(now() - since), new_rows, ..nothing_yet(&none) };
        let lost = loss(Verdict::Fail, Verdict::Pass);
        retrain(&drift(Verdict::Pass, Severity::None), &lost, &history, &rules, now()).starts
    };
    assert!(starts(rules.cooldown, rules.min_new_rows));
    assert!(!starts(rules.cooldown, rules.min_new_rows - 1));
    assert!(!starts(Span::from_micros(rules.cooldown.micros() - 1), rules.min_new_rows));
}

#[test]
fn an_action_is_told_as_it_is_stored() {
    for action in [Action::NoAction, Action::Monitor, Action::RetrainRecommended, Action::RetrainRequired] {
        assert_eq!(serde_json::to_value(action).unwrap(), action.to_string());
    }
}

/// Whoever answers elsewhere is retrained elsewhere: it is said, and nothing starts here.
#[test]
fn a_champion_elsewhere_is_never_trained_for() {
    let none = BTreeSet::new();
    let decide = |path| {
        let history = History { path, ..nothing_yet(&none) };
        let lost = loss(Verdict::Fail, Verdict::Fail);
        retrain(&drift(Verdict::Fail, Severity::Severe), &lost, &history, &RetrainRules::default(), now())
    };
    let here = decide(Some(Path::Candidate));
    let elsewhere = decide(Some(Path::MonitorOnly));
    assert_eq!((here.action, here.starts), (Action::RetrainRequired, true));
    assert_eq!((elsewhere.action, elsewhere.starts), (Action::RetrainRequired, false));
    assert!(elsewhere.reasons.iter().any(|reason| reason.contains("answers elsewhere")), "{:?}", elsewhere.reasons);
}
