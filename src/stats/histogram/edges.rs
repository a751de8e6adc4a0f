//! Bins frozen from a reference sample, and counts in them; pure. Refuses edges that do not rise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::given;
use crate::types::NotComputable;

/// The inner edges of a histogram: finite, strictly rising, one fewer than the bins.
///
/// Bins are closed on the right and open-ended at both sides: (-∞, e₀], (e₀, e₁], …, (eₖ, ∞), so every number has a bin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Edges(Vec<f64>);

impl Edges {
    /// Take edges as they are; none at all is one bin.
    ///
    /// # Errors
    /// An edge that is not finite, or not above the one before it.
    pub fn new(edges: Vec<f64>) -> Result<Edges, NotComputable> {
        let rising = edges.windows(2).all(|pair| pair[0] < pair[1]);
        if rising && edges.iter().all(|edge| edge.is_finite()) {
            Ok(Edges(edges))
        } else {
            Err(NotComputable::because("edges must be finite and strictly rising"))
        }
    }

    /// The edges that cut the sample into `bins` parts of equal mass: its quantiles 1/bins … (bins-1)/bins, each once.
    ///
    /// Heavy ties make equal quantiles, so there may be fewer bins than asked for. Quantiles as `numpy.quantile`'s `linear`.
    ///
    /// # Errors
    /// No rows, or a value that is not finite.
    pub fn quantiles(samples: &[f64], bins: usize) -> Result<Edges, NotComputable> {
        given::numbers(samples)?;
        let mut sorted = samples.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let cuts = (1..bins).map(|k| quantile_of_sorted(&sorted, k as f64 / bins as f64));
        let mut edges: Vec<f64> = cuts.collect();
        edges.dedup_by(|later, earlier| *later <= *earlier);
        Edges::new(edges)
    }

    /// The edges that cut [lower, upper] into `bins` parts of equal width.
    ///
    /// # Errors
    /// A range that is empty, not finite, or too narrow for so many edges.
    pub fn even(lower: f64, upper: f64, bins: usize) -> Result<Edges, NotComputable> {
        let share = |k: usize| k as f64 / bins as f64;
        Edges::new((1..bins).map(|k| lower + (upper - lower) * share(k)).collect())
    }

    /// How many bins there are: one more than edges.
    pub fn bins(&self) -> usize {
        self.0.len() + 1
    }

    /// The bin of a number, from 0: how many edges lie below it. NaN is below nothing and falls in bin 0, so admit only
    /// finite numbers.
    pub fn bin(&self, x: f64) -> usize {
        self.0.partition_point(|edge| *edge < x)
    }

    /// How many of the samples fall in each bin.
    ///
    /// # Errors
    /// A value that is not finite. No rows are no error: all counts are then 0.
    pub fn counts(&self, samples: &[f64]) -> Result<Vec<u64>, NotComputable> {
        let mut counts = vec![0; self.bins()];
        for &x in samples {
            given::finite(x)?;
            if let Some(count) = counts.get_mut(self.bin(x)) {
                *count += 1;
            }
        }
        Ok(counts)
    }

    /// One number to stand for each bin: the midpoint, and for the two open-ended bins their edge.
    pub fn positions(&self) -> Vec<f64> {
        let (Some(&first), Some(&last)) = (self.0.first(), self.0.last()) else {
            return vec![0.0];
        };
        let midpoints = self.0.windows(2).map(|pair| pair[0] + (pair[1] - pair[0]) / 2.0);
        [first].into_iter().chain(midpoints).chain([last]).collect()
    }

    /// Whether only one number falls in this bin, so that its rows tie and hide nothing.
    pub fn is_point(&self, bin: usize) -> bool {
        bin > 0 && self.0.get(bin).is_some_and(|edge| self.0[bin - 1].next_up() == *edge)
    }

    /// The edges, rising.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }
}

impl TryFrom<Vec<f64>> for Edges {
    type Error = NotComputable;

