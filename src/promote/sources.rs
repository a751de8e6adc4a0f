//! Takes new files of labelled rows in; through the store. A bad file is refused whole, and the rest goes on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Context, PromoteError};
use crate::contract::Registered;
use crate::govern::Data;
use crate::ingest::{IngestError, Source, datasets, freeze};
use crate::store::{Body, Key, StoreError};
use crate::types::{Digest, Hasher, Timestamp, canonical_json};

/// That a file was taken in: `var/<model>/intake/<number>.json`. The numbers are the order of rows without a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Taken {
    /// 1: first form.
    pub format_version: u32,
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

/// Take in every source file that is new, and say what there is now.
///
/// # Errors
/// What could not be read or written; a file that breaks the rules is not an error but is named in `refused`.
pub(super) fn take_in(context: &Context<'_>, contract: &Registered, now: Timestamp) -> Result<Intake, PromoteError> {
    let mut taken = taken(context)?;
    let mut refused = Vec::new();
    for name in context.sources.names()? {
        let digest = digest_of(context, &name)?;
        let known = taken.iter().any(|known| known.source == digest && known.contract == contract.sha256);
        if known {
            continue;
        }
        match freeze_source(context, contract, &name) {
            Ok((dataset, rows)) => {
                let new =
                    Taken { format_version: 1, source: digest, contract: contract.sha256, dataset, rows, at: now };
                taken.push(note(context, new, taken.len())?);
            }
            Err(PromoteError::Ingest(IngestError::Rejected(rejection))) => {
                refused.push(format!("{name}: {}", rejection.to_string().lines().next().unwrap_or_default()));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(Intake { data: data(context, contract, &taken, refused)?, taken })
}

/// Note that a dataset was taken in by hand, so that trainings find it; once is enough.
///
/// # Errors
/// The store's.
pub fn note_dataset(
    context: &Context<'_>,
    contract: &Registered,
    source: Digest,
    dataset: Digest,
    rows: u64,
    now: Timestamp,
) -> Result<(), PromoteError> {
    let taken = taken(context)?;
    if taken.iter().all(|known| known.dataset != dataset) {
        let new = Taken { format_version: 1, source, contract: contract.sha256, dataset, rows, at: now };
        note(context, new, taken.len())?;
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

fn freeze_source(context: &Context<'_>, contract: &Registered, name: &str) -> Result<(Digest, u64), PromoteError> {
    let source = Source::new(name, context.sources.open(name)?);
    let frozen = freeze(source, &contract.contract.intake(contract.sha256), context.sources.scratch()?, context.store)?;
    Ok((frozen.digest, frozen.meta.rows))
}

/// What there is to train on under this contract's major version, in the order of time, or of arrival without a time.
fn data(
    context: &Context<'_>,
    contract: &Registered,
    taken: &[Taken],
    refused: Vec<String>,
) -> Result<Data, PromoteError> {
    let of_this_major = datasets(context.store, context.model)?
        .into_iter()
        .filter(|(_, meta)| meta.contract.version.major == contract.contract.version().major);
    let arrived = |digest| taken.iter().position(|taken| taken.dataset == digest).unwrap_or(usize::MAX);
    let mut found: Vec<_> = of_this_major.map(|(digest, meta)| (arrived(digest), digest, meta)).collect();
    found.sort_by_key(|(arrived, digest, _)| (*arrived, *digest));
    Ok(Data {
        datasets: found.iter().map(|(_, digest, _)| *digest).collect(),
        rows: found.iter().map(|(_, _, meta)| meta.rows).sum(),
        refused,
    })
}
