//! Stage 7: what features, predictions and latencies looked like in a window, sealed once.

mod count_parts;
mod counting;
mod counts;
mod freeze;
mod heard;
mod import;
mod rules;
mod sparse;
mod window;

pub use counting::{Counting, Lane, maintain};
pub use counts::{Counts, VersionCounts};
pub use freeze::{judged, key, read, seal_due};
pub use import::{Import, Imported, Whose, import};
pub use rules::WindowRules;
pub use window::Window;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::log::LogError;
use crate::store::{KeyError, StoreError};
use crate::types::{ModelName, NameError, Timestamp};

/// A sealed window: `var/<model>/snapshots/<size>/<start>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The window it speaks of.
    pub window: Window,
    /// Events in sealed parts that fall in the window.
    pub requests: u64,
    /// What was counted; `counts.counted < requests` shows that a crash lost counts.
    pub counts: Counts,
    /// Replicas whose watermark had not passed the window's end when the grace was over.
    pub silent_replicas: Vec<String>,
    /// The keys of the parts (base windows) or snapshots (merged windows) that were added up.
    pub merged: Vec<String>,
    /// When it was sealed.
    pub sealed_at: Timestamp,
}

/// Why windows cannot be counted, sealed or read; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A snapshot is there and is not one.
    #[error("read {key}")]
    Unreadable {
        /// The snapshot.
        key: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A snapshot was written by a newer Regent.
    #[error("read {key}: its format {found} is newer than {known}")]
    Newer {
        /// The snapshot.
        key: String,
        /// Its format.
        found: u32,
        /// The newest this Regent knows.
        known: u32,
    },
    /// Parts of events or counts.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A name does not fit a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A word is no replica's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
