//! Frames to Parquet and back; pure over bytes. The same rows give the same bytes, and any Parquet reader can read them.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Field, Float64Type, Int32Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::domain::Cell;
use super::frame::{Frame, FrameColumn, Values};

/// Rows of a row group, which is what the writer holds in memory: about a MiB for each column.
const ROW_GROUP: usize = 1 << 15;
/// Rows that are turned into Arrow at once.
const BATCH: usize = 1 << 13;
/// Stands in the file in place of the library's version, so that a new library that writes the same writes the same bytes.
const CREATED_BY: &str = "regent";
const UTC: &str = "UTC";

/// Writes rows as Parquet, a row group at a time.
pub(super) struct Writer<W: Write + Send> {
    parquet: ArrowWriter<W>,
    schema: Arc<Schema>,
    frame: Frame,
}

impl<W: Write + Send> Writer<W> {
    /// Begin a file with the columns of an empty frame.
    pub(super) fn new(target: W, frame: Frame) -> Result<Self, ParquetError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_created_by(CREATED_BY.to_owned())
            .build();
        let fields: Vec<Field> = frame.columns().iter().map(field).collect();
        let schema = Arc::new(Schema::new(fields));
        let parquet = ArrowWriter::try_new(target, Arc::clone(&schema), Some(properties))?;
        Ok(Writer { parquet, schema, frame })
    }

    pub(super) fn push<'a>(&mut self, row: impl IntoIterator<Item = Cell<'a>>) -> Result<(), ParquetError> {
        self.frame.push(row);
        if self.frame.len() == BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let columns = self.frame.columns().iter().map(|column| array(&column.values));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        self.frame.clear();
        self.parquet.write(&batch)
    }

    /// Finish the file and hand its target back.
    pub(super) fn finish(mut self) -> Result<W, ParquetError> {
        if !self.frame.is_empty() {
            self.flush()?;
        }
        self.parquet.into_inner()
    }
}

/// Read a file that [`Writer`] wrote.
pub(super) fn read(bytes: Vec<u8>) -> Result<Frame, ParquetError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes))?;
    let columns = reader.schema().fields().iter().map(|field| {
        let values = empty(field.data_type()).ok_or_else(|| unknown(field.name(), field.data_type()))?;
        Ok(FrameColumn { name: field.name().clone(), values })
    });
    let mut frame = Frame::from_columns(columns.collect::<Result<_, ParquetError>>()?);
    for batch in reader.with_batch_size(BATCH).build()? {
        let batch = batch?;
        for (column, cells) in frame.columns_mut().iter_mut().zip(batch.columns()) {
            let read = cells.null_count() == 0 && append(&mut column.values, cells);
            if !read {
                return Err(unknown(&column.name, cells.data_type()));
            }
        }
    }
    Ok(frame)
}

fn unknown(column: &str, kind: &DataType) -> ParquetError {
    ParquetError::General(format!("column `{column}` ({kind}) is not one that Regent writes"))
}

fn field(column: &FrameColumn) -> Field {
    let kind = match column.values {
        Values::Integers(_) => DataType::Int64,
        Values::Floats(_) => DataType::Float64,
        Values::Booleans(_) => DataType::Boolean,
        Values::Categories { .. } => DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into()),
        Values::Dates(_) => DataType::Date32,
        Values::Timestamps(_) => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        Values::Ids(_) => DataType::Utf8,
    };
    Field::new(&column.name, kind, false)
}

fn empty(kind: &DataType) -> Option<Values> {
    match kind {
        DataType::Int64 => Some(Values::Integers(Vec::new())),
        DataType::Float64 => Some(Values::Floats(Vec::new())),
        DataType::Boolean => Some(Values::Booleans(Vec::new())),
        DataType::Dictionary(_, _) => Some(Values::Categories { table: Vec::new(), codes: Vec::new() }),
        DataType::Date32 => Some(Values::Dates(Vec::new())),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Some(Values::Timestamps(Vec::new())),
        DataType::Utf8 => Some(Values::Ids(Vec::new())),
        _other => None,
    }
}

fn array(values: &Values) -> Result<ArrayRef, ArrowError> {
    Ok(match values {
        Values::Integers(cells) => Arc::new(Int64Array::from(cells.clone())),
        Values::Floats(cells) => Arc::new(Float64Array::from(cells.clone())),
        Values::Booleans(cells) => Arc::new(BooleanArray::from(cells.clone())),
        Values::Categories { table, codes } => {
            let keys: Int32Array = codes.iter().map(|code| i32::try_from(*code).ok()).collect();
            Arc::new(DictionaryArray::try_new(keys, Arc::new(StringArray::from_iter_values(table)))?)
        }
        Values::Dates(cells) => Arc::new(Date32Array::from(cells.clone())),
        Values::Timestamps(cells) => Arc::new(TimestampMicrosecondArray::from(cells.clone()).with_timezone(UTC)),
        Values::Ids(cells) => Arc::new(StringArray::from_iter_values(cells)),
    })
}

/// Whether the array had the column's type and was added.
fn append(values: &mut Values, array: &ArrayRef) -> bool {
    match values {
        Values::Integers(cells) => {
            array.as_primitive_opt::<Int64Type>().map(|array| cells.extend_from_slice(array.values()))
        }
        Values::Floats(cells) => {
            array.as_primitive_opt::<Float64Type>().map(|array| cells.extend_from_slice(array.values()))
        }
        Values::Booleans(cells) => array.as_boolean_opt().map(|array| cells.extend(array.values().iter())),
        Values::Dates(cells) => {
            array.as_primitive_opt::<Date32Type>().map(|array| cells.extend_from_slice(array.values()))
        }
        Values::Timestamps(cells) => {
            array.as_primitive_opt::<TimestampMicrosecondType>().map(|array| cells.extend_from_slice(array.values()))
        }
        Values::Ids(cells) => {
            array.as_string_opt::<i32>().map(|array| cells.extend(array.iter().flatten().map(str::to_owned)))
        }
        Values::Categories { .. } => array.as_dictionary_opt::<Int32Type>().and_then(|array| {
            let words: Vec<&str> = array.values().as_string_opt::<i32>()?.iter().flatten().collect();
            let keys = array.keys().values().iter().filter_map(|key| u32::try_from(*key).ok());
            values.append_words(&words, keys);
            Some(())
        }),
    }
    .is_some()
}
