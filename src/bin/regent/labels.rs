//! `regent labels`: what came true, from a file; a door.

use std::fs::File;
use std::path::PathBuf;

use clap::Subcommand;
use regent::contract;
use regent::govern;
use regent::log;
use regent::store::{Overlay, Store};
use regent::types::{ModelName, Timestamp};
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene};

/// What came true of requests
#[derive(Debug, Subcommand)]
pub enum Labels {
    /// Import a CSV of request_id,label and perhaps at; all rows or none
    Import {
        /// The file
        file: PathBuf,
        /// The model
        #[arg(long)]
        model: Option<ModelName>,
        /// Look for the requests among the events since then [default: twice `performance.wait` ago]
        #[arg(long, value_name = "T")]
        since: Option<Timestamp>,
        /// Check every row and write nothing
        #[arg(long)]
        dry_run: bool,
    },
}

impl Labels {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let Labels::Import { file, model, since, dry_run } = self;
        let workspace = scene.workspace()?;
        let model = workspace.model(model)?;
        let wait = workspace.governed(&model)?.rules.performance.wait;
        let since = log::Since { known: since.unwrap_or(scene.now - wait - wait), judged: scene.now - wait };
        let contract = contract_of(&workspace.store, &model)?;
        let rehearsal = Overlay::over(&workspace.store);
        let store: &dyn Store = if dry_run { &rehearsal } else { &workspace.store };
        let open = File::open(&file)
            .map_err(|error| Failure::because(Exit::Usage, format!("open {}", file.display()), error))?;
        let outcomes = log::import(store, &contract, open, since, scene.now)?;
        let told = [
            (outcomes.new, "new"),
            (outcomes.duplicate, "known already"),
            (outcomes.conflicting, "contradict an earlier one"),
            (outcomes.unknown, "of requests that nobody has asked"),
            (outcomes.early, "left out because they were known before their request"),
            (outcomes.overdue, "kept, but too late to be judged"),
        ];
        let told: Vec<String> =
            told.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let verb = if dry_run { "would import" } else { "imported" };
        let text = format!("{verb} labels of {model}: {}", told.join(", "));
        Ok(Answer::new(
            text,
            &json!({ "format_version": 1, "model": model, "outcomes": outcomes, "dry_run": dry_run }),
        )?
        .next("governor"))
    }
}

/// The contract that the champion answers under: what a label means is its to say. Before there is one, the latest.
fn contract_of(store: &dyn Store, model: &ModelName) -> Result<contract::Contract, Failure> {
    let standing = govern::fold(store, model)?;
    match standing.champion {
        Some(champion) => Ok(regent::registry::fetch(store, model, champion.version)?.contract().clone()),
        None => Ok(contract::latest(store, model)?.contract),
    }
}
