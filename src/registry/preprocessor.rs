//! How `admit` turns a row into the model's vector, written down for other programs; pure. It follows from the contract alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FORMAT_VERSION;
use crate::contract::{Contract, FeatureKind};

/// `preprocessor.json`: the features in the order of the vector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preprocessor {
    /// 1: first form.
    pub format_version: u32,
    /// One entry a feature.
    pub features: Vec<Encoding>,
}

/// How one feature becomes a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Encoding {
    /// The feature.
    pub name: String,
    /// How the model reads it.
    pub kind: FeatureKind,
    /// The table: a word becomes its place in it, from 0. None for a number, which stays as it is (a boolean is 0 or 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Vec<String>>,
}

impl Preprocessor {
    /// What the contract says.
    pub fn of(contract: &Contract) -> Preprocessor {
        let features = contract.features().iter().map(|feature| Encoding {
            name: feature.name.clone(),
            kind: feature.kind,
            table: feature.words(),
        });
        Preprocessor { format_version: FORMAT_VERSION, features: features.collect() }
    }
}
