//! How often each caller may ask: a bucket of tokens for each, filled by time; pure. What it remembers is bounded, whoever asks.

use std::collections::BTreeMap;

/// How many callers are told apart; those who come when so many have asked within a second share one bucket.
const CALLERS: usize = 65_536;

const SECOND_US: u64 = 1_000_000;

/// Buckets that hold one second's requests each.
#[derive(Debug)]
pub(super) struct Allowance<K> {
    /// Requests a second.
    rate: u64,
    buckets: BTreeMap<K, Bucket>,
    /// Of all who came too late to have one.
    others: Bucket,
    /// When room was last made: looking at all of them costs too much to be done for each who comes.
    swept_us: u64,
}

/// What was left when it was last asked, in millionths of a token.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: u64,
    at_us: u64,
}

impl Bucket {
    fn full(rate: u64, now_us: u64) -> Bucket {
        Bucket { left: rate * SECOND_US, at_us: now_us }
    }

    /// A second fills it.
    fn filled(self, rate: u64, now_us: u64) -> Bucket {
        let since_us = now_us.saturating_sub(self.at_us).min(SECOND_US);
        Bucket { left: (self.left + rate * since_us).min(rate * SECOND_US), at_us: now_us.max(self.at_us) }
    }

    fn take(&mut self, rate: u64, now_us: u64) -> bool {
        *self = self.filled(rate, now_us);
        let taken = self.left >= SECOND_US;
        self.left -= if taken { SECOND_US } else { 0 };
        taken
    }
}

impl<K: Ord> Allowance<K> {
    /// So many requests a second for each caller, and as many at once.
    pub(super) fn new(rate: u32) -> Self {
        let rate = u64::from(rate);
        Allowance { rate, buckets: BTreeMap::new(), others: Bucket::full(rate, 0), swept_us: 0 }
    }

    /// Whether this caller may ask now.
    pub(super) fn take(&mut self, caller: K, now_us: u64) -> bool {
        let rate = self.rate;
        if let Some(bucket) = self.buckets.get_mut(&caller) {
            return bucket.take(rate, now_us);
        }
        if self.buckets.len() >= CALLERS && now_us.saturating_sub(self.swept_us) >= SECOND_US {
            self.swept_us = now_us;
            // Whoever was silent for a second has a full bucket again, as if it had never asked.
            self.buckets.retain(|_, bucket| now_us.saturating_sub(bucket.at_us) < SECOND_US);
        }
        if self.buckets.len() >= CALLERS {
            return self.others.take(rate, now_us);
        }
        self.buckets.entry(caller).or_insert_with(|| Bucket::full(rate, now_us)).take(rate, now_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_its_rate_and_takes_nothing_from_another() {
        let mut allowance = Allowance::new(10);
        let taken =
            |allowance: &mut Allowance<u32>, caller, at: u64| (0..100).filter(|_| allowance.take(caller, at)).count();
        assert_eq!(taken(&mut allowance, 1, 0), 10);
        assert_eq!(taken(&mut allowance, 2, 0), 10);
        assert_eq!(taken(&mut allowance, 1, SECOND_US / 2), 5);
        assert_eq!(taken(&mut allowance, 1, 100 * SECOND_US), 10, "no more is saved than a second's");
        assert_eq!(taken(&mut allowance, 1, 99 * SECOND_US), 0, "a clock that goes back gives nothing");
    }

    #[test]
    fn however_many_come_what_is_remembered_is_bounded() {
        let mut allowance = Allowance::new(1);
        let let_in = (0..2 * CALLERS).filter(|caller| allowance.take(*caller, 0)).count();
        assert_eq!((let_in, allowance.buckets.len()), (CALLERS + 1, CALLERS));
        assert!(allowance.take(usize::MAX, SECOND_US), "who was silent for a second makes room");
        assert_eq!(allowance.buckets.len(), 1);
    }
}
