//! Fine bins frozen from a sample, filled a block of values at a time; pure. Every finite number has a bin.

use super::Edges;
use crate::types::NotComputable;

/// Steps from the root of the search to a bin. Eight give 256 bins: a Kolmogorov–Smirnov distance on 256 bins of equal mass is
/// at most 1/128 below the rows' own, far under any line it is held against.
const STEPS: u32 = 8;
/// How many bins there are at most.
const BINS: usize = 1 << STEPS;
/// Values that are searched together: enough for the processor to overlap their steps, few enough for its registers.
const TOGETHER: usize = 16;

/// Edges from a sample, with the tree in which values find their bins.
///
/// A value that the sample often repeats has a bin for itself alone, so that counts say of it what the rows would.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen {
    edges: Edges,
    /// The edges in the order of a search, as a heap from 1 on; what is missing to 255 is infinite.
    tree: Vec<f64>,
}

impl Frozen {
    /// About 254 bins of equal mass, fewer where values repeat. A sample without rows has one bin for everything.
    ///
    /// # Errors
    /// A value that is not finite.
    pub fn of(sample: &[f64]) -> Result<Frozen, NotComputable> {
        if !sample.iter().all(|x| x.is_finite()) {
            return Err(NotComputable::because("a value is not a finite number"));
        }
        let mut sorted = sample.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut cuts = BINS - 2;
        let mut edges = cut(&sorted, cuts);
        while edges.len() >= BINS {
            cuts = cuts * 3 / 4;
            edges = cut(&sorted, cuts);
        }
        let edges = Edges::new(edges)?;
        Ok(Frozen { tree: tree(edges.as_slice()), edges })
    }

    /// The edges.
    pub fn edges(&self) -> &Edges {
        &self.edges
    }

    /// How many bins there are.
    pub fn bins(&self) -> usize {
        self.edges.bins()
    }

    /// A count of 0 for each bin, in the form that [`count`](Self::count) wants.
    pub fn no_counts(&self) -> Vec<u64> {
        vec![0; BINS]
    }

    /// Count finite values: level by level over a block of them, so that no step waits for the one before it.
    pub fn count(&self, values: &[f64], counts: &mut [u64]) {
        let (Ok(tree), Ok(counts)) = (<&[f64; BINS]>::try_from(&*self.tree), <&mut [u64; BINS]>::try_from(counts))
        else {
            return;
        };
        let blocks = values.chunks_exact(TOGETHER);
        for &value in blocks.remainder() {
            counts[bins_of(&[value], tree)[0]] += 1;
        }
        for block in blocks {
            if let Ok(block) = <&[f64; TOGETHER]>::try_from(block) {
                bins_of(block, tree).into_iter().for_each(|bin| counts[bin] += 1);
            }
        }
    }
}

/// One bin for everything.
impl Default for Frozen {
    fn default() -> Self {
        let edges = Edges::default();
        Frozen { tree: tree(edges.as_slice()), edges }
    }
}

/// Edges at the sample's quantiles, its extremes among them; one more right below each value that fills two parts or more.
fn cut(sorted: &[f64], parts: usize) -> Vec<f64> {
    let Some(last) = sorted.len().checked_sub(1) else { return Vec::new() };
    let at = |part: usize| sorted[part * last / parts];
    let mut edges = Vec::with_capacity(parts + 1);
    for part in 0..=parts {
        let value = at(part);
        // The two zeros are one number.
        let value = if value == 0.0 { 0.0 } else { value };
        let repeated = part < parts && at(part + 1) == value;
        if repeated {
            edges.push(value.next_down());
        }
        edges.push(value);
    }
    edges.retain(|edge| edge.is_finite());
    edges.sort_unstable_by(f64::total_cmp);
    edges.dedup_by(|later, earlier| *later <= *earlier);
    edges
}

/// Rising edges as a heap: left of a node is what is below it. In order, its nodes are the edges and then infinity.
fn tree(edges: &[f64]) -> Vec<f64> {
    let mut tree = vec![f64::INFINITY; BINS];
    for (place, edge) in edges.iter().enumerate() {
        // The place-th node in order: with its trailing ones shifted out, the number counts levels from the leaves.
        let rank = place + 1;
        let height = rank.trailing_zeros();
        tree[(BINS >> (height + 1)) + (rank >> (height + 1))] = *edge;
    }
    tree
}

/// The bin of each value: how many edges lie below it.
fn bins_of<const N: usize>(values: &[f64; N], tree: &[f64; BINS]) -> [usize; N] {
    let mut at = [1; N];
    for _ in 0..STEPS {
        for (at, value) in at.iter_mut().zip(values) {
            *at = 2 * *at + usize::from(*value > tree[*at & (BINS - 1)]);
        }
    }
    at.map(|at| at & (BINS - 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::Tally;
    use crate::stats::golden::{self, NUMERIC, Side};
    use crate::stats::hypothesis::kolmogorov_smirnov;
    use crate::stats::hypothesis::kolmogorov_smirnov_bound;

    fn counted(frozen: &Frozen, values: &[f64]) -> Vec<u64> {
        let mut counts = frozen.no_counts();
        frozen.count(values, &mut counts);
        counts.truncate(frozen.bins());
        counts
    }

    #[test]
    fn a_block_finds_the_bins_that_one_value_at_a_time_finds() {
        for name in NUMERIC {
            let (reference, current) = (golden::column(Side::Reference, name), golden::column(Side::Current, name));
            let frozen = Frozen::of(&reference).unwrap();
            assert_eq!(counted(&frozen, &current), frozen.edges().counts(&current).unwrap(), "{name}");
        }
    }

    #[test]
    fn what_repeats_has_a_bin_of_its_own() {
        let constant = Frozen::of(&[5.0; 100]).unwrap();
        assert_eq!(counted(&constant, &[4.0, 5.0, 6.0]), [1, 1, 1]);
        let few: Vec<f64> = (0..1_000).map(|row| f64::from(row % 7)).collect();
        let frozen = Frozen::of(&few).unwrap();
        let counts = counted(&frozen, &few);
        assert_eq!(kolmogorov_smirnov_bound(frozen.edges(), &counts, &counts), Ok(0.0));
        assert_eq!(Frozen::of(&[]).unwrap().bins(), 1);
        assert!(Frozen::of(&[f64::NAN]).is_err());
    }

    proptest! {
        #[test]
        fn the_rows_own_distance_lies_within_the_bound(
            a in prop::collection::vec(-1e3f64..1e3, 1..400), b in prop::collection::vec(-1e3f64..1e3, 1..400), round in any::<bool>(),
        ) {
            let rounded = |xs: Vec<f64>| if round { xs.into_iter().map(|x| (x / 50.0).round()).collect() } else { xs };
            let (a, b): (Vec<f64>, Vec<f64>) = (rounded(a), rounded(b));
            let frozen = Frozen::of(&a).unwrap();
            prop_assert!(frozen.bins() <= BINS);
            let (then, now) = (counted(&frozen, &a), counted(&frozen, &b));
            prop_assert_eq!(&now, &frozen.edges().counts(&b).unwrap());
            let binned = kolmogorov_smirnov(&Tally::of_counts(&frozen.edges().positions(), &then, &now).unwrap()).statistic;
            let rows = kolmogorov_smirnov(&Tally::of_samples(&a, &b).unwrap()).statistic;
            let bound = kolmogorov_smirnov_bound(frozen.edges(), &then, &now).unwrap();
            prop_assert!(binned <= rows + 1e-12 && rows <= binned + bound + 1e-12, "{} {} {}", binned, rows, bound);
        }
    }
}
