//! One file as it is read: the values of its numeric columns while they are few, counts in frozen bins when they are many, and counts
//! of words; pure. Memory does not grow with the file.

use std::sync::Arc;

use super::performance::Pairs;
use super::sample::Sample;
use crate::ingest::blocks::{Block, Cells, MISSING, OTHER, Words};
use crate::stats::histogram::Frozen;

/// Values that one file may hold: 100,000 rows of 25 columns, 20 MB. Up to here every statistic is of the rows themselves.
pub(super) const HELD: usize = 2_500_000;

/// A file that was read, column by column as planned.
#[derive(Debug)]
pub(super) struct File {
    pub rows: u64,
    pub columns: Vec<Column>,
    pub sample: Sample,
    /// Predictions with what came true, where both columns were named.
    pub pairs: Pairs,
    most_held: usize,
}

/// What a column holds.
#[derive(Debug)]
pub(super) enum Column {
    Numbers(Numbers),
    Words(Counts),
    /// The file does not have the column.
    Absent,
}

/// A numeric column.
#[derive(Debug)]
pub(super) struct Numbers {
    pub missing: u64,
    /// Cells that are no finite number.
    pub unreadable: u64,
    pub present: u64,
    pub held: Held,
    /// What bins are frozen from, should there be too many values.
    frozen_from: From,
    /// The largest value so far, while every value was larger than all before.
    rising: Option<f64>,
}

/// Values, or counts of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Held {
    Values(Vec<f64>),
    Counts { bins: Arc<Frozen>, counts: Vec<u64> },
}

/// What bins are frozen from.
#[derive(Debug, Clone)]
pub(super) enum From {
    /// The values held when there are too many.
    Held,
    /// These values.
    Values(Vec<f64>),
    /// Bins that are frozen already.
    Bins(Arc<Frozen>),
}

/// A nominal column.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// How often each code came.
    pub of_code: Vec<u64>,
    /// The words of the codes.
    pub words: Words,
}

impl File {
    pub(super) fn new(columns: Vec<Column>, most_held: usize, sample: Sample) -> File {
        File { rows: 0, columns, sample, pairs: Pairs::default(), most_held }
    }

    /// Take a block's rows; `places` says for each column of the plan where it stands in the file.
    pub(super) fn take(&mut self, block: &Block, places: &[Option<usize>], error_of: Option<(usize, usize)>) {
        self.rows += block.rows as u64;
        for (column, place) in self.columns.iter_mut().zip(places) {
            match (column, place.and_then(|place| block.columns.get(place))) {
                (Column::Numbers(numbers), Some(Cells::Numbers { values, gaps })) => numbers.take(values, *gaps),
                (Column::Words(counts), Some(Cells::Words { codes, words })) => counts.take(codes, words.codes()),
                (_, _) => {}
            }
        }
        if let Some((target, prediction)) = error_of
            && let (Some(Cells::Numbers { values: truth, .. }), Some(Cells::Numbers { values: predicted, .. })) =
                (block.columns.get(target), block.columns.get(prediction))
            && let Some(Column::Numbers(numbers)) = self.columns.last_mut()
        {
            let errors: Vec<f64> =
                truth.iter().zip(predicted).map(|(truth, predicted)| difference(*truth, *predicted)).collect();
            numbers.take(&errors, true);
            self.pairs.take(truth, predicted);
        }
        self.sample.take(block, places);
        if self.held() > self.most_held {
            self.freeze();
        }
    }

    fn held(&self) -> usize {
        let held = |column: &Column| match column {
            Column::Numbers(Numbers { held: Held::Values(values), .. }) => values.len(),
            Column::Numbers(_) | Column::Words(_) | Column::Absent => 0,
        };
        self.columns.iter().map(held).sum()
    }

    /// Whether no column was too long to be held.
    pub(super) fn is_held(&self) -> bool {
        self.columns.iter().all(|column| match column {
            Column::Numbers(numbers) => matches!(numbers.held, Held::Values(_)),
            Column::Words(_) | Column::Absent => true,
        })
    }

