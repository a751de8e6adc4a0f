//! Takes new files of labelled rows in; through the store. A bad file is refused whole, and the rest goes on; a file that is
//! replaced is taken in again in its own place.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Context, PromoteError};
use crate::contract::Registered;
use crate::govern::Data;
use crate::ingest::{Frozen, IngestError, Source, datasets, freeze};
use crate::store::{Body, Key, StoreError};
use crate::types::{Digest, Hasher, Timestamp, Version, canonical_json};

/// That a file was taken in: `var/<model>/intake/<number>.json`. The numbers are the order of rows without a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Taken {
    /// 1: first form.
    pub format_version: u32,
    /// Who brought it.
    pub origin: Origin,
    /// The file as it was called then, from the workspace's root where it lay inside. People may have moved it since.
    pub name: String,
    /// The SHA-256 of the file.
    pub source: Digest,
    /// The SHA-256 of the registered contract it was taken in under.
    pub contract: Digest,
    /// What it became.
    pub dataset: Digest,
    /// Its rows.
    pub rows: u64,
    /// When: a champion is watched on what was taken in after its promotion.
    pub at: Timestamp,
}

/// What there is now, and how it came.
pub(super) struct Intake {
    /// The labelled rows.
    pub(super) data: Data,
    /// Every file that was taken in, in the order of arrival.
    pub(super) taken: Vec<Taken>,
}

/// Who brought a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The policy's `sources:` name it: under its name it speaks with its newest bytes.
    Sources,
    /// A person took it in: it stands whatever else bears its name.
    Person,
}

impl Taken {
    fn of(origin: Origin, name: &str, contract: &Registered, frozen: &Frozen, at: Timestamp) -> Taken {
        Taken {
            format_version: 1,
            origin,
            name: name.to_owned(),
            source: frozen.meta.source.sha256,
            contract: contract.sha256,
            dataset: frozen.digest,
            rows: frozen.meta.rows,
            at,
        }
    }

    /// Whether it is the file of this name that the policy's `sources:` name.
    fn is_source(&self, name: &str) -> bool {
        self.origin == Origin::Sources && self.name == name
    }
}

