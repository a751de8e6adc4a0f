//! Segments whose replica is dead: nobody holds their folder, and they are old; a door, of the spool's files only. What a living
//! process holds is never touched, however long it was silent.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::{Due, failed, leftovers, lock};
use crate::log::LogError;
use crate::types::{ReplicaName, Span, Timestamp};

/// A dead replica's segments. Its folder is held as long as this lives, so that nobody else takes them.
pub(in crate::log) struct Orphan {
    pub(in crate::log) replica: ReplicaName,
    pub(in crate::log) segments: Vec<Due>,
    _lock: File,
}

/// Every dead replica under `root` whose newest line is `after` old; `own` is not looked at.
///
/// A folder's lock is held by its process and let go by the system when that dies, so a free lock is a dead replica; the age
/// is for one that is just being started again and will find its own.
pub(in crate::log) fn orphans(
    root: &Path,
    own: Option<&ReplicaName>,
    after: Span,
    now: Timestamp,
) -> Vec<Result<Orphan, LogError>> {
    let names = match fs::read_dir(root) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => return vec![Err(failed("list", root)(error))],
    };
    let mut replicas: Vec<ReplicaName> = names
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|replica| own != Some(replica))
        .collect();
    replicas.sort_unstable();
    replicas.into_iter().filter_map(|replica| orphan(root, replica, after, now).transpose()).collect()
}

fn orphan(root: &Path, replica: ReplicaName, after: Span, now: Timestamp) -> Result<Option<Orphan>, LogError> {
    let folder = root.join(replica.as_str());
    if !folder.is_dir() || !is_old(&leftovers(&folder, &replica)?, after, now)? {
        return Ok(None);
    }
    let lock = match lock(&folder, &replica) {
        Ok(lock) => lock,
        Err(LogError::ReplicaTaken { .. }) => return Ok(None),
        Err(other) => return Err(other),
    };
    // Looked at again now that nobody else can: another may have taken them in between.
    let segments = leftovers(&folder, &replica)?;
    Ok((!segments.is_empty()).then_some(Orphan { replica, segments, _lock: lock }))
}

fn is_old(segments: &[Due], after: Span, now: Timestamp) -> Result<bool, LogError> {
    let mut newest = None;
    for segment in segments {
        let written = match fs::metadata(&segment.path).and_then(|file| file.modified()) {
            // Its owner, alive after all, has just sealed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            written => written.map_err(failed("look at", &segment.path))?,
        };
        newest = newest.max(Some(written));
    }
    let written = newest.map(|written| Timestamp::from(chrono::DateTime::<chrono::Utc>::from(written)));
    Ok(written.is_some_and(|written| now.since(written) >= after))
}
