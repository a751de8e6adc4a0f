//! When a candidate may shadow: rules with their defaults; pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `evaluate:` of `policy.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluateRules {
    /// Rows that a comparison needs.
    pub min_rows: u64,
    /// The candidate's mean loss may be larger by this share of the champion's, beyond its interval.
    pub margin: f64,
    /// Its expected calibration error may be larger by this much.
    pub calibration_margin: f64,
    /// Its own scores may move by this PSI between its calibration rows and the newest ones (or χ²'s critical value).
    pub stability_psi: f64,
    /// The error rate of the bootstrap interval.
    pub alpha: f64,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// A slice with fewer rows is shown and fails nothing.
    pub min_slice_rows: u64,
}

impl EvaluateRules {
    /// - `min_rows` 30: enough to see a model that is plainly broken; live traffic decides the rest.
    /// - `margin` 0.02: two per cent of the loss is noise between two fits of the same model.
    /// - `calibration_margin` 0.1: on few rows the calibration error itself is this uncertain.
    /// - `stability_psi` 1: four times the line of drift; a season moves the scores of a sound model half as far, and one whose
    ///   scores move further on its own held-out rows is extrapolating.
    /// - `alpha` 0.05, `resamples` 1,000: the usual interval, stable to its second digit.
    /// - `min_slice_rows` 50: below it a slice says little.
    pub const DEFAULTS: EvaluateRules = EvaluateRules {
        min_rows: 30,
        margin: 0.02,
        calibration_margin: 0.1,
        stability_psi: 1.0,
        alpha: 0.05,
        resamples: 1_000,
        min_slice_rows: 50,
    };

    /// What contradicts itself: (key, what to write).
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        for (key, size) in [
            ("margin", self.margin),
            ("calibration_margin", self.calibration_margin),
            ("stability_psi", self.stability_psi),
        ] {
            if !(size.is_finite() && size >= 0.0) {
                faults.push((key, format!("{size} is not 0 or above")));
            }
        }
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            faults.push(("alpha", format!("{} is not between 0 and 1", self.alpha)));
        }
        if self.min_rows < 2 || self.resamples < 100 {
            faults.push(("min_rows", "a comparison needs 2 rows and 100 resamples at least".to_owned()));
        }
        faults
    }
}

impl Default for EvaluateRules {
    fn default() -> Self {
        EvaluateRules::DEFAULTS
    }
}
