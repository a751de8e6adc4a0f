//! Several datasets as one sequence of rows, oldest first; pure. Refuses datasets whose columns differ.

use super::IngestError;
use super::dataset::Dataset;
use super::frame::{Frame, Values};
use crate::types::Digest;

/// Rows to train or evaluate on, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The datasets that they come from, as they were given.
    pub datasets: Vec<Digest>,
    /// The rows.
    pub frame: Frame,
    /// For each row what orders it: the whole number, days or microseconds of the time column; without one its place. Never
    /// decreases.
    pub order: Vec<i64>,
}

impl Rows {
    /// Put the rows of several datasets in the order of their time column; rows of the same time, and rows without time,
    /// stay in the order of the datasets and of their files.
    ///
    /// # Errors
    /// `Inconsistent` when a dataset has other columns than the first, or another time column.
    pub fn join(datasets: impl IntoIterator<Item = Dataset>) -> Result<Rows, IngestError> {
        let mut datasets = datasets.into_iter();
        let Some(Dataset { digest, meta, mut frame }) = datasets.next() else {
            return Ok(Rows::default());
        };
        let time = meta.time.map(|time| time.column);
        let mut digests = vec![digest];
        for Dataset { digest: dataset, meta, frame: more } in datasets {
            let differs = |what| IngestError::Inconsistent { dataset, what };
            if meta.time.map(|time| time.column) != time {
                return Err(differs("its rows are ordered by another column".to_owned()));
            }
            frame.append(more).map_err(differs)?;
            digests.push(dataset);
        }
        let Some(time) = time else {
            return Ok(Rows { datasets: digests, order: (0..).take(frame.len()).collect(), frame });
        };
        let Some(order) = frame.column(&time).and_then(Values::order) else {
            let what = format!("it has no column `{time}` to order its rows by");
            return Err(IngestError::Inconsistent { dataset: digest, what });
        };
        Ok(Rows { datasets: digests, frame, order }.sorted())
    }

    fn sorted(self) -> Rows {
        if self.order.is_sorted() {
            return self;
        }
        let mut places: Vec<(i64, usize)> = self.order.iter().copied().zip(0..).collect();
        // Places are unique, so an unstable sort of pairs is stable in time.
        places.sort_unstable();
        let (order, places): (Vec<i64>, Vec<usize>) = places.into_iter().unzip();
        Rows { datasets: self.datasets, frame: self.frame.take(&places), order }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}
