//! The two-sample Kolmogorov–Smirnov test, asymptotic and exact; pure. The exact one refuses samples too large for it.

use super::Tested;
use crate::stats::given;
use crate::stats::histogram::Edges;
use crate::stats::kolmogorov::survival;
use crate::stats::tally::Tally;
use crate::types::NotComputable;

/// The most rows on either side for which the exact p-value is worth its n·m steps; SciPy's own bound.
pub const EXACT_UP_TO: u64 = 10_000;

/// D = max|F - G| with the p-value of one sample of nm / (n + m) rows (SciPy's `ks_2samp(method="asymp")`).
///
/// On binned counts D is taken at the bins' boundaries only, so it is never above the rows' own D.
pub fn kolmogorov_smirnov(tally: &Tally) -> Tested {
    let (n, m) = (tally.n_reference() as f64, tally.n_current() as f64);
    let statistic = largest_gap(tally) as f64 / (n * m);
    let effective = (n * m / (n + m)).round_ties_even().max(1.0) as u64;
    Tested { statistic, p_value: survival(effective, statistic) }
}

/// The exact test up to `EXACT_UP_TO` rows a side and the asymptotic one beyond (SciPy's `ks_2samp`, as it comes).
pub fn kolmogorov_smirnov_auto(tally: &Tally) -> Tested {
    kolmogorov_smirnov_exact(tally).unwrap_or_else(|_| kolmogorov_smirnov(tally))
}

/// How far the D of the rows may lie above the D of their bins: within a bin the rows of one side may all stand before those of
/// the other, unless the bin is of one number, where they tie.
///
/// # Errors
/// Lengths that differ, or a side without rows.
pub fn kolmogorov_smirnov_bound(edges: &Edges, reference: &[u64], current: &[u64]) -> Result<f64, NotComputable> {
    let (n, m) = given::counts(reference, current)?;
    let (mut gap, mut seen, mut possible): (f64, f64, f64) = (0.0, 0.0, 0.0);
    for (bin, (&a, &b)) in reference.iter().zip(current).enumerate() {
        let (a, b) = (a as f64 / n, b as f64 / m);
        if !edges.is_point(bin) {
            possible = possible.max((gap + a).abs()).max((gap - b).abs());
        }
        gap += a - b;
        seen = seen.max(gap.abs());
    }
    Ok((possible - seen).max(0.0))
}

/// D = max|F - G| with its exact p-value (SciPy's `ks_2samp(method="exact")`); conservative where values tie.
///
/// # Errors
/// More than `EXACT_UP_TO` rows on a side.
pub fn kolmogorov_smirnov_exact(tally: &Tally) -> Result<Tested, NotComputable> {
    let (n, m) = (tally.n_reference(), tally.n_current());
    if n.max(m) > EXACT_UP_TO {
        return Err(NotComputable::because(format!("more than {EXACT_UP_TO} rows")));
    }
    let gap = largest_gap(tally);
    Ok(Tested {
        statistic: gap as f64 / (n * m) as f64,
        p_value: chance_of_leaving(n as usize, m as usize, gap as usize),
    })
}

/// D·n·m, which is a whole number.
fn largest_gap(tally: &Tally) -> u128 {
    let (n, m) = (u128::from(tally.n_reference()), u128::from(tally.n_current()));
    let gaps = tally.cumulative().map(|(i, j)| (u128::from(i) * m).abs_diff(u128::from(j) * n));
    gaps.max().unwrap_or(0)
}

