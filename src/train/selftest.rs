//! Vectors that are no one's row, and what the model answers on them; pure. Refuses a scorer that answers otherwise.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Bins, Profile};
use crate::scoring::Scorer;

/// How many vectors are asked.
const VECTORS: usize = 32;
/// Only `exp` may differ between machines, by a last bit or two.
const TOLERANCE: f64 = 1e-9;
/// The generator's stream; any constant serves.
const STREAM: u128 = 0x91e2_0d4c_5b7a_f36d_c05e_8a12_44f9_b7d3;

/// `selftest.json`: asked at every load, before a version answers anybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelfTest {
    /// 1: first form.
    pub format_version: u32,
    /// Each feature at the midpoint of a bin of the profile, drawn from the plan's seed; encoded as `admit` does.
    pub vectors: Vec<Vec<f64>>,
    /// What the version answers: a probability, or the value.
    pub expected: Vec<f64>,
}

/// A scorer that does not answer as it did when it was made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("vector {vector} of the self-test scores {found}, expected {expected}")]
pub struct SelfTestFault {
    /// Which vector, from 0.
    pub vector: usize,
    /// What was answered when the model was made.
    pub expected: f64,
    /// What is answered now.
    pub found: f64,
}

impl SelfTest {
    /// Ask a new scorer.
    pub fn of(profile: &Profile, scorer: &Scorer, seed: u64) -> SelfTest {
        let mut generator = Pcg64::new(u128::from(seed), STREAM);
        let mut draw = |bins: &Bins| {
            let bin = (u128::from(generator.next_u64()) * bins.regular().max(1) as u128) >> 64;
            midpoint(bins, bin as usize)
        };
        let mut vector = || profile.features.iter().map(|feature| draw(&feature.bins)).collect::<Vec<f64>>();
        let vectors: Vec<Vec<f64>> = (0..VECTORS).map(|_| vector()).collect();
        let expected = scorer.predictions(&vectors);
        SelfTest { format_version: 1, vectors, expected }
    }

    /// Ask a loaded scorer.
    ///
    /// # Errors
    /// The first vector that it answers otherwise, or with what is not a number.
    pub fn check(&self, scorer: &Scorer) -> Result<(), SelfTestFault> {
        for (vector, found) in scorer.predictions(&self.vectors).into_iter().enumerate() {
            let expected = self.expected.get(vector).copied().unwrap_or(f64::NAN);
            let close = (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
            if !close {
                return Err(SelfTestFault { vector, expected, found });
            }
        }
        Ok(())
    }
}

/// The middle of a bin; of an open one its edge.
fn midpoint(bins: &Bins, bin: usize) -> f64 {
    match bins {
        Bins::Categorical { .. } => bin as f64,
        Bins::Numeric { edges, .. } => {
            let (below, above) = (bin.checked_sub(1).and_then(|below| edges.get(below)), edges.get(bin));
            match (below, above) {
                (Some(below), Some(above)) => below / 2.0 + above / 2.0,
                (Some(edge), None) | (None, Some(edge)) => *edge,
                (None, None) => 0.0,
            }
        }
    }
}
