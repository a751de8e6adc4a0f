//! A file of what a model elsewhere has answered becomes events, labels and counts; through the store. The file is taken whole or
//! not at all, and the same bytes again change nothing.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::count_parts::CountPart;
use super::counting::take_ripe;
use super::{Counts, SnapshotError, Window, WindowRules, key};
use crate::log::{
    Event, Label, PartKind, create_part, event_elsewhere, ids_in, part_key, parts_between, read_inferences,
    seal_events, seal_labels,
};
use crate::registry::Reference;
use crate::serve::{Inference, Inferred};
use crate::store::{Body, Key, Store, StoreError};
use crate::types::{Digest, ModelName, ReplicaName, Span, Timestamp, canonical_json};

const FORMAT: u32 = 1;
const HOUR: Span = Span::from_hours(1);

/// That a file was taken in: `var/<model>/imports/<sha256>.json`, created before anything of it, so that a run that a crash cut
/// is finished by the next one under the same instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Import {
    /// 1: first form.
    pub format_version: u32,
    /// The SHA-256 of the file.
    pub sha256: Digest,
    /// When it was first taken in; when its labels arrived.
    pub at: Timestamp,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// The SHA-256 of the file.
    pub sha256: Digest,
    /// Whether these very bytes were taken in before: then nothing is counted again.
    pub already: bool,
    /// When it was first taken in.
    pub at: Timestamp,
    /// Rows of the file.
    pub rows: u64,
    /// Of these, rows of requests that are recorded for the first time.
    pub new: u64,
    /// Rows of requests that other files or requests told of: they are not recorded again.
    pub repeated: u64,
    /// Of the new rows those whose window is sealed, or ended before the model was watched: they join their labels, and no window
    /// counts their features.
    pub late: u64,
    /// Labels that came with the new rows.
    pub labels: u64,
}

/// Whom a file speaks of, and which of its windows can still be counted.
#[derive(Clone, Copy)]
pub struct Whose<'a> {
    /// The champion, which answers elsewhere.
    pub reference: &'a Reference,
    /// Its windows.
    pub rules: &'a WindowRules,
    /// When the model's first champion was promoted: no window that ended before is ever sealed.
    pub watched_since: Timestamp,
}

/// Take a file in.
///
/// # Errors
/// A row that is no answer, and then nothing is written; the store.
pub fn import(store: &dyn Store, whose: Whose<'_>, file: &[u8], now: Timestamp) -> Result<Imported, SnapshotError> {
    let (sha256, model) = (Digest::of(file), whose.reference.name());
    let known = known(store, model, sha256)?;
    let mut answers = Vec::new();
    // What lies in the future today may not have done so then, but then it was refused.
    let rows = read_inferences(whose.reference.contract(), file, now, |one| answers.push(one))?;
    answers.sort_by_key(|one| (one.at, one.request_id));
    let note = match &known {
        Some(note) => note.clone(),
        None => begin(store, model, Import { format_version: FORMAT, sha256, at: now })?,
    };
    let taking = Taking { store, whose, at: note.at, name: format!("import-{sha256}") };
    let told = taking.told_before(&answers)?;
    let count = answers.len();
    answers.retain(|one| !told.contains(&one.request_id));
    let repeated = (count - answers.len()) as u64;
    let sealed = taking.sealed(&answers)?;
    taking.events(&answers)?;
    let labels = taking.labels(&answers)?;
    taking.counts(&answers, &sealed)?;
    let late = answers.iter().filter(|one| sealed.contains(&taking.window(one))).count() as u64;
    let (already, at, new) = (known.is_some(), note.at, answers.len() as u64);
    Ok(Imported { sha256, already, at, rows, new, repeated, late, labels })
}

fn place(model: &ModelName, sha256: Digest) -> Result<Key, SnapshotError> {
    Ok(Key::new(&format!("var/{model}/imports/{sha256}.json"))?)
}

fn known(store: &dyn Store, model: &ModelName, sha256: Digest) -> Result<Option<Import>, SnapshotError> {
    let key = place(model, sha256)?;
    let bytes = match store.read(&key) {
        Err(StoreError::NotFound { .. }) => return Ok(None),
        read => read?,
    };
    let unreadable = |source| SnapshotError::Unreadable { key: key.to_string(), source };
    let note: Import = serde_json::from_slice(&bytes).map_err(unreadable)?;
    match note.format_version {
        FORMAT => Ok(Some(note)),
        found => Err(SnapshotError::Newer { key: key.to_string(), found, known: FORMAT }),
    }
}

