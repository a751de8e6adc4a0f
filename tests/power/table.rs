//! The table that `make test-faults` and `make test-steady` print: each test writes its row into a file, and the command lays them together.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

/// Whether every point is tried, or a few of each kind.
pub(crate) fn in_full() -> bool {
    std::env::var_os("REGENT_FAULTS").is_some_and(|value| value == "all")
}

/// All of them, or so many spread evenly.
pub(crate) fn chosen<T: Clone>(all: &[T], few: usize) -> Vec<T> {
    let step = if in_full() { 1 } else { all.len().div_ceil(few).max(1) };
    all.iter().step_by(step).cloned().collect()
}

/// One row in the making.
pub(crate) struct Row {
    fault: &'static str,
    begun: Instant,
}

impl Row {
    pub(crate) fn begin(fault: &'static str) -> Row {
        Row { fault, begun: Instant::now() }
    }

    /// Where the fault was brought, how often, and what came of it.
    pub(crate) fn end(self, place: &str, points: usize, outcome: &str) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let row = format!("| {} | {place} | {points} | {outcome} | {seconds:.1} |\n", self.fault);
        eprint!("{row}");
        if let Some(folder) = std::env::var_os("REGENT_FAULTS_TABLE").map(PathBuf::from) {
            let name = format!("{}-{place}.row", self.fault).replace(['/', ' '], "_");
            fs::write(folder.join(name), row).unwrap();
        }
    }
}
