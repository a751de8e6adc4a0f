//! When a candidate may shadow, and when a champion is taken back: rules with their defaults; pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::Span;

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

/// `rollback:` of `policy.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RollbackRules {
    /// For how long after its promotion a champion that falls is taken back; later the world has moved, not the model.
    pub watch: Span,
    /// How often a champion that is no worse than its predecessor and has not fallen is taken back all the same, over all
    /// looks of its watch together.
    pub alpha: f64,
    /// Labelled rows that must have arrived since the promotion before the predecessor is held against the champion.
    pub min_rows: u64,
    /// On the newest of them the predecessor's mean loss must be smaller by this share of the champion's.
    pub min_gain: f64,
}

impl RollbackRules {
    /// - `watch` eight judged windows: long enough for late labels, short enough that the predecessor still fits the world.
    /// - `alpha` 0.01: one needless rollback in a hundred promotions, as many as there are needless promotions
    ///   (`shadow.alpha`). Half of it is for a predecessor that is better, half for a catastrophe.
    /// - `min_rows` 200: the way back is a change like any other, and is believed on as many rows as the way there
    ///   (`shadow.min_pairs`).
    /// - `min_gain` 0.1: what a window must lose to count as lost (`performance.relative_margin`). A smaller lead is the next
    ///   candidate's business: a version that was rolled back never returns.
    pub const DEFAULTS: RollbackRules =
        RollbackRules { watch: Span::from_days(8), alpha: 0.01, min_rows: 200, min_gain: 0.1 };

    /// The risk of a predecessor that only seems better: half of `alpha`.
    pub fn risk_of_the_predecessor(&self) -> f64 {
        self.alpha / 2.0
    }

    /// The risk of a catastrophe that only seems one, when the newest judged window is of this size: the other half of `alpha`
    /// is shared among all windows that the watch touches.
    pub fn risk_of_a_window(&self, judge: Span) -> f64 {
        let windows = self.watch.micros() / judge.micros().max(1) + 1;
        self.alpha / 2.0 / windows.max(1) as f64
    }

    /// What contradicts itself: (key, what to write).
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            faults.push(("alpha", format!("{} is not between 0 and 1", self.alpha)));
        }
        if !(0.0..1.0).contains(&self.min_gain) {
            faults.push(("min_gain", format!("{} is not between 0 and 1", self.min_gain)));
        }
        if self.min_rows == 0 {
            faults.push(("min_rows", "0 would roll back on silence: write at least 1".to_owned()));
        }
        faults
    }
}

impl Default for RollbackRules {
    fn default() -> Self {
        RollbackRules::DEFAULTS
    }
}
