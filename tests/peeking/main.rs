//! Looking often costs nothing: whole lives of candidates and of young champions are simulated, looked at again and again by
//! the very judges that decide, and counted. Beside them runs what is usually done, a test for one look made at every look.
//!
//! `make test-peeking` runs 2,000 lives of 500 looks and prints the tables; `make test` runs a small part of them.

#![cfg(test)] // clippy then takes helpers for what they are: tests, which may unwrap

mod rollback;
mod shadowing;
mod worlds;

use std::thread;

/// A debug build simulates what a gate has time for.
const SMALL: bool = cfg!(debug_assertions);
const RUNS: u64 = if SMALL { 100 } else { 2_000 };
const LOOKS: usize = if SMALL { 100 } else { 500 };
const SIZE: &str = if SMALL { "100 runs × 100 looks" } else { "2,000 runs × 500 looks" };

/// Every run's outcome, in the order of runs, from two threads.
fn simulated<T: Send>(run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let halves = [0..RUNS / 2, RUNS / 2..RUNS];
        let halves = halves.map(|half| scope.spawn(|| half.map(&run).collect::<Vec<T>>()));
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    })
}

/// The share of runs.
fn rate<T>(runs: &[T], happened: impl Fn(&T) -> bool) -> f64 {
    runs.iter().filter(|run| happened(run)).count() as f64 / runs.len() as f64
}

/// What a rate that must not be above `alpha` may be counted as: in the full simulation `alpha` itself, in the small one
/// three standard deviations more, because in a hundred runs one is already one per cent.
fn at_most(alpha: f64) -> f64 {
    if SMALL { alpha + 3.0 * (alpha * (1.0 - alpha) / RUNS as f64).sqrt() } else { alpha }
}

/// The middle one; infinite if half of them never came.
fn median(values: impl Iterator<Item = Option<usize>>) -> f64 {
    let mut values: Vec<f64> = values.map(|value| value.map_or(f64::INFINITY, |value| value as f64)).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A test for one look: is the mean so many standard errors above 0? Row by row, from sums.
#[derive(Debug, Clone, Copy, Default)]
struct OneLook {
    rows: f64,
    sum: f64,
    squares: f64,
}

impl OneLook {
    fn see(&mut self, gain: f64) {
        self.rows += 1.0;
        self.sum += gain;
        self.squares += gain * gain;
    }

    fn finds(&self, z: f64) -> bool {
        let mean = self.sum / self.rows;
        let variance = (self.squares / self.rows - mean * mean).max(0.0);
        mean > z * (variance / self.rows).sqrt()
    }
}

/// The z that a standard normal exceeds in 1 of 100.
const Z_ONE_PER_CENT: f64 = 2.326_347_874_040_841;
