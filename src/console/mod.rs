//! What is known of a model, for those who only look: every answer is made once, for `-o json` and for the reading routes.

mod alerts;
mod api;
mod desk;
mod gauges;
mod journal;
mod ledger;
mod page;
mod question;
mod reports;
mod trust;
mod view;
mod windows;

pub use alerts::{Alerts, alerts};
pub use api::{routes, unwired};
pub use desk::{Desk, ReadingRules, Rulebook};
pub use gauges::{Gate, Gauges};
pub use journal::{Champions, History, Retraining, Stands, baseline, history, retraining, stands};
pub use ledger::Ledger;
pub use page::Page;
pub use question::Question;
pub use reports::{
    Concept, Filed, Latest, Moved, Newest, Reports, concept, drift, drift_history, latest, performance_history,
};
pub use trust::{Trusted, trust};
pub use view::{Answered, Drifted, Window, Windows, windows};
pub use windows::{Snapshots, snapshots};

use crate::alert::AlertError;
use crate::audit::AuditError;
use crate::govern::GovernError;
use crate::log::LogError;
use crate::registry::RegistryError;
use crate::snapshot::SnapshotError;
use crate::store::{Key, KeyError, StoreError};
use crate::types::{Digest, Span};

/// The form of every answer. 1: first form.
pub const FORMAT_VERSION: u32 = 1;

/// Why something could not be told; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// A list is asked to go on after what it never named.
    #[error("go on after that: `after` takes what `next` of an earlier answer said, {wants}")]
    Cursor {
        /// What this list names in `next`.
        wants: &'static str,
    },
    /// No window of this size is ever sealed.
    #[error("show windows of {size}: they are sealed in {}", known.iter().map(Span::to_string).collect::<Vec<_>>().join(", "))]
    NoSuchSize {
        /// The size that was asked for.
        size: Span,
        /// Those there are.
        known: Vec<Span>,
    },
    /// The rules of the workspace cannot be read.
    #[error("read the rules: {0}")]
    Rules(String),
    /// A report is not what the journal cites.
    #[error("trust {key}: it has SHA-256 {}, the journal cites {}", found.short(), cited.short())]
    Altered {
        /// The report.
        key: Key,
        /// What the journal says.
        cited: Digest,
        /// What its bytes give.
        found: Digest,
    },
    /// A report has the bytes that are cited, and this program cannot read them.
    #[error("read {key}")]
    Report {
        /// The report.
        key: Key,
        /// Why.
        source: serde_json::Error,
    },
    /// An answer could not become JSON.
    #[error("print the answer as JSON")]
    Print(#[source] serde_json::Error),
    /// The journal.
    #[error(transparent)]
    Govern(#[from] GovernError),
    /// What decisions rest on.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The version that serves.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Events or labels.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Sealed windows.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Alerts.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<KeyError> for ConsoleError {
    fn from(error: KeyError) -> Self {
        ConsoleError::Store(error.into())
    }
}
