//! Two samples side by side, value by value: what rank tests and transport distances are computed from; pure.

use super::given;
use crate::types::NotComputable;

/// One place on the line, and how many of either sample stand there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) position: f64,
    pub(super) reference: u64,
    pub(super) current: u64,
}

/// Two samples of at least one row each, as counts at each distinct value from the smallest up.
///
/// Made once and then asked several questions. Binned counts make one too: rows of a bin count as ties, so tests on it see at
/// most what tests on the rows would see.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    places: Vec<Place>,
    n_reference: u64,
    n_current: u64,
}

impl Tally {
    /// Tally two samples, in any order.
    ///
    /// # Errors
    /// A sample without rows, or a value that is not finite.
    pub fn of_samples(reference: &[f64], current: &[f64]) -> Result<Tally, NotComputable> {
        given::numbers(reference)?;
        given::numbers(current)?;
        let ones = |xs: &[f64], reference, current| {
            // Adding 0.0 turns -0.0 into 0.0, so that the two zeros tie.
            let place = |&x: &f64| Place { position: x + 0.0, reference, current };
            xs.iter().map(place).collect::<Vec<_>>()
        };
        let mut places = ones(reference, 1, 0);
        places.extend(ones(current, 0, 1));
        places.sort_unstable_by(|a, b| a.position.total_cmp(&b.position));
        places.dedup_by(|later, kept| {
            let tied = later.position == kept.position;
            if tied {
                kept.reference += later.reference;
                kept.current += later.current;
            }
            tied
        });
        Ok(Tally { places, n_reference: reference.len() as u64, n_current: current.len() as u64 })
    }

    /// Tally the counts of the same bins, each bin standing at its `position` (`Edges::positions`, or a level's rank).
    ///
    /// # Errors
    /// Lengths that differ, a side without rows, or positions that are not finite and rising.
    pub fn of_counts(positions: &[f64], reference: &[u64], current: &[u64]) -> Result<Tally, NotComputable> {
        given::counts(reference, current)?;
        given::paired(positions, reference)?;
        if positions.windows(2).any(|pair| pair[0] > pair[1]) {
            return Err(NotComputable::because("positions must rise"));
        }
        let bins = positions.iter().zip(reference).zip(current);
        let place = |((&position, &reference), &current)| Place { position, reference, current };
        Ok(Tally {
            places: bins.map(place).collect(),
            n_reference: reference.iter().sum(),
            n_current: current.iter().sum(),
        })
    }

    /// How many rows the reference has.
    pub fn n_reference(&self) -> u64 {
        self.n_reference
    }

    /// How many rows the current sample has.
    pub fn n_current(&self) -> u64 {
        self.n_current
    }

    /// The places, from the smallest up.
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// At each place, how many of reference and of current stand there or below.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        self.places.iter().scan((0, 0), |below, place| {
            *below = (below.0 + place.reference, below.1 + place.current);
            Some(*below)
        })
    }
}
