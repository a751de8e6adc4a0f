//! The only encoder of the house: a row in, a feature vector or every violation out; pure. No value is mended, and no
//! violation repeats the value it refuses.

mod admission;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::feature::{Contract, Feature};
use crate::ingest::{Domain, Range, Rule};

pub use admission::{Admission, Taken};

/// One value as a door was given it: a JSON member, a CSV cell, a Parquet cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Given<'a> {
    /// `null`, or nothing.
    Missing,
    /// True or false.
    Bool(bool),
    /// Any number, as the nearest float.
    Number(f64),
    /// Text.
    Text(&'a str),
    /// What no feature can be: a list or an object.
    Nested,
}

/// An admitted row: one finite number for each of the contract's features, in the contract's order.
///
/// Only [`admit`] can make one, so training, evaluation, serving and shadow cannot encode a row in two ways (P7):
///
/// ```compile_fail
/// let forged = regent::contract::FeatureVector(vec![1.0]);
/// ```
///
/// Continuous: the number (a boolean is 0 or 1). Nominal: the place of the value in its category table. Ordinal: its
/// rank, from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureVector(Vec<f64>);

/// What became of one feature of a row; what counters count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Slot {
    /// Admitted, as this number.
    Value(f64),
    /// Below the contract's range.
    Below,
    /// Above the contract's range.
    Above,
    /// Not given.
    Missing,
    /// A word that the category table does not have, or a value of another type.
    Unseen,
}

/// What was admitted.
impl From<f64> for Slot {
    fn from(value: f64) -> Slot {
        Slot::Value(value)
    }
}

/// A row that was not admitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Every violation, in the contract's order, then fields that are not features as they came.
    pub violations: Vec<Violation>,
    /// What became of each feature, in the contract's order.
    pub slots: Vec<Slot>,
}

/// One way in which a request breaks the contract. It never holds the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// The feature or field.
    pub feature: String,
    /// The stable code.
    pub code: Code,
    /// What the contract wants.
    pub detail: String,
}

/// The stable codes of violations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A feature was not given.
    Missing,
    /// A field that the contract does not know.
    Unknown,
    /// A column that the contract forbids.
    Forbidden,
    /// A value of the wrong type.
    Mistyped,
    /// A number outside the range.
    OutOfRange,
    /// A word that is not in the category table.
    Unseen,
    /// NaN or an infinity.
    NonFinite,
    /// A field given twice.
    Duplicate,
}

impl Code {
    /// Every code, in order.
    pub const ALL: [Code; 8] = [
        Code::Missing,
        Code::Unknown,
        Code::Forbidden,
        Code::Mistyped,
        Code::OutOfRange,
        Code::Unseen,
        Code::NonFinite,
        Code::Duplicate,
    ];

    /// The code of a number that is outside its range.
    pub(super) fn of(rule: Rule) -> Code {
        if rule == Rule::Finite { Code::NonFinite } else { Code::OutOfRange }
    }

    /// The code as it stands in JSON, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Missing => "missing",
            Code::Unknown => "unknown",
            Code::Forbidden => "forbidden",
            Code::Mistyped => "mistyped",
            Code::OutOfRange => "out_of_range",
            Code::Unseen => "unseen",
            Code::NonFinite => "non_finite",
            Code::Duplicate => "duplicate",
        }
    }
}

/// `tenure: must be a whole number of at least 0`
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.feature, self.detail)
    }
}

impl Deref for FeatureVector {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.0
    }
}

impl FeatureVector {
    /// What became of each feature: all of them were admitted.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.0.iter().copied().map(Slot::from)
    }
}

/// Encode one row for training, evaluation, serving or shadow.
///
/// # Errors
/// Every violation at once: unknown, missing, forbidden, mistyped, out-of-range, unseen, non-finite and repeated fields.
pub fn admit<'a>(
    contract: &Contract,
    row: impl IntoIterator<Item = (&'a str, Given<'a>)>,
) -> Result<FeatureVector, Refusal> {
    let mut admission = Admission::of(contract);
    for (name, value) in row {
        admission.take(name, value);
    }
    admission.finish()
}

