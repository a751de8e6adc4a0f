//! Rows to Parquet bytes and back, so that DuckDB, pandas and Spark read parts as they are; pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, ListBuilder, StringArray, StringBuilder,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow::datatypes::{Float64Type, TimestampMicrosecondType, UInt32Type};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::contract::Code;
use crate::types::Timestamp;

/// What is wrong with a part, in words.
pub(crate) type Fault = String;

/// A part's rows as columns, with the notes of its footer.
pub(crate) struct Table {
    pub(crate) columns: Vec<(&'static str, ArrayRef)>,
    pub(crate) notes: BTreeMap<String, String>,
}

impl Table {
    /// The bytes of a part, and what was written as it is to be read. The same rows always give the same bytes.
    pub(crate) fn encode(self) -> Result<(Vec<u8>, Written), Fault> {
        let batch =
            RecordBatch::try_from_iter_with_nullable(self.columns.into_iter().map(|(name, array)| (name, array, true)))
                .map_err(told)?;
        let notes = self.notes.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
        let properties = WriterProperties::builder()
            .set_compression(compression(batch.num_rows()))
            .set_created_by("regent".to_owned())
            .set_key_value_metadata(Some(notes));
        let plain = |properties: WriterPropertiesBuilder, name| {
            properties.set_column_dictionary_enabled(ColumnPath::from(name), false)
        };
        let properties = UNLIKE.into_iter().fold(properties, plain).build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).map_err(told)?;
        writer.write(&batch).and_then(|()| writer.close()).map_err(told)?;
        Ok((bytes, Written(batch)))
    }
}

/// Columns in which hardly two values are the same: a dictionary of them is only in the way.
const UNLIKE: [&str; 4] = ["ts", "request_id", "prediction", "shadow_prediction"];

/// The columns of a part that was written.
pub(crate) struct Written(RecordBatch);

/// Below this many rows a part is written as it is: making zstd ready costs more for each column than it saves.
const SMALL: usize = 1_000;

fn compression(rows: usize) -> Compression {
    if rows < SMALL { Compression::UNCOMPRESSED } else { Compression::ZSTD(ZstdLevel::default()) }
}

/// A part, read: its rows in batches and the notes of its footer.
pub(crate) struct Rows {
    batches: Vec<RecordBatch>,
    pub(crate) notes: BTreeMap<String, String>,
}

