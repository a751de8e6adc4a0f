//! – → TRAINING, and one more attempt at a training that left no bundle; pure.

use super::decide::{Draft, Effect};
use super::journal::Training;
use super::overrides::Order;
use super::standing::Candidate;
use super::state::State;
use super::walk::{Taken, by_order};
use crate::policy::RetrainDecision;

/// – → TRAINING: policy or an order wants it, no live candidate, rows to train on, not frozen. Or one more attempt.
pub(super) fn train(draft: &mut Draft<'_>, retrain: Option<RetrainDecision>) -> Taken {
    if !draft.record.judged.is_empty() {
        draft.record.retrain = retrain.clone();
    }
    let order = draft.orders.get(Order::Retrain);
    if let Some(candidate) = draft.standing.candidate.clone() {
        if let Some(order) = order {
            let (version, state) = (candidate.version, candidate.state);
            draft.note(format!(
                "`{}` (retrain) waits: {version} is {state}, and there is one candidate at a time",
                order.id
            ));
        }
        take_over(draft, &candidate);
        return Ok(());
    }
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
    if published(draft, candidate) || draft.frozen() {
        return;
    }
    if ended(draft, candidate).is_none() {
        let silent_until = candidate.attempt_since + draft.rules.promotion.takeover_after;
        draft.note(format!("{} trains; another governor takes over after {silent_until}", candidate.version));
        return;
    }
    let attempt = candidate.training.attempt + 1;
    let training = Training { attempt, ..candidate.training.clone() };
    draft.record.reasons.push(format!("training {} again: attempt {attempt}", candidate.version));
    draft.record.training = Some(training.clone());
    draft.effects.push(Effect::Train(Box::new(training)));
}

fn published(draft: &Draft<'_>, candidate: &Candidate) -> bool {
    let bundle = draft.observation.bundle(candidate.version);
    candidate.state != State::Training || bundle.is_some_and(|bundle| bundle.digest.is_some())
}

/// How the current attempt at a training ended without a bundle: it failed, or it has been silent for too long.
pub(super) fn ended(draft: &Draft<'_>, candidate: &Candidate) -> Option<String> {
    if published(draft, candidate) {
        return None;
    }
    let failed = candidate.failures.iter().find(|failed| failed.attempt == candidate.training.attempt);
    let silent = draft.now.since(candidate.attempt_since) >= draft.rules.promotion.takeover_after;
    match failed {
        Some(failed) => Some(format!("because: {}", failed.why)),
        None => silent.then(|| format!("fell silent at {}", candidate.attempt_since)),
    }
}
