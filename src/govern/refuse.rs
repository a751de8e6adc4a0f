//! TRAINING, SHADOWING, PROMOTABLE → REJECTED: by order, by a gate that fails, or because there is newer evidence; pure.

use super::decide::Draft;
use super::evidence;
use super::overrides::Order;
use super::standing::Candidate;
use super::start;
use super::state::State;
use super::walk::{Taken, by_order, gate, ordered, verified};
use crate::drift::{self, Severity};
use crate::policy::{Action, RetrainDecision};
use crate::types::{Check, Measurement, Operator, Verdict};

/// An order, a gate that fails, severe drift, failed attempts, age.
pub(super) fn reject(draft: &mut Draft<'_>) -> Taken {
    let Some(candidate) = draft.standing.candidate.clone() else {
        return Ok(());
    };
    let orders = draft.orders;
    // In force only if it means this candidate.
    if let Some(order) = orders.get(Order::Reject) {
        orders.all(Order::Reject).for_each(|order| draft.apply(order));
        return refuse(draft, &candidate, by_order(order));
    }
    // Whom a person promotes is not rejected by policy.
    if draft.frozen() || ordered(draft, &candidate).is_some() {
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
fn rejection(draft: &mut Draft<'_>, candidate: &Candidate) -> Option<String> {
    let failing = |checks: &[Check]| {
        checks.iter().find(|check| check.verdict == Verdict::Fail).map(ToString::to_string).unwrap_or_default()
    };
    let attempt = u64::from(candidate.training.attempt);
    if attempt >= u64::from(draft.rules.promotion.attempts)
        && let Some(how) = start::ended(draft, candidate)
    {
        return Some(format!("{attempt} training attempts failed, the last {how}"));
    }
    // The evaluation is the gate out of TRAINING; later on live traffic is.
    if candidate.state == State::Training
        && let Some(bundle) = verified(draft, candidate)
        && let Ok((report, Verdict::Fail)) = evidence::evaluation(draft, candidate, bundle)
    {
        return Some(format!("evaluation: {}", failing(&report.checks)));
    }
    if let Ok((report, Verdict::Fail)) = evidence::shadow(draft, candidate) {
        let checks = failing(&report.checks);
        return Some(format!("shadow: {}", if checks.is_empty() { failing(&report.shown) } else { checks }));
    }
    let own = drift::confirm(&draft.evidence.candidate_drift, &draft.rules.drift);
    let first = draft.standing.first_of_lineage(candidate.version);
    if own.severity == Severity::Severe && (first || !gate(draft, candidate).0.is_pass()) {
        return Some(format!("severe drift against its own profile: {}", own.check));
    }
    // A training whose bundle cannot pass would otherwise keep all others waiting for ever.
    let age = draft.now.since(candidate.shadowing_since.unwrap_or(candidate.since));
    (age > draft.rules.shadow.max_age).then(|| {
        let measured = Measurement::new("age_secs", age.secs(), 1);
        Check::require(measured, Operator::AtMost, draft.rules.shadow.max_age.secs(), 0).to_string()
    })
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
