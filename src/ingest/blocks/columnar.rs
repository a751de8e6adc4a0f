//! Parquet as blocks of columns; pure over bytes. What is no number, word, flag or time is not read.

use std::io::Read;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::errors::Result as ParquetResult;
use parquet::file::reader::{ChunkReader, Length};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::super::IngestError;
use super::super::domain::Rule;
use super::text::refuse;
use super::words::{MISSING, Words};
use super::{Block, Cells, Guess, Peeked, Reads};

/// Rows of a block.
const ROWS: usize = 1 << 12;
/// A file of so many rows is looked at as a whole before it is read …
const FEW: u64 = 16_384;
/// … of a larger one so many runs, one in each equal part of the file, …
const RUNS: u64 = 64;
/// … of so many rows.
const RUN: u64 = 256;
/// The generator's stream; any constant serves.
const STREAM: u128 = 0x2c85_e19b_7f06_4ad3_b8e1_5093_d67a_fc49;

/// A Parquet file whose footer was read.
pub(super) struct Columnar<R> {
    name: String,
    source: Shared<R>,
    metadata: ArrowReaderMetadata,
    columns: Vec<String>,
}

/// A source that several readers read.
struct Shared<R>(Arc<R>);

impl<R: Length> Length for Shared<R> {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl<R: ChunkReader> ChunkReader for Shared<R> {
    type T = R::T;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        self.0.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        self.0.get_bytes(start, length)
    }
}

impl<R: ChunkReader + Read + 'static> Columnar<R> {
    pub(super) fn open(name: &str, source: R) -> Result<Self, IngestError> {
        let source = Shared(Arc::new(source));
        let broken = |error| not_parquet(name, &error);
        let metadata = ArrowReaderMetadata::load(&source, ArrowReaderOptions::new()).map_err(broken)?;
        // Words come with a dictionary in the file; read as one they are looked up once, not in every row.
        let fields: Vec<Field> = metadata.schema().fields().iter().map(|field| with_dictionary(field)).collect();
        let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options).map_err(broken)?;
        let columns = metadata.schema().fields().iter().map(|field| field.name().clone()).collect();
        Ok(Columnar { name: name.to_owned(), source, metadata, columns })
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    fn builder(&self, wanted: &[bool]) -> ParquetRecordBatchReaderBuilder<Shared<R>> {
        let roots = wanted.iter().enumerate().filter(|(_, wanted)| **wanted).map(|(place, _)| place);
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots);
        let source = Shared(Arc::clone(&self.source.0));
        ParquetRecordBatchReaderBuilder::new_with_metadata(source, self.metadata.clone())
            .with_projection(mask)
            .with_batch_size(ROWS)
    }

    pub(super) fn peek(&mut self, seed: u64) -> Result<Vec<Peeked>, IngestError> {
        let fields = self.metadata.schema().fields();
        let mut columns: Vec<Peeked> = fields.iter().map(|field| Peeked::new(field.name())).collect();
        for (column, field) in columns.iter_mut().zip(fields) {
            if let Some(guess) = declared(field.data_type()) {
                column.declare(guess);
            }
        }
        // What the file declares needs no look but for its numbers.
        let wanted: Vec<bool> = fields.iter().map(|field| field.data_type().is_numeric()).collect();
        let broken = |error: &dyn std::fmt::Display| not_parquet(&self.name, error);
        let batches = self.builder(&wanted).with_row_selection(self.sample(seed)).build();
        for batch in batches.map_err(|error| broken(&error))? {
            let batch = batch.map_err(|error| broken(&error))?;
            let seen = columns.iter_mut().zip(&wanted).filter(|(_, wanted)| **wanted).map(|(column, _)| column);
            for (column, array) in seen.zip(batch.columns()) {
                let whole = array.data_type().is_integer();
                let (mut values, mut gaps) = (Vec::new(), false);
                numbers(array, &mut values, &mut gaps).map_err(|error| broken(&error))?;
                values.into_iter().for_each(|value| column.see_number(value));
                if !whole && column.guess() == Guess::Flag {
                    column.declare(Guess::Number);
                }
            }
        }
        Ok(columns)
    }

    /// All rows of a small file, and runs spread over a large one.
    fn sample(&self, seed: u64) -> RowSelection {
        let rows = self.rows();
        if rows <= FEW {
            return RowSelection::from(vec![RowSelector::select(rows as usize)]);
        }
        let mut generator = Pcg64::new(u128::from(seed), STREAM);
        let part = rows / RUNS;
        let mut selectors = Vec::new();
        let mut at = 0;
        for place in 0..RUNS {
            let room = u128::from(part.saturating_sub(RUN));
            let start = place * part + ((u128::from(generator.next_u64()) * room) >> 64) as u64;
            selectors.push(RowSelector::skip((start - at) as usize));
            selectors.push(RowSelector::select(RUN.min(part) as usize));
            at = start + RUN.min(part);
        }
        RowSelection::from(selectors)
    }

    pub(super) fn read(
        self,
        reads: Vec<Reads>,
        mut each: impl FnMut(&Block) -> Result<(), IngestError>,
    ) -> Result<Vec<Option<Words>>, IngestError> {
        if self.rows() == 0 {
            let detail = "the file has columns and no rows".to_owned();
            return Err(refuse(&self.name, 1, Rule::NoRows, detail));
        }
        let wanted: Vec<bool> = reads.iter().map(|reads| *reads != Reads::Nothing).collect();
        let mut block = Block::of(reads);
        let batches = self.builder(&wanted).build().map_err(|error| not_parquet(&self.name, &error))?;
        for batch in batches {
            let broken = |error: &dyn std::fmt::Display| not_parquet(&self.name, error);
            let batch = batch.map_err(|error| broken(&error))?;
            block.clear();
            fill(&mut block, &batch).map_err(|error| broken(&error))?;
            each(&block)?;
        }
        Ok(block.tables())
    }
}

