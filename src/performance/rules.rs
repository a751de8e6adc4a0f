//! When a window is mature and when a model has lost: rules with their defaults; pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Task;
use crate::train::RANKED;
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
    /// Absolute floors by metric: `auc: 0.7`. Of errors it is the ceiling: `mae: 12`.
    pub floors: BTreeMap<String, f64>,
    /// Which of several labels of a request counts, if they contradict one another.
    pub conflicting: Conflicting,
    /// Above so many requests in a window a sample of them is joined with its labels: a half, a quarter, an eighth …
    pub sample_above: u64,
    /// What becomes of a declared slice that has lost.
    pub slices: Slices,
}

/// Which of several labels of a request counts, if they contradict one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Conflicting {
    /// The one that was known first.
    First,
    /// The one that was known last.
    Last,
}

/// What becomes of a declared slice that has lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Slices {
    /// It is shown.
    Show,
    /// Its window has lost.
    Judge,
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
    /// - `conflicting` first: what was looked at is then never rewritten.
    /// - `sample_above` a million: AUC is then known to 0.001, a twentieth of `margin`, and more rows change no verdict.
    /// - `slices` show: what is good for all is not to be retrained for a part unless its owner says so.
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
            conflicting: Conflicting::First,
            sample_above: 1_000_000,
            slices: Slices::Show,
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
        if self.sample_above / 2 < self.min_rows {
            let what = format!("{}: half of it is less than `min_rows` {}", self.sample_above, self.min_rows);
            faults.push(("sample_above", what));
        }
        for (metric, floor) in &self.floors {
            if !RANKED.iter().any(|(known, ..)| known == metric) {
                let (binary, regression) = (ranked(Task::Binary), ranked(Task::Regression));
                let known = format!("write {binary}, or for a regression {regression}");
                faults.push(("floors", format!("no metric is called `{metric}`: {known}")));
            } else if !floor.is_finite() {
                faults.push(("floors", format!("the floor of `{metric}` is not a number")));
            }
        }
        faults
    }

    /// What does not suit a model's task: (key, what to write).
    pub fn misfits(&self, task: Task) -> Vec<(&'static str, String)> {
        let suits = |metric: &&String| RANKED.iter().any(|(known, of, _)| known == metric && *of == task);
        let others = self.floors.keys().filter(|metric| !suits(metric));
        others.map(|metric| ("floors", format!("this model has no `{metric}`: write {}", ranked(task)))).collect()
    }
}

/// The metrics of a task that may have a floor, as a list.
fn ranked(task: Task) -> String {
    let names: Vec<&str> = RANKED.iter().filter(|(_, of, _)| *of == task).map(|(metric, ..)| *metric).collect();
    names.join(", ")
}

impl Default for PerformanceRules {
    fn default() -> Self {
        PerformanceRules::defaults()
    }
}