impl Rows {
    pub(crate) fn decode(bytes: Vec<u8>) -> Result<Rows, Fault> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).map_err(told)?;
        let notes = notes(reader.metadata().file_metadata().key_value_metadata());
        let batches = reader.build().map_err(told)?.collect::<Result<_, _>>().map_err(told)?;
        Ok(Rows { batches, notes })
    }

    /// Whether these are the columns that were written, to the bit and the type.
    pub(crate) fn are(&self, Written(written): &Written) -> bool {
        let mut place = 0;
        let same = self.batches.iter().all(|batch| {
            let piece =
                (place + batch.num_rows() <= written.num_rows()).then(|| written.slice(place, batch.num_rows()));
            place += batch.num_rows();
            piece.is_some_and(|piece| piece.columns() == batch.columns())
        });
        same && place == written.num_rows()
    }

    /// Only these columns of every row.
    pub(crate) fn decode_columns(bytes: Vec<u8>, names: &[&str]) -> Result<Rows, Fault> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).map_err(told)?;
        let notes = notes(reader.metadata().file_metadata().key_value_metadata());
        let mask = ProjectionMask::columns(reader.parquet_schema(), names.iter().copied());
        let batches = reader.with_projection(mask).build().map_err(told)?;
        Ok(Rows { batches: batches.collect::<Result<_, _>>().map_err(told)?, notes })
    }

    /// Only the rows that are wanted. That is decided by looking at a few columns, batch by batch; of rows that are not wanted
    /// nothing else is decoded.
    pub(crate) fn decode_where(
        bytes: Vec<u8>,
        looking_at: &[&str],
        mut wanted: impl FnMut(&Batch<'_>, usize) -> Result<bool, Fault>,
    ) -> Result<Rows, Fault> {
        let bytes = Bytes::from(bytes);
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).map_err(told)?;
        let notes = notes(reader.metadata().file_metadata().key_value_metadata());
        let mask = ProjectionMask::columns(reader.parquet_schema(), looking_at.iter().copied());
        let mut chosen = Vec::new();
        for batch in reader.with_projection(mask).build().map_err(told)? {
            let batch = batch.map_err(told)?;
            let look = |place| wanted(&Batch(&batch), place).map(Some);
            chosen.push((0..batch.num_rows()).map(look).collect::<Result<BooleanArray, Fault>>()?);
        }
        if chosen.iter().all(|batch| batch.true_count() == 0) {
            return Ok(Rows { batches: Vec::new(), notes });
        }
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(told)?;
        let reader = reader.with_row_selection(RowSelection::from_filters(&chosen)).build().map_err(told)?;
        Ok(Rows { batches: reader.collect::<Result<_, _>>().map_err(told)?, notes })
    }

    /// Every row of every batch, made by `row` from the batch's columns and the row's place.
    pub(crate) fn each<T>(&self, mut row: impl FnMut(&Batch<'_>, usize) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        let mut rows = Vec::new();
        for batch in &self.batches {
            let batch = Batch(batch);
            for place in 0..batch.0.num_rows() {
                rows.push(row(&batch, place)?);
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
impl Rows {
    /// Every cell and note as text, for tests that look for what must not be there.
    pub(crate) fn shown(&self) -> String {
        format!("{:?} {:?}", self.batches, self.notes)
    }
}

/// The notes of a footer.
pub(crate) fn notes(pairs: Option<&Vec<KeyValue>>) -> BTreeMap<String, String> {
    let pairs = pairs.into_iter().flatten();
    pairs.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect()
}

/// Typed looks at single cells.
pub(crate) struct Batch<'a>(&'a RecordBatch);

impl Batch<'_> {
    pub(crate) fn column(&self, name: &str, place: usize) -> Result<Option<&ArrayRef>, Fault> {
        let column = self.0.column_by_name(name).ok_or_else(|| format!("it has no column `{name}`"))?;
        Ok((!column.is_null(place)).then_some(column))
    }

    pub(crate) fn text(&self, name: &str, place: usize) -> Result<Option<&str>, Fault> {
        let column = self.column(name, place)?;
        column.map(|column| Ok(of_type(name, column.as_string_opt::<i32>())?.value(place))).transpose()
    }

    /// As [`text`](Self::text), of a column that parts had not from the beginning.
    pub(super) fn text_if_told(&self, name: &str, place: usize) -> Result<Option<&str>, Fault> {
        if self.0.column_by_name(name).is_none() { Ok(None) } else { self.text(name, place) }
    }

    pub(crate) fn number(&self, name: &str, place: usize) -> Result<Option<f64>, Fault> {
        let column = self.column(name, place)?;
        column.map(|column| Ok(of_type(name, column.as_primitive_opt::<Float64Type>())?.value(place))).transpose()
    }

    pub(crate) fn whole(&self, name: &str, place: usize) -> Result<Option<u32>, Fault> {
        let column = self.column(name, place)?;
        column.map(|column| Ok(of_type(name, column.as_primitive_opt::<UInt32Type>())?.value(place))).transpose()
    }

    pub(crate) fn instant(&self, name: &str, place: usize) -> Result<Timestamp, Fault> {
        let column = need(name, self.column(name, place)?)?;
        let column = of_type(name, column.as_primitive_opt::<TimestampMicrosecondType>())?;
        Ok(Timestamp::from_micros(column.value(place)))
    }

    pub(super) fn words(&self, name: &str, place: usize) -> Result<Vec<String>, Fault> {
        let Some(column) = self.column(name, place)? else {
            return Ok(Vec::new());
        };
        let list = of_type(name, column.as_list_opt::<i32>())?.value(place);
        let words = of_type(name, list.as_string_opt::<i32>())?;
        Ok(words.iter().flatten().map(str::to_owned).collect())
    }
}

/// The value of a column that may not be empty.
pub(crate) fn need<T>(name: &str, value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| format!("`{name}` is empty in a row"))
}

fn of_type<T>(name: &str, column: Option<T>) -> Result<T, Fault> {
    column.ok_or_else(|| format!("`{name}` has another type"))
}

pub(super) fn told(error: impl std::fmt::Display) -> Fault {
    error.to_string()
}

/// A word of ours read back.
pub(crate) fn parsed<T: std::str::FromStr>(name: &str, word: &str) -> Result<T, Fault> {
    word.parse().map_err(|_| format!("`{name}` holds what it cannot hold"))
}

pub(super) fn enumerated<T: serde::de::DeserializeOwned>(name: &str, word: &str) -> Result<T, Fault> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|_| format!("`{name}` holds what it cannot hold"))
}

pub(crate) fn instants(values: impl Iterator<Item = Timestamp>) -> ArrayRef {
    let micros: TimestampMicrosecondArray = values.map(|at| Some(at.micros())).collect();
    Arc::new(micros.with_timezone("UTC"))
}

pub(crate) fn texts(values: impl Iterator<Item = Option<impl AsRef<str>>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

pub(super) fn ids(values: impl Iterator<Item = Uuid>) -> ArrayRef {
    let (most, _) = values.size_hint();
    let mut ids = StringBuilder::with_capacity(most, most * Hyphenated::LENGTH);
    values.for_each(|id| ids.append_value(id.hyphenated().encode_lower(&mut Uuid::encode_buffer())));
    Arc::new(ids.finish())
}

pub(super) fn numbers(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

pub(crate) fn wholes(values: impl Iterator<Item = Option<u32>>) -> ArrayRef {
    Arc::new(values.collect::<UInt32Array>())
}

pub(super) fn lists<'a>(values: impl Iterator<Item = &'a [Code]>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for codes in values {
        codes.iter().for_each(|code| lists.values().append_value(code.as_str()));
        lists.append(true);
    }
    Arc::new(lists.finish())
}

/// The names and types that a part of events has, for tests that read it with other tools.
#[cfg(test)]
pub(super) fn schema_of(bytes: Vec<u8>) -> Arc<arrow::datatypes::Schema> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
    Arc::clone(reader.schema())
}
