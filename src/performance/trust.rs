//! One number for how far a model may be trusted now, and the five it is made of; pure. A part that cannot be computed leaves the
//! whole without a number: what is not known is never good.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PerformanceReport, ScoreBins};
use crate::contract::Task;
use crate::drift::{DriftReport, DriftRules};
use crate::registry::Verified;
use crate::snapshot::{Snapshot, Window};
use crate::stats::histogram::latency;
use crate::types::{Measurement, ModelName, NotComputable, Value, Verdict, Version};

/// An answer at the 95 % quantile that is as quick as this has the whole of its part: a page of ten such calls in a row is there
/// within a second.
const QUICK_US: f64 = 100_000.0;

/// How far a model may be trusted, from 0 to 1: Σ weight · part over the five parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trust {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The version that serves.
    pub version: Version,
    /// The score, or which parts it cannot be computed without.
    pub score: Value,
    /// What it is at least, had every part that is not known the value 0.
    pub at_least: f64,
    /// What it is at most, had every part that is not known the value 1.
    pub at_most: f64,
    /// What it is made of, the weightiest first.
    pub parts: Vec<Part>,
}

/// One part of the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// `accuracy`, `f1`, `drift`, `confidence` or `latency`; the value is from 0 to 1.
    #[serde(flatten)]
    pub measurement: Measurement,
    /// Its weight; all five add up to 1.
    pub weight: f64,
    /// What stands behind it, in words.
    pub method: String,
    /// The window it is of, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// What a score is made from: the newest of each.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The version that serves.
    pub model: &'a Verified,
    /// Its newest mature window.
    pub performance: Option<&'a PerformanceReport>,
    /// Its newest window that was held against its profile.
    pub drift: Option<&'a DriftReport>,
    /// The newest sealed window.
    pub snapshot: Option<&'a Snapshot>,
}

/// The score of a version from what is known of it.
///
/// | part | weight | a probability | a regression |
/// |---|---|---|---|
/// | `accuracy` | 0.30 | accuracy at the monitored threshold | R², not below 0 |
/// | `f1` | 0.25 | F1 at that threshold | share of targets in their interval / promised share, not above 1 |
/// | `drift` | 0.20 | 1 - weighted PSI / `drift.severe`, not below 0 | the same |
/// | `confidence` | 0.15 | 2 · mean of max(p, 1 - p) - 1 | R² on the rows of training, not below 0 |
/// | `latency` | 0.10 | 100 ms / the 95 % quantile, not above 1 | the same |
pub fn trust(known: Known<'_>, rules: &DriftRules) -> Trust {
    let parts = vec![accuracy(known), f1(known), drift(known, rules), confidence(known), quickness(known)];
    let value = |part: &Part| part.measurement.value.number();
    let at_least: f64 = parts.iter().map(|part| part.weight * value(part).unwrap_or(0.0)).sum();
    let at_most: f64 = parts.iter().map(|part| part.weight * value(part).unwrap_or(1.0)).sum();
    let missing: Vec<String> = parts
        .iter()
        .filter(|part| value(part).is_none())
        .map(|part| format!("{} ({} of the score): {}", part.measurement.metric, part.weight, part.measurement.value))
        .collect();
    let score = match missing.is_empty() {
        true => Value::from(at_least),
        false => Value::NotComputable(NotComputable::because(missing.join("; "))),
    };
    let (model, version) = (known.model.name().clone(), known.model.version());
    Trust { format_version: 1, model, version, score, at_least, at_most, parts }
}

type Told = Result<(f64, u64), NotComputable>;

fn part(name: &str, weight: f64, told: Told, method: &str, window: Option<Window>) -> Part {
    let n = told.as_ref().map_or(0, |(_, n)| *n);
    let value = told.map(|(value, _)| value.clamp(0.0, 1.0));
    Part { measurement: Measurement::new(name, value, n), weight, method: method.to_owned(), window }
}

