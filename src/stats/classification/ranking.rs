//! How well scores rank the classes: area under the ROC curve and average precision; pure. One class has no ranking.

use super::{both_classes, by_falling_score};
use crate::stats::estimate::{Estimate, Interval};
use crate::stats::given;
use crate::stats::special::{Z_95, normal_upper_point};
use crate::types::NotComputable;

/// Bisection steps for an interval's end: 2⁻⁵⁰ of [0, 1], finer than anybody reads.
const STEPS: usize = 50;
/// So many pairs of a positive and a negative row are in a block at least. Of few pairs a share is noisy; long blocks are few.
/// A coin among models of 0.8 is told soonest at about sixteen, be positives common or rare.
const PAIRS: f64 = 16.0;

/// The chance that a positive row scores above a negative one, ties counting half: the area under the ROC curve.
///
/// The interval turns the Hanley–McNeil variance into a score interval (Newcombe 2006, Statistics in Medicine 25:559–573,
/// method 5): all areas that the one found does not contradict. It stays in [0, 1] and does not collapse when a few rows
/// happen to be ranked perfectly, as DeLong's does.
///
/// # Errors
/// No rows, lengths that differ, a score that is not finite, or one class only.
pub fn roc_auc(scores: &[f64], labels: &[bool]) -> Result<Estimate, NotComputable> {
    given::paired(scores, labels)?;
    let (positives, negatives) = both_classes(labels)?;
    let area = (pairs_above(scores, labels) / (positives * negatives)).clamp(0.0, 1.0);
    let end = |limit| furthest(area, limit, Z_95, |candidate| variance(candidate, positives, negatives));
    Ok(Estimate { value: area, interval: Interval { lower: end(0.0), upper: end(1.0) } })
}

/// [`roc_auc`]'s interval of an area that was found, with ends that are each wrong with probability `level` (there 0.025).
///
/// # Errors
/// An area outside [0, 1], a class without rows, or a level outside (0, 0.5].
pub fn roc_auc_interval(area: f64, positives: f64, negatives: f64, level: f64) -> Result<Interval, NotComputable> {
    if !((0.0..=1.0).contains(&area) && positives >= 1.0 && negatives >= 1.0) {
        return Err(NotComputable::because(given::ONE_CLASS));
    }
    let reach = normal_upper_point(level)?;
    let end = |limit| furthest(area, limit, reach, |candidate| variance(candidate, positives, negatives));
    Ok(Interval { lower: end(0.0), upper: end(1.0) })
}

/// Rows cut, one after the other, into blocks as soon as they hold sixteen pairs of a positive and a negative row, and of each
/// block the share of pairs in which the positive scores higher, ties counting half.
///
/// For rows that are drawn independently each share has the area under the ROC curve as its mean, whatever came before it:
/// where a block ends depends on classes alone. So they are what a confidence sequence for that area is made of. Rows at the end
/// that fill no block are left out; one class only makes none.
///
/// # Errors
/// No rows, lengths that differ, or a score that is not finite.
pub fn roc_auc_blocks(scores: &[f64], labels: &[bool]) -> Result<Vec<f64>, NotComputable> {
    given::paired(scores, labels)?;
    let (mut blocks, mut start) = (Vec::new(), 0);
    for end in 1..=scores.len() {
        let (block, classes) = (&scores[start..end], &labels[start..end]);
        let Ok((positives, negatives)) = both_classes(classes) else { continue };
        if positives * negatives >= PAIRS {
            blocks.push((pairs_above(block, classes) / (positives * negatives)).clamp(0.0, 1.0));
            start = end;
        }
    }
    Ok(blocks)
}

/// Σ (Rₖ - Rₖ₋₁)·Pₖ over falling thresholds: the area under the precision–recall steps, not interpolated.
///
/// # Errors
/// No rows, lengths that differ, a score that is not finite, or one class only.
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Result<f64, NotComputable> {
    given::paired(scores, labels)?;
    let (positives, _) = both_classes(labels)?;
    let (mut hits, mut called, mut area) = (0, 0, 0.0);
    for (_, positive, negative) in by_falling_score(scores, labels) {
        hits += positive;
        called += positive + negative;
        area += positive as f64 / positives * hits as f64 / called as f64;
    }
    Ok(area)
}

/// Pairs of a positive and a negative row in which the positive scores higher, ties counting half.
fn pairs_above(scores: &[f64], labels: &[bool]) -> f64 {
    let (mut above, mut pairs) = (0.0, 0.0);
    for (_, positive, negative) in by_falling_score(scores, labels) {
        pairs += negative as f64 * (above + positive as f64 / 2.0);
        above += positive as f64;
    }
    pairs
}

/// The Hanley–McNeil variance of an area, with both class sizes replaced by their mean as in Newcombe's method 5.
fn variance(area: f64, positives: f64, negatives: f64) -> f64 {
    let others = (positives + negatives) / 2.0 - 1.0;
    let spread = 1.0 + others * ((1.0 - area) / (2.0 - area) + area / (1.0 + area));
    area * (1.0 - area) * spread / (positives * negatives)
}

