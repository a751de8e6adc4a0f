//! Signatures of versions in the registry, and whether one is to be trusted; through the store.

use super::envelope::{LARGEST, Signature, SignatureError};
use super::key::PrivateKey;
use super::rules::{SignatureMode, SignatureRules};
use super::statement::Statement;
use crate::registry::verify::open;
use crate::registry::{Manifest, RegistryError, fetch, model_key};
use crate::store::{Body, Key, Store, StoreError};
use crate::types::{Digest, ModelName, Version};

/// What is known of a version's signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// Nobody looked: the policy says `off`, or nobody asked.
    Unchecked,
    /// By this trusted key.
    By(String),
    /// By no trusted key, which `warn` lets pass.
    Not(Distrust),
}

/// Why no signature of a version is trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// There is none.
    #[error("it is not signed")]
    Unsigned,
    /// There are some, and none holds.
    #[error("it has no signature that a trusted key stands for: {}", .faults.join("; "))]
    NoneHolds {
        /// Each signature's file and what is wrong with it.
        faults: Vec<String>,
    },
}

/// `registry/<model>/signatures/<version>`: beside the bundle, which stays exactly its files.
fn folder(model: &ModelName, version: Version) -> Result<Key, RegistryError> {
    Ok(model_key(model)?.join("signatures")?.join(&version.to_string())?)
}

/// A signature that cannot be read is one more that does not hold.
type Found = Vec<(String, Result<Vec<u8>, SignatureError>)>;

/// Every signature's file of a version, by name.
///
/// # Errors
/// The store's.
pub fn signatures(store: &dyn Store, model: &ModelName, version: Version) -> Result<Found, RegistryError> {
    let folder = folder(model, version)?;
    let mut found = Vec::new();
    let names = match store.list_folder(&folder) {
        Ok(names) => names,
        // A link or a device lies among them: nothing of the folder is believed.
        Err(StoreError::NotAnObject { key }) => {
            return Ok(vec![(key.name().to_owned(), Err(SignatureError::NotAFile))]);
        }
        Err(other) => return Err(other.into()),
    };
    for name in names.into_iter().filter(|name| name.ends_with(".json")) {
        let key = folder.join(&name)?;
        let bytes = match store.len(&key)? {
            bytes if bytes > LARGEST => Err(SignatureError::TooLarge { bytes }),
            _ => Ok(store.read(&key)?),
        };
        found.push((name, bytes));
    }
    Ok(found)
}

/// Whether one of these signatures is of exactly these files and by a trusted key.
fn judge(manifest: &Manifest, found: Found, rules: &SignatureRules) -> Signed {
    let wanted = Statement::of(manifest);
    let hold = |bytes: Result<Vec<u8>, SignatureError>| {
        let (name, statement) = Signature::read(&bytes?)?.verify(&rules.trusted)?;
        statement.states(&wanted)?;
        Ok::<String, SignatureError>(name.to_owned())
    };
    let mut faults = Vec::new();
    for (file, bytes) in found {
        match hold(bytes) {
            Ok(name) => return Signed::By(name),
            Err(fault) => faults.push(format!("{file}: {fault}")),
        }
    }
    Signed::Not(if faults.is_empty() { Distrust::Unsigned } else { Distrust::NoneHolds { faults } })
}

/// What `judge` finds, held against the policy.
///
/// # Errors
/// `Untrusted` where the policy says `require`; the store's.
pub(in crate::registry) fn demand(
    store: &dyn Store,
    model: &ModelName,
    version: Version,
    manifest: &Manifest,
    (more, rules): (Found, &SignatureRules),
) -> Result<Signed, RegistryError> {
    if rules.mode == SignatureMode::Off {
        return Ok(Signed::Unchecked);
    }
    let mut found = signatures(store, model, version)?;
    found.extend(more);
    match (judge(manifest, found, rules), rules.mode) {
        (Signed::Not(why), SignatureMode::Require) => {
            Err(RegistryError::Untrusted { model: model.clone(), version, digest: manifest.digest(), why })
        }
        (signed, _) => Ok(signed),
    }
}

/// Whether a whole version is signed by a trusted key; nothing of it but the manifest is parsed.
///
/// # Errors
/// `Damaged`, `NoSuchVersion`; `Untrusted` where the policy says `require`; the store's.
pub fn signed(
    store: &dyn Store,
    model: &ModelName,
    version: Version,
    rules: &SignatureRules,
) -> Result<Signed, RegistryError> {
    let opened = open(store, model, version, None)?;
    match (opened.manifest, opened.damage.is_empty()) {
        (Some(manifest), true) => demand(store, model, version, &manifest, (Vec::new(), rules)),
        (_, _) => Err(RegistryError::Damaged { model: model.clone(), version, damage: opened.damage }),
    }
}

/// Sign a version that verifies, and file the signature. Signing again with the same key changes nothing.
///
/// # Errors
/// As [`fetch()`] for a version that is not whole; as [`file_signature`].
pub fn sign(
    store: &dyn Store,
    model: &ModelName,
    version: Version,
    key: &PrivateKey,
) -> Result<(Key, Digest), RegistryError> {
    fetch(store, model, version)?;
    let opened = open(store, model, version, None)?;
    let (Some(manifest), true) = (&opened.manifest, opened.damage.is_empty()) else {
        return Err(RegistryError::Damaged { model: model.clone(), version, damage: opened.damage });
    };
    let bytes = Signature::make(key, &Statement::of(manifest), model, version).and_then(|signature| signature.print());
    file_signature(store, model, version, &bytes.map_err(|why| failed(model, version, why))?)
}

/// File a signature of a version, by the SHA-256 of its bytes; there already is as good. Whether its key is to be trusted is
/// for each policy to say, later.
///
/// # Errors
/// `Signature` for bytes that do not claim to be one of this version; `Damaged`; the store's.
pub fn file_signature(
    store: &dyn Store,
    model: &ModelName,
    version: Version,
    bytes: &[u8],
) -> Result<(Key, Digest), RegistryError> {
    let opened = open(store, model, version, None)?;
    let (Some(manifest), true) = (&opened.manifest, opened.damage.is_empty()) else {
        return Err(RegistryError::Damaged { model: model.clone(), version, damage: opened.damage });
    };
    let claim = Signature::read(bytes).and_then(|signature| signature.claim());
    let claims = claim.and_then(|claim| Ok(claim.states(&Statement::of(manifest))?));
    claims.map_err(|why| failed(model, version, why))?;
    Ok((keep(store, model, version, bytes)?, manifest.digest()))
}

/// Create a signature's file unless it is there.
pub(in crate::registry) fn keep(
    store: &dyn Store,
    model: &ModelName,
    version: Version,
    bytes: &[u8],
) -> Result<Key, RegistryError> {
    let key = folder(model, version)?.join(&format!("{}.json", Digest::of(bytes)))?;
    match store.create(&key, Body::Bytes(bytes)) {
        Ok(()) | Err(StoreError::AlreadyExists { .. }) => Ok(key),
        Err(other) => Err(other.into()),
    }
}

fn failed(model: &ModelName, version: Version, why: SignatureError) -> RegistryError {
    RegistryError::Signature { model: model.clone(), version, why }
}
