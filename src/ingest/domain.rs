//! What the cells of a column may be, and how one cell is read; pure. Nothing is trimmed, mended or guessed.

use std::fmt;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::Timestamp;

/// What a column's cells are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// A whole number of at most 53 bits, so that every float holds it exactly.
    Integer,
    /// A finite number.
    Float,
    /// `true` or `false`, also written `1` or `0`.
    Boolean,
    /// One of the words in `values`.
    Category,
    /// `2026-11-21`
    Date,
    /// RFC 3339, for example `2026-11-21T10:00:00Z`.
    Timestamp,
    /// Text that only identifies; never a feature.
    Id,
}

/// The values a column may hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// Whole numbers between the bounds.
    Integer(Range),
    /// Finite numbers between the bounds.
    Float(Range),
    /// True or false.
    Boolean,
    /// One of these words, in this order.
    Category(Vec<String>),
    /// Days.
    Date,
    /// Instants.
    Timestamp,
    /// Any text that is not empty.
    Id,
}

/// Bounds, both ends allowed; no bound is infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Smallest value allowed.
    pub min: f64,
    /// Largest value allowed.
    pub max: f64,
}

/// One cell, read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// The word's place in the category's values.
    Category(usize),
    /// Days since 1970-01-01.
    Date(i32),
    /// An instant.
    Timestamp(Timestamp),
    /// Text that identifies.
    Id(&'a str),
}

/// The rule that a cell, a line or a file broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A cell is empty, `NA`, `NaN` or `null`.
    Missing,
    /// A cell is not of its column's type.
    Type,
    /// A number is infinite.
    Finite,
    /// A number is below `min`.
    Min,
    /// A number is above `max`.
    Max,
    /// A word is not among `values`.
    Values,
    /// A value stands twice in a `unique` column.
    Unique,
    /// A value is not larger than the one before in an `increasing` column.
    Increasing,
    /// The header has a column that the schema does not declare.
    ExtraColumn,
    /// The schema declares a column that the header does not have.
    AbsentColumn,
    /// The header names a column twice.
    RepeatedColumn,
    /// A line has more or fewer cells than the header.
    CellCount,
    /// A line is not UTF-8, its quotes do not close, or it is too long.
    Unreadable,
    /// The file has a header and nothing below it.
    NoRows,
}

/// The largest whole number below which every whole number is a float.
const EXACT: u64 = 1 << 53;
/// Spellings of a missing value; a word of a category may not be one of them.
const MISSING: [&str; 4] = ["NA", "NaN", "null", ""];

const LONGEST_MISSING: usize = 4;

/// Whether a cell says that there is no value.
pub fn is_missing(cell: &str) -> bool {
    // None of them is longer, and nearly every cell of a large file is.
    cell.len() <= LONGEST_MISSING && is_spelled_missing(cell)
}

fn is_spelled_missing(cell: &str) -> bool {
    MISSING.contains(&cell) || cell.eq_ignore_ascii_case("nan") || cell.eq_ignore_ascii_case("null")
}

/// The number that a short plain decimal is, without the standard library's care for all others: a whole number below 2^53 and
/// a power of ten are exact, and their quotient is rounded once.
fn decimal(cell: &str) -> Option<f64> {
    const MOST_DIGITS: usize = 15;
    const TENS: [f64; MOST_DIGITS + 1] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    if digits.len() > MOST_DIGITS + 1 {
        return None;
    }
    let (mut mantissa, mut count, mut point) = (0_u64, 0, None);
    for byte in digits.bytes() {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                count += 1;
            }
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    if count == 0 || count > MOST_DIGITS {
        return None;
    }
    let size = mantissa as f64 / TENS.get(count - point.unwrap_or(count))?;
    Some(if digits.len() < cell.len() { -size } else { size })
}

impl Domain {
    /// The type this domain belongs to.
    pub fn kind(&self) -> ColumnType {
        match self {
            Domain::Integer(_) => ColumnType::Integer,
            Domain::Float(_) => ColumnType::Float,
            Domain::Boolean => ColumnType::Boolean,
            Domain::Category(_) => ColumnType::Category,
            Domain::Date => ColumnType::Date,
            Domain::Timestamp => ColumnType::Timestamp,
            Domain::Id => ColumnType::Id,
        }
    }

