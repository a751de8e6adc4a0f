//! How far a current sample lies from a reference: PSI, KL, JS, Hellinger, L∞ and Wasserstein; pure. Refuses to divide by an empty bin.

use super::given;
use super::special::chi_square_critical;
use super::tally::Tally;
use crate::types::NotComputable;

/// What is done about bins that one side leaves empty, where a logarithm has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Smoothing {
    /// Half a row more in each bin: p = (count + 0.5) / (n + 0.5·k), Jeffreys' prior. It fades as rows come in and always
    /// sums to one, which a floor does not.
    #[default]
    Laplace,
    /// Shares as they are; an empty bin that matters is then not computable.
    Plain,
}

/// Population stability index Σ (q - p)·ln(q / p) over the bins, p the reference's shares, q the current ones; in nats, ≥ 0.
///
/// # Errors
/// Lengths that differ, a side without rows, or (plain) a bin empty on one side only.
pub fn psi(reference: &[u64], current: &[u64], smoothing: Smoothing) -> Result<f64, NotComputable> {
    Ok(kl_nats(current, reference, smoothing)? + kl_nats(reference, current, smoothing)?)
}

/// The PSI that two samples of one distribution exceed with probability `alpha`: χ²₍ₖ₋₁₎ quantile · (1/n + 1/m).
///
/// Under no drift PSI / (1/n + 1/m) is nearly χ² with bins - 1 degrees of freedom (Yurdakul 2018, "Statistical properties of
/// the population stability index"). One bin cannot drift: 0.
///
/// # Errors
/// A side without rows, or `alpha` outside (0, 1).
pub fn psi_critical(n_reference: u64, n_current: u64, bins: usize, alpha: f64) -> Result<f64, NotComputable> {
    if n_reference == 0 || n_current == 0 || bins == 0 {
        return Err(NotComputable::because(given::NO_ROWS));
    }
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(NotComputable::because(format!("significance {alpha} is outside 0 to 1")));
    }
    if bins == 1 {
        return Ok(0.0);
    }
    let scale = 1.0 / n_reference as f64 + 1.0 / n_current as f64;
    Ok(chi_square_critical(alpha, (bins - 1) as f64) * scale)
}

/// Kullback–Leibler divergence KL(from ‖ to) = Σ p·ln(p / q), p the shares of `from`, q those of `to`; in nats, ≥ 0.
///
/// # Errors
/// Lengths that differ, a side without rows, or (plain) a bin of `from` that is empty in `to`.
pub fn kl_nats(from: &[u64], to: &[u64], smoothing: Smoothing) -> Result<f64, NotComputable> {
    let mut sum = 0.0;
    for (p, q) in shares(from, to, smoothing)? {
        if p > 0.0 && q == 0.0 {
            return Err(NotComputable::because("a bin is empty on one side only"));
        }
        if p > 0.0 {
            sum += p * (p / q).ln();
        }
    }
    // Rounding alone can push a divergence of equals below zero.
    Ok(sum.max(0.0))
}

/// Jensen–Shannon divergence with logarithms to base 2: symmetric, in bits, from 0 (equal) to 1 (nothing in common).
///
/// Every bin of the mixture is filled where either side is, so no smoothing is needed.
///
/// # Errors
/// Lengths that differ, or a side without rows.
pub fn js_divergence_bits(reference: &[u64], current: &[u64], smoothing: Smoothing) -> Result<f64, NotComputable> {
    let part = |share: f64, mixed: f64| {
        if share > 0.0 { share * (share / mixed).log2() } else { 0.0 }
    };
    let bins = shares(reference, current, smoothing)?;
    let halves = bins.map(|(p, q)| 0.5 * (part(p, 0.5 * (p + q)) + part(q, 0.5 * (p + q))));
    Ok(halves.sum::<f64>().clamp(0.0, 1.0))
}

/// Jensen–Shannon distance to base 2, the square root of the divergence: a metric from 0 to 1.
///
/// # Errors
/// Lengths that differ, or a side without rows.
pub fn js_distance(reference: &[u64], current: &[u64], smoothing: Smoothing) -> Result<f64, NotComputable> {
    js_divergence_bits(reference, current, smoothing).map(f64::sqrt)
}

/// Hellinger distance √(½ Σ (√p - √q)²): a metric from 0 (same shares) to 1 (nothing in common); no smoothing.
///
/// # Errors
/// Lengths that differ, or a side without rows.
pub fn hellinger(reference: &[u64], current: &[u64]) -> Result<f64, NotComputable> {
    let bins = shares(reference, current, Smoothing::Plain)?;
    let apart: f64 = bins.map(|(p, q)| (p.sqrt() - q.sqrt()).powi(2)).sum();
    Ok((apart / 2.0).sqrt().min(1.0))
}

