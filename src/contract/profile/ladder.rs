//! Where many values stand among the same edges; pure. A binary search waits for each comparison before it knows the next; here there are
//! two steps, and all comparisons of one are made at once.

use super::BINS;

const STEP: usize = 8;

/// Edges in eights, and the last of each eight; after the last edge nothing but infinities.
pub(super) struct Ladder {
    lasts: [f64; BINS / STEP],
    eights: [[f64; STEP]; BINS / STEP],
}

impl Ladder {
    /// Of rising edges, fewer than [`BINS`]; any more are not looked at.
    pub(super) fn of(edges: &[f64]) -> Ladder {
        let mut eights = [[f64::INFINITY; STEP]; BINS / STEP];
        for (rung, edge) in eights.as_flattened_mut().iter_mut().zip(edges) {
            *rung = *edge;
        }
        Ladder { lasts: eights.map(|[.., last]| last), eights }
    }

    /// How many edges are less than the value.
    pub(super) fn place(&self, value: f64) -> usize {
        let less = |edges: &[f64]| edges.iter().map(|edge| u64::from(*edge < value)).sum::<u64>() as usize;
        let full = less(&self.lasts);
        STEP * full + self.eights.get(full).map_or(0, |eight| less(eight))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_is_what_a_search_finds(
            mut edges in prop::collection::vec(-9..9_i32, 0..BINS),
            values in prop::collection::vec(-10.0..10.0, 1..50),
        ) {
            edges.sort_unstable();
            let edges: Vec<f64> = edges.into_iter().map(f64::from).collect();
            let ladder = Ladder::of(&edges);
            for value in values.into_iter().chain(edges.iter().copied()).chain([f64::INFINITY, f64::NEG_INFINITY, f64::NAN]) {
                prop_assert_eq!(ladder.place(value), edges.partition_point(|edge| *edge < value), "{}", value);
            }
        }
    }
}
