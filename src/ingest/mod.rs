//! Stage 1: strict rows in, or every violation named.

pub mod blocks;

mod check;
mod columnar;
mod dataset;
mod domain;
mod frame;
mod freeze;
mod infer;
mod reader;
mod record;
mod rejection;
mod rows;
mod schema;
mod sources;

use std::io;
use std::path::PathBuf;

use parquet::errors::ParquetError;

pub use check::{Summary, read_rows};
pub use dataset::{
    ContractRef, Dataset, DatasetMeta, FEATURES, SEAL, SourceRef, TimeRange, dataset_key, datasets, datasets_key,
};
pub use domain::{Cell, ColumnType, Domain, Range, Rule, is_missing};
pub use frame::{Frame, FrameColumn, Values};
pub use freeze::{Frozen, Intake, freeze};
pub use infer::infer_schema;
pub use reader::{Globs, ScratchFile, Source, open, open_table, scratch_in};
pub use rejection::{IngestViolation, Rejection};
pub use rows::Rows;
pub use schema::{Column, RawColumn, RawSchema, Schema, SchemaFault};
pub use sources::{NoSources, Scratch, Sources};

use crate::store::{Key, StoreError};
use crate::types::Digest;
use crate::yaml::YamlError;

/// Why rows did not become a dataset, or a dataset did not become rows; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The rows break the rules; nothing was written.
    #[error("take {0}")]
    Rejected(Box<Rejection>),
    /// The file could not be opened or read.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A pattern of `sources:` is not a glob, or leads to a folder that cannot be read.
    #[error("use `{pattern}` of `sources:`: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why not.
        why: String,
    },
    /// The unfinished dataset could not be kept while it was written.
    #[error("use scratch space")]
    Scratch(#[source] io::Error),
    /// Parquet bytes could not be made or read.
    #[error("{operation} Parquet")]
    Parquet {
        /// `write` or `read`.
        operation: &'static str,
        /// Why.
        source: ParquetError,
    },
    /// The store refused or could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// `dataset.yaml` could not be printed or read.
    #[error("read the description of a dataset")]
    Yaml(#[from] YamlError),
    /// Stored bytes are not the ones that were sealed.
    #[error("trust {key}: its SHA-256 is {found}, sealed was {sealed}")]
    Tampered {
        /// The object.
        key: Key,
        /// What was sealed.
        sealed: Digest,
        /// What is there.
        found: Digest,
    },
    /// The object is of a newer Regent.
    #[error("read {key}: its format_version is {found}, this Regent knows up to {known}")]
    Newer {
        /// The object.
        key: Key,
        /// Its format.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// A sealed object does not hold what its description says.
    #[error("use dataset {dataset}: {what}")]
    Inconsistent {
        /// The dataset.
        dataset: Digest,
        /// What does not fit.
        what: String,
    },
}
