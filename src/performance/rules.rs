//! When a window is mature and when a model has lost: rules with their defaults; pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Task;
use crate::types::Span;

/// `performance:` of `policy.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PerformanceRules {
    /// A window is mature when this share of its predictions has a label …
    pub coverage: f64,
    /// … on at least so many rows …
    pub min_rows: u64,
    /// … and at least this time has passed since its end.
    pub age: Span,
    /// For how long after its end labels of a window are waited for.
    pub wait: Span,
    /// AUC and F1 may be below the baseline by this much, beyond their interval.
    pub margin: f64,
    /// Log loss, Brier, MAE and RMSE may be above the baseline by this share, beyond their interval.
    pub relative_margin: f64,
    /// A loss is catastrophic when AUC is below the baseline by this much (regression: R² by twice as much), beyond its interval.
    pub catastrophic: f64,
    /// So many of the last `of` mature windows must have lost.
    pub confirm: u64,
    /// Over how many mature windows a loss is confirmed.
    pub of: u64,
    /// Absolute floors by metric: `auc: 0.7`.
    pub floors: BTreeMap<String, f64>,
}

impl PerformanceRules {
    /// - `coverage` 0.8, `min_rows` 100: late labels are rarely a random sample; with four in five here, what is missing
    ///   cannot turn the judgement.
    /// - `age` none: a window whose labels are there is as mature as it gets.
    /// - `wait` 30 days: the longest label delay most teams plan for.
    /// - `margin` 0.02 and `relative_margin` 0.1, both beyond the interval: smaller losses cost less than a change.
    /// - `catastrophic` 0.15: half the way from a useful model (0.8) to a coin.
    /// - `confirm` 2 of 3: as for drift.
    /// - no floors: only the owner knows what is too bad to serve.
    pub fn defaults() -> PerformanceRules {
        PerformanceRules {
            coverage: 0.8,
            min_rows: 100,
            age: Span::ZERO,
            wait: Span::from_days(30),
            margin: 0.02,
            relative_margin: 0.1,
            catastrophic: 0.15,
            confirm: 2,
            of: 3,
            floors: BTreeMap::new(),
        }
    }

    /// The drop of AUC, or of R², from which on a loss is catastrophic.
    pub fn drop(&self, task: Task) -> f64 {
        match task {
            Task::Binary => self.catastrophic,
            Task::Regression => 2.0 * self.catastrophic,
        }
    }

    /// What contradicts itself: (key, what to write).
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if !(self.coverage > 0.0 && self.coverage <= 1.0) {
            faults.push(("coverage", format!("{} is not a share above 0", self.coverage)));
        }
        let margins =
            [("margin", self.margin), ("relative_margin", self.relative_margin), ("catastrophic", self.catastrophic)];
        for (key, margin) in margins {
            if !(margin.is_finite() && margin >= 0.0) {
                faults.push((key, format!("{margin} is not 0 or above")));
            }
        }
        if self.catastrophic <= self.margin {
            let what = format!("{} is not above `margin` {}", self.catastrophic, self.margin);
            faults.push(("catastrophic", what));
        }
        if self.confirm == 0 || self.confirm > self.of {
            faults.push(("confirm", format!("{} of {} cannot be confirmed", self.confirm, self.of)));
        }
        if self.min_rows == 0 {
            faults.push(("min_rows", "0 would judge nothing: write at least 1".to_owned()));
        }
        if let Some((metric, _)) = self.floors.iter().find(|(_, floor)| !floor.is_finite()) {
            faults.push(("floors", format!("the floor of `{metric}` is not a number")));
        }
        faults
    }
}

impl Default for PerformanceRules {
    fn default() -> Self {
        PerformanceRules::defaults()
    }
}
