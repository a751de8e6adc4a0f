//! Gathers what one tick needs to know; through the store. It seals windows and takes files in, and changes nothing else.

use std::borrow::Cow;

use super::sources::{self, Intake, Taken};
use super::watch::{self, Pairing};
use super::{Context, PromoteError, joins, training};
use crate::contract::{self, FeatureVector, Registered, admit_again};
use crate::drift::{self, DriftReport, Then};
use crate::evaluate::{self, Contender, Evaluation, Opponent, Watch};
use crate::govern::{Bundle, Candidate, Champion, Data, Judged, Observation, Standing, State};
use crate::performance::{self, Baseline, EstimateReport};
use crate::registry::{self, Distrust, Publication, Reference, RegistryError, Signed, Verified, VerifiedModel};
use crate::snapshot::{self, Snapshot, Window};
use crate::train::{Path, Plan};
use crate::types::{Digest, Timestamp, Verdict, Version, canonical_json};

/// A sealed judged window and the digest of its snapshot.
#[derive(Clone)]
pub(super) struct Sealed {
    pub(super) snapshot: Snapshot,
    pub(super) digest: Digest,
}

/// See what there is to see of one model now.
///
/// # Errors
/// What could not be read or written.
pub fn observe(context: &Context<'_>, standing: &Standing, now: Timestamp) -> Result<Observation, PromoteError> {
    let mut seen = Observation::nothing(context.model);
    let mut arrived = Vec::new();
    if !contract::registered(context.store, context.model)?.is_empty() {
        let registered = contract::latest(context.store, context.model)?;
        let Intake { data, taken } = sources::take_in(context, &registered, now)?;
        (seen.data, arrived) = (data, taken);
        seen.next = next_plan(context, standing, &registered, &seen.data)?;
    }
    let windows = recent_windows(context, standing, now)?;
    let unanswered = standing.judged_until.map_or(&windows[..], |until| seen_since(&windows, until));
    seen.judged = unanswered.iter().map(judged).collect();
    let champion =
        standing.champion.as_ref().map(|champion| (champion, fetch(context, champion.version, Some(champion.bundle))));
    let candidate =
        standing.candidate.as_ref().map(|candidate| (candidate, fetch(context, candidate.version, candidate.bundle)));
    // Whom a rollback would return to: verified now, not when it is too late.
    let newest_first = standing.retired.iter().rev();
    let former: Vec<(&Champion, Fetched)> =
        newest_first.map(|former| (former, fetch(context, former.version, Some(former.bundle)))).collect();
    seen.bundles = bundles(champion.as_ref(), candidate.as_ref(), &former);
    if let Some((champion, Ok(model))) = &champion {
        if let Some(model) = model.model() {
            seen.watch = watch_of(context, (champion, model), &former, &arrived, now)?;
            seen.estimated = estimated_of(context, model, champion.since, &windows);
        }
        seen.drift = drift_of(context, model, champion.since, &windows);
        seen.performance = joins::performance(context, champion, model, &windows, now)?;
        seen.labels = joins::intake(context, &windows, now)?;
    }
    let Some((candidate, Ok(model))) = &candidate else {
        return Ok(seen);
    };
    match candidate.state {
        State::Training => {
            if let Some(model) = model.model() {
                seen.evaluation = Some(evaluation(context, champion.as_ref(), candidate, model)?);
            }
        }
        State::Shadowing | State::Promotable => {
            let since = candidate.shadowing_since.unwrap_or(candidate.since);
            seen.candidate_drift = drift_of(context, model, since, &windows);
            // Beside a champion that answers elsewhere nobody shadows.
            let serving =
                champion.as_ref().and_then(|(champion, fetched)| Some((*champion, fetched.as_ref().ok()?.model()?)));
            if let (Some(serving), Some(model)) = (serving, model.model()) {
                seen.shadow = Some(joins::trial(context, serving, (candidate, model), &windows, now)?);
            }
        }
        State::Promoted | State::Rejected | State::Retired | State::RolledBack => {}
    }
    Ok(seen)
}

