//! `regent state`: where every version stands, folded from the journal; a door.

use clap::Args;
use regent::console::{self, Ledger};
use regent::types::ModelName;

use crate::edge::{Answer, Failure, Scene};

/// Where every version stands: the journal, folded
#[derive(Debug, Args)]
pub struct State {
    /// The model
    model: Option<ModelName>,
}

impl State {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let model = workspace.model(self.model)?;
        let stands = console::stands(&Ledger::read(&workspace.store, &model)?, &model);
        let versions = stands.standing.versions.iter().map(|(version, state)| format!("{model} {version} {state}"));
        let lines: Vec<String> = versions.collect();
        let text = if lines.is_empty() { format!("{model} has no version yet") } else { lines.join("\n") };
        Answer::new(text, &stands)
    }
}
