//! A young champion and its predecessor head to head on the newest labelled rows; pure. It may look as often as it likes, and
//! only `Pass` says that the way back is the better one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::paired::{Answers, Paired};
use super::rules::RollbackRules;
use crate::contract::Task;
use crate::drift::{Moved, Severity};
use crate::performance::{Baseline, PerformanceRules, catastrophic};
use crate::train::measure;
use crate::types::{Check, Digest, Measurement, ModelName, Operator, Timestamp, Verdict, Version};

/// A stretch of rows on which the predecessor may have become the better one begins at every so many rows, however they are cut
/// into files: as many as a window needs to be judged.
const STRETCH: u64 = 100;

/// What the newest labelled rows say of the way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Watch {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// Who serves.
    pub champion: Version,
    /// The digest of its manifest.
    pub champion_bundle: Digest,
    /// Whom a rollback would return to.
    pub predecessor: Version,
    /// The digest of its manifest.
    pub predecessor_bundle: Digest,
    /// When the champion was promoted: only rows that arrived later are compared.
    pub since: Timestamp,
    /// The datasets that arrived since and were compared, in the order of their arrival.
    pub datasets: Vec<Digest>,
    /// Datasets that arrived since and could not be compared, each with why.
    pub left_out: Vec<String>,
    /// How many rows both scored.
    pub rows: u64,
    /// Enough rows; the paired loss difference; the predecessor's own collapse and drift.
    pub checks: Vec<Check>,
    /// What is shown and decides nothing: the gain on all rows since the promotion.
    pub shown: Vec<Check>,
    /// The worst of the checks: `Pass` if the predecessor is better, `Insufficient` while that is not shown.
    pub verdict: Verdict,
}

/// Who is watched, and on what.
#[derive(Debug, Clone, Copy)]
pub struct Watched<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// What it predicts.
    pub task: Task,
    /// Who serves, and the digest of its manifest.
    pub champion: (Version, Digest),
    /// Whom a rollback would return to, and the digest of its manifest.
    pub predecessor: (Version, Digest),
    /// When the champion was promoted.
    pub since: Timestamp,
    /// The datasets compared.
    pub datasets: &'a [Digest],
    /// The datasets left out, each with why.
    pub left_out: &'a [String],
    /// Rows newer than what either was trained on, in the order in which they arrived. The predecessor is the challenger.
    pub rows: &'a [Answers],
    /// Regression: absolute errors are clipped here, the stated quantile of the champion's own held-out errors.
    pub clip: f64,
    /// What the predecessor was promoted with.
    pub baseline: &'a Baseline,
    /// How far the newest `rollback.min_rows` of the rows lie from the predecessor's own profile.
    pub moved: &'a Moved,
}

/// Judge whether the predecessor serves the newest rows better.
pub fn watch(watched: Watched<'_>, rules: &RollbackRules, performance: &PerformanceRules) -> Watch {
    let paired = Paired::of(watched.task, watched.clip, watched.rows.iter().copied());
    let newest = usize::try_from(rules.min_rows).unwrap_or(usize::MAX);
    let checks = vec![
        enough(&paired, rules),
        better(&paired, rules),
        worth(&paired, newest, rules),
        stands(&watched, newest, performance),
        at_home(watched.moved),
    ];
    let share = Measurement::new("loss_gain_share", paired.gain_share(), paired.n());
    Watch {
        format_version: 1,
        model: watched.model.clone(),
        champion: watched.champion.0,
        champion_bundle: watched.champion.1,
        predecessor: watched.predecessor.0,
        predecessor_bundle: watched.predecessor.1,
        since: watched.since,
        datasets: watched.datasets.to_vec(),
        left_out: watched.left_out.to_vec(),
        rows: paired.n(),
        verdict: Verdict::worst(checks.iter().map(|check| check.verdict)),
        checks,
        shown: vec![Check::require(share, Operator::AtLeast, rules.min_gain, 1)],
    }
}

impl Watch {
    /// The check that a rollback is journalled with: by how much the predecessor is better.
    pub fn reason(&self) -> String {
        let gain = self.checks.iter().find(|check| check.measurement.metric == GAIN);
        let gain = gain.map(ToString::to_string).unwrap_or_default();
        format!("{} is better than {} on the newest labelled rows: {gain}", self.predecessor, self.champion)
    }
}

const GAIN: &str = "loss_gain_lower";

/// Doubt is not failure: more rows may show it.
fn wait(check: Check) -> Check {
    match check.verdict {
        Verdict::Fail => Check { verdict: Verdict::Insufficient, ..check },
        Verdict::Pass | Verdict::Insufficient | Verdict::Error => check,
    }
}

fn enough(paired: &Paired, rules: &RollbackRules) -> Check {
    let measured = Measurement::new("labelled_rows", paired.n() as f64, paired.n());
    wait(Check::require(measured, Operator::AtLeast, rules.min_rows as f64, 0))
}

/// The lower bound of the mean gain must be above 0.
fn better(paired: &Paired, rules: &RollbackRules) -> Check {
    let lower = paired.newest_lower(rules.risk_of_the_predecessor(), STRETCH);
    let check = Check::require(Measurement::new(GAIN, lower, paired.n()), Operator::Greater, 0.0, 1);
    match check.verdict {
        Verdict::Fail => wait(check).with_note("passes when the predecessor is better at every look's risk together"),
        Verdict::Pass | Verdict::Insufficient | Verdict::Error => check,
    }
}

/// On the newest rows the gain must be worth a change.
fn worth(paired: &Paired, newest: usize, rules: &RollbackRules) -> Check {
    let n = paired.n().min(rules.min_rows);
    let measured = Measurement::new("loss_gain_share_newest", paired.newest_gain_share(newest), n);
    wait(Check::require(measured, Operator::AtLeast, rules.min_gain, 1))
}

/// The predecessor must not be catastrophic itself: the better of two broken models is no way back.
fn stands(watched: &Watched<'_>, newest: usize, rules: &PerformanceRules) -> Check {
    let rows = watched.rows.get(watched.rows.len().saturating_sub(newest)..).unwrap_or_default();
    let predictions: Vec<f64> = rows.iter().map(|row| row.challenger).collect();
    let labels: Vec<f64> = rows.iter().map(|row| row.label).collect();
    let metrics = measure(watched.task, &predictions, &labels, watched.baseline.threshold);
    let mut check = catastrophic(watched.task, &metrics, watched.baseline, rules);
    check.measurement.metric = format!("predecessor_{}", check.measurement.metric);
    check
}

/// The newest rows must not be severely far from what the predecessor learned from: then neither knows this world.
fn at_home(moved: &Moved) -> Check {
    let mut check = moved.weighted_psi.clone();
    check.measurement.metric = format!("predecessor_{}", check.measurement.metric);
    match (check.verdict, moved.severity) {
        // Large on one feature alone is a sensor, not the world.
        (Verdict::Fail, Severity::None | Severity::Moderate) => {
            Check { verdict: Verdict::Pass, ..check }.with_note("fewer features moved than a dataset's drift needs")
        }
        (Verdict::Fail, Severity::Severe) | (Verdict::Pass | Verdict::Insufficient | Verdict::Error, _) => check,
    }
}

#[cfg(test)]
mod tests;
