//! The journal: numbered, hash-chained entries, created once; through the store. Who is champion is `fold` of it and
//! nothing else.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GovernError;
use super::cited::{Cited, ReportKind};
use super::overrides::Override;
use super::state::{ROAD, State, Transition};
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
    /// Why the last attempt at the candidate's training failed.
    pub failed_attempt: Option<String>,
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

/// The champion as the journal knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Champion {
    /// The version that serves.
    pub version: Version,
    /// The digest of its manifest.
    pub bundle: Digest,
    /// Since when.
    pub since: Timestamp,
    /// What it is held against.
    pub baseline: Baseline,
}

/// The candidate as the journal knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// The version that walks.
    pub version: Version,
    /// The digest of its manifest; none while it trains.
    pub bundle: Option<Digest>,
    /// Where it stands.
    pub state: State,
    /// Since when it stands there.
    pub since: Timestamp,
    /// Since when it shadows, PROMOTABLE included; none before.
    pub shadowing_since: Option<Timestamp>,
    /// The SHA-256 of its newest evaluation: what let it shadow.
    pub evaluation: Option<Digest>,
    /// What it was trained on.
    pub training: Training,
    /// Since when the current attempt at its training runs.
    pub attempt_since: Timestamp,
    /// Why earlier attempts failed.
    pub failures: Vec<String>,
}

/// The folded journal: where everything stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// The number and digest of the newest entry.
    pub head: Option<(u64, Digest)>,
    /// When the newest entry was decided.
    pub last_at: Option<Timestamp>,
    /// When the model's first champion began to serve.
    pub served_since: Option<Timestamp>,
    /// Who serves.
    pub champion: Option<Champion>,
    /// Who walks.
    pub candidate: Option<Candidate>,
    /// Where every version that ever began stands.
    pub versions: BTreeMap<Version, State>,
    /// Former champions that may come back, oldest first.
    pub retired: Vec<Champion>,
    /// The end of the newest judged window that an entry answers for.
    pub judged_until: Option<Timestamp>,
    /// The newest training that was pinned.
    pub last_training: Option<Training>,
    /// The evidence of every training that was ever pinned.
    pub trained_on: BTreeSet<Digest>,
    /// When the champion last changed without a person asking for it.
    pub last_automatic_change: Option<Timestamp>,
    /// Overrides that were applied, each with the number of its entry.
    pub applied: BTreeMap<String, u64>,
}

impl Standing {
    /// Who serves after all steps so far.
    pub fn champion_version(&self) -> Option<Version> {
        self.champion.as_ref().map(|champion| champion.version)
    }

    /// The candidate that scores live traffic, if there is one.
    pub fn shadowing(&self) -> Option<&Candidate> {
        self.candidate.as_ref().filter(|candidate| candidate.state != State::Training)
    }

    /// The standing after one more entry.
    ///
    /// # Errors
    /// A step that is not on the road, or not from where the version stands.
    pub fn after(mut self, entry: &Entry, digest: Digest) -> Result<Standing, GovernError> {
        let expected = self.head.map_or(1, |(seq, _)| seq + 1);
        if entry.seq != expected || entry.parent != self.head.map(|(_, digest)| digest) {
            return Err(GovernError::Chain { seq: expected });
        }
        let walked = self.candidate.as_ref().map(|candidate| candidate.version);
        self.apply(&entry.decision).map_err(|source| GovernError::Step { seq: entry.seq, source })?;
        if let Some(candidate) = self.candidate.as_mut().filter(|candidate| Some(candidate.version) == walked) {
            let evaluation = entry.reports.iter().find(|cited| cited.kind == ReportKind::Evaluation);
            candidate.evaluation = evaluation.map(|cited| cited.sha256).or(candidate.evaluation);
        }
        for applied in &entry.decision.applied {
            self.applied.insert(applied.id.clone(), entry.seq);
        }
        self.head = Some((entry.seq, digest));
        Ok(self)
    }

    /// Take the steps of a record, in order.
    ///
    /// # Errors
    /// The first step that the road does not have.
    pub fn apply(&mut self, record: &Record) -> Result<(), OffTheRoad> {
        if let Some(training) = &record.training {
            self.pin(training, record.at);
        }
        if let (Some(why), Some(candidate)) = (&record.failed_attempt, &mut self.candidate) {
            candidate.failures.push(why.clone());
        }
        for transition in &record.transitions {
            self.step(transition, record)?;
        }
        let rolls_back = record.transitions.iter().any(|step| step.to == State::RolledBack);
        let returns = record.transitions.iter().find(|step| step.from == Some(State::Retired));
        if let (false, Some(step)) = (rolls_back, returns) {
            return Err(OffTheRoad(step.clone()));
        }
        let changes = record.transitions.iter().any(|step| step.to == State::Promoted);
        if changes && record.applied.is_empty() {
            self.last_automatic_change = Some(record.at);
        }
        if let Some(window) = record.judged.last() {
            self.judged_until = self.judged_until.max(Some(window.end()));
        }
        self.last_at = self.last_at.max(Some(record.at));
        Ok(())
    }

