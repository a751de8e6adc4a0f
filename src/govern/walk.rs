//! The steps of the road, each with the rule that allows it; pure. The stricter steps come first.

use super::decide::Draft;
use super::evidence;
use super::fall::{Fall, fell, nobody, target};
use super::orders::pinned;
use super::overrides::{Order, Override};
use super::rules::Mode;
use super::standing::{Candidate, OffTheRoad};
use super::state::State;
use crate::types::{Check, Digest, Verdict};

pub(super) type Taken = Result<(), OffTheRoad>;

pub(super) fn by_order(order: &Override) -> String {
    format!("override `{}` by {}: {}", order.id, order.author, order.reason)
}

/// PROMOTED → ROLLED_BACK, and the last promoted version that was never rolled back and verifies becomes PROMOTED.
pub(super) fn roll_back(draft: &mut Draft<'_>) -> Taken {
    let Some(champion) = draft.standing.champion.clone() else {
        return Ok(());
    };
    let orders = draft.orders;
    let (met, unmet): (Vec<&Override>, Vec<&Override>) =
        orders.all(Order::Rollback).partition(|order| order.version == Some(champion.version));
    for order in met {
        draft.apply(order);
        draft.record.reasons.push(format!("{}: {} serves already", by_order(order), champion.version));
    }
    let (reason, target) = if unmet.is_empty() {
        let Some(Fall { reason, to }) = fell(draft, &champion) else { return Ok(()) };
        let (version, bundle) = to.unzip();
        (reason, target(draft, version, bundle))
    } else {
        let found = unmet.iter().find_map(|order| Some((by_order(order), target(draft, order.version, order.bundle)?)));
        match found {
            Some((reason, target)) => (reason, Some(target)),
            None => (unmet.iter().map(|order| nobody(draft, order)).collect::<Vec<_>>().join("; "), None),
        }
    };
    let Some(target) = target else {
        draft.note(format!("{} should be rolled back, but no former champion verifies: {reason}", champion.version));
        return Ok(());
    };
    // One rollback answers all who asked for one: a second would take back whom the first brought.
    for order in unmet {
        draft.apply(order);
    }
    draft.step(champion.version, Some(champion.bundle), State::RolledBack, vec![reason.clone()])?;
    draft.step(target.version, Some(target.bundle), State::Promoted, vec![reason.clone()])?;
    draft.record.reasons.push(format!("rolled back {} to {}: {reason}", champion.version, target.version));
    Ok(())
}

/// Neither frozen, nor pinned, nor beside an order to go back, nor within the cooldown of the last automatic change.
pub(super) fn may_change(draft: &mut Draft<'_>) -> bool {
    if draft.frozen() {
        return false;
    }
    if draft.changed() {
        draft.note("the champion has changed in this run: the next change waits for another run".to_owned());
        return false;
    }
    if let Some(order) = draft.orders.get(Order::Rollback) {
        draft.note(format!("`{}` ({}) stands: nobody is promoted before it is obeyed", order.id, order.order));
        return false;
    }
    if let Some(order) = draft.orders.get(Order::Pin) {
        draft.note(pinned(order, &draft.standing));
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

/// TRAINING → SHADOWING: bundle published and verified, evaluation `Pass`.
pub(super) fn shadow(draft: &mut Draft<'_>) -> Taken {
    let Some(candidate) = in_state(draft, State::Training) else {
        return Ok(());
    };
    let Some(bundle) = verified(draft, &candidate) else {
        return Ok(());
    };
    let reason = match (ordered(draft, &candidate), evidence::evaluation(draft, &candidate, bundle)) {
        (Some(order), _) => by_order(order),
        (None, Ok((_, Verdict::Pass))) => "bundle verified, evaluation Pass".to_owned(),
        (None, cited) => {
            let waits = match cited {
                Ok((report, verdict)) => open_checks(verdict, &report.checks),
                Err(why) => why,
            };
            draft.note(format!("{} waits for its evaluation: {waits}", candidate.version));
            return Ok(());
        }
    };
    if draft.frozen() {
        return Ok(());
    }
    draft.step(candidate.version, Some(bundle), State::Shadowing, vec![reason])
}

fn in_state(draft: &Draft<'_>, state: State) -> Option<Candidate> {
    draft.standing.candidate.clone().filter(|candidate| candidate.state == state)
}

/// The digest of the candidate's bundle if it verifies now, and is the one that was seen before.
pub(super) fn verified(draft: &mut Draft<'_>, candidate: &Candidate) -> Option<Digest> {
    let Some(bundle) = draft.observation.bundle(candidate.version) else {
        draft.note(format!(
            "{} is not verified: its bundle was not seen, or was seen twice and differently",
            candidate.version
        ));
        return None;
    };
    let same = candidate.bundle.is_none() || candidate.bundle == bundle.digest;
    if bundle.verdict.is_pass() && same {
        return bundle.digest;
    }
    let changed = "its manifest is not the one that was evaluated".to_owned();
    let note = if bundle.verdict.is_pass() { changed } else { bundle.note.clone() };
    draft.note(format!("{} is not verified: {note}", candidate.version));
    None
}

/// A `promote` override that forces the rest of the road: nothing stricter stands, the bundle verifies and can be held against
/// its metrics, and it is no new contract major. It is obeyed whole or not at all.
pub(super) fn ordered<'a>(draft: &mut Draft<'a>, candidate: &Candidate) -> Option<&'a Override> {
    let orders = draft.orders;
    let bundle = verified(draft, candidate)?;
    let order = orders.meaning(Order::Promote, candidate.version, Some(bundle))?;
    // Which order wins has been said.
    if orders.over(order).is_some() || !orders.refused.is_empty() {
        return None;
    }
    let whole = draft.observation.bundle(candidate.version).is_some_and(|bundle| bundle.baseline.is_some());
    let why = if draft.changed() {
        "the champion has changed in this run, and changes once a run"
    } else if draft.standing.champion.is_some() && draft.standing.first_of_lineage(candidate.version) {
        "a new contract major is never forced: its callers must change, and an `approve` says that they may"
    } else if !whole {
        "it has no held-out metrics to be held against"
    } else {
        return Some(order);
    };
    draft.note(format!("`{}` ({}) waits: {why}", order.id, order.order));
    None
}

