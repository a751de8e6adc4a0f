//! From raw margins on rows that the model has not seen to the map that is served, and to the threshold; pure.

use super::TrainError;
use super::platt::near_identity;
use super::rules::TrainRules;
use crate::contract::Task;
use crate::scoring::{Calibration, Conformal, Isotonic, Quantile};
use crate::stats;

/// A probability is held this far from 0 and 1 before its logarithm is taken: one sure miss in a hundred rows must not
/// decide between families.
const SURE: f64 = 1e-6;
/// The levels whose intervals are kept beside the served one.
const LEVELS: [f64; 4] = [0.5, 0.8, 0.9, 0.95];

/// What each row costs once the margins are calibrated, so that families are compared as they would serve: log loss in
/// nats, each half of the rows (every other one) under a Platt map fitted on the other half; for regression |error|.
///
/// # Errors
/// `Calibration` when a margin is not finite.
pub fn losses(task: Task, margins: &[f64], labels: &[f64], rules: &TrainRules) -> Result<Vec<f64>, TrainError> {
    match task {
        Task::Binary => cross_fitted(margins, labels, |margins, labels| {
            near_identity(margins, labels, rules.platt_prior).map(Calibration::Platt)
        }),
        Task::Regression => Ok(margins.iter().zip(labels).map(|(margin, label)| (margin - label).abs()).collect()),
    }
}

/// The map that is served.
///
/// Binary: Platt's, or from `isotonic_from` rows on an isotonic one if its cross-fitted log loss is smaller. Regression:
/// the quantiles of |residual|.
///
/// # Errors
/// `Calibration` or `NotComputable` when a margin is not finite or there are none.
pub fn calibrate(task: Task, margins: &[f64], labels: &[f64], rules: &TrainRules) -> Result<Calibration, TrainError> {
    match task {
        Task::Regression => conformal(margins, labels, rules.interval_level),
        Task::Binary => {
            let platt = |margins: &[f64], labels: &[f64]| {
                near_identity(margins, labels, rules.platt_prior).map(Calibration::Platt)
            };
            if (margins.len() as u64) < rules.isotonic_from {
                return platt(margins, labels);
            }
            let cost = |losses: Vec<f64>| losses.iter().sum::<f64>();
            let platts = cost(cross_fitted(margins, labels, platt)?);
            let isotonics = cost(cross_fitted(margins, labels, isotonic)?);
            if isotonics < platts { isotonic(margins, labels) } else { platt(margins, labels) }
        }
    }
}

/// An isotonic map whose levels stay as far from 0 and 1 as so many rows can tell (Laplace's rule of succession).
fn isotonic(margins: &[f64], labels: &[f64]) -> Result<Calibration, TrainError> {
    let classes: Vec<bool> = labels.iter().map(|label| *label > 0.5).collect();
    let knots = stats::calibration::isotonic(margins, &classes)?;
    let least = 1.0 / (labels.len() as f64 + 2.0);
    let (x, y) = knots.into_iter().map(|(margin, level)| (margin, level.clamp(least, 1.0 - least))).unzip();
    Ok(Calibration::Isotonic(Isotonic::new(x, y)?))
}

/// Lei et al. 2018, algorithm 2: the ⌈(n + 1)·level⌉-th smallest |residual|, the largest where there are too few rows.
fn conformal(margins: &[f64], labels: &[f64], served: f64) -> Result<Calibration, TrainError> {
    let mut residuals: Vec<f64> = margins.iter().zip(labels).map(|(margin, label)| (label - margin).abs()).collect();
    residuals.sort_by(f64::total_cmp);
    let mut levels = LEVELS.to_vec();
    if !levels.contains(&served) {
        levels.push(served);
        levels.sort_by(f64::total_cmp);
    }
    let quantile = |level: f64| {
        let rank = ((residuals.len() as f64 + 1.0) * level).ceil() as usize;
        let residual = residuals.get(rank.saturating_sub(1)).or(residuals.last()).copied().unwrap_or(f64::NAN);
        Quantile { level, residual }
    };
    Ok(Calibration::Conformal(Conformal::new(served, levels.into_iter().map(quantile).collect())?))
}