/// Take in every source file that is new or holds other bytes than before, and say what there is now.
///
/// # Errors
/// What could not be read or written in the store; a file that cannot be read or breaks the rules is not an error but is
/// named in `refused`.
pub(super) fn take_in(context: &Context<'_>, contract: &Registered, now: Timestamp) -> Result<Intake, PromoteError> {
    let mut taken = taken(context)?;
    let mut refused = Vec::new();
    for name in context.sources.names()? {
        match take(context, contract, &name, &taken, now) {
            Ok(None) => {}
            Ok(Some(new)) => taken.push(note(context, new, taken.len())?),
            Err(PromoteError::Ingest(bad @ (IngestError::Rejected(_) | IngestError::Read { .. }))) => {
                refused.push(refusal(&name, &bad));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(Intake { data: data(context, contract, &taken, refused)?, taken })
}

/// Freeze one file, unless the newest bytes under its name are the ones it holds.
fn take(
    context: &Context<'_>,
    contract: &Registered,
    name: &str,
    taken: &[Taken],
    now: Timestamp,
) -> Result<Option<Taken>, PromoteError> {
    let source = digest_of(context, name)?;
    let newest = taken.iter().rev().find(|known| known.is_source(name));
    if newest.is_some_and(|known| known.source == source && known.contract == contract.sha256) {
        return Ok(None);
    }
    let file = Source::new(name, context.sources.open(name)?);
    let frozen = freeze(file, &contract.contract.intake(contract.sha256), context.sources.scratch()?, context.store)?;
    // What was frozen, should the file have changed since it was looked at.
    Ok(Some(Taken::of(Origin::Sources, name, contract, &frozen, now)))
}

/// A file and what is wrong with it, in a line: its first violation, or why it cannot be read.
fn refusal(name: &str, error: &IngestError) -> String {
    match error {
        IngestError::Rejected(rejection) => {
            let first = rejection.violations.first().map(ToString::to_string).unwrap_or_default();
            let more = rejection.total().saturating_sub(1);
            let others = if more > 0 { format!(", and {more} more") } else { String::new() };
            format!("{name}:{first}{others}")
        }
        other => {
            let why = std::error::Error::source(other).map_or_else(|| other.to_string(), ToString::to_string);
            format!("{name}: {why}")
        }
    }
}

/// Note that a file was taken in by hand, under the name it has now, so that trainings find it; once is enough.
///
/// # Errors
/// The store's.
pub fn note_dataset(
    context: &Context<'_>,
    contract: &Registered,
    name: &str,
    frozen: &Frozen,
    now: Timestamp,
) -> Result<(), PromoteError> {
    let taken = taken(context)?;
    if taken.iter().all(|known| known.dataset != frozen.digest) {
        let by_hand = Taken::of(Origin::Person, name, contract, frozen, now);
        note(context, by_hand, taken.len())?;
    }
    Ok(())
}

fn taken(context: &Context<'_>) -> Result<Vec<Taken>, PromoteError> {
    let folder = folder(context)?;
    let names = context.store.list_folder(&folder)?;
    names.iter().map(|name| read(context, &folder.join(name)?)).collect()
}

fn folder(context: &Context<'_>) -> Result<Key, StoreError> {
    Ok(Key::new(&format!("var/{}/intake", context.model))?)
}

fn note(context: &Context<'_>, new: Taken, already: usize) -> Result<Taken, PromoteError> {
    let bytes = canonical_json(&new).map_err(|source| PromoteError::Json { what: "an intake", source })?;
    let mut number = already + 1;
    loop {
        let key = folder(context)?.join(&format!("{number:020}.json"))?;
        match context.store.create(&key, Body::Bytes(&bytes)) {
            Ok(()) => return Ok(new),
            Err(StoreError::AlreadyExists { .. }) => number += 1,
            Err(other) => return Err(other.into()),
        }
        // Another governor takes files in too: the same file at another instant is taken in already.
        let theirs: Taken = read(context, &key)?;
        if (Taken { at: new.at, ..theirs.clone() }) == new {
            return Ok(theirs);
        }
    }
}

fn read(context: &Context<'_>, key: &Key) -> Result<Taken, PromoteError> {
    let bytes = context.store.read(key)?;
    serde_json::from_slice(&bytes).map_err(|source| PromoteError::Json { what: "an intake", source })
}

fn digest_of(context: &Context<'_>, name: &str) -> Result<Digest, PromoteError> {
    let mut hasher = Hasher::default();
    let mut source = context.sources.open(name)?;
    std::io::copy(&mut source, &mut hasher).map_err(|source| IngestError::Read { path: name.into(), source })?;
    Ok(hasher.finish())
}

/// What there is to train on under this contract's major version, in the order of time, or of arrival without a time.
///
/// A file that was replaced speaks with its newest bytes, and a file that was frozen under several versions of the contract with
/// its newest freeze: no row is there twice because its file came twice.
fn data(
    context: &Context<'_>,
    contract: &Registered,
    taken: &[Taken],
    refused: Vec<String>,
) -> Result<Data, PromoteError> {
    let mut found: BTreeMap<Digest, Found> = BTreeMap::new();
    for (digest, meta) in datasets(context.store, context.model)? {
        // Rows that show a model elsewhere are nobody's to train on.
        let of_this_major =
            meta.contract.version.major == contract.contract.version().major && meta.prediction.is_none();
        if of_this_major && let Some(arrived) = arrival(taken, digest) {
            let here = Found { arrived, version: meta.contract.version, digest, rows: meta.rows };
            let known = found.entry(meta.source.sha256).or_insert(here);
            let arrived = known.arrived.min(arrived);
            *known = Found { arrived, ..if here.version > known.version { here } else { *known } };
        }
    }
    let mut found: Vec<Found> = found.into_values().collect();
    found.sort_by_key(|found| (found.arrived, found.digest));
    Ok(Data {
        datasets: found.iter().map(|found| found.digest).collect(),
        rows: found.iter().map(|found| found.rows).sum(),
        refused,
    })
}

/// A dataset to train on.
#[derive(Clone, Copy)]
struct Found {
    arrived: usize,
    version: Version,
    digest: Digest,
    rows: u64,
}

/// The place of a dataset in the order of arrival; none if every file it came from holds other bytes now. A replaced file keeps
/// its place.
fn arrival(taken: &[Taken], dataset: Digest) -> Option<usize> {
    let named_like = |known: &Taken, other: &Taken| match known.origin {
        Origin::Sources => other.is_source(&known.name),
        Origin::Person => other == known,
    };
    let is_newest = |known: &&Taken| {
        let newest = taken.iter().rev().find(|other| named_like(known, other));
        newest.is_some_and(|newest| newest.dataset == dataset)
    };
    let mut standing = taken.iter().filter(|known| known.dataset == dataset).peekable();
    if standing.peek().is_none() {
        // Frozen by one whose note is not there yet.
        return Some(usize::MAX);
    }
    let first = |known: &Taken| taken.iter().position(|other| named_like(known, other));
    standing.filter(is_newest).filter_map(first).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::govern::Rules;
    use crate::ingest::NoSources;
    use crate::store::Memory;
    use crate::types::{ModelName, Span};

    fn seen(name: &str, minutes: i64) -> Taken {
        let (source, contract, dataset) = (Digest::of(name), Digest::of("contract"), Digest::of("dataset"));
        let at = Timestamp::EPOCH + Span::from_mins(minutes);
        Taken {
            format_version: 1,
            origin: Origin::Sources,
            name: name.to_owned(),
            source,
            contract,
            dataset,
            rows: 1,
            at,
        }
    }

    #[test]
    fn what_two_governors_take_in_at_once_is_noted_once_and_in_its_order() {
        let (store, rules, model, txn) = (Memory::new(), Rules::default(), "rain".parse::<ModelName>(), String::new);
        let model = &model.unwrap();
        let context =
            Context { store: &store, model, rules: &rules, sources: &NoSources, txn: &txn, actor: "governor" };
        // Each of them saw an empty folder.
        assert_eq!(note(&context, seen("monday.csv", 1), 0).unwrap(), seen("monday.csv", 1));
        assert_eq!(note(&context, seen("monday.csv", 2), 0).unwrap(), seen("monday.csv", 1));
        assert_eq!(note(&context, seen("tuesday.csv", 2), 0).unwrap(), seen("tuesday.csv", 2));
        assert_eq!(note(&context, seen("wednesday.csv", 3), 0).unwrap(), seen("wednesday.csv", 3));
        let noted = ["monday.csv", "tuesday.csv", "wednesday.csv"];
        let names: Vec<String> = taken(&context).unwrap().into_iter().map(|taken| taken.name).collect();
        assert_eq!(names, noted);
        let files = context.store.list_folder(&folder(&context).unwrap()).unwrap();
        assert_eq!(files, [1, 2, 3].map(|number| format!("{number:020}.json")));
    }
}
