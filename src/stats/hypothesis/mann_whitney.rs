//! The Mann–Whitney U test, two-sided, for samples or ordered bins; pure. Exact for few rows that do not tie.

use super::Tested;
use crate::stats::special::normal_two_sided;
use crate::stats::tally::Tally;
use crate::types::NotComputable;

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

/// The most rows on the smaller side for which the p-value is counted rather than approximated; SciPy's own bound.
pub const COUNTED_UP_TO: u64 = 8;

/// U with its exact p-value (SciPy's `mannwhitneyu(method="exact")`): of all C(n + m, n) orders, the share whose U lies as far
/// from the middle or further, on both sides.
///
/// # Errors
/// Values that tie, for which there is no such count, or more than `COUNTED_UP_TO` rows on the smaller side.
pub fn mann_whitney_exact(tally: &Tally) -> Result<Tested, NotComputable> {
    let (few, many) = {
        let (n, m) = (tally.n_reference(), tally.n_current());
        (n.min(m), n.max(m))
    };
    if few > COUNTED_UP_TO {
        return Err(NotComputable::because(format!("more than {COUNTED_UP_TO} rows on the smaller side")));
    }
    if tally.places().iter().any(|place| place.reference + place.current > 1) {
        return Err(NotComputable::because("values tie"));
    }
    let Tested { statistic, .. } = mann_whitney(tally);
    // Without ties U is whole, and the nearer end is as likely as the far one.
    let nearer = statistic.min((few * many) as f64 - statistic) as usize;
    let orders = orders_by_u(few as usize, many as usize, nearer);
    let all: f64 = (1..=few).map(|k| (many + k) as f64 / k as f64).product();
    Ok(Tested { statistic, p_value: (2.0 * orders.iter().sum::<f64>() / all).min(1.0) })
}

/// The exact test where it can be had and the normal one elsewhere (SciPy's `mannwhitneyu`, as it comes).
pub fn mann_whitney_auto(tally: &Tally) -> Tested {
    mann_whitney_exact(tally).unwrap_or_else(|_| mann_whitney(tally))
}

/// In how many orders of `few` and `many` rows U is 0, 1, … `last`: the first coefficients of the Gaussian binomial
/// Π (1 - qᵐ⁺ᵏ) / (1 - qᵏ) over k ≤ few (Mann & Whitney 1947).
fn orders_by_u(few: usize, many: usize, last: usize) -> Vec<f64> {
    let mut orders = vec![0.0; last + 1];
    orders[0] = 1.0;
    for k in 1..=few {
        for u in (many + k..=last).rev() {
            orders[u] -= orders[u - many - k];
        }
        for u in k..=last {
            orders[u] += orders[u - k];
        }
    }
    orders
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

    /// scipy.stats.mannwhitneyu(reference, current, method="exact"), SciPy 1.14.
    #[test]
    fn few_rows_are_counted_as_scipy_counts_them() {
        let evens: Vec<f64> = (0..8).map(|i| f64::from(2 * i)).collect();
        let odds = [1.0, 3.0, 5.0, 7.0, 9.0, 30.0, 31.0, 32.0, 33.0, 34.0];
        let spread: Vec<f64> = (0..8).map(|i| f64::from(i) * 100.0 + 0.5).collect();
        let thousand: Vec<f64> = (0..1_000).map(f64::from).collect();
        let cases: [(&[f64], &[f64], f64, f64); 6] = [
            (&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0, 7.0], 0.0, 0.05714285714285714),
            (&[1.0, 5.0, 3.0], &[4.0, 2.0, 6.0, 7.0], 3.0, 0.4),
            (&evens, &odds, 25.0, 0.20307143836555602),
            (&[0.5], &[1.0, 2.0, 3.0], 0.0, 0.5),
            (&[2.5], &[1.0, 2.0, 3.0, 4.0], 2.0, 1.0),
            (&spread, &thousand, 2808.0, 0.148710730030124),
        ];
        for (reference, current, u, p) in cases {
            let found = mann_whitney_auto(&Tally::of_samples(reference, current).unwrap());
            assert_close(found.statistic, u, 1e-12);
            assert_close(found.p_value, p, 1e-9);
            let turned = mann_whitney_auto(&Tally::of_samples(current, reference).unwrap());
            assert_close(turned.p_value, p, 1e-9);
        }
    }

    #[test]
    fn what_cannot_be_counted_is_approximated() {
        let tied = Tally::of_samples(&[1.0, 2.0], &[2.0, 3.0]).unwrap();
        assert_eq!(mann_whitney_exact(&tied), Err(NotComputable::because("values tie")));
        assert_eq!(mann_whitney_auto(&tied), mann_whitney(&tied));
        let (low, high): (Vec<f64>, Vec<f64>) = (0..9).map(|i| (f64::from(i), f64::from(i) + 0.5)).unzip();
        assert!(mann_whitney_exact(&Tally::of_samples(&low, &high).unwrap()).is_err());
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
