//! A version leaves one registry and enters another; through the store. What enters was verified as if it were to serve, before
//! anything is written, and takes the same atomic road as a training's.

use super::archive::Archive;
use super::bundle::{Bundle, CONTRACT};
use super::manifest::MANIFEST;
use super::signing::{self, SignatureRules, Signed, demand, keep};
use super::verify::{Opened, open};
use super::{Reference, RegistryError, bundle_key, fetch, model_key, publish_bundle};
use crate::store::{Store, StoreError};
use crate::types::{Digest, ModelName, Version};

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The digest of the version's manifest.
    pub digest: Digest,
    /// Files of the bundle, the manifest included.
    pub files: usize,
    /// Signatures that came with it.
    pub signatures: usize,
    /// Whose signature stands for it.
    pub signed: Signed,
    /// Whether the very same version was there before.
    pub was_there: bool,
}

/// A version with its signatures as one archive. Only a version that verifies leaves.
///
/// # Errors
/// As [`fetch()`]; `Archive` for files too large to be carried; the store's.
pub fn export(store: &dyn Store, model: &ModelName, version: Version) -> Result<Archive, RegistryError> {
    fetch(store, model, version)?;
    let opened = open(store, model, version, None)?;
    let (Some(manifest), true) = (opened.manifest, opened.damage.is_empty()) else {
        return Err(RegistryError::Damaged { model: model.clone(), version, damage: opened.damage });
    };
    let found = signing::signatures(store, model, version)?;
    // By digest, whatever somebody called the file; what cannot be read is no signature and stays behind.
    let mut signatures: Vec<Vec<u8>> = found.into_iter().filter_map(|(_, bytes)| bytes.ok()).collect();
    signatures.sort_by_cached_key(|bytes| Digest::of(bytes));
    signatures.dedup();
    Ok(Archive { model: model.clone(), version, manifest, files: opened.files, signatures })
}

/// Publish the version of an archive. If the very same is there already, that is success.
///
/// # Errors
/// Before anything is written: `Untrusted` where the policy asks for a signature; `Unreadable`, `Contradiction`, `SelfTest` for
/// a version that could not serve; `AlreadyExists` when another one has its number. Then the store's.
pub fn import(store: &dyn Store, archive: Archive, rules: &SignatureRules) -> Result<Imported, RegistryError> {
    let Archive { model, version, manifest, files, signatures } = archive;
    let digest = manifest.digest();
    let carried = signatures.iter().map(|bytes| (format!("{}.json", Digest::of(bytes)), Ok(bytes.clone()))).collect();
    let signed = demand(store, &model, version, &manifest, (carried, rules))?;
    let opened = Opened { manifest: Some(manifest.clone()), files: files.clone(), damage: Vec::new() };
    let verified = fetch::load(&model, version, opened)?;
    agrees_with_registered(store, &verified)?;
    let was_there = is_there(store, &model, version, digest)?;
    // Signatures first: without their version they say nothing, and with it they are there from its first moment on.
    for signature in &signatures {
        keep(store, &model, version, signature)?;
    }
    let bundle = Bundle { model, version, files, manifest };
    publish_bundle(store, &bundle)?;
    Ok(Imported { digest, files: bundle.files.len() + 1, signatures: signatures.len(), signed, was_there })
}

/// Whether the version is there; another one under its number is a conflict.
fn is_there(store: &dyn Store, model: &ModelName, version: Version, given: Digest) -> Result<bool, RegistryError> {
    let folder = bundle_key(model, version)?;
    match store.read(&folder.join(MANIFEST)?) {
        Ok(bytes) if Digest::of(&bytes) == given => Ok(true),
        Ok(bytes) => {
            let existing = Digest::of(&bytes);
            Err(RegistryError::AlreadyExists { model: model.clone(), version, existing, given })
        }
        // A folder without a manifest is in the way, and publishing says so.
        Err(StoreError::NotFound { .. }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// A contract has one text under one number in one registry.
fn agrees_with_registered(store: &dyn Store, verified: &Reference) -> Result<(), RegistryError> {
    let carried = &verified.metadata().parents.contract;
    let key = model_key(verified.name())?.join("contracts")?.join(&format!("{}.yaml", carried.version))?;
    match store.read(&key) {
        Ok(bytes) if Digest::of(&bytes) != carried.sha256 => Err(RegistryError::Contradiction {
            model: verified.name().clone(),
            version: verified.version(),
            what: format!("its {CONTRACT} is not the one that is registered here as {}", carried.version),
        }),
        Ok(_) | Err(StoreError::NotFound { .. }) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
