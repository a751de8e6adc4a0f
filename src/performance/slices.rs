//! Each value of each declared slice against what it was promoted with itself; pure. Many slices are many chances to be unlucky,
//! so each is asked for more certainty the more there are.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::PerformanceRules;
use super::{Baseline, Pair};
use crate::contract::Task;
use crate::stats::Estimate;
use crate::train::{Metric, measure};
use crate::types::{Check, Measurement, NotComputable, Operator, Value, Verdict};

/// What one window says of one value of a declared slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SlicePerformance {
    /// The feature that the contract declares a slice.
    pub slice: String,
    /// Its value.
    pub value: String,
    /// Labelled answers with this value.
    pub labelled: u64,
    /// Every metric of the task, with n and interval.
    pub metrics: Vec<Metric>,
    /// How much its mean loss has risen at least, against `performance.relative_margin` of what it was promoted with.
    pub check: Check,
}

impl SlicePerformance {
    /// The same with another word on its check.
    pub(super) fn held(self, hold: impl Fn(Check) -> Check) -> SlicePerformance {
        SlicePerformance { check: hold(self.check), ..self }
    }
}

/// What is said of all slices together may be wrong in one of forty windows, as what is said of the whole may.
const RISK: f64 = 0.025;

/// The metrics of every slice, and one check each.
///
/// The check is of the mean loss, Brier's or the absolute error, and of nothing else: it is there for one class and few rows, and
/// four checks of one slice would be four chances. It is held against the slice's own promoted loss, because some slices are
/// harder than others and always were. Both are measured on few rows, so both intervals count (Newcombe's MOVER, as in
/// [`collapse`](super::collapse())), each end at 2.5 % divided by the number of slices that are told (Bonferroni): without p-values
/// of equal standing there is nothing for Benjamini and Hochberg to order.
pub(super) fn judge(
    task: Task,
    pairs: &[&Pair],
    baseline: &Baseline,
    rules: &PerformanceRules,
) -> Vec<SlicePerformance> {
    let mut members: BTreeMap<(&str, &str), Vec<&Pair>> = BTreeMap::new();
    for pair in pairs {
        for (slice, value) in &pair.slices {
            members.entry((slice, value)).or_default().push(pair);
        }
    }
    let measured = members.into_iter().map(|((slice, value), pairs)| {
        let (predictions, labels): (Vec<f64>, Vec<f64>) =
            pairs.iter().map(|pair| (pair.prediction, pair.label)).unzip();
        let metrics = measure(task, &predictions, &labels, baseline.threshold);
        Measured { slice, value, labelled: pairs.len() as u64, metrics }
    });
    let measured: Vec<Measured<'_>> = measured.collect();
    let is_told = |now: &&Measured<'_>| now.labelled >= rules.min_rows && now.promoted(task, baseline, rules).is_ok();
    let told = measured.iter().filter(is_told).count();
    let risk = RISK / told.max(1) as f64;
    measured.into_iter().map(|now| now.against(task, baseline, rules, risk)).collect()
}

struct Measured<'a> {
    slice: &'a str,
    value: &'a str,
    labelled: u64,
    metrics: Vec<Metric>,
}

impl Measured<'_> {
    /// The loss that it was promoted with, on rows enough to be judged by.
    fn promoted(&self, task: Task, baseline: &Baseline, rules: &PerformanceRules) -> Result<Estimate, NotComputable> {
        let metrics = baseline.slices.get(self.slice).and_then(|values| values.get(self.value));
        let metrics = metrics.ok_or_else(|| NotComputable::because("promoted without rows of this slice"))?;
        let (estimate, rows) = estimate(metrics, loss(task))?;
        match rows {
            few if few < rules.min_rows => Err(NotComputable::because(format!("promoted on {few} rows of this slice"))),
            _ => Ok(estimate),
        }
    }

    fn against(self, task: Task, baseline: &Baseline, rules: &PerformanceRules, risk: f64) -> SlicePerformance {
        let loss = loss(task);
        let rise = self.promoted(task, baseline, rules).and_then(|then| Ok((then, estimate(&self.metrics, loss)?.0)));
        let line = rise.as_ref().map_or(0.0, |(then, _)| rules.relative_margin * then.value);
        let lower = rise.as_ref().map_err(Clone::clone).and_then(|(then, now)| lower_bound_of_rise(*then, *now, risk));
        let measured = Measurement::new(format!("{loss}_rise_lower"), lower, self.labelled);
        let check = Check::require(measured, Operator::AtMost, line, rules.min_rows);
        let check = match (check.verdict, rise) {
            (Verdict::Pass | Verdict::Fail, Ok((then, now))) => {
                let [now, then] = [now.value, then.value].map(Value::from);
                check.with_note(format!("{loss} {now}; promoted with {then}"))
            }
            (Verdict::Pass | Verdict::Fail | Verdict::Insufficient | Verdict::Error, _) => check,
        };
        let Measured { labelled, metrics, .. } = self;
        SlicePerformance { slice: self.slice.to_owned(), value: self.value.to_owned(), labelled, metrics, check }
    }
}

/// The mean loss that a slice is judged by.
fn loss(task: Task) -> &'static str {
    match task {
        Task::Binary => "brier",
        Task::Regression => "mae",
    }
}

/// A metric, and on how many rows it was measured.
fn estimate(metrics: &[Metric], name: &str) -> Result<(Estimate, u64), NotComputable> {
    let found = metrics.iter().find(|found| found.measurement.metric == name);
    let found = found.and_then(|found| Some((found.measurement.value.number()?, found.interval?, found.measurement.n)));
    let (value, interval, rows) = found.ok_or_else(|| NotComputable::because(format!("no {name} with an interval")))?;
    Ok((Estimate { value, interval }, rows))
}

fn lower_bound_of_rise(then: Estimate, now: Estimate, risk: f64) -> Result<f64, NotComputable> {
    let (then, now) = (then.normal_at(risk)?, now.normal_at(risk)?);
    let (up, down) = (then.interval.upper - then.value, now.value - now.interval.lower);
    Ok(now.value - then.value - up.hypot(down))
}
