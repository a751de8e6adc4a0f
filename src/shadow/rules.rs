//! When live traffic has said enough of a candidate: rules with their defaults; pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::Span;

/// `shadow:` of `policy.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ShadowRules {
    /// Labelled pairs that a judgement needs.
    pub min_pairs: u64,
    /// Judged windows that a candidate must have shadowed in.
    pub min_windows: u64,
    /// How long a candidate must have shadowed.
    pub min_age: Span,
    /// How long it may shadow before it is rejected.
    pub max_age: Span,
    /// The error rate of the confidence sequence, however often it is looked at.
    pub alpha: f64,
    /// The candidate's mean loss must be smaller by this share of the champion's.
    pub min_gain: f64,
    /// Requests that only one of the two scored may be this share of all.
    pub unmatched: f64,
    /// The candidate's median latency may be so many times the champion's.
    pub latency_ratio: f64,
}

impl ShadowRules {
    /// - `min_pairs` 200: below it one lucky day decides.
    /// - `min_windows` 1, `min_age` none: the confidence sequence already says when the evidence suffices.
    /// - `max_age` 14 days: a candidate that is not better in two weeks was trained on another world.
    /// - `alpha` 0.01: one wrong promotion in a hundred candidates that are no better.
    /// - `min_gain` 0.02: a change has a price; two per cent of the loss pays it.
    /// - `unmatched` 0.1: more than that and the pairs are no longer the traffic.
    /// - `latency_ratio` 20: a forest may follow a logistic regression; a hundredfold may not.
    pub const DEFAULTS: ShadowRules = ShadowRules {
        min_pairs: 200,
        min_windows: 1,
        min_age: Span::ZERO,
        max_age: Span::from_days(14),
        alpha: 0.01,
        min_gain: 0.02,
        unmatched: 0.1,
        latency_ratio: 20.0,
    };

    /// What contradicts itself: (key, what to write).
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        for (key, share) in [("alpha", self.alpha), ("unmatched", self.unmatched)] {
            if !(share > 0.0 && share < 1.0) {
                faults.push((key, format!("{share} is not between 0 and 1")));
            }
        }
        if !(0.0..1.0).contains(&self.min_gain) {
            faults.push(("min_gain", format!("{} is not between 0 and 1", self.min_gain)));
        }
        if !(self.latency_ratio.is_finite() && self.latency_ratio > 0.0) {
            faults.push(("latency_ratio", format!("{} is not above 0", self.latency_ratio)));
        }
        if self.min_age >= self.max_age {
            faults.push(("min_age", format!("{} is not below `max_age` {}", self.min_age, self.max_age)));
        }
        if self.min_pairs == 0 || self.min_windows == 0 {
            faults.push(("min_pairs", "0 would promote on silence: write at least 1".to_owned()));
        }
        faults
    }
}

impl Default for ShadowRules {
    fn default() -> Self {
        ShadowRules::DEFAULTS
    }
}
