//! A data schema: every column with its type and rules; pure. Refuses what is not declared.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::domain::{ColumnType, Domain, Range, is_missing};
use crate::types::ModelName;

/// A schema as written in `schemas/<name>.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSchema {
    /// The schema's name; the file's name without `.yaml`.
    pub schema: ModelName,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Every column of the file, in any order.
    pub columns: Vec<RawColumn>,
}

/// A column as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawColumn {
    /// The column's name in the file's header.
    pub name: String,
    /// What its cells are.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Smallest number allowed (`integer`, `float`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest number allowed (`integer`, `float`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The words allowed (`category`), in order if they have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// No value twice in one file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
    /// Every value larger than the one before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub increasing: bool,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// A checked schema: names are unique and rules fit their types.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    name: ModelName,
    columns: Vec<Column>,
}

/// A checked column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    name: String,
    domain: Domain,
    unique: bool,
    increasing: bool,
    description: String,
}

/// A place in a schema that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what}")]
pub struct SchemaFault {
    /// The key: `columns[3] (tenure).min`.
    pub at: String,
    /// What is wrong and what to write.
    pub what: String,
}

impl RawSchema {
    /// Check the schema against itself.
    ///
    /// # Errors
    /// Every fault, not the first.
    pub fn check(&self) -> Result<Schema, Vec<SchemaFault>> {
        let mut faults = Vec::new();
        let mut seen = BTreeSet::new();
        let mut columns = Vec::new();
        if self.columns.is_empty() {
            faults.push(SchemaFault {
                at: "columns".into(),
                what: "a schema without columns admits nothing: declare one".into(),
            });
        }
        for (index, raw) in self.columns.iter().enumerate() {
            let at = format!("columns[{index}] ({})", raw.name);
            if !seen.insert(&raw.name) {
                faults.push(SchemaFault { at: at.clone(), what: "the name stands twice: keep one".into() });
            }
            match raw.check() {
                Ok(column) => columns.push(column),
                Err(broken) => {
                    faults
                        .extend(broken.into_iter().map(|(key, what)| SchemaFault { at: format!("{at}.{key}"), what }));
                }
            }
        }
        if faults.is_empty() { Ok(Schema { name: self.schema.clone(), columns }) } else { Err(faults) }
    }
}

impl RawColumn {
    /// A column of this name and type, without bounds.
    pub fn named(name: &str, kind: ColumnType) -> RawColumn {
        let (name, description) = (name.to_owned(), String::new());
        RawColumn {
            name,
            kind,
            min: None,
            max: None,
            values: Vec::new(),
            unique: false,
            increasing: false,
            description,
        }
    }

    /// Check one column; faults are (key, what).
    ///
    /// # Errors
    /// Every fault, not the first.
    pub fn check(&self) -> Result<Column, Vec<(&'static str, String)>> {
        let mut faults = Vec::new();
        if self.name.is_empty() || self.name.len() > 128 || self.name.chars().any(char::is_control) {
            faults.push(("name", "use 1 to 128 printable characters".to_owned()));
        }
        let numeric = matches!(self.kind, ColumnType::Integer | ColumnType::Float);
        if !numeric && (self.min.is_some() || self.max.is_some()) {
            faults.push(("min", "bounds are for `integer` and `float` only".to_owned()));
        }
        let range = Range { min: self.min.unwrap_or(f64::NEG_INFINITY), max: self.max.unwrap_or(f64::INFINITY) };
        if range.min > range.max || range.min.is_nan() || range.max.is_nan() {
            faults.push(("min", format!("min {} is above max {}", range.min, range.max)));
        }
        if (self.kind == ColumnType::Category) == self.values.is_empty() {
            faults.push(("values", "a `category` lists its values, and only a `category` does".to_owned()));
        }
        if self.values.iter().collect::<BTreeSet<_>>().len() != self.values.len() {
            faults.push(("values", "a value stands twice: keep one".to_owned()));
        }
        if let Some(word) = self.values.iter().find(|word| is_missing(word)) {
            faults.push(("values", format!("`{word}` means a missing value and cannot be a category")));
        }
        let ordered = numeric || matches!(self.kind, ColumnType::Date | ColumnType::Timestamp);
        if self.increasing && !ordered {
            faults.push(("increasing", "only numbers, dates and timestamps have an order".to_owned()));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Column {
            name: self.name.clone(),
            domain: match self.kind {
                ColumnType::Integer => Domain::Integer(range),
                ColumnType::Float => Domain::Float(range),
                ColumnType::Boolean => Domain::Boolean,
                ColumnType::Category => Domain::Category(self.values.clone()),
                ColumnType::Date => Domain::Date,
                ColumnType::Timestamp => Domain::Timestamp,
                ColumnType::Id => Domain::Id,
            },
            unique: self.unique,
            increasing: self.increasing,
            description: self.description.clone(),
        })
    }
}

impl Schema {
    /// The schema's name.
    pub fn name(&self) -> &ModelName {
        &self.name
    }

    /// Every column, in the order written.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Column {
    /// The column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values it may hold.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Whether no value may stand twice.
    pub fn unique(&self) -> bool {
        self.unique
    }

    /// Whether every value must be larger than the one before.
    pub fn increasing(&self) -> bool {
        self.increasing
    }

    /// What people are told of it.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The column as it would be written.
    pub fn raw(&self) -> RawColumn {
        let bound = |bound: f64| bound.is_finite().then_some(bound);
        let (min, max) = match self.domain {
            Domain::Integer(range) | Domain::Float(range) => (bound(range.min), bound(range.max)),
            Domain::Boolean | Domain::Category(_) | Domain::Date | Domain::Timestamp | Domain::Id => (None, None),
        };
        RawColumn {
            name: self.name.clone(),
            kind: self.domain.kind(),
            min,
            max,
            values: match &self.domain {
                Domain::Category(values) => values.clone(),
                Domain::Integer(_)
                | Domain::Float(_)
                | Domain::Boolean
                | Domain::Date
                | Domain::Timestamp
                | Domain::Id => Vec::new(),
            },
            unique: self.unique,
            increasing: self.increasing,
            description: self.description.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: ColumnType) -> RawColumn {
        RawColumn {
            name: "c".into(),
            kind,
            min: None,
            max: None,
            values: Vec::new(),
            unique: false,
            increasing: false,
            description: String::new(),
        }
    }

    #[test]
    fn a_schema_that_contradicts_itself_is_refused_with_every_fault() {
        let mut text = column(ColumnType::Id);
        (text.min, text.increasing) = (Some(1.0), true);
        let raw =
            RawSchema { schema: "s".parse().unwrap(), description: String::new(), columns: vec![text.clone(), text] };
        let faults = raw.check().unwrap_err();
        assert_eq!(faults.len(), 5, "{faults:?}");
    }
}