/// What keeps a report from passing: its checks that do not, or its verdict alone where none is to blame.
fn open_checks(verdict: Verdict, checks: &[Check]) -> String {
    let open = checks.iter().filter(|check| !check.verdict.is_pass()).map(ToString::to_string).collect::<Vec<_>>();
    if open.is_empty() { format!("{verdict}, and no check says why") } else { open.join("; ") }
}

/// SHADOWING → PROMOTABLE on shadow `Pass`; PROMOTABLE → SHADOWING when a gate no longer passes.
pub(super) fn promotable(draft: &mut Draft<'_>) -> Taken {
    let candidate = match draft.standing.candidate.clone() {
        Some(candidate) if matches!(candidate.state, State::Shadowing | State::Promotable) => candidate,
        Some(_) | None => return Ok(()),
    };
    let (verdict, reason) = gate(draft, &candidate);
    let (to, reason) = match (candidate.state, verdict, ordered(draft, &candidate)) {
        (State::Shadowing, _, Some(order)) => (State::Promotable, by_order(order)),
        (State::Promotable, _, Some(_)) | (State::Promotable, Verdict::Pass, None) => return Ok(()),
        // What would be promoted is what was judged.
        (State::Shadowing, Verdict::Pass, None) if verified(draft, &candidate).is_some() => (State::Promotable, reason),
        (State::Promotable, _, None) => (State::Shadowing, reason),
        (_, _, _) => {
            draft.note(format!("{} waits for its shadow: {reason}", candidate.version));
            return Ok(());
        }
    };
    if draft.frozen() {
        return Ok(());
    }
    draft.step(candidate.version, candidate.bundle, to, vec![reason])
}

/// What the shadow gate says, and why.
pub(super) fn gate(draft: &Draft<'_>, candidate: &Candidate) -> (Verdict, String) {
    if draft.standing.first_of_lineage(candidate.version) {
        return (Verdict::Pass, "first of lineage: nobody to be compared with".to_owned());
    }
    match evidence::shadow(draft, candidate) {
        Err(why) => (Verdict::Insufficient, why),
        Ok((report, Verdict::Pass)) => {
            let gain = report.checks.iter().find(|check| check.measurement.metric == "loss_gain_lower");
            (Verdict::Pass, format!("shadow Pass: {}", gain.map(ToString::to_string).unwrap_or_default()))
        }
        Ok((report, verdict)) => (verdict, open_checks(verdict, &report.checks)),
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
    let reason = match ordered(draft, &candidate) {
        Some(order) => {
            draft.apply(order);
            by_order(order)
        }
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
    let (first, version) = (draft.standing.champion.is_none(), candidate.version);
    let reason = if first {
        (draft.now > candidate.since).then(|| "first of lineage, evaluation Pass".to_owned())
    } else {
        let judged = draft.evidence.judged.iter().rev().find(|judged| judged.sealed_at > candidate.since);
        judged.map(|judged| format!("still Pass on the window {}, sealed after PROMOTABLE", judged.window))
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
    let (mode, key) = match draft.standing.champion {
        None => (promotion.first, "promotion.first"),
        // Whatever the mode: the first of a lineage beside another one changes what callers must send.
        Some(_) if draft.standing.first_of_lineage(candidate.version) => {
            return Some("its contract has a new major version: callers must change".to_owned());
        }
        Some(_) => (promotion.mode, "promotion.mode"),
    };
    (mode == Mode::Manual).then(|| format!("{key} is manual"))
}
