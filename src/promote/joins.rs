//! Events joined with labels, window by window: for performance, for a candidate's trial, and to see what came of the labels that
//! arrived; through the store. However much there is of either, what is kept of it is bounded.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::gather::{Sealed, seen_since};
use super::{Context, PromoteError};
use crate::govern::{Candidate, Champion};
use crate::log::{self, Label, Sample, Sampled};
use crate::performance::{self, Arrivals, Joined, LabelIntake, PerformanceReport, Promised};
use crate::registry::{Verified, VerifiedModel};
use crate::shadow::{self, ShadowReport, Trial};
use crate::snapshot::{VersionCounts, Window};
use crate::types::{Timestamp, Version};

/// The champion's performance in the last windows that it served, oldest first.
pub(super) fn performance(
    context: &Context<'_>,
    champion: &Champion,
    model: &Verified,
    windows: &[Sealed],
    now: Timestamp,
) -> Result<Vec<PerformanceReport>, PromoteError> {
    let rules = &context.rules.performance;
    let newest_first = seen_since(windows, champion.since).iter().rev();
    let waited_for = newest_first.take_while(|sealed| now.since(sealed.snapshot.window.end()) <= rules.wait);
    let promised = model.model().and_then(Promised::by);
    let mut reports = Vec::new();
    let mut mature = 0;
    for sealed in waited_for {
        if mature == rules.of {
            break;
        }
        let snapshot = &sealed.snapshot;
        let judged = performance::Judged {
            model: context.model,
            task: model.contract().task(),
            version: champion.version,
            bundle: champion.bundle,
            window: snapshot.window,
            requests: snapshot.requests,
            sealed_at: snapshot.sealed_at,
            sample: Sample::of(snapshot.requests, rules.sample_above),
            baseline: &champion.baseline,
            promised: promised.as_ref().map(|promised| (promised, &context.rules.drift)),
        };
        let (from, to) = (snapshot.window.start, snapshot.window.end());
        let sampled = log::read_sample(context.store, context.model, from, to, judged.sample)?;
        let report = performance::judge(judged, &joined(context, &sampled, from, now)?, rules, now);
        mature += u64::from(report.verdict.is_judged());
        reports.push(report);
    }
    reports.reverse();
    Ok(reports)
}

/// Events with what is known of them now.
fn joined(context: &Context<'_>, sampled: &Sampled, since: Timestamp, now: Timestamp) -> Result<Joined, PromoteError> {
    let asked: BTreeSet<Uuid> = sampled.events.iter().map(|event| event.request_id).collect();
    let (store, since) = (context.store, since - Label::CLOCKS);
    let labels = log::read_labels_of(store, context.model, since, now, |request_id| asked.contains(&request_id))?;
    let conflicting = context.rules.performance.conflicting;
    Ok(Joined { events: sampled.of, ..performance::join(&sampled.events, &labels, conflicting) })
}

/// What came of the labels that became known in the newest judged window. Their requests are looked for window by window, back to
/// where labels are waited for, or until `performance.sample_above` requests were looked at.
pub(super) fn intake(
    context: &Context<'_>,
    windows: &[Sealed],
    now: Timestamp,
) -> Result<Option<LabelIntake>, PromoteError> {
    let rules = &context.rules.performance;
    let Some(newest) = windows.last() else { return Ok(None) };
    let window = newest.snapshot.window;
    let sample = Sample::of(newest.snapshot.requests, rules.sample_above);
    let labels = log::read_labels_of(context.store, context.model, window.start, now, |id| sample.takes(id))?;
    let mut arrivals = Arrivals::of(window, &labels);
    let (mut looked_since, mut looked_at) = (window.end(), 0);
    for Sealed { snapshot, .. } in windows.iter().rev() {
        let waited_for = now.since(snapshot.window.end()) <= rules.wait;
        if arrivals.is_complete() || !waited_for || looked_at >= rules.sample_above {
            break;
        }
        let (from, to) = (snapshot.window.start, snapshot.window.end());
        log::read_ids(context.store, context.model, from, to, |id| arrivals.found(id))?;
        (looked_since, looked_at) = (from, looked_at + snapshot.requests);
    }
    Ok(Some(arrivals.told(looked_since, rules)))
}

/// The candidate on live traffic since it began to shadow, up to the last judged window.
pub(super) fn trial(
    context: &Context<'_>,
    (champion, serving): (&Champion, &VerifiedModel),
    (candidate, model): (&Candidate, &VerifiedModel),
    windows: &[Sealed],
    now: Timestamp,
) -> Result<ShadowReport, PromoteError> {
    let since = candidate.shadowing_since.unwrap_or(candidate.since);
    let shadowed = seen_since(windows, since);
    let until = shadowed.last().map_or(since, |sealed| sealed.snapshot.window.end());
    let sampled = sampled_in(context, shadowed, since)?;
    let mut joined = joined(context, &sampled, since, now)?;
    // Looks must see prefixes of one sequence: a pair is seen once its window is judged and its label is known.
    let seen = |ts: Timestamp| Window::holding(ts, context.rules.windows.judge).end();
    joined.pairs.sort_by_key(|pair| (pair.known_at.max(seen(pair.ts)), pair.ts, pair.request_id));
    let sum = |version: Version| {
        let mut sum = VersionCounts::default();
        let counted = shadowed.iter().filter_map(|sealed| sealed.snapshot.counts.versions.get(&version));
        counted.for_each(|counts| sum.add(counts));
        sum
    };
    let trial = Trial {
        model: context.model,
        task: model.contract().task(),
        champion: champion.version,
        candidate: candidate.version,
        candidate_bundle: model.digest(),
        contracts: (serving.contract().version(), model.contract().version()),
        since,
        until,
        windows: shadowed.len() as u64,
        answered: joined.answered.get(&champion.version).copied().unwrap_or(0),
        paired: joined.paired.get(&candidate.version).copied().unwrap_or(0),
        sampled_share: if sampled.of == 0 { 1.0 } else { sampled.events.len() as f64 / sampled.of as f64 },
        pairs: &joined.pairs,
        clip: serving.error_clip(),
        champion_counts: &sum(champion.version),
        candidate_counts: &sum(candidate.version),
    };
    Ok(shadow::judge(trial, &context.rules.shadow))
}

/// The events of a trial: of each window the sample that its own sealed volume asks for.
///
/// The longest trial may look at `performance.sample_above` requests in all, so each of its windows may at an equal part of them.
/// A sealed volume never changes: what was taken at one look is taken at every later one, and what is added comes after it.
fn sampled_in(context: &Context<'_>, shadowed: &[Sealed], since: Timestamp) -> Result<Sampled, PromoteError> {
    let rules = context.rules;
    let longest = (rules.shadow.max_age.secs() / rules.windows.judge.secs()).ceil().max(1.0) as u64;
    let part = rules.performance.sample_above.div_ceil(longest).max(rules.shadow.min_pairs);
    let mut whole = Sampled::default();
    for Sealed { snapshot, .. } in shadowed {
        let (from, to) = (snapshot.window.start.max(since), snapshot.window.end());
        let sample = Sample::of(snapshot.requests, part);
        let sampled = log::read_sample(context.store, context.model, from, to, sample)?;
        whole.of += sampled.of;
        whole.events.extend(sampled.events);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests;
