//! Registered contracts, created once under the number that their changes demand; through the store.

use std::str::FromStr;

use super::ContractError;
use super::diff::{Diff, diff};
use super::feature::{Contract, RawContract};
use crate::ingest::Schema;
use crate::store::{Body, Key, Store, StoreError};
use crate::types::{Digest, ModelName, Version};
use crate::yaml;

const SCHEMA_PATH: &str = "../../../schemas/json/contract.json";

/// A contract that is in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// The contract, with its columns.
    pub contract: Contract,
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
}

/// A checked contract under a right number: what registering would create.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The contract as it would be registered.
    pub contract: Contract,
    /// The bytes that would be created.
    pub text: String,
    /// What changed since the last registered contract; nothing for a first one.
    pub diff: Diff,
    /// The SHA-256 of the registered bytes, if this very contract is registered already.
    pub found: Option<Digest>,
}

fn folder(model: &ModelName) -> Result<Key, StoreError> {
    Ok(Key::new(&format!("registry/{model}/contracts"))?)
}

fn key(model: &ModelName, version: Version) -> Result<Key, StoreError> {
    Ok(folder(model)?.join(&format!("{version}.yaml"))?)
}

/// The registered versions of a model's contract, rising. A file that is not named as a version is not a contract.
///
/// # Errors
/// `Store`.
pub fn registered(store: &dyn Store, model: &ModelName) -> Result<Vec<Version>, ContractError> {
    let names = store.list_folder(&folder(model)?)?;
    let versions = names.iter().filter_map(|name| Version::from_str(name.strip_suffix(".yaml")?).ok());
    let mut versions: Vec<Version> = versions.collect();
    versions.sort_unstable();
    Ok(versions)
}

/// A registered contract.
///
/// # Errors
/// `Store` (`NotFound` when there is none), `Yaml`, `Faults`, `Misfiled`.
pub fn load_registered(store: &dyn Store, model: &ModelName, version: Version) -> Result<Registered, ContractError> {
    let key = key(model, version)?;
    let bytes = store.read(&key)?;
    let raw: RawContract = yaml::read(key.as_str(), &bytes)?;
    let contract = raw.check_registered().map_err(ContractError::Faults)?;
    if contract.name() != model || contract.version() != version {
        let what = format!("it holds version {} of `{}`", contract.version(), contract.name());
        return Err(ContractError::Misfiled { key, what });
    }
    Ok(Registered { contract, sha256: Digest::of(&bytes) })
}

/// The registered contract of the highest version.
///
/// # Errors
/// `Unregistered` when there is none; as [`load_registered`].
pub fn latest(store: &dyn Store, model: &ModelName) -> Result<Registered, ContractError> {
    match registered(store, model)?.last() {
        Some(version) => load_registered(store, model, *version),
        None => Err(ContractError::Unregistered { model: model.to_string() }),
    }
}

/// Check a contract and its number, and write nothing.
///
/// # Errors
/// `Faults` with every fault; `WrongVersion` with the change that demands another number; as [`latest`].
pub fn propose(raw: &RawContract, schema: &Schema, store: &dyn Store) -> Result<Proposal, ContractError> {
    let contract = raw.check(schema).map_err(ContractError::Faults)?;
    let text = yaml::print_with_schema_line(SCHEMA_PATH, contract.raw())?;
    let (model, given) = (contract.name(), contract.version());
    let versions = registered(store, model)?;
    if versions.contains(&given) {
        let there = load_registered(store, model, given)?;
        if there.contract == contract {
            return Ok(Proposal { contract, text, diff: Diff::default(), found: Some(there.sha256) });
        }
    }
    let Some(last) = versions.last() else {
        return match given {
            Version::FIRST => Ok(Proposal { contract, text, diff: Diff::default(), found: None }),
            given => {
                let why = format!("it is the first contract of `{model}`");
                Err(ContractError::WrongVersion { given, wanted: Version::FIRST, why })
            }
        };
    };
    let diff = diff(&load_registered(store, model, *last)?.contract, &contract);
    let wanted = diff.required_version(*last);
    if given == wanted {
        return Ok(Proposal { contract, text, diff, found: None });
    }
    let why = match diff.largest() {
        Some(change) => format!("{} is a {} change since {last}", change.what, change.bump),
        None => format!("nothing changed since {last}"),
    };
    Err(ContractError::WrongVersion { given, wanted, why })
}

impl Proposal {
    /// Create the registered contract; one that is there already is found.
    ///
    /// # Errors
    /// `Store`; `Raced` when somebody registered other content under this number meanwhile.
    pub fn register(self, store: &dyn Store) -> Result<Registered, ContractError> {
        let Proposal { contract, text, found, .. } = self;
        if let Some(sha256) = found {
            return Ok(Registered { contract, sha256 });
        }
        let key = key(contract.name(), contract.version())?;
        let sha256 = Digest::of(&text);
        match store.create(&key, Body::from(&text)) {
            Ok(()) => Ok(Registered { contract, sha256 }),
            Err(StoreError::AlreadyExists { .. }) => match Digest::of(store.read(&key)?) {
                found if found == sha256 => Ok(Registered { contract, sha256 }),
                found => Err(ContractError::Raced { key, found }),
            },
            Err(other) => Err(other.into()),
        }
    }
}

/// Check a contract and register it; the same content again is found.
///
/// # Errors
/// As [`propose`] and [`Proposal::register`].
pub fn register(raw: &RawContract, schema: &Schema, store: &dyn Store) -> Result<Registered, ContractError> {
    propose(raw, schema, store)?.register(store)
}

#[cfg(test)]
mod tests;
