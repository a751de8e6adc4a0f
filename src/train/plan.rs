//! What is to be trained, pinned so that whoever trains gets the same bytes; pure.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::rules::TrainRules;
use crate::contract::{Contract, Registered};
use crate::ingest::ContractRef;
use crate::types::{Digest, ModelName, Version, canonical_json};

/// The newest form of a plan. 1: first form.
const FORMAT_VERSION: u32 = 1;
/// This program and its version. Another one may train other bytes or decide otherwise, so plans and journal entries name it.
pub const ENGINE: &str = concat!("regent ", env!("CARGO_PKG_VERSION"));

/// Everything a training depends on: the TRAINING journal entry pins it. The bundle's `created_at` is the entry's `at`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// Baseline or candidate.
    pub path: Path,
    /// The version that the bundle will have.
    pub version: Version,
    /// The registered contract.
    pub contract: ContractRef,
    /// The frozen datasets, in the order in which their rows follow each other.
    pub datasets: Vec<Digest>,
    /// The seed of all draws.
    pub seed: u64,
    /// How to train, every default resolved.
    pub rules: TrainRules,
    /// The program that is to train.
    pub engine: String,
    /// 1 for the first attempt.
    pub attempt: u32,
}

/// The two ways to train, never mixed, and the one to watch what others have trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Path {
    /// The first model of a lineage: learns from all rows; what later models are held against.
    Baseline,
    /// A later model: learns from as much of the newest rows as helps.
    Candidate,
    /// A model that answers elsewhere: nothing is fitted, and rows with its answers show what it is held against.
    MonitorOnly,
}

impl Plan {
    /// A first attempt by this program, with the rules' seed.
    pub fn new(
        model: ModelName,
        path: Path,
        version: Version,
        registered: &Registered,
        datasets: Vec<Digest>,
        rules: &TrainRules,
    ) -> Plan {
        Plan {
            format_version: FORMAT_VERSION,
            model,
            path,
            version,
            contract: ContractRef { version: registered.contract.version(), sha256: registered.sha256 },
            datasets,
            seed: rules.seed,
            rules: rules.clone(),
            engine: ENGINE.to_owned(),
            attempt: 1,
        }
    }

    /// The plan's canonical JSON.
    ///
    /// # Errors
    /// `Json` for a rule that is not a finite number.
    pub fn canonical(&self) -> Result<Vec<u8>, TrainError> {
        canonical_json(self).map_err(|source| TrainError::Json { what: "a plan", source })
    }

    /// The SHA-256 of the plan's canonical JSON.
    ///
    /// # Errors
    /// As [`Plan::canonical`].
    pub fn digest(&self) -> Result<Digest, TrainError> {
        self.canonical().map(Digest::of)
    }

    /// Whether this program can carry the plan out under this contract.
    pub(super) fn check(&self, contract: &Contract) -> Result<(), TrainError> {
        if self.format_version > FORMAT_VERSION {
            return Err(TrainError::NewerPlan { found: self.format_version, known: FORMAT_VERSION });
        }
        if self.engine != ENGINE {
            return Err(TrainError::Engine { pinned: self.engine.clone(), here: ENGINE });
        }
        if contract.name() != &self.model || contract.version() != self.contract.version {
            return Err(TrainError::WrongContract {
                planned_model: self.model.clone(),
                planned: self.contract.version,
                model: contract.name().clone(),
                given: contract.version(),
            });
        }
        match self.rules.faults().into_iter().next() {
            Some((key, what)) => Err(TrainError::Rules { key, what }),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Path::Baseline => "baseline",
            Path::Candidate => "candidate",
            Path::MonitorOnly => "monitor-only",
        })
    }
}
