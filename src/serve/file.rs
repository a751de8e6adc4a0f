//! Files of rows to be answered: CSV, JSON lines or Parquet, told apart by their first bytes; pure over bytes. A row is refused by
//! itself; a file whose columns are not the contract's is refused whole.

mod pages;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::reader::ChunkReader;

use super::ServeError;
use super::cells::{Column, spelled};
use super::predictor::{Answer, Predictor};
use super::request::PredictRequest;
use crate::contract::{Admission, Code, Contract, FeatureVector, Given, Refusal, Taken, Violation};
use crate::ingest::Domain;
use crate::scoring::Score;

pub use pages::{Form, Page, Pages};

/// Rows that are answered together.
const BLOCK: usize = 1 << 13;

/// What is said of a row of a file: a score, or every violation.
pub type Said = Result<Score, Vec<Violation>>;

/// A file that was opened: its columns are the contract's, its rows are not read.
pub struct RowsFile<'c> {
    contract: &'c Contract,
    source: Source,
    /// What each column of a table is; nothing for one that is ignored.
    columns: Vec<Option<Named>>,
}

/// A column that is a feature.
struct Named {
    name: String,
    domain: Option<Domain>,
}

enum Source {
    Lines(Bytes),
    Csv(csv::Reader<Cursor<Bytes>>),
    Parquet(ParquetRecordBatchReader),
}

/// Rows that were read and not looked at.
enum Block {
    Lines(Vec<Bytes>),
    Csv(Vec<csv::ByteRecord>),
    Parquet(RecordBatch),
}

fn refused(what: impl Into<String>) -> ServeError {
    ServeError::Rows { what: what.into() }
}

impl<'c> RowsFile<'c> {
    /// Open a file, whose columns of these names are no features and are not read. A line of JSON is a body of
    /// `POST /api/v1/predict`.
    ///
    /// # Errors
    /// `Rows`: it is no table, or its columns are not the contract's.
    pub fn open(contract: &'c Contract, file: Bytes, ignored: &[String]) -> Result<Self, ServeError> {
        match &*file {
            [b'P', b'A', b'R', b'1', ..] => RowsFile::parquet(contract, file, ignored),
            [b'{', ..] => Ok(RowsFile { contract, source: Source::Lines(file), columns: Vec::new() }),
            _ => {
                // A row of another length is refused by itself.
                let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(Cursor::new(file));
                let header = reader.headers().map_err(|_| refused("the header is not UTF-8"))?;
                let names = header.iter().map(str::to_owned).collect();
                Ok(RowsFile { contract, columns: columns(contract, names, ignored)?, source: Source::Csv(reader) })
            }
        }
    }

    /// Open a Parquet file, of which no more is held than is answered at a time.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn parquet(
        contract: &'c Contract,
        file: impl ChunkReader + 'static,
        ignored: &[String],
    ) -> Result<Self, ServeError> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| not_parquet())?;
        let names = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
        let columns = columns(contract, names, ignored)?;
        let reader = reader.with_batch_size(BLOCK).build().map_err(|_| not_parquet())?;
        Ok(RowsFile { contract, source: Source::Parquet(reader), columns })
    }

    /// Answer every row and hand on what was made of it, in the order of the file; returns how many rows there are. So many hands
    /// take blocks of rows and answer them beside each other, and `page`, which is told the number of its first row from 1, runs
    /// there, too.
    ///
    /// # Errors
    /// `Rows`: the file is cut, or has no rows; `NotFinite`; whatever `each` fails with.
    pub fn answer<T: Send>(
        self,
        predictor: &Predictor,
        hands: usize,
        page: impl Fn(u64, Vec<Said>) -> T + Sync,
        mut each: impl FnMut(T) -> Result<(), ServeError>,
    ) -> Result<u64, ServeError> {
        let RowsFile { contract, source, columns } = self;
        let work = |first: u64, block: Block| Ok(page(first, said(predictor, block.admit(contract, &columns))?));
        let unread = Mutex::new(Unread { source: Some(source), rows: 0 });
        // Whoever panicked while it read has left what is still to be read.
        let next = || unread.lock().unwrap_or_else(PoisonError::into_inner).next();
        let rows = thread::scope(|scope| {
            let (done, pages) = mpsc::sync_channel(hands);
            for _ in 0..hands.max(1) {
                let (done, next, work) = (done.clone(), &next, &work);
                scope.spawn(move || {
                    while let Some((first, block)) = next() {
                        let (rows, page) = match block {
                            Ok(block) => (block.len(), work(first, block)),
                            Err(error) => (0, Err(error)),
                        };
                        if done.send((first, rows, page)).is_err() {
                            // A page was refused: nobody waits for more.
                            return;
                        }
                    }
                });
            }
            drop(done);
            let (mut early, mut due) = (BTreeMap::new(), 1);
            for (first, rows, page) in pages {
                early.insert(first, (rows, page));
                while let Some((rows, page)) = early.remove(&due) {
                    each(page?)?;
                    due += rows as u64;
                }
            }
            Ok(due - 1)
        })?;
        if rows == 0 { Err(refused("the file has no rows")) } else { Ok(rows) }
    }
}

/// What is still to be read of a file, and how many of its rows were.
struct Unread {
    /// Nothing after the end, and after what cannot be read.
    source: Option<Source>,
    rows: u64,
}

impl Unread {
    /// The next block and the number of its first row.
    fn next(&mut self) -> Option<(u64, Result<Block, ServeError>)> {
        let first = self.rows + 1;
        let block = read(self.source.as_mut()?).transpose();
        match &block {
            Some(Ok(block)) => self.rows += block.len() as u64,
            Some(Err(_)) | None => self.source = None,
        }
        Some((first, block?))
    }
}

