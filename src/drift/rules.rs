//! When a feature, a prediction or a dataset has drifted: rules with their defaults; pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{Rate, Span};

/// `drift:` of `policy.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DriftRules {
    /// A window with fewer rows says nothing of drift.
    pub min_rows: u64,
    /// Benjamini–Hochberg's false discovery rate over the features of a window.
    pub alpha: f64,
    /// A feature is large enough to have drifted from this PSI on (or χ²'s critical value, if that is larger).
    pub psi: f64,
    /// … or from this Kolmogorov–Smirnov distance on (of categories, the largest change of a share).
    pub ks: f64,
    /// A share of missing or unseen values must grow by this much.
    pub share: f64,
    /// A dataset has drifted from so many drifted features on.
    pub min_features: u64,
    /// Drift is severe from this importance-weighted PSI on.
    pub severe: f64,
    /// So many of the last `of` windows must have drifted.
    pub confirm: u64,
    /// Over how many windows drift is confirmed.
    pub of: u64,
    /// Volume may fall to this share of the median of recent windows, and rise to its inverse.
    pub volume: f64,
    /// Refused requests may be this share of all.
    pub invalid: f64,
    /// How often drift may be confirmed where nothing changed; `regent drift null` measures it, and `regent doctor` warns.
    pub false_alarms: Rate,
}

impl DriftRules {
    /// - `min_rows` 100: below it ten bins hold fewer than ten rows each and PSI is mostly noise.
    /// - `alpha` 0.01: one window in a hundred has a false feature; size and confirmation take the rest.
    /// - `psi` 0.1: the industry's line below which nothing has shifted (Siddiqi 2006, Credit Risk Scorecards).
    /// - `ks` 0.08: one row in twelve stands elsewhere.
    /// - `share` 0.03: one row in thirty became missing or unseen.
    /// - `min_features` 2: one feature alone is a sensor, not the world.
    /// - `severe` 1.0: the features the model leans on have on average moved ten times the line.
    /// - `confirm` 2 of 3: a single odd day confirms nothing, and two odd days wait for no third.
    /// - `volume` 0.5: half or double the usual traffic.
    /// - `invalid` 0.05: one refused request in twenty.
    /// - `false_alarms` 1 per 90d: once in a quarter, so that the next one is still believed.
    pub const DEFAULTS: DriftRules = DriftRules {
        min_rows: 100,
        alpha: 0.01,
        psi: 0.1,
        ks: 0.08,
        share: 0.03,
        min_features: 2,
        severe: 1.0,
        confirm: 2,
        of: 3,
        volume: 0.5,
        invalid: 0.05,
        false_alarms: Rate::new(1, Span::from_days(90)),
    };

    /// What contradicts itself: (key, what to write).
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let shares = [
            ("alpha", self.alpha),
            ("ks", self.ks),
            ("share", self.share),
            ("volume", self.volume),
            ("invalid", self.invalid),
        ];
        let mut faults: Vec<(&'static str, String)> = shares
            .into_iter()
            .filter(|(_, share)| !(*share > 0.0 && *share < 1.0))
            .map(|(key, share)| (key, format!("{share} is not between 0 and 1")))
            .collect();
        for (key, size) in [("psi", self.psi), ("severe", self.severe)] {
            if !(size.is_finite() && size > 0.0) {
                faults.push((key, format!("{size} is not above 0")));
            }
        }
        if self.confirm == 0 || self.confirm > self.of {
            faults.push(("confirm", format!("{} of {} cannot be confirmed", self.confirm, self.of)));
        }
        for (key, least) in [("min_rows", self.min_rows), ("min_features", self.min_features)] {
            if least == 0 {
                faults.push((key, "0 would find drift in nothing: write at least 1".to_owned()));
            }
        }
        faults
    }
}

impl Default for DriftRules {
    fn default() -> Self {
        DriftRules::DEFAULTS
    }
}
