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

/// Rows with what a model elsewhere said of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// One vector a row.
    pub vectors: Vec<FeatureVector>,
    /// What the model said: a probability or a number, finite.
    pub predictions: Vec<f64>,
    /// What came true; none if the rows do not say.
    pub target: Option<Vec<f64>>,
    /// The declared slices.
    pub slices: Vec<Slice>,
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
    let vectors = vectors(contract, rows)?;
    let target = targets(contract, rows, column(rows, contract.target())?)?;
    let slices = contract.slices().iter().filter_map(|name| slice(contract, name, &vectors));
    Ok(Encoded { slices: slices.collect(), vectors, target, order: rows.order.clone() })
}

/// Encode every row with [`admit`], and read what the model said of it from this column.
///
/// # Errors
/// As [`encode`]; a prediction that is no number is `Refused`.
pub fn encode_said(contract: &Contract, rows: &Rows, prediction: &str) -> Result<Said, ContractError> {
    let said = column(rows, prediction)?;
    let number = |row: usize| match given(said, row) {
        Given::Number(number) if number.is_finite() => Ok(number),
        _ => {
            let detail = "must be a finite number".to_owned();
            let violation = Violation { feature: prediction.to_owned(), code: Code::Mistyped, detail };
            Err(ContractError::Refused { row, violations: vec![violation] })
        }
    };
    let labels = rows.frame.column(contract.target());
    let vectors = vectors(contract, rows)?;
    Ok(Said {
        slices: contract.slices().iter().filter_map(|name| slice(contract, name, &vectors)).collect(),
        vectors,
        predictions: (0..rows.len()).map(number).collect::<Result<_, _>>()?,
        target: labels.map(|labels| targets(contract, rows, labels)).transpose()?,
    })
}

fn column<'a>(rows: &'a Rows, name: &str) -> Result<&'a Values, ContractError> {
    rows.frame.column(name).ok_or_else(|| ContractError::NoColumn(name.to_owned()))
}

fn vectors(contract: &Contract, rows: &Rows) -> Result<Vec<FeatureVector>, ContractError> {
    let features = contract.features().iter().map(|feature| Ok((feature.name.as_str(), column(rows, &feature.name)?)));
    let features = features.collect::<Result<Vec<_>, ContractError>>()?;
    let vector = |row: usize| {
        let fields = features.iter().map(|(name, values)| (*name, given(values, row)));
        admit(contract, fields).map_err(|refusal| ContractError::Refused { row, violations: refusal.violations })
    };
    (0..rows.len()).map(vector).collect()
}

fn targets(contract: &Contract, rows: &Rows, labels: &Values) -> Result<Vec<f64>, ContractError> {
    let label = |row: usize| {
        let refused = |violation| ContractError::Refused { row, violations: vec![violation] };
        encode_target(contract, given(labels, row)).map_err(refused)
    };
    (0..rows.len()).map(label).collect()
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
