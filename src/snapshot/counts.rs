//! Counts of a window that add up across replicas, minutes and windows; pure. Never sums, extremes or single rows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sparse;
use crate::types::Version;

/// Everything that was counted in a window. Two of them add, in any order, to the same third.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Requests whose features were counted, valid or not.
    pub counted: u64,
    /// Of these, the ones that were answered with a prediction.
    pub valid: u64,
    /// Of these, the ones whose events could not be written: no log has them (`unrecorded: count`).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unrecorded: u64,
    /// Violations by code; one request may have several.
    pub codes: BTreeMap<String, u64>,
    /// What each version saw, as champion or as shadow.
    pub versions: BTreeMap<Version, VersionCounts>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What one version saw in a window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionCounts {
    /// Rows counted under this version's bins.
    pub rows: u64,
    /// For each feature, in the contract's order, the counts of its bins as the version's profile lays them out.
    #[serde(with = "sparse::many")]
    #[schemars(with = "Vec<sparse::One>")]
    pub features: Vec<Vec<u64>>,
    /// The counts of the predictions, in the bins of the profile's score histogram.
    #[serde(with = "sparse::one")]
    #[schemars(with = "sparse::One")]
    pub prediction: Vec<u64>,
    /// The counts of latencies, in the fixed logarithmic buckets of `stats::histogram::latency`.
    #[serde(with = "sparse::one")]
    #[schemars(with = "sparse::One")]
    pub latency: Vec<u64>,
    /// Shadow requests that were dropped because the shadow could not keep up.
    pub dropped: u64,
}

impl Counts {
    /// Add what was counted elsewhere.
    pub fn add(&mut self, other: &Counts) {
        self.counted += other.counted;
        self.valid += other.valid;
        self.unrecorded += other.unrecorded;
        for (code, count) in &other.codes {
            *self.codes.entry(code.clone()).or_default() += count;
        }
        for (version, counts) in &other.versions {
            self.versions.entry(*version).or_default().add(counts);
        }
    }
}

impl VersionCounts {
    /// Add what was counted elsewhere under the same profile.
    pub fn add(&mut self, other: &VersionCounts) {
        self.rows += other.rows;
        self.dropped += other.dropped;
        if self.features.len() < other.features.len() {
            self.features.resize(other.features.len(), Vec::new());
        }
        for (mine, theirs) in self.features.iter_mut().zip(&other.features) {
            add_bins(mine, theirs);
        }
        add_bins(&mut self.prediction, &other.prediction);
        add_bins(&mut self.latency, &other.latency);
    }
}

fn add_bins(mine: &mut Vec<u64>, theirs: &[u64]) {
    if mine.len() < theirs.len() {
        mine.resize(theirs.len(), 0);
    }
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine += theirs;
    }
}
