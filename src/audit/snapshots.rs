//! Sealed windows against the digests that entries name, and added up again from the smaller ones; through the store.

use std::collections::BTreeSet;

use super::examiner::Examiner;
use super::named::Named;
use super::{AuditError, Fault};
use crate::snapshot::{self, Counts, Snapshot};
use crate::store::{Key, StoreError};

/// What was looked at, and what operators have put away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Windows {
    /// Windows that were hashed or added up.
    pub(super) looked_at: u64,
    /// Parts and smaller windows that are no longer here.
    pub(super) archived: u64,
}

/// Every window that an entry names, and below it every window and part that it was added up from.
pub(super) fn windows(examiner: &mut Examiner<'_>, named: &Named) -> Result<Windows, AuditError> {
    let mut looked = Looked { windows: Windows::default(), seen: BTreeSet::new(), parts: BTreeSet::new() };
    for ((window, digest), seq) in &named.snapshots {
        let key = snapshot::key(examiner.model, *window)?;
        if let Some(bytes) = examiner.sealed(&key, *digest, Some(*seq))? {
            looked.windows.looked_at += 1;
            match serde_json::from_slice::<Snapshot>(&bytes) {
                Ok(snapshot) => looked.add_up(examiner, &key, &snapshot, *seq)?,
                Err(why) => examiner.find(key, Some(*seq), Fault::Unreadable, why.to_string()),
            }
        }
    }
    Ok(looked.windows)
}

struct Looked {
    windows: Windows,
    /// Keys that were followed, so that a forged window that names itself ends.
    seen: BTreeSet<Key>,
    /// Parts that were looked for: a part lies in an hour and is named by every window in it.
    parts: BTreeSet<Key>,
}

impl Looked {
    /// Hold a window against the sum of what it names; below a window that is gone nothing can be said.
    fn add_up(&mut self, examiner: &mut Examiner<'_>, key: &Key, whole: &Snapshot, seq: u64) -> Result<(), AuditError> {
        if !self.seen.insert(key.clone()) {
            return Ok(());
        }
        let (mut counts, mut requests) = (Counts::default(), 0);
        let (mut merged, mut complete) = (false, true);
        for name in &whole.merged {
            let Ok(part) = Key::new(name) else {
                examiner.find(
                    key,
                    Some(seq),
                    Fault::Contradiction,
                    format!("it was added up from {name:?}, which is no file"),
                );
                continue;
            };
            if !name.starts_with(&format!("var/{}/snapshots/", examiner.model)) {
                self.part(examiner, part)?;
                continue;
            }
            merged = true;
            match self.smaller(examiner, &part, seq)? {
                Some(smaller) => {
                    requests += smaller.requests;
                    counts.add(&smaller.counts);
                    self.add_up(examiner, &part, &smaller, seq)?;
                }
                None => complete = false,
            }
        }
        if merged && complete && (requests != whole.requests || counts != whole.counts) {
            examiner.find(key, Some(seq), Fault::Contradiction, "it is not the sum of the windows that it names");
        }
        Ok(())
    }

    /// A part is named by its key alone; whether it is still here is all that can be said.
    fn part(&mut self, examiner: &Examiner<'_>, key: Key) -> Result<(), AuditError> {
        if self.parts.contains(&key) {
            return Ok(());
        }
        let here = match examiner.store.exists(&key) {
            Ok(here) => here,
            Err(StoreError::NotAFolder { .. }) => false,
            Err(other) => return Err(other.into()),
        };
        self.windows.archived += u64::from(!here);
        self.parts.insert(key);
        Ok(())
    }

    fn smaller(&mut self, examiner: &mut Examiner<'_>, key: &Key, seq: u64) -> Result<Option<Snapshot>, AuditError> {
        let bytes = match examiner.store.read(key) {
            Ok(bytes) => bytes,
            Err(StoreError::NotFound { .. }) => {
                self.windows.archived += 1;
                return Ok(None);
            }
            Err(StoreError::NotAnObject { .. } | StoreError::NotAFolder { .. }) => {
                examiner.find(key, Some(seq), Fault::Stranger, "it is not a regular file, or lies below a link");
                return Ok(None);
            }
            Err(other) => return Err(other.into()),
        };
        examiner.bytes += bytes.len() as u64;
        self.windows.looked_at += 1;
        match serde_json::from_slice(&bytes) {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(why) => {
                examiner.find(key, Some(seq), Fault::Unreadable, format!("it is no sealed window: {why}"));
                Ok(None)
            }
        }
    }
}
