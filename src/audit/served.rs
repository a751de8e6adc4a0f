//! Who served at an instant, as the journal knows it; through the store.

use serde::Serialize;

use super::AuditError;
use crate::govern::{Standing, journal};
use crate::store::Store;
use crate::types::{Digest, ModelName, Timestamp, Version};

/// Who served at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Served {
    /// The version.
    pub version: Version,
    /// The digest of its manifest.
    pub bundle: Digest,
    /// Since when.
    pub since: Timestamp,
    /// The entry that made it so.
    pub entry: u64,
    /// The candidate that scored the same requests beside it.
    pub shadow: Option<Version>,
}

/// Who served at an instant; nobody before the first promotion.
///
/// A server follows the journal within a second, so an answer given in that second may be the former champion's; each event
/// says which version answered.
///
/// # Errors
/// A journal that cannot be followed.
pub fn served_at(store: &dyn Store, model: &ModelName, at: Timestamp) -> Result<Option<Served>, AuditError> {
    let mut standing = Standing::default();
    let mut entry_of_champion = 0;
    for (entry, digest) in journal::read(store, model)? {
        // No entry is older than the one before it.
        if entry.decision.at > at {
            break;
        }
        let before = standing.champion_version();
        standing = standing.after(&entry, digest)?;
        if standing.champion_version() != before {
            entry_of_champion = entry.seq;
        }
    }
    let shadow = standing.shadowing().map(|candidate| candidate.version);
    Ok(standing.champion.map(|champion| Served {
        version: champion.version,
        bundle: champion.bundle,
        since: champion.since,
        entry: entry_of_champion,
        shadow,
    }))
}