/// The area furthest from the one found, towards `limit`, that lies within so many of its own standard deviations.
fn furthest(found: f64, limit: f64, reach: f64, variance: impl Fn(f64) -> f64) -> f64 {
    let agrees = |candidate: f64| (found - candidate).abs() <= reach * variance(candidate).sqrt();
    let (mut agreeing, mut beyond) = (found, limit);
    for _ in 0..STEPS {
        let middle = 0.5 * (agreeing + beyond);
        if agrees(middle) {
            agreeing = middle;
        } else {
            beyond = middle;
        }
    }
    agreeing
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_pcg::Pcg64;
    use rand_pcg::rand_core::Rng;

    use super::*;
    use crate::stats::golden::{self, Side, assert_close};

    #[test]
    fn ranking_agrees_with_scikit_learn() {
        let golden = golden::golden();
        for (side, name) in [(Side::Reference, "ref"), (Side::Current, "cur")] {
            let (scores, labels) = golden::scored(side);
            let expected = |what: &str| golden::number(&golden, &format!("/performance/{name}/{what}"));
            let auc = roc_auc(&scores, &labels).unwrap();
            assert_close(auc.value, expected("roc_auc"), 1e-9);
            assert!(auc.interval.width() > 0.05 && auc.interval.width() < 0.1, "{auc:?}");
            assert_close(average_precision(&scores, &labels).unwrap(), expected("average_precision"), 1e-9);
        }
    }

    #[test]
    fn one_class_has_no_ranking() {
        for labels in [[true, true], [false, false]] {
            assert_eq!(roc_auc(&[0.1, 0.2], &labels), Err(NotComputable::because("one class only")));
            assert_eq!(average_precision(&[0.1, 0.2], &labels), Err(NotComputable::because("one class only")));
        }
        assert_eq!(roc_auc(&[], &[]), Err(NotComputable::because("no rows")));
        assert!(roc_auc(&[f64::NAN, 0.0], &[true, false]).is_err());
    }

    #[test]
    fn a_perfect_ranking_of_few_rows_is_not_certain() {
        let auc = roc_auc(&[0.1, 0.2, 0.8, 0.9], &[false, false, true, true]).unwrap();
        assert_eq!(auc.value, 1.0);
        assert!(auc.interval.lower < 0.7 && auc.interval.upper == 1.0, "{auc:?}");
    }

    #[test]
    fn a_stricter_level_gives_a_wider_interval() {
        let labels: Vec<bool> = (0..100).map(|row| row % 3 == 0).collect();
        let scores: Vec<f64> = (0..100).map(|row| f64::from(row * 37 % 100)).collect();
        let usual = roc_auc(&scores, &labels).unwrap();
        let again = roc_auc_interval(usual.value, 34.0, 66.0, 0.025).unwrap();
        assert_close(again.lower, usual.interval.lower, 1e-9);
        assert_close(again.upper, usual.interval.upper, 1e-9);
        let stricter = roc_auc_interval(usual.value, 34.0, 66.0, 0.000_3).unwrap();
        assert!(stricter.lower < again.lower && stricter.upper > again.upper);
        assert!(roc_auc_interval(0.5, 0.0, 5.0, 0.025).is_err() && roc_auc_interval(0.5, 5.0, 5.0, 0.0).is_err());
    }

    proptest! {
        #[test]
        fn the_area_lies_in_its_interval(rows in prop::collection::vec((0u8..50, any::<bool>()), 2..80)) {
            let (scores, labels): (Vec<f64>, Vec<bool>) =
                rows.into_iter().map(|(score, label)| (f64::from(score), label)).unzip();
            if let Ok(auc) = roc_auc(&scores, &labels) {
                prop_assert!(auc.interval.contains(auc.value));
                prop_assert!(auc.interval.lower >= 0.0 && auc.interval.upper <= 1.0);
                let turned: Vec<f64> = scores.iter().map(|score| -score).collect();
                prop_assert!((roc_auc(&turned, &labels).unwrap().value - (1.0 - auc.value)).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn blocks_are_cut_by_classes_alone_and_average_to_the_area() {
        let mut generator = Pcg64::new(7, 1);
        let mut drawn = || generator.next_u64() as f64 / 2f64.powi(64);
        let (scores, labels): (Vec<f64>, Vec<bool>) = (0..40_000)
            .map(|_| {
                let label = drawn() < 0.2;
                (drawn() + 0.3 * f64::from(u8::from(label)), label)
            })
            .unzip();
        let blocks = roc_auc_blocks(&scores, &labels).unwrap();
        let turned: Vec<f64> = scores.iter().map(|score| -score).collect();
        let other_way = roc_auc_blocks(&turned, &labels).unwrap();
        assert!(blocks.iter().zip(&other_way).all(|(one, other)| (one + other - 1.0).abs() < 1e-12));
        let mean = blocks.iter().sum::<f64>() / blocks.len() as f64;
        assert!((mean - roc_auc(&scores, &labels).unwrap().value).abs() < 0.005, "{mean}");
        assert_eq!(roc_auc_blocks(&[0.5; 8], &[true, true, true, true, false, false, false, false]).unwrap(), [0.5]);
        assert!(roc_auc_blocks(&[0.5; 8], &[true; 8]).unwrap().is_empty());
        assert!(roc_auc_blocks(&[f64::NAN], &[true]).is_err());
    }
}
