//! Whether a bundle is what was published: every file named that is not; through the store. Nothing is parsed but the manifest.

use std::collections::BTreeMap;

use super::manifest::{Damage, MANIFEST, Manifest};
use super::{RegistryError, bundle_key, fetch};
use crate::store::{Store, StoreError};
use crate::types::{Digest, ModelName, Version};

/// What a look at a bundle found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The digest of the manifest that is there; none if it cannot be read.
    pub digest: Option<Digest>,
    /// Files looked at, the manifest included.
    pub files: usize,
    /// Every file that is wrong, by name; nothing for a sound bundle.
    pub damage: Vec<Damage>,
}

/// A bundle as it lies there: the very bytes that were hashed, and what is wrong with them.
pub(super) struct Opened {
    pub(super) manifest: Option<Manifest>,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) damage: Vec<Damage>,
}

/// Read every file of a bundle once and hold it against the manifest, and the manifest against the digest that was
/// `recorded`, if one is known.
pub(super) fn open(
    store: &dyn Store,
    model: &ModelName,
    version: Version,
    recorded: Option<Digest>,
) -> Result<Opened, RegistryError> {
    let folder = bundle_key(model, version)?;
    let names = match store.list_folder(&folder) {
        Ok(names) => names,
        // A link or a device among the files: whatever else is there, this is no bundle of ours.
        Err(StoreError::NotAnObject { key }) => {
            let damage = vec![Damage::NotAFile { file: key.name().to_owned() }];
            return Ok(Opened { manifest: None, files: BTreeMap::new(), damage });
        }
        Err(other) => return Err(other.into()),
    };
    if names.is_empty() {
        return Err(RegistryError::NoSuchVersion { model: model.clone(), version });
    }
    let (mut files, mut damage) = (BTreeMap::new(), Vec::new());
    for name in names {
        match store.read(&folder.join(&name)?) {
            Ok(bytes) => drop(files.insert(name, bytes)),
            Err(StoreError::NotAnObject { .. }) => damage.push(Damage::NotAFile { file: name }),
            // Gone since it was listed: the manifest will miss it.
            Err(StoreError::NotFound { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    let Some(listed) = files.remove(MANIFEST) else {
        damage.push(Damage::Missing { file: MANIFEST.to_owned() });
        return Ok(Opened { manifest: None, files, damage });
    };
    let manifest = match Manifest::parse(&listed) {
        Ok(manifest) => manifest,
        Err(fault) => {
            damage.push(Damage::Manifest { fault: fault.to_string() });
            return Ok(Opened { manifest: None, files, damage });
        }
    };
    let found = manifest.digest();
    if let Some(recorded) = recorded.filter(|recorded| *recorded != found) {
        damage.push(Damage::OtherManifest { recorded, found });
    }
    damage.extend(manifest.check_bytes(&files));
    Ok(Opened { manifest: Some(manifest), files, damage })
}

/// Look at a bundle. `recorded` is the manifest's digest as the journal knows it. A bundle whose files are all as published
/// is also loaded, self-test included.
///
/// # Errors
/// `NoSuchVersion` when there is none; `Unreadable`, `Contradiction` or `SelfTest` when sound files cannot be served; the
/// store's. Damage is no error: it is what was asked for.
pub fn verify(
    store: &dyn Store,
    model: &ModelName,
    version: Version,
    recorded: Option<Digest>,
) -> Result<Verification, RegistryError> {
    let opened = open(store, model, version, recorded)?;
    let verification = Verification {
        digest: opened.manifest.as_ref().map(Manifest::digest),
        files: opened.files.len() + usize::from(opened.manifest.is_some()),
        damage: opened.damage.clone(),
    };
    if verification.damage.is_empty() {
        fetch::load(model, version, opened)?;
    }
    Ok(verification)
}
