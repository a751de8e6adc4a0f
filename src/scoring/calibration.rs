//! Maps from a raw margin to what may be believed: isotonic, Platt, split-conformal; pure, and refuses a map that is
//! not monotone and finite.
//!
//! Every map takes the model's **raw margin** ([`super::Model::raw`]): log-odds for a binary model, whatever its family,
//! and the predicted value for regression. None takes the model's own probability.

mod stored;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Output, sigmoid};
use crate::types::{JsonError, read_json};
use stored::Stored;

/// The newest `format_version` this code writes and reads.
const FORMAT_VERSION: u32 = 1;

/// A calibration map, as `calibration.json` holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Stored", into = "Stored")]
#[schemars(with = "Stored")]
pub enum Calibration {
    /// Binary: a monotone, piecewise linear map from margin to probability.
    Isotonic(Isotonic),
    /// Binary: a logistic map from margin to probability.
    Platt(Platt),
    /// Regression: the prediction stays, an interval comes with it.
    Conformal(Conformal),
}

/// Knots `(x, y)`, linear between them and constant outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Isotonic {
    x: Vec<f64>,
    y: Vec<f64>,
}

/// `1 / (1 + exp(-(a * margin + b)))`: Platt (1999), *Probabilistic Outputs for Support Vector Machines*, with both
/// signs turned so that `a = 1, b = 0` leaves log-odds as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Platt {
    a: f64,
    b: f64,
}

/// Split-conformal intervals: at each level, the quantile of absolute residuals on the calibration rows (Lei et al.
/// 2018, *Distribution-Free Predictive Inference for Regression*, algorithm 2).
#[derive(Debug, Clone, PartialEq)]
pub struct Conformal {
    served_level: f64,
    quantiles: Vec<Quantile>,
}

/// One level of a conformal calibration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// The share of rows whose interval holds the label, in `(0, 1)`.
    pub level: f64,
    /// The half-width of the interval, in the target's unit.
    pub residual: f64,
}

/// Why numbers are not a calibration map.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// The file is not the JSON it should be.
    #[error("calibration: {0}")]
    Json(#[from] JsonError),
    /// Written by a newer version of Regent.
    #[error("calibration has format_version {found}; this version reads {FORMAT_VERSION}")]
    Format {
        /// The version it carries.
        found: u32,
    },
    /// A number is NaN or infinite (or so are the distances between numbers).
    #[error("calibration: `{key}` is not finite")]
    NotFinite {
        /// Which.
        key: &'static str,
    },
    /// A list that must rise does not.
    #[error("calibration: `{key}` falls (or, where it must rise strictly, stays) at position {at}")]
    NotMonotone {
        /// Which.
        key: &'static str,
        /// The position of the value that is too small, from 0.
        at: usize,
    },
    /// A number outside of where it must lie.
    #[error("calibration: `{key}` is {found}, which is not {expected}")]
    OutOfRange {
        /// Which.
        key: &'static str,
        /// The number.
        found: f64,
        /// Where it must lie.
        expected: &'static str,
    },
    /// Nothing to interpolate between, or lists of two lengths.
    #[error("calibration: {x} values of `x` and {y} of `y`, which must be as many and at least one")]
    Knots {
        /// How many `x`.
        x: usize,
        /// How many `y`.
        y: usize,
    },
    /// The served level has no quantile.
    #[error("calibration: `served_level` {level} is not among the quantiles' levels")]
    NoSuchLevel {
        /// The level.
        level: f64,
    },
}

impl Isotonic {
    /// The map through the knots `(x[i], y[i])`.
    ///
    /// # Errors
    /// Unless there are as many `x` as `y` and at least one, `x` rises strictly, `y` never falls and stays in `[0, 1]`,
    /// and everything is finite.
    pub fn new(x: Vec<f64>, y: Vec<f64>) -> Result<Self, CalibrationError> {
        let (Some(first), Some(last)) = (x.first(), x.last()) else {
            return Err(CalibrationError::Knots { x: x.len(), y: y.len() });
        };
        if x.len() != y.len() {
            return Err(CalibrationError::Knots { x: x.len(), y: y.len() });
        }
        // The span, too, or interpolating between far knots would divide infinities.
        if !(last - first).is_finite() || x.iter().any(|x| !x.is_finite()) {
            return Err(CalibrationError::NotFinite { key: "x" });
        }
        probabilities(&y)?;
        rising("x", &x, |low, high| low < high)?;
        rising("y", &y, |low, high| low <= high)?;
        Ok(Self { x, y })
    }

    /// The knots' margins, strictly rising.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// The knots' probabilities, never falling.
    pub fn y(&self) -> &[f64] {
        &self.y
    }

    fn apply(&self, margin: f64) -> f64 {
        if margin.is_nan() {
            return f64::NAN;
        }
        let above = self.x.partition_point(|x| *x <= margin);
        let below = above.checked_sub(1);
        let knot = |at: usize| self.x.get(at).copied().zip(self.y.get(at).copied());
        match (below.and_then(knot), knot(above)) {
            (Some((x0, y0)), Some((x1, y1))) => {
                let share = (margin - x0) / (x1 - x0);
                // Rounding may step over the upper knot by a bit.
                (y0 + (y1 - y0) * share).min(y1)
            }
            (Some((_, y)), None) | (None, Some((_, y))) => y,
            (None, None) => f64::NAN,
        }
    }
}

