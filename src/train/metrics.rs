//! Every metric of a task, measured in one place for training, monitoring and evaluation; pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Task;
use crate::stats::calibration::Binning;
use crate::stats::classification::{Confusion, Ranking, brier, log_loss};
use crate::stats::{Estimate, Interval, regression};
use crate::types::{Measurement, NotComputable};

/// A metric with its 95 % interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// The metric's name, value and n.
    #[serde(flatten)]
    pub measurement: Measurement,
    /// The 95 % interval, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// AUC, F1, R² …
    HigherIsBetter,
    /// Log loss, Brier, MAE …
    LowerIsBetter,
}

/// Every metric that has a better end, with the task that has it: what a floor may be set for.
pub const RANKED: [(&str, Task, Direction); 11] = [
    ("auc", Task::Binary, Direction::HigherIsBetter),
    ("accuracy", Task::Binary, Direction::HigherIsBetter),
    ("precision", Task::Binary, Direction::HigherIsBetter),
    ("recall", Task::Binary, Direction::HigherIsBetter),
    ("f1", Task::Binary, Direction::HigherIsBetter),
    ("log_loss", Task::Binary, Direction::LowerIsBetter),
    ("brier", Task::Binary, Direction::LowerIsBetter),
    ("ece", Task::Binary, Direction::LowerIsBetter),
    ("r2", Task::Regression, Direction::HigherIsBetter),
    ("mae", Task::Regression, Direction::LowerIsBetter),
    ("rmse", Task::Regression, Direction::LowerIsBetter),
];

/// Which way a metric is better that is held against what was promoted; none for what is only shown.
pub fn direction(metric: &str) -> Option<Direction> {
    match metric {
        "auc" | "accuracy" | "f1" | "r2" => Some(Direction::HigherIsBetter),
        "log_loss" | "brier" | "mae" | "rmse" => Some(Direction::LowerIsBetter),
        _ => None,
    }
}

/// How a metric is computed, and how its interval; none for one that [`measure`] does not know.
pub fn method(metric: &str) -> Option<&'static str> {
    Some(match metric {
        "auc" => {
            "area under the ROC curve, ties half; interval: Hanley–McNeil turned into a score interval (Newcombe's method 5)"
        }
        "log_loss" => "mean, natural logarithms, probabilities held 2⁻⁵² from 0 and 1; interval: normal, of a mean",
        "brier" => "mean squared difference; interval: normal, of a mean",
        "ece" => "10 bins of equal mass; no interval",
        "accuracy" | "precision" | "recall" => "at the monitored threshold; interval: Wilson",
        "f1" => "at the monitored threshold; interval: Wilson, of TP / (TP + FP + FN)",
        "base_rate" => "share of positive labels; interval: Wilson",
        "mae" => "mean absolute error; interval: normal, of a mean",
        "rmse" => "interval: the root of the mean squared error's normal one",
        "r2" => "1 - squared errors / squares about the mean; interval: normal, delta method",
        "bias" => "mean of prediction - target; interval: normal, of a mean",
        "coverage" => "share of targets in the served interval; interval: Wilson",
        _ => return None,
    })
}

/// Every metric of a task. Binary labels are 0 or 1, and `threshold` says from which probability on a row counts as
/// positive for accuracy, precision, recall and F1; without one they are left out.
pub fn measure(task: Task, predictions: &[f64], labels: &[f64], threshold: Option<f64>) -> Vec<Metric> {
    match task {
        Task::Binary => binary(predictions, labels, threshold),
        Task::Regression => numbers(predictions, labels),
    }
}

fn binary(predictions: &[f64], labels: &[f64], threshold: Option<f64>) -> Vec<Metric> {
    let labels: Vec<bool> = labels.iter().map(|label| *label > 0.5).collect();
    let n = labels.len() as u64;
    let metric = |name, estimate| metric(name, estimate, n);
    let ranking = Ranking::of(predictions, &labels);
    let ranking = ranking.as_ref().map_err(Clone::clone);
    let mut metrics = vec![
        metric("auc", ranking.clone().and_then(Ranking::roc_auc)),
        metric("log_loss", log_loss(predictions, &labels)),
        metric("brier", brier(predictions, &labels)),
        Metric {
            measurement: Measurement::new("ece", ranking.and_then(|ranking| ranking.ece(Binning::EqualMass(10))), n),
            interval: None,
        },
    ];
    if let Some(threshold) = threshold {
        let confusion = Confusion::at(threshold, predictions, &labels);
        let of = |ask: fn(&Confusion) -> Result<Estimate, NotComputable>| {
            confusion.as_ref().map_err(Clone::clone).and_then(ask)
        };
        metrics.extend([
            metric("accuracy", of(Confusion::accuracy)),
            metric("precision", of(Confusion::precision)),
            metric("recall", of(Confusion::recall)),
            metric("f1", of(Confusion::f1)),
        ]);
    }
    let positives = labels.iter().filter(|label| **label).count() as u64;
    metrics.push(metric("base_rate", crate::stats::share(positives, n)));
    metrics
}

fn numbers(predictions: &[f64], targets: &[f64]) -> Vec<Metric> {
    let n = targets.len() as u64;
    vec![
        metric("mae", regression::mae(predictions, targets), n),
        metric("rmse", regression::rmse(predictions, targets), n),
        metric("r2", regression::r2(predictions, targets), n),
        metric("bias", regression::bias(predictions, targets), n),
    ]
}

fn metric(name: &str, estimate: Result<Estimate, NotComputable>, n: u64) -> Metric {
    Metric {
        interval: estimate.as_ref().ok().map(|estimate| estimate.interval),
        measurement: Measurement::new(name, estimate.map(|estimate| estimate.value), n),
    }
}