/// The chance that a random order of n and m rows has |i·m - j·n| ≥ `gap` at some point (i, j) of its path.
///
/// All C(n + m, n) lattice paths are equally likely (Hodges 1958), which is a Markov chain: from (i, j) the next row is one
/// of the n with chance (n - i) / (n + m - i - j). The mass that leaves the band is added up as it leaves, so that small
/// p-values keep their digits. n·m steps at most.
fn chance_of_leaving(n: usize, m: usize, gap: usize) -> f64 {
    if gap == 0 {
        return 1.0;
    }
    let inside = |i: usize, j: usize| (i * m).abs_diff(j * n) < gap;
    // mass[j] is the chance of being at (i, j) without having left; outside the band it is 0.
    let mut mass = vec![0.0; m + 1];
    let (mut left, mut lowest) = (0.0, 0);
    for i in 0..=n {
        let (mut from_below, mut next_lowest) = (if i == 0 { 1.0 } else { 0.0 }, None);
        for (j, here) in mass.iter_mut().enumerate().skip(lowest) {
            let from_left = if i == 0 { 0.0 } else { *here * (n + 1 - i) as f64 / (n + m + 1 - i - j) as f64 };
            let arriving = from_left + from_below;
            if inside(i, j) {
                next_lowest.get_or_insert(j);
                *here = arriving;
                from_below = if j < m { arriving * (m - j) as f64 / (n + m - i - j) as f64 } else { 0.0 };
            } else {
                left += arriving;
                *here = 0.0;
                from_below = 0.0;
                if next_lowest.is_some() {
                    break;
                }
            }
        }
        let Some(j) = next_lowest else { break };
        lowest = j;
    }
    left.min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::{self, NUMERIC, Side, assert_close};

    #[test]
    fn both_p_values_agree_with_scipy() {
        let golden = golden::golden();
        for name in NUMERIC {
            let (reference, current) = (golden::column(Side::Reference, name), golden::column(Side::Current, name));
            let tally = Tally::of_samples(&reference, &current).unwrap();
            let expected = |what: &str| golden::number(&golden, &format!("/numeric/{name}/{what}"));
            let (limit, exact) = (kolmogorov_smirnov(&tally), kolmogorov_smirnov_exact(&tally).unwrap());
            assert_close(limit.statistic, expected("ks_exact/statistic"), 1e-9);
            assert_close(limit.p_value, expected("ks_asymp/pvalue"), 1e-6);
            assert_close(exact.p_value, expected("ks_exact/pvalue"), 1e-6);
            assert_eq!(kolmogorov_smirnov_auto(&tally).p_value, exact.p_value);
        }
    }

    #[test]
    fn a_textbook_s_sixteen_rows_agree_with_scipy() {
        let reference = [38.7, 41.5, 43.8, 44.5, 45.5, 46.0, 47.7, 58.0];
        let current = [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8];
        let found = kolmogorov_smirnov_auto(&Tally::of_samples(&reference, &current).unwrap());
        assert_close(found.statistic, 0.625, 1e-9);
        assert_close(found.p_value, 0.087_024_087_0, 1e-6);
    }

    #[test]
    fn small_samples_can_be_counted_by_hand() {
        // Of the C(4, 2) = 6 orders of two and two rows, the 2 that do not interleave at all reach D = 1.
        let apart = Tally::of_samples(&[1.0, 2.0], &[3.0, 4.0]).unwrap();
        assert_close(kolmogorov_smirnov_exact(&apart).unwrap().p_value, 1.0 / 3.0, 1e-12);
        let same = Tally::of_samples(&[1.0, 2.0], &[1.0, 2.0]).unwrap();
        assert_eq!(kolmogorov_smirnov_exact(&same), Ok(Tested { statistic: 0.0, p_value: 1.0 }));
        assert_eq!(kolmogorov_smirnov(&same).p_value, 1.0);
    }

    #[test]
    fn bins_see_at_most_what_the_rows_show() {
        let (reference, current) = (golden::column(Side::Reference, "a_norm"), golden::column(Side::Current, "a_norm"));
        let edges = Edges::quantiles(&reference, 128).unwrap();
        let counts = |xs: &[f64]| edges.counts(xs).unwrap();
        let binned = Tally::of_counts(&edges.positions(), &counts(&reference), &counts(&current)).unwrap();
        let found = kolmogorov_smirnov(&binned).statistic;
        assert!((0.15..=0.168).contains(&found), "{found}");
        let error = kolmogorov_smirnov_bound(&edges, &counts(&reference), &counts(&current)).unwrap();
        assert!((0.0..0.03).contains(&error) && found + error >= 0.168, "{found} and {error}");
    }

    #[test]
    fn the_exact_test_refuses_large_samples() {
        let tally = Tally::of_counts(&[0.0], &[EXACT_UP_TO + 1], &[5]).unwrap();
        assert!(kolmogorov_smirnov_exact(&tally).is_err());
        assert_eq!(kolmogorov_smirnov_auto(&tally), kolmogorov_smirnov(&tally));
    }

    proptest! {
        #[test]
        fn the_rows_are_never_further_apart_than_their_bins_and_the_error_of_these(
            a in prop::collection::vec(-20i32..20, 1..60), b in prop::collection::vec(-20i32..20, 1..60), bins in 1usize..9,
        ) {
            let floats = |xs: &[i32]| xs.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
            let (a, b) = (floats(&a), floats(&b));
            let edges = Edges::quantiles(&a, bins).unwrap();
            let (reference, current) = (edges.counts(&a).unwrap(), edges.counts(&b).unwrap());
            let binned = kolmogorov_smirnov(&Tally::of_counts(&edges.positions(), &reference, &current).unwrap()).statistic;
            let rows = kolmogorov_smirnov(&Tally::of_samples(&a, &b).unwrap()).statistic;
            let error = kolmogorov_smirnov_bound(&edges, &reference, &current).unwrap();
            prop_assert!(binned <= rows + 1e-12 && rows <= binned + error + 1e-12, "{} {} {}", binned, rows, error);
        }

        #[test]
        fn the_test_is_symmetric_and_its_p_a_probability(
            a in prop::collection::vec(-20i32..20, 1..60), b in prop::collection::vec(-20i32..20, 1..60),
        ) {
            let floats = |xs: &[i32]| xs.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
            let there = kolmogorov_smirnov_exact(&Tally::of_samples(&floats(&a), &floats(&b)).unwrap()).unwrap();
            let back = kolmogorov_smirnov_exact(&Tally::of_samples(&floats(&b), &floats(&a)).unwrap()).unwrap();
            prop_assert!((0.0..=1.0).contains(&there.p_value) && (0.0..=1.0).contains(&there.statistic));
            prop_assert!((there.p_value - back.p_value).abs() < 1e-12);
        }
    }
}