fn not_parquet() -> ServeError {
    refused("the file is not Parquet, or is cut")
}

/// What the columns of a table are, which must be the contract's.
fn columns(contract: &Contract, names: Vec<String>, ignored: &[String]) -> Result<Vec<Option<Named>>, ServeError> {
    check(contract, &names, ignored)?;
    let domain = |name: &str| Some(contract.features().get(contract.place(name)?)?.domain.clone());
    let named = |name: String| (!ignored.contains(&name)).then(|| Named { domain: domain(&name), name });
    Ok(names.into_iter().map(named).collect())
}

/// A table has every feature as a column, none twice, and no others but those that are ignored.
fn check(contract: &Contract, names: &[String], ignored: &[String]) -> Result<(), ServeError> {
    let mut admission = Admission::of(contract);
    let mut faults: Vec<String> = Vec::new();
    for name in names.iter().filter(|name| !ignored.contains(name)) {
        if admission.take(name, Given::Missing) == Taken::Again {
            faults.push(format!("{name}: is given twice"));
        }
    }
    for feature in contract.features().iter().filter(|feature| !names.contains(&feature.name)) {
        faults.push(format!("{}: is not among the columns", feature.name));
    }
    let violations = admission.finish().err().map(|refusal| refusal.violations).unwrap_or_default();
    let strangers = violations.iter().filter(|violation| matches!(violation.code, Code::Unknown | Code::Forbidden));
    faults.extend(strangers.map(ToString::to_string));
    if faults.is_empty() { Ok(()) } else { Err(refused(faults.join("; "))) }
}

/// The next block; none at the end.
fn read(source: &mut Source) -> Result<Option<Block>, ServeError> {
    let block = match source {
        Source::Lines(rest) => Block::Lines(lines(rest)),
        Source::Csv(reader) => {
            let records: Result<Vec<_>, _> = reader.byte_records().take(BLOCK).collect();
            Block::Csv(records.map_err(|_| refused("the file is cut"))?)
        }
        Source::Parquet(reader) => match reader.next() {
            Some(batch) => Block::Parquet(batch.map_err(|_| not_parquet())?),
            None => return Ok(None),
        },
    };
    Ok((block.len() > 0).then_some(block))
}

/// The next lines that are not empty.
fn lines(rest: &mut Bytes) -> Vec<Bytes> {
    let mut lines = Vec::new();
    while lines.len() < BLOCK && !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let line = rest.split_to(end);
        if !line.trim_ascii().is_empty() {
            lines.push(line);
        }
    }
    lines
}

impl Block {
    fn len(&self) -> usize {
        match self {
            Block::Lines(lines) => lines.len(),
            Block::Csv(records) => records.len(),
            Block::Parquet(batch) => batch.num_rows(),
        }
    }

    /// What the contract says of each row.
    fn admit(self, contract: &Contract, columns: &[Option<Named>]) -> Vec<Result<FeatureVector, Refusal>> {
        match self {
            Block::Lines(lines) => lines.iter().map(|line| line_of(line, contract)).collect(),
            Block::Csv(records) => records.iter().map(|record| record_of(record, contract, columns)).collect(),
            Block::Parquet(batch) => {
                let cells: Vec<_> = batch.columns().iter().map(Column::of).collect();
                let cells: Vec<_> =
                    columns.iter().zip(&cells).filter_map(|(name, cells)| Some((name.as_ref()?, cells))).collect();
                let row = |place| {
                    let mut admission = Admission::of(contract);
                    for (named, cells) in &cells {
                        admission.take(&named.name, cells.given(place));
                    }
                    admission.finish()
                };
                (0..batch.num_rows()).map(row).collect()
            }
        }
    }
}

/// A row that is none: it has no features that could be counted.
fn broken(detail: String) -> Refusal {
    Refusal {
        violations: vec![Violation { feature: "row".to_owned(), code: Code::Mistyped, detail }],
        slots: Vec::new(),
    }
}

fn line_of(line: &[u8], contract: &Contract) -> Result<FeatureVector, Refusal> {
    match PredictRequest::read(line, contract) {
        Ok(request) => request.features,
        Err(malformed) => Err(broken(malformed.to_string())),
    }
}

fn record_of(
    record: &csv::ByteRecord,
    contract: &Contract,
    columns: &[Option<Named>],
) -> Result<FeatureVector, Refusal> {
    if record.len() != columns.len() {
        return Err(broken("has another number of cells than the header".to_owned()));
    }
    let mut admission = Admission::of(contract);
    for (cell, column) in record.iter().zip(columns) {
        let Some(Named { name, domain }) = column else { continue };
        // What is not UTF-8 is no number and no word of any contract.
        let given = str::from_utf8(cell).map_or(Given::Nested, |cell| spelled(domain.as_ref(), cell));
        admission.take(name, given);
    }
    admission.finish()
}

fn said(predictor: &Predictor, rows: Vec<Result<FeatureVector, Refusal>>) -> Result<Vec<Said>, ServeError> {
    let answers = predictor.answer_all(rows).into_iter();
    let said = answers.map(|answer| match answer {
        Ok(Answer::Scored { score, .. }) => Ok(Ok(score)),
        Ok(Answer::Refused(refusal)) => Ok(Err(refusal.violations)),
        Err(_) => Err(ServeError::NotFinite),
    });
    said.collect()
}

#[cfg(test)]
mod tests;