    fn try_from(edges: Vec<f64>) -> Result<Self, Self::Error> {
        Edges::new(edges)
    }
}

impl From<Edges> for Vec<f64> {
    fn from(edges: Edges) -> Self {
        edges.0
    }
}

/// The `q`-quantile of a sample, 0 ≤ q ≤ 1, interpolated as `numpy.quantile`'s default `linear` does.
///
/// # Errors
/// No rows, a value that is not finite, or q outside [0, 1].
pub fn quantile(samples: &[f64], q: f64) -> Result<f64, NotComputable> {
    given::numbers(samples)?;
    if !(0.0..=1.0).contains(&q) {
        return Err(NotComputable::because(format!("quantile {q} is outside 0 to 1")));
    }
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    given::finite(quantile_of_sorted(&sorted, q))
}

/// The quantile of a sorted sample of at least one number, with numpy's own rounding: the nearer neighbour anchors.
pub(in crate::stats) fn quantile_of_sorted(sorted: &[f64], q: f64) -> f64 {
    quantile_of(sorted.len(), |rank| sorted[rank], q)
}

/// [`quantile_of_sorted`] of so many rows, at least one, of which each is known by its rank.
pub(in crate::stats) fn quantile_of(rows: usize, at_rank: impl Fn(usize) -> f64, q: f64) -> f64 {
    let at = q * (rows - 1) as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    let low = at_rank(below.min(rows - 1));
    let high = at_rank((below + 1).min(rows - 1));
    if part < 0.5 { low + (high - low) * part } else { high - (high - low) * (1.0 - part) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::golden::{self, NUMERIC, Side, assert_close};

    #[test]
    fn quantile_bins_agree_with_numpy() {
        let golden = golden::golden();
        for name in NUMERIC {
            let reference = golden::column(Side::Reference, name);
            let edges = Edges::quantiles(&reference, 10).unwrap();
            let expected = golden::numbers(&golden, &format!("/numeric/{name}/edges10"));
            assert_eq!(edges.bins(), expected.len() + 1, "{name}");
            for (&found, expected) in edges.as_slice().iter().zip(expected) {
                assert_close(found, expected, 1e-12);
            }
            for (side, which) in [(Side::Reference, "ref_counts"), (Side::Current, "cur_counts")] {
                let expected = golden::counts(&golden, &format!("/numeric/{name}/quantile10/{which}"));
                assert_eq!(edges.counts(&golden::column(side, name)).unwrap(), expected, "{name} {which}");
            }
        }
    }

    #[test]
    fn bins_are_closed_on_the_right() {
        let edges = Edges::new(vec![1.0, 2.0]).unwrap();
        assert_eq!([0.0, 1.0, 1.5, 2.0, 9.0].map(|x| edges.bin(x)), [0, 0, 1, 1, 2]);
        assert_eq!(edges.positions(), [1.0, 1.5, 2.0]);
        assert_eq!(Edges::even(0.0, 1.0, 4).unwrap().as_slice(), [0.25, 0.5, 0.75]);
    }

    #[test]
    fn edges_that_do_not_rise_cannot_be_read() {
        for text in ["[1.0,1.0]", "[2.0,1.0]"] {
            assert!(serde_json::from_str::<Edges>(text).is_err());
        }
        assert!(Edges::new(vec![f64::NAN]).is_err() && Edges::quantiles(&[], 10).is_err());
    }

    proptest! {
        #[test]
        fn every_finite_number_has_a_bin(samples in prop::collection::vec(-1e300f64..1e300, 1..40), bins in 1usize..130) {
            let edges = Edges::quantiles(&samples, bins).unwrap();
            let counts = edges.counts(&samples).unwrap();
            prop_assert_eq!(counts.iter().sum::<u64>(), samples.len() as u64);
            prop_assert!(edges.bins() <= bins);
        }
    }
}
