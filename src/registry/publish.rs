//! A candidate becomes a version, whole or not at all; through the store. Refuses to replace one.

use super::bundle::{Bundle, with_manifest};
use super::manifest::{MANIFEST, Manifest};
use super::verify::Opened;
use super::{RegistryError, bundle_key, fetch, model_key, verify};
use crate::contract::{Contract, Registered};
use crate::store::{Body, Store, StoreError};
use crate::train::{Candidate, Portrait};
use crate::types::{Digest, Timestamp};

/// Bundle a candidate with its registered contract and publish it. `created_at` is the `at` of the TRAINING entry.
///
/// # Errors
/// As [`Bundle::of`] and [`publish_bundle`].
pub fn publish(
    store: &dyn Store,
    candidate: &Candidate,
    registered: &Registered,
    created_at: Timestamp,
) -> Result<Manifest, RegistryError> {
    let bytes = registered_bytes(store, &registered.contract)?;
    publish_bundle(store, &Bundle::of(candidate, &registered.contract, &bytes, created_at)?)
}

/// Publish what a model elsewhere is watched by, as [`publish()`] does a candidate.
///
/// # Errors
/// As [`Bundle::of_portrait`] and [`publish_bundle`].
pub fn publish_portrait(
    store: &dyn Store,
    portrait: &Portrait,
    registered: &Registered,
    created_at: Timestamp,
) -> Result<Manifest, RegistryError> {
    let bytes = registered_bytes(store, &registered.contract)?;
    publish_bundle(store, &Bundle::of_portrait(portrait, &bytes, created_at)?)
}

/// The bytes as they were registered, not as they would be printed today; the bundle holds them against the plan.
fn registered_bytes(store: &dyn Store, contract: &Contract) -> Result<Vec<u8>, RegistryError> {
    let key = model_key(contract.name())?.join("contracts")?.join(&format!("{}.yaml", contract.version()))?;
    Ok(store.read(&key)?)
}

/// Create `registry/<model>/<version>/`. If it is there with an equal manifest and sound files, that is success: whoever was
/// first made the same bytes. Verified right before it is written, because what is published stays, and read back right after.
///
/// # Errors
/// Before anything is written, as [`fetch()`] for a bundle that could not serve; `AlreadyExists` when the version is there with
/// another manifest; `Damaged` when what lies there then is not what the manifest says; the store's.
pub fn publish_bundle(store: &dyn Store, bundle: &Bundle) -> Result<Manifest, RegistryError> {
    let Bundle { model, version, manifest, .. } = bundle;
    let sealed = Opened {
        manifest: Some(manifest.clone()),
        files: bundle.files.clone(),
        damage: manifest.check_bytes(&bundle.files),
    };
    fetch::load(model, *version, sealed)?;
    let folder = bundle_key(model, *version)?;
    let files = with_manifest(bundle);
    let bodies = files.iter().map(|(name, bytes)| (name.clone(), Body::Bytes(bytes))).collect();
    let given = manifest.digest();
    match store.create_all(&folder, bodies) {
        Ok(()) => {}
        Err(StoreError::AlreadyExists { .. }) => {
            let existing = Digest::of(store.read(&folder.join(MANIFEST)?)?);
            if existing != given {
                return Err(RegistryError::AlreadyExists { model: model.clone(), version: *version, existing, given });
            }
        }
        Err(other) => return Err(other.into()),
    }
    let opened = verify::open(store, model, *version, Some(given))?;
    if opened.damage.is_empty() {
        Ok(manifest.clone())
    } else {
        Err(RegistryError::Damaged { model: model.clone(), version: *version, damage: opened.damage })
    }
}
