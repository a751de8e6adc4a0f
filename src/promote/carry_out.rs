//! Carries a decision out; through the store. The journal entry is created last: before it there is nothing, after it
//! everything.

use serde::{Deserialize, Serialize};

use super::{Context, PromoteError};
use crate::govern::journal::{Appended, FORMAT_VERSION, append};
use crate::govern::{Decision, Effect, Entry, Observation, Override, Rules, Standing};
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
    file_reports(context, observation)?;
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
        decision: record.clone(),
    };
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

/// File every report the decision rests on, by its digest, for people and for `regent drift show` and its like.
fn file_reports(context: &Context<'_>, observation: &Observation) -> Result<(), PromoteError> {
    for report in observation.drift.iter().chain(&observation.candidate_drift) {
        file_report(context, "drift", report)?;
    }
    for report in &observation.performance {
        file_report(context, "performance", report)?;
    }
    if let Some(report) = &observation.evaluation {
        file_report(context, "evaluation", report)?;
    }
    if let Some(report) = &observation.shadow {
        file_report(context, "shadow", report)?;
    }
    Ok(())
}

/// `var/<model>/reports/<kind>/<digest>.json`
fn file_report<T: Serialize>(context: &Context<'_>, kind: &'static str, report: &T) -> Result<(), PromoteError> {
    let bytes = canonical_json(report).map_err(|source| PromoteError::Json { what: kind, source })?;
    let key = Key::new(&format!("var/{}/reports/{kind}/{}.json", context.model, Digest::of(&bytes)))?;
    create_if_absent(context, &key, &bytes)
}
