//! Durations counted in logarithmic bins that are the same everywhere, so that counts merge by adding; pure.

use crate::stats::given;
use crate::types::NotComputable;

/// Every power of two is cut into 2⁴ bins, so a bin is at most 1/16 (6.25 %) wide: finer than a latency threshold needs,
/// and still under a thousand bins for all of u64.
const SUBDIVISION_BITS: u32 = 4;
/// Below this every microsecond has its own bin.
const LINEAR_BELOW: u64 = 1 << SUBDIVISION_BITS;

/// Count one duration; bins that are not there yet are added, so that a short list means short durations.
pub fn record(counts: &mut Vec<u64>, latency_us: u64) {
    let bin = bin(latency_us);
    if counts.len() <= bin {
        counts.resize(bin + 1, 0);
    }
    if let Some(count) = counts.get_mut(bin) {
        *count += 1;
    }
}

/// An upper bound of the `q`-quantile, 0 < q ≤ 1, in microseconds: the longest duration its bin can hold, at most 6.25 %
/// above the true one.
///
/// # Errors
/// Nothing was counted, or q is outside (0, 1].
pub fn quantile_us(counts: &[u64], q: f64) -> Result<u64, NotComputable> {
    if !(q > 0.0 && q <= 1.0) {
        return Err(NotComputable::because(format!("quantile {q} is outside 0 to 1")));
    }
    let wanted = (q * given::total(counts)).ceil().max(1.0) as u64;
    let mut seen = 0;
    let reached = counts.iter().position(|count| {
        seen += count;
        seen >= wanted
    });
    reached.map(longest_us).ok_or_else(|| NotComputable::because(given::NO_ROWS))
}

/// The bin of a duration: exact below 16 µs, then the power of two and the four bits after its leading one.
pub fn bin(latency_us: u64) -> usize {
    let shift = latency_us.checked_ilog2().unwrap_or(0).saturating_sub(SUBDIVISION_BITS);
    (u64::from(shift) * LINEAR_BELOW + (latency_us >> shift)) as usize
}

/// The longest duration a bin can hold.
fn longest_us(bin: usize) -> u64 {
    let bin = bin as u64;
    let shift = (bin / LINEAR_BELOW).saturating_sub(1);
    let leading = u128::from(bin - shift * LINEAR_BELOW);
    // Bins past the last one hold nothing and are as long as the last.
    u64::try_from(((leading + 1) << shift.min(64)) - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(latencies_us: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut counts = Vec::new();
        latencies_us.into_iter().for_each(|latency_us| record(&mut counts, latency_us));
        counts
    }

    #[test]
    fn nothing_counted_has_no_quantile() {
        assert_eq!(quantile_us(&[], 0.5), Err(NotComputable::because("no rows")));
        assert_eq!(quantile_us(&[0, 0], 0.5), Err(NotComputable::because("no rows")));
        assert!(quantile_us(&[1], 0.0).is_err() && quantile_us(&[1], f64::NAN).is_err());
    }

    #[test]
    fn every_duration_has_a_bin() {
        let counts = counted([0, 15, 16, 1_000, u64::MAX]);
        assert_eq!(counts.len(), 976);
        assert_eq!(quantile_us(&counts, 1.0), Ok(u64::MAX));
        assert_eq!(quantile_us(&counts, 0.4), Ok(15));
        assert_eq!(quantile_us(&[vec![0; 5_000], vec![1]].concat(), 1.0), Ok(u64::MAX));
    }

    proptest! {
        #[test]
        fn a_quantile_is_never_below_the_true_one_and_at_most_a_sixteenth_above(
            mut latencies in prop::collection::vec(0u64..10_000_000_000, 1..200), q in 0.01f64..=1.0,
        ) {
            let bound = quantile_us(&counted(latencies.iter().copied()), q).unwrap();
            latencies.sort_unstable();
            let exact = latencies[(q * latencies.len() as f64).ceil().max(1.0) as usize - 1];
            prop_assert!(bound >= exact && bound <= exact + exact / 16, "{} for {}", bound, exact);
        }

        #[test]
        fn bins_rise_with_the_duration(a in any::<u64>(), b in any::<u64>()) {
            prop_assert!(longest_us(bin(a)) >= a);
            prop_assert!(a > b || bin(a) <= bin(b));
        }
    }
}
