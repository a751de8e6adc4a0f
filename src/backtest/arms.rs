//! The two ways to live without a governor, on the same rows: never retrain, and always retrain; through the store, one in
//! memory.

use std::ops::Range;

use super::rows::Replay;
use super::summary::{Arm, Scores, Served};
use super::{BacktestError, Setup};
use crate::contract::{Encoded, FeatureVector, encode};
use crate::ingest::{Dataset, Rows, Source, freeze};
use crate::promote::PromoteError;
use crate::scoring::Scorer;
use crate::store::Memory;
use crate::train::{self, Path, Plan};
use crate::types::{Digest, Version};

/// A model as an arm serves it.
struct Serving {
    scorer: Scorer,
    threshold: Option<f64>,
}

/// Every row of the file, admitted, in the order of time.
fn admitted(setup: &Setup<'_>, file: &Replay) -> Result<Encoded, PromoteError> {
    let store = Memory::new();
    let contract = &setup.registered.contract;
    let source = Source::new("the replayed file", std::io::Cursor::new(file.csv(0..file.len())));
    let scratch = std::io::Cursor::new(Vec::new());
    let frozen = freeze(source, &contract.intake(setup.registered.sha256), scratch, &store)?;
    let dataset = Dataset::load(&store, contract.name(), frozen.digest)?;
    Ok(encode(contract, &Rows::join([dataset])?)?)
}

fn fit(setup: &Setup<'_>, all: &Encoded, known: usize, path: Path) -> Result<Option<Serving>, PromoteError> {
    let contract = &setup.registered.contract;
    let datasets = vec![Digest::of("in memory")];
    let plan = Plan::new(contract.name().clone(), path, Version::FIRST, setup.registered, datasets, &setup.rules.train);
    let rows = all.first(known);
    Ok(train::train(&plan, &rows, contract)
        .ok()
        .map(|candidate| Serving { threshold: candidate.metrics.threshold, scorer: candidate.scorer }))
}

fn answers(setup: &Setup<'_>, all: &Encoded, rows: Range<usize>, serving: &Serving) -> Served {
    let vectors: &[FeatureVector] = &all.vectors[rows.clone()];
    Served {
        task: setup.registered.contract.task(),
        champion: Version::FIRST,
        threshold: serving.threshold,
        predictions: serving.scorer.predictions(vectors),
        labels: all.target[rows].to_vec(),
    }
}

fn first(setup: &Setup<'_>, all: &Encoded) -> Result<Serving, BacktestError> {
    fit(setup, all, setup.baseline_rows, Path::Baseline)?
        .ok_or_else(|| BacktestError::World("the first model cannot be trained".to_owned()))
}

/// The first model for ever.
pub(super) fn never(setup: &Setup<'_>, file: &Replay, windows: &[Range<usize>]) -> Result<Arm, BacktestError> {
    let all = admitted(setup, file)?;
    let serving = first(setup, &all)?;
    let mut scores = Scores::default();
    for rows in windows {
        scores.add(&answers(setup, &all, rows.clone(), &serving));
    }
    Ok(scores.arm(0))
}

/// A new model at every window: the same trainer, look-backs and label delay, and no gate.
pub(super) fn always(setup: &Setup<'_>, file: &Replay, windows: &[Range<usize>]) -> Result<Arm, BacktestError> {
    let all = admitted(setup, file)?;
    let mut serving = first(setup, &all)?;
    let (mut scores, mut changes) = (Scores::default(), 0);
    for (index, rows) in windows.iter().enumerate() {
        scores.add(&answers(setup, &all, rows.clone(), &serving));
        // At this window's end the labels of the one before have arrived.
        let known = index.checked_sub(1).map(|before| windows[before].end);
        let last = index + 1 == windows.len();
        if let Some(known) = known.filter(|_| !last)
            && let Some(next) = fit(setup, &all, known, Path::Candidate)?
        {
            serving = next;
            changes += 1;
        }
    }
    Ok(scores.arm(changes))
}
