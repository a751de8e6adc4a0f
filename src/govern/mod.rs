//! Stage 12: decides who serves, and acts on nothing.

mod cited;
mod decide;
mod evidence;
mod fall;
pub mod journal;
mod observe;
mod orders;
pub mod overrides;
mod refuse;
mod rules;
mod standing;
mod start;
mod state;
#[cfg(test)]
mod tests;
mod walk;

pub use cited::{Cited, ReportKind};
pub use decide::{Decision, Effect, believes, decide};
pub use journal::{Appended, Entry, FailedAttempt, Record, Training, fold};
pub use observe::{Bundle, Data, Judged, Observation};
pub use orders::{Conflict, Orders};
pub use overrides::{Order, Override};
pub use rules::{Mode, PromotionRules, Rules};
pub use standing::{Applied, Candidate, Champion, OffTheRoad, Standing};
pub use state::{ROAD, State, Transition};

use crate::store::StoreError;
use crate::yaml::YamlError;

/// Why governing could not tell; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum GovernError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry is not what this program reads.
    #[error("read journal entry {seq}")]
    Entry {
        /// Its number.
        seq: u64,
        /// Why.
        source: serde_json::Error,
    },
    /// An entry was written by a newer program.
    #[error("read journal entry {seq}: its form is {found}, this program knows up to 1; install a newer regent")]
    Newer {
        /// Its number.
        seq: u64,
        /// The form it has.
        found: u32,
    },
    /// An entry is missing or does not follow the one before.
    #[error("follow the journal: entry {seq} is missing, or does not name the digest of the entry before it")]
    Chain {
        /// The number that was expected.
        seq: u64,
    },
    /// An entry takes a step that the road does not have.
    #[error("fold journal entry {seq}")]
    Step {
        /// Its number.
        seq: u64,
        /// The step.
        source: OffTheRoad,
    },
    /// An override file is not an order.
    #[error("read the override {file}: {what}")]
    Override {
        /// The file.
        file: String,
        /// What is wrong and what to do.
        what: String,
    },
    /// An override file is not the YAML it should be.
    #[error("read an override")]
    Yaml(#[from] YamlError),
}
