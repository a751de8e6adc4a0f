//! What a bundle was made from, read for an audit; through the store. The bytes are hashed first, and nothing of the model is
//! parsed: an auditor trusts no file of a bundle, and needs only to know who its parents are.

use std::collections::BTreeMap;

use super::bundle::{CONTRACT, METADATA, Metadata};
use super::manifest::{Damage, Manifest};
use super::{RegistryError, verify};
use crate::store::Store;
use crate::types::{Digest, ModelName, Version};
use crate::yaml;

/// A bundle as an auditor sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lineage {
    /// The digest of the manifest that is there; none if it cannot be read.
    pub digest: Option<Digest>,
    /// Bytes that were hashed.
    pub bytes: u64,
    /// Every file that is not what the manifest says.
    pub damage: Vec<Damage>,
    /// `metadata.yaml`, or why it cannot be read; none if the bundle is damaged.
    pub metadata: Option<Result<Metadata, String>>,
    /// The SHA-256 of its `contract.yaml`; none if the bundle is damaged.
    pub contract: Option<Digest>,
}

/// Hash every file of a bundle, and read who its parents are if all are sound.
///
/// # Errors
/// `NoSuchVersion` when there is none; the store's.
pub fn lineage(store: &dyn Store, model: &ModelName, version: Version) -> Result<Lineage, RegistryError> {
    let opened = verify::open(store, model, version, None)?;
    let listed = opened.manifest.as_ref().map_or(0, |manifest| manifest.to_string().len());
    let bytes = opened.files.values().map(Vec::len).sum::<usize>() + listed;
    let digest = opened.manifest.as_ref().map(Manifest::digest);
    let sound = opened.damage.is_empty();
    let files: &BTreeMap<String, Vec<u8>> = &opened.files;
    let described = files.get(METADATA).filter(|_| sound);
    let named = || format!("registry/{model}/{version}/{METADATA}");
    let metadata = described.map(|bytes| yaml::read::<Metadata>(&named(), bytes).map_err(|why| why.to_string()));
    let contract = files.get(CONTRACT).filter(|_| sound).map(Digest::of);
    Ok(Lineage { digest, bytes: bytes as u64, damage: opened.damage, metadata, contract })
}
