//! What is foretold agrees with NannyML, its band holds what comes true, and its ends hold what bins hide.

use proptest::prelude::*;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::*;
use crate::stats::classification::{Confusion, roc_auc};
use crate::stats::golden::{self, Side, assert_close};
use crate::stats::histogram::Edges;

const THRESHOLD: f64 = 0.5;

fn all(expected: &Expected, threshold: f64) -> [(&'static str, Foretold); 5] {
    [
        ("accuracy", expected.accuracy(threshold)),
        ("precision", expected.precision(threshold).unwrap()),
        ("recall", expected.recall(threshold).unwrap()),
        ("f1", expected.f1(threshold).unwrap()),
        ("roc_auc", expected.roc_auc().unwrap()),
    ]
}

/// NannyML 0.13.1's `estimate_*` functions on the golden scores, taken as calibrated, called positive from 0.5 on. Its area is
/// of counts rounded to five digits.
#[test]
fn what_is_foretold_agrees_with_nannyml() {
    let cases = [
        (
            Side::Reference,
            [0.7056009759999999, 0.6787406078431373, 0.6290183135379752, 0.652934215159997, 0.7739678973883239],
        ),
        (
            Side::Current,
            [0.7209513774999999, 0.7140445118483412, 0.7460569566553885, 0.7296998008939337, 0.7988717452449902],
        ),
    ];
    let mut largest: f64 = 0.0;
    for (side, values) in cases {
        let (scores, _) = golden::scored(side);
        let found = all(&Expected::of_scores(&scores).unwrap(), THRESHOLD);
        for ((name, found), value) in found.into_iter().zip(values) {
            let tolerance = if name == "roc_auc" { 1e-7 } else { 1e-12 };
            assert_close(found.estimate.value, value, tolerance);
            largest = largest.max((found.estimate.value - value).abs() / value);
            assert!(
                found.unbinned.contains(found.estimate.value) && found.unbinned.width() < 1e-12,
                "{name} {found:?}"
            );
        }
    }
    println!("CBPE beside NannyML 0.13.1: 10 values, the largest deviation {largest:.1e}");
}

/// Labels drawn from the scores 20,000 times (4,000 for the area) in NumPy: the standard deviations of the metrics.
#[test]
fn the_band_is_as_wide_as_drawn_labels_make_it() {
    let cases = [
        (Side::Reference, [0.01961, 0.03158, 0.02383, 0.02341, 0.01973]),
        (Side::Current, [0.02150, 0.02989, 0.02301, 0.02202, 0.02078]),
    ];
    for (side, deviations) in cases {
        let (scores, _) = golden::scored(side);
        for ((name, found), deviation) in
            all(&Expected::of_scores(&scores).unwrap(), THRESHOLD).into_iter().zip(deviations)
        {
            let own = found.estimate.interval.width() / 2.0 / Z_95;
            assert!((own / deviation - 1.0).abs() < 0.04, "{name} {own} {deviation}");
        }
    }
}

#[test]
fn the_band_holds_what_comes_true_as_often_as_it_says() {
    let mut generator = Pcg64::new(11, 3);
    let mut drawn = || (generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let (mut held, worlds) = ([0; 5], 1_000);
    for _ in 0..worlds {
        let scores: Vec<f64> = (0..300).map(|_| drawn() * drawn()).collect();
        let labels: Vec<bool> = scores.iter().map(|score| drawn() < *score).collect();
        let confusion = Confusion::at(0.3, &scores, &labels).unwrap();
        let true_values = [
            confusion.accuracy().unwrap().value,
            confusion.precision().unwrap().value,
            confusion.recall().unwrap().value,
            confusion.f1().unwrap().value,
            roc_auc(&scores, &labels).unwrap().value,
        ];
        let foretold = all(&Expected::of_scores(&scores).unwrap(), 0.3);
        for ((held, (_, foretold)), value) in held.iter_mut().zip(foretold).zip(true_values) {
            *held += u32::from(foretold.estimate.interval.contains(value));
        }
    }
    for held in held {
        assert!((930..=970).contains(&held), "{held} of {worlds}");
    }
}

#[test]
fn what_cannot_be_foretold_is_said() {
    assert_eq!(Expected::of_scores(&[]), Err(NotComputable::because("no rows")));
    assert!(Expected::of_scores(&[1.5]).is_err() && Expected::of_scores(&[f64::NAN]).is_err());
    let sure = Expected::of_scores(&[0.0, 0.0]).unwrap();
    assert!(
        sure.recall(0.5).is_err() && sure.f1(0.5).is_err() && sure.precision(0.5).is_err() && sure.roc_auc().is_err()
    );
    assert!(Expected::of_scores(&[1.0, 1.0]).unwrap().roc_auc().is_err());
    assert_eq!(
        (sure.accuracy(0.5).estimate.value, sure.confidence(), sure.base_rate(), sure.rows()),
        (1.0, 1.0, 0.0, 2)
    );
}

proptest! {
    #[test]
    fn what_bins_hide_lies_within_the_ends_that_are_given(
        scores in prop::collection::vec(0.001f64..0.999, 2..300), parts in 2usize..40, threshold in 0.05f64..0.95,
    ) {
        let edges = Edges::even(0.0, 1.0, parts).unwrap();
        let counts = edges.counts(&scores).unwrap();
        let ends: Vec<f64> = [0.0].into_iter().chain(edges.as_slice().iter().copied()).chain([1.0]).collect();
        let bins = counts.iter().zip(ends.windows(2)).map(|(rows, ends)| ScoreBin {
            rows: *rows, score: (ends[0] + ends[1]) / 2.0, lower: ends[0], upper: ends[1],
        });
        let (binned, rows) = (Expected::of_bins(bins.collect()).unwrap(), Expected::of_scores(&scores).unwrap());
        let pairs = [
            (Ok(binned.accuracy(threshold)), Ok(rows.accuracy(threshold))),
            (binned.precision(threshold), rows.precision(threshold)),
            (binned.recall(threshold), rows.recall(threshold)),
            (binned.f1(threshold), rows.f1(threshold)),
        ];
        for (binned, rows) in pairs {
            if let (Ok(binned), Ok(rows)) = (binned, rows) {
                let (ends, exact) = (binned.unbinned, rows.estimate.value);
                prop_assert!(ends.lower <= exact + 1e-12 && exact <= ends.upper + 1e-12, "{exact} in {ends:?}");
            }
        }
    }

    #[test]
    fn a_foretold_value_lies_in_its_band(scores in prop::collection::vec(0.0f64..=1.0, 1..60), threshold in 0.0f64..=1.0) {
        let expected = Expected::of_scores(&scores).unwrap();
        let metrics = [Ok(expected.accuracy(threshold)), expected.precision(threshold), expected.recall(threshold),
            expected.f1(threshold), expected.roc_auc()];
        for found in metrics.into_iter().flatten() {
            prop_assert!(found.estimate.interval.contains(found.estimate.value), "{found:?}");
            prop_assert!(found.estimate.interval.lower >= 0.0 && found.estimate.interval.upper <= 1.0);
        }
    }
}
