//! Strict rows become a frozen dataset; through the store. One violation, and nothing is written.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, Write};

use super::IngestError;
use super::check::read_rows;
use super::columnar::Writer;
use super::dataset::{ContractRef, DatasetMeta, FEATURES, FORMAT_VERSION, SEAL, SourceRef, TimeRange, dataset_key};
use super::domain::Cell;
use super::frame::Frame;
use super::reader::Source;
use super::schema::Column;
use crate::store::{Body, Store, StoreError};
use crate::types::{Digest, Hasher, ModelName};
use crate::yaml;

/// What to take from a file. A contract makes it, because ingestion comes before contracts.
#[derive(Debug, Clone, PartialEq)]
pub struct Intake {
    /// Whose dataset it becomes.
    pub model: ModelName,
    /// The contract that chose the columns.
    pub contract: ContractRef,
    /// Every column of the file; all are checked.
    pub columns: Vec<Column>,
    /// The columns that the dataset keeps.
    pub kept: BTreeSet<String>,
    /// The column that orders the rows in time; one of those kept.
    pub time: Option<String>,
    /// The column that holds what a model elsewhere said; one of those kept.
    pub prediction: Option<String>,
}

/// A dataset that is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// Its name: the SHA-256 of its `dataset.yaml`.
    pub digest: Digest,
    /// Its `dataset.yaml`.
    pub meta: DatasetMeta,
    /// Whether it was there before.
    pub already: bool,
}

/// Check every row of a source and freeze the kept columns. The dataset grows in `scratch` (a file for large sources, a
/// cursor for small ones) and appears in the store whole, once the last row has been checked.
///
/// # Errors
/// `Rejected` with every violation, and then nothing is written; `Read`, `Scratch`, `Parquet`, `Store`.
pub fn freeze<R: Read, S: Read + Write + Seek + Send>(
    source: Source<R>,
    intake: &Intake,
    scratch: S,
    store: &dyn Store,
) -> Result<Frozen, IngestError> {
    let failed = |source| IngestError::Parquet { operation: "write", source };
    let kept: Vec<bool> = intake.columns.iter().map(|column| intake.kept.contains(column.name())).collect();
    let columns = intake.columns.iter().zip(&kept).filter(|(_, kept)| **kept);
    let columns: Vec<Column> = columns.map(|(column, _)| column.clone()).collect();
    let mut writer = Writer::new(scratch, Frame::of(&columns)).map_err(failed)?;
    let mut span = Span::of(intake);
    let summary = read_rows(source, &intake.columns, |row| {
        span.widen(row);
        let cells = row.iter().zip(&kept).filter(|(_, kept)| **kept);
        writer.push(cells.map(|(cell, _)| *cell)).map_err(failed)
    })?;
    let mut scratch = writer.finish().map_err(failed)?;
    let meta = DatasetMeta {
        format_version: FORMAT_VERSION,
        model: intake.model.clone(),
        contract: intake.contract.clone(),
        source: SourceRef { sha256: summary.sha256, bytes: summary.bytes },
        rows: summary.rows,
        features_sha256: digest_of(&mut scratch).map_err(IngestError::Scratch)?,
        time: span.range(),
        prediction: intake.prediction.clone(),
    };
    scratch.rewind().map_err(IngestError::Scratch)?;
    seal(meta, &mut scratch, store)
}

/// The one committing line: both objects appear, or none.
fn seal(meta: DatasetMeta, features: &mut dyn Read, store: &dyn Store) -> Result<Frozen, IngestError> {
    let text = yaml::print(&meta)?;
    let digest = Digest::of(&text);
    let files = vec![(FEATURES.to_owned(), Body::Stream(features)), (SEAL.to_owned(), Body::from(&text))];
    let already = match store.create_all(&dataset_key(&meta.model, digest)?, files) {
        Ok(()) => false,
        // The digest is of the content, so whoever came first created the same.
        Err(StoreError::AlreadyExists { .. }) => true,
        Err(other) => return Err(other.into()),
    };
    Ok(Frozen { digest, meta, already })
}

fn digest_of<S: Read + Seek>(scratch: &mut S) -> io::Result<Digest> {
    scratch.rewind()?;
    let mut hasher = Hasher::default();
    io::copy(scratch, &mut hasher)?;
    Ok(hasher.finish())
}

/// The earliest and the latest row so far.
struct Span<'a> {
    column: Option<&'a str>,
    place: usize,
    ends: Option<(Cell<'static>, Cell<'static>)>,
}

impl<'a> Span<'a> {
    fn of(intake: &'a Intake) -> Self {
        let column = intake.time.as_deref();
        let place = intake.columns.iter().position(|place| Some(place.name()) == column);
        Span { column: place.and(column), place: place.unwrap_or_default(), ends: None }
    }

    fn widen(&mut self, row: &[Cell<'_>]) {
        let Some(cell) = self.column.and(row.get(self.place)).and_then(|cell| cell.detached()) else {
            return;
        };
        let (first, last) = self.ends.unwrap_or((cell, cell));
        self.ends =
            Some((if first.is_above(&cell) { cell } else { first }, if cell.is_above(&last) { cell } else { last }));
    }

    fn range(&self) -> Option<TimeRange> {
        let (first, last) = self.ends?;
        Some(TimeRange { column: self.column?.to_owned(), first: first.to_string(), last: last.to_string() })
    }
}

#[cfg(test)]
mod tests;