/// The windows that end after an instant: whoever began then has seen them, if the first only in part.
pub(super) fn seen_since(windows: &[Sealed], since: Timestamp) -> &[Sealed] {
    let over = windows.partition_point(|sealed| sealed.snapshot.window.end() <= since);
    &windows[over..]
}

fn judged(sealed: &Sealed) -> Judged {
    Judged { window: sealed.snapshot.window, snapshot: sealed.digest, sealed_at: sealed.snapshot.sealed_at }
}

/// Seal what is due, and read the judged windows that anything below may look at, oldest first.
fn recent_windows(context: &Context<'_>, standing: &Standing, now: Timestamp) -> Result<Vec<Sealed>, PromoteError> {
    let rules = &context.rules.windows;
    // Before anybody serves there is no traffic to look at.
    let Some(served_since) = standing.served_since else { return Ok(Vec::new()) };
    snapshot::seal_due(context.store, context.model, rules, served_since, standing.judged_until, now)?;
    let judged_until = standing.judged_until.unwrap_or(served_since);
    let shadowing = standing.candidate.as_ref().and_then(|candidate| candidate.shadowing_since);
    let reach = context.rules.drift.of.max(context.rules.performance.of) as usize + drift::VOLUME_WINDOWS;
    let earliest = shadowing.unwrap_or(judged_until).min(judged_until - rules.judge.times(reach as i64));
    let mut windows = Vec::new();
    let mut window = Window::holding(earliest, rules.judge);
    while window.end() <= now {
        if let Some(snapshot) = snapshot::judged(context.store, context.model, window)? {
            let bytes =
                canonical_json(&snapshot).map_err(|source| PromoteError::Json { what: "a snapshot", source })?;
            windows.push(Sealed { digest: Digest::of(&bytes), snapshot });
        }
        window = window.next();
    }
    Ok(windows)
}

fn fetch(context: &Context<'_>, version: Version, recorded: Option<Digest>) -> Fetched {
    registry::fetch_trusted(context.store, context.model, version, recorded, &context.rules.signature)
}

type Fetched = Result<Verified, RegistryError>;

fn bundles(
    champion: Option<&(&Champion, Fetched)>,
    candidate: Option<&(&Candidate, Fetched)>,
    former: &[(&Champion, Fetched)],
) -> Vec<Bundle> {
    let mut bundles = Vec::new();
    bundles.extend(champion.map(|(champion, fetched)| bundle(champion.version, fetched)));
    bundles.extend(candidate.map(|(candidate, fetched)| bundle(candidate.version, fetched)));
    bundles.extend(former.iter().map(|(former, fetched)| bundle(former.version, fetched)));
    bundles
}

/// The champion beside whom a rollback would return to, if that one answers the same requests.
fn watch_of(
    context: &Context<'_>,
    (champion, serving): (&Champion, &VerifiedModel),
    former: &[(&Champion, Fetched)],
    arrived: &[Taken],
    now: Timestamp,
) -> Result<Option<Watch>, PromoteError> {
    let mut whole = former.iter().filter_map(|(former, fetched)| Some((*former, fetched.as_ref().ok()?.model()?)));
    let predecessor = whole.find(|(former, model)| model.digest() == former.bundle);
    let major = |model: &VerifiedModel| model.contract().version().major;
    match predecessor.filter(|(_, model)| major(model) == major(serving)) {
        Some(predecessor) => {
            watch::watch(context, &Pairing { champion: (champion, serving), predecessor }, arrived, now)
        }
        None => Ok(None),
    }
}

