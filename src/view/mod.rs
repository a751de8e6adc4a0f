//! Looks at a model from outside: its windows of one size side by side, and how far it may be trusted. It reads everything and
//! changes nothing; each answer is made here once, for commands and for whoever else tells it.

mod trust;
mod windows;

pub use trust::{Trusted, trust};
pub use windows::{Answered, Moved, Window, Windows, windows};

use crate::govern::GovernError;
use crate::log::LogError;
use crate::registry::RegistryError;
use crate::snapshot::SnapshotError;
use crate::store::{Key, KeyError, StoreError};
use crate::types::{Digest, Span};

/// The form of the answers. 1: first form.
const FORMAT_VERSION: u32 = 1;

/// Why there is no view; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// No window of this size is ever sealed.
    #[error("show windows of {size}: they are sealed in {}", known.iter().map(Span::to_string).collect::<Vec<_>>().join(", "))]
    NoSuchSize {
        /// The size that was asked for.
        size: Span,
        /// Those there are.
        known: Vec<Span>,
    },
    /// A report is not what the journal cites.
    #[error("believe {key}: the journal cites {cited}, it has {found}")]
    Altered {
        /// The report.
        key: Key,
        /// Its digest as the journal knows it.
        cited: Digest,
        /// Its digest.
        found: Digest,
    },
    /// A report cannot be read.
    #[error("read {key}")]
    Report {
        /// The report.
        key: Key,
        /// Why.
        source: serde_json::Error,
    },
    /// The journal.
    #[error(transparent)]
    Govern(#[from] GovernError),
    /// The version that serves.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Sealed windows.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Events or labels.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<KeyError> for ViewError {
    fn from(error: KeyError) -> Self {
        ViewError::Store(error.into())
    }
}
