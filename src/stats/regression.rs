//! Predicted numbers against true ones: MAE, RMSE, R², bias, interval coverage, each with a 95 % interval; pure.

use super::estimate::{Estimate, Interval, average, mean, share, sum_of_squares};
use super::given;
use crate::types::NotComputable;

/// |prediction - target|, row by row.
///
/// # Errors
/// No rows, lengths that differ, or a number that is not finite.
pub fn absolute_errors(predictions: &[f64], targets: &[f64]) -> Result<Vec<f64>, NotComputable> {
    Ok(errors(predictions, targets)?.into_iter().map(f64::abs).collect())
}

/// Mean absolute error, with the normal interval of a mean.
///
/// # Errors
/// Fewer than two rows, lengths that differ, or a number that is not finite.
pub fn mae(predictions: &[f64], targets: &[f64]) -> Result<Estimate, NotComputable> {
    mean(&absolute_errors(predictions, targets)?)
}

/// Mean of prediction - target, with the normal interval of a mean: above 0, the predictions are too high.
///
/// # Errors
/// Fewer than two rows, lengths that differ, or a number that is not finite.
pub fn bias(predictions: &[f64], targets: &[f64]) -> Result<Estimate, NotComputable> {
    mean(&errors(predictions, targets)?)
}

/// Root mean squared error; its interval is the root of the mean squared error's normal interval, held at 0 or above.
///
/// # Errors
/// Fewer than two rows, lengths that differ, or a number that is not finite.
pub fn rmse(predictions: &[f64], targets: &[f64]) -> Result<Estimate, NotComputable> {
    let squares: Vec<f64> = errors(predictions, targets)?.into_iter().map(|error| error.powi(2)).collect();
    Ok(mean(&squares)?.map(|square| square.max(0.0).sqrt()))
}

/// R² = 1 - Σ error² / Σ (target - mean target)²: 1 is perfect, 0 is as good as the mean, below 0 worse.
///
/// The interval is normal with the standard error of R²'s influence function (the delta method): row i adds
/// -(eᵢ² - MSE) / V + MSE·(dᵢ² - V) / V², with d the deviation from the mean and V its mean square. It ends at 1.
///
/// # Errors
/// Fewer than two rows, lengths that differ, a number that is not finite, or a target that does not vary.
pub fn r2(predictions: &[f64], targets: &[f64]) -> Result<Estimate, NotComputable> {
    let errors = errors(predictions, targets)?;
    let n = errors.len() as f64;
    let centre = average(targets);
    let variance = given::finite(sum_of_squares(targets) / n)?;
    if variance == 0.0 {
        return Err(NotComputable::because("the target does not vary"));
    }
    let mse = errors.iter().map(|error| error.powi(2)).sum::<f64>() / n;
    let influence = |(error, target): (&f64, &f64)| {
        let (square, spread) = (error.powi(2), (target - centre).powi(2));
        (mse * (spread / variance - 1.0) - (square - mse)) / variance
    };
    let influences: Vec<f64> = errors.iter().zip(targets).map(influence).collect();
    let standard_error = (sum_of_squares(&influences) / (n - 1.0) / n).sqrt();
    let estimate = Estimate::normal(1.0 - mse / variance, standard_error)?;
    Ok(estimate.map(|value| value.min(1.0)))
}

/// The share of targets that lie in their predicted interval, ends included, with Wilson's interval.
///
/// # Errors
/// No rows, lengths that differ, or a target that is not finite.
pub fn coverage(predicted: &[Interval], targets: &[f64]) -> Result<Estimate, NotComputable> {
    given::paired(targets, predicted)?;
    let hits = predicted.iter().zip(targets).filter(|(interval, target)| interval.contains(**target)).count();
    share(hits as u64, targets.len() as u64)
}

/// prediction - target, row by row.
fn errors(predictions: &[f64], targets: &[f64]) -> Result<Vec<f64>, NotComputable> {
    given::paired(predictions, targets)?;
    given::numbers(targets)?;
    Ok(predictions.iter().zip(targets).map(|(prediction, target)| prediction - target).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::assert_close;

    const TARGETS: [f64; 5] = [3.0, -0.5, 2.0, 7.0, 4.5];
    const PREDICTIONS: [f64; 5] = [2.5, 0.0, 2.0, 8.0, 4.0];

    #[test]
    fn metrics_agree_with_scikit_learn() {
        // sklearn.metrics: mean_absolute_error, root_mean_squared_error, r2_score on the rows above.
        assert_close(mae(&PREDICTIONS, &TARGETS).unwrap().value, 0.5, 1e-12);
        assert_close(rmse(&PREDICTIONS, &TARGETS).unwrap().value, 0.5916079783099616, 1e-12);
        assert_close(r2(&PREDICTIONS, &TARGETS).unwrap().value, 0.9440894568690096, 1e-12);
        assert_close(bias(&PREDICTIONS, &TARGETS).unwrap().value, 0.1, 1e-12);
    }

    #[test]
    fn a_target_that_does_not_vary_has_no_r2() {
        assert_eq!(r2(&[1.0, 2.0], &[1.0, 1.0]), Err(NotComputable::because("the target does not vary")));
        assert_eq!(mae(&[], &[]), Err(NotComputable::because("no rows")));
        assert!(mae(&[1.0], &[1.0, 2.0]).is_err() && rmse(&[1.0, f64::NAN], &[1.0, 2.0]).is_err());
    }

    #[test]
    fn coverage_counts_both_ends() {
        let interval = Interval { lower: 0.0, upper: 1.0 };
        assert_eq!(coverage(&[interval; 4], &[0.0, 1.0, 2.0, 0.5]).unwrap().value, 0.75);
    }

    proptest! {
        #[test]
        fn every_number_is_finite_or_not_computable(rows in prop::collection::vec((any::<f64>(), any::<f64>()), 0..30)) {
            let (predictions, targets): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
            for metric in [mae, rmse, r2, bias] {
                if let Ok(found) = metric(&predictions, &targets) {
                    prop_assert!(found.value.is_finite() && found.interval.contains(found.value), "{:?}", found);
                    prop_assert!(found.interval.width().is_finite());
                }
            }
        }
    }
}
