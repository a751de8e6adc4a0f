//! Logistic and linear models over scaled numbers and one-hot categories; pure, and refuses numbers that are not
//! finite when it is loaded.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Output, sigmoid};
use crate::types::{JsonError, read_json};

/// The newest `format_version` this code writes and reads.
const FORMAT_VERSION: u32 = 1;
/// The most features a row may have: a file may claim any number, and importance needs room for each.
const MOST_FEATURES: usize = 1 << 20;

/// A logistic or linear model: an intercept plus one term for each feature that has weight.
///
/// Rows are what `admit` makes: numbers as they are, ordinals as ranks, nominals as category indices. The model
/// expands them itself, so that no expanded vector ever exists outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Stored", into = "Stored")]
#[schemars(with = "Stored")]
pub struct LinearModel {
    kind: LinearKind,
    n_features: usize,
    terms: Vec<Term>,
    intercept: f64,
}

/// The link between margin and prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinearKind {
    /// The margin is the log-odds of the positive class.
    Logistic,
    /// The margin is the value.
    Linear,
}

/// What one feature adds to the margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Term {
    /// `weight * (value - mean) / scale`: a continuous feature, or an ordinal one by its rank.
    Scaled {
        /// The feature's position in a row, from 0.
        feature: usize,
        /// Its mean at training.
        mean: f64,
        /// Its standard deviation at training; above 0.
        scale: f64,
        /// Log-odds (or target units) per standard deviation.
        weight: f64,
    },
    /// The weight of the row's category; a category that is not in the table adds nothing.
    OneHot {
        /// The feature's position in a row, from 0.
        feature: usize,
        /// Log-odds (or target units) of each category, in the order of the contract's table.
        weights: Vec<f64>,
    },
}

/// Why numbers are not a linear model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LinearError {
    /// The file is not the JSON it should be.
    #[error("linear model: {0}")]
    Json(#[from] JsonError),
    /// More features than a row can have.
    #[error("linear model: {n_features} features; at most {MOST_FEATURES} can be read")]
    TooManyFeatures {
        /// How many there should be.
        n_features: usize,
    },
    /// Written by a newer version of Regent.
    #[error("linear model has format_version {found}; this version reads {FORMAT_VERSION}")]
    Format {
        /// The version it carries.
        found: u32,
    },
    /// A number is NaN or infinite.
    #[error("linear model: {what} is not finite")]
    NotFinite {
        /// Which one.
        what: String,
    },
    /// A scale that cannot be divided by.
    #[error("linear model: the scale of feature {feature} is {scale}, which is not above 0")]
    Scale {
        /// The feature's position.
        feature: usize,
        /// The scale.
        scale: f64,
    },
    /// A term beyond the row's end.
    #[error("linear model: a term for feature {feature} of {n_features}, counted from 0")]
    Feature {
        /// The feature's position.
        feature: usize,
        /// How many a row has.
        n_features: usize,
    },
    /// Two terms for one feature.
    #[error("linear model: feature {feature} has two terms")]
    Twice {
        /// The feature's position.
        feature: usize,
    },
}

/// The form in `model.json`.
///
/// `format_version` 1: first form.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LinearModel")]
struct Stored {
    format_version: u32,
    kind: LinearKind,
    n_features: usize,
    terms: Vec<Term>,
    intercept: f64,
}

impl LinearModel {
    /// A model over rows of `n_features` values.
    ///
    /// # Errors
    /// A number that is not finite, a scale that is not above 0, a feature beyond the row or with two terms.
    pub fn new(kind: LinearKind, n_features: usize, terms: Vec<Term>, intercept: f64) -> Result<Self, LinearError> {
        finite(intercept, || "the intercept".to_owned())?;
        if n_features > MOST_FEATURES {
            return Err(LinearError::TooManyFeatures { n_features });
        }
        let mut features = BTreeSet::new();
        for term in &terms {
            term.check()?;
            let feature = term.feature();
            if feature >= n_features {
                return Err(LinearError::Feature { feature, n_features });
            }
            if !features.insert(feature) {
                return Err(LinearError::Twice { feature });
            }
        }
        Ok(Self { kind, n_features, terms, intercept })
    }

    /// The model that a `model.json` holds.
    ///
    /// # Errors
    /// `Json` for a file that readers could read differently; as [`LinearModel::new`].
    pub fn read(bytes: &[u8]) -> Result<Self, LinearError> {
        read_json::<Stored>(bytes)?.try_into()
    }

    /// The raw margin of one row: log-odds or value. A row of another length than `n_features` has none: NaN.
    pub fn raw(&self, row: &[f64]) -> f64 {
        if row.len() != self.n_features {
            return f64::NAN;
        }
        let terms = self.terms.iter().map(|term| term.of(row[term.feature()]));
        terms.fold(self.intercept, |margin, term| margin + term)
    }

    /// The model's own prediction, uncalibrated: a probability (logistic) or a value (linear).
    pub fn score(&self, row: &[f64]) -> f64 {
        match self.kind {
            LinearKind::Logistic => sigmoid(self.raw(row)),
            LinearKind::Linear => self.raw(row),
        }
    }

    /// What a prediction of this model is.
    pub fn output(&self) -> Output {
        match self.kind {
            LinearKind::Logistic => Output::Probability,
            LinearKind::Linear => Output::Value,
        }
    }

    /// How many features a row must have.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The terms, one a feature at most.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The margin of a row whose terms are all zero.
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// How far each feature typically moves the margin, in the order of a row: the weight of one standard deviation,
    /// or, for categories, half the distance between the heaviest and the lightest (which is the same thing for two
    /// equally frequent ones).
    pub fn importance(&self) -> Vec<f64> {
        let mut importance = vec![0.0; self.n_features];
        for term in &self.terms {
            importance[term.feature()] = term.reach();
        }
        importance
    }
}

