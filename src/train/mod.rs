//! Stage 3: a frozen dataset and a plan become a fitted, calibrated candidate. The same inputs give the same bytes.

mod calibrate;
mod candidate;
mod choose;
mod family;
mod importance;
pub mod lightgbm;
mod linear;
mod metrics;
mod plan;
mod platt;
mod portrait;
mod rules;
mod selftest;
mod split;
#[cfg(test)]
pub(crate) mod worlds;

pub use candidate::{Candidate, Extent, Margin, Metrics, SliceMetrics, train};
pub use choose::{Step, TrainingLog, Trial};
pub use family::Family;
pub use metrics::{Direction, Metric, RANKED, direction, measure, method};
pub use plan::{ENGINE, Path, Plan};
pub use portrait::{Portrait, portray};
pub use rules::{BaselineRules, ForestRules, LookBack, Part, TrainRules};
pub use selftest::{SelfTest, SelfTestFault};

use crate::contract::ContractError;
use crate::scoring::{CalibrationError, ForestError, ScorerError};
use crate::types::{ModelName, NotComputable, Version};

/// Why there is no candidate; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// There is not enough to learn from.
    #[error("train on {has} rows: at least {needs} are needed")]
    TooFewRows {
        /// Rows there are.
        has: u64,
        /// Rows it takes.
        needs: u64,
    },
    /// One of the two classes hardly occurs.
    #[error("train on {positives} positive and {negatives} negative rows: at least {needs} of each are needed")]
    ClassRows {
        /// Rows of the positive class.
        positives: u64,
        /// Rows of the negative class.
        negatives: u64,
        /// Rows of each that it takes.
        needs: u64,
    },
    /// Vectors, labels and their order are not of one length, or a label is not what the task needs.
    #[error("train on {what}")]
    Rows {
        /// What does not fit.
        what: String,
    },
    /// A model elsewhere is portrayed and not trained, and every other one the other way round.
    #[error("follow a {path} plan: that is another road")]
    OtherRoad {
        /// The plan's path.
        path: Path,
    },
    /// No family could be fitted.
    #[error("fit any family ({why})")]
    NoFamily {
        /// Each family's reason.
        why: String,
    },
    /// A solver failed.
    #[error("fit a {family} model: {why}")]
    Fit {
        /// The family.
        family: Family,
        /// What the solver said.
        why: String,
    },
    /// LightGBM failed.
    #[error("fit a LightGBM model")]
    LightGbm(#[from] lightgbm::LightGbmError),
    /// LightGBM's text is not one that this program evaluates.
    #[error("evaluate the LightGBM model just fitted")]
    Forest(#[from] ForestError),
    /// Margins do not give a calibration map.
    #[error("calibrate the model")]
    Calibration(#[from] CalibrationError),
    /// Model and calibration do not belong together.
    #[error("calibrate the model")]
    Scorer(#[from] ScorerError),
    /// A number that the calibration rests on cannot be computed.
    #[error("calibrate the model")]
    NotComputable(#[from] NotComputable),
    /// The features or scores have no histogram.
    #[error("profile the rows")]
    Profile(#[from] ContractError),
    /// The plan is of another model or contract than the one given.
    #[error("follow the plan: it names {planned_model} under contract {planned}, given was {model} under {given}")]
    WrongContract {
        /// The plan's model.
        planned_model: ModelName,
        /// The plan's contract.
        planned: Version,
        /// The contract's name.
        model: ModelName,
        /// The contract's version.
        given: Version,
    },
    /// Another program may give other bytes.
    #[error("follow the plan: it pins `{pinned}`, this is `{here}`; let that program train, or plan anew")]
    Engine {
        /// What the plan pins.
        pinned: String,
        /// What this program is.
        here: &'static str,
    },
    /// The plan was written by a newer program.
    #[error("follow the plan: its format_version is {found}, this program knows up to {known}")]
    NewerPlan {
        /// The plan's.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// The plan's rules contradict themselves.
    #[error("follow the plan: train.{key}: {what}")]
    Rules {
        /// The key.
        key: &'static str,
        /// What is wrong.
        what: String,
    },
    /// A value could not become JSON.
    #[error("print {what} as JSON")]
    Json {
        /// What.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
}

#[cfg(test)]
mod tests;
