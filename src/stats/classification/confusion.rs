//! Decisions at a threshold: the confusion matrix, its shares with intervals, and the threshold of the best F1; pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ranking;
use crate::stats::estimate::{Estimate, share};
use crate::stats::given;
use crate::types::NotComputable;

/// How many rows were decided how. A row is called positive when its score is at or above the threshold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Confusion {
    /// Called positive, is positive.
    pub true_positives: u64,
    /// Called positive, is negative.
    pub false_positives: u64,
    /// Called negative, is positive.
    pub false_negatives: u64,
    /// Called negative, is negative.
    pub true_negatives: u64,
}

impl Confusion {
    /// Decide every row at a threshold.
    ///
    /// # Errors
    /// No rows, lengths that differ, or a score that is not finite.
    pub fn at(threshold: f64, scores: &[f64], labels: &[bool]) -> Result<Confusion, NotComputable> {
        given::paired(scores, labels)?;
        given::finite(threshold)?;
        let (mut positives, mut called, mut both) = (0, 0, 0);
        // Sums without a branch: which way a row goes nobody can foresee, the processor no more than anybody.
        for (&score, &label) in scores.iter().zip(labels) {
            let call = score >= threshold;
            positives += u64::from(label);
            called += u64::from(call);
            both += u64::from(call & label);
        }
        let confusion = Confusion {
            true_positives: both,
            false_positives: called - both,
            false_negatives: positives - both,
            true_negatives: scores.len() as u64 + both - called - positives,
        };
        Ok(confusion)
    }

    /// How many rows were decided.
    pub fn rows(&self) -> u64 {
        self.true_positives + self.false_positives + self.false_negatives + self.true_negatives
    }

    /// The share of rows decided right, with Wilson's interval.
    ///
    /// # Errors
    /// No rows.
    pub fn accuracy(&self) -> Result<Estimate, NotComputable> {
        share(self.true_positives + self.true_negatives, self.rows())
    }

    /// The share of rows called positive that are, with Wilson's interval.
    ///
    /// # Errors
    /// No row is called positive.
    pub fn precision(&self) -> Result<Estimate, NotComputable> {
        let called = self.true_positives + self.false_positives;
        share(self.true_positives, called).map_err(|_| NotComputable::because("no row is called positive"))
    }

    /// The share of positive rows called positive, with Wilson's interval.
    ///
    /// # Errors
    /// No row is positive.
    pub fn recall(&self) -> Result<Estimate, NotComputable> {
        let positive = self.true_positives + self.false_negatives;
        share(self.true_positives, positive).map_err(|_| NotComputable::because(given::ONE_CLASS))
    }

    /// F1 = 2J / (1 + J) with J = TP / (TP + FP + FN), the share of right calls among the rows that either side calls
    /// positive. J is a plain share, so it has Wilson's interval, and F1 its image.
    ///
    /// # Errors
    /// No row is positive.
    pub fn f1(&self) -> Result<Estimate, NotComputable> {
        self.recall()?;
        let either = self.true_positives + self.false_positives + self.false_negatives;
        Ok(share(self.true_positives, either)?.map(|jaccard| 2.0 * jaccard / (1.0 + jaccard)))
    }

    /// The share of negative rows called negative, with Wilson's interval.
    ///
    /// # Errors
    /// No row is negative.
    pub fn specificity(&self) -> Result<Estimate, NotComputable> {
        self.turned().recall()
    }

    /// The mean of recall and specificity, from 0 to 1.
    ///
    /// # Errors
    /// One class only.
    pub fn balanced_accuracy(&self) -> Result<f64, NotComputable> {
        Ok((self.recall()?.value + self.specificity()?.value) / 2.0)
    }

    /// The mean of the F1 of either class.
    ///
    /// # Errors
    /// One class only.
    pub fn f1_macro(&self) -> Result<f64, NotComputable> {
        Ok((self.f1()?.value + self.turned().f1()?.value) / 2.0)
    }

    /// Matthews' correlation of call and class, from -1 to 1.
    ///
    /// # Errors
    /// One class only, or all rows called the same.
    pub fn mcc(&self) -> Result<f64, NotComputable> {
        let [tp, fp, miss, tn] = [self.true_positives, self.false_positives, self.false_negatives, self.true_negatives]
            .map(|count| count as f64);
        let spread = ((tp + fp) * (tp + miss) * (tn + fp) * (tn + miss)).sqrt();
        if spread == 0.0 {
            return Err(NotComputable::because("one class only, or all rows called the same"));
        }
        Ok((tp * tn - fp * miss) / spread)
    }

