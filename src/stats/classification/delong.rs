//! DeLong's interval of an area from the ties of a ranking; pure. Refuses a class of one row, which has no spread.

use super::ranking::Tie;
use crate::stats::estimate::Estimate;
use crate::types::NotComputable;

/// The placement of a row is the share of the other class that it is ranked rightly against, ties counting half. The area is
/// their mean, over either class; its variance is s²₁ / n₁ + s²₀ / n₀ with the sample variances of the two classes' placements.
pub(super) fn interval(
    area: f64,
    ties: impl Iterator<Item = Tie>,
    positives: f64,
    negatives: f64,
) -> Result<Estimate, NotComputable> {
    if positives < 2.0 || negatives < 2.0 {
        return Err(NotComputable::because("one row of a class"));
    }
    let (mut among_positives, mut among_negatives) = (0.0, 0.0);
    for tie in ties {
        let of_a_positive = 1.0 - (tie.negatives_above + tie.negatives / 2.0) / negatives;
        let of_a_negative = (tie.positives_above + tie.positives / 2.0) / positives;
        among_positives += tie.positives * (of_a_positive - area).powi(2);
        among_negatives += tie.negatives * (of_a_negative - area).powi(2);
    }
    let variance = among_positives / (positives - 1.0) / positives + among_negatives / (negatives - 1.0) / negatives;
    Ok(Estimate::normal(area, variance.sqrt())?.map(|end| end.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use crate::stats::classification::roc_auc_delong;
    use crate::stats::golden::{Side, assert_close, scored};
    use crate::types::NotComputable;

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
