//! The table of retraining: one case a rule.

use std::collections::BTreeSet;

use rstest::rstest;

use super::*;
use crate::drift::{ConfirmedDrift, Severity};
use crate::performance::ConfirmedLoss;
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
    History { trained_at: None, trained_until: None, trained_on, new_rows: 1_000, learned_rows: 10_000 }
}

#[rstest]
#[case::quiet(Verdict::Pass, Severity::None, Verdict::Pass, Verdict::Pass, Action::NoAction, false)]
#[case::silence(Verdict::Insufficient, Severity::None, Verdict::Pass, Verdict::Pass, Action::Monitor, false)]
#[case::no_labels(Verdict::Pass, Severity::None, Verdict::Insufficient, Verdict::Insufficient, Action::Monitor, false)]
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