impl Platt {
    /// The map with this slope and offset.
    ///
    /// # Errors
    /// Unless both are finite and the slope is not negative: a calibration does not reverse the order of scores.
    pub fn new(a: f64, b: f64) -> Result<Self, CalibrationError> {
        for (key, number) in [("a", a), ("b", b)] {
            if !number.is_finite() {
                return Err(CalibrationError::NotFinite { key });
            }
        }
        if a < 0.0 {
            return Err(CalibrationError::OutOfRange { key: "a", found: a, expected: "at least 0" });
        }
        Ok(Self { a, b })
    }

    /// The slope.
    pub fn a(&self) -> f64 {
        self.a
    }

    /// The offset.
    pub fn b(&self) -> f64 {
        self.b
    }

    fn apply(&self, margin: f64) -> f64 {
        sigmoid(self.a * margin + self.b)
    }
}

impl Conformal {
    /// Intervals at these levels, of which one is served with every prediction.
    ///
    /// # Errors
    /// Unless levels lie in `(0, 1)` and rise strictly, residuals are finite, not negative and never fall, and the
    /// served level is among them.
    pub fn new(served_level: f64, quantiles: Vec<Quantile>) -> Result<Self, CalibrationError> {
        for Quantile { level, residual } in &quantiles {
            if !(*level > 0.0 && *level < 1.0) {
                return Err(CalibrationError::OutOfRange { key: "level", found: *level, expected: "between 0 and 1" });
            }
            if !residual.is_finite() {
                return Err(CalibrationError::NotFinite { key: "residual" });
            }
            if *residual < 0.0 {
                return Err(CalibrationError::OutOfRange { key: "residual", found: *residual, expected: "at least 0" });
            }
        }
        rising("level", &quantiles, |low, high| low.level < high.level)?;
        rising("residual", &quantiles, |low, high| low.residual <= high.residual)?;
        if quantiles.iter().all(|quantile| quantile.level != served_level) {
            return Err(CalibrationError::NoSuchLevel { level: served_level });
        }
        Ok(Self { served_level, quantiles })
    }

    /// The level whose interval is served: the share of labels it should hold.
    pub fn served_level(&self) -> f64 {
        self.served_level
    }

    /// Every level, rising.
    pub fn quantiles(&self) -> &[Quantile] {
        &self.quantiles
    }

    /// The interval around a prediction at one of the levels, in the target's unit; `None` for another level.
    pub fn interval(&self, prediction: f64, level: f64) -> Option<(f64, f64)> {
        let quantile = self.quantiles.iter().find(|quantile| quantile.level == level)?;
        Some((prediction - quantile.residual, prediction + quantile.residual))
    }
}

impl Calibration {
    /// The map that a `calibration.json` holds.
    ///
    /// # Errors
    /// `Json` for a file that readers could read differently; `Format`; as the map's own `new`.
    pub fn read(bytes: &[u8]) -> Result<Calibration, CalibrationError> {
        read_json::<Stored>(bytes)?.try_into()
    }

    /// The prediction for a raw margin: a probability in `[0, 1]`, or for regression the value itself. NaN stays NaN.
    pub fn apply(&self, margin: f64) -> f64 {
        match self {
            Calibration::Isotonic(map) => map.apply(margin),
            Calibration::Platt(map) => map.apply(margin),
            Calibration::Conformal(_) => margin,
        }
    }

    /// What the calibrated prediction is.
    pub fn output(&self) -> Output {
        match self {
            Calibration::Isotonic(_) | Calibration::Platt(_) => Output::Probability,
            Calibration::Conformal(_) => Output::Value,
        }
    }

    /// The served interval around a prediction, in the target's unit; `None` for a binary calibration.
    pub fn interval(&self, prediction: f64) -> Option<(f64, f64)> {
        match self {
            Calibration::Isotonic(_) | Calibration::Platt(_) => None,
            Calibration::Conformal(map) => map.interval(prediction, map.served_level),
        }
    }
}

fn probabilities(y: &[f64]) -> Result<(), CalibrationError> {
    match y.iter().find(|y| !(0.0..=1.0).contains(*y)) {
        Some(y) if y.is_nan() => Err(CalibrationError::NotFinite { key: "y" }),
        Some(y) => Err(CalibrationError::OutOfRange { key: "y", found: *y, expected: "in [0, 1]" }),
        None => Ok(()),
    }
}

fn rising<T>(key: &'static str, values: &[T], in_order: impl Fn(&T, &T) -> bool) -> Result<(), CalibrationError> {
    match values.windows(2).position(|pair| !in_order(&pair[0], &pair[1])) {
        Some(before) => Err(CalibrationError::NotMonotone { key, at: before + 1 }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
