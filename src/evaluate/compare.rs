//! Head to head on identical rows; pure. Ties pass, doubt passes to the shadow, a proven regression fails.

use super::rules::EvaluateRules;
use super::{Evaluation, Opponent};
use crate::contract::Task;
use crate::stats::bootstrap;
use crate::stats::calibration::{Binning, ece};
use crate::stats::distance::{Smoothing, psi, psi_critical};
use crate::stats::histogram::Edges;
use crate::types::{Check, Digest, Measurement, ModelName, NotComputable, Operator, Value, Verdict, Version};

/// The rows both are scored on: newer than anything either was trained on.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// What came true.
    pub labels: &'a [f64],
    /// For each declared slice its name and, row by row, its value.
    pub slices: &'a [(String, Vec<String>)],
    /// The datasets they are from.
    pub datasets: &'a [Digest],
}

/// The candidate, and whom it is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Contender<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// What it predicts.
    pub task: Task,
    /// The candidate.
    pub version: Version,
    /// The digest of its manifest.
    pub bundle: Digest,
    /// Its answers, row by row.
    pub predictions: &'a [f64],
    /// Its answers on the rows that its calibration was fitted on.
    pub calibration: &'a [f64],
    /// Whom it is compared with.
    pub against: &'a Opponent,
    /// The opponent's answers, row by row: the champion's, or the prior (median) for the first of a lineage.
    pub opponent: &'a [f64],
}

/// Compare a candidate with its opponent.
pub fn compare(contender: Contender<'_>, rows: Rows<'_>, rules: &EvaluateRules, seed: u64) -> Evaluation {
    let everything: Vec<usize> = (0..rows.labels.len()).collect();
    let whole = match contender.against {
        Opponent::Champion { .. } => Demand::NoWorse,
        Opponent::FirstOfLineage => Demand::Better,
    };
    let mut checks = losses(&contender, &rows, &everything, (whole, ""), rules, seed);
    let mut shown = Vec::new();
    checks.extend(calibration(&contender, &rows, rules));
    checks.push(stability(&contender, rules));
    for (slice, values) in rows.slices {
        for value in distinct(values) {
            let members: Vec<usize> = everything.iter().copied().filter(|row| values[*row] == value).collect();
            let name = format!("[{slice}={value}]");
            let found = losses(&contender, &rows, &members, (Demand::NoWorse, &name), rules, seed);
            let judged = members.len() as u64 >= rules.min_slice_rows;
            if judged { checks.extend(found) } else { shown.extend(found) }
        }
    }
    shown.push(shift(&contender));
    Evaluation {
        format_version: 1,
        model: contender.model.clone(),
        candidate: contender.version,
        candidate_bundle: contender.bundle,
        against: contender.against.clone(),
        datasets: rows.datasets.to_vec(),
        rows: rows.labels.len() as u64,
        verdict: Verdict::worst(checks.iter().map(|check| check.verdict)),
        checks,
        shown,
    }
}

