//! When a champion is taken back without anybody asking: its predecessor is better, or it fell and the world did not move; pure.

use super::decide::Draft;
use super::journal::Champion;
use super::walk::may_change;
use crate::drift::Severity;
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
    let watch = draft.observation.watch.as_ref()?;
    let of_champion = (watch.champion, watch.champion_bundle) == (champion.version, champion.bundle);
    let of_this_watch = watch.model == draft.observation.model && watch.since == champion.since;
    let borne_out = Verdict::worst(watch.checks.iter().map(|check| check.verdict)).is_pass();
    (of_champion && of_this_watch && watch.verdict.is_pass() && borne_out)
        .then(|| Fall { reason: watch.reason(), to: Some((watch.predecessor, watch.predecessor_bundle)) })
}

/// A catastrophe in the newest mature window, beyond a bound that holds for all looks of the watch together.
fn collapsed(draft: &mut Draft<'_>, champion: &Champion) -> Option<Fall> {
    let mature = draft.observation.performance.iter().rev().find(|report| report.verdict.is_judged());
    let newest = mature.filter(|report| report.version == champion.version && report.bundle == champion.bundle)?;
    let (rules, level) = (draft.rules, draft.rules.rollback.risk_of_a_window(draft.rules.windows.judge));
    let check = collapse(newest, &champion.baseline, &rules.performance, level);
    if check.verdict != Verdict::Fail {
        return None;
    }
    // One window is enough to see that the world moved: a hold is the safer mistake.
    let moved = draft.observation.drift.iter().any(|report| report.severity == Severity::Severe);
    if moved {
        draft.note("performance fell with severe drift: the world moved, not the model; no rollback".to_owned());
        return None;
    }
    Some(Fall { reason: check.to_string(), to: None })
}
