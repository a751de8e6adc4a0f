//! A feature contract: target, features and forbidden columns; pure. A feature that is not in it does not exist.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ingest::{Column, ColumnType, ContractRef, Domain, Intake, RawColumn};
use crate::types::{Digest, Known, ModelName, Version};

/// A contract as written in `contracts/<name>.yaml`.
///
/// When it is registered, `columns` is filled from the schema, so that the registered file stands alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawContract {
    /// The contract's name, which is its model's.
    pub contract: ModelName,
    /// Its version, as the difference to the last registered one demands.
    pub version: Version,
    /// The schema that its columns come from.
    pub schema: ModelName,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What is predicted.
    pub task: Task,
    /// The column that is predicted.
    pub target: RawTarget,
    /// The column that orders rows in time; without one, rows are in the order of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The column that identifies a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What the model may see.
    pub features: Vec<RawFeature>,
    /// Columns that the model must not see, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forbidden: Vec<Forbidden>,
    /// Features of few values by which performance is also shown; the owner's exception to promise P8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<String>,
    /// Written by `regent contract register`: the schema's columns as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<RawColumn>,
}

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// The probability of one of two classes.
    Binary,
    /// A number.
    Regression,
}

/// The target as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTarget {
    /// The column.
    pub column: String,
    /// Of a `category` of two values: the one whose probability is predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
}

/// A feature as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawFeature {
    /// The column.
    pub name: String,
    /// How the model reads it.
    pub kind: FeatureKind,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// How a model reads a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeatureKind {
    /// A number whose distances mean something.
    Continuous,
    /// One of several values without order.
    Nominal,
    /// One of several values in the order that the schema lists them.
    Ordinal,
}

/// A column that the model must not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forbidden {
    /// The column.
    pub column: String,
    /// Why: `known only after the event`.
    pub reason: String,
}

/// A checked contract: every column has exactly one role, and every role fits its column's type.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    pub(super) raw: RawContract,
    pub(super) columns: Vec<Column>,
    pub(super) features: Vec<Feature>,
    pub(super) places: BTreeMap<String, usize>,
}

/// A checked feature: one slot of the feature vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// The column.
    pub name: String,
    /// The column as JSON spells it before a value: with its quotes and a colon.
    pub spelled: Known,
    /// How the model reads it.
    pub kind: FeatureKind,
    /// The values it may hold.
    pub domain: Domain,
}

/// A place in a contract that contradicts itself or its schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what}")]
pub struct ContractFault {
    /// The key: `features[3] (tenure)`.
    pub at: String,
    /// What is wrong and what to write.
    pub what: String,
}

impl Contract {
    /// The model's name.
    pub fn name(&self) -> &ModelName {
        &self.raw.contract
    }

    /// The contract's version.
    pub fn version(&self) -> Version {
        self.raw.version
    }

    /// What is predicted.
    pub fn task(&self) -> Task {
        self.raw.task
    }

    /// The features, in the order of the feature vector.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The place of a feature in the feature vector.
    pub fn place(&self, feature: &str) -> Option<usize> {
        self.places.get(feature).copied()
    }

    /// Why a column may not be sent: it is the target, the time, the id, or forbidden for the stated reason.
    pub fn forbids(&self, column: &str) -> Option<&str> {
        let forbidden = self.raw.forbidden.iter().find(|forbidden| forbidden.column == column);
        if let Some(forbidden) = forbidden {
            return Some(&forbidden.reason);
        }
        let is = |name: &Option<String>| name.as_deref() == Some(column);
        match column {
            _ if column == self.raw.target.column => Some("it is what the model predicts"),
            _ if is(&self.raw.time) => Some("the time of a row is not a feature"),
            _ if is(&self.raw.id) => Some("an id is not a feature"),
            _ => None,
        }
    }

    /// The target's column.
    pub fn target(&self) -> &str {
        &self.raw.target.column
    }

    /// The values that the target may hold.
    pub fn target_domain(&self) -> Option<&Domain> {
        self.columns.iter().find(|column| column.name() == self.target()).map(Column::domain)
    }

    /// The word of a category target whose probability is predicted.
    pub fn positive(&self) -> Option<&str> {
        self.raw.target.positive.as_deref()
    }

    /// The column that orders rows, if there is one.
    pub fn time(&self) -> Option<&str> {
        self.raw.time.as_deref()
    }

    /// The declared slices.
    pub fn slices(&self) -> &[String] {
        &self.raw.slices
    }

    /// All columns of a labelled file, in the schema's order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The contract as it is registered: with its columns.
    pub fn raw(&self) -> &RawContract {
        &self.raw
    }

    /// What ingestion takes from a labelled file under this contract, whose registered bytes have this digest: every column is
    /// checked, and all but the forbidden ones are kept.
    pub fn intake(&self, sha256: Digest) -> Intake {
        let forbidden = |name: &str| self.raw.forbidden.iter().any(|forbidden| forbidden.column == name);
        let names = self.columns.iter().map(|column| column.name().to_owned());
        Intake {
            model: self.name().clone(),
            contract: ContractRef { version: self.version(), sha256 },
            columns: self.columns.clone(),
            kept: names.filter(|name| !forbidden(name)).collect(),
            time: self.raw.time.clone(),
            prediction: None,
        }
    }

    /// As [`Contract::intake`], for a file in which a model elsewhere has written its answers into one more column; without
    /// `labels` the target is not among its columns.
    ///
    /// # Errors
    /// The schema has a column of that name, or it is no name for one.
    pub fn reference_intake(&self, sha256: Digest, prediction: &str, labels: bool) -> Result<Intake, ContractFault> {
        let fault = |what: String| ContractFault { at: format!("the column `{prediction}`"), what };
        if self.columns.iter().any(|column| column.name() == prediction) {
            return Err(fault("the schema has one of this name: give the answers another".to_owned()));
        }
        let (min, max) = match self.task() {
            Task::Binary => (Some(0.0), Some(1.0)),
            Task::Regression => (None, None),
        };
        let raw = RawColumn { min, max, ..RawColumn::named(prediction, ColumnType::Float) };
        let said = raw
            .check()
            .map_err(|faults| fault(faults.into_iter().map(|(_, what)| what).collect::<Vec<_>>().join("; ")))?;
        let mut intake = self.intake(sha256);
        intake.columns.retain(|column| labels || column.name() != self.target());
        intake.columns.push(said);
        intake.kept.insert(prediction.to_owned());
        intake.prediction = Some(prediction.to_owned());
        Ok(intake)
    }
}

impl Feature {
    /// The words that the numbers of this feature stand for, in the order of those numbers from 0; nothing for a feature that
    /// is a number itself.
    pub fn words(&self) -> Option<Vec<String>> {
        match &self.domain {
            Domain::Category(values) => Some(values.clone()),
            Domain::Boolean => Some(vec!["false".to_owned(), "true".to_owned()]),
            Domain::Integer(_) | Domain::Float(_) | Domain::Date | Domain::Timestamp | Domain::Id => None,
        }
    }

    /// The words of a feature that a model must not read as a number; nothing for numbers and for a boolean that is one.
    pub fn categories(&self) -> Option<Vec<String>> {
        if self.kind == FeatureKind::Continuous { None } else { self.words() }
    }
}

impl fmt::Display for FeatureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FeatureKind::Continuous => "continuous",
            FeatureKind::Nominal => "nominal",
            FeatureKind::Ordinal => "ordinal",
        })
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Task::Binary => "binary",
            Task::Regression => "regression",
        })
    }
}
