//! The steps of the road, each with the rule that allows it; pure. The stricter steps come first.

use super::decide::{Draft, Effect};
use super::fall::{Fall, fell};
use super::journal::{Candidate, Champion, OffTheRoad, Training};
use super::overrides::{Order, Override};
use super::rules::Mode;
use super::state::State;
use crate::drift::{self, Severity};
use crate::evaluate::Opponent;
use crate::policy::{Action, RetrainDecision};
use crate::types::{Check, Digest, Measurement, Operator, Verdict};

type Taken = Result<(), OffTheRoad>;

fn by_order(order: &Override) -> String {
    format!("override `{}` by {}: {}", order.id, order.author, order.reason)
}

/// PROMOTED → ROLLED_BACK, and the last promoted version that was never rolled back and verifies becomes PROMOTED.
pub(super) fn roll_back(draft: &mut Draft<'_>) -> Taken {
    let Some(champion) = draft.standing.champion.clone() else {
        return Ok(());
    };
    let order = draft.orders.get(Order::Rollback);
    let Fall { reason, to } = match order {
        Some(order) => Fall { reason: by_order(order), to: None },
        None => match fell(draft, &champion) {
            Some(fall) => fall,
            None => return Ok(()),
        },
    };
    let wanted = order.and_then(|order| order.version);
    let meant = |former: &Champion| to.is_none_or(|better| better == (former.version, former.bundle));
    let target = draft.standing.retired.iter().rev().find(|former| {
        let verified = draft.observation.bundle(former.version);
        let whole = verified.is_some_and(|bundle| bundle.verdict.is_pass() && bundle.digest == Some(former.bundle));
        whole && meant(former) && wanted.is_none_or(|version| version == former.version)
    });
    let Some(target) = target.cloned() else {
        draft.note(format!("{} should be rolled back, but no former champion verifies: {reason}", champion.version));
        return Ok(());
    };
    if let Some(order) = order {
        draft.apply(order);
    }
    draft.step(champion.version, Some(champion.bundle), State::RolledBack, vec![reason.clone()])?;
    draft.step(target.version, Some(target.bundle), State::Promoted, vec![reason.clone()])?;
    draft.record.reasons.push(format!("rolled back {} to {}: {reason}", champion.version, target.version));
    Ok(())
}

/// Neither frozen, nor pinned, nor within the cooldown of the last automatic change.
pub(super) fn may_change(draft: &mut Draft<'_>) -> bool {
    if draft.frozen() {
        return false;
    }
    if let Some(order) = draft.orders.get(Order::Pin) {
        draft.note(format!("pinned by `{}` until {}: {}", order.id, order.expires, order.reason));
        return false;
    }
    let cooldown = draft.rules.promotion.cooldown;
    match draft.standing.last_automatic_change {
        Some(at) if draft.now.since(at) < cooldown => {
            draft.note(format!("waits for the cooldown of the last change, until {}", at + cooldown));
            false
        }
        Some(_) | None => true,
    }
}

/// TRAINING, SHADOWING, PROMOTABLE → REJECTED: an order, a gate that fails, severe drift, failed attempts, age.
pub(super) fn reject(draft: &mut Draft<'_>) -> Taken {
    let Some(candidate) = draft.standing.candidate.clone() else {
        return Ok(());
    };
    if let Some(order) = draft.orders.meaning(Order::Reject, candidate.version, candidate.bundle) {
        draft.apply(order);
        return refuse(draft, &candidate, by_order(order));
    }
    if draft.frozen() {
        return Ok(());
    }
    match rejection(draft, &candidate) {
        Some(reason) => refuse(draft, &candidate, reason),
        None => Ok(()),
    }
}

fn refuse(draft: &mut Draft<'_>, candidate: &Candidate, reason: String) -> Taken {
    draft.record.reasons.push(format!("rejected {}: {reason}", candidate.version));
    draft.step(candidate.version, candidate.bundle, State::Rejected, vec![reason])
}

