//! Which models a server answers for, and which of them is meant where none is named; a door.

use regent::types::ModelName;

use crate::edge::{Failure, Workspace};

/// The models of a server.
pub struct Chosen {
    /// All of them, each once.
    pub models: Vec<ModelName>,
    /// The one that is meant where a path names none.
    pub meant: ModelName,
}

impl Chosen {
    /// The models that are named, or every model of the workspace. Of several of which none is named nobody guesses which one is
    /// meant: a model that is new in the workspace must not become the one that callers get.
    ///
    /// # Errors
    /// There is no model; there are several and nothing says which one is meant; the one that is meant is not among them.
    pub fn of(workspace: &Workspace, named: Vec<ModelName>, meant: Option<ModelName>) -> Result<Chosen, Failure> {
        let mut models: Vec<ModelName> = Vec::new();
        let told = meant.is_some();
        let meant = match meant.or_else(|| named.first().cloned()) {
            Some(meant) => meant,
            None => workspace.model(None).map_err(|failure| failure.hint(undecided(workspace)))?,
        };
        let all = if named.is_empty() { workspace.models()? } else { named };
        for model in all {
            if !models.contains(&model) {
                models.push(model);
            }
        }
        if told && !models.contains(&meant) {
            let names: Vec<&str> = models.iter().map(ModelName::as_str).collect();
            return Err(Failure::usage(format!("--default {meant} is not served")).hint(served(&names)));
        }
        if !models.contains(&meant) {
            models.push(meant.clone());
        }
        Ok(Chosen { models, meant })
    }
}

impl Chosen {
    /// Every model, the one first that is meant where a path names none.
    pub fn in_order(&self) -> impl Iterator<Item = &ModelName> {
        std::iter::once(&self.meant).chain(self.models.iter().filter(|model| **model != self.meant))
    }
}

fn served(names: &[&str]) -> String {
    match names {
        [] => "there is no model here: begin with `regent init --example rain`".to_owned(),
        names => format!("name one of {}", names.join(", ")),
    }
}

/// What to do where nothing says which model is meant.
fn undecided(workspace: &Workspace) -> String {
    match workspace.models() {
        Ok(models) if !models.is_empty() => {
            "all are served: say which one /api/v1/predict means with `--default NAME`, or with `model:` in regent.yaml"
                .to_owned()
        }
        Ok(_) | Err(_) => served(&[]),
    }
}
