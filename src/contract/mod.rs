//! Stage 2: the declared feature contract, the one encoder, and what features looked like at training.

mod admit;
mod check;
mod diff;
mod encode;
mod feature;
mod infer;
mod profile;
mod register;
#[cfg(test)]
mod shipped;

use std::fmt;

pub use admit::{Admission, Code, FeatureVector, Given, Refusal, Slot, Taken, Violation, admit, admit_again};
pub use diff::{Change, Diff, diff};
pub use encode::{Encoded, Said, Slice, encode, encode_said, encode_target};
pub use feature::{Contract, ContractFault, Feature, FeatureKind, Forbidden, RawContract, RawFeature, RawTarget, Task};
pub use infer::infer_contract;
pub use profile::{Bins, Histogram, Outside, Profile};
pub use register::{Proposal, Registered, latest, load_registered, propose, register, registered};

use crate::store::{Key, StoreError};
use crate::types::{Digest, NotComputable, Version};
use crate::yaml::YamlError;

/// Why a contract was not taken, or rows and files do not keep it; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The contract contradicts itself or its schema.
    #[error("accept the contract: {}", lines(.0))]
    Faults(Vec<ContractFault>),
    /// The version is not the one that the changes demand.
    #[error("register version {given}: {why}: use {wanted}")]
    WrongVersion {
        /// The version as written.
        given: Version,
        /// The version it must be.
        wanted: Version,
        /// The change that demands it.
        why: String,
    },
    /// No contract of this model is registered.
    #[error("find a contract of `{model}`: none is registered; run `regent contract register {model}`")]
    Unregistered {
        /// The model.
        model: String,
    },
    /// A registered file is not what its name says.
    #[error("trust {key}: {what}")]
    Misfiled {
        /// The object.
        key: Key,
        /// What does not fit.
        what: String,
    },
    /// A row of a dataset does not keep the contract; it was frozen under another.
    #[error("encode row {row}: {}", lines(.violations))]
    Refused {
        /// The row, from 0.
        row: usize,
        /// Every violation.
        violations: Vec<Violation>,
    },
    /// The dataset lacks a column of the contract.
    #[error("encode rows: they have no column `{0}`")]
    NoColumn(String),
    /// A histogram could not be made.
    #[error("profile `{name}`: {source}")]
    Profile {
        /// The feature, or `score`.
        name: String,
        /// Why.
        source: NotComputable,
    },
    /// A profile does not fit its contract or itself.
    #[error("accept the profile of `{name}`: {what}")]
    BrokenProfile {
        /// The feature, `score`, or `profile`.
        name: String,
        /// What does not fit.
        what: String,
    },
    /// Somebody registered other content under this version at the same moment.
    #[error("register {key}: it was created meanwhile with other content (SHA-256 {found})")]
    Raced {
        /// The object.
        key: Key,
        /// What is there.
        found: Digest,
    },
    /// The store refused or could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A contract could not be printed or read.
    #[error("read a contract")]
    Yaml(#[from] YamlError),
}

/// One to a line, where there are several.
fn lines<T: fmt::Display>(all: &[T]) -> String {
    let all: Vec<String> = all.iter().map(T::to_string).collect();
    all.join("\n  ")
}
