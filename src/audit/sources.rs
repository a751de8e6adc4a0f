//! Datasets back to the files they came from, and the notes of their arrival; through the store and [`Sources`].

use std::collections::BTreeMap;
use std::io::Read;

use serde::Serialize;

use super::examiner::Examiner;
use super::{AuditError, Fault};
use crate::ingest::{DatasetMeta, SourceRef, Sources};
use crate::promote::Taken;
use crate::types::{Digest, Hasher};

/// Where the file is that a dataset came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whereabouts {
    /// Where it was taken in, with the same bytes.
    Here,
    /// A file of that name is there with other bytes: people own their files, so this is said and is no finding.
    Replaced,
    /// There is no such file any more, or nobody noted its name.
    Archived,
}

/// A dataset's source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceFile {
    /// The dataset.
    pub dataset: Digest,
    /// The SHA-256 of the file.
    pub sha256: Digest,
    /// Its name when it was taken in; none if that was not noted.
    pub name: Option<String>,
    /// Where it is now.
    pub found: Whereabouts,
}

/// Every note of an arrival: numbers without a gap, and each agrees with the dataset that it speaks of.
pub(super) fn intake(
    examiner: &mut Examiner<'_>,
    datasets: &BTreeMap<Digest, DatasetMeta>,
) -> Result<Vec<Taken>, AuditError> {
    let folder = examiner.key("var", "intake")?;
    let mut notes = Vec::new();
    for (number, name) in (1u64..).zip(examiner.names(&folder)?) {
        let key = folder.join(&name)?;
        if name != format!("{number:020}.json") {
            let what = format!("where {number:020}.json should be: a note of an arrival is missing, or it is none");
            examiner.find(&key, None, Fault::Stranger, what);
            break;
        }
        let Some(bytes) = examiner.bytes(&key, None)? else { continue };
        match serde_json::from_slice::<Taken>(&bytes) {
            Ok(taken) => {
                if let Some(what) = datasets.get(&taken.dataset).and_then(|meta| disagrees(&taken, meta)) {
                    examiner.find(&key, None, Fault::Contradiction, what);
                } else if !datasets.contains_key(&taken.dataset) {
                    let what = format!("dataset {} is not there, or cannot be read", taken.dataset.short());
                    examiner.find(&key, None, Fault::Missing, what);
                }
                notes.push(taken);
            }
            Err(why) => examiner.find(&key, None, Fault::Unreadable, format!("it is not a note: {why}")),
        }
    }
    Ok(notes)
}

fn disagrees(taken: &Taken, meta: &DatasetMeta) -> Option<String> {
    let same = [
        (taken.source == meta.source.sha256, "source"),
        (taken.contract == meta.contract.sha256, "contract"),
        (taken.rows == meta.rows, "rows"),
    ];
    let other = same.into_iter().find(|(same, _)| !same)?.1;
    Some(format!("it names another {other} than dataset {}", taken.dataset.short()))
}

/// Hash every source file that is still there.
pub(super) fn whereabouts(
    examiner: &mut Examiner<'_>,
    datasets: &BTreeMap<Digest, DatasetMeta>,
    notes: &[Taken],
    sources: &dyn Sources,
) -> Vec<SourceFile> {
    let look = |(dataset, meta): (&Digest, &DatasetMeta)| {
        let names = notes.iter().filter(|note| note.dataset == *dataset).map(|note| note.name.as_str());
        let mut seen: Vec<(Whereabouts, &str)> = Vec::new();
        for name in names {
            seen.push((find(sources, name, &meta.source, &mut examiner.bytes), name));
        }
        let at = |wanted| seen.iter().find(|(found, _)| *found == wanted);
        let best = at(Whereabouts::Here).or_else(|| at(Whereabouts::Replaced)).or(seen.first());
        let (found, name) = best.map_or((Whereabouts::Archived, None), |(found, name)| (*found, Some(*name)));
        SourceFile { dataset: *dataset, sha256: meta.source.sha256, name: name.map(str::to_owned), found }
    };
    datasets.iter().map(look).collect()
}

/// Whether the file of this name has the bytes that became the dataset. No more is read than it had, whatever lies there now.
fn find(sources: &dyn Sources, name: &str, meant: &SourceRef, read: &mut u64) -> Whereabouts {
    let Ok(file) = sources.open(name) else { return Whereabouts::Archived };
    let mut hasher = Hasher::default();
    match std::io::copy(&mut file.take(meant.bytes.saturating_add(1)), &mut hasher) {
        Ok(bytes) => {
            *read += bytes;
            let same = bytes == meant.bytes && hasher.finish() == meant.sha256;
            if same { Whereabouts::Here } else { Whereabouts::Replaced }
        }
        Err(_) => Whereabouts::Archived,
    }
}
