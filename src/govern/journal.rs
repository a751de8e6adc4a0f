//! The journal: numbered, hash-chained entries, created once; through the store. Who is champion is `fold` of it and
//! nothing else.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GovernError;
use super::cited::Cited;
use super::overrides::Override;
use super::standing::Standing;
use super::state::Transition;
use crate::performance::Baseline;
use crate::policy::{Action, RetrainDecision};
use crate::snapshot::Window;
use crate::store::{Body, Key, Store, StoreError};
use crate::train::Plan;
use crate::types::{Digest, ModelName, Timestamp, Version, canonical_json};

/// What a decision says; everything of an entry that does not depend on its place in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// When it was decided; never before the entry before it.
    pub at: Timestamp,
    /// What retraining should become.
    pub action: Action,
    /// The retraining decision, if there was something to decide on.
    pub retrain: Option<RetrainDecision>,
    /// The judged windows that this entry answers for, in order.
    pub judged: Vec<Window>,
    /// Every step taken, in order.
    pub transitions: Vec<Transition>,
    /// The training that a `→ TRAINING` step pins, or that another attempt repeats.
    pub training: Option<Training>,
    /// The attempt at a training that failed, and why.
    pub failed_attempt: Option<FailedAttempt>,
    /// What a `→ PROMOTED` step will be held against from now on.
    pub baseline: Option<Baseline>,
    /// Overrides that this entry applied, with their content.
    pub applied: Vec<Override>,
    /// In words, for people.
    pub reasons: Vec<String>,
}

impl Record {
    /// A record that says nothing yet.
    pub fn empty(at: Timestamp) -> Record {
        Record {
            at,
            action: Action::NoAction,
            retrain: None,
            judged: Vec::new(),
            transitions: Vec::new(),
            training: None,
            failed_attempt: None,
            baseline: None,
            applied: Vec::new(),
            reasons: Vec::new(),
        }
    }
}

/// A training that is pinned: whoever carries it out gets the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Training {
    /// What to train, on what, with which seed.
    pub plan: Plan,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// `created_at` of the bundle: the instant of the first attempt.
    pub created_at: Timestamp,
    /// The retraining decision that asked for it; none when a person did.
    pub evidence: Option<Digest>,
    /// The end of the newest window whose labels were mature then: what happened later is newer evidence.
    pub matured_until: Option<Timestamp>,
    /// Labelled rows that existed then.
    pub rows: u64,
}

/// One attempt at a training that failed. It counts once, and only against the candidate whose training it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedAttempt {
    /// The version that was to be made.
    pub version: Version,
    /// Which attempt.
    pub attempt: u32,
    /// Why it failed.
    pub why: String,
}

/// One entry: `governance/<model>/journal/<seq>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// 1: first form.
    pub format_version: u32,
    /// 1, 2, 3 …
    pub seq: u64,
    /// The digest of the entry before it.
    pub parent: Option<Digest>,
    /// Who wrote it, if two want the same number.
    pub txn: String,
    /// `governor`, or a person.
    pub actor: String,
    /// The program and version that decided.
    pub engine: String,
    /// The digests of what it was decided on: `governance/<model>/inputs/<sha256>.json`.
    pub inputs: Vec<Digest>,
    /// The reports it rests on; a promotion also names the evaluation that let its candidate shadow.
    pub reports: Vec<Cited>,
    /// What was decided.
    #[serde(flatten)]
    pub decision: Record,
}

/// Where a model's journal lies.
///
/// # Errors
/// Never for a valid name; the store's word for it.
pub fn folder(model: &ModelName) -> Result<Key, StoreError> {
    Ok(Key::new(&format!("governance/{model}/journal"))?)
}

/// The file name of an entry: twenty digits, so that names sort as numbers do.
pub fn file_name(seq: u64) -> String {
    format!("{seq:020}.json")
}

/// Every entry with its digest, oldest first.
///
/// # Errors
/// An entry that cannot be read, or that does not follow the one before.
pub fn read(store: &dyn Store, model: &ModelName) -> Result<Vec<(Entry, Digest)>, GovernError> {
    let folder = folder(model)?;
    // A listing that another governor overtakes may show entry n + 1 and not n, so entries are read by number; what was
    // listed must then be among them.
    let listed = store.list_folder(&folder)?;
    let mut entries = Vec::with_capacity(listed.len());
    let mut names = BTreeSet::new();
    for seq in 1.. {
        let Some(entry) = at(store, model, seq)? else { break };
        entries.push(entry);
        names.insert(file_name(seq));
    }
    match listed.iter().all(|name| names.contains(name)) {
        true => Ok(entries),
        false => Err(GovernError::Chain { seq: entries.len() as u64 + 1 }),
    }
}

/// One entry with its digest; none while nobody has written that number.
///
/// # Errors
/// It cannot be read.
pub fn at(store: &dyn Store, model: &ModelName, seq: u64) -> Result<Option<(Entry, Digest)>, GovernError> {
    match store.read(&folder(model)?.join(&file_name(seq)).map_err(StoreError::from)?) {
        Ok(bytes) => Ok(Some((parse(seq, &bytes)?, Digest::of(&bytes)))),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

fn parse(seq: u64, bytes: &[u8]) -> Result<Entry, GovernError> {
    let entry: Entry = serde_json::from_slice(bytes).map_err(|source| GovernError::Entry { seq, source })?;
    if entry.format_version > FORMAT_VERSION {
        return Err(GovernError::Newer { seq, found: entry.format_version });
    }
    Ok(entry)
}

/// The form of entries that this program writes. 1: first form.
pub const FORMAT_VERSION: u32 = 1;

/// Where everything stands: the whole journal, folded.
///
/// # Errors
/// As [`read`]; a step that is not on the road.
pub fn fold(store: &dyn Store, model: &ModelName) -> Result<Standing, GovernError> {
    read(store, model)?.iter().try_fold(Standing::default(), |standing, (entry, digest)| standing.after(entry, *digest))
}

/// The number of the newest entry; what a server watches, at the cost of one look-up per new entry.
///
/// # Errors
/// The store's.
pub fn newest_after(store: &dyn Store, model: &ModelName, seen: u64) -> Result<u64, GovernError> {
    let folder = folder(model)?;
    let mut newest = seen;
    while store.exists(&folder.join(&file_name(newest + 1)).map_err(StoreError::from)?)? {
        newest += 1;
    }
    Ok(newest)
}

/// Whether the entry is now in the journal, and if not, that another came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is there, under this digest.
    Won(Digest),
    /// Another governor wrote this number: fold again and decide again.
    Lost,
}

/// Append an entry: the one committing line of the house.
///
/// # Errors
/// The store's; losing the race is not an error.
pub fn append(store: &dyn Store, model: &ModelName, entry: &Entry) -> Result<Appended, GovernError> {
    let bytes = canonical_json(entry).map_err(|source| GovernError::Entry { seq: entry.seq, source })?;
    let key = folder(model)?.join(&file_name(entry.seq)).map_err(StoreError::from)?;
    match store.create(&key, Body::Bytes(&bytes)) {
        Ok(()) => Ok(Appended::Won(Digest::of(&bytes))),
        Err(StoreError::AlreadyExists { .. }) => {
            let there = parse(entry.seq, &store.read(&key)?)?;
            if there.txn == entry.txn { Ok(Appended::Won(Digest::of(&bytes))) } else { Ok(Appended::Lost) }
        }
        Err(other) => Err(other.into()),
    }
}

#[cfg(test)]
mod tests;
