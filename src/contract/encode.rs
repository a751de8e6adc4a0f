//! Rows of datasets through the one encoder; pure. Refuses a row that the contract would refuse in a request.

use super::ContractError;
use super::admit::{Code, FeatureVector, Given, Violation, admit};
use super::feature::{Contract, Feature, Task};
use crate::ingest::{Domain, Rows, Values};

/// Rows as a model sees them, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// One vector a row.
    pub vectors: Vec<FeatureVector>,
    /// What came true: 1 or 0 for the positive class or the other; for a regression the number.
    pub target: Vec<f64>,
    /// What orders the rows; never decreases.
    pub order: Vec<i64>,
    /// The declared slices.
    pub slices: Vec<Slice>,
}

/// A declared slice: which word each row has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The feature.
    pub feature: String,
    /// Its words.
    pub words: Vec<String>,
    /// For each row the place of its word.
    pub codes: Vec<u32>,
}

impl Encoded {
    /// The oldest so many rows, as they were known once.
    #[must_use]
    pub fn first(&self, rows: usize) -> Encoded {
        let slice = |slice: &Slice| Slice { codes: slice.codes.iter().take(rows).copied().collect(), ..slice.clone() };
        Encoded {
            vectors: self.vectors.iter().take(rows).cloned().collect(),
            target: self.target.iter().take(rows).copied().collect(),
            order: self.order.iter().take(rows).copied().collect(),
            slices: self.slices.iter().map(slice).collect(),
        }
    }
}

/// Encode every row with [`admit`].
///
/// # Errors
/// `NoColumn` when the rows lack a column of the contract; `Refused` with the first row that breaks it.
pub fn encode(contract: &Contract, rows: &Rows) -> Result<Encoded, ContractError> {
    let column = |name: &str| rows.frame.column(name).ok_or_else(|| ContractError::NoColumn(name.to_owned()));
    let features = contract.features().iter().map(|feature| Ok((feature.name.as_str(), column(&feature.name)?)));
    let features = features.collect::<Result<Vec<_>, ContractError>>()?;
    let labels = column(contract.target())?;
    let mut vectors = Vec::with_capacity(rows.len());
    let mut target = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        let fields = features.iter().map(|(name, values)| (*name, given(values, row)));
        let refused = |violations| ContractError::Refused { row, violations };
        vectors.push(admit(contract, fields).map_err(|refusal| refused(refusal.violations))?);
        let label = encode_target(contract, given(labels, row)).map_err(|violation| refused(vec![violation]))?;
        target.push(label);
    }
    let slices = contract.slices().iter().filter_map(|name| slice(contract, name, &vectors));
    Ok(Encoded { slices: slices.collect(), vectors, target, order: rows.order.clone() })
}

/// What came true as a number: 1 or 0 for the positive class or the other; for a regression the number. Labels of files and
/// labels that are sent are read by this one function.
///
/// # Errors
/// How the value breaks the target's domain; the value itself is not repeated.
pub fn encode_target(contract: &Contract, given: Given<'_>) -> Result<f64, Violation> {
    let violation = |code, detail: String| Violation { feature: contract.target().to_owned(), code, detail };
    let Some(domain) = contract.target_domain() else {
        return Err(violation(Code::Unknown, "the contract has no such target".to_owned()));
    };
    let wants = |code| violation(code, format!("must be {}", domain.wants()));
    match (contract.task(), domain, given) {
        (_, _, Given::Missing) => Err(violation(Code::Missing, "is required".to_owned())),
        (Task::Binary, Domain::Boolean, Given::Bool(yes)) => Ok(f64::from(u8::from(yes))),
        (Task::Binary, Domain::Category(values), Given::Text(word)) => {
            match values.iter().find(|value| *value == word) {
                Some(word) => Ok(f64::from(u8::from(contract.positive() == Some(word.as_str())))),
                None => Err(wants(Code::Unseen)),
            }
        }
        (Task::Regression, Domain::Float(range), Given::Number(number)) => {
            range.admit(number).map_err(|rule| wants(Code::of(rule)))
        }
        (Task::Regression, Domain::Integer(range), Given::Number(number))
            if number.fract() == 0.0 || !number.is_finite() =>
        {
            range.admit(number).map_err(|rule| wants(Code::of(rule)))
        }
        (Task::Binary | Task::Regression, _, Given::Bool(_) | Given::Number(_) | Given::Text(_) | Given::Nested) => {
            Err(wants(Code::Mistyped))
        }
    }
}

/// A cell as a request would give it.
fn given(values: &Values, row: usize) -> Given<'_> {
    let given = match values {
        Values::Integers(cells) => cells.get(row).map(|whole| Given::Number(*whole as f64)),
        Values::Floats(cells) => cells.get(row).map(|number| Given::Number(*number)),
        Values::Booleans(cells) => cells.get(row).map(|yes| Given::Bool(*yes)),
        Values::Categories { table, codes } => {
            codes.get(row).and_then(|code| table.get(*code as usize)).map(|word| Given::Text(word))
        }
        Values::Ids(cells) => cells.get(row).map(|text| Given::Text(text)),
        // No request can give a day or an instant as a feature.
        Values::Dates(_) | Values::Timestamps(_) => Some(Given::Nested),
    };
    given.unwrap_or(Given::Missing)
}

fn slice(contract: &Contract, name: &str, vectors: &[FeatureVector]) -> Option<Slice> {
    let place = contract.place(name)?;
    let words = contract.features().get(place).and_then(Feature::words)?;
    let codes = vectors.iter().filter_map(|vector| vector.get(place)).map(|code| *code as u32);
    Some(Slice { feature: name.to_owned(), words, codes: codes.collect() })
}

#[cfg(test)]
mod tests;
