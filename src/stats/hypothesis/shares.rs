//! The test of two shares against each other; pure. Refuses a side without rows.

use super::Tested;
use crate::stats::given;
use crate::stats::special::normal_two_sided;
use crate::types::NotComputable;

/// The pooled two-proportion z test of `hits` in `rows`, current less reference, two-sided, without continuity correction.
///
/// Where no row or every row hits on both sides there is nothing to differ in: z = 0, p = 1.
///
/// # Errors
/// A side without rows, or more hits than rows.
pub fn two_shares(
    (reference_hits, reference_rows): (u64, u64),
    (current_hits, current_rows): (u64, u64),
) -> Result<Tested, NotComputable> {
    possible(reference_hits, reference_rows)?;
    possible(current_hits, current_rows)?;
    let (n, m) = (reference_rows as f64, current_rows as f64);
    let pooled = (reference_hits as f64 + current_hits as f64) / (n + m);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    let difference = current_hits as f64 / m - reference_hits as f64 / n;
    let statistic = if deviation > 0.0 { difference / deviation } else { 0.0 };
    Ok(Tested { statistic, p_value: normal_two_sided(statistic) })
}

fn possible(hits: u64, rows: u64) -> Result<(), NotComputable> {
    match rows {
        0 => Err(NotComputable::because(given::NO_ROWS)),
        _ if hits > rows => Err(NotComputable::because(format!("{hits} hits in {rows} rows"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::hypothesis::chi_square;

    #[test]
    fn shares_that_cannot_differ_do_not() {
        assert_eq!(two_shares((0, 10), (0, 20)), Ok(Tested { statistic: 0.0, p_value: 1.0 }));
        assert_eq!(two_shares((10, 10), (20, 20)).unwrap().p_value, 1.0);
        assert!(two_shares((0, 0), (1, 2)).is_err() && two_shares((3, 2), (1, 2)).is_err());
    }

    proptest! {
        #[test]
        fn z_squared_is_chi_square(a in 0u64..300, b in 1u64..300, c in 0u64..300, d in 1u64..300) {
            let z = two_shares((a, a + b), (c, c + d)).unwrap();
            let table = chi_square(&[a, b], &[c, d]).unwrap();
            prop_assert!((z.statistic.powi(2) - table.statistic).abs() < 1e-8);
            prop_assert!((z.p_value - table.p_value).abs() < 1e-8);
        }
    }
}