/// Say that the file is being taken in; whoever said so first gives the instant.
fn begin(store: &dyn Store, model: &ModelName, note: Import) -> Result<Import, SnapshotError> {
    let key = place(model, note.sha256)?;
    let unreadable = |source| SnapshotError::Unreadable { key: key.to_string(), source };
    let bytes = canonical_json(&note).map_err(unreadable)?;
    match store.create(&key, Body::Bytes(&bytes)) {
        Ok(()) => Ok(note),
        Err(StoreError::AlreadyExists { .. }) => Ok(known(store, model, note.sha256)?.unwrap_or(note)),
        Err(other) => Err(other.into()),
    }
}

/// One file on its way in.
struct Taking<'a> {
    store: &'a dyn Store,
    whose: Whose<'a>,
    at: Timestamp,
    /// The name of every part that it becomes.
    name: String,
}

impl Taking<'_> {
    fn model(&self) -> &ModelName {
        self.whose.reference.name()
    }

    fn window(&self, answer: &Inference) -> Window {
        Window::holding(answer.at, self.whose.rules.base)
    }

    /// Requests that were told of by other than this file.
    fn told_before(&self, answers: &[Inference]) -> Result<BTreeSet<Uuid>, SnapshotError> {
        let (Some(first), Some(last)) = (answers.first(), answers.last()) else { return Ok(BTreeSet::new()) };
        let until = last.at + Span::from_micros(1);
        let (own, mut told) = (format!("{}.parquet", self.name), BTreeSet::new());
        for part in parts_between(self.store, self.model(), PartKind::Events, first.at, until)? {
            if part.name() != own {
                told.extend(ids_in(self.store, &part)?);
            }
        }
        Ok(told)
    }

    /// The windows that count nothing any more.
    fn sealed(&self, answers: &[Inference]) -> Result<BTreeSet<Window>, SnapshotError> {
        let windows: BTreeSet<Window> = answers.iter().map(|one| self.window(one)).collect();
        let mut sealed = BTreeSet::new();
        for window in windows {
            if window.end() <= self.whose.watched_since || self.store.exists(&key(self.model(), window)?)? {
                sealed.insert(window);
            }
        }
        Ok(sealed)
    }

    fn events(&self, answers: &[Inference]) -> Result<(), SnapshotError> {
        let event = |one: &Inference| {
            let Inference { request_id, at, ref seen, .. } = *one;
            event_elsewhere(&Inferred { request_id, at, seen, reference: self.whose.reference })
        };
        for hour in answers.chunk_by(|a, b| a.at.floor(HOUR) == b.at.floor(HOUR)) {
            let Some(first) = hour.first() else { continue };
            if !self.is_there(PartKind::Events, first.at)? {
                let events: Vec<Event> = hour.iter().map(event).collect();
                seal_events(self.store, self.model(), &self.name, &events)?;
            }
        }
        Ok(())
    }

    fn labels(&self, answers: &[Inference]) -> Result<u64, SnapshotError> {
        let label = |one: &Inference| Some(Label { request_id: one.request_id, label: one.label?, at: self.at });
        let labels: Vec<Label> = answers.iter().filter_map(label).collect();
        if !labels.is_empty() && !self.is_there(PartKind::Labels, self.at)? {
            seal_labels(self.store, self.model(), self.at, &self.name, &labels)?;
        }
        Ok(labels.len() as u64)
    }

    /// Count features where a window can still count them. Fewer than 20 rows of a window that is not over are let go, as of a
    /// replica that stops (P8): their snapshot shows `counted < requests`.
    fn counts(&self, answers: &[Inference], sealed: &BTreeSet<Window>) -> Result<(), SnapshotError> {
        let mut windows: BTreeMap<Timestamp, Counts> = BTreeMap::new();
        for answer in answers {
            let window = self.window(answer);
            if !sealed.contains(&window) {
                windows.entry(window.start).or_default().inferred(self.whose.reference, &answer.seen);
            }
        }
        let windows = take_ripe(&mut windows, self.whose.rules.base, self.at);
        if windows.is_empty() || self.is_there(PartKind::Counts, self.at)? {
            return Ok(());
        }
        // A file is no replica: with a watermark before all time nobody waits for it, and nobody takes it for a sign of life.
        let replica: ReplicaName = "import".parse()?;
        let part = CountPart { replica, watermark: Timestamp::EPOCH, closed: true, windows };
        let key = part_key(self.model(), PartKind::Counts, self.at, &self.name)?;
        let read = |rows: &_| CountPart::read(rows).map(|part| vec![part]);
        Ok(create_part(self.store, &key, part.table(), std::slice::from_ref(&part), read)?)
    }

    /// Whether an earlier run of this import wrote this part: what it wrote stands.
    fn is_there(&self, kind: PartKind, at: Timestamp) -> Result<bool, SnapshotError> {
        Ok(self.store.exists(&part_key(self.model(), kind, at, &self.name)?)?)
    }
}

#[cfg(test)]
mod tests;
