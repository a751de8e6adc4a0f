//! A LightGBM text model evaluated over rows of floats, row by row and all at once: microseconds a row on stderr as JSON, the raw margins' bits on
//! stdout, so that `scripts/bench_serve/forest.py` can hold both against LightGBM. `score_forest MODEL ROWS` (little-endian f64).
#![expect(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr, reason = "a door of its own")]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use regent::scoring::Forest;

/// The quickest of so many turns is what the machine can do; the others are what else it did.
const TURNS: usize = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let [model, rows] = [1, 2].map(|place| std::env::args().nth(place).unwrap_or_default());
    let forest = Forest::parse(&std::fs::read_to_string(model)?)?;
    let numbers: Vec<f64> = std::fs::read(rows)?.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let rows: Vec<&[f64]> = numbers.chunks_exact(forest.n_features()).collect();
    let one = quickest(|| rows.iter().map(|row| forest.raw(black_box(row))).sum());
    let many = quickest(|| forest.raw_all(black_box(&rows)).iter().sum());
    let each = rows.len() as f64;
    eprintln!(r#"{{"one_us":{:.3},"many_us":{:.3}}}"#, one / each, many / each);
    forest.raw_all(&rows).iter().for_each(|margin| println!("{:016x}", margin.to_bits()));
    Ok(())
}

/// Microseconds of the quickest turn.
fn quickest(mut work: impl FnMut() -> f64) -> f64 {
    let turn = |_| {
        let begun = Instant::now();
        black_box(work());
        begun.elapsed().as_secs_f64() * 1e6
    };
    (0..TURNS).map(turn).fold(f64::INFINITY, f64::min)
}
