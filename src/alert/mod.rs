//! What a person must know: fired once, reminded of, acknowledged, resolved, and brought to those who asked for it.
//!
//! An alert's life is a row of notices, each created once under the next number of its model and type: of two governors that
//! see the same, one creates it. Whom a notice is for is written into it as it is created, so that nothing is lost between
//! firing and delivery: what is not delivered yet is what has no record of a delivery.

pub mod deliver;
mod derive;
mod late;
mod letters;
mod life;
mod message;
mod notice;
mod outbox;
mod record;
mod routes;

pub use derive::{could_not, derive};
pub use late::{Lateness, came_late, lateness};
pub use letters::{Outcome, letters};
pub use life::{Acknowledged, Alert, State};
pub use message::Message;
pub use notice::{AlertId, Event, Finding, Findings, Kind, Level, Notice, Seen};
pub use outbox::{Letter, Overdue, back_off, overdue};
pub use record::{acknowledge, active, history, raise};
pub use routes::{Address, AlertRules, Channel, Email, Log, PagerDuty, Route, Secret, Slack, Tls, Webhook};

use crate::store::{Key, KeyError, StoreError};
use crate::types::Timestamp;

/// Why an alert could not be kept or told; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored record is not what this program reads.
    #[error("read {key}")]
    Read {
        /// The record.
        key: Key,
        /// Why.
        source: serde_json::Error,
    },
    /// A stored record was written by a newer program.
    #[error("read {key}: its form is {found}, this program knows up to 1; install a newer regent")]
    Newer {
        /// The record.
        key: Key,
        /// The form it has.
        found: u32,
    },
    /// A record could not become JSON.
    #[error("print {key} as JSON")]
    Print {
        /// The record.
        key: Key,
        /// Why.
        source: serde_json::Error,
    },
    /// Others were always faster.
    #[error("write the next notice of {id}: others were faster {rounds} times")]
    Crowded {
        /// Whose notice.
        id: AlertId,
        /// How often.
        rounds: u32,
    },
    /// A word is not an alert's name.
    #[error("take `{given}` for an alert: write MODEL/TYPE, as `regent alert list` shows it")]
    NotAnId {
        /// The word as it was given.
        given: String,
    },
    /// There is nothing to acknowledge.
    #[error("acknowledge {id}: no such alert stands")]
    NotStanding {
        /// The alert.
        id: AlertId,
    },
    /// Somebody did it already.
    #[error("acknowledge {id}: {by} did so at {at}")]
    AcknowledgedAlready {
        /// The alert.
        id: AlertId,
        /// Who did.
        by: String,
        /// When.
        at: Timestamp,
    },
}

impl From<KeyError> for AlertError {
    fn from(error: KeyError) -> Self {
        AlertError::Store(error.into())
    }
}
