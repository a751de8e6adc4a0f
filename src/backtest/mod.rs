//! A time-ordered labelled file replayed through the real house on a virtual clock: the same ingestion, routes, log,
//! snapshots, drift, label join, governor and training. Only time is made up.

mod arms;
mod null;
mod rows;
mod summary;
mod world;

pub use null::{FalseAlarms, NullReport, Population, Share};
pub use rows::Replay;
pub use summary::{Arm, Compare, Step, Summary, WindowLine};

use std::path::Path;
use std::sync::Arc;

use crate::alert::AlertError;
use crate::contract::{Registered, Task};
use crate::govern::Rules;
use crate::promote::PromoteError;
use crate::store::{Store, StoreError};
use crate::train::{Direction, direction};
use crate::types::Verdict;

use summary::Scores;
use world::World;

/// What is replayed, and how it is cut.
pub struct Setup<'a> {
    /// Where the governed model lives; empty but for its registered contract.
    pub store: Arc<dyn Store>,
    /// A folder for the spool, which is a file whatever the store is.
    pub root: &'a Path,
    /// The registered contract.
    pub registered: &'a Registered,
    /// Every stage's rules.
    pub rules: &'a Rules,
    /// The rows that the first model is trained on.
    pub baseline_rows: usize,
    /// So many rows are spread evenly over one judged window.
    pub rows_per_window: usize,
    /// Whether to run *never* and *always* beside it.
    pub compare: Comparison,
}

/// Whether the governed model is compared with its alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Replay only.
    Alone,
    /// Beside a model that is never retrained, and one that is retrained at every window.
    WithNeverAndAlways,
}

/// Why a replay could not be finished; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// There are too few rows.
    #[error("replay {rows} rows: the first model takes {baseline}, and two windows of {per_window} are the least")]
    TooFewRows {
        /// Rows there are.
        rows: usize,
        /// Rows of the first model.
        baseline: usize,
        /// Rows a window.
        per_window: usize,
    },
    /// A stage failed.
    #[error(transparent)]
    Promote(#[from] PromoteError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An alert could not be kept.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// A row was not answered as the contract says it must be.
    #[error("replay row {row}: the server answered {status}: {body}")]
    Unanswered {
        /// The row of the file.
        row: usize,
        /// The status.
        status: u16,
        /// What it said.
        body: String,
    },
    /// Something of the replay itself could not be made.
    #[error("replay: {0}")]
    World(String),
}

/// Replay a file. `told` hears one line for each window as it closes.
///
/// # Errors
/// Too few rows; whatever a stage fails with.
pub fn replay(setup: &Setup<'_>, file: &Replay, mut told: impl FnMut(&WindowLine)) -> Result<Summary, BacktestError> {
    let windows = file.windows(setup.baseline_rows, setup.rows_per_window);
    if windows.len() < 2 {
        return Err(BacktestError::TooFewRows {
            rows: file.len(),
            baseline: setup.baseline_rows,
            per_window: setup.rows_per_window,
        });
    }
    let mut world = World::begin(setup, file)?;
    let mut summary = Summary::default();
    let mut governed = Scores::default();
    for (index, rows) in windows.iter().enumerate() {
        let served = world.serve(rows.clone())?;
        governed.add(&served);
        // Labels are one window late: what came true of the window before arrives as this one ends.
        if let Some(before) = index.checked_sub(1) {
            world.label(windows[before].clone())?;
        }
        let ticks = world.tick()?;
        let line = summary::line(index, rows, &served, &ticks, &setup.rules.drift);
        told(&line);
        summary.transitions.extend(summary::steps(index, &ticks));
        summary.alerts.extend(world.alerts(&ticks)?.into_iter().map(|notice| (index, notice)));
        summary.windows.push(line);
    }
    let changes = summary.transitions.iter().filter(|step| step.changes_champion()).count();
    summary.compare.governed = governed.arm(changes);
    if setup.compare == Comparison::WithNeverAndAlways {
        summary.compare.never = Some(arms::never(setup, file, &windows)?);
        summary.compare.always = Some(arms::always(setup, file, &windows)?);
    }
    Ok(summary)
}

/// The metric that a task's windows are told by.
fn headline(task: Task) -> (&'static str, Direction) {
    let name = match task {
        Task::Binary => "f1",
        Task::Regression => "mae",
    };
    (name, direction(name).unwrap_or(Direction::HigherIsBetter))
}

/// The worst verdict of several, as a word; `-` for none.
fn word(verdict: Option<Verdict>) -> String {
    verdict.map_or_else(|| "-".to_owned(), |verdict| verdict.to_string())
}
