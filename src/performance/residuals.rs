//! The errors of a regression beside those on the rows it was calibrated on: their distribution, and whether intervals hold as
//! many targets as they promise; pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PerformanceRules;
use crate::drift::{self, DriftRules, moved_far};
use crate::registry::VerifiedModel;
use crate::scoring::Calibration;
use crate::stats::histogram::Edges;
use crate::stats::{Estimate, Interval, regression};
use crate::types::{Check, Measurement, NotComputable, Operator, Verdict};

/// Bins of the distribution: deciles, as PSI's customary thresholds assume.
const BINS: usize = 10;

/// What a version's errors were on rows that it had not seen, and the interval that is served with every prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Promised {
    /// Target less prediction on the calibration rows.
    pub residuals: Vec<f64>,
    /// Half of the served interval's width, in the target's unit.
    pub half_width: f64,
    /// The share of targets that the interval promises to hold.
    pub level: f64,
}

impl Promised {
    /// What a version promises; nothing for a probability.
    pub fn by(model: &VerifiedModel) -> Option<Promised> {
        let Calibration::Conformal(map) = model.scorer().calibration() else { return None };
        let level = map.served_level();
        let served = map.quantiles().iter().find(|quantile| quantile.level == level)?;
        let residuals = model.calibrated_on().iter().map(|row| row.label - row.score).collect();
        Some(Promised { residuals, half_width: served.residual, level })
    }

    /// The share of targets in their interval, with Wilson's interval.
    ///
    /// # Errors
    /// No rows, or a number that is not finite.
    pub fn coverage(&self, predictions: &[f64], targets: &[f64]) -> Result<Estimate, NotComputable> {
        let around =
            |prediction: &f64| Interval { lower: prediction - self.half_width, upper: prediction + self.half_width };
        let served: Vec<Interval> = predictions.iter().map(around).collect();
        regression::coverage(&served, targets)
    }
}

/// The distribution of target less prediction in a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Residuals {
    /// The inner edges of the bins: deciles of the calibration rows' residuals, the same as long as the version serves.
    pub edges: Vec<f64>,
    /// How many of those fall in each bin.
    pub reference: Vec<u64>,
    /// How many of the window's.
    pub current: Vec<u64>,
    /// Whether they moved: `p_adjusted`, `psi` on the bins, `ks`.
    pub checks: Vec<Check>,
    /// Whether intervals hold what they promise: the upper end of the share's interval against the promised one.
    pub coverage: Check,
}

impl Residuals {
    /// Whether errors are not what they were: they moved, significantly and far, or fewer targets than promised lie in their
    /// interval.
    pub fn moved(&self) -> Verdict {
        moved_far(&self.checks).max(self.coverage.verdict)
    }

    /// The same with every check as the window's maturity lets it stand.
    pub(super) fn held(mut self, hold: impl Fn(Check) -> Check) -> Residuals {
        self.checks = self.checks.into_iter().map(&hold).collect();
        self.coverage = hold(self.coverage);
        self
    }
}

/// Hold a window's errors against what was promised; none if bins cannot be cut.
pub(super) fn residuals(
    promised: &Promised,
    (predictions, targets): (&[f64], &[f64]),
    drift: &DriftRules,
    rules: &PerformanceRules,
) -> Option<Residuals> {
    let edges = Edges::quantiles(&promised.residuals, BINS).ok()?;
    let now: Vec<f64> = targets.iter().zip(predictions).map(|(target, prediction)| target - prediction).collect();
    let upper = promised.coverage(predictions, targets).map(|share| share.interval.upper);
    let measured = Measurement::new("coverage_upper95", upper, now.len() as u64);
    let coverage = Check::require(measured, Operator::AtLeast, promised.level - rules.margin, rules.min_rows);
    Some(Residuals {
        reference: edges.counts(&promised.residuals).ok()?,
        current: edges.counts(&now).ok()?,
        checks: drift::samples(&promised.residuals, &now, &edges, drift),
        edges: edges.into(),
        coverage,
    })
}

#[cfg(test)]
mod tests;