/// The largest difference of any bin's share, from 0 to 1; no smoothing.
///
/// # Errors
/// Lengths that differ, or a side without rows.
pub fn l_infinity(reference: &[u64], current: &[u64]) -> Result<f64, NotComputable> {
    let bins = shares(reference, current, Smoothing::Plain)?;
    Ok(bins.map(|(p, q)| (p - q).abs()).fold(0.0, f64::max))
}

/// Wasserstein-1 (earth mover's) distance ∫|F - G|, in the unit of the values; with bins, of rows that stand at their
/// bin's position.
///
/// # Errors
/// The distance is too large for a number.
pub fn wasserstein(tally: &Tally) -> Result<f64, NotComputable> {
    let (n, m) = (tally.n_reference() as f64, tally.n_current() as f64);
    let steps = tally.places().windows(2).map(|pair| pair[1].position - pair[0].position);
    let gaps = tally.cumulative().map(|(i, j)| (i as f64 / n - j as f64 / m).abs());
    given::finite(steps.zip(gaps).map(|(step, gap)| step * gap).sum())
}

/// Wasserstein-1 distance in standard deviations of the reference (divisor n), so that one threshold serves all features.
///
/// # Errors
/// The reference does not vary.
pub fn wasserstein_normed(tally: &Tally) -> Result<f64, NotComputable> {
    let n = tally.n_reference() as f64;
    let weighted = |of: &dyn Fn(f64) -> f64| {
        let places = tally.places().iter();
        places.map(|place| of(place.position) * place.reference as f64).sum::<f64>() / n
    };
    let mean = weighted(&|x| x);
    let deviation = weighted(&|x| (x - mean).powi(2)).sqrt();
    if deviation == 0.0 {
        return Err(NotComputable::because("the reference does not vary"));
    }
    given::finite(wasserstein(tally)? / given::finite(deviation)?)
}

