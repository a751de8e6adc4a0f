//! Carries a decision out; through the store. The journal entry is created last: before it there is nothing, after it
//! everything.

use serde::{Deserialize, Serialize};

use super::{Context, PromoteError};
use crate::govern::journal::{Appended, FORMAT_VERSION, append};
use crate::govern::{
    Candidate, Cited, Decision, Effect, Entry, Observation, Override, Record, ReportKind, Rules, Standing, State,
};
use crate::store::{Body, Key, StoreError};
use crate::train::ENGINE;
use crate::types::{Digest, canonical_json};

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The entry that was written, with its digest; none if nothing was new.
    pub entry: Option<(Entry, Digest)>,
    /// What remains to be done now that it is written.
    pub effects: Vec<Effect>,
}

/// Everything a decision rests on, as it is recorded under `governance/<model>/inputs/<sha256>.json`: decided again from it,
/// every decision is the same (P5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Every stage's rules.
    pub rules: Rules,
    /// Every order that stood.
    pub overrides: Vec<Override>,
    /// What was seen.
    pub observation: Observation,
}

/// Write a decision's inputs and its entry. `None` if another governor wrote that entry first: fold and decide again.
///
/// # Errors
/// The store's.
pub fn carry_out(
    context: &Context<'_>,
    standing: &Standing,
    observation: &Observation,
    overrides: &[Override],
    decision: &Decision,
) -> Result<Option<Receipt>, PromoteError> {
    let Some(record) = &decision.record else {
        return Ok(Some(Receipt { entry: None, effects: decision.effects.clone() }));
    };
    let cites = cites(standing, observation, record)?;
    for (cited, bytes) in &cites {
        if let Some(bytes) = bytes {
            file_report(context, *cited, bytes)?;
        }
    }
    let inputs =
        Inputs { rules: context.rules.clone(), overrides: overrides.to_vec(), observation: observation.clone() };
    let inputs = vec![create_input(context, &inputs)?];
    let entry = Entry {
        format_version: FORMAT_VERSION,
        seq: standing.head.map_or(1, |(seq, _)| seq + 1),
        parent: standing.head.map(|(_, digest)| digest),
        txn: (context.txn)(),
        actor: context.actor.to_owned(),
        engine: ENGINE.to_owned(),
        inputs,
        reports: cites.into_iter().map(|(cited, _)| cited).collect(),
        decision: record.clone(),
    };
    // What the journal could not be folded over is never written, whoever made it.
    standing.clone().after(&entry, Digest::of(&entry.txn))?;
    match append(context.store, context.model, &entry)? {
        Appended::Won(digest) => Ok(Some(Receipt { entry: Some((entry, digest)), effects: decision.effects.clone() })),
        Appended::Lost => Ok(None),
    }
}

fn create_input(context: &Context<'_>, inputs: &Inputs) -> Result<Digest, PromoteError> {
    let bytes = canonical_json(inputs).map_err(|source| PromoteError::Json { what: "a decision's inputs", source })?;
    let digest = Digest::of(&bytes);
    let key = Key::new(&format!("governance/{}/inputs/{digest}.json", context.model))?;
    create_if_absent(context, &key, &bytes)?;
    Ok(digest)
}

/// Create what has the digest of its content in its name: already there is as good.
fn create_if_absent(context: &Context<'_>, key: &Key, bytes: &[u8]) -> Result<(), PromoteError> {
    match context.store.create(key, Body::Bytes(bytes)) {
        Ok(()) | Err(StoreError::AlreadyExists { .. }) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

/// A report that an entry cites, with its bytes if it was made for this very entry.
pub type Citation = (Cited, Option<Vec<u8>>);

/// The reports that an entry cites: those of the observation, what was decided of retraining, and for a promotion the
/// evaluation that let its candidate shadow, which an earlier entry saw (P13).
///
/// # Errors
/// A report that cannot become JSON.
pub fn cites(standing: &Standing, observation: &Observation, record: &Record) -> Result<Vec<Citation>, PromoteError> {
    let unprintable = |source| PromoteError::Json { what: "a report", source };
    let mut reports = observation.reports().map_err(unprintable)?;
    if let Some(retrain) = &record.retrain {
        reports.push(Cited::of(ReportKind::Decision, retrain).map_err(unprintable)?);
    }
    let mut cites: Vec<_> = reports.into_iter().map(|(cited, bytes)| (cited, Some(bytes))).collect();
    let promotes = |candidate: &&Candidate| {
        let mut steps = record.transitions.iter();
        steps.any(|step| step.to == State::Promoted && step.version == candidate.version)
    };
    let earlier = standing.candidate.as_ref().filter(promotes).and_then(|candidate| candidate.evaluation);
    let earlier = earlier.map(|sha256| Cited { kind: ReportKind::Evaluation, sha256 });
    if let Some(cited) = earlier.filter(|_| observation.evaluation.is_none()) {
        cites.push((cited, None));
    }
    Ok(cites)
}

/// File a report by its digest, for people and for `regent drift show` and its like.
fn file_report(context: &Context<'_>, cited: Cited, bytes: &[u8]) -> Result<(), PromoteError> {
    let key = Key::new(&format!("var/{}/reports/{}/{}.json", context.model, cited.kind, cited.sha256))?;
    create_if_absent(context, &key, bytes)
}
