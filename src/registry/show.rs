//! Which versions there are, what one is, and how two differ; through the store. Reads only verified bundles.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::Serialize;

use super::manifest::Manifest;
use super::verify::open;
use super::{Metadata, RegistryError, fetch, model_key};
use crate::store::Store;
use crate::train::Metric;
use crate::types::{Digest, ModelName, Value, Version};

/// What a version is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The digest of its manifest.
    pub digest: Digest,
    /// `metadata.yaml`.
    pub metadata: Metadata,
    /// The held-out metrics.
    pub metrics: Vec<Metric>,
    /// The threshold at which F1 and accuracy are monitored.
    pub threshold: Option<f64>,
    /// Each feature's importance, the largest first.
    pub importance: Vec<(String, f64)>,
}

/// How two versions differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Every file that is not the same in both, by name.
    pub files: Vec<(String, Change)>,
    /// Every metric with its value in the one and in the other; none where one does not have it.
    pub metrics: Vec<(String, Option<Value>, Option<Value>)>,
}

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Only the second version has it.
    Added,
    /// Only the first version has it.
    Removed,
    /// Its bytes differ.
    Changed,
}

/// Every version of a model, the oldest first; what else lies in its folder (contracts) is passed over.
///
/// # Errors
/// The store's.
pub fn versions(store: &dyn Store, model: &ModelName) -> Result<Vec<Version>, RegistryError> {
    let names = store.list_folder(&model_key(model)?)?;
    let mut versions: Vec<Version> = names.iter().filter_map(|name| Version::from_str(name).ok()).collect();
    versions.sort_unstable();
    Ok(versions)
}

/// What a version is.
///
/// # Errors
/// As [`fetch()`].
pub fn show(store: &dyn Store, model: &ModelName, version: Version) -> Result<Summary, RegistryError> {
    let verified = fetch(store, model, version)?;
    let features = verified.profile().features.iter();
    let mut importance: Vec<(String, f64)> =
        features.map(|feature| (feature.name.clone(), feature.importance)).collect();
    importance.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(Summary {
        digest: verified.digest(),
        metadata: verified.metadata().clone(),
        metrics: verified.metrics().to_vec(),
        threshold: verified.threshold(),
        importance,
    })
}

/// How two versions differ, in files and in metrics.
///
/// # Errors
/// As [`fetch()`].
pub fn diff(store: &dyn Store, model: &ModelName, from: Version, to: Version) -> Result<Difference, RegistryError> {
    let (one, other) = (fetch(store, model, from)?, fetch(store, model, to)?);
    let manifest = |version| Ok::<_, RegistryError>(open(store, model, version, None)?.manifest);
    let files = match (manifest(from)?, manifest(to)?) {
        (Some(from), Some(to)) => changes(&from, &to),
        (_, _) => Vec::new(),
    };
    let value = |metrics: &[Metric], name: &str| {
        metrics.iter().find(|metric| metric.measurement.metric == name).map(|metric| metric.measurement.value.clone())
    };
    let mut names: Vec<&String> = one.metrics().iter().map(|metric| &metric.measurement.metric).collect();
    names.extend(
        other
            .metrics()
            .iter()
            .map(|metric| &metric.measurement.metric)
            .filter(|name| !names.contains(name))
            .collect::<Vec<_>>(),
    );
    let metrics =
        names.into_iter().map(|name| (name.clone(), value(one.metrics(), name), value(other.metrics(), name)));
    Ok(Difference { files, metrics: metrics.collect() })
}

fn changes(from: &Manifest, to: &Manifest) -> Vec<(String, Change)> {
    let names: BTreeSet<&String> = from.files().keys().chain(to.files().keys()).collect();
    let change = |name: &String| match (from.files().get(name), to.files().get(name)) {
        (Some(from), Some(to)) if from == to => None,
        (Some(_), Some(_)) => Some(Change::Changed),
        (Some(_), None) => Some(Change::Removed),
        (None, _) => Some(Change::Added),
    };
    names.into_iter().filter_map(|name| Some((name.clone(), change(name)?))).collect()
}