    fn freeze(&mut self) {
        self.sample.close();
        for column in &mut self.columns {
            if let Column::Numbers(numbers) = column {
                numbers.freeze();
            }
        }
    }
}

/// Target less prediction; NaN where either is missing, infinite where either cannot be read.
fn difference(truth: f64, predicted: f64) -> f64 {
    if truth.is_nan() || predicted.is_nan() {
        f64::NAN
    } else if truth.is_infinite() || predicted.is_infinite() {
        f64::INFINITY
    } else {
        truth - predicted
    }
}

impl Numbers {
    pub(super) fn new(frozen_from: From) -> Numbers {
        let held = match &frozen_from {
            From::Bins(bins) => Held::Counts { bins: Arc::clone(bins), counts: bins.no_counts() },
            From::Held | From::Values(_) => Held::Values(Vec::new()),
        };
        Numbers { missing: 0, unreadable: 0, present: 0, held, frozen_from, rising: Some(f64::NEG_INFINITY) }
    }

    fn take(&mut self, values: &[f64], gaps: bool) {
        if !gaps {
            return self.add(values);
        }
        let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        let missing = values.iter().filter(|value| value.is_nan()).count();
        self.missing += missing as u64;
        self.unreadable += (values.len() - missing - finite.len()) as u64;
        self.add(&finite);
    }

    fn add(&mut self, values: &[f64]) {
        self.present += values.len() as u64;
        if let Some(largest) = self.rising {
            let rises = values.first().is_none_or(|first| *first > largest) && values.is_sorted_by(|a, b| a < b);
            self.rising = rises.then(|| values.last().copied().unwrap_or(largest));
        }
        match &mut self.held {
            Held::Values(held) => held.extend_from_slice(values),
            Held::Counts { bins, counts } => bins.count(values, counts),
        }
    }

    /// Whether every value was larger than all before it, and there were enough of them for that to be no chance.
    pub(super) fn rises(&self) -> bool {
        self.rising.is_some() && self.present >= 20
    }

    /// Count what is held, from now on.
    pub(super) fn freeze(&mut self) {
        let Held::Values(values) = &self.held else { return };
        let bins = match &self.frozen_from {
            From::Bins(bins) => Arc::clone(bins),
            From::Values(sample) if !sample.is_empty() => frozen(sample),
            From::Values(_) | From::Held => frozen(values),
        };
        self.freeze_into(&bins);
    }

    /// Count what is held in these bins.
    pub(super) fn freeze_into(&mut self, bins: &Arc<Frozen>) {
        let Held::Values(values) = &self.held else { return };
        let mut counts = bins.no_counts();
        bins.count(values, &mut counts);
        self.held = Held::Counts { bins: Arc::clone(bins), counts };
    }
}

fn frozen(values: &[f64]) -> Arc<Frozen> {
    // Only finite values are ever held; were one not, everything would fall into one bin and the bound would say so.
    Arc::new(Frozen::of(values).or_else(|_| Frozen::of(&[])).unwrap_or_default())
}

impl Counts {
    fn take(&mut self, codes: &[u32], known: usize) {
        if self.of_code.len() < known {
            self.of_code.resize(known, 0);
        }
        for code in codes {
            if let Some(count) = self.of_code.get_mut(*code as usize) {
                *count += 1;
            }
        }
    }

    pub(super) fn count(&self, code: usize) -> u64 {
        self.of_code.get(code).copied().unwrap_or(0)
    }

    pub(super) fn missing(&self) -> u64 {
        self.count(MISSING as usize)
    }

    /// Cells whose word came when the table was full.
    pub(super) fn other(&self) -> u64 {
        self.count(OTHER as usize)
    }

    pub(super) fn present(&self) -> u64 {
        self.of_code.iter().sum::<u64>() - self.missing()
    }

    /// Whether the words hardly repeat: they tell rows apart, not kinds of rows.
    pub(super) fn identifies(&self) -> bool {
        let (present, words) = (self.present(), self.words.codes() as u64 - 2 + self.other());
        present >= 100 && words * 2 > present
    }
}
