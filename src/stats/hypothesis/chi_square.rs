//! Chi-square tests on counts by category, against a sample and against known shares, and Cramér's V as size; pure.

use super::Tested;
use crate::stats::given;
use crate::stats::special::chi_square_survival;
use crate::types::NotComputable;

/// Pearson's χ² of the 2 × k table of counts, without Yates' correction (SciPy's `chi2_contingency(correction=False)`).
///
/// Categories empty on both sides say nothing and are dropped. With one category left there is nothing to differ in: p = 1.
///
/// # Errors
/// Lengths that differ, or a side without rows.
pub fn chi_square(reference: &[u64], current: &[u64]) -> Result<Tested, NotComputable> {
    let (n, m) = given::counts(reference, current)?;
    let (mut statistic, mut categories) = (0.0, 0u32);
    for (&a, &b) in reference.iter().zip(current).filter(|&(&a, &b)| a > 0 || b > 0) {
        let (a, b) = (a as f64, b as f64);
        let (a_expected, b_expected) = ((a + b) * n / (n + m), (a + b) * m / (n + m));
        statistic += (a - a_expected).powi(2) / a_expected + (b - b_expected).powi(2) / b_expected;
        categories += 1;
    }
    let p_value = if categories > 1 { chi_square_survival(statistic, f64::from(categories - 1)) } else { 1.0 };
    Ok(Tested { statistic, p_value })
}

/// Below so many expected rows a cell's χ² is not near its limit (Cochran 1954, Biometrics 10:417–451).
const EXPECTED: f64 = 5.0;

/// [`chi_square`] after the categories that are too rare for it, with fewer than five rows expected on either side, were added
/// together, and to the rarest other one while that is not enough. A category that is new is among them: it counts.
///
/// # Errors
/// Lengths that differ, or a side without rows.
pub fn chi_square_pooled(reference: &[u64], current: &[u64]) -> Result<Tested, NotComputable> {
    let (n, m) = given::counts(reference, current)?;
    let mut cells: Vec<(u64, u64)> = reference.iter().copied().zip(current.iter().copied()).collect();
    cells.sort_unstable_by_key(|(a, b)| a + b);
    let mut pooled: Vec<(u64, u64)> = Vec::with_capacity(cells.len());
    for (a, b) in cells {
        // From the rarest up, so only the last cell made can still be too small.
        match pooled.last_mut() {
            Some(last) if (last.0 + last.1) as f64 * n.min(m) / (n + m) < EXPECTED => *last = (last.0 + a, last.1 + b),
            _ => pooled.push((a, b)),
        }
    }
    let (reference, current): (Vec<u64>, Vec<u64>) = pooled.into_iter().unzip();
    chi_square(&reference, &current)
}

/// Pearson's χ² of the current counts against the shares of the reference, taken as known for certain (SciPy's
/// `chisquare(current, expected)`). With few reference rows it finds too much: [`chi_square`] is then the test to use.
///
/// # Errors
/// Lengths that differ, a side without rows, or a category that the reference never saw.
pub fn chi_square_expected(reference: &[u64], current: &[u64]) -> Result<Tested, NotComputable> {
    let (n, m) = given::counts(reference, current)?;
    let (mut statistic, mut categories) = (0.0, 0u32);
    for (&a, &b) in reference.iter().zip(current).filter(|&(&a, &b)| a > 0 || b > 0) {
        if a == 0 {
            return Err(NotComputable::because("a category that the reference never saw"));
        }
        let expected = a as f64 * m / n;
        statistic += (b as f64 - expected).powi(2) / expected;
        categories += 1;
    }
    let p_value = if categories > 1 { chi_square_survival(statistic, f64::from(categories - 1)) } else { 1.0 };
    Ok(Tested { statistic, p_value })
}

/// Cramér's V = √(χ² / rows) of the 2 × k table, from 0 (same shares) to 1 (nothing in common).
///
/// # Errors
/// Lengths that differ, or a side without rows.
pub fn cramers_v(reference: &[u64], current: &[u64]) -> Result<f64, NotComputable> {
    let (n, m) = given::counts(reference, current)?;
    Ok((chi_square(reference, current)?.statistic / (n + m)).sqrt().min(1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::{self, CATEGORICAL, assert_close};

    #[test]
    fn chi_square_agrees_with_scipy() {
        let golden = golden::golden();
        for name in CATEGORICAL {
            let at = format!("/categorical/{name}");
            let reference = golden::counts(&golden, &format!("{at}/divergences/ref_counts"));
            let current = golden::counts(&golden, &format!("{at}/divergences/cur_counts"));
            let found = chi_square(&reference, &current).unwrap();
            assert_close(found.statistic, golden::number(&golden, &format!("{at}/chi2_contingency/statistic")), 1e-9);
            assert_close(found.p_value, golden::number(&golden, &format!("{at}/chi2_contingency/pvalue")), 1e-6);
            let known = format!("{at}/chisquare_gof_cur_vs_ref_freq");
            let against = chi_square_expected(&reference, &current);
            if golden.pointer(&known).unwrap().is_string() {
                assert_eq!(against, Err(NotComputable::because("a category that the reference never saw")));
            } else {
                let expected = |what: &str| golden::number(&golden, &format!("{known}/{what}"));
                assert_close(against.clone().unwrap().statistic, expected("statistic"), 1e-9);
                assert_close(against.unwrap().p_value, expected("pvalue"), 1e-6);
            }
            let v = golden::number(&golden, &format!("{at}/cramers_v"));
            assert_close(cramers_v(&reference, &current).unwrap(), v, 1e-9);
        }
    }

    #[test]
    fn categories_empty_on_both_sides_change_nothing() {
        assert_eq!(chi_square(&[10, 0, 20], &[12, 0, 8]), chi_square(&[10, 20], &[12, 8]));
        assert_eq!(chi_square(&[10, 0], &[3, 0]), Ok(Tested { statistic: 0.0, p_value: 1.0 }));
        assert_eq!(chi_square(&[0, 0], &[3, 0]), Err(NotComputable::because("no rows")));
    }

    #[test]
    fn rare_categories_are_counted_together() {
        // One row of a hundred in a category that had one in five thousand is no evidence, whatever χ² says of that cell.
        let (reference, current) = ([2_500, 2_499, 1], [50, 49, 1]);
        assert!(chi_square(&reference, &current).unwrap().p_value < 0.001);
        assert!(chi_square_pooled(&reference, &current).unwrap().p_value > 0.5);
        // Three rare ones make a cell that can be tested; frequent ones stay as they are.
        assert_eq!(chi_square_pooled(&[30, 70], &[45, 55]), chi_square(&[30, 70], &[45, 55]));
        let found = chi_square_pooled(&[500, 480, 0, 0, 20], &[80, 80, 15, 15, 10]).unwrap();
        assert!(found.p_value < 1e-6, "{found:?}");
        assert_eq!(chi_square_pooled(&[3], &[2]), Ok(Tested { statistic: 0.0, p_value: 1.0 }));
    }

    proptest! {
        #[test]
        fn p_is_a_probability_and_v_a_share(counts in prop::collection::vec((0u64..1_000_000, 0u64..50), 1..200)) {
            let (reference, current): (Vec<_>, Vec<_>) = counts.into_iter().unzip();
            if let Ok(found) = chi_square(&reference, &current) {
                prop_assert!((0.0..=1.0).contains(&found.p_value) && found.statistic.is_finite());
                prop_assert!((0.0..=1.0).contains(&cramers_v(&reference, &current).unwrap()));
            }
        }
    }
}
