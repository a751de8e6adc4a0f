//! When a champion is taken back without anybody asking: its predecessor is better, or it fell and the world did not move; and
//! to whom a rollback returns; pure.

use super::decide::Draft;
use super::overrides::Override;
use super::standing::Champion;
use super::state::State;
use super::walk::{by_order, may_change};
use crate::drift::Severity;
use crate::evaluate::Watch;
use crate::performance::collapse;
use crate::types::{Digest, Verdict, Version};

/// Why a champion is taken back, and whom the evidence names as the better one.
pub(super) struct Fall {
    pub(super) reason: String,
    /// None if the evidence speaks of the champion alone: then whoever stood before it.
    pub(super) to: Option<(Version, Digest)>,
}

/// What takes a champion back while it is watched: a predecessor that is better on the same newest labelled rows, or a
/// catastrophic mature loss without severe drift.
pub(super) fn fell(draft: &mut Draft<'_>, champion: &Champion) -> Option<Fall> {
    let watched = draft.now.since(champion.since) <= draft.rules.rollback.watch;
    if !watched || draft.standing.retired.is_empty() {
        return None;
    }
    let fall = outdone(draft, champion).or_else(|| collapsed(draft, champion))?;
    may_change(draft).then_some(fall)
}

/// The predecessor is better on rows that both have answered, and at home among them: whatever moved, the way back fits.
fn outdone(draft: &Draft<'_>, champion: &Champion) -> Option<Fall> {
    let watch = draft.observation.watch.as_ref().filter(|watch| is_of(watch, draft, champion))?;
    let borne_out = Verdict::worst(watch.checks.iter().map(|check| check.verdict)).is_pass();
    (watch.verdict.is_pass() && borne_out)
        .then(|| Fall { reason: watch.reason(), to: Some((watch.predecessor, watch.predecessor_bundle)) })
}

/// Whether a report is of this very champion since this very promotion.
fn is_of(watch: &Watch, draft: &Draft<'_>, champion: &Champion) -> bool {
    let of_champion = (watch.champion, watch.champion_bundle) == (champion.version, champion.bundle);
    of_champion && watch.model == draft.observation.model && watch.since == champion.since
}

/// A catastrophe in the newest mature windows, beyond a bound that holds for all looks of the watch together.
fn collapsed(draft: &mut Draft<'_>, champion: &Champion) -> Option<Fall> {
    // A loss that is over is no reason to act: the newest mature window must be catastrophic by itself.
    if draft.loss.catastrophic != Verdict::Fail {
        return None;
    }
    let rules = draft.rules;
    let risk = rules.rollback.risk_of_a_window(rules.windows.judge);
    let check = collapse(&draft.evidence.performance, &champion.baseline, &rules.performance, risk);
    if check.verdict != Verdict::Fail {
        return None;
    }
    // One window is enough to see that the world moved: a hold is the safer mistake.
    let moved = draft.evidence.drift.iter().any(|report| report.severity == Severity::Severe);
    if moved {
        draft.note("performance fell with severe drift: the world moved, not the model; no rollback".to_owned());
        return None;
    }
    // "No data" is never "no drift".
    if !draft.evidence.drift.iter().any(|report| report.verdict.is_judged()) {
        draft.note("performance fell, but no window says whether the world moved; no rollback".to_owned());
        return None;
    }
    // And the way back must not be known to lead to a model that is broken too.
    let broken = draft.observation.watch.as_ref().filter(|watch| is_of(watch, draft, champion));
    if let Some(watch) = broken.filter(|watch| watch.verdict == Verdict::Fail) {
        let failing = watch.checks.iter().find(|check| check.verdict == Verdict::Fail);
        let why = failing.map(ToString::to_string).unwrap_or_default();
        draft.note(format!("performance fell, and {} is no way back: {why}; no rollback", watch.predecessor));
        return None;
    }
    Some(Fall { reason: check.to_string(), to: None })
}

/// Whom a rollback returns to: the newest former champion whose bundle verifies now, or the one that is named.
pub(super) fn target(draft: &Draft<'_>, version: Option<Version>, bundle: Option<Digest>) -> Option<Champion> {
    let verifies = |former: &&Champion| {
        let seen = draft.observation.bundle(former.version);
        seen.is_some_and(|seen| seen.verdict.is_pass() && seen.digest == Some(former.bundle))
    };
    let named = |former: &&Champion| {
        version.is_none_or(|version| version == former.version) && bundle.is_none_or(|bundle| bundle == former.bundle)
    };
    draft.standing.retired.iter().rev().filter(named).find(verifies).cloned()
}

/// Why an order to roll back finds nobody to return to.
pub(super) fn nobody(draft: &Draft<'_>, order: &Override) -> String {
    let by = by_order(order);
    let Some(version) = order.version else { return by };
    let note = draft.observation.bundle(version).map(|bundle| bundle.note.clone()).unwrap_or_default();
    match draft.standing.versions.get(&version) {
        Some(State::Retired) => format!("{by}; {version} is not the bundle that is meant, or does not verify {note}"),
        Some(State::RolledBack) => format!("{by}; {version} was rolled back itself"),
        Some(State::Training | State::Shadowing | State::Promotable | State::Rejected | State::Promoted) | None => {
            format!("{by}; {version} never served")
        }
    }
}
