//! Rankings agree with scikit-learn, however they were sorted, and one class has none.

use proptest::prelude::*;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::*;
use crate::stats::Tally;
use crate::stats::golden::{self, Side, assert_close};
use crate::stats::hypothesis::kolmogorov_smirnov;

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
fn one_ranking_answers_as_each_question_by_itself() {
    for side in [Side::Reference, Side::Current] {
        let (scores, labels) = golden::scored(side);
        let ranking = Ranking::of(&scores, &labels).unwrap();
        assert_eq!(ranking.rows(), scores.len() as u64);
        // Kolmogorov and Smirnov's distance of the classes, by the test's own road.
        let of = |class: bool| -> Vec<f64> {
            scores.iter().zip(&labels).filter(|(_, label)| **label == class).map(|(score, _)| *score).collect()
        };
        let tally = Tally::of_samples(&of(true), &of(false)).unwrap();
        assert_close(ranking.separation().unwrap(), kolmogorov_smirnov(&tally).statistic, 1e-12);
    }
}

#[test]
fn packed_rows_are_sorted_as_others_are() {
    let (mut scores, labels) = golden::scored(Side::Current);
    scores.extend([0.0, -0.0, 1.0, f64::MIN_POSITIVE, 0.5]);
    let labels: Vec<bool> = labels.into_iter().chain([true, false, false, true, true]).collect();
    let doubled: Vec<f64> = scores.iter().map(|score| 4.0 * score).collect();
    let (packed, others) = (Ranking::of(&scores, &labels).unwrap(), Ranking::of(&doubled, &labels).unwrap());
    assert!(packed.scores.is_sorted_by(|a, b| a >= b) && packed.rows() == labels.len() as u64);
    assert!(packed.scores.iter().zip(&others.scores).all(|(one, four)| 4.0 * one == *four));
    assert_eq!(packed.roc_auc(), others.roc_auc());
    assert_eq!(packed.roc_auc_delong(), others.roc_auc_delong());
    assert_eq!(packed.average_precision(), others.average_precision());
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