/// Log losses of every other row under the map fitted on the others, in the rows' order.
fn cross_fitted(
    margins: &[f64],
    labels: &[f64],
    fit: impl Fn(&[f64], &[f64]) -> Result<Calibration, TrainError>,
) -> Result<Vec<f64>, TrainError> {
    let half = |values: &[f64], odd: usize| -> Vec<f64> { values.iter().skip(odd).step_by(2).copied().collect() };
    let map_of = |odd: usize| fit(&half(margins, odd), &half(labels, odd));
    let (even, odd) = (map_of(0)?, map_of(1)?);
    let rows = margins.iter().zip(labels).enumerate();
    Ok(rows
        .map(|(row, (margin, label))| {
            let map = if row % 2 == 0 { &odd } else { &even };
            let probability = map.apply(*margin).clamp(SURE, 1.0 - SURE);
            -(if *label > 0.5 { probability } else { 1.0 - probability }).ln()
        })
        .collect())
}

/// The probability from which on calling a row positive gives the largest *expected* F1, if the probabilities are what they
/// say: 2·Σp over the called / (Σp over all + called). It needs no label, so that it is steadier than the best F1 found on
/// the same few rows (Lipton, Elkan & Naryanaswamy 2014). None without rows.
pub fn threshold(probabilities: &[f64]) -> Option<f64> {
    let mut falling = probabilities.to_vec();
    falling.sort_by(|a, b| b.total_cmp(a));
    let all: f64 = falling.iter().sum();
    let mut called = 0.0;
    let mut best: Option<(f64, f64)> = None;
    for (count, probability) in (1u32..).zip(falling) {
        called += probability;
        let f1 = 2.0 * called / (all + f64::from(count));
        if best.is_none_or(|(most, _)| f1 > most) {
            best = Some((f1, probability));
        }
    }
    best.map(|(_, threshold)| threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_calls_what_is_likelier_than_half_the_best_f1() {
        // Lipton et al. 2014, theorem 1: the best threshold is half the best F1. Here calling the upper two is best:
        // 2 · 1.7 / (2.1 + 2) = 0.829 > 2 · 0.9 / (2.1 + 1) and > 2 · 2.1 / (2.1 + 4).
        assert_eq!(threshold(&[0.1, 0.9, 0.3, 0.8]), Some(0.8));
        assert_eq!(threshold(&[]), None);
    }

    #[test]
    fn intervals_hold_their_share() {
        let labels: Vec<f64> = (1..=99).map(f64::from).collect();
        let calibration = calibrate(Task::Regression, &[0.0; 99], &labels, &TrainRules::DEFAULTS).unwrap();
        assert_eq!(calibration.interval(0.0), Some((-90.0, 90.0)));
    }

    #[test]
    fn many_rows_of_a_bent_curve_get_an_isotonic_map() {
        // The truth is a step that no logistic curve follows.
        let margins: Vec<f64> = (0..2_000).map(|row| f64::from(row % 200) / 50.0 - 2.0).collect();
        let chance = |margin: f64| {
            if margin < -1.0 {
                0.6
            } else if margin < 1.0 {
                0.61
            } else {
                0.99
            }
        };
        let labels: Vec<f64> = (0..2_000u32)
            .map(|row| f64::from(u8::from((f64::from(row) * 0.618_034).fract() < chance(margins[row as usize]))))
            .collect();
        let rules = TrainRules::DEFAULTS;
        assert!(matches!(calibrate(Task::Binary, &margins, &labels, &rules), Ok(Calibration::Isotonic(_))));
        let few = calibrate(Task::Binary, &margins[..500], &labels[..500], &rules);
        assert!(matches!(few, Ok(Calibration::Platt(_))));
    }

    #[test]
    fn families_are_compared_as_they_would_serve() {
        // The same order of scores, one on the wrong scale: the map that is fitted on the other half mends it in part.
        let labels: Vec<f64> = (0..400).map(|row| f64::from(u8::from(row % 4 != 0))).collect();
        let margins: Vec<f64> = labels.iter().map(|label| if *label > 0.5 { 2.0 } else { -2.0 }).collect();
        let mean = |margins: &[f64]| {
            let losses = losses(Task::Binary, margins, &labels, &TrainRules::DEFAULTS).unwrap();
            losses.iter().sum::<f64>() / losses.len() as f64
        };
        assert!(mean(&margins) < 0.13);
        assert!(mean(&vec![0.0; 400]) > 0.55);
    }
}
