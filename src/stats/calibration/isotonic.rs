//! Isotonic regression by pooling adjacent violators: scores and labels in, knots of a rising map out; pure.

use crate::stats::classification::both_classes;
use crate::stats::given;
use crate::types::NotComputable;

/// A run of neighbouring scores that share one level.
struct Block {
    first: f64,
    last: f64,
    rows: f64,
    positives: f64,
}

impl Block {
    fn level(&self) -> f64 {
        self.positives / self.rows
    }

    fn absorb(&mut self, next: &Block) {
        self.last = next.last;
        self.rows += next.rows;
        self.positives += next.positives;
    }
}

/// The knots (score, probability) of the rising step map nearest to the labels in squared error: scores strictly rising,
/// probabilities never falling.
///
/// Each level has a knot at its first and its last score, between levels one interpolates, outside one holds the end level
/// (as scikit-learn's `IsotonicRegression(out_of_bounds="clip")`). Equal scores are pooled first.
///
/// # Errors
/// No rows, lengths that differ, a score that is not finite, or one class only.
pub fn isotonic(scores: &[f64], labels: &[bool]) -> Result<Vec<(f64, f64)>, NotComputable> {
    given::paired(scores, labels)?;
    both_classes(labels)?;
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(labels.iter().copied()).collect();
    // Adding 0.0 turns -0.0 into 0.0, so that the two zeros are one score.
    rows.iter_mut().for_each(|(score, _)| *score += 0.0);
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));

    let mut blocks: Vec<Block> = Vec::new();
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        let Some(&(score, _)) = tied.first() else { continue };
        let positives = tied.iter().filter(|&&(_, label)| label).count();
        let mut block = Block { first: score, last: score, rows: tied.len() as f64, positives: positives as f64 };
        // Whole counts are compared crosswise, so that equal levels are found equal.
        while let Some(mut before) =
            blocks.pop_if(|before| before.positives * block.rows >= block.positives * before.rows)
        {
            before.absorb(&block);
            block = before;
        }
        blocks.push(block);
    }

    let mut knots = Vec::with_capacity(2 * blocks.len());
    for block in &blocks {
        knots.push((block.first, block.level()));
        if block.last > block.first {
            knots.push((block.last, block.level()));
        }
    }
    Ok(knots)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::{self, Side, assert_close};

    #[test]
    fn violators_are_pooled() {
        let labels = [false, true, false, true, true];
        let knots = isotonic(&[0.1, 0.2, 0.3, 0.4, 0.5], &labels).unwrap();
        assert_eq!(knots, [(0.1, 0.0), (0.2, 0.5), (0.3, 0.5), (0.4, 1.0), (0.5, 1.0)]);
        assert_eq!(isotonic(&[0.1, 0.1], &[true, false]), Ok(vec![(0.1, 0.5)]));
        assert_eq!(isotonic(&[0.1], &[true]), Err(NotComputable::because("one class only")));
    }

    #[test]
    fn the_map_agrees_with_scikit_learn() {
        let (scores, labels) = golden::scored(Side::Reference);
        let knots = isotonic(&scores, &labels).unwrap();
        assert_eq!(knots.len(), 26);
        assert_close(knots.iter().map(|(_, level)| level).sum(), 10.859782239471784, 1e-9);
        assert_close(knots.iter().map(|(score, level)| score * level).sum(), 6.4214334593764315, 1e-9);
    }

    proptest! {
        #[test]
        fn the_map_rises_and_keeps_the_mean(rows in prop::collection::vec((0u8..30, any::<bool>()), 2..80)) {
            let (scores, labels): (Vec<f64>, Vec<bool>) =
                rows.into_iter().map(|(score, label)| (f64::from(score), label)).unzip();
            if let Ok(knots) = isotonic(&scores, &labels) {
                prop_assert!(knots.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
                prop_assert!(knots.iter().all(|(_, level)| (0.0..=1.0).contains(level)));
                let level = |score: f64| knots.iter().rev().find(|(x, _)| *x <= score).unwrap().1;
                let fitted: f64 = scores.iter().map(|&score| level(score)).sum();
                let positives = labels.iter().filter(|&&label| label).count() as f64;
                prop_assert!((fitted - positives).abs() < 1e-9);
            }
        }
    }
}
