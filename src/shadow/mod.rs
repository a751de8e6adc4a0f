//! Stage 11: champion and candidate side by side on live traffic; the user never waits for it.

mod judge;
mod mirror;
mod rules;
#[cfg(test)]
mod tests;

pub use judge::{Trial, judge};
pub use mirror::{InlineMirror, Manners, QueuedMirror, Scoring};
pub use rules::ShadowRules;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{Check, Digest, ModelName, Timestamp, Verdict, Version};

/// What live traffic says of a candidate so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowReport {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The champion at the time.
    pub champion: Version,
    /// The candidate.
    pub candidate: Version,
    /// The digest of the candidate's manifest.
    pub candidate_bundle: Digest,
    /// When the candidate began to shadow.
    pub since: Timestamp,
    /// The end of the last judged window looked at.
    pub until: Timestamp,
    /// The share of requests that was looked at: 1, or less where there are very many. All that is counted is counted within it.
    pub sampled_share: f64,
    /// Requests that both scored.
    pub pairs: u64,
    /// Of these, the ones whose label has arrived.
    pub labelled_pairs: u64,
    /// Minimum pairs, windows and age; unmatched share, latency ratio; the paired loss difference.
    pub checks: Vec<Check>,
    /// What is shown and fails nothing: disagreement, score shift.
    pub shown: Vec<Check>,
    /// The worst of the checks.
    pub verdict: Verdict,
}
