//! Frozen datasets: sealed, found, verified and loaded; through the store. Refuses bytes that are not the ones sealed.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::IngestError;
use super::columnar;
use super::frame::Frame;
use crate::store::{Key, Store, StoreError};
use crate::types::{Digest, ModelName, Version};
use crate::yaml;

/// The newest form of `dataset.yaml`. 1: first form.
pub(super) const FORMAT_VERSION: u32 = 1;
/// The rows of a dataset.
pub const FEATURES: &str = "features.parquet";
/// What seals them; its SHA-256 is the dataset's digest.
pub const SEAL: &str = "dataset.yaml";

/// `dataset.yaml`: what a frozen dataset is and where it comes from.
///
/// It names neither the file nor the day, so that the same bytes under the same contract are the same dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetMeta {
    /// 1: first form.
    pub format_version: u32,
    /// The model whose contract chose the columns.
    pub model: ModelName,
    /// That contract.
    pub contract: ContractRef,
    /// The file the rows come from.
    pub source: SourceRef,
    /// How many rows there are.
    pub rows: u64,
    /// The SHA-256 of `features.parquet`.
    pub features_sha256: Digest,
    /// From when to when, if a column orders the rows in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeRange>,
    /// The column that holds what a model elsewhere said. Such rows show that model, and nobody trains on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<String>,
}

/// A registered contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractRef {
    /// Its version.
    pub version: Version,
    /// The SHA-256 of its registered bytes.
    pub sha256: Digest,
}

/// A source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceRef {
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
    /// How many bytes it has.
    pub bytes: u64,
}

/// The earliest and the latest row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeRange {
    /// The column that orders the rows.
    pub column: String,
    /// Its smallest value, as it would be written in a file.
    pub first: String,
    /// Its largest value.
    pub last: String,
}

/// A dataset that was verified and read into memory, its rows in the order of their file.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The SHA-256 of its `dataset.yaml`.
    pub digest: Digest,
    /// Its `dataset.yaml`.
    pub meta: DatasetMeta,
    /// Its rows.
    pub frame: Frame,
}

/// The folder of a dataset, `var/<model>/datasets/<digest>`.
///
/// # Errors
/// Never for a validated name; the store checks every key.
pub fn dataset_key(model: &ModelName, digest: Digest) -> Result<Key, StoreError> {
    Ok(datasets_key(model)?.join(&digest.to_string())?)
}

/// The folder of all datasets of a model, `var/<model>/datasets`.
///
/// # Errors
/// As [`dataset_key`].
pub fn datasets_key(model: &ModelName) -> Result<Key, StoreError> {
    Ok(Key::new(&format!("var/{model}/datasets"))?)
}

/// All frozen datasets of a model, by digest. Their descriptions are verified, their rows are not read.
///
/// # Errors
/// As [`Dataset::load`].
pub fn datasets(store: &dyn Store, model: &ModelName) -> Result<Vec<(Digest, DatasetMeta)>, IngestError> {
    let names = store.list_folder(&datasets_key(model)?)?;
    let digests = names.iter().filter_map(|name| Digest::from_str(name).ok());
    digests.map(|digest| Ok((digest, seal(store, model, digest)?))).collect()
}

/// The verified description of a dataset.
fn seal(store: &dyn Store, model: &ModelName, digest: Digest) -> Result<DatasetMeta, IngestError> {
    let key = dataset_key(model, digest)?.join(SEAL).map_err(StoreError::from)?;
    let bytes = verified(store, &key, digest)?;
    let meta: DatasetMeta = yaml::read(key.as_str(), bytes)?;
    if meta.format_version > FORMAT_VERSION {
        return Err(IngestError::Newer { key, found: meta.format_version, known: FORMAT_VERSION });
    }
    if &meta.model != model {
        let what = format!("it is of the model `{}`, not of `{model}`", meta.model);
        return Err(IngestError::Inconsistent { dataset: digest, what });
    }
    Ok(meta)
}

/// An object's bytes, if they are the sealed ones.
fn verified(store: &dyn Store, key: &Key, sealed: Digest) -> Result<Vec<u8>, IngestError> {
    let bytes = store.read(key)?;
    let found = Digest::of(&bytes);
    if found == sealed { Ok(bytes) } else { Err(IngestError::Tampered { key: key.clone(), sealed, found }) }
}

impl Dataset {
    /// Read a dataset; every byte is verified before it is parsed.
    ///
    /// # Errors
    /// `Store` (`NotFound` when there is none), `Tampered`, `Newer`, `Yaml`, `Parquet`, `Inconsistent`.
    pub fn load(store: &dyn Store, model: &ModelName, digest: Digest) -> Result<Dataset, IngestError> {
        let meta = seal(store, model, digest)?;
        let key = dataset_key(model, digest)?.join(FEATURES).map_err(StoreError::from)?;
        let bytes = verified(store, &key, meta.features_sha256)?;
        let frame = columnar::read(bytes).map_err(|source| IngestError::Parquet { operation: "read", source })?;
        if frame.len() as u64 != meta.rows {
            let what = format!("it has {} rows, its description says {}", frame.len(), meta.rows);
            return Err(IngestError::Inconsistent { dataset: digest, what });
        }
        Ok(Dataset { digest, meta, frame })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.frame.len()
    }

    /// Whether there are no rows; never for a frozen dataset.
    pub fn is_empty(&self) -> bool {
        self.frame.is_empty()
    }
}