    /// Read one cell of a text file. Nothing is trimmed, mended or guessed.
    ///
    /// # Errors
    /// The rule that the cell breaks.
    pub fn read<'a>(&self, cell: &'a str) -> Result<Cell<'a>, Rule> {
        if is_missing(cell) {
            return Err(Rule::Missing);
        }
        match self {
            Domain::Integer(range) => {
                let whole: i64 = cell.parse().map_err(|_| Rule::Type)?;
                if whole.unsigned_abs() > EXACT {
                    return Err(Rule::Type);
                }
                range.admit(whole as f64).map(|_| Cell::Integer(whole))
            }
            Domain::Float(range) => {
                let number = decimal(cell).map_or_else(|| cell.parse().map_err(|_| Rule::Type), Ok)?;
                range.admit(number).map(Cell::Float)
            }
            Domain::Boolean => match cell {
                "true" | "1" => Ok(Cell::Boolean(true)),
                "false" | "0" => Ok(Cell::Boolean(false)),
                _ => Err(Rule::Type),
            },
            Domain::Category(values) => {
                values.iter().position(|value| value == cell).map(Cell::Category).ok_or(Rule::Values)
            }
            Domain::Date => {
                let date: NaiveDate = cell.parse().map_err(|_| Rule::Type)?;
                // chrono also reads ` 2026-1 - 5`; two spellings of one day would be a silent fix.
                if date.to_string() == cell { Ok(Cell::Date(date.to_epoch_days())) } else { Err(Rule::Type) }
            }
            Domain::Timestamp => cell.parse().map(Cell::Timestamp).map_err(|_| Rule::Type),
            Domain::Id => Ok(Cell::Id(cell)),
        }
    }

    /// What a value must be, in words that fit after "must be".
    pub fn wants(&self) -> String {
        match self {
            Domain::Integer(range) => format!("a whole number{range}"),
            Domain::Float(range) => format!("a finite number{range}"),
            Domain::Boolean => "true or false".to_owned(),
            Domain::Category(values) => format!("one of {}", values.join(", ")),
            Domain::Date => "a date such as 2026-11-21".to_owned(),
            Domain::Timestamp => "an instant such as 2026-11-21T10:00:00Z".to_owned(),
            Domain::Id => "a text".to_owned(),
        }
    }
}

impl Cell<'_> {
    /// What orders rows in time: the whole number, days or microseconds of Unix time; nothing for other cells.
    pub fn order(&self) -> Option<i64> {
        match self {
            Cell::Integer(whole) => Some(*whole),
            Cell::Date(days) => Some(i64::from(*days)),
            Cell::Timestamp(at) => Some(at.micros()),
            Cell::Float(_) | Cell::Boolean(_) | Cell::Category(_) | Cell::Id(_) => None,
        }
    }

    /// Whether the cell is larger than one of the same column; never for cells without an order.
    pub fn is_above(&self, before: &Cell<'_>) -> bool {
        match (self, before) {
            (Cell::Float(now), Cell::Float(before)) => now > before,
            (now, before) => now.order() > before.order(),
        }
    }

    /// The cell without its borrowed text; nothing for an id.
    pub fn detached(self) -> Option<Cell<'static>> {
        match self {
            Cell::Integer(whole) => Some(Cell::Integer(whole)),
            Cell::Float(number) => Some(Cell::Float(number)),
            Cell::Boolean(yes) => Some(Cell::Boolean(yes)),
            Cell::Category(place) => Some(Cell::Category(place)),
            Cell::Date(days) => Some(Cell::Date(days)),
            Cell::Timestamp(at) => Some(Cell::Timestamp(at)),
            Cell::Id(_) => None,
        }
    }
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Integer(whole) => whole.fmt(f),
            Cell::Float(number) => number.fmt(f),
            Cell::Boolean(yes) => yes.fmt(f),
            Cell::Category(place) => place.fmt(f),
            Cell::Date(days) => match NaiveDate::from_epoch_days(*days) {
                Some(date) => date.fmt(f),
                None => write!(f, "day {days}"),
            },
            Cell::Timestamp(at) => at.fmt(f),
            Cell::Id(text) => f.write_str(text),
        }
    }
}

impl Range {
    /// The number, if it is finite and within the bounds.
    ///
    /// # Errors
    /// The rule it breaks: `Finite`, `Min` or `Max`.
    pub fn admit(&self, number: f64) -> Result<f64, Rule> {
        if !number.is_finite() {
            Err(Rule::Finite)
        } else if number < self.min {
            Err(Rule::Min)
        } else if number > self.max {
            Err(Rule::Max)
        } else {
            Ok(number)
        }
    }
}

/// ` from 0 to 10`, ` of at least 0`, ` of at most 10`, or nothing.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min.is_finite(), self.max.is_finite()) {
            (true, true) => write!(f, " from {} to {}", self.min, self.max),
            (true, false) => write!(f, " of at least {}", self.min),
            (false, true) => write!(f, " of at most {}", self.max),
            (false, false) => Ok(()),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::Missing => "missing",
            Rule::Type => "type",
            Rule::Finite => "finite",
            Rule::Min => "min",
            Rule::Max => "max",
            Rule::Values => "values",
            Rule::Unique => "unique",
            Rule::Increasing => "increasing",
            Rule::ExtraColumn => "extra column",
            Rule::AbsentColumn => "absent column",
            Rule::RepeatedColumn => "repeated column",
            Rule::CellCount => "cell count",
            Rule::Unreadable => "unreadable",
            Rule::NoRows => "no rows",
        })
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ColumnType::Integer => "integer",
            ColumnType::Float => "float",
            ColumnType::Boolean => "boolean",
            ColumnType::Category => "category",
            ColumnType::Date => "date",
            ColumnType::Timestamp => "timestamp",
            ColumnType::Id => "id",
        })
    }
}

#[cfg(test)]
mod tests;
