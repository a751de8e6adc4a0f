//! The rules of governing, raw and checked, and all stages' rules gathered for one decision; pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::drift::DriftRules;
use crate::evaluate::{EvaluateRules, RollbackRules};
use crate::performance::PerformanceRules;
use crate::policy::RetrainRules;
use crate::registry::SignatureRules;
use crate::shadow::ShadowRules;
use crate::snapshot::WindowRules;
use crate::train::TrainRules;
use crate::types::Span;

/// `promotion:` of `policy.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PromotionRules {
    /// Whether a PROMOTABLE candidate is promoted by itself or by an `approve` override.
    pub mode: Mode,
    /// The same for the first model of a lineage, which has nobody to be compared with.
    pub first: Mode,
    /// At most one automatic promotion or rollback in this time.
    pub cooldown: Span,
    /// How long a training may be silent before another governor repeats it.
    pub takeover_after: Span,
    /// After so many failed attempts at one training the candidate is rejected.
    pub attempts: u32,
    /// A clock that is this far ahead of the newest entry is not believed without a `clock` override.
    pub clock_jump: Span,
}

/// Who promotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The governor, on evidence.
    Automatic,
    /// A person, by an `approve` override, on the same evidence.
    Manual,
}

impl PromotionRules {
    /// - `cooldown` three judged windows: a change must be seen working before the next one.
    /// - `takeover_after` one hour: longer than any fit of a table that fits in memory, shorter than a judged window.
    /// - `attempts` three: one for chance, one for a restart, one to be sure.
    /// - `clock_jump` 90 days: longer than a holiday without a governor, shorter than a wrong year.
    pub const DEFAULTS: PromotionRules = PromotionRules {
        mode: Mode::Automatic,
        first: Mode::Automatic,
        cooldown: Span::from_days(3),
        takeover_after: Span::from_hours(1),
        attempts: 3,
        clock_jump: Span::from_days(90),
    };
}

impl Default for PromotionRules {
    fn default() -> Self {
        PromotionRules::DEFAULTS
    }
}

/// The checked rules of every stage, as one decision needs them; recorded under `inputs/` as they were.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Rules {
    /// Sizes of windows, and how long to wait for silent replicas.
    pub windows: WindowRules,
    /// When a feature and a dataset have drifted.
    pub drift: DriftRules,
    /// When a window is mature, and when a model has lost.
    pub performance: PerformanceRules,
    /// When to train.
    pub retrain: RetrainRules,
    /// How to train.
    pub train: TrainRules,
    /// When a candidate may shadow.
    pub evaluate: EvaluateRules,
    /// When a candidate is promotable.
    pub shadow: ShadowRules,
    /// Who promotes, and how often.
    pub promotion: PromotionRules,
    /// When a champion is taken back.
    pub rollback: RollbackRules,
    /// Whose signatures a version needs.
    #[serde(default)]
    pub signature: SignatureRules,
}
