//! The families of models and how one is fitted on rows; pure but for LightGBM. Refuses rows that a family cannot learn from.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lightgbm::{self, Boosting, Fit, Objective, Settings};
use super::rules::{ForestRules, TrainRules};
use super::{TrainError, linear};
use crate::contract::{Contract, Feature, FeatureKind, Task};
use crate::scoring::{Forest, LinearModel, Model};
use crate::types::canonical_json;

/// A family of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Logistic regression; binary only.
    Logistic,
    /// Linear regression; regression only.
    Linear,
    /// LightGBM's gradient-boosted trees.
    Gbdt,
    /// LightGBM's random-forest mode; binary only.
    RandomForest,
}

impl Family {
    /// Every family, the simplest first: of equally good ones the first is taken.
    pub const ALL: [Family; 4] = [Family::Logistic, Family::Linear, Family::Gbdt, Family::RandomForest];

    /// Whether it predicts what this task wants.
    pub fn fits(self, task: Task) -> bool {
        match self {
            Family::Logistic | Family::RandomForest => task == Task::Binary,
            Family::Linear => task == Task::Regression,
            Family::Gbdt => true,
        }
    }

    /// The file of a bundle that holds a model of this family.
    pub fn file(self) -> &'static str {
        match self {
            Family::Logistic | Family::Linear => "model.json",
            Family::Gbdt | Family::RandomForest => "model.txt",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Family::Logistic => "logistic",
            Family::Linear => "linear",
            Family::Gbdt => "gbdt",
            Family::RandomForest => "random_forest",
        })
    }
}

/// Admitted rows with what came true of them, in the order of time.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// One vector a row, in the contract's order.
    pub vectors: &'a [&'a [f64]],
    /// 1 or 0 for a binary task, else the number; as many as vectors.
    pub labels: &'a [f64],
}

impl<'a> Rows<'a> {
    /// The rows of a range that lies within.
    pub fn part(&self, range: Range<usize>) -> Rows<'a> {
        Rows {
            vectors: self.vectors.get(range.clone()).unwrap_or_default(),
            labels: self.labels.get(range).unwrap_or_default(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }
}

/// A fitted model and the bytes that it is kept as.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// For scoring.
    pub model: Model,
    /// For the bundle: LightGBM's text or canonical JSON.
    pub bytes: Vec<u8>,
}

impl Fitted {
    /// The raw margin of each row.
    pub fn margins(&self, rows: Rows<'_>) -> Vec<f64> {
        self.model.raw_all(rows.vectors)
    }
}

/// Everything a fit depends on but family and rows.
#[derive(Debug, Clone, Copy)]
pub struct Fitter<'a> {
    /// Names, kinds and categories of the features.
    pub contract: &'a Contract,
    /// The numbers of each family.
    pub rules: &'a TrainRules,
    /// For the draws of features and rows.
    pub seed: u64,
}

impl Fitter<'_> {
    /// The families of the rules that fit the task, in the rules' order.
    pub fn families(&self) -> Vec<Family> {
        self.rules.families.iter().copied().filter(|family| family.fits(self.contract.task())).collect()
    }

    /// Fit one family on rows. The same rows, rules and seed give the same bytes.
    ///
    /// # Errors
    /// `ClassRows` for a binary task with too few rows of a class; `Fit` or `LightGbm` when the fit fails.
    pub fn fit(&self, family: Family, rows: Rows<'_>) -> Result<Fitted, TrainError> {
        self.both_classes(rows)?;
        match family {
            Family::Logistic => keep(linear::logistic(self.contract, rows, self.rules.ridge)?),
            Family::Linear => keep(linear::linear(self.contract, rows, self.rules.ridge)?),
            Family::Gbdt => self.forest(Boosting::Gbdt, &self.rules.gbdt, rows),
            Family::RandomForest => self.forest(Boosting::RandomForest, &self.rules.random_forest, rows),
        }
    }

    /// Whether a binary task has rows enough of both classes.
    ///
    /// # Errors
    /// `ClassRows` with how many there are of each.
    pub fn both_classes(&self, rows: Rows<'_>) -> Result<(), TrainError> {
        if self.contract.task() == Task::Regression {
            return Ok(());
        }
        let positives = rows.labels.iter().filter(|label| **label > 0.5).count() as u64;
        let negatives = rows.len() as u64 - positives;
        let fewest = positives.min(negatives);
        if fewest < self.rules.min_class_rows {
            return Err(TrainError::ClassRows { positives, negatives, needs: self.rules.min_class_rows });
        }
        Ok(())
    }
}

impl Fitter<'_> {
    fn forest(&self, boosting: Boosting, rules: &ForestRules, rows: Rows<'_>) -> Result<Fitted, TrainError> {
        let leaf = u32::try_from(rules.leaf.of(rows.len() as u64)).unwrap_or(u32::MAX);
        let settings = Settings {
            boosting,
            rounds: rules.trees,
            learning_rate: rules.learning_rate,
            num_leaves: rules.leaves,
            min_data_in_leaf: leaf,
            // A group is split off together with what it is split from, so both must be worth a leaf.
            min_data_per_group: leaf.saturating_mul(2),
            lambda_l2: rules.l2,
            feature_fraction: rules.feature_share,
            bagging_fraction: rules.row_share,
            bagging_freq: 1,
            max_bin: rules.bins,
            min_data_in_bin: 3,
            threads: 1,
        };
        let features = self.contract.features();
        let nominal = |(_, feature): &(usize, &Feature)| feature.kind == FeatureKind::Nominal;
        let categorical: Vec<usize> = features.iter().enumerate().filter(nominal).map(|(at, _)| at).collect();
        let text = lightgbm::fit(&Fit {
            features: &rows.vectors.concat(),
            names: &plain_names(features),
            categorical: &categorical,
            labels: &rows.labels.iter().map(|label| *label as f32).collect::<Vec<_>>(),
            objective: match self.contract.task() {
                Task::Binary => Objective::Binary,
                Task::Regression => Objective::Regression,
            },
            settings: &settings,
            seed: self.seed,
        })?;
        let model = Model::Forest(Forest::parse(&text)?);
        Ok(Fitted { model, bytes: text.into_bytes() })
    }
}

/// The features' names as LightGBM's text can hold them; with their place in front where two would be the same.
fn plain_names(features: &[Feature]) -> Vec<String> {
    let refused = |c: char| c.is_whitespace() || c.is_control() || "\",:[]{}".contains(c);
    let plain: Vec<String> = features.iter().map(|feature| feature.name.replace(refused, "_")).collect();
    let distinct: BTreeSet<&String> = plain.iter().collect();
    if distinct.len() == plain.len() && !distinct.contains(&String::new()) {
        return plain;
    }
    plain.iter().enumerate().map(|(place, name)| format!("{place}_{name}")).collect()
}

fn keep(model: LinearModel) -> Result<Fitted, TrainError> {
    let bytes = canonical_json(&model).map_err(|source| TrainError::Json { what: "a model", source })?;
    Ok(Fitted { model: Model::Linear(model), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_has_a_simple_family_and_a_forest() {
        let of = |task| Family::ALL.into_iter().filter(|family| family.fits(task)).collect::<Vec<_>>();
        assert_eq!(of(Task::Binary), [Family::Logistic, Family::Gbdt, Family::RandomForest]);
        assert_eq!(of(Task::Regression), [Family::Linear, Family::Gbdt]);
    }
}
