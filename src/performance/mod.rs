//! Has the model become worse? Predictions joined with the labels that came later, judged only when mature.

mod collapse;
mod confirm;
mod estimate;
mod join;
mod judge;
mod residuals;
mod rules;
#[cfg(test)]
mod tests;
mod trust;

pub use collapse::collapse;
pub use confirm::confirm;
pub use estimate::{ASSUMES, EstimateReport, Estimated, ScoreBins, estimate, foreseen};
pub use join::{Joined, join};
pub use judge::{Judged, catastrophic, judge};
pub use residuals::{Promised, Residuals};
pub use rules::PerformanceRules;
pub use trust::{Known, Part, Trust, trust};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::snapshot::Window;
use crate::train::Metric;
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
    /// What came true.
    pub label: f64,
    /// When that became known.
    pub known_at: Timestamp,
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
    /// Labelled share and age: is the window mature?
    pub maturity: Vec<Check>,
    /// Every metric of the task, with n and interval.
    pub metrics: Vec<Metric>,
    /// Against the baseline copied into the PROMOTED entry, and against absolute floors.
    pub checks: Vec<Check>,
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
    /// `Fail` if a mature window is below baseline or a floor, `Pass` if it is mature and holds, else `Insufficient`.
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
}
