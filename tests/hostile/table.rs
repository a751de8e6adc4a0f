//! The table that `make test-hostile` prints: each test writes its row into a file, and the command lays them together.

use std::fs;
use std::path::PathBuf;

/// Whether everything is tried, or a part of it.
pub(crate) fn in_full() -> bool {
    std::env::var_os("REGENT_HOSTILE").is_some_and(|value| value == "all")
}

/// What was brought to which door, how often, and what came of it.
pub(crate) fn row(attack: &str, door: &str, cases: usize, outcome: &str) {
    let row = format!("| {attack} | {door} | {cases} | {outcome} |\n");
    eprint!("{row}");
    if let Some(folder) = std::env::var_os("REGENT_HOSTILE_TABLE").map(PathBuf::from) {
        fs::write(folder.join(format!("{attack}-{door}.row").replace(['/', ' '], "_")), row).unwrap();
    }
}
