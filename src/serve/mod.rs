//! Stage 5: answers under a strict contract, through two doors. It is told who is champion and hands on what it saw.

mod allowance;
mod api;
mod cells;
mod champion;
mod file;
mod guard;
mod http;
mod inference;
mod keys;
mod limits;
mod meter;
mod models;
mod predictor;
mod problem;
mod request;
mod seams;
mod tally;
mod tiny;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;

pub(crate) use api::answers;
pub use api::{Answering, Front, Routes, Row, finish, guarded, routes, unwired};
pub(crate) use cells::{Column, spelled};
pub use champion::{Decided, Follower, Named};
pub use file::{Form, Page, Pages, RowsFile, Said};
pub use guard::{Access, Callers, Guard, Hosts};
pub use http::{HttpDoor, SystemClock};
pub use inference::{Inference, Sent, When, inference};
pub use keys::{Bearer, HeldKey, KeyRecord, KeyState, Keys, LIVE_KEYS, Mistyped, OVERLAP, Ring, Scope, Secret, Why};
pub use limits::{Bodies, Limits};
pub use meter::{Meter, Role};
pub use models::Models;
pub use predictor::{Answer, Predictor, slices, truth};
pub use problem::Problem;
pub(crate) use request::{MOST_INFERENCES, MOST_ROWS, ToldInference, datatype, parse_id};
pub use seams::{
    Acknowledged, Answered, Champion, Clock, Counter, Current, EventSink, Inferred, LabelSink, Labelled, Mirror,
    Missed, NoMirror, Outcomes, Recorded, Seen, Serving, ShadowJob, Shadowed, SinkError, Truth, Watched, Wiring,
    acknowledged,
};
pub use tally::{Bars, Metered, Tally};
pub use tiny::TinyDoor;

use crate::registry::RegistryError;

/// Why serving cannot begin, go on or change; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address may be reached from outside, and nothing would ask callers who they are.
    #[error("listen on {address}: {reason}")]
    NotLoopback {
        /// The address asked for.
        address: String,
        /// Why this door refuses it.
        reason: &'static str,
    },
    /// The address cannot be had.
    #[error("listen on {address}")]
    Bind {
        /// The address asked for.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// A version could not be loaded; what served before goes on serving.
    #[error("load the {role}")]
    Load {
        /// `champion` or `candidate`.
        role: &'static str,
        /// Why.
        source: Box<RegistryError>,
    },
    /// A file of rows cannot be answered; in words, without any value.
    #[error("answer the file: {what}")]
    Rows {
        /// What is wrong with it.
        what: String,
    },
    /// A model's arithmetic left the numbers.
    #[error("answer a row: the model gave a number that is not finite")]
    NotFinite,
    /// The answers to a file cannot be written.
    #[error("write the answers")]
    Write(#[source] io::Error),
    /// A file of a key cannot be read or written.
    #[error("{verb} {}", path.display())]
    KeyFile {
        /// What was being done.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file of a key is no longer its owner's alone: whoever may write there lets callers in.
    #[error("trust {}: it is no file of its owner alone (mode {mode:03o}); look at it, then `chmod 600` it", path.display())]
    KeyExposed {
        /// The file.
        path: PathBuf,
        /// Who may do what with it.
        mode: u32,
    },
    /// A file of a key is not what Regent writes.
    #[error("read {}: {why}", path.display())]
    KeyUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A thread could not be started.
    #[error("start a thread for the door")]
    Thread(#[source] io::Error),
}
