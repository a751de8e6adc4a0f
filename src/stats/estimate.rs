//! A value with its interval, for means and for shares of rows; pure. Refuses an interval where one row cannot give it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::given;
use super::special::{Z_95, normal_upper_point};
use crate::types::NotComputable;

/// From `lower` to `upper`, both ends included, both finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Interval {
    /// Whether `x` lies within, ends included.
    pub fn contains(&self, x: f64) -> bool {
        self.lower <= x && x <= self.upper
    }

    /// Upper less lower end.
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }

    /// The image under a function that never falls.
    pub(super) fn map(self, rising: impl Fn(f64) -> f64) -> Interval {
        Interval { lower: rising(self.lower), upper: rising(self.upper) }
    }
}

/// A value and its 95 % interval. How the interval is made is said by the function that returns it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Its 95 % interval.
    pub interval: Interval,
}

impl Estimate {
    /// The image under a function that never falls, which keeps the interval's coverage.
    pub(super) fn map(self, rising: impl Fn(f64) -> f64) -> Estimate {
        Estimate { value: rising(self.value), interval: self.interval.map(rising) }
    }

    /// The same value with an interval whose ends are each exceeded with probability `level`, if this one's is normal, as
    /// those of a mean and of R² are. (At 0.025 it is this one.)
    ///
    /// # Errors
    /// A level outside (0, 0.5].
    pub fn normal_at(&self, level: f64) -> Result<Estimate, NotComputable> {
        let standard_error = (self.value - self.interval.lower) / Z_95;
        let reach = given::finite(normal_upper_point(level)? * standard_error)?;
        Ok(Estimate { interval: Interval { lower: self.value - reach, upper: self.value + reach }, ..*self })
    }

    /// A value with the normal interval of its standard error.
    pub(super) fn normal(value: f64, standard_error: f64) -> Result<Estimate, NotComputable> {
        let reach = Z_95 * standard_error;
        Ok(Estimate {
            value: given::finite(value)?,
            interval: Interval { lower: given::finite(value - reach)?, upper: given::finite(value + reach)? },
        })
    }
}

/// The mean of the rows with its normal interval, mean ± 1.96·s/√n with the sample standard deviation s.
///
/// # Errors
/// No rows, one row only (it has no spread), or a value that is not finite.
pub fn mean(xs: &[f64]) -> Result<Estimate, NotComputable> {
    given::numbers(xs)?;
    if xs.len() < 2 {
        return Err(NotComputable::because("one row only"));
    }
    let n = xs.len() as f64;
    let centre = average(xs);
    Estimate::normal(centre, (squares_about(centre, xs) / (n - 1.0) / n).sqrt())
}

/// A share of rows with Wilson's score interval (Wilson 1927; Brown, Cai & DasGupta 2001), which stays in [0, 1] and
/// does not collapse when the share is 0 or 1.
///
/// # Errors
/// No rows, or more hits than rows.
pub fn share(hits: u64, rows: u64) -> Result<Estimate, NotComputable> {
    if rows == 0 {
        return Err(NotComputable::because(given::NO_ROWS));
    }
    if hits > rows {
        return Err(NotComputable::because(format!("{hits} hits in {rows} rows")));
    }
    let (n, p) = (rows as f64, hits as f64 / rows as f64);
    let z2 = Z_95 * Z_95;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let reach = Z_95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    Ok(Estimate {
        value: p,
        interval: Interval { lower: (centre - reach).clamp(0.0, p), upper: (centre + reach).clamp(p, 1.0) },
    })
}

/// The plain mean of at least one number.
pub(super) fn average(xs: &[f64]) -> f64 {
    xs.iter().sum::<f64>() / xs.len() as f64
}

/// Σ(x - mean)².
pub(super) fn sum_of_squares(xs: &[f64]) -> f64 {
    squares_about(average(xs), xs)
}

fn squares_about(centre: f64, xs: &[f64]) -> f64 {
    xs.iter().map(|x| (x - centre).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::assert_close;

    #[test]
    fn wilson_agrees_with_scipy() {
        // scipy.stats.binomtest(8, 10).proportion_ci(method="wilson")
        let estimate = share(8, 10).unwrap();
        assert_close(estimate.interval.lower, 0.4901624715366418, 1e-9);
        assert_close(estimate.interval.upper, 0.9433178485456248, 1e-9);
        assert!(share(0, 0).is_err() && share(2, 1).is_err());
    }

    #[test]
    fn one_row_has_no_spread() {
        assert_eq!(mean(&[1.0]), Err(NotComputable::because("one row only")));
        assert_eq!(mean(&[]), Err(NotComputable::because("no rows")));
    }

    proptest! {
        #[test]
        fn a_share_lies_in_its_interval_and_that_in_zero_to_one(hits in 0u64..2_000, more in 0u64..2_000) {
            prop_assume!(hits + more > 0);
            let estimate = share(hits, hits + more).unwrap();
            prop_assert!(estimate.interval.contains(estimate.value));
            prop_assert!(estimate.interval.lower >= 0.0 && estimate.interval.upper <= 1.0);
            prop_assert!(estimate.interval.width() > 0.0);
        }

        #[test]
        fn a_mean_is_finite_or_not_computable(xs in prop::collection::vec(any::<f64>(), 0..20)) {
            if let Ok(estimate) = mean(&xs) {
                prop_assert!(estimate.value.is_finite() && estimate.interval.width() >= 0.0);
            }
        }
    }
}
