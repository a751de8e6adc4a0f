//! The whole training: rows and a plan in, a candidate out; pure but for LightGBM. Refuses rows it cannot learn from.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::calibrate::{calibrate, threshold};
use super::choose::{self, TrainingLog, Winner};
use super::family::{Family, Fitter, Rows};
use super::importance::importance;
use super::metrics::{Metric, measure};
use super::plan::{Path, Plan};
use super::rules::TrainRules;
use super::selftest::SelfTest;
use super::split::Split;
use crate::contract::{Contract, Encoded, Profile, Slice, Task};
use crate::scoring::Scorer;
use crate::stats::{Interval, regression};
use crate::types::Measurement;

/// A fitted, calibrated and measured model that is not a version yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What it was trained by.
    pub plan: Plan,
    /// What it predicts.
    pub task: Task,
    /// The family that won.
    pub family: Family,
    /// The model as it is kept: LightGBM's text or canonical JSON.
    pub model: Vec<u8>,
    /// Model and calibration as they will answer.
    pub scorer: Scorer,
    /// The rows that the calibration was fitted on.
    pub calibrated_on: Vec<Margin>,
    /// Measured on rows newer than any it learned from.
    pub metrics: Metrics,
    /// What features and scores looked like.
    pub profile: Profile,
    /// Questions with their answers.
    pub selftest: SelfTest,
    /// Which rows did what.
    pub extent: Extent,
    /// What was tried.
    pub log: TrainingLog,
}

/// One row of `calibration_data.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Margin {
    /// The raw margin of a model that had not seen the row.
    pub score: f64,
    /// What came true.
    pub label: f64,
}

/// `metrics.json`: what the version is held against as long as it serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// 1: first form.
    pub format_version: u32,
    /// Rows measured on, all newer than any row learned from.
    pub rows: u64,
    /// The probability from which on a row is called positive for F1 and accuracy, chosen on the calibration rows; the API
    /// itself never decides. None for regression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Every metric of the task with n and 95 % interval.
    pub metrics: Vec<Metric>,
    /// The same within each value of each slice that the contract declares.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slices: SliceMetrics,
}

/// For each declared slice, for each of its values, every metric.
pub type SliceMetrics = BTreeMap<String, BTreeMap<String, Vec<Metric>>>;

/// Which rows did what, by number and by the key that orders them in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    /// All rows of the datasets.
    pub rows: u64,
    /// The newest of them that were looked at.
    pub look_back: u64,
    /// The oldest of these: families were fitted on them.
    pub fit: u64,
    /// The next: family, calibration and threshold were chosen on them, then the model was fitted once more on both.
    pub calibrate: u64,
    /// The newest: the finished model was measured on them.
    pub report: u64,
    /// Order key of the oldest row learned from.
    pub trained_from: i64,
    /// Order key of the newest row learned from: only rows with a larger one may judge the model.
    pub trained_until: i64,
    /// Order key of the oldest row reported on.
    pub report_from: i64,
    /// Order key of the newest row.
    pub report_until: i64,
}

impl Extent {
    fn of(order: &[i64], split: &Split) -> Extent {
        let at = |row: usize| order.get(row).copied().unwrap_or_default();
        Extent {
            rows: order.len() as u64,
            look_back: split.all().len() as u64,
            fit: split.fit.len() as u64,
            calibrate: split.calibrate.len() as u64,
            report: split.report.len() as u64,
            trained_from: at(split.fit.start),
            trained_until: at(split.report.start.saturating_sub(1)),
            report_from: at(split.report.start),
            report_until: at(split.report.end.saturating_sub(1)),
        }
    }

    /// Rows that the model was fitted on.
    pub fn learned(&self) -> u64 {
        self.fit + self.calibrate
    }
}

/// Train what a plan says on all rows of its datasets.
///
/// The look-back is chosen first, then on its split the family; calibration and threshold are fitted on margins of rows that
/// the family had not seen; then the family is fitted once more with those rows, because the newest rows are worth most.
///
/// # Errors
/// `TooFewRows`, `ClassRows`, `Rows` for rows that cannot be learned from; `WrongContract`, `Engine`, `NewerPlan`, `Rules` for
/// a plan that is not to be followed here; the others when a fit fails.
pub fn train(plan: &Plan, encoded: &Encoded, contract: &Contract) -> Result<Candidate, TrainError> {
    plan.check(contract)?;
    check_rows(encoded, contract.task())?;
    let (rules, order) = (&plan.rules, &encoded.order);
    let vectors: Vec<&[f64]> = encoded.vectors.iter().map(|vector| &**vector).collect();
    let rows = Rows { vectors: &vectors, labels: &encoded.target };
    if (rows.len() as u64) < rules.min_rows {
        return Err(TrainError::TooFewRows { has: rows.len() as u64, needs: rules.min_rows });
    }
    let fitter = Fitter { contract, rules, seed: plan.seed };
    let (task, Chosen { split, winner, log }) = (contract.task(), choose(fitter, rows, order, plan.path)?);
    let labels = rows.part(split.calibrate.clone()).labels;
    let calibration = calibrate(task, &winner.margins, labels, rules)?;
    let unseen: Vec<f64> = winner.margins.iter().map(|margin| calibration.apply(*margin)).collect();
    let fitted = fitter.fit(winner.family, rows.part(split.learn()))?;
    let scorer = Scorer::new(fitted.model, calibration)?;
    let threshold = match task {
        Task::Binary => threshold(&unseen),
        Task::Regression => None,
    };
    let (metrics, reported) = report(task, &scorer, rows.part(split.report.clone()), threshold);
    let metrics = Metrics { slices: slices(task, encoded, split.report.clone(), &reported, threshold), ..metrics };
    let importance = importance(task, &scorer, newest(rows, &split, rules), plan.seed);
    let held_out: Vec<f64> = unseen.into_iter().chain(reported).collect();
    let looked_at = encoded.vectors.get(split.all()).unwrap_or_default();
    let profile = Profile::build(contract, looked_at, &importance, &held_out)?;
    let pairs = winner.margins.iter().zip(labels);
    Ok(Candidate {
        plan: plan.clone(),
        task,
        family: winner.family,
        model: fitted.bytes,
        selftest: SelfTest::of(&profile, &scorer, plan.seed),
        scorer,
        calibrated_on: pairs.map(|(&score, &label)| Margin { score, label }).collect(),
        metrics,
        profile,
        extent: Extent::of(order, &split),
        log,
    })
}

