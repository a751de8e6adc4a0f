//! A model that answers elsewhere, as rows with its answers show it: what features and predictions looked like, and how good
//! they were; pure. Nothing is fitted, and nothing can answer in its place.

use super::TrainError;
use super::calibrate::threshold;
use super::candidate::{Metrics, SliceMetrics, slices};
use super::metrics::measure;
use super::plan::{Path, Plan};
use crate::contract::{Contract, Profile, Said, Task};

/// What a model elsewhere is watched by.
#[derive(Debug, Clone, PartialEq)]
pub struct Portrait {
    /// What it was made by.
    pub plan: Plan,
    /// What it predicts.
    pub task: Task,
    /// How good its answers were; no metric without labels.
    pub metrics: Metrics,
    /// What features and answers looked like. Nobody knows what the model leans on, so every feature weighs the same.
    pub profile: Profile,
}

/// Portray a model on the rows of its plan's datasets.
///
/// # Errors
/// `TooFewRows`; `OtherRoad` for a plan to train; `WrongContract`, `Engine`, `NewerPlan`, `Rules` for one that is not to be
/// followed here.
pub fn portray(plan: &Plan, rows: &Said, contract: &Contract) -> Result<Portrait, TrainError> {
    plan.check(contract)?;
    if plan.path != Path::MonitorOnly {
        return Err(TrainError::OtherRoad { path: plan.path });
    }
    let (task, count) = (contract.task(), rows.predictions.len() as u64);
    if count < plan.rules.min_rows {
        return Err(TrainError::TooFewRows { has: count, needs: plan.rules.min_rows });
    }
    let threshold = match task {
        Task::Binary => threshold(&rows.predictions),
        Task::Regression => None,
    };
    let (metrics, slices) = match &rows.target {
        Some(labels) => {
            let all = 0..rows.predictions.len();
            let within = slices(task, (&rows.slices, labels), all, &rows.predictions, threshold);
            (measure(task, &rows.predictions, labels, threshold), within)
        }
        None => (Vec::new(), SliceMetrics::new()),
    };
    let features = contract.features().len();
    let importance = vec![1.0 / features.max(1) as f64; features];
    let profile = Profile::build(contract, &rows.vectors, &importance, &rows.predictions)?;
    let metrics = Metrics { format_version: 1, rows: count, threshold, metrics, slices };
    Ok(Portrait { plan: plan.clone(), task, metrics, profile })
}
