//! Log loss and Brier score, row by row and on average; pure. Refuses scores that are no probabilities.

use crate::stats::estimate::{Estimate, mean};
use crate::stats::given;
use crate::types::NotComputable;

/// Probabilities are held this far from 0 and 1 before their logarithm is taken, as scikit-learn does for f64: a sure miss
/// then costs 36 nats instead of everything.
const CLIP: f64 = f64::EPSILON;

/// -ln of the probability given to what came true, row by row, in nats.
///
/// # Errors
/// No rows, lengths that differ, or a score outside [0, 1].
pub fn log_losses(scores: &[f64], labels: &[bool]) -> Result<Vec<f64>, NotComputable> {
    by_row(scores, labels, |score, label| {
        let clipped = score.clamp(CLIP, 1.0 - CLIP);
        // One logarithm for either class, as scikit-learn has it.
        -(if label { clipped } else { 1.0 - clipped }).ln()
    })
}

/// (score - label)², row by row, from 0 to 1.
///
/// # Errors
/// No rows, lengths that differ, or a score outside [0, 1].
pub fn brier_losses(scores: &[f64], labels: &[bool]) -> Result<Vec<f64>, NotComputable> {
    by_row(scores, labels, |score, label| (score - f64::from(u8::from(label))).powi(2))
}

/// The mean log loss in nats, with the normal interval of a mean.
///
/// # Errors
/// Fewer than two rows, lengths that differ, or a score outside [0, 1].
pub fn log_loss(scores: &[f64], labels: &[bool]) -> Result<Estimate, NotComputable> {
    mean(&log_losses(scores, labels)?)
}

/// The Brier score, the mean of (score - label)², with the normal interval of a mean.
///
/// # Errors
/// Fewer than two rows, lengths that differ, or a score outside [0, 1].
pub fn brier(scores: &[f64], labels: &[bool]) -> Result<Estimate, NotComputable> {
    mean(&brier_losses(scores, labels)?)
}

fn by_row(scores: &[f64], labels: &[bool], loss: impl Fn(f64, bool) -> f64) -> Result<Vec<f64>, NotComputable> {
    given::paired(scores, labels)?;
    if !scores.iter().all(|score| (0.0..=1.0).contains(score)) {
        return Err(NotComputable::because("a score is outside 0 to 1"));
    }
    Ok(scores.iter().zip(labels).map(|(&score, &label)| loss(score, label)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::{self, Side, assert_close};

    #[test]
    fn losses_agree_with_scikit_learn() {
        let golden = golden::golden();
        for (side, name) in [(Side::Reference, "ref"), (Side::Current, "cur")] {
            let (scores, labels) = golden::scored(side);
            let expected = |what: &str| golden::number(&golden, &format!("/performance/{name}/{what}"));
            assert_close(log_loss(&scores, &labels).unwrap().value, expected("log_loss"), 1e-9);
            assert_close(brier(&scores, &labels).unwrap().value, expected("brier"), 1e-9);
        }
    }

    #[test]
    fn what_is_no_probability_has_no_loss() {
        for score in [1.5, -0.1, f64::NAN] {
            assert!(brier(&[0.5, score], &[true, true]).is_err());
        }
    }

    proptest! {
        #[test]
        fn losses_are_finite(rows in prop::collection::vec((0.0f64..=1.0, any::<bool>()), 1..50)) {
            let (scores, labels): (Vec<f64>, Vec<bool>) = rows.into_iter().unzip();
            let all = [log_losses(&scores, &labels).unwrap(), brier_losses(&scores, &labels).unwrap()].concat();
            prop_assert!(all.iter().all(|loss| loss.is_finite() && *loss >= 0.0));
        }
    }
}