fn not_parquet(name: &str, error: &dyn std::fmt::Display) -> IngestError {
    refuse(name, 1, Rule::Unreadable, format!("the file is not Parquet that can be read: {error}"))
}

/// What a type says by itself; nothing where the values decide.
fn declared(kind: &DataType) -> Option<Guess> {
    match kind {
        kind if kind.is_numeric() => None,
        DataType::Boolean => Some(Guess::Flag),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Guess::Word),
        DataType::Dictionary(_, words) if matches!(**words, DataType::Utf8 | DataType::LargeUtf8) => Some(Guess::Word),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => Some(Guess::Time),
        DataType::Null => Some(Guess::Empty),
        other => Some(Guess::Other(other.to_string())),
    }
}

fn with_dictionary(field: &Field) -> Field {
    match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            field.clone().with_data_type(DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into()))
        }
        _other => field.clone(),
    }
}

fn fill(block: &mut Block, batch: &RecordBatch) -> Result<(), ArrowError> {
    block.rows = batch.num_rows();
    let wanted = block.columns.iter_mut().filter(|column| **column != Cells::Nothing);
    for (column, array) in wanted.zip(batch.columns()) {
        match column {
            Cells::Numbers { values, gaps } => numbers(array, values, gaps)?,
            Cells::Words { words, codes } => codes_of(array, words, codes)?,
            Cells::Nothing => {}
        }
    }
    Ok(())
}

fn numbers(array: &ArrayRef, values: &mut Vec<f64>, gaps: &mut bool) -> Result<(), ArrowError> {
    let array = match array.data_type() {
        DataType::Float64 => Arc::clone(array),
        kind if kind.is_numeric() || *kind == DataType::Boolean => cast(array, &DataType::Float64)?,
        // Words where the reference has numbers: each is read as a cell of a text file would be.
        _words => {
            let words = cast(array, &DataType::Utf8)?;
            let cells = words.as_string::<i32>().iter();
            values.extend(cells.map(|cell| cell.map_or(f64::NAN, |cell| super::number::of_cell(cell.as_bytes()))));
            *gaps |= values.iter().any(|value| !value.is_finite());
            return Ok(());
        }
    };
    let array = array.as_primitive::<Float64Type>();
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => values.extend_from_slice(array.values()),
        Some(_) => values.extend(array.iter().map(|value| value.unwrap_or(f64::NAN))),
    }
    *gaps |= values.iter().any(|value| !value.is_finite());
    Ok(())
}

fn codes_of(array: &ArrayRef, words: &mut Words, codes: &mut Vec<u32>) -> Result<(), ArrowError> {
    let not_text = |why| ArrowError::CastError(format!("a word {why}"));
    if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>()
        && let Some(table) = dictionary.values().as_string_opt::<i32>()
    {
        let known: Vec<u32> = table
            .iter()
            .map(|word| word.map_or(Ok(MISSING), |word| words.code(word.as_bytes())))
            .collect::<Result<_, _>>()
            .map_err(not_text)?;
        let code = |key: Option<i32>| key.and_then(|key| known.get(key as usize)).copied().unwrap_or(MISSING);
        codes.extend(dictionary.keys().iter().map(code));
        return Ok(());
    }
    let floats = array.data_type().is_floating();
    let cells = cast(array, &DataType::Utf8)?;
    for cell in cells.as_string::<i32>() {
        // A flag that was written as a fraction is the flag.
        let cell = cell.map(|cell| if floats { cell.strip_suffix(".0").unwrap_or(cell) } else { cell });
        codes.push(cell.map_or(Ok(MISSING), |cell| words.code(cell.as_bytes())).map_err(not_text)?);
    }
    Ok(())
}
