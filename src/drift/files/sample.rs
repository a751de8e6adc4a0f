//! Rows of a file for the classifier, each with the same chance; pure, from a seed.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use crate::ingest::blocks::{Block, Cells};

/// Rows that are kept of a file: enough to see an area of 0.51 for what it is, few enough for a second of LightGBM.
pub(super) const ROWS: usize = 10_000;
/// The generator's stream; any constant serves.
const STREAM: u128 = 0x5be0_72a9_c1d4_863f_0e97_f35a_48bc_216d;

/// When sampling ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Never begun.
    Closed,
    /// When the file turns out to be large.
    Large,
    /// With the file.
    End,
}

/// Rows, one after another: numbers, and the codes of words as numbers.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub values: Vec<f64>,
    pub width: usize,
    until: Until,
    seen: u64,
    generator: Pcg64,
}

impl Sample {
    pub(super) fn new(width: usize, until: Until, seed: u64) -> Sample {
        Sample { values: Vec::new(), width, until, seen: 0, generator: Pcg64::new(u128::from(seed), STREAM) }
    }

    /// How many rows are kept.
    pub(super) fn rows(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// The file is large.
    pub(super) fn close(&mut self) {
        if self.until == Until::Large {
            self.until = Until::Closed;
            self.values = Vec::new();
        }
    }

    /// Give each row of a block its chance (Vitter 1985, algorithm R).
    pub(super) fn take(&mut self, block: &Block, places: &[Option<usize>]) {
        if self.until == Until::Closed || self.width == 0 {
            return;
        }
        for row in 0..block.rows {
            self.seen += 1;
            let value = |place: &Option<usize>| match place.and_then(|place| block.columns.get(place)) {
                Some(Cells::Numbers { values, .. }) => values.get(row).copied().unwrap_or(f64::NAN),
                Some(Cells::Words { codes, .. }) => codes.get(row).copied().map_or(f64::NAN, f64::from),
                Some(Cells::Nothing) | None => f64::NAN,
            };
            let cells = places.iter().take(self.width).map(value);
            if self.rows() < ROWS {
                self.values.extend(cells);
                continue;
            }
            let place = ((u128::from(self.generator.next_u64()) * u128::from(self.seen)) >> 64) as usize;
            if let Some(kept) = self.values.get_mut(place * self.width..(place + 1) * self.width) {
                kept.iter_mut().zip(cells).for_each(|(kept, cell)| *kept = cell);
            }
        }
    }
}