fn bundle(version: Version, fetched: &Fetched) -> Bundle {
    match fetched {
        Ok(model) => Bundle {
            version,
            digest: Some(model.digest()),
            verdict: Verdict::Pass,
            note: match model.signed() {
                Signed::Not(why) => why.to_string(),
                Signed::Unchecked | Signed::By(_) => String::new(),
            },
            baseline: Some(baseline(model)),
            path: Some(model.metadata().path),
            learned_rows: model.learned_rows(),
            contract_major: model.contract().version().major,
        },
        Err(error) => Bundle {
            version,
            // Without a signature it is there all the same: nobody is to train it again.
            digest: match error {
                RegistryError::Untrusted { digest, .. } => Some(*digest),
                _ => None,
            },
            verdict: match error {
                RegistryError::NoSuchVersion { .. } | RegistryError::Untrusted { why: Distrust::Unsigned, .. } => {
                    Verdict::Insufficient
                }
                _ => Verdict::Fail,
            },
            note: error.to_string(),
            baseline: None,
            path: None,
            learned_rows: 0,
            contract_major: 0,
        },
    }
}

fn baseline(model: &Reference) -> Baseline {
    let (metrics, slices) = (model.metrics().to_vec(), model.slices().clone());
    Baseline { version: model.version(), metrics, threshold: model.threshold(), slices }
}

/// What the next training would be: everything that is known, under the latest contract.
fn next_plan(
    context: &Context<'_>,
    standing: &Standing,
    registered: &Registered,
    data: &Data,
) -> Result<Option<Plan>, PromoteError> {
    if data.datasets.is_empty() {
        return Ok(None);
    }
    let version = next_version(context, standing, registered)?;
    let path = if standing.champion.is_none() { Path::Baseline } else { Path::Candidate };
    Ok(Some(Plan::new(context.model.clone(), path, version, registered, data.datasets.clone(), &context.rules.train)))
}

/// The number of the next version that is made under this contract.
pub(super) fn next_version(
    context: &Context<'_>,
    standing: &Standing,
    registered: &Registered,
) -> Result<Version, PromoteError> {
    let mut known: Vec<Version> = standing.versions.keys().copied().collect();
    known.extend(registry::versions(context.store, context.model)?);
    Ok(registry::next_version(&known, registered.contract.version().major, Publication::Model))
}

/// A version's drift in the last windows that it saw, oldest first.
fn drift_of(context: &Context<'_>, model: &Reference, since: Timestamp, windows: &[Sealed]) -> Vec<DriftReport> {
    let rules = &context.rules.drift;
    let last = seen_since(windows, since).len().min(rules.of as usize);
    let detect = |place: usize| {
        let before = &windows[place.saturating_sub(drift::VOLUME_WINDOWS)..place];
        let volumes: Vec<u64> = before.iter().map(|sealed| sealed.snapshot.requests).collect();
        let then =
            Then { version: model.version(), bundle: model.digest(), profile: model.profile(), volumes: &volumes };
        drift::detect(then, &windows[place].snapshot, windows[place].digest, rules)
    };
    (windows.len() - last..windows.len()).map(detect).collect()
}

/// What the champion's scores foretell of the last windows that it served, oldest first.
fn estimated_of(
    context: &Context<'_>,
    model: &VerifiedModel,
    since: Timestamp,
    windows: &[Sealed],
) -> Vec<EstimateReport> {
    let rules = &context.rules.performance;
    let served = seen_since(windows, since);
    let last = &served[served.len().saturating_sub(rules.of as usize)..];
    last.iter().filter_map(|sealed| performance::estimate(model, &sealed.snapshot, sealed.digest, rules)).collect()
}

/// The seed of the evaluation's bootstrap; any number does, the same one always.
const EVALUATION_SEED: u64 = 10;

