//! Cells of files as a request would give them: a word of CSV, a value of Parquet; pure.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMicrosecondType};

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

/// A column of Parquet in one of the few types that an answer knows.
pub(crate) struct Column(Option<ArrayRef>);

impl Column {
    pub(crate) fn of(array: &ArrayRef) -> Column {
        let kind = match array.data_type() {
            DataType::Boolean => DataType::Boolean,
            DataType::Timestamp(_, _) => DataType::Timestamp(TimeUnit::Microsecond, None),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
            DataType::Dictionary(_, words) if words.is_string() => DataType::Utf8,
            number if number.is_numeric() => DataType::Float64,
            _ => return Column(None),
        };
        Column(cast(array, &kind).ok())
    }

    pub(crate) fn given(&self, place: usize) -> Given<'_> {
        let Some(array) = &self.0 else { return Given::Nested };
        if array.is_null(place) {
            return Given::Missing;
        }
        let number = array.as_primitive_opt::<Float64Type>().map(|numbers| Given::Number(numbers.value(place)));
        let flag = || array.as_boolean_opt().map(|flags| Given::Bool(flags.value(place)));
        let word = || array.as_string_opt::<i32>().map(|words| Given::Text(words.value(place)));
        number.or_else(flag).or_else(word).unwrap_or(Given::Nested)
    }

    /// The instant in a row, if this column has instants.
    pub(crate) fn instant(&self, place: usize) -> Option<Timestamp> {
        let array = self.0.as_ref().filter(|array| !array.is_null(place))?;
        let instants = array.as_primitive_opt::<TimestampMicrosecondType>()?;
        Some(Timestamp::from_micros(instants.value(place)))
    }
}