fn distinct(values: &[String]) -> Vec<String> {
    let mut distinct = values.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// A loss by row: its name and what one row costs.
type Loss = (&'static str, fn(f64, f64) -> f64);

/// Log loss clips at 1e-15, as scikit-learn did before 1.5.
const CLIP: f64 = 1e-15;
const BINARY: [Loss; 2] = [
    ("brier", |prediction, label| (prediction - label).powi(2)),
    ("log_loss", |prediction, label| {
        let of_label = if label > 0.5 { prediction } else { 1.0 - prediction };
        -of_label.clamp(CLIP, 1.0 - CLIP).ln()
    }),
];
const REGRESSION: [Loss; 1] = [("mae", |prediction, label| (prediction - label).abs())];

/// What a candidate must show against its opponent.
#[derive(Debug, Clone, Copy)]
enum Demand {
    /// Not proven worse by more than the margin: of a champion's rival, and within every slice.
    NoWorse,
    /// Proven better: of the first of a lineage, which has only the prior to beat. Within a slice the prior may be right.
    Better,
}

/// Each loss's paired difference, candidate less opponent, as a share of the opponent's: one end of its bootstrap interval,
/// against what is demanded.
fn losses(
    contender: &Contender<'_>,
    rows: &Rows<'_>,
    members: &[usize],
    (demand, suffix): (Demand, &str),
    rules: &EvaluateRules,
    seed: u64,
) -> Vec<Check> {
    let losses: &[Loss] = match contender.task {
        Task::Binary => &BINARY,
        Task::Regression => &REGRESSION,
    };
    let n = members.len() as u64;
    losses
        .iter()
        .map(|(name, loss)| {
            let by_row = |answers: &[f64]| -> Vec<f64> {
                members.iter().map(|row| loss(answers[*row], rows.labels[*row])).collect()
            };
            let (mine, theirs) = (by_row(contender.predictions), by_row(contender.opponent));
            let difference: Vec<f64> = mine.iter().zip(&theirs).map(|(mine, theirs)| mine - theirs).collect();
            let scale = theirs.iter().sum::<f64>() / (n as f64).max(1.0);
            let interval = bootstrap::mean(&difference, 1.0 - rules.alpha, rules.resamples, seed);
            let share = |end: f64| if scale > 0.0 { end / scale } else { end };
            match demand {
                Demand::NoWorse => {
                    let lower = interval.map(|estimate| share(estimate.interval.lower));
                    let measured = Measurement::new(format!("{name}_change_lower95{suffix}"), lower, n);
                    Check::require(measured, Operator::AtMost, rules.margin, rules.min_rows)
                }
                Demand::Better => {
                    let upper = interval.map(|estimate| share(estimate.interval.upper));
                    let measured = Measurement::new(format!("{name}_change_upper95{suffix}"), upper, n);
                    Check::require(measured, Operator::Less, 0.0, rules.min_rows)
                }
            }
        })
        .collect()
}

/// Calibration must stay: the candidate's expected calibration error against the champion's and the margin.
fn calibration(contender: &Contender<'_>, rows: &Rows<'_>, rules: &EvaluateRules) -> Option<Check> {
    let Task::Binary = contender.task else { return None };
    let labels: Vec<bool> = rows.labels.iter().map(|label| *label > 0.5).collect();
    let error = |answers: &[f64]| ece(answers, &labels, Binning::EqualMass(10));
    let change = match contender.against {
        Opponent::Champion { .. } => {
            error(contender.predictions).and_then(|mine| error(contender.opponent).map(|theirs| mine - theirs))
        }
        Opponent::FirstOfLineage => error(contender.predictions),
    };
    let measured = Measurement::new("ece_change", change, labels.len() as u64);
    Some(Check::require(measured, Operator::AtMost, rules.calibration_margin, rules.min_rows))
}

/// The candidate's own scores, calibration rows against the newest: a model that extrapolates moves.
fn stability(contender: &Contender<'_>, rules: &EvaluateRules) -> Check {
    let n = contender.predictions.len() as u64;
    let (moved, line) = score_psi(contender.calibration, contender.predictions, rules.stability_psi);
    Check::require(Measurement::new("score_psi", moved, n), Operator::Less, line, rules.min_rows)
}

/// The shift against the opponent, who may be the broken one: shown, and fails nothing.
fn shift(contender: &Contender<'_>) -> Check {
    let n = contender.predictions.len() as u64;
    let (moved, _) = score_psi(contender.opponent, contender.predictions, 0.0);
    Check::require(Measurement::new("score_psi_against_opponent", moved, n), Operator::AtLeast, 0.0, 1)
}

/// PSI over quintiles of the reference, and the line: the threshold or χ²'s critical value at 1 %, if that is larger.
fn score_psi(reference: &[f64], current: &[f64], threshold: f64) -> (Result<f64, NotComputable>, f64) {
    let bins = || {
        let edges = Edges::quantiles(reference, 5)?;
        Ok((edges.counts(reference)?, edges.counts(current)?, edges.bins()))
    };
    let found: Result<_, NotComputable> = bins();
    match found {
        Ok((then, now, bins)) => {
            let critical = psi_critical(reference.len() as u64, current.len() as u64, bins, 0.01);
            (psi(&then, &now, Smoothing::default()), critical.unwrap_or(threshold).max(threshold))
        }
        Err(why) => (Err(why), threshold),
    }
}

/// What the first of a lineage is compared with, row by row: the base rate, or the median, of the rows it learned from.
pub fn prior(task: Task, learned: &[f64]) -> Value {
    if learned.is_empty() {
        return Value::NotComputable(NotComputable::because("no rows"));
    }
    match task {
        Task::Binary => Value::from(learned.iter().sum::<f64>() / learned.len() as f64),
        Task::Regression => {
            let mut sorted = learned.to_vec();
            sorted.sort_by(f64::total_cmp);
            Value::from(sorted[sorted.len() / 2])
        }
    }
}
