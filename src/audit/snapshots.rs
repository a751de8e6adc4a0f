//! Sealed windows against the digests that entries name, and added up again from the smaller ones; through the store.

use std::collections::BTreeSet;

use super::examiner::Examiner;
use super::named::Named;
use super::{AuditError, Fault};
use crate::log::{PartKind, parts_between};
use crate::snapshot::{self, Counts, Snapshot, Window};
use crate::store::{Key, StoreError};
use crate::types::Digest;

/// How far down windows are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Down {
    /// The judged ones, which entries name, from the next smaller: what decisions rest on.
    Judged,
    /// Every one, down to the smallest; a year of five minutes has a hundred thousand.
    Every,
}

/// What was looked at, and what operators have put away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Windows {
    /// Windows that were hashed or added up.
    pub(super) looked_at: u64,
    /// Judged windows whose events, or whose smaller windows, are no longer all here.
    pub(super) archived: u64,
}

/// Every window that an entry names, and below it the windows that it was added up from.
pub(super) fn windows(examiner: &mut Examiner<'_>, named: &Named, down: Down) -> Result<Windows, AuditError> {
    let mut looked = Looked { down, looked_at: 0, seen: BTreeSet::new() };
    let mut archived = 0;
    for ((window, digest), seq) in &named.snapshots {
        let whole = looked.judged(examiner, *window, *digest, *seq)?;
        archived += u64::from(whole == Whole::Archived);
    }
    Ok(Windows { looked_at: looked.looked_at, archived })
}

/// Whether all that a window was made from is still here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Here,
    Archived,
}

struct Looked {
    down: Down,
    looked_at: u64,
    /// Keys that were followed, so that a forged window that names itself ends.
    seen: BTreeSet<Key>,
}

impl Looked {
    fn judged(
        &mut self,
        examiner: &mut Examiner<'_>,
        window: Window,
        digest: Digest,
        seq: u64,
    ) -> Result<Whole, AuditError> {
        let key = snapshot::key(examiner.model, window)?;
        let Some(bytes) = examiner.sealed(&key, digest, Some(seq))? else { return Ok(Whole::Here) };
        self.looked_at += 1;
        let snapshot: Snapshot = match serde_json::from_slice(&bytes) {
            Ok(snapshot) => snapshot,
            Err(why) => {
                examiner.find(key, Some(seq), Fault::Unreadable, why.to_string());
                return Ok(Whole::Here);
            }
        };
        let events = parts_between(examiner.store, examiner.model, PartKind::Events, window.start, window.end());
        let silent = snapshot.requests > 0 && events.is_ok_and(|parts| parts.is_empty());
        let smaller = self.add_up(examiner, &key, &snapshot, seq)?;
        Ok(if silent { Whole::Archived } else { smaller })
    }

    /// Hold a window against the sum of those that it names; where one is gone nothing can be said.
    fn add_up(
        &mut self,
        examiner: &mut Examiner<'_>,
        key: &Key,
        whole: &Snapshot,
        seq: u64,
    ) -> Result<Whole, AuditError> {
        if !self.seen.insert(key.clone()) {
            return Ok(Whole::Here);
        }
        let folder = format!("var/{}/snapshots/", examiner.model);
        let names: Vec<&String> = whole.merged.iter().filter(|name| name.starts_with(&folder)).collect();
        let (mut counts, mut requests, mut here) = (Counts::default(), 0, Whole::Here);
        for name in &names {
            let Ok(part) = Key::new(name) else {
                let what = format!("it was added up from {name:?}, which is no file");
                examiner.find(key, Some(seq), Fault::Contradiction, what);
                return Ok(here);
            };
            match self.smaller(examiner, &part, seq)? {
                Some(smaller) => {
                    requests += smaller.requests;
                    counts.add(&smaller.counts);
                    if self.down == Down::Every && self.add_up(examiner, &part, &smaller, seq)? == Whole::Archived {
                        here = Whole::Archived;
                    }
                }
                None => here = Whole::Archived,
            }
        }
        let complete = !names.is_empty() && here == Whole::Here;
        if complete && (requests != whole.requests || counts != whole.counts) {
            examiner.find(key, Some(seq), Fault::Contradiction, "it is not the sum of the windows that it names");
        }
        Ok(here)
    }

    /// A smaller window; nothing if it was put away.
    fn smaller(&mut self, examiner: &mut Examiner<'_>, key: &Key, seq: u64) -> Result<Option<Snapshot>, AuditError> {
        let bytes = match examiner.store.read(key) {
            Ok(bytes) => bytes,
            Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(StoreError::NotAnObject { .. } | StoreError::NotAFolder { .. }) => {
                examiner.find(key, Some(seq), Fault::Stranger, "it is not a regular file, or lies below a link");
                return Ok(None);
            }
            Err(other) => return Err(other.into()),
        };
        examiner.bytes += bytes.len() as u64;
        self.looked_at += 1;
        match serde_json::from_slice(&bytes) {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(why) => {
                examiner.find(key, Some(seq), Fault::Unreadable, format!("it is no sealed window: {why}"));
                Ok(None)
            }
        }
    }
}
