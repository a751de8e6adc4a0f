//! Two files of rows, then and now, without a model: every feature, and the data set as a whole. Judged by the rules of drift.

mod compare;
mod domain;
mod file;
mod judged;
mod nominal;
mod numeric;
mod performance;
mod plan;
mod sample;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use compare::compare;

use crate::ingest::{IngestError, Schema};
use crate::stats::Interval;
use crate::types::{Check, Measurement, Operator, Value, Verdict};

/// What is asked of two files.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The column that came true: judged beside the features, not among them.
    pub target: Option<String>,
    /// The column that a model predicted: judged beside the features too.
    pub prediction: Option<String>,
    /// What the columns are; without it a sample of the reference tells.
    pub schema: Option<Schema>,
    /// Whether a classifier is to tell the files apart.
    pub classifier: Classifier,
    /// Decides every random choice: which rows are looked at, and the classifier's.
    pub seed: u64,
}

/// Whether a classifier is trained to tell the rows of the two files apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Classifier {
    /// If both files are small enough to be held, so that it costs a second at most.
    Auto,
    /// On a sample of large files too.
    Always,
    /// Not at all.
    Never,
}

/// Why two files could not be compared; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file could not be read as a table.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A column that was named is not there.
    #[error("find the column `{column}` in {file}")]
    NoColumn {
        /// The column.
        column: String,
        /// The file.
        file: String,
    },
}

/// What `regent check` says of two files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FilesReport {
    /// 1: first form.
    pub format_version: u32,
    /// `Fail` if the data set moved, `Insufficient` if too little was seen to say.
    pub verdict: Verdict,
    /// One entry a column that was compared, the moved ones first.
    pub features: Vec<FeatureReport>,
    /// The files as a whole.
    pub dataset: DatasetReport,
}

/// What two files say of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureReport {
    /// The column.
    pub feature: String,
    /// What it is to the data set.
    pub role: Role,
    /// How it was read.
    pub kind: Kind,
    /// Values of the reference: cells that are neither missing nor unreadable.
    pub n_reference: u64,
    /// Values of the current file.
    pub n_current: u64,
    /// `Fail` if it drifted: significantly and by enough, or a share of missing or unseen values grew.
    pub verdict: Verdict,
    /// What was measured. Those with an operator decide, the others are shown.
    pub checks: Vec<FileCheck>,
    /// The bins that PSI, JS and KL are computed on, with the values in each.
    pub bins: Vec<Bin>,
}

/// What a column is to the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// One of those that are counted.
    Feature,
    /// What a model predicted.
    Prediction,
    /// What came true.
    Target,
    /// Target less prediction, row by row.
    Error,
}

/// How a column was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Numbers.
    Numeric,
    /// Words.
    Nominal,
}

/// One measurement of two files and, where it decides, the rule it is held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileCheck {
    /// What was measured, unit last.
    #[serde(flatten)]
    pub measurement: Measurement,
    /// The two-sided p-value, where the measurement is a test's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// How the value is held against the threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operator>,
    /// The number the rule names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// What follows; a measurement that decides nothing has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// How it was computed: test, bins, smoothing, direction.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// Why it is not `Pass`, or what would change it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// One bin and the values in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bin {
    /// The interval or the word.
    pub bin: String,
    /// Values of the reference.
    pub reference: u64,
    /// Values of the current file.
    pub current: u64,
}

/// The two files as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetReport {
    /// Then.
    pub reference: FileReport,
    /// Now.
    pub current: FileReport,
    /// `drifted_features`, `absent_columns`, and `domain_auc` and what was named, where there is such a thing.
    pub checks: Vec<FileCheck>,
    /// How good the predictions of either file are, where target and prediction were named and both are numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance: Option<FilePerformance>,
    /// Columns that were not compared, and why.
    pub left_out: Vec<LeftOut>,
    /// Columns of the current file that the reference does not have.
    pub new_columns: Vec<String>,
    /// By what the classifier tells the files apart, the most telling first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub importances: Vec<Importance>,
}

/// Predictions against what came true, file by file. Shown; nothing is judged by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FilePerformance {
    /// Then.
    pub reference: Vec<ShownMetric>,
    /// Now.
    pub current: Vec<ShownMetric>,
}

/// A metric of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShownMetric {
    /// What was measured, and on how many rows.
    #[serde(flatten)]
    pub measurement: Measurement,
    /// Its 95 % interval, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// How it was computed, and how its interval.
    pub method: String,
}

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileReport {
    /// Its name.
    pub file: String,
    /// `csv` or `parquet`.
    pub form: String,
    /// Its rows.
    pub rows: u64,
    /// Its columns.
    pub columns: u64,
}

/// A column that was not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// The column.
    pub column: String,
    /// Why not.
    pub why: String,
}

/// How much a classifier has from one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Importance {
    /// The feature.
    pub feature: String,
    /// Its share of the gain of all splits, 0 to 1.
    pub share: f64,
}

impl FileCheck {
    /// A measurement that is shown and decides nothing.
    fn shown(metric: &str, value: impl Into<Value>, n: u64, method: impl Into<String>) -> FileCheck {
        FileCheck {
            measurement: Measurement::new(metric, value, n),
            p_value: None,
            operator: None,
            threshold: None,
            verdict: None,
            method: method.into(),
            note: String::new(),
        }
    }

    /// A measurement that decides.
    fn judged(check: Check, method: impl Into<String>) -> FileCheck {
        let Check { measurement, operator, threshold, verdict, note } = check;
        FileCheck {
            measurement,
            p_value: None,
            operator: Some(operator),
            threshold: Some(threshold),
            verdict: Some(verdict),
            method: method.into(),
            note,
        }
    }

    fn with_p(mut self, p_value: Option<f64>) -> FileCheck {
        self.p_value = p_value.filter(|p| p.is_finite());
        self
    }

    /// The rule that it was held against, if it decides.
    pub fn rule(&self) -> Option<Check> {
        Some(Check {
            measurement: self.measurement.clone(),
            operator: self.operator?,
            threshold: self.threshold?,
            verdict: self.verdict?,
            note: self.note.clone(),
        })
    }
}

impl FeatureReport {
    /// The check of this metric.
    pub fn check(&self, metric: &str) -> Option<&FileCheck> {
        self.checks.iter().find(|check| check.measurement.metric == metric)
    }
}