/// The first reason to reject a candidate, if there is one.
fn rejection(draft: &Draft<'_>, candidate: &Candidate) -> Option<String> {
    let failing = |checks: &[Check]| {
        checks.iter().find(|check| check.verdict == Verdict::Fail).map(ToString::to_string).unwrap_or_default()
    };
    let observation = draft.observation;
    let attempts = candidate.failures.len() as u64;
    if attempts >= u64::from(draft.rules.promotion.attempts) {
        return Some(format!("{attempts} training attempts failed, the last: {}", candidate.failures.last()?));
    }
    let evaluation = observation.evaluation.as_ref().filter(|report| report.candidate == candidate.version);
    if let Some(report) = evaluation.filter(|report| report.verdict == Verdict::Fail) {
        return Some(format!("evaluation: {}", failing(&report.checks)));
    }
    let shadow = observation.shadow.as_ref().filter(|report| report.candidate == candidate.version);
    if let Some(report) = shadow.filter(|report| report.verdict == Verdict::Fail) {
        let checks = failing(&report.checks);
        let shown = failing(&report.shown);
        return Some(format!("shadow: {}", if checks.is_empty() { shown } else { checks }));
    }
    let own = drift::confirm(&observation.candidate_drift, &draft.rules.drift);
    let passes = shadow.is_some_and(|report| report.verdict.is_pass());
    if own.severity == Severity::Severe && !passes {
        return Some(format!("severe drift against its own profile: {}", own.check));
    }
    let age = draft.now.since(candidate.shadowing_since?);
    (age > draft.rules.shadow.max_age).then(|| {
        let measured = Measurement::new("age_secs", age.secs(), 1);
        Check::require(measured, Operator::AtMost, draft.rules.shadow.max_age.secs(), 0).to_string()
    })
}

/// TRAINING → SHADOWING: bundle published and verified, evaluation `Pass`.
pub(super) fn shadow(draft: &mut Draft<'_>) -> Taken {
    let Some(candidate) = in_state(draft, State::Training) else {
        return Ok(());
    };
    let Some(bundle) = verified(draft, &candidate) else {
        return Ok(());
    };
    let forced = forced(draft, &candidate, bundle);
    let evaluation = draft.observation.evaluation.as_ref();
    let evaluation = evaluation.filter(|report| report.candidate_bundle == bundle);
    let verdict = evaluation.map_or(Verdict::Insufficient, |report| report.verdict);
    let reason = match (&forced, verdict) {
        (Some(order), _) => by_order(order),
        (None, Verdict::Pass) => "bundle verified, evaluation Pass".to_owned(),
        (None, Verdict::Insufficient | Verdict::Error | Verdict::Fail) => {
            let waits = evaluation.map(|report| open_checks(&report.checks)).unwrap_or_default();
            draft.note(format!("{} waits for its evaluation: {verdict} {waits}", candidate.version));
            return Ok(());
        }
    };
    if forced.is_none() && draft.frozen() {
        return Ok(());
    }
    draft.step(candidate.version, Some(bundle), State::Shadowing, vec![reason])
}

fn in_state(draft: &Draft<'_>, state: State) -> Option<Candidate> {
    draft.standing.candidate.clone().filter(|candidate| candidate.state == state)
}

/// The digest of the candidate's bundle if it verifies now, and is the one that was seen before.
fn verified(draft: &mut Draft<'_>, candidate: &Candidate) -> Option<Digest> {
    let bundle = draft.observation.bundle(candidate.version)?;
    let same = candidate.bundle.is_none() || candidate.bundle == bundle.digest;
    if bundle.verdict.is_pass() && same {
        return bundle.digest;
    }
    let note = if same { bundle.note.clone() } else { "its manifest is not the one that was evaluated".to_owned() };
    draft.note(format!("{} is not verified: {note}", candidate.version));
    None
}

/// A `promote` override forces the rest of the road, unless something stricter stands.
fn forced<'a>(draft: &mut Draft<'a>, candidate: &Candidate, bundle: Digest) -> Option<&'a Override> {
    let order = draft.orders.meaning(Order::Promote, candidate.version, Some(bundle))?;
    for stricter in [Order::Freeze, Order::Pin] {
        if let Some(standing) = draft.orders.get(stricter) {
            draft.note(format!("`{}` ({stricter}) is stricter than `{}` (promote) and wins", standing.id, order.id));
            return None;
        }
    }
    draft.apply(order);
    Some(order)
}