/// What the newest rows have chosen.
struct Chosen {
    split: Split,
    winner: Winner,
    log: TrainingLog,
}

/// Choose how much history to learn from, and then the family.
fn choose(fitter: Fitter<'_>, rows: Rows<'_>, order: &[i64], path: Path) -> Result<Chosen, TrainError> {
    let (look_back, look_backs, steps) = choose::look_back(fitter, rows, order, path)?;
    let split = Split::of(order, look_back, path, fitter.rules)?;
    let (winner, families, lead) = choose::family(fitter, rows, &split)?;
    let loss = choose::loss_name(fitter.contract.task()).to_owned();
    let log = TrainingLog { loss, look_backs, steps, families, lead };
    Ok(Chosen { split, winner, log })
}

/// The newest rows of the look-back, on which the importance of features is measured.
fn newest<'a>(rows: Rows<'a>, split: &Split, rules: &TrainRules) -> Rows<'a> {
    let wanted = usize::try_from(rules.importance_rows).unwrap_or(usize::MAX);
    let from = rows.len().saturating_sub(wanted).max(split.fit.start);
    rows.part(from..rows.len())
}

/// Measure the finished model on rows newer than any it learned from; also its answers there.
fn report(task: Task, scorer: &Scorer, rows: Rows<'_>, threshold: Option<f64>) -> (Metrics, Vec<f64>) {
    let scores: Vec<_> = rows.vectors.iter().map(|vector| scorer.score(vector)).collect();
    let predictions: Vec<f64> = scores.iter().map(|score| score.prediction).collect();
    let mut metrics = measure(task, &predictions, rows.labels, threshold);
    let intervals = scores.iter().filter_map(|score| score.interval);
    let intervals: Vec<Interval> = intervals.map(|(lower, upper)| Interval { lower, upper }).collect();
    if task == Task::Regression {
        let coverage = regression::coverage(&intervals, rows.labels);
        metrics.push(Metric {
            interval: coverage.as_ref().ok().map(|estimate| estimate.interval),
            measurement: Measurement::new("coverage", coverage.map(|estimate| estimate.value), rows.len() as u64),
        });
    }
    let rows = rows.len() as u64;
    (Metrics { format_version: 1, rows, threshold, metrics, slices: SliceMetrics::new() }, predictions)
}

/// Measure each value of each declared slice by itself, on those of the reported rows that have it.
fn slices(
    task: Task,
    encoded: &Encoded,
    reported: Range<usize>,
    predictions: &[f64],
    threshold: Option<f64>,
) -> SliceMetrics {
    let labels = encoded.target.get(reported.clone()).unwrap_or_default();
    let measured = |slice: &Slice| {
        let codes = slice.codes.get(reported.clone()).unwrap_or_default();
        let mut members: BTreeMap<u32, Vec<(f64, f64)>> = BTreeMap::new();
        for ((code, prediction), label) in codes.iter().zip(predictions).zip(labels) {
            members.entry(*code).or_default().push((*prediction, *label));
        }
        let values = members.into_iter().filter_map(|(code, rows)| {
            let (predictions, labels): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
            Some((slice.words.get(code as usize)?.clone(), measure(task, &predictions, &labels, threshold)))
        });
        (slice.feature.clone(), values.collect())
    };
    encoded.slices.iter().map(measured).collect()
}

/// Vectors, labels and order keys that belong together, oldest first.
fn check_rows(encoded: &Encoded, task: Task) -> Result<(), TrainError> {
    let (vectors, labels, order) = (&encoded.vectors, &encoded.target, &encoded.order);
    let fits = |label: &f64| match task {
        Task::Binary => *label == 0.0 || *label == 1.0,
        Task::Regression => label.is_finite(),
    };
    let what = if vectors.len() != labels.len() || vectors.len() != order.len() {
        format!("{} vectors, {} labels and {} order keys", vectors.len(), labels.len(), order.len())
    } else if !order.is_sorted() {
        "rows that are not in the order of time".to_owned()
    } else if !labels.iter().all(fits) {
        "a label that is not 0 or 1, or not finite".to_owned()
    } else {
        return Ok(());
    };
    Err(TrainError::Rows { what })
}
