//! `regent openapi`: the API as the server describes it, without a server; a door.

use clap::Args;
use regent::contract::{self, Contract};
use regent::govern;
use regent::openapi::{Subject, document, rows};
use regent::registry;
use regent::types::ModelName;

use crate::edge::{Answer, Failure, Scene, Workspace};

/// Print the API as OpenAPI 3.1, with what the contract of each model asks
#[derive(Debug, Args)]
pub struct Openapi {
    /// The model that is meant where a path names none
    model: Option<ModelName>,
}

impl Openapi {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let mut models = workspace.models()?;
        if let Ok(meant) = workspace.model(self.model) {
            models.retain(|model| *model != meant);
            models.insert(0, meant);
        }
        let subject = |model: ModelName| Ok(Subject { contract: contract_of(&workspace, &model)?, model });
        let subjects = models.into_iter().map(subject).collect::<Result<Vec<_>, Failure>>()?;
        let told = document(&rows(), &subjects);
        Answer::new(format!("{told:#}"), &told)
    }
}

/// The contract of the champion; before there is one, the newest that is registered.
fn contract_of(workspace: &Workspace, model: &ModelName) -> Result<Option<Contract>, Failure> {
    let standing = govern::fold(&workspace.store, model)?;
    match &standing.champion {
        Some(champion) => Ok(Some(registry::fetch(&workspace.store, model, champion.version)?.contract().clone())),
        None => Ok(contract::latest(&workspace.store, model).ok().map(|registered| registered.contract)),
    }
}
