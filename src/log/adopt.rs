//! What a dead replica left in its spool is sealed for it, under its own name; through the store and the spool.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LogError, recover, spool};
use crate::store::Store;
use crate::types::{ReplicaName, Span, Timestamp};

/// That a dead replica's segments were sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Adopted {
    /// Whose they were.
    pub replica: ReplicaName,
    /// How many.
    pub segments: usize,
}

/// Seal the segments under `root` of every replica that is dead for at least `after`; `own` is this process's name, if it is
/// one. They become the parts that their replica would have made, so none can count twice, whoever comes first.
///
/// What fails of one replica (a damaged line, say) is returned in its place and keeps none of the others.
pub fn adopt(
    store: &dyn Store,
    root: &Path,
    own: Option<&ReplicaName>,
    after: Span,
    now: Timestamp,
) -> Vec<Result<Adopted, LogError>> {
    let seal = |orphan: spool::Orphan| {
        recover::seal_all(store, &orphan.segments)?;
        Ok(Adopted { segments: orphan.segments.len(), replica: orphan.replica })
    };
    spool::orphans(root, own, after, now).into_iter().map(|orphan| orphan.and_then(seal)).collect()
}
