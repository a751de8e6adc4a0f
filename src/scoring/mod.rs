//! A fitted model's arithmetic in safe Rust: vector in, score out; pure.
//!
//! A [`Model`] (forest or linear) turns an admitted row into a *raw margin*; a [`Calibration`] turns the margin into a
//! probability (or, for regression, puts an interval around the value); a [`Scorer`] is the two together.

#[cfg(test)]
mod broken;
mod calibrated;
mod calibration;
mod forest;
mod linear;

pub use calibrated::{Model, Score, Scorer, ScorerError};
pub use calibration::{Calibration, CalibrationError, Conformal, Isotonic, Platt, Quantile};
pub use forest::{Forest, ForestError, Place};
pub use linear::{LinearError, LinearKind, LinearModel, Term};

/// What a model's prediction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// The probability of the positive class, in `[0, 1]`.
    Probability,
    /// A value in the target's unit.
    Value,
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Output::Probability => "probability",
            Output::Value => "value",
        })
    }
}

/// The logistic function, in the form LightGBM computes it.
fn sigmoid(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}
