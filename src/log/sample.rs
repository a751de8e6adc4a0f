//! Which requests are looked at where there are too many to look at all; pure. Chosen by a hash of the id alone, it is blind to
//! what was answered and to what came true.

use uuid::Uuid;

use crate::types::Digest;

/// All requests, or a half of them, a quarter, an eighth …
///
/// A smaller sample lies within every larger one, whoever takes it of what: replicas, hours, events or labels. So samples of
/// parts add up to the sample of the whole, and no two looks disagree about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    halvings: u32,
}

impl Sample {
    /// Every request.
    pub const ALL: Sample = Sample { halvings: 0 };

    /// The largest sample that is expected to take no more than `above` of so many requests.
    pub fn of(requests: u64, above: u64) -> Sample {
        let enough = |halvings: &u32| u128::from(requests) <= u128::from(above.max(1)) << halvings;
        Sample { halvings: (0..u64::BITS).find(enough).unwrap_or(u64::BITS) }
    }

    /// The share of requests that it takes.
    pub fn share(self) -> f64 {
        0.5_f64.powf(f64::from(self.halvings))
    }

    /// Whether it takes a request: a random 64-bit number begins with h zeros once in 2^h.
    ///
    /// The number is the beginning of the SHA-256 of the id's bytes. The id's own bits will not do: clients choose them, and
    /// those of a UUIDv7 are a clock.
    pub fn takes(self, request_id: Uuid) -> bool {
        self.halvings == 0 || {
            let mut first = [0; 8];
            let digest = Digest::of(request_id.as_bytes());
            first.iter_mut().zip(digest.bytes()).for_each(|(first, byte)| *first = *byte);
            u64::from_be_bytes(first).leading_zeros() >= self.halvings
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sample_is_as_large_as_may_be() {
        let share = |requests, above| Sample::of(requests, above).share();
        assert_eq!((share(0, 100), share(100, 100), share(101, 100)), (1.0, 1.0, 0.5));
        assert_eq!((share(200, 100), share(201, 100), share(1_000_000, 1_000)), (0.5, 0.25, 1.0 / 1024.0));
        assert!(share(u64::MAX, 0) > 0.0);
    }

    /// Ids as the wildest clients choose them: counted, timed, one bit apart.
    #[test]
    fn whoever_chooses_ids_does_not_choose_the_sample() {
        let worlds: [fn(u128) -> u128; 4] =
            [|n| n, |n| n << 100, |n| u128::MAX - n, |n| (0x0190_a5b4_7c3e_7b1a << 64) | (n * 1_000)];
        for world in worlds {
            let taken = (0..40_000).filter(|n| Sample { halvings: 2 }.takes(Uuid::from_u128(world(*n)))).count();
            // 10,000 expected, standard deviation 87.
            assert!((9_600..10_400).contains(&taken), "{taken}");
        }
    }

    proptest! {
        #[test]
        fn the_sample_of_the_union_is_the_union_of_the_samples(
            ids in prop::collection::vec(any::<u128>(), 0..200), cut in 0usize..200, halvings in 0u32..6
        ) {
            let sample = Sample { halvings };
            let take = |ids: &[u128]| -> BTreeSet<Uuid> {
                ids.iter().map(|id| Uuid::from_u128(*id)).filter(|id| sample.takes(*id)).collect()
            };
            let (one, other) = ids.split_at(cut.min(ids.len()));
            let mut back = ids.clone();
            back.reverse();
            prop_assert_eq!(take(&ids), take(one).union(&take(other)).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(take(&ids), take(&back), "in any order");
            let larger = Sample { halvings: halvings.saturating_sub(1) };
            prop_assert!(take(&ids).into_iter().all(|id| larger.takes(id)), "a smaller one lies within a larger one");
        }
    }
}
