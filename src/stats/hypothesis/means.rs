//! Whether the mean of counted values moved, and how far; pure. Refuses a reference that does not vary.

use super::Tested;
use crate::stats::given;
use crate::stats::special::normal_two_sided;
use crate::types::NotComputable;

/// How far a mean lies from the reference's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanShift {
    /// Current less reference mean, in standard deviations of the reference (divisor n).
    pub shift_sds: f64,
    /// z = shift / √(1/n + 1/m) with its two-sided normal p-value.
    pub tested: Tested,
}

/// The mean of counts in bins that stand at `positions`, against the reference's in the same bins: the two-sample z test with the
/// reference's standard deviation. Both means err by the same bins, so that their difference hardly does.
///
/// # Errors
/// Lengths that differ, a side without rows, or a reference whose rows all stand in one place.
pub fn mean_shift(positions: &[f64], reference: &[u64], current: &[u64]) -> Result<MeanShift, NotComputable> {
    let (n, m) = given::counts(reference, current)?;
    given::paired(positions, reference)?;
    let mean = |counts: &[u64], rows: f64, of: &dyn Fn(f64) -> f64| {
        positions.iter().zip(counts).map(|(at, count)| *count as f64 * of(*at)).sum::<f64>() / rows
    };
    let then = mean(reference, n, &|at| at);
    let deviation = mean(reference, n, &|at| (at - then).powi(2)).sqrt();
    if deviation == 0.0 {
        return Err(NotComputable::because("the reference does not vary"));
    }
    let shift_sds = given::finite((mean(current, m, &|at| at) - then) / deviation)?;
    let statistic = shift_sds / (1.0 / n + 1.0 / m).sqrt();
    Ok(MeanShift { shift_sds, tested: Tested { statistic, p_value: normal_two_sided(statistic) } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden::assert_close;

    #[test]
    fn a_mean_is_held_against_the_references_own_spread() {
        // Mean 1, variance ½; then mean 1.5: z = 0.5 / √½ / √(1/4 + 1/2).
        let found = mean_shift(&[0.0, 1.0, 2.0], &[1, 2, 1], &[0, 1, 1]).unwrap();
        assert_close(found.shift_sds, 0.5_f64.sqrt(), 1e-12);
        assert_close(found.tested.statistic, 0.5_f64.sqrt() / 0.75_f64.sqrt(), 1e-12);
        // scipy.stats.norm.sf(0.816496580927726) * 2
        assert_close(found.tested.p_value, 0.4142161782425252, 1e-9);
        let mirrored = mean_shift(&[0.0, 1.0, 2.0], &[1, 2, 1], &[1, 1, 0]).unwrap();
        assert_eq!(mirrored.shift_sds, -found.shift_sds);
    }

    #[test]
    fn what_does_not_vary_has_no_measure() {
        assert_eq!(
            mean_shift(&[0.0, 1.0], &[3, 0], &[1, 1]),
            Err(NotComputable::because("the reference does not vary"))
        );
        assert!(mean_shift(&[0.0], &[1], &[0]).is_err() && mean_shift(&[0.0], &[1, 2], &[1, 2]).is_err());
    }
}
