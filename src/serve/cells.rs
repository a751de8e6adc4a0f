//! Cells of files as a request would give them: a word of CSV, a value of Parquet; pure.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};

use crate::contract::Given;
use crate::ingest::{Domain, is_missing};
use crate::types::Timestamp;

/// A cell of CSV as a request would give it: text where the feature is a word, else the number or the truth that it spells.
pub(crate) fn spelled<'a>(domain: Option<&Domain>, cell: &'a str) -> Given<'a> {
    match domain {
        _ if is_missing(cell) => Given::Missing,
        Some(Domain::Category(_)) => Given::Text(cell),
        Some(Domain::Boolean) => match cell {
            "true" | "1" => Given::Bool(true),
            "false" | "0" => Given::Bool(false),
            _ => Given::Text(cell),
        },
        Some(Domain::Float(_) | Domain::Integer(_) | Domain::Date | Domain::Timestamp | Domain::Id) | None => {
            match cell {
                "true" => Given::Bool(true),
                "false" => Given::Bool(false),
                _ => cell.parse().map_or(Given::Text(cell), Given::Number),
            }
        }
    }
}

/// A column of Parquet in one of the few types that a request knows.
pub(crate) enum Column {
    Numbers(Float64Array),
    Flags(BooleanArray),
    Words(StringArray),
    Instants(TimestampMicrosecondArray),
    /// Lists, bytes and the like.
    Other,
}

impl Column {
    pub(crate) fn of(array: &ArrayRef) -> Column {
        let kind = match array.data_type() {
            DataType::Boolean => DataType::Boolean,
            DataType::Timestamp(_, _) => DataType::Timestamp(TimeUnit::Microsecond, None),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
            DataType::Dictionary(_, words) if words.is_string() => DataType::Utf8,
            number if number.is_numeric() => DataType::Float64,
            _ => return Column::Other,
        };
        let Ok(array) = cast(array, &kind) else { return Column::Other };
        let numbers = array.as_primitive_opt().cloned().map(Column::Numbers);
        let flags = || array.as_boolean_opt().cloned().map(Column::Flags);
        let words = || array.as_string_opt().cloned().map(Column::Words);
        let instants = || array.as_primitive_opt().cloned().map(Column::Instants);
        numbers.or_else(flags).or_else(words).or_else(instants).unwrap_or(Column::Other)
    }

    pub(crate) fn given(&self, place: usize) -> Given<'_> {
        match self {
            Column::Numbers(numbers) if numbers.is_valid(place) => Given::Number(numbers.value(place)),
            Column::Flags(flags) if flags.is_valid(place) => Given::Bool(flags.value(place)),
            Column::Words(words) if words.is_valid(place) => Given::Text(words.value(place)),
            Column::Instants(instants) if instants.is_valid(place) => Given::Nested,
            Column::Numbers(_) | Column::Flags(_) | Column::Words(_) | Column::Instants(_) => Given::Missing,
            Column::Other => Given::Nested,
        }
    }

    /// The instant in a row, if this column has instants.
    pub(crate) fn instant(&self, place: usize) -> Option<Timestamp> {
        match self {
            Column::Instants(instants) if instants.is_valid(place) => {
                Some(Timestamp::from_micros(instants.value(place)))
            }
            Column::Instants(_) | Column::Numbers(_) | Column::Flags(_) | Column::Words(_) | Column::Other => None,
        }
    }
}
