//! Stage 9: reports in, one of four decisions out; pure.

mod retrain;
mod rules;
#[cfg(test)]
mod tests;

pub use retrain::{History, retrain};
pub use rules::RetrainRules;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{Check, Digest};

/// What should become of the model's training, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetrainDecision {
    /// The SHA-256 of the evidence: the same evidence never trains twice.
    pub id: Digest,
    /// One of four.
    pub action: Action,
    /// How urgent it is.
    pub priority: Priority,
    /// Whether the action starts a training now: `retrain.on`, cooldown, new rows and single flight allow it.
    pub starts: bool,
    /// Every condition that was looked at.
    pub conditions: Vec<Check>,
    /// In words.
    pub reasons: Vec<String>,
}

/// One of the four decisions, from the calmest to the most urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// Nothing to do.
    NoAction,
    /// Something is unconfirmed or could not be told.
    Monitor,
    /// A retrained model is likely to be better.
    RetrainRecommended,
    /// The model no longer does its work.
    RetrainRequired,
}

/// How urgent a decision is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// In its own time.
    Low,
    /// Soon.
    Medium,
    /// Today.
    High,
    /// Now.
    Critical,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Action::NoAction => "NO_ACTION",
            Action::Monitor => "MONITOR",
            Action::RetrainRecommended => "RETRAIN_RECOMMENDED",
            Action::RetrainRequired => "RETRAIN_REQUIRED",
        })
    }
}
