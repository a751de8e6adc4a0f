//! What LightGBM is to fit, and every check of it that can be made before C++ sees it; pure.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LightGbmError;

/// One fit: rows, labels and how to learn from them.
#[derive(Debug, Clone, Copy)]
pub struct Fit<'a> {
    /// The admitted rows one after another (row-major): `labels.len() * names.len()` finite numbers.
    pub features: &'a [f64],
    /// The features' names in the order of a row: unique, without spaces or any of `",:[]{}`.
    pub names: &'a [String],
    /// The positions of nominal features, rising; their values are category indices from 0.
    pub categorical: &'a [usize],
    /// One label a row: 0 or 1 (binary) or a finite value (regression). LightGBM keeps labels as 32-bit floats.
    pub labels: &'a [f32],
    /// What is predicted.
    pub objective: Objective,
    /// How to learn.
    pub settings: &'a Settings,
    /// Decides every random choice; LightGBM takes the lower 31 bits.
    pub seed: u64,
}

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// The log-odds of label 1, by log loss.
    Binary,
    /// The mean of the label, by squared error.
    Regression,
}

/// How trees come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Boosting {
    /// Gradient boosting: each tree corrects the sum of those before.
    Gbdt,
    /// Random forest: the mean of trees grown on bags of rows.
    RandomForest,
}

/// LightGBM's parameters, under LightGBM's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How trees come together.
    pub boosting: Boosting,
    /// How many trees at most; boosting stops earlier when nothing is left to split.
    pub rounds: u32,
    /// The share of each boosted tree that is added; a random forest ignores it.
    pub learning_rate: f64,
    /// Leaves of a tree at most, 2 to 131072.
    pub num_leaves: u32,
    /// Rows in a leaf at least.
    pub min_data_in_leaf: u32,
    /// Rows of a group of categories at least, at least 1. LightGBM's own 100 leaves small samples without categorical splits.
    pub min_data_per_group: u32,
    /// The L2 penalty on leaf values, at least 0.
    pub lambda_l2: f64,
    /// The share of features each tree may use, in `(0, 1]`.
    pub feature_fraction: f64,
    /// The share of rows each bag holds, in `(0, 1]`; for a random forest below 1.
    pub bagging_fraction: f64,
    /// A new bag every so many trees; 0 is no bagging.
    pub bagging_freq: u32,
    /// Histogram bins of a feature at most, 2 to 65535.
    pub max_bin: u32,
    /// Rows in a bin at least.
    pub min_data_in_bin: u32,
    /// Threads; more than one needs the cargo feature `openmp`. Trees are the same for any number, but the number
    /// itself stands in the model's text.
    pub threads: u32,
}

impl Settings {
    /// Boosted trees for thousands of rows: small, slow, bagged trees, since a governed model is refitted often and a
    /// smooth score calibrates better than a sharp one.
    pub const BOOSTED: Settings = Settings {
        boosting: Boosting::Gbdt,
        rounds: 200,
        learning_rate: 0.05,
        num_leaves: 15,
        min_data_in_leaf: 20,
        min_data_per_group: 40,
        lambda_l2: 1.0,
        feature_fraction: 0.9,
        bagging_fraction: 0.8,
        bagging_freq: 1,
        max_bin: 255,
        min_data_in_bin: 3,
        threads: 1,
    };

    /// A random forest: deep trees on bootstrap-sized bags (0.632 is the share of distinct rows in a bootstrap sample).
    pub const FOREST: Settings = Settings {
        boosting: Boosting::RandomForest,
        rounds: 200,
        learning_rate: 1.0,
        num_leaves: 63,
        min_data_in_leaf: 10,
        min_data_per_group: 20,
        lambda_l2: 0.0,
        feature_fraction: 0.7,
        bagging_fraction: 0.632,
        bagging_freq: 1,
        max_bin: 255,
        min_data_in_bin: 3,
        threads: 1,
    };

    /// Every setting within LightGBM's own bounds, and bags for a random forest (`src/boosting/rf.hpp`).
    fn check(&self) -> Result<(), LightGbmError> {
        const MOST: u32 = i32::MAX as u32;
        let most_threads = if cfg!(feature = "openmp") { 1024 } else { 1 };
        let counts = [
            ("rounds", self.rounds, 1..=MOST),
            ("num_leaves", self.num_leaves, 2..=131_072),
            ("min_data_in_leaf", self.min_data_in_leaf, 0..=MOST),
            ("min_data_per_group", self.min_data_per_group, 1..=MOST),
            ("bagging_freq", self.bagging_freq, 0..=MOST),
            ("max_bin", self.max_bin, 2..=65_535),
            ("min_data_in_bin", self.min_data_in_bin, 1..=MOST),
            ("threads", self.threads, 1..=most_threads),
        ];
        for (key, found, bounds) in counts {
            let expected = || format!("from {} to {}", bounds.start(), bounds.end());
            within(key, found.into(), bounds.contains(&found), expected)?;
        }
        let bagged = self.bagging_freq > 0 && self.bagging_fraction < 1.0;
        let (rate, penalty, bag) = (self.learning_rate, self.lambda_l2, self.bagging_fraction);
        let numbers = [
            ("learning_rate", rate, rate > 0.0 && rate.is_finite(), "finite and above 0"),
            ("lambda_l2", penalty, penalty >= 0.0 && penalty.is_finite(), "finite and at least 0"),
            ("feature_fraction", self.feature_fraction, is_share(self.feature_fraction), "in (0, 1]"),
            ("bagging_fraction", bag, is_share(bag), "in (0, 1]"),
            (
                "bagging_fraction",
                bag,
                bagged || self.boosting != Boosting::RandomForest,
                "below 1 with bagging_freq above 0, as a random forest needs",
            ),
        ];
        numbers
            .into_iter()
            .try_for_each(|(key, found, holds, expected)| within(key, found, holds, || expected.to_owned()))
    }
}