/// The shares of both sides, bin by bin.
fn shares<'a>(
    left: &'a [u64],
    right: &'a [u64],
    smoothing: Smoothing,
) -> Result<impl Iterator<Item = (f64, f64)> + 'a, NotComputable> {
    let (n, m) = given::counts(left, right)?;
    let extra = match smoothing {
        Smoothing::Laplace => 0.5,
        Smoothing::Plain => 0.0,
    };
    let k = left.len() as f64;
    let share = move |count: u64, total: f64| (count as f64 + extra) / (total + extra * k);
    Ok(left.iter().zip(right).map(move |(&a, &b)| (share(a, n), share(b, m))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::{self, CATEGORICAL, NUMERIC, Side, assert_close};
    use crate::stats::histogram::Edges;

    #[test]
    fn divergences_agree_with_the_golden_values() {
        let golden = golden::golden();
        let numeric = NUMERIC.map(|name| format!("/numeric/{name}/quantile10"));
        let categorical = CATEGORICAL.map(|name| format!("/categorical/{name}/divergences"));
        for at in numeric.iter().chain(&categorical) {
            let reference = golden::counts(&golden, &format!("{at}/ref_counts"));
            let current = golden::counts(&golden, &format!("{at}/cur_counts"));
            for (how, smoothing) in [("plain", Smoothing::Plain), ("laplace0.5", Smoothing::Laplace)] {
                let agrees = |name: &str, found: Result<f64, NotComputable>| {
                    let pointer = format!("{at}/{how}/{name}");
                    match golden.pointer(&pointer).unwrap().as_f64() {
                        Some(expected) => assert_close(found.unwrap(), expected, 1e-9),
                        None => assert!(found.is_err(), "{pointer} is infinite"),
                    }
                };
                agrees("psi", psi(&reference, &current, smoothing));
                agrees("kl_ref_cur", kl_nats(&reference, &current, smoothing));
                agrees("kl_cur_ref", kl_nats(&current, &reference, smoothing));
                agrees("js_distance_base2", js_distance(&reference, &current, smoothing));
                let nats = js_divergence_bits(&reference, &current, smoothing).map(|bits| bits * 2f64.ln());
                agrees("js_divergence", nats);
            }
        }
    }

    /// What TensorFlow Data Validation's own tests expect, and an example of PSI that is often printed.
    #[test]
    fn known_cases_come_out_as_known() {
        let bits =
            |reference: &[u64], current: &[u64]| js_divergence_bits(reference, current, Smoothing::Plain).unwrap();
        assert_close(bits(&[2, 2, 0, 0], &[0, 1, 1, 2]), 0.655_639_062_22, 1e-9);
        // Three values and a missing one, against four values: missing is a bin like any other.
        assert_close(bits(&[3, 1], &[4, 0]), 0.137_925_380_97, 1e-9);
        // b b a a c against a a Z Y X.
        assert_close(bits(&[2, 2, 1, 0, 0, 0], &[2, 0, 0, 1, 1, 1]), 0.6, 1e-9);
        assert_close(bits(&[1, 0], &[0, 1]), 1.0, 1e-12);
        assert_close(psi(&[3, 4, 3], &[2, 4, 4], Smoothing::Plain).unwrap(), 0.069_314_718_1, 1e-9);
        assert_close(hellinger(&[1, 1], &[1, 0]).unwrap(), (1.0 - 0.5f64.sqrt()).sqrt(), 1e-12);
        assert_eq!((hellinger(&[1, 0], &[0, 1]), hellinger(&[1, 2], &[2, 4])), (Ok(1.0), Ok(0.0)));
    }

    #[test]
    fn a_new_category_moves_psi_by_its_share_and_not_by_the_smoothing() {
        // A twentieth of 500 rows in a category that was never seen: the empty bin counts half a row, not one in ten thousand.
        let (reference, current) = ([250, 250, 0], [238, 237, 25]);
        let value = psi(&reference, &current, Smoothing::Laplace).unwrap();
        assert!((0.15..0.25).contains(&value), "{value}");
        assert!(psi(&reference, &current, Smoothing::Plain).is_err());
    }

    #[test]
    fn wasserstein_agrees_with_scipy() {
        let golden = golden::golden();
        for name in NUMERIC {
            let (reference, current) = (golden::column(Side::Reference, name), golden::column(Side::Current, name));
            let tally = Tally::of_samples(&reference, &current).unwrap();
            let expected = |what: &str| golden::number(&golden, &format!("/numeric/{name}/{what}"));
            assert_close(wasserstein(&tally).unwrap(), expected("wasserstein"), 1e-9);
            assert_close(wasserstein_normed(&tally).unwrap(), expected("wasserstein_norm"), 1e-9);
        }
    }

    #[test]
    fn fine_bins_come_near_the_rows() {
        let (reference, current) = (golden::column(Side::Reference, "a_norm"), golden::column(Side::Current, "a_norm"));
        let edges = Edges::quantiles(&reference, 128).unwrap();
        let counts = |xs: &[f64]| edges.counts(xs).unwrap();
        let binned = Tally::of_counts(&edges.positions(), &counts(&reference), &counts(&current)).unwrap();
        assert_close(wasserstein(&binned).unwrap(), 0.3127826, 0.05);
    }

    #[test]
    fn the_critical_psi_is_a_scaled_chi_square_quantile() {
        // scipy.stats.chi2.ppf(0.95, 9) = 16.918977604620448
        assert_close(psi_critical(500, 400, 10, 0.05).unwrap(), 16.918977604620448 * (1.0 / 500.0 + 1.0 / 400.0), 1e-9);
        assert_eq!(psi_critical(500, 400, 1, 0.05), Ok(0.0));
        assert!(psi_critical(0, 400, 10, 0.05).is_err() && psi_critical(5, 4, 10, f64::NAN).is_err());
    }

    #[test]
    fn a_reference_that_does_not_vary_has_no_scale() {
        let tally = Tally::of_samples(&[1.0, 1.0], &[2.0]).unwrap();
        assert_eq!(wasserstein(&tally), Ok(1.0));
        assert_eq!(wasserstein_normed(&tally), Err(NotComputable::because("the reference does not vary")));
    }

    fn two_sets_of_counts() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
        let counts = |k| prop::collection::vec(0u64..1_000, k);
        (1usize..20).prop_flat_map(move |k| (counts(k), counts(k)))
    }

    proptest! {
        #[test]
        fn psi_is_finite_and_never_negative((a, b) in two_sets_of_counts()) {
            match psi(&a, &b, Smoothing::Laplace) {
                Ok(value) => prop_assert!(value.is_finite() && value >= 0.0),
                Err(why) => prop_assert_eq!(why, NotComputable::because("no rows")),
            }
            prop_assert!(psi(&a, &b, Smoothing::Plain).is_ok_and(f64::is_finite) || psi(&a, &b, Smoothing::Plain).is_err());
        }

        #[test]
        fn no_difference_is_no_distance((a, _) in two_sets_of_counts()) {
            prop_assume!(a.iter().any(|&count| count > 0));
            prop_assert_eq!(psi(&a, &a, Smoothing::Plain), Ok(0.0));
            prop_assert_eq!(js_distance(&a, &a, Smoothing::Laplace), Ok(0.0));
            prop_assert_eq!(l_infinity(&a, &a), Ok(0.0));
        }

        #[test]
        fn js_is_symmetric_and_at_most_one_bit((a, b) in two_sets_of_counts()) {
            let (there, back) = (js_divergence_bits(&a, &b, Smoothing::Plain), js_divergence_bits(&b, &a, Smoothing::Plain));
            prop_assert_eq!(&there, &back);
            prop_assert!(there.is_err() || there.is_ok_and(|bits| (0.0..=1.0).contains(&bits)));
        }

        #[test]
        fn wasserstein_moves_with_a_shift(xs in prop::collection::vec(-1e6f64..1e6, 1..50), shift in -1e3f64..1e3) {
            let moved: Vec<f64> = xs.iter().map(|x| x + shift).collect();
            let distance = wasserstein(&Tally::of_samples(&xs, &moved).unwrap()).unwrap();
            prop_assert!((distance - shift.abs()).abs() < 1e-6);
        }
    }
}
