//! `regent openapi`: the API as the server describes it, without a server; a door.

use clap::Args;
use regent::contract;
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
        if let Some(unknown) = self.model.as_ref().filter(|model| !models.contains(model)) {
            return Err(Failure::usage(format!("there is no model {unknown} here")).hint("regent status"));
        }
        // Where nobody says which one is meant, the routes that name none are those of the first.
        if let Ok(meant) = workspace.model(self.model) {
            models.retain(|model| *model != meant);
            models.insert(0, meant);
        }
        let subjects = models.into_iter().map(|model| subject(&workspace, model)).collect::<Result<Vec<_>, _>>()?;
        let told = document(&rows(), &subjects);
        Answer::new(format!("{told:#}"), &told)
    }
}

/// A model with its champion; before there is one, with the newest contract that is registered.
fn subject(workspace: &Workspace, model: ModelName) -> Result<Subject, Failure> {
    let standing = govern::fold(&workspace.store, &model)?;
    let Some(version) = standing.champion_version() else {
        let contract = contract::latest(&workspace.store, &model).ok().map(|registered| registered.contract);
        return Ok(Subject { model, version: None, contract });
    };
    let champion = registry::fetch(&workspace.store, &model, version)?;
    Ok(Subject { model, version: Some(version), contract: Some(champion.contract().clone()) })
}
