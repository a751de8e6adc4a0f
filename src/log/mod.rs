//! Stage 6: one event per request, spooled, sealed into Parquet parts, and joined by labels later.

mod adopt;
pub(crate) mod columns;
mod event;
mod inferences;
mod labels;
mod lenient;
mod parts;
mod recorder;
mod recover;
mod rows;
mod sample;
mod segment;
mod spool;

use std::io;

pub use adopt::{Adopted, adopt};
pub use event::{Event, Label, ShadowScore, Status};
pub use inferences::{RowFault, read_inferences};
pub use labels::{LabelFault, Since, import, read_labels, read_labels_of};
pub use lenient::Lenient;
pub use parts::{PartKind, PartName, Sampled, parts_between, read_events, read_ids, read_sample, requests_of};
pub(crate) use recorder::event_elsewhere;
pub use recorder::{Recorder, Scribe};
pub use sample::Sample;
pub use spool::{Backlog, SpoolRules};

pub(crate) use parts::{
    create as create_part, format as format_note, ids_in, part as unreadable, part_key, read_rows as read_part,
    seal_events, seal_labels,
};

use crate::store::{Key, KeyError, StoreError};

/// Why the log cannot be written or read; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The spool's folder or one of its segments.
    #[error("{operation} the spool's {file}")]
    Spool {
        /// What was being done, as a verb.
        operation: &'static str,
        /// The file or folder.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// Two processes with one name would take each other's segments for a dead one's.
    #[error("open the spool of replica {replica}: another process has it; give each replica its own name")]
    ReplicaTaken {
        /// The name.
        replica: String,
    },
    /// A line that was acknowledged cannot be read; the segment is kept for a person to look at.
    #[error("read line {line} of the spool's {file}")]
    Line {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// A part of this name is there and holds other rows.
    #[error("seal {key}: a part of this name holds other rows")]
    OtherRows {
        /// The part.
        key: Key,
    },
    /// A part is not what its place says.
    #[error("read {key}: {what}")]
    Part {
        /// The part.
        key: String,
        /// What is wrong.
        what: String,
    },
    /// A file of labels breaks its rules; none was taken.
    #[error("import labels: {} of {rows} rows are invalid; first {}", .faults.len(), .faults.first().map(ToString::to_string).unwrap_or_default())]
    Labels {
        /// How many rows the file has.
        rows: u64,
        /// Every fault.
        faults: Vec<LabelFault>,
    },
    /// A file of answers of a model elsewhere breaks its rules; none was taken.
    #[error("import inferences: faults in {rows} rows: {total}; nothing was written; first {}", .faults.first().map(ToString::to_string).unwrap_or_default())]
    Inferences {
        /// How many rows were read.
        rows: u64,
        /// How many faults there are.
        total: u64,
        /// The first of them.
        faults: Vec<RowFault>,
    },
    /// A thread could not be started.
    #[error("start the spool's thread")]
    Thread(#[source] io::Error),
    /// A name does not fit a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
