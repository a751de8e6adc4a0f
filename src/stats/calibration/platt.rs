//! Platt's sigmoid fitted by Newton's method with smoothed targets: scores and labels in, two numbers out; pure.

use crate::stats::classification::both_classes;
use crate::stats::given;
use crate::types::NotComputable;

/// Newton doubles its digits at each step; the paper's own bound.
const STEPS: usize = 100;
/// The largest slope per row at which the minimum counts as reached; a and b are then good to about ten digits.
const FLAT: f64 = 1e-12;
/// Added to the Hessian's diagonal so that it can be inverted when all scores are equal.
const RIDGE: f64 = 1e-12;
/// The shortest step that the line search tries.
const SHORTEST_STEP: f64 = 1e-10;

/// (a, b) of the map **1 / (1 + exp(a·score + b))**: Platt's sign, so a rising map has a < 0.
///
/// The likelihood is maximised for targets (N₊ + 1) / (N₊ + 2) and 1 / (N₋ + 2) instead of 1 and 0, which keeps the map of
/// separable rows finite. Lin, Lin & Weng 2007, "A note on Platt's probabilistic outputs for support vector machines".
///
/// # Errors
/// No rows, lengths that differ, a score that is not finite, one class only, or no minimum found.
pub fn platt(scores: &[f64], labels: &[bool]) -> Result<(f64, f64), NotComputable> {
    given::paired(scores, labels)?;
    let (positives, negatives) = both_classes(labels)?;
    let target = |label: bool| {
        if label { (positives + 1.0) / (positives + 2.0) } else { 1.0 / (negatives + 2.0) }
    };
    let rows: Vec<(f64, f64)> = scores.iter().zip(labels).map(|(&score, &label)| (score, target(label))).collect();

    let mut at = (0.0, ((negatives + 1.0) / (positives + 1.0)).ln());
    let mut loss = cross_entropy(&rows, at);
    for _ in 0..STEPS {
        let Slopes { by_a, by_b, by_aa, by_ab, by_bb } = Slopes::of(&rows, at);
        if by_a.abs().max(by_b.abs()) <= FLAT * rows.len() as f64 {
            break;
        }
        let determinant = by_aa * by_bb - by_ab * by_ab;
        let towards = (-(by_bb * by_a - by_ab * by_b) / determinant, -(by_aa * by_b - by_ab * by_a) / determinant);
        let descent = by_a * towards.0 + by_b * towards.1;
        let halvings = std::iter::successors(Some(1.0), |step| Some(step / 2.0));
        let tried = halvings.take_while(|&step| step >= SHORTEST_STEP).map(|step| {
            let next = (at.0 + step * towards.0, at.1 + step * towards.1);
            (step, next, cross_entropy(&rows, next))
        });
        let better = tried.into_iter().find(|&(step, _, found)| found < loss + 1e-4 * step * descent);
        // No step is better: rounding hides what is left of the slope.
        let Some((_, next, found)) = better else { break };
        (at, loss) = (next, found);
    }
    Ok((given::finite(at.0)?, given::finite(at.1)?))
}

/// First and second derivatives of the cross entropy.
struct Slopes {
    by_a: f64,
    by_b: f64,
    by_aa: f64,
    by_ab: f64,
    by_bb: f64,
}

impl Slopes {
    fn of(rows: &[(f64, f64)], at: (f64, f64)) -> Slopes {
        let mut slopes = Slopes { by_a: 0.0, by_b: 0.0, by_aa: RIDGE, by_ab: 0.0, by_bb: RIDGE };
        for &(score, target) in rows {
            let exponent = at.0 * score + at.1;
            let small = (-exponent.abs()).exp();
            let probability = if exponent >= 0.0 { small / (1.0 + small) } else { 1.0 / (1.0 + small) };
            let (gap, curve) = (target - probability, small / (1.0 + small).powi(2));
            slopes.by_a += score * gap;
            slopes.by_b += gap;
            slopes.by_aa += score * score * curve;
            slopes.by_ab += score * curve;
            slopes.by_bb += curve;
        }
        slopes
    }
}

/// -Σ t·ln p + (1 - t)·ln(1 - p), written so that no exponential overflows.
fn cross_entropy(rows: &[(f64, f64)], at: (f64, f64)) -> f64 {
    let one = |&(score, target): &(f64, f64)| {
        let exponent = at.0 * score + at.1;
        let pull = if exponent >= 0.0 { target } else { target - 1.0 };
        pull * exponent + (-exponent.abs()).exp().ln_1p()
    };
    rows.iter().map(one).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::{self, Side, assert_close};

    #[test]
    fn the_fit_agrees_with_scipy() {
        // The same likelihood minimised with scipy.optimize.minimize(method="BFGS", gtol=1e-12).
        let (scores, labels) = golden::scored(Side::Reference);
        let (a, b) = platt(&scores, &labels).unwrap();
        assert_close(a, -5.55709304991312, 1e-6);
        assert_close(b, 2.82917374462955, 1e-6);
    }

    #[test]
    fn separable_rows_have_a_finite_map() {
        let (a, b) = platt(&[0.1, 0.2, 0.8, 0.9], &[false, false, true, true]).unwrap();
        let map = |score: f64| 1.0 / (1.0 + (a * score + b).exp());
        assert!(a < 0.0 && map(0.9) < 0.9 && map(0.1) > 0.1);
    }

    #[test]
    fn equal_scores_map_to_the_mean() {
        let (a, b) = platt(&[0.3; 4], &[true, false, false, false]).unwrap();
        let mapped = 1.0 / (1.0 + (a * 0.3 + b).exp());
        assert_close(mapped, (2.0 / 3.0 + 3.0 / 5.0) / 4.0, 1e-6);
        assert_eq!(platt(&[0.3], &[true]), Err(NotComputable::because("one class only")));
    }

    proptest! {
        #[test]
        fn a_fit_is_finite_or_not_computable(rows in prop::collection::vec((any::<f64>(), any::<bool>()), 0..40)) {
            let (scores, labels): (Vec<f64>, Vec<bool>) = rows.into_iter().unzip();
            if let Ok((a, b)) = platt(&scores, &labels) {
                prop_assert!(a.is_finite() && b.is_finite());
            }
        }
    }
}