    /// The same decisions with the other class called positive.
    fn turned(&self) -> Confusion {
        Confusion {
            true_positives: self.true_negatives,
            false_positives: self.false_negatives,
            false_negatives: self.false_positives,
            true_negatives: self.true_positives,
        }
    }
}

/// A threshold and the F1 reached with it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cut {
    /// Rows with a score at or above it are called positive.
    pub threshold: f64,
    /// F1 on the rows it was chosen on, from 0 to 1: too bright for any other rows.
    pub f1: f64,
}

/// Of all scores that occur, the one with the best F1 when used as threshold; of equals the largest.
///
/// # Errors
/// No rows, lengths that differ, a score that is not finite, or one class only.
pub fn best_f1_threshold(scores: &[f64], labels: &[bool]) -> Result<Cut, NotComputable> {
    Ranking::of(scores, labels)?.best_f1()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::{self, Side, assert_close};

    #[test]
    fn decisions_agree_with_scikit_learn() {
        let golden = golden::golden();
        for (side, name) in [(Side::Reference, "ref"), (Side::Current, "cur")] {
            let (scores, labels) = golden::scored(side);
            let confusion = Confusion::at(0.5, &scores, &labels).unwrap();
            let expected = |what: &str| golden::number(&golden, &format!("/performance/{name}/{what}"));
            assert_eq!(confusion.true_positives as f64, expected("tp"));
            assert_eq!(confusion.false_positives as f64, expected("fp"));
            assert_eq!(confusion.false_negatives as f64, expected("fn"));
            assert_eq!(confusion.true_negatives as f64, expected("tn"));
            assert_close(confusion.accuracy().unwrap().value, expected("accuracy"), 1e-9);
            assert_close(confusion.precision().unwrap().value, expected("precision"), 1e-9);
            assert_close(confusion.recall().unwrap().value, expected("recall"), 1e-9);
            assert_close(confusion.f1().unwrap().value, expected("f1"), 1e-9);
            assert_close(confusion.f1_macro().unwrap(), expected("f1_macro"), 1e-9);
            assert_close(confusion.balanced_accuracy().unwrap(), expected("balanced_accuracy"), 1e-9);
            assert_close(confusion.mcc().unwrap(), expected("mcc"), 1e-9);
        }
    }

    #[test]
    fn one_class_has_no_recall_and_no_f1() {
        let confusion = Confusion::at(0.5, &[0.1, 0.9], &[false, false]).unwrap();
        assert_eq!(confusion.recall(), Err(NotComputable::because("one class only")));
        assert_eq!(confusion.f1(), Err(NotComputable::because("one class only")));
        assert_eq!(best_f1_threshold(&[0.1], &[true]), Err(NotComputable::because("one class only")));
        assert_eq!(Confusion::at(0.5, &[], &[]), Err(NotComputable::because("no rows")));
        assert!(Confusion::default().accuracy().is_err() && confusion.mcc().is_err());
        assert_eq!(confusion.specificity().unwrap().value, 0.5);
    }

    #[test]
    fn a_row_on_the_threshold_is_called_positive() {
        assert_eq!(Confusion::at(0.5, &[0.5], &[true]).unwrap().true_positives, 1);
    }

    proptest! {
        #[test]
        fn no_threshold_beats_the_best(rows in prop::collection::vec((0u8..20, any::<bool>()), 1..60), other in 0u8..21) {
            let (scores, labels): (Vec<f64>, Vec<bool>) =
                rows.into_iter().map(|(score, label)| (f64::from(score) / 20.0, label)).unzip();
            if let Ok(best) = best_f1_threshold(&scores, &labels) {
                let f1 = |threshold| Confusion::at(threshold, &scores, &labels).unwrap().f1().unwrap().value;
                prop_assert!((f1(best.threshold) - best.f1).abs() < 1e-12);
                prop_assert!(f1(f64::from(other) / 20.0) <= best.f1 + 1e-12);
            }
        }
    }
}
