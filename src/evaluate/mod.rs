//! Stage 10: champion and candidate, and later champion and predecessor, head to head on identical rows that neither was
//! trained on.

mod compare;
mod paired;
mod rules;
#[cfg(test)]
mod tests;
mod watch;

pub use compare::{Contender, Rows, compare, prior};
pub use paired::{Answers, Paired};
pub use rules::{EvaluateRules, RollbackRules};
pub use watch::{Watch, Watched, watch};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{Check, Digest, ModelName, Verdict, Version};

/// A head-to-head comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The candidate.
    pub candidate: Version,
    /// The digest of the candidate's manifest.
    pub candidate_bundle: Digest,
    /// What it was compared with.
    pub against: Opponent,
    /// The datasets whose newest rows were scored, by digest.
    pub datasets: Vec<Digest>,
    /// How many rows both scored.
    pub rows: u64,
    /// Every metric's difference against its margin, calibration, stability, slices.
    pub checks: Vec<Check>,
    /// What is shown and fails nothing.
    pub shown: Vec<Check>,
    /// The worst of the checks.
    pub verdict: Verdict,
}

/// What a candidate is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Opponent {
    /// The serving champion.
    Champion {
        /// Its version.
        version: Version,
        /// The digest of its manifest.
        bundle: Digest,
    },
    /// The prior (binary) or the median (regression): the candidate is the first of its lineage.
    FirstOfLineage,
}
