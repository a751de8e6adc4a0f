//! How to train: rules with their defaults; pure. Refuses rules that contradict themselves.

mod faults;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::Family;

/// `train:` of `policy.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainRules {
    /// How many of the newest rows a candidate may learn from, rising; the longest that still helps is taken.
    pub look_backs: Cow<'static, [LookBack]>,
    /// What is fitted; the best on held-out rows wins.
    pub families: Cow<'static, [Family]>,
    /// Rows that a training needs.
    pub min_rows: u64,
    /// Rows of each class that a binary model is fitted on.
    pub min_class_rows: u64,
    /// The newest rows, on which the finished model is measured.
    pub report: Part,
    /// The rows before them, on which family, calibration and threshold are chosen.
    pub calibrate: Part,
    /// The rows on which a longer look-back must prove itself, as a share of the shorter one.
    pub validate: Part,
    /// A longer look-back is taken while its loss is larger by at most this many standard errors.
    pub patience: f64,
    /// What differs for a baseline, which learns from all rows.
    pub baseline: BaselineRules,
    /// The standard deviation of slope and offset around the identity that a Platt map is held to.
    pub platt_prior: f64,
    /// From so many calibration rows on an isotonic map competes with Platt's.
    pub isotonic_from: u64,
    /// Regression: the share of labels that a served interval should hold.
    pub interval_level: f64,
    /// Logistic and linear regression: the weight of the squared coefficients of standardised features.
    pub ridge: f64,
    /// LightGBM's boosted trees.
    pub gbdt: ForestRules,
    /// LightGBM's random forest.
    pub random_forest: ForestRules,
    /// How many of the newest rows the importance of features is measured on.
    pub importance_rows: u64,
    /// The seed of all draws.
    pub seed: u64,
}

/// How much history to fit on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LookBack {
    /// Every row there is.
    All,
    /// So many of the newest rows.
    #[serde(untagged)]
    Rows(u64),
}

/// A part of a look-back: a share of its rows, within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The share of the rows, between 0 and 1.
    pub share: f64,
    /// However few rows there are.
    pub at_least: u64,
    /// However many rows there are.
    pub at_most: u64,
}

/// What differs for a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BaselineRules {
    /// As [`TrainRules::report`].
    pub report: Part,
    /// As [`TrainRules::calibrate`].
    pub calibrate: Part,
}

/// How LightGBM grows trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForestRules {
    /// How many trees.
    pub trees: u32,
    /// The most leaves a tree has.
    pub leaves: u32,
    /// By how much each boosted tree counts.
    pub learning_rate: f64,
    /// The fewest rows of a leaf: one leaf's worth of the rows fitted on, within bounds.
    pub leaf: Part,
    /// The weight of the squared leaf values.
    pub l2: f64,
    /// The share of features each tree sees.
    pub feature_share: f64,
    /// The share of rows each tree sees.
    pub row_share: f64,
    /// The most bins a number is cut into.
    pub bins: u32,
}

impl Part {
    /// How many rows this part has of `rows`.
    pub fn of(&self, rows: u64) -> u64 {
        ((rows as f64 * self.share) as u64).min(self.at_most).max(self.at_least)
    }
}

impl BaselineRules {
    /// Twice and more the rows of a candidate's parts: a baseline is the reference for years, and its history is long.
    pub const DEFAULTS: BaselineRules = BaselineRules {
        report: Part { share: 0.2, at_least: 50, at_most: 1_000 },
        calibrate: Part { share: 0.2, at_least: 50, at_most: 2_000 },
    };
}

impl TrainRules {
    /// - `look_backs` 250 … 4,000, doubling: the shortest is the least that three families can be told apart on, the
    ///   longest is where more rows of a world that moves stop helping.
    /// - `min_rows` 200: 100 to fit, 50 to calibrate, 50 to report. `min_class_rows` 5: fewer are an anecdote.
    /// - `report` a fifth, 50 to 250: enough for an evaluation, few enough that the model knows the newest world.
    /// - `calibrate` a fifth, 50 to 500: Platt's two numbers and a threshold need no more.
    /// - `validate` two fifths of the shorter look-back, at most 500: as recent as the shorter one itself, so that a
    ///   regime that it lies in decides alone.
    /// - `patience` 0: a longer look-back must be no worse. Above 0 it drags rows from before an incident along.
    /// - `platt_prior` 0.15: margins of models that minimise log loss are nearly log-odds; on 50 rows a free fit is worse.
    /// - `isotonic_from` 1,000: below, its steps follow noise (Niculescu-Mizil & Caruana 2005).
    /// - `interval_level` 0.9: the usual one. `ridge` 0.1: weak; it only keeps separable and collinear rows finite.
    /// - `gbdt`: small slow trees, which on few thousand rows lose nothing to larger ones; `random_forest`: larger, more
    ///   varied ones. Leaves shrink with the rows so that 100 rows still give trees.
    /// - `importance_rows` 500: stable to about two digits. `seed` 7: any.
    pub const DEFAULTS: TrainRules = TrainRules {
        look_backs: Cow::Borrowed(&[
            LookBack::Rows(250),
            LookBack::Rows(500),
            LookBack::Rows(1_000),
            LookBack::Rows(2_000),
            LookBack::Rows(4_000),
        ]),
        families: Cow::Borrowed(&Family::ALL),
        min_rows: 200,
        min_class_rows: 5,
        report: Part { share: 0.2, at_least: 50, at_most: 250 },
        calibrate: Part { share: 0.2, at_least: 50, at_most: 500 },
        validate: Part { share: 0.4, at_least: 50, at_most: 500 },
        patience: 0.0,
        baseline: BaselineRules::DEFAULTS,
        platt_prior: 0.15,
        isotonic_from: 1_000,
        interval_level: 0.9,
        ridge: 0.1,
        gbdt: ForestRules {
            trees: 100,
            leaves: 15,
            learning_rate: 0.05,
            leaf: Part { share: 0.04, at_least: 5, at_most: 50 },
            l2: 1.0,
            feature_share: 0.8,
            row_share: 0.8,
            bins: 63,
        },
        random_forest: ForestRules {
            trees: 100,
            leaves: 31,
            learning_rate: 1.0,
            leaf: Part { share: 0.02, at_least: 3, at_most: 20 },
            l2: 0.0,
            feature_share: 0.6,
            row_share: 0.6,
            bins: 63,
        },
        importance_rows: 500,
        seed: 7,
    };
}

impl Default for TrainRules {
    fn default() -> Self {
        TrainRules::DEFAULTS
    }
}

impl Default for BaselineRules {
    fn default() -> Self {
        BaselineRules::DEFAULTS
    }
}
