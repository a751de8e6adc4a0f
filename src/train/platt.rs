//! Platt's map held near the identity by a prior: margins and labels in, slope and offset out; pure.

use crate::scoring::Platt;

use super::TrainError;

/// Newton on two numbers; the prior makes the problem strictly convex.
const MOST_STEPS: usize = 60;
/// A margin may be far off; a longer step overshoots where the sigmoid is flat.
const LONGEST_STEP: f64 = 2.0;
/// Both numbers are then good to about nine digits.
const CLOSE: f64 = 1e-10;

/// The map 1 / (1 + exp(-(a·margin + b))) of the largest posterior, under a normal prior of standard deviation `prior`
/// around a = 1, b = 0: the maximum a posteriori form of Platt 1999.
///
/// Margins of models that minimise log loss are nearly log-odds already. On the 50 rows that a short look-back has for
/// calibration, a free fit is worse than none; the prior gives way as rows come in.
///
/// # Errors
/// `Calibration` when a margin is not finite.
pub fn near_identity(margins: &[f64], labels: &[f64], prior: f64) -> Result<Platt, TrainError> {
    let (a, b) = fit(margins, labels, prior);
    if a < 0.0 {
        // The order of the scores is wrong on these rows. A map does not turn a model round: it says the base rate.
        let positives = labels.iter().sum::<f64>();
        let odds = (positives + 1.0) / (labels.len() as f64 - positives + 1.0);
        return Ok(Platt::new(0.0, odds.ln())?);
    }
    Ok(Platt::new(a, b)?)
}

fn fit(margins: &[f64], labels: &[f64], prior: f64) -> (f64, f64) {
    let (mut a, mut b) = (1.0, 0.0);
    let pull = 1.0 / (prior * prior);
    for _ in 0..MOST_STEPS {
        let (mut by_a, mut by_b) = (pull * (a - 1.0), pull * b);
        let (mut by_aa, mut by_ab, mut by_bb) = (pull, 0.0, pull);
        for (margin, label) in margins.iter().zip(labels) {
            let probability = 1.0 / (1.0 + (-(a * margin + b)).exp());
            let (gap, curve) = (probability - label, probability * (1.0 - probability));
            by_a += gap * margin;
            by_b += gap;
            by_aa += curve * margin * margin;
            by_ab += curve * margin;
            by_bb += curve;
        }
        let determinant = by_aa * by_bb - by_ab * by_ab;
        let step_a = ((by_bb * by_a - by_ab * by_b) / determinant).clamp(-LONGEST_STEP, LONGEST_STEP);
        let step_b = ((by_aa * by_b - by_ab * by_a) / determinant).clamp(-LONGEST_STEP, LONGEST_STEP);
        (a, b) = (a - step_a, b - step_b);
        if step_a.abs().max(step_b.abs()) < CLOSE {
            break;
        }
    }
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels that are 1 as often as the map with slope `a` and offset `b` says, on margins from -3 to 3.
    fn rows(n: usize, a: f64, b: f64) -> (Vec<f64>, Vec<f64>) {
        let margin = |row: usize| (row % 61) as f64 / 10.0 - 3.0;
        let chance = |margin: f64| 1.0 / (1.0 + (-(a * margin + b)).exp());
        (0..n)
            .map(|row| (margin(row), f64::from(u8::from((row as f64 * 0.618_034).fract() < chance(margin(row))))))
            .unzip()
    }

    #[test]
    fn few_rows_stay_near_the_identity_and_many_are_believed() {
        let (margins, labels) = rows(40, 2.0, 1.0);
        let few = near_identity(&margins, &labels, 0.15).unwrap();
        let (margins, labels) = rows(40_000, 2.0, 1.0);
        let many = near_identity(&margins, &labels, 0.15).unwrap();
        assert!((few.a() - 1.0).abs() < 0.3 && few.b().abs() < 0.3, "{few:?}");
        assert!((many.a() - 2.0).abs() < 0.1 && (many.b() - 1.0).abs() < 0.1, "{many:?}");
    }

    #[test]
    fn one_class_and_reversed_scores_have_a_map_too() {
        let one = near_identity(&[0.5; 30], &[1.0; 30], 0.15).unwrap();
        assert!(one.a() >= 0.0 && one.b() > 0.0);
        let (margins, labels) = rows(40_000, -2.0, 0.0);
        assert_eq!(near_identity(&margins, &labels, 0.15).unwrap().a(), 0.0);
        assert!(near_identity(&[f64::NAN], &[1.0], 0.15).is_err());
    }
}