/// The candidate head to head with the champion on its report rows, which neither was trained on.
fn evaluation(
    context: &Context<'_>,
    champion: Option<&(&Champion, Fetched)>,
    candidate: &Candidate,
    model: &VerifiedModel,
) -> Result<Evaluation, PromoteError> {
    let plan = &candidate.training.plan;
    let all = training::encoded(context.store, context.model, model.contract(), &plan.datasets)?;
    let serving = champion.and_then(|(_, fetched)| fetched.as_ref().ok()?.model());
    let same_lineage = serving.filter(|serving| serving.contract().version().major == model.contract().version().major);
    let trained_until =
        same_lineage.map_or(i64::MIN, |serving| serving.extent().trained_until).max(model.extent().trained_until);
    let newer: Vec<usize> = (0..all.target.len()).filter(|row| all.order[*row] > trained_until).collect();
    let (newer, against, opponent) = match same_lineage {
        Some(serving) => {
            let against = Opponent::Champion { version: serving.version(), bundle: serving.digest() };
            // Both are asked about the same rows, each as its own contract reads them: one that only the candidate's newer
            // contract admits has nobody to compare its answer with.
            let asked = |row: usize| {
                let vector = admit_again(&all.vectors[row], model.contract(), serving.contract()).ok()?;
                Some((row, vector))
            };
            let (newer, asked): (Vec<usize>, Vec<Cow<'_, FeatureVector>>) = newer.into_iter().filter_map(asked).unzip();
            (newer, against, serving.scorer().predictions(asked.iter().map(|vector| &**vector)))
        }
        None => {
            let learned: Vec<f64> = (0..all.target.len())
                .filter(|row| all.order[*row] <= trained_until)
                .map(|row| all.target[row])
                .collect();
            let prior = evaluate::prior(model.contract().task(), &learned).number().unwrap_or(0.0);
            let answers = vec![prior; newer.len()];
            (newer, Opponent::FirstOfLineage, answers)
        }
    };
    let labels: Vec<f64> = newer.iter().map(|row| all.target[*row]).collect();
    let predictions: Vec<f64> = model.scorer().predictions(newer.iter().map(|row| &all.vectors[*row]));
    let slices: Vec<(String, Vec<String>)> = all
        .slices
        .iter()
        .map(|slice| {
            let word = |row: &usize| slice.words[slice.codes[*row] as usize].clone();
            (slice.feature.clone(), newer.iter().map(word).collect())
        })
        .collect();
    let contender = Contender {
        model: context.model,
        task: model.contract().task(),
        version: candidate.version,
        bundle: model.digest(),
        predictions: &predictions,
        calibration: &model.calibration_answers(),
        against: &against,
        opponent: &opponent,
    };
    let rows = evaluate::Rows { labels: &labels, slices: &slices, datasets: &plan.datasets };
    Ok(evaluate::compare(contender, rows, &context.rules.evaluate, EVALUATION_SEED))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::types::ModelName;

    const VERSION: Version = Version::new(1, 1, 0);

    fn rain() -> ModelName {
        "rain".parse().unwrap()
    }

    fn untrusted(why: Distrust) -> RegistryError {
        RegistryError::Untrusted { model: rain(), version: VERSION, digest: Digest::of("manifest"), why }
    }

    /// What may still come is waited for; what is there and cannot be served has failed.
    #[rstest]
    #[case::gone(RegistryError::NoSuchVersion { model: rain(), version: VERSION }, Verdict::Insufficient, false)]
    #[case::unsigned(untrusted(Distrust::Unsigned), Verdict::Insufficient, true)]
    #[case::signed_by_strangers(untrusted(Distrust::NoneHolds { faults: vec![] }), Verdict::Fail, true)]
    #[case::damaged(RegistryError::Damaged { model: rain(), version: VERSION, damage: vec![] }, Verdict::Fail, false)]
    fn a_bundle_that_is_not_verified_waits_or_has_failed(
        #[case] error: RegistryError,
        #[case] verdict: Verdict,
        #[case] is_known: bool,
    ) {
        let told = error.to_string();
        let bundle = bundle(VERSION, &Err(error));
        assert_eq!((bundle.verdict, bundle.digest.is_some()), (verdict, is_known));
        assert_eq!(bundle.note, told);
    }
}
