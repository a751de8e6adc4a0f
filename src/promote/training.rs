//! Carries a pinned training out: load, train, publish; through the store. Whoever does it gets the same bytes.

use super::{Context, PromoteError};
use crate::contract::{self, Contract, Encoded};
use crate::govern::Training;
use crate::ingest::{Dataset, Rows};
use crate::registry;
use crate::store::Store;
use crate::train;
use crate::types::{Digest, ModelName};

/// How a training ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trained {
    /// Its bundle is in the registry, under this digest.
    Published(Digest),
    /// It cannot be trained, and why; another attempt would say the same unless something changes.
    Failed(String),
}

/// Train what is pinned and publish its bundle. Done already is done.
///
/// # Errors
/// What could not be read or written. A training that fails is not an error of this kind.
pub fn train(context: &Context<'_>, training: &Training) -> Result<Trained, PromoteError> {
    let plan = &training.plan;
    let registered = contract::load_registered(context.store, context.model, plan.contract.version)?;
    let rows = encoded(context.store, context.model, &registered.contract, &plan.datasets)?;
    match train::train(plan, &rows, &registered.contract) {
        Ok(candidate) => {
            let manifest = registry::publish(context.store, &candidate, &registered, training.created_at)?;
            Ok(Trained::Published(manifest.digest()))
        }
        Err(error) => Ok(Trained::Failed(chain(&error))),
    }
}

/// The rows of several datasets, admitted under a contract.
///
/// # Errors
/// What could not be read; a row that is not admitted.
pub(super) fn encoded(
    store: &dyn Store,
    model: &ModelName,
    contract: &Contract,
    datasets: &[Digest],
) -> Result<Encoded, PromoteError> {
    let loaded: Result<Vec<Dataset>, _> = datasets.iter().map(|digest| Dataset::load(store, model, *digest)).collect();
    Ok(contract::encode(contract, &Rows::join(loaded?)?)?)
}

/// An error with its sources, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
