//! The Mann–Whitney U test, two-sided, for samples or ordered bins; pure.

use super::Tested;
use crate::stats::special::normal_two_sided;
use crate::stats::tally::Tally;

/// U of the reference (pairs in which it is the larger, ties half), with the normal p-value, corrected for ties and for
/// continuity as SciPy's `mannwhitneyu(method="asymptotic")`. Values that all tie show no difference: p = 1.
pub fn mann_whitney(tally: &Tally) -> Tested {
    let (n, m) = (tally.n_reference() as f64, tally.n_current() as f64);
    let (mut u, mut below, mut ties) = (0.0, 0.0, 0.0);
    for place in tally.places() {
        let (reference, current) = (place.reference as f64, place.current as f64);
        u += reference * (below + current / 2.0);
        below += current;
        ties += (reference + current).powi(3) - (reference + current);
    }
    let rows = n + m;
    let variance = n * m / 12.0 * (rows + 1.0 - ties / (rows * (rows - 1.0)));
    // Towards the middle by half a pair, and never past it.
    let excess = ((u - n * m / 2.0).abs() - 0.5).max(0.0);
    let p_value = if variance > 0.0 { normal_two_sided(excess / variance.sqrt()) } else { 1.0 };
    Tested { statistic: u, p_value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::{self, NUMERIC, Side, assert_close};

    #[test]
    fn u_and_p_agree_with_scipy() {
        let golden = golden::golden();
        for name in NUMERIC {
            let (reference, current) = (golden::column(Side::Reference, name), golden::column(Side::Current, name));
            let found = mann_whitney(&Tally::of_samples(&reference, &current).unwrap());
            let expected = |what: &str| golden::number(&golden, &format!("/numeric/{name}/mwu_asymp_cc/{what}"));
            assert_close(found.statistic, expected("U_ref"), 1e-9);
            assert_close(found.p_value, expected("pvalue"), 1e-6);
        }
    }

    #[test]
    fn all_tied_is_no_difference() {
        assert_eq!(mann_whitney(&Tally::of_samples(&[1.0, 1.0], &[1.0]).unwrap()).p_value, 1.0);
    }

    proptest! {
        #[test]
        fn p_is_a_probability(counts in prop::collection::vec((0u64..100, 0u64..100), 1..30)) {
            let (reference, current): (Vec<_>, Vec<_>) = counts.into_iter().unzip();
            let positions: Vec<f64> = (0..reference.len()).map(|rank| rank as f64).collect();
            if let Ok(tally) = Tally::of_counts(&positions, &reference, &current) {
                let found = mann_whitney(&tally);
                prop_assert!((0.0..=1.0).contains(&found.p_value) && found.statistic >= 0.0);
            }
        }
    }
}
