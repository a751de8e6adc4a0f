//! Has the model become worse? Predictions joined with the labels that came later, judged only when mature.

mod collapse;
mod confirm;
mod estimate;
mod intake;
mod join;
mod judge;
mod residuals;
mod rules;
mod slices;
#[cfg(test)]
mod tests;
mod trust;

pub use collapse::collapse;
pub use confirm::{confirm, confirmed};
pub use estimate::{ASSUMES, EstimateReport, Estimated, ScoreBins, estimate, foreseen};
pub use intake::{Arrivals, LabelIntake};
pub use join::{Joined, join};
pub use judge::{Judged, catastrophic, judge};
pub use residuals::{Promised, Residuals};
pub use rules::{Conflicting, PerformanceRules, Slices};
pub use slices::SlicePerformance;
pub use trust::{Known, Part, Trust, trust};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::snapshot::Window;
use crate::train::{Metric, SliceMetrics};
use crate::types::{Check, Digest, Measurement, ModelName, Timestamp, Verdict, Version};

/// A prediction and what came true of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The request.
    pub request_id: Uuid,
    /// When it was answered.
    pub ts: Timestamp,
    /// The version that answered.
    pub version: Version,
    /// What it answered.
    pub prediction: f64,
    /// What the candidate would have answered, if it saw the request.
    pub shadow: Option<(Version, f64)>,
    /// What came true, by the label that counts.
    pub label: f64,
    /// What its first label said: a judgement that must hold at every look rests on this one, because what was looked at is not
    /// to be rewritten.
    pub first_label: f64,
    /// When that became known.
    pub known_at: Timestamp,
    /// The values of the contract's declared slices.
    pub slices: BTreeMap<String, String>,
}

/// What became of the labels of a window's requests. Each is one of `used`, `duplicate`, `conflicting`, `early` and `refused`, and
/// they add up to `received`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelCounts {
    /// All of them.
    pub received: u64,
    /// Joined with their answers, one a request.
    pub used: u64,
    /// Others that say the same.
    pub duplicate: u64,
    /// Others that say otherwise: `performance.conflicting` chose between them.
    pub conflicting: u64,
    /// Known before their request was answered, beyond what clocks explain: left out.
    pub early: u64,
    /// Of requests that were refused: there is no answer to join.
    pub refused: u64,
    /// Of the used ones, known only after the window was sealed: joined all the same.
    pub late: u64,
}

/// What one window says of the performance of the version that served in it.
///
/// A fuller join of the same window is a new report with more `labelled` rows or more `late` events; none is rewritten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerformanceReport {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The version that answered.
    pub version: Version,
    /// The digest of that version's manifest.
    pub bundle: Digest,
    /// The window judged.
    pub window: Window,
    /// Events that arrived after the window was sealed: its snapshot stays as it is, and their labels join here all the same.
    pub late: u64,
    /// Valid requests that this version answered.
    pub predictions: u64,
    /// Of these, the ones whose label has arrived.
    pub labelled: u64,
    /// The share of requests that was joined with labels: 1, or less above `performance.sample_above`. All that is counted here
    /// but `late` is counted within the sample.
    pub sampled_share: f64,
    /// What became of the labels of the window's requests, whichever version answered.
    pub labels: LabelCounts,
    /// Labelled share and age: is the window mature?
    pub maturity: Vec<Check>,
    /// Every metric of the task, with n and interval.
    pub metrics: Vec<Metric>,
    /// Against the baseline copied into the PROMOTED entry.
    pub checks: Vec<Check>,
    /// Against absolute floors.
    pub floors: Vec<Check>,
    /// Every value of every declared slice, and whether it is worse than it was promoted with.
    pub slices: Vec<SlicePerformance>,
    /// Against the line below which a loss is catastrophic.
    pub catastrophic: Check,
    /// The evidence that it is below that line, as an e-value: it is 1,000 in one of 1,000 windows at most that are not,
    /// however often they are looked at while labels come in. Not computable for regression.
    pub collapse: Measurement,
    /// Regression: how errors lie beside those on the calibration rows. Shown and alerted; no other verdict rests on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residuals: Option<Residuals>,
    /// How each was computed, and how its interval, by the metric's name.
    pub methods: BTreeMap<String, String>,
    /// `Fail` if a mature window is below baseline or a floor, or a slice has lost that is judged, `Pass` if it is mature and holds, else `Insufficient`.
    pub verdict: Verdict,
}

impl PerformanceReport {
    /// Whether a regression's errors are not what they were; `Insufficient` for a probability.
    pub fn errors_moved(&self) -> Verdict {
        self.residuals.as_ref().map_or(Verdict::Insufficient, Residuals::moved)
    }
}

/// Performance over the last mature windows: what policy and rollback look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfirmedLoss {
    /// Bad windows against k of m.
    pub check: Check,
    /// The start of the unbroken run of bad windows that ends with the newest mature one; of catastrophic ones, if that is
    /// one.
    pub onset: Option<Timestamp>,
    /// The end of the newest mature window.
    pub matured_until: Option<Timestamp>,
    /// Whether the newest mature window is catastrophic: `Fail` if it is.
    pub catastrophic: Verdict,
    /// `Fail` if the loss is confirmed or catastrophic, `Pass` if it is not, else `Insufficient`.
    pub verdict: Verdict,
}

/// The metrics that a version is held against: copied from its bundle into the PROMOTED entry, never rolling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// The version.
    pub version: Version,
    /// Its held-out metrics.
    pub metrics: Vec<Metric>,
    /// The threshold at which F1 and accuracy are monitored; none for regression.
    pub threshold: Option<f64>,
    /// The same metrics within each value of each declared slice.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slices: SliceMetrics,
}
