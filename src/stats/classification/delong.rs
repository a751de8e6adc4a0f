//! The area under the ROC curve with DeLong's interval; pure. Refuses a class of one row, which has no spread.

use super::{both_classes, by_falling_score};
use crate::stats::estimate::Estimate;
use crate::stats::given;
use crate::types::NotComputable;

/// The area under the ROC curve with the normal interval of DeLong, DeLong & Clarke-Pearson (1988, Biometrics 44:837–845),
/// which assumes nothing of the scores, cut to [0, 1].
///
/// It is what most reports give. Where few rows happen to be ranked perfectly it has no width; [`super::roc_auc`]'s interval
/// has, so that is what verdicts rest on.
///
/// # Errors
/// No rows, lengths that differ, a score that is not finite, or fewer than two rows of a class.
pub fn roc_auc_delong(scores: &[f64], labels: &[bool]) -> Result<Estimate, NotComputable> {
    given::paired(scores, labels)?;
    let (positives, negatives) = both_classes(labels)?;
    if positives < 2.0 || negatives < 2.0 {
        return Err(NotComputable::because("one row of a class"));
    }
    // The placement of a row: the share of the other class that it is ranked rightly against, ties counting half.
    let (mut of_positives, mut of_negatives) = (Vec::new(), Vec::new());
    let (mut positives_above, mut negatives_above) = (0.0, 0.0);
    for (_, positive, negative) in by_falling_score(scores, labels) {
        let (positive, negative) = (positive as f64, negative as f64);
        of_positives.push((positive, 1.0 - (negatives_above + negative / 2.0) / negatives));
        of_negatives.push((negative, (positives_above + positive / 2.0) / positives));
        positives_above += positive;
        negatives_above += negative;
    }
    let (area, of_positives) = mean_and_variance(&of_positives, positives);
    let (_, of_negatives) = mean_and_variance(&of_negatives, negatives);
    let deviation = (of_positives / positives + of_negatives / negatives).sqrt();
    Ok(Estimate::normal(area, deviation)?.map(|end| end.clamp(0.0, 1.0)))
}

/// Mean and sample variance of (rows, value) groups that hold so many rows together.
fn mean_and_variance(groups: &[(f64, f64)], rows: f64) -> (f64, f64) {
    let mean = groups.iter().map(|(count, value)| count * value).sum::<f64>() / rows;
    let squares: f64 = groups.iter().map(|(count, value)| count * (value - mean).powi(2)).sum();
    (mean, squares / (rows - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden::{Side, assert_close, scored};

    /// The definition, pair by pair, in NumPy.
    #[test]
    fn the_interval_is_that_of_the_definition() {
        let cases = [
            (Side::Reference, 0.8031174433043592, 0.765176518888636, 0.8410583677200824),
            (Side::Current, 0.8067083427481108, 0.7647993152309682, 0.8486173702652533),
        ];
        for (side, area, lower, upper) in cases {
            let (scores, labels) = scored(side);
            let found = roc_auc_delong(&scores, &labels).unwrap();
            assert_close(found.value, area, 1e-9);
            assert_close(found.interval.lower, lower, 1e-9);
            assert_close(found.interval.upper, upper, 1e-9);
        }
    }

    #[test]
    fn a_class_of_one_row_has_no_spread() {
        assert_eq!(
            roc_auc_delong(&[0.1, 0.2, 0.3], &[true, false, false]),
            Err(NotComputable::because("one row of a class"))
        );
        assert_eq!(roc_auc_delong(&[0.1, 0.2], &[true, true]), Err(NotComputable::because("one class only")));
        let perfect = roc_auc_delong(&[0.1, 0.2, 0.8, 0.9], &[false, false, true, true]).unwrap();
        assert_eq!((perfect.value, perfect.interval.width()), (1.0, 0.0));
    }
}
