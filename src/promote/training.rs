//! Carries a pinned training out: load, train, publish; through the store. Whoever does it gets the same bytes.

use super::{Context, PromoteError};
use crate::contract::{self, Contract, Encoded, Registered};
use crate::govern::Training;
use crate::ingest::{Dataset, Rows};
use crate::registry;
use crate::store::Store;
use crate::train::{self, Path};
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
    if plan.path == Path::MonitorOnly {
        return portray(context, training, &registered);
    }
    let rows = encoded(context.store, context.model, &registered.contract, &plan.datasets)?;
    match train::train(plan, &rows, &registered.contract) {
        Ok(candidate) => {
            let manifest = registry::publish(context.store, &candidate, &registered, training.created_at)?;
            Ok(Trained::Published(manifest.digest()))
        }
        Err(error) => Ok(Trained::Failed(chain(&error))),
    }
}

/// Nothing is fitted: the rows of the plan show a model that answers elsewhere.
fn portray(context: &Context<'_>, training: &Training, registered: &Registered) -> Result<Trained, PromoteError> {
    let (plan, contract) = (&training.plan, &registered.contract);
    let load = |digest: &Digest| Dataset::load(context.store, context.model, *digest);
    let datasets = plan.datasets.iter().map(load).collect::<Result<Vec<_>, _>>()?;
    let Some(column) = datasets.first().and_then(|dataset| dataset.meta.prediction.clone()) else {
        return Ok(Trained::Failed("its dataset has no column of predictions".to_owned()));
    };
    let said = contract::encode_said(contract, &Rows::join(datasets)?, &column)?;
    match train::portray(plan, &said, contract) {
        Ok(portrait) => {
            let manifest = registry::publish_portrait(context.store, &portrait, registered, training.created_at)?;
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