impl Term {
    /// The feature's position in a row, from 0.
    pub fn feature(&self) -> usize {
        match self {
            Term::Scaled { feature, .. } | Term::OneHot { feature, .. } => *feature,
        }
    }

    /// What this value adds to the margin.
    fn of(&self, value: f64) -> f64 {
        match self {
            Term::Scaled { mean, scale, weight, .. } => weight * ((value - mean) / scale),
            // A cast alone would take NaN and negative numbers for category 0.
            Term::OneHot { weights, .. } if value >= 0.0 => weights.get(value as usize).copied().unwrap_or(0.0),
            Term::OneHot { .. } => 0.0,
        }
    }

    fn reach(&self) -> f64 {
        match self {
            Term::Scaled { weight, .. } => weight.abs(),
            Term::OneHot { weights, .. } => {
                let heaviest = weights.iter().copied().max_by(f64::total_cmp);
                let lightest = weights.iter().copied().min_by(f64::total_cmp);
                heaviest.zip(lightest).map_or(0.0, |(high, low)| (high - low) / 2.0)
            }
        }
    }

    fn check(&self) -> Result<(), LinearError> {
        match self {
            Term::Scaled { feature, mean, scale, weight } => {
                for (number, what) in [(mean, "mean"), (scale, "scale"), (weight, "weight")] {
                    finite(*number, || format!("the {what} of feature {feature}"))?;
                }
                if *scale <= 0.0 {
                    return Err(LinearError::Scale { feature: *feature, scale: *scale });
                }
                Ok(())
            }
            Term::OneHot { feature, weights } => weights
                .iter()
                .enumerate()
                .try_for_each(|(at, weight)| finite(*weight, || format!("weight {at} of feature {feature}"))),
        }
    }
}

fn finite(number: f64, what: impl FnOnce() -> String) -> Result<(), LinearError> {
    if number.is_finite() {
        return Ok(());
    }
    Err(LinearError::NotFinite { what: what() })
}

impl TryFrom<Stored> for LinearModel {
    type Error = LinearError;

    fn try_from(stored: Stored) -> Result<Self, LinearError> {
        if stored.format_version != FORMAT_VERSION {
            return Err(LinearError::Format { found: stored.format_version });
        }
        Self::new(stored.kind, stored.n_features, stored.terms, stored.intercept)
    }
}

impl From<LinearModel> for Stored {
    fn from(model: LinearModel) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            kind: model.kind,
            n_features: model.n_features,
            terms: model.terms,
            intercept: model.intercept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn rain() -> LinearModel {
        let terms = vec![
            Term::Scaled { feature: 0, mean: 10.0, scale: 2.0, weight: 0.5 },
            Term::OneHot { feature: 2, weights: vec![-0.25, 0.0, 0.75] },
        ];
        LinearModel::new(LinearKind::Logistic, 3, terms, 0.125).unwrap()
    }

    #[rstest]
    #[case::category([14.0, 99.0, 2.0], 0.125 + 1.0 + 0.75)]
    #[case::unseen([10.0, 99.0, 3.0], 0.125)]
    #[case::far_unseen([10.0, 99.0, 1e300], 0.125)]
    #[case::negative([10.0, 99.0, -1.0], 0.125)]
    #[case::nan_category([10.0, 99.0, f64::NAN], 0.125)]
    fn an_unseen_category_adds_nothing(#[case] row: [f64; 3], #[case] margin: f64) {
        assert_eq!(rain().raw(&row), margin);
        assert_eq!(rain().score(&row), 1.0 / (1.0 + (-margin).exp()));
    }

    #[test]
    fn a_row_of_another_length_has_no_score() {
        assert!(rain().score(&[1.0, 2.0]).is_nan());
        assert!(rain().raw(&[1.0; 4]).is_nan());
    }

    #[test]
    fn importance_is_the_reach_of_each_feature() {
        assert_eq!(rain().importance(), [0.5, 0.0, 0.5]);
    }

    #[test]
    fn a_stored_model_comes_back_the_same() {
        let json = serde_json::to_string(&rain()).unwrap();
        assert!(json.starts_with(r#"{"format_version":1,"kind":"logistic","n_features":3,"terms":[{"kind":"scaled""#));
        assert_eq!(serde_json::from_str::<LinearModel>(&json).unwrap(), rain());
    }

    #[rstest]
    #[case::newer(r#""format_version":1"#, r#""format_version":2"#, "format_version 2")]
    #[case::scale(r#""scale":2.0"#, r#""scale":0.0"#, "not above 0")]
    #[case::beyond(r#""feature":2"#, r#""feature":3"#, "feature 3 of 3")]
    #[case::twice(r#""feature":2"#, r#""feature":0"#, "two terms")]
    #[case::overflow(r#""mean":10.0"#, r#""mean":1e999"#, "out of range")]
    #[case::unknown(r#""intercept""#, r#""extra":1,"intercept""#, "unknown field `extra`")]
    fn a_broken_model_is_refused_when_loaded(#[case] from: &str, #[case] to: &str, #[case] says: &str) {
        let json = serde_json::to_string(&rain()).unwrap().replacen(from, to, 1);
        let error = serde_json::from_str::<LinearModel>(&json).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        let error = LinearModel::new(LinearKind::Linear, 0, vec![], f64::NAN).unwrap_err();
        assert_eq!(error.to_string(), "linear model: the intercept is not finite");
        let term = Term::OneHot { feature: 0, weights: vec![0.0, f64::INFINITY] };
        let error = LinearModel::new(LinearKind::Linear, 1, vec![term], 0.0).unwrap_err();
        assert_eq!(error.to_string(), "linear model: weight 1 of feature 0 is not finite");
    }
}
