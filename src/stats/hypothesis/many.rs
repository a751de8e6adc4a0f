//! Many tests at once: Benjamini and Hochberg's step-up adjustment; pure. Refuses p-values that are no probabilities.

use crate::types::NotComputable;

/// The q-value of each p-value, in the order given: the smallest false discovery rate at which it is rejected.
///
/// Reject where q ≤ the rate wanted (Benjamini & Hochberg 1995; SciPy's `false_discovery_control`). None give none.
///
/// # Errors
/// A p-value outside [0, 1].
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>, NotComputable> {
    if let Some(p) = p_values.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(NotComputable::because(format!("p-value {p} is outside 0 to 1")));
    }
    let mut ranked: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1));
    let tests = p_values.len() as f64;
    let mut smallest: f64 = 1.0;
    for (rank, (_, p)) in ranked.iter_mut().enumerate().rev() {
        // Never below p itself, where rounding would put it.
        smallest = smallest.min((*p * tests / (rank + 1) as f64).max(*p));
        *p = smallest;
    }
    ranked.sort_by_key(|&(index, _)| index);
    Ok(ranked.into_iter().map(|(_, q)| q).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::assert_close;

    #[test]
    fn q_values_agree_with_scipy() {
        // scipy.stats.false_discovery_control([0.01, 0.04, 0.03, 0.005, 0.9])
        let q = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005, 0.9]).unwrap();
        for (found, expected) in q.into_iter().zip([0.025, 0.05, 0.05, 0.025, 0.9]) {
            assert_close(found, expected, 1e-12);
        }
        assert_eq!(benjamini_hochberg(&[]), Ok(vec![]));
        assert!(benjamini_hochberg(&[0.1, f64::NAN]).is_err());
    }

    proptest! {
        #[test]
        fn q_rises_with_p_and_never_falls_below_it(p in prop::collection::vec(0.0f64..=1.0, 1..40)) {
            let q = benjamini_hochberg(&p).unwrap();
            for i in 0..p.len() {
                prop_assert!(q[i] >= p[i] && q[i] <= 1.0);
                for j in 0..p.len() {
                    prop_assert!(p[i] > p[j] || q[i] <= q[j]);
                }
            }
        }
    }
}