fn open_checks(checks: &[Check]) -> String {
    let open = checks.iter().filter(|check| !check.verdict.is_pass());
    open.map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Whether nobody is there to be shadowed: the first of a lineage passes on its evaluation alone.
fn first_of_lineage(draft: &Draft<'_>) -> bool {
    draft.standing.champion.is_none()
}

/// SHADOWING → PROMOTABLE on shadow `Pass`; PROMOTABLE → SHADOWING when a gate no longer passes.
pub(super) fn promotable(draft: &mut Draft<'_>) -> Taken {
    let candidate = match draft.standing.candidate.clone() {
        Some(candidate) if matches!(candidate.state, State::Shadowing | State::Promotable) => candidate,
        Some(_) | None => return Ok(()),
    };
    let (verdict, reason) = gate(draft, &candidate);
    let forced = verified(draft, &candidate).and_then(|bundle| forced(draft, &candidate, bundle));
    let (to, reason) = match (candidate.state, verdict, &forced) {
        (State::Shadowing, _, Some(order)) => (State::Promotable, by_order(order)),
        (State::Promotable, _, Some(_)) | (State::Promotable, Verdict::Pass, None) => return Ok(()),
        (State::Shadowing, Verdict::Pass, None) => (State::Promotable, reason),
        (State::Promotable, _, None) => (State::Shadowing, reason),
        (_, _, _) => {
            draft.note(format!("{} waits for its shadow: {reason}", candidate.version));
            return Ok(());
        }
    };
    if forced.is_none() && draft.frozen() {
        return Ok(());
    }
    draft.step(candidate.version, candidate.bundle, to, vec![reason])
}

/// What the shadow gate says, and why.
fn gate(draft: &Draft<'_>, candidate: &Candidate) -> (Verdict, String) {
    if first_of_lineage(draft) {
        return (Verdict::Pass, "first of lineage: nobody to be compared with".to_owned());
    }
    let report = draft.observation.shadow.as_ref();
    match report.filter(|report| Some(report.candidate_bundle) == candidate.bundle) {
        None => (Verdict::Insufficient, "no live traffic has been judged yet".to_owned()),
        Some(report) if report.verdict.is_pass() => {
            let gain = report.checks.iter().find(|check| check.measurement.metric == "loss_gain_lower");
            (Verdict::Pass, format!("shadow Pass: {}", gain.map(ToString::to_string).unwrap_or_default()))
        }
        Some(report) => (report.verdict, open_checks(&report.checks)),
    }
}

/// PROMOTABLE → PROMOTED: still `Pass` on a judged window sealed after the PROMOTABLE entry, verified, allowed.
pub(super) fn promote(draft: &mut Draft<'_>) -> Taken {
    let Some(candidate) = in_state(draft, State::Promotable) else {
        return Ok(());
    };
    let Some(bundle) = verified(draft, &candidate) else {
        return Ok(());
    };
    let Some(baseline) = draft.observation.bundle(candidate.version).and_then(|bundle| bundle.baseline.clone()) else {
        draft.note(format!("{} has no held-out metrics to be held against", candidate.version));
        return Ok(());
    };
    let reason = match forced(draft, &candidate, bundle) {
        Some(order) => by_order(order),
        None => match due(draft, &candidate) {
            Some(reason) => reason,
            None => return Ok(()),
        },
    };
    if let Some(champion) = draft.standing.champion.clone() {
        let reasons = vec![format!("{} takes its place", candidate.version)];
        draft.step(champion.version, Some(champion.bundle), State::Retired, reasons)?;
    }
    draft.record.baseline = Some(baseline);
    draft.record.reasons.push(format!("promoted {}: {reason}", candidate.version));
    draft.step(candidate.version, Some(bundle), State::Promoted, vec![reason])
}

/// Why a PROMOTABLE candidate may be promoted now; else a note says what it waits for.
fn due(draft: &mut Draft<'_>, candidate: &Candidate) -> Option<String> {
    // Steps of this very run are not yet evidence.
    let (first, version) = (first_of_lineage(draft), candidate.version);
    let reason = if first {
        (draft.now > candidate.since).then(|| "first of lineage, evaluation Pass".to_owned())
    } else {
        let judged = draft.observation.judged.iter().rev();
        let window =
            judged.map(|judged| (judged.window, judged.sealed_at)).find(|(_, sealed)| *sealed > candidate.since);
        window.map(|(window, _)| format!("still Pass on the window {window}, sealed after PROMOTABLE"))
    };
    let Some(reason) = reason else {
        draft.note(format!("{version} waits for one more {}", if first { "run" } else { "judged window" }));
        return None;
    };
    // A first champion changes nobody's answer: no pin and no cooldown stands in its way.
    let allowed = if first { !draft.frozen() } else { may_change(draft) };
    if !allowed {
        return None;
    }
    match needs_approval(draft, candidate) {
        None => Some(reason),
        Some(why) => match draft.orders.meaning(Order::Approve, version, candidate.bundle) {
            Some(order) => {
                draft.apply(order);
                Some(format!("{reason}; {}", by_order(order)))
            }
            None => {
                draft.note(format!("{version} waits for an `approve` override: {why}"));
                None
            }
        },
    }
}

fn needs_approval(draft: &Draft<'_>, candidate: &Candidate) -> Option<String> {
    let promotion = &draft.rules.promotion;
    let (mode, key) = match first_of_lineage(draft) {
        true => (promotion.first, "promotion.first"),
        false => (promotion.mode, "promotion.mode"),
    };
    if mode == Mode::Manual {
        return Some(format!("{key} is manual"));
    }
    let major = |version| draft.observation.bundle(version).map(|bundle| bundle.contract_major);
    let champion = draft.standing.champion_version()?;
    let lineage = draft.observation.evaluation.as_ref().map(|report| &report.against);
    let new = major(champion) != major(candidate.version) || lineage == Some(&Opponent::FirstOfLineage);
    new.then(|| "its contract has a new major version: callers must change".to_owned())
}

/// A candidate that has not passed gives way to a training that newer evidence requires, and to one that would know as
/// much again as it does.
pub(super) fn supersede(draft: &mut Draft<'_>, retrain: Option<&RetrainDecision>) -> Taken {
    let (Some(candidate), Some(retrain)) = (draft.standing.candidate.clone(), retrain) else {
        return Ok(());
    };
    let wanted = retrain.action == Action::RetrainRequired && retrain.starts && !draft.record.judged.is_empty();
    let newer = draft.loss.onset.is_some() && draft.loss.onset >= candidate.training.matured_until;
    let learned = draft.observation.bundle(candidate.version).map_or(0, |bundle| bundle.learned_rows);
    let since = draft.observation.data.rows.saturating_sub(candidate.training.rows);
    let outgrown = learned > 0 && since >= learned;
    if candidate.state != State::Shadowing || !wanted || !(newer || outgrown) || draft.frozen() {
        return Ok(());
    }
    let reason = format!("superseded by newer evidence: {}", retrain.reasons.join("; "));
    refuse(draft, &candidate, reason)
}

/// – → TRAINING: policy or an order wants it, no live candidate, rows to train on, not frozen. Or one more attempt.
pub(super) fn train(draft: &mut Draft<'_>, retrain: Option<RetrainDecision>) -> Taken {
    if !draft.record.judged.is_empty() {
        draft.record.retrain = retrain.clone();
    }
    if let Some(candidate) = draft.standing.candidate.clone() {
        take_over(draft, &candidate);
        return Ok(());
    }
    let order = draft.orders.get(Order::Retrain);
    let wanted = retrain.as_ref().filter(|decision| decision.starts && !draft.record.judged.is_empty());
    if (order.is_none() && wanted.is_none()) || draft.frozen() {
        return Ok(());
    }
    let Some(plan) = draft.observation.next.clone() else {
        draft.note("a training is due, but there are no labelled rows to train on: add files to `sources:`".to_owned());
        return Ok(());
    };
    let reasons = match (order, wanted) {
        (Some(order), _) => vec![by_order(order)],
        (None, wanted) => wanted.map(|decision| decision.reasons.clone()).unwrap_or_default(),
    };
    let version = plan.version;
    let training = Training {
        plan,
        attempt: 1,
        created_at: draft.now,
        evidence: retrain.as_ref().filter(|_| order.is_none()).map(|decision| decision.id),
        matured_until: draft.loss.matured_until,
        rows: draft.observation.data.rows,
    };
    if let Some(order) = order {
        draft.apply(order);
    }
    draft.record.retrain = retrain;
    draft.record.training = Some(training.clone());
    draft.record.reasons.push(format!("training {version}: {}", reasons.join("; ")));
    draft.effects.push(Effect::Train(Box::new(training)));
    draft.step(version, None, State::Training, reasons)
}

/// A training that left no bundle is repeated: at once if it failed, after `takeover_after` if it fell silent.
fn take_over(draft: &mut Draft<'_>, candidate: &Candidate) {
    let published = draft.observation.bundle(candidate.version).is_some_and(|bundle| bundle.digest.is_some());
    if candidate.state != State::Training || published || draft.frozen() {
        return;
    }
    let failed = candidate.failures.len() as u64 >= u64::from(candidate.training.attempt);
    let silent_until = candidate.attempt_since + draft.rules.promotion.takeover_after;
    if !failed && draft.now < silent_until {
        draft.note(format!("{} trains; another governor takes over after {silent_until}", candidate.version));
        return;
    }
    let attempt = candidate.training.attempt + 1;
    let training = Training { attempt, ..candidate.training.clone() };
    draft.record.reasons.push(format!("training {} again: attempt {attempt}", candidate.version));
    draft.record.training = Some(training.clone());
    draft.effects.push(Effect::Train(Box::new(training)));
}
