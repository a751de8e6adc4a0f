//! Files of rows to be answered: CSV, JSON lines or Parquet, told apart by their first bytes; pure over bytes. A row is refused by
//! itself; a file whose columns are not the contract's is refused whole.

mod pages;

use std::io::Cursor;
use std::{panic, thread};

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

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
        let (source, names) = match &*file {
            [b'P', b'A', b'R', b'1', ..] => {
                let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| not_parquet())?;
                let names = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
                (Source::Parquet(reader.with_batch_size(BLOCK).build().map_err(|_| not_parquet())?), names)
            }
            [b'{', ..] => (Source::Lines(file), Vec::new()),
            _ => {
                // A row of another length is refused by itself.
                let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(Cursor::new(file));
                let header = reader.headers().map_err(|_| refused("the header is not UTF-8"))?;
                let names = header.iter().map(str::to_owned).collect();
                (Source::Csv(reader), names)
            }
        };
        if let Source::Csv(_) | Source::Parquet(_) = source {
            check(contract, &names, ignored)?;
        }
        let domain = |name: &str| Some(contract.features().get(contract.place(name)?)?.domain.clone());
        let named = |name: String| (!ignored.contains(&name)).then(|| Named { domain: domain(&name), name });
        let columns = names.into_iter().map(named).collect();
        Ok(RowsFile { contract, source, columns })
    }

    /// Answer every row and hand on what was made of it, in the order of the file; returns how many rows there are. So many blocks
    /// of rows are answered beside each other, and `page`, which is told the number of its first row from 1, runs there, too.
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
        let RowsFile { contract, mut source, columns } = self;
        let work = |first: u64, block: Block| Ok(page(first, said(predictor, block.admit(contract, &columns))?));
        let (mut rows, mut blocks) = (0, read(&mut source, hands)?);
        while !blocks.is_empty() {
            let (pages, next) = thread::scope(|scope| {
                let begin = |block: Block| {
                    let (first, work) = (rows + 1, &work);
                    rows += block.len() as u64;
                    scope.spawn(move || work(first, block))
                };
                let working: Vec<_> = blocks.into_iter().map(begin).collect();
                // The next rows are read while these are answered.
                let next = read(&mut source, hands);
                (working.into_iter().map(joined).collect::<Vec<Result<T, ServeError>>>(), next)
            });
            for page in pages {
                each(page?)?;
            }
            blocks = next?;
        }
        if rows == 0 { Err(refused("the file has no rows")) } else { Ok(rows) }
    }
}

/// What came of a thread; its panic is ours.
fn joined<T>(worker: thread::ScopedJoinHandle<'_, T>) -> T {
    worker.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))
}

fn not_parquet() -> ServeError {
    refused("the file is not Parquet, or is cut")
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

/// The next blocks; none at the end.
fn read(source: &mut Source, most: usize) -> Result<Vec<Block>, ServeError> {
    let mut blocks = Vec::new();
    while blocks.len() < most.max(1) {
        let block = match source {
            Source::Lines(rest) => Block::Lines(lines(rest)),
            Source::Csv(reader) => {
                let records: Result<Vec<_>, _> = reader.byte_records().take(BLOCK).collect();
                Block::Csv(records.map_err(|_| refused("the file is cut"))?)
            }
            Source::Parquet(reader) => match reader.next() {
                Some(batch) => Block::Parquet(batch.map_err(|_| not_parquet())?),
                None => break,
            },
        };
        if block.len() == 0 {
            break;
        }
        blocks.push(block);
    }
    Ok(blocks)
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
