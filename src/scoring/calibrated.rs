//! A model and its calibration as one function from an admitted row to what is answered; pure, and refuses a map that
//! belongs to another kind of model.

use std::ops::Deref;

use super::{Calibration, Forest, LinearModel, Output};

/// A fitted model of either family.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// LightGBM: boosted trees or a random forest.
    Forest(Forest),
    /// Logistic or linear regression.
    Linear(LinearModel),
}

/// A model with its calibration: what a version answers with.
#[derive(Debug, Clone, PartialEq)]
pub struct Scorer {
    model: Model,
    calibration: Calibration,
}

/// What a scorer says about one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The model's raw margin: log-odds (binary) or value (regression).
    pub raw: f64,
    /// The calibrated probability in `[0, 1]`, or the value in the target's unit.
    pub prediction: f64,
    /// Regression only: the served interval, lower and upper end, in the target's unit.
    pub interval: Option<(f64, f64)>,
}

/// Why a model and a calibration are not a scorer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScorerError {
    /// A probability needs an isotonic or Platt map, a value a conformal one.
    #[error("the model predicts a {model} and its calibration is made for a {calibration}")]
    Mismatch {
        /// What the model predicts.
        model: Output,
        /// What the calibration is for.
        calibration: Output,
    },
}

impl Model {
    /// The raw margin of one row, the input of every calibration; NaN for a row of another length than `n_features`.
    pub fn raw(&self, row: &[f64]) -> f64 {
        match self {
            Model::Forest(forest) => forest.raw(row),
            Model::Linear(linear) => linear.raw(row),
        }
    }

    /// The raw margins of many rows, each as [`raw`](Self::raw) gives it, in less time.
    pub fn raw_all<'a, R: Deref<Target = [f64]> + 'a>(&self, rows: impl IntoIterator<Item = &'a R>) -> Vec<f64> {
        let rows = rows.into_iter().map(Deref::deref);
        match self {
            Model::Forest(forest) => forest.raw_all(&rows.collect::<Vec<&[f64]>>()),
            Model::Linear(linear) => rows.map(|row| linear.raw(row)).collect(),
        }
    }

    /// What a prediction of this model is.
    pub fn output(&self) -> Output {
        match self {
            Model::Forest(forest) => forest.output(),
            Model::Linear(linear) => linear.output(),
        }
    }

    /// How many features a row must have.
    pub fn n_features(&self) -> usize {
        match self {
            Model::Forest(forest) => forest.n_features(),
            Model::Linear(linear) => linear.n_features(),
        }
    }

    /// How much each feature matters, in the order of a row, as shares that add up to 1; all zero for a model that uses
    /// none.
    pub fn importance(&self) -> Vec<f64> {
        let weights = match self {
            Model::Forest(forest) => forest.importance().to_vec(),
            Model::Linear(linear) => linear.importance(),
        };
        // Dividing by the greatest first keeps the sum finite.
        let greatest = weights.iter().copied().fold(0.0, f64::max);
        if greatest == 0.0 {
            return weights;
        }
        let total: f64 = weights.iter().map(|weight| weight / greatest).sum();
        weights.iter().map(|weight| weight / greatest / total).collect()
    }
}

impl Scorer {
    /// This model with this calibration.
    ///
    /// # Errors
    /// When the calibration is made for the other kind of prediction.
    pub fn new(model: Model, calibration: Calibration) -> Result<Self, ScorerError> {
        let made_for = calibration.output();
        if model.output() != made_for {
            return Err(ScorerError::Mismatch { model: model.output(), calibration: made_for });
        }
        Ok(Self { model, calibration })
    }

    /// The score of one admitted row. Every number is NaN for a row of another length than the model's `n_features`.
    pub fn score(&self, row: &[f64]) -> Score {
        self.calibrated(self.model.raw(row))
    }

    /// The scores of many admitted rows, each as [`score`](Self::score) gives it, in less time.
    pub fn score_all<'a, R: Deref<Target = [f64]> + 'a>(&self, rows: impl IntoIterator<Item = &'a R>) -> Vec<Score> {
        self.model.raw_all(rows).into_iter().map(|raw| self.calibrated(raw)).collect()
    }

    /// The predictions alone of [`score_all`](Self::score_all).
    pub fn predictions<'a, R: Deref<Target = [f64]> + 'a>(&self, rows: impl IntoIterator<Item = &'a R>) -> Vec<f64> {
        self.score_all(rows).into_iter().map(|score| score.prediction).collect()
    }

    fn calibrated(&self, raw: f64) -> Score {
        let prediction = self.calibration.apply(raw);
        Score { raw, prediction, interval: self.calibration.interval(prediction) }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The calibration.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::{Conformal, LinearKind, Platt, Quantile, Term};

    fn model(kind: LinearKind) -> Model {
        let term = |feature, weight| Term::Scaled { feature, mean: 0.0, scale: 1.0, weight };
        Model::Linear(LinearModel::new(kind, 3, vec![term(0, 3.0), term(2, -1.0)], 0.0).unwrap())
    }

    fn platt() -> Calibration {
        Calibration::Platt(Platt::new(0.5, 0.0).unwrap())
    }

    fn conformal() -> Calibration {
        let quantile = Quantile { level: 0.9, residual: 2.0 };
        Calibration::Conformal(Conformal::new(0.9, vec![quantile]).unwrap())
    }

    #[test]
    fn a_probability_is_calibrated_from_the_raw_margin() {
        let score = Scorer::new(model(LinearKind::Logistic), platt()).unwrap().score(&[1.0, 0.0, 1.0]);
        assert_eq!(score.raw, 2.0);
        assert_eq!(score.prediction, 1.0 / (1.0 + (-1.0_f64).exp()));
        assert_eq!(score.interval, None);
    }

    #[test]
    fn a_value_comes_with_its_interval() {
        let score = Scorer::new(model(LinearKind::Linear), conformal()).unwrap().score(&[1.0, 0.0, 1.0]);
        assert_eq!((score.prediction, score.interval), (2.0, Some((0.0, 4.0))));
    }

    #[test]
    fn a_calibration_of_the_other_kind_is_refused() {
        let mismatch = Scorer::new(model(LinearKind::Linear), platt()).unwrap_err();
        assert_eq!(mismatch.to_string(), "the model predicts a value and its calibration is made for a probability");
        assert!(Scorer::new(model(LinearKind::Logistic), conformal()).is_err());
    }

    #[test]
    fn importance_adds_up_to_one() {
        assert_eq!(model(LinearKind::Linear).importance(), [0.75, 0.0, 0.25]);
        let constant = LinearModel::new(LinearKind::Linear, 2, vec![], 1.0).unwrap();
        assert_eq!(Model::Linear(constant).importance(), [0.0, 0.0]);
    }
}