/// A metric of the newest mature window.
fn matured(known: Known<'_>, metric: &str) -> Told {
    let report = known.performance.ok_or_else(|| NotComputable::because("no window is mature"))?;
    let found = report.metrics.iter().find(|found| found.measurement.metric == metric);
    let found = found.ok_or_else(|| NotComputable::because(format!("no {metric} is measured")))?;
    number(&found.measurement)
}

fn number(measured: &Measurement) -> Told {
    match &measured.value {
        Value::Number(value) => Ok((*value, measured.n)),
        Value::NotComputable(why) => Err(why.clone()),
    }
}

fn accuracy(known: Known<'_>) -> Part {
    let (metric, method) = match known.model.contract().task() {
        Task::Binary => ("accuracy", "accuracy at the monitored threshold, of the newest mature window"),
        Task::Regression => ("r2", "in its place R², not below 0, of the newest mature window"),
    };
    part("accuracy", 0.30, matured(known, metric), method, known.performance.map(|report| report.window))
}

fn f1(known: Known<'_>) -> Part {
    let window = known.performance.map(|report| report.window);
    match known.model.model().and_then(super::Promised::by) {
        None => {
            part("f1", 0.25, matured(known, "f1"), "F1 at the monitored threshold, of the newest mature window", window)
        }
        Some(promised) => {
            let kept = matured(known, "coverage").map(|(share, n)| (share / promised.level, n));
            let method = "in its place the share of targets in their interval over the promised share, not above 1, of the newest mature window";
            part("f1", 0.25, kept, method, window)
        }
    }
}

fn drift(known: Known<'_>, rules: &DriftRules) -> Part {
    let told = match known.drift {
        None => Err(NotComputable::because("no window was compared")),
        Some(report) if report.weighted_psi.verdict == Verdict::Insufficient => {
            Err(NotComputable::because(report.weighted_psi.note.clone()))
        }
        Some(report) => number(&report.weighted_psi.measurement).map(|(psi, n)| (1.0 - psi / rules.severe, n)),
    };
    let method = "1 - weighted PSI / drift.severe, of the newest window that was compared";
    part("drift", 0.20, told, method, known.drift.map(|report| report.window))
}

fn confidence(known: Known<'_>) -> Part {
    if known.model.contract().task() == Task::Regression {
        let held_out = known.model.metrics().iter().find(|metric| metric.measurement.metric == "r2");
        let told = held_out.map_or_else(|| Err(NotComputable::because("no R²")), |metric| number(&metric.measurement));
        return part("confidence", 0.15, told, "in its place R² on the held-out rows of training, not below 0", None);
    }
    let counts = known.snapshot.and_then(|sealed| sealed.counts.versions.get(&known.model.version()));
    let counts = counts.ok_or_else(|| NotComputable::because("no window is sealed"));
    let calibrated = known.model.model().ok_or_else(|| NotComputable::because("nobody here calibrated its scores"));
    let expected = counts.and_then(|counts| ScoreBins::of(calibrated?)?.expected(&counts.prediction));
    let told = expected.map(|expected| (2.0 * expected.confidence() - 1.0, expected.rows()));
    let method = "2 · mean of max(p, 1 - p) - 1 over the scores of the newest sealed window";
    part("confidence", 0.15, told, method, known.snapshot.map(|sealed| sealed.window))
}

fn quickness(known: Known<'_>) -> Part {
    let counts = known.snapshot.and_then(|sealed| sealed.counts.versions.get(&known.model.version()));
    let counts = counts.ok_or_else(|| NotComputable::because("no window is sealed"));
    let told = counts.and_then(|counts| {
        let slow_us = latency::quantile_us(&counts.latency, 0.95)?;
        Ok((QUICK_US / slow_us.max(1) as f64, counts.latency.iter().sum()))
    });
    let method = "100 ms / the 95 % quantile of latency, not above 1, of the newest sealed window";
    part("latency", 0.10, told, method, known.snapshot.map(|sealed| sealed.window))
}

#[cfg(test)]
mod tests;
