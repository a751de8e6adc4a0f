//! A bettor against "the mean of these rows is at most so much", row by row; pure. What it wins is the evidence.

use super::width;
use crate::types::NotComputable;

/// How many fixed fractions of its wealth the bettor spreads over.
const BETS: usize = 8;
/// The boldest of them. Below 1, so that no single row can take everything.
const BOLDEST: f64 = 31.0 / 32.0;

/// When the bettor lays out its stake. Whatever the rule, it lays out one unit at most, and at rows that were fixed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stake {
    /// All of it before the first row: for a mean that stays where it is.
    AtOnce,
    /// A part before the first row and one more after every so many: the j-th is 1/(j·(j+1)) of the whole, and all parts
    /// together are one. A part starts afresh, so a mean that rises late is found as if the rows began there, for the price
    /// of the part being small (ln j·(j+1) nats). Mixing over starts is how e-detectors find a change: Shin, Ramdas & Rinaldo
    /// 2024, "E-detectors", NEJSDS 2:229–260.
    InParts {
        /// Rows between two parts, at least 1.
        every: u64,
    },
}

/// A bettor who plays, row by row, against "the mean is at most `candidate`". While that is so, its wealth reaches 1/alpha
/// with probability alpha at most, **ever** (Ville's inequality); so it may be looked at after each row.
///
/// The wealth is spread over eight fractions f, each of which turns it by 1 - f + f·x/m at a row x, with m the candidate, both
/// as shares of the range. They fall by halves from 31/32: the best fraction for any effect is within a factor √2 of one of
/// them, which costs an eighth of the growth at most. The bolder have more of the stake, 1/(i·(i+1)) each, because an effect
/// that is worth a change is found by bold bets, and the timid are there for the effects that take many rows anyway.
#[derive(Debug, Clone, PartialEq)]
pub struct Bettor {
    lo: f64,
    width: f64,
    candidate: f64,
    stake: Stake,
    seen: u64,
    parts: u64,
    held: [f64; BETS],
}

impl Bettor {
    /// A bettor against "the mean of rows in [`lo`, `hi`] is at most `candidate`".
    ///
    /// # Errors
    /// An empty range, or a candidate that is not within it.
    pub fn against(candidate: f64, lo: f64, hi: f64, stake: Stake) -> Result<Bettor, NotComputable> {
        let width = width(lo, hi)?;
        if !(lo < candidate && candidate < hi) {
            return Err(NotComputable::because(format!("{candidate} is not between {lo} and {hi}")));
        }
        Ok(Bettor { lo, width, ..Bettor::unscaled((candidate - lo) / width, stake) })
    }

    /// A bettor on rows that are shares of their range already.
    pub(super) fn unscaled(candidate: f64, stake: Stake) -> Bettor {
        Bettor { lo: 0.0, width: 1.0, candidate, stake, seen: 0, parts: 0, held: [0.0; BETS] }
    }

    /// Play one more row.
    ///
    /// # Errors
    /// A row outside the range; the wealth stays what it was.
    pub fn see(&mut self, x: f64) -> Result<(), NotComputable> {
        let share = (x - self.lo) / self.width;
        if !(0.0..=1.0).contains(&share) {
            return Err(NotComputable::because(format!("a row is outside {} to {}", self.lo, self.lo + self.width)));
        }
        self.play(share);
        Ok(())
    }

    /// What the bettor has made of its one unit so far. What it has not laid out yet is not counted.
    pub fn wealth(&self) -> f64 {
        self.held.iter().sum()
    }

    /// Play one more row, a share of the range from 0 to 1.
    ///
    /// A bet that falls below what a number can hold stays at nothing, and one that rises above stays at the largest number:
    /// both only make the bettor more cautious.
    pub(super) fn play(&mut self, x: f64) {
        let due = match self.stake {
            Stake::AtOnce => self.seen == 0,
            Stake::InParts { every } => self.seen.is_multiple_of(every.max(1)),
        };
        if due {
            self.lay_out();
        }
        self.seen += 1;
        let gain = x / self.candidate - 1.0;
        let mut fraction = BOLDEST;
        for held in &mut self.held {
            *held = (*held * (1.0 + fraction * gain)).min(f64::MAX);
            fraction *= 0.5;
        }
    }

    fn lay_out(&mut self) {
        let share = |place: f64| 1.0 / (place * (place + 1.0));
        self.parts += 1;
        let part = match self.stake {
            Stake::AtOnce => 1.0,
            Stake::InParts { .. } => share(self.parts as f64),
        };
        // Of 1/(i·(i+1)) the first eight add up to 8/9.
        let whole = BETS as f64 / (BETS + 1) as f64;
        for (place, held) in (1..=BETS).zip(&mut self.held) {
            *held += part * share(place as f64) / whole;
        }
    }
}
