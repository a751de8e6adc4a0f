//! Stage 13: acts. Effects are idempotent; creating the journal entry is the one committing line.

mod carry_out;
mod gather;
mod joins;
mod sources;
mod tick;
mod training;
mod watch;

pub use carry_out::{Citation, Inputs, Receipt, carry_out, cites};
pub use gather::observe;
pub use sources::{Origin, Taken, note_dataset};
pub use tick::{Run, Tick, Turn, begin, run, tick};
pub use training::train;

use crate::contract::ContractError;
use crate::govern::{GovernError, OffTheRoad, Rules};
use crate::ingest::{IngestError, Sources};
use crate::log::LogError;
use crate::registry::RegistryError;
use crate::snapshot::SnapshotError;
use crate::store::{KeyError, Store, StoreError};
use crate::train::TrainError;
use crate::types::{ModelName, Timestamp};

/// One model in one workspace: all that a tick needs but the time.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Where everything is kept.
    pub store: &'a dyn Store,
    /// The model.
    pub model: &'a ModelName,
    /// Every stage's rules.
    pub rules: &'a Rules,
    /// Files of labelled rows.
    pub sources: &'a dyn Sources,
    /// A new name for a transaction at each call, unique among all governors: a ULID.
    pub txn: &'a dyn Fn() -> String,
    /// Who acts: `governor`, or a person.
    pub actor: &'a str,
}

/// Why a tick could not be finished; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal or an override could not be read.
    #[error(transparent)]
    Govern(#[from] GovernError),
    /// A decision left the road: a defect of this program, and nothing was written.
    #[error("decide: {0}")]
    OffTheRoad(#[from] OffTheRoad),
    /// A contract could not be read.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// A dataset could not be read.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A bundle could not be read or written.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Events or labels could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A window could not be sealed.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A model could not be trained.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A value could not become JSON.
    #[error("print {what} as JSON")]
    Json {
        /// What.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// Another governor won every round.
    #[error("take the turn: another governor was faster {rounds} times")]
    NotMyTurn {
        /// How often.
        rounds: u32,
    },
    /// The clock is further ahead of the newest entry than the rules believe.
    #[error("begin a training of {model}: the clock says {now}, which is too far after the newest entry{}; mend it, or drop a `clock` override", last.map(|last| format!(" ({last})")).unwrap_or_default())]
    Clock {
        /// The model.
        model: ModelName,
        /// What the clock says.
        now: Timestamp,
        /// When the newest entry was decided.
        last: Option<Timestamp>,
    },
    /// There is nothing to train on.
    #[error("train {model}: {what}")]
    NothingToTrain {
        /// The model.
        model: ModelName,
        /// What is missing and what to type.
        what: String,
    },
}

impl From<KeyError> for PromoteError {
    fn from(error: KeyError) -> Self {
        PromoteError::Store(error.into())
    }
}
