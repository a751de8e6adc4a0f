//! When a model is retrained: rules with their defaults; pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Action;
use crate::types::Span;

/// `retrain:` of `policy.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetrainRules {
    /// The calmest action that starts a training.
    pub on: Action,
    /// After a training no other begins for this time, unless something newer and catastrophic happened.
    pub cooldown: Span,
    /// A training needs so many labelled rows that the last one did not have.
    pub min_new_rows: u64,
    /// Recommend a training whenever this time has passed since the last one; none is no schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// Require a training when labelled rows newer than the last one are this many times the rows that the champion learned
    /// from: it has been outgrown. 0 is never.
    pub outgrown: f64,
}

impl RetrainRules {
    /// - `on` RETRAIN_REQUIRED: a recommendation is for people.
    /// - `cooldown` three days: labels of the first retrained model must come in before it is judged again.
    /// - `min_new_rows` 100: fewer cannot tell a new world from an odd day.
    /// - `every` none: a calendar is not evidence.
    /// - `outgrown` 1: when there is as much new as was learned from, half of what can be known is unused. Training is not
    ///   promotion: a model that is no better is not promoted.
    pub const DEFAULTS: RetrainRules = RetrainRules {
        on: Action::RetrainRequired,
        cooldown: Span::from_days(3),
        min_new_rows: 100,
        every: None,
        outgrown: 1.0,
    };

    /// What contradicts itself: (key, what to write).
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if !(self.outgrown.is_finite() && self.outgrown >= 0.0) {
            faults.push(("outgrown", format!("{} is not 0 or above", self.outgrown)));
        }
        if self.min_new_rows == 0 {
            faults.push(("min_new_rows", "0 would train on nothing new: write at least 1".to_owned()));
        }
        if self.every.is_some_and(Span::is_zero) {
            faults.push(("every", "0s would train at every tick: leave it out, or write 30d".to_owned()));
        }
        if !matches!(self.on, Action::RetrainRecommended | Action::RetrainRequired) {
            faults.push(("on", "write RETRAIN_RECOMMENDED or RETRAIN_REQUIRED".to_owned()));
        }
        faults
    }
}

impl Default for RetrainRules {
    fn default() -> Self {
        RetrainRules::DEFAULTS
    }
}
