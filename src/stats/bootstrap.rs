//! Intervals by drawing the rows again with replacement, from a seed; pure, and the same on every machine.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::estimate::{Estimate, Interval, average};
use super::given;
use super::histogram::quantile_of_sorted;
use crate::types::NotComputable;

/// The generator's stream; any constant serves, and this one is written down so that draws can be repeated elsewhere.
const STREAM: u128 = 0x0a02_bdbf_7bb3_c0a7_ac28_fa16_a64a_bf96;

/// The mean of the rows with its percentile bootstrap interval at `level` (0.95: 95 %), from `resamples` draws.
///
/// Paired comparison is this on the rows' differences. Costs rows × resamples.
///
/// # Errors
/// No rows, a value that is not finite, no resamples, or a level outside (0, 1).
pub fn mean(xs: &[f64], level: f64, resamples: usize, seed: u64) -> Result<Estimate, NotComputable> {
    given::numbers(xs)?;
    Ok(Estimate {
        value: given::finite(average(xs))?,
        interval: percentile_interval(xs.len(), level, resamples, seed, |rows| {
            given::finite(
                rows.iter().map(|&row| xs.get(row).copied().unwrap_or(f64::NAN)).sum::<f64>() / rows.len() as f64,
            )
        })?,
    })
}

/// The percentile bootstrap interval at `level` of any statistic of `rows` rows, given as the row numbers drawn.
///
/// Draws on which the statistic is not computable (one class only, say) are left out.
///
/// # Errors
/// No rows, no resamples, a level outside (0, 1), or fewer than half of the draws computable.
pub fn percentile_interval(
    rows: usize,
    level: f64,
    resamples: usize,
    seed: u64,
    statistic: impl Fn(&[usize]) -> Result<f64, NotComputable>,
) -> Result<Interval, NotComputable> {
    if rows == 0 || resamples == 0 {
        return Err(NotComputable::because(given::NO_ROWS));
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(NotComputable::because(format!("level {level} is outside 0 to 1")));
    }
    let mut generator = Pcg64::new(u128::from(seed), STREAM);
    let mut drawn = vec![0; rows];
    let mut found = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        drawn.fill_with(|| below(rows, generator.next_u64()));
        found.extend(statistic(&drawn));
    }
    if found.len() * 2 < resamples {
        return Err(NotComputable::because("most draws are not computable"));
    }
    given::numbers(&found)?;
    found.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    Ok(Interval { lower: quantile_of_sorted(&found, tail), upper: quantile_of_sorted(&found, 1.0 - tail) })
}

/// A row number from 64 random bits, by the high half of a product (Lemire 2019); its bias is below rows / 2⁶⁴.
fn below(rows: usize, bits: u64) -> usize {
    ((bits as u128 * rows as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::{self, Side, assert_close};
    use crate::stats::mean as normal_mean;

    #[test]
    fn the_same_seed_draws_the_same_rows() {
        let xs: Vec<f64> = (0..50).map(|x| f64::from(x * x)).collect();
        assert_eq!(mean(&xs, 0.95, 200, 7), mean(&xs, 0.95, 200, 7));
        assert_ne!(mean(&xs, 0.95, 200, 7), mean(&xs, 0.95, 200, 8));
    }

    #[test]
    fn on_many_rows_it_agrees_with_the_normal_interval() {
        let xs = golden::column(Side::Reference, "b_lognorm");
        let (drawn, normal) = (mean(&xs, 0.95, 4_000, 1).unwrap(), normal_mean(&xs).unwrap());
        assert_close(drawn.interval.width(), normal.interval.width(), 0.05);
        assert_close(drawn.value, normal.value, 1e-12);
    }

    #[test]
    fn what_is_rarely_computable_has_no_interval() {
        let never = |_: &[usize]| Err(NotComputable::because("one class only"));
        assert!(percentile_interval(10, 0.95, 100, 1, never).is_err());
        assert!(mean(&[], 0.95, 100, 1).is_err() && mean(&[1.0], 1.0, 100, 1).is_err());
    }

    proptest! {
        #[test]
        fn an_interval_lies_within_the_rows(xs in prop::collection::vec(-1e6f64..1e6, 1..40), seed in any::<u64>()) {
            let found = mean(&xs, 0.9, 50, seed).unwrap().interval;
            let (least, most) = xs.iter().fold((f64::MAX, f64::MIN), |(a, b), &x| (a.min(x), b.max(x)));
            prop_assert!(found.lower <= found.upper && found.lower >= least - 1e-6 && found.upper <= most + 1e-6);
        }
    }
}