/// Encode an admitted row again, as another contract reads it: the one way from one contract's vectors to another's.
///
/// # Errors
/// Every violation of the other contract. Under one major version there is none in the direction of the newer one.
pub fn admit_again<'a>(
    vector: &'a FeatureVector,
    from: &Contract,
    to: &Contract,
) -> Result<Cow<'a, FeatureVector>, Refusal> {
    // A registered version never changes, so vectors under one are what they are.
    if from.name() == to.name() && from.version() == to.version() {
        return Ok(Cow::Borrowed(vector));
    }
    let fields = from.features().iter().zip(vector.iter());
    admit(to, fields.map(|(feature, value)| (feature.name.as_str(), feature.decode(*value)))).map(Cow::Owned)
}

fn stranger(contract: &Contract, name: &str) -> Violation {
    let (code, detail) = match contract.forbids(name) {
        Some(reason) => (Code::Forbidden, format!("must not be sent: {reason}")),
        None => (Code::Unknown, "is not a feature of the contract".to_owned()),
    };
    Violation { feature: name.to_owned(), code, detail }
}

impl Feature {
    /// The feature's number, or what becomes of it and the code of the violation.
    fn encode(&self, given: Given<'_>) -> Result<f64, (Slot, Code)> {
        match (&self.domain, given) {
            (_, Given::Missing) => Err((Slot::Missing, Code::Missing)),
            (Domain::Float(range), Given::Number(number)) => bounded(range, number),
            (Domain::Integer(range), Given::Number(number)) if number.fract() == 0.0 || !number.is_finite() => {
                bounded(range, number)
            }
            (Domain::Boolean, Given::Bool(yes)) => Ok(f64::from(u8::from(yes))),
            (Domain::Category(values), Given::Text(word)) => values
                .iter()
                .position(|value| value == word)
                .map(|place| place as f64)
                .ok_or((Slot::Unseen, Code::Unseen)),
            (
                Domain::Float(_)
                | Domain::Integer(_)
                | Domain::Boolean
                | Domain::Category(_)
                | Domain::Date
                | Domain::Timestamp
                | Domain::Id,
                Given::Bool(_) | Given::Number(_) | Given::Text(_) | Given::Nested,
            ) => Err((Slot::Unseen, Code::Mistyped)),
        }
    }

    /// The value that was encoded as this number.
    fn decode(&self, number: f64) -> Given<'_> {
        match &self.domain {
            Domain::Float(_) | Domain::Integer(_) => Given::Number(number),
            Domain::Boolean => Given::Bool(number != 0.0),
            // Codes are places in the table: small whole numbers, as `encode` made them.
            Domain::Category(values) => values.get(number as usize).map_or(Given::Missing, |word| Given::Text(word)),
            Domain::Date | Domain::Timestamp | Domain::Id => Given::Nested,
        }
    }

    fn violation(&self, code: Code) -> Violation {
        let detail = match code {
            Code::Missing => "is required".to_owned(),
            Code::Duplicate => "is given twice".to_owned(),
            Code::Unknown | Code::Forbidden | Code::Mistyped | Code::OutOfRange | Code::Unseen | Code::NonFinite => {
                format!("must be {}", self.domain.wants())
            }
        };
        Violation { feature: self.name.clone(), code, detail }
    }
}

fn bounded(range: &Range, number: f64) -> Result<f64, (Slot, Code)> {
    match range.admit(number) {
        // One zero: -0 and 0 are the same row.
        Ok(number) => Ok(number + 0.0),
        Err(rule) => {
            let slot = match rule {
                Rule::Min => Slot::Below,
                Rule::Max => Slot::Above,
                _ => Slot::Unseen,
            };
            Err((slot, Code::of(rule)))
        }
    }
}

#[cfg(test)]
mod tests;