fn is_share(number: f64) -> bool {
    number > 0.0 && number <= 1.0
}

fn within(key: &'static str, found: f64, holds: bool, expected: impl FnOnce() -> String) -> Result<(), LightGbmError> {
    if holds {
        return Ok(());
    }
    Err(LightGbmError::Setting { key, found, expected: expected() })
}

impl Fit<'_> {
    /// Whether everything that C++ would trust or refuse is as it must be.
    pub(super) fn check(&self) -> Result<(), LightGbmError> {
        self.settings.check()?;
        self.check_shape()?;
        self.check_names()?;
        self.check_labels()?;
        self.check_features()
    }

    /// Rows and columns as C's integers; the matrix holds exactly so many numbers.
    pub(super) fn check_shape(&self) -> Result<(i32, i32), LightGbmError> {
        let (rows, columns, values) = (self.labels.len(), self.names.len(), self.features.len());
        let counts = i32::try_from(rows).ok().zip(i32::try_from(columns).ok());
        match counts {
            Some(counts) if rows > 0 && columns > 0 && rows.checked_mul(columns) == Some(values) => Ok(counts),
            _ => Err(LightGbmError::Shape { rows, columns, values }),
        }
    }

    fn check_names(&self) -> Result<(), LightGbmError> {
        let mut seen = BTreeSet::new();
        let refused = |c: char| c.is_whitespace() || c.is_control() || "\",:[]{}".contains(c);
        match self.names.iter().find(|name| name.is_empty() || name.contains(refused) || !seen.insert(*name)) {
            Some(name) => Err(LightGbmError::Name { name: name.clone() }),
            None => Ok(()),
        }
    }

    fn check_labels(&self) -> Result<(), LightGbmError> {
        let fits = |label: &f32| match self.objective {
            Objective::Binary => *label == 0.0 || *label == 1.0,
            Objective::Regression => label.is_finite(),
        };
        match self.labels.iter().position(|label| !fits(label)) {
            Some(row) => Err(LightGbmError::Label { row }),
            None => Ok(()),
        }
    }

    fn check_features(&self) -> Result<(), LightGbmError> {
        let mut nominal = vec![false; self.names.len()];
        let mut next = 0;
        for &column in self.categorical {
            match nominal.get_mut(column) {
                Some(mark) if column >= next => *mark = true,
                _ => return Err(LightGbmError::Categorical { column }),
            }
            next = column + 1;
        }
        // LightGBM takes a negative category for a missing one and truncates fractions, both in silence.
        let is_category = |value: f64| value >= 0.0 && value <= f64::from(i32::MAX) && value.fract() == 0.0;
        for (row, values) in self.features.chunks_exact(self.names.len()).enumerate() {
            let misfit = values
                .iter()
                .zip(&nominal)
                .position(|(value, nominal)| !value.is_finite() || (*nominal && !is_category(*value)));
            if let Some(column) = misfit {
                return Err(LightGbmError::Feature { row, column });
            }
        }
        Ok(())
    }

    /// The parameters of dataset and booster as LightGBM reads them: `key=value`, separated by spaces.
    pub(super) fn parameters(&self) -> String {
        let settings = self.settings;
        let objective = match self.objective {
            Objective::Binary => "binary",
            Objective::Regression => "regression",
        };
        let boosting = match settings.boosting {
            Boosting::Gbdt => "gbdt",
            Boosting::RandomForest => "rf",
        };
        let categorical: Vec<_> = self.categorical.iter().map(usize::to_string).collect();
        let pairs = [
            ("objective", objective.to_owned()),
            ("boosting", boosting.to_owned()),
            ("learning_rate", settings.learning_rate.to_string()),
            ("num_leaves", settings.num_leaves.to_string()),
            ("min_data_in_leaf", settings.min_data_in_leaf.to_string()),
            ("min_data_per_group", settings.min_data_per_group.to_string()),
            ("lambda_l2", settings.lambda_l2.to_string()),
            ("feature_fraction", settings.feature_fraction.to_string()),
            ("bagging_fraction", settings.bagging_fraction.to_string()),
            ("bagging_freq", settings.bagging_freq.to_string()),
            ("max_bin", settings.max_bin.to_string()),
            ("min_data_in_bin", settings.min_data_in_bin.to_string()),
            ("num_iterations", settings.rounds.to_string()),
            ("num_threads", settings.threads.to_string()),
            ("seed", (self.seed & 0x7fff_ffff).to_string()),
            ("categorical_feature", categorical.join(",")),
            // Same inputs, same bytes: no choice is left to timing.
            ("deterministic", "true".to_owned()),
            ("force_row_wise", "true".to_owned()),
            // Features are the contract's; none is dropped for being useless at one setting.
            ("feature_pre_filter", "false".to_owned()),
            ("metric", "none".to_owned()),
            ("verbosity", "-1".to_owned()),
        ];
        let given = pairs.iter().filter(|(_, value)| !value.is_empty());
        given.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }
}
