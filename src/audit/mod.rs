//! A window onto the house: is what is stored what was stored, would it be decided again, and why. Changes nothing, and trusts
//! nothing before it is hashed.

mod as_of;
mod chain;
mod deep;
mod examiner;
mod finding;
mod head;
mod lineage;
mod named;
mod objects;
mod recorded;
mod replay;
mod served;
mod simulate;
mod snapshots;
mod sources;
mod verify;
mod why;

pub use deep::{Recomputed, Recount};
pub use finding::{Fault, Finding};
pub use head::{Head, HeadError, head};
pub use recorded::read_inputs;
pub use replay::{Depth, Outcome, Replayed, Turn, replay};
pub use served::{Served, served_at};
pub use simulate::{Judgement, Simulated, Unlike, simulate};
pub use sources::{SourceFile, Whereabouts};
pub use verify::{Verified, verify};
pub use why::{Open, Seen, Why, why};

use crate::govern::{GovernError, OffTheRoad};
use crate::promote::PromoteError;
use crate::registry::RegistryError;
use crate::snapshot::SnapshotError;
use crate::store::{KeyError, StoreError};
use crate::types::Digest;

/// Why an audit could not be finished; reads after "failed to". What it finds is no error.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal could not be read.
    #[error(transparent)]
    Govern(#[from] GovernError),
    /// A bundle could not be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What was seen could not be seen again.
    #[error(transparent)]
    Promote(#[from] PromoteError),
    /// A window's key could not be made.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A decision left the road: a defect of this program.
    #[error("decide entry {seq} again")]
    OffTheRoad {
        /// The entry.
        seq: u64,
        /// The step.
        source: OffTheRoad,
    },
    /// A value could not become JSON.
    #[error("print {what} as JSON")]
    Json {
        /// What.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A file is not what an entry names.
    #[error("trust {key}: its SHA-256 is {found}, entry {seq} names {named}; `regent verify` says what else is so")]
    Altered {
        /// The file.
        key: String,
        /// The entry.
        seq: u64,
        /// What it names.
        named: Digest,
        /// What is there.
        found: Digest,
    },
    /// A file has the bytes that an entry names, and this program cannot read them.
    #[error("read {key}")]
    Unreadable {
        /// The file.
        key: String,
        /// Why.
        source: serde_json::Error,
    },
}

impl From<KeyError> for AuditError {
    fn from(error: KeyError) -> Self {
        AuditError::Store(error.into())
    }
}