    /// RETIRED → PROMOTED, right after the champion's ROLLED_BACK in the same record.
    ///
    /// # Errors
    /// Another step than that.
    pub(super) fn come_back(&mut self, step: &Transition, record: &Record) -> Result<(), OffTheRoad> {
        let taken_back = record.transitions.iter().any(|step| step.to == State::RolledBack);
        if !taken_back {
            return Err(OffTheRoad(step.clone()));
        }
        self.step(step, record)?;
        if record.applied.is_empty() {
            self.last_automatic_change = Some(record.at);
        }
        Ok(())
    }

    fn pin(&mut self, training: &Training, at: Timestamp) {
        self.last_training = Some(training.clone());
        self.trained_on.extend(training.evidence);
        if let Some(candidate) = &mut self.candidate
            && candidate.version == training.plan.version
        {
            candidate.training = training.clone();
            candidate.attempt_since = at;
        }
    }

    fn step(&mut self, step: &Transition, record: &Record) -> Result<(), OffTheRoad> {
        let stands = self.versions.get(&step.version).copied();
        if stands != step.from || !ROAD.contains(&(step.from, step.to)) {
            return Err(OffTheRoad(step.clone()));
        }
        match step.to {
            State::Training => self.begin(step, record)?,
            State::Shadowing | State::Promotable => self.walk(step, record.at)?,
            State::Promoted => self.promote(step, record)?,
            State::Rejected => self.candidate = None,
            State::Retired => self.retired.extend(self.champion.take()),
            State::RolledBack => self.champion = None,
        }
        self.versions.insert(step.version, step.to);
        Ok(())
    }

    fn begin(&mut self, step: &Transition, record: &Record) -> Result<(), OffTheRoad> {
        match (&self.candidate, &record.training) {
            (None, Some(training)) if training.plan.version == step.version => {
                self.candidate = Some(Candidate {
                    version: step.version,
                    bundle: None,
                    state: State::Training,
                    since: record.at,
                    shadowing_since: None,
                    evaluation: None,
                    training: training.clone(),
                    attempt_since: record.at,
                    failures: Vec::new(),
                });
                Ok(())
            }
            (Some(_) | None, _) => Err(OffTheRoad(step.clone())),
        }
    }

    fn walk(&mut self, step: &Transition, at: Timestamp) -> Result<(), OffTheRoad> {
        let candidate = match &mut self.candidate {
            Some(candidate) if candidate.version == step.version => candidate,
            Some(_) | None => return Err(OffTheRoad(step.clone())),
        };
        candidate.state = step.to;
        candidate.since = at;
        candidate.bundle = step.bundle;
        candidate.shadowing_since.get_or_insert(at);
        Ok(())
    }

    fn promote(&mut self, step: &Transition, record: &Record) -> Result<(), OffTheRoad> {
        let (Some(bundle), None) = (step.bundle, &self.champion) else {
            return Err(OffTheRoad(step.clone()));
        };
        let returning = self.retired.iter().position(|former| former.version == step.version);
        let baseline = match returning {
            Some(place) => self.retired.remove(place).baseline,
            None => record.baseline.clone().ok_or_else(|| OffTheRoad(step.clone()))?,
        };
        if step.from == Some(State::Promotable) {
            self.candidate = None;
        }
        self.served_since.get_or_insert(record.at);
        self.champion = Some(Champion { version: step.version, bundle, since: record.at, baseline });
        Ok(())
    }
}

/// A step that the road does not have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("take {} from {} to {}: there is no such step from where it stands", .0.version, name(.0.from), .0.to)]
pub struct OffTheRoad(pub Transition);

fn name(state: Option<State>) -> String {
    state.map_or_else(|| "nothing".to_owned(), |state| state.to_string())
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
        let name = file_name(seq);
        match store.read(&folder.join(&name).map_err(StoreError::from)?) {
            Ok(bytes) => entries.push((parse(seq, &bytes)?, Digest::of(&bytes))),
            Err(StoreError::NotFound { .. }) => break,
            Err(other) => return Err(other.into()),
        }
        names.insert(name);
    }
    match listed.iter().all(|name| names.contains(name)) {
        true => Ok(entries),
        false => Err(GovernError::Chain { seq: entries.len() as u64 + 1 }),
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
