//! `regent registry monitor`: a model that answers elsewhere becomes a version that is watched; a door.

use std::path::PathBuf;

use clap::Args;
use regent::contract;
use regent::ingest::{self, Sources as _};
use regent::promote;
use regent::store::{Overlay, Store};
use regent::types::ModelName;
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene};
use crate::ingest::named_from;

#[derive(Debug, Args)]
pub struct Monitor {
    /// The model
    model: ModelName,
    /// A CSV of rows under its contract, each with what the model answered
    file: PathBuf,
    /// The column that holds the answers
    #[arg(long, value_name = "COLUMN")]
    prediction: String,
    /// The file does not say what came true: there will be no baseline to hold the model against
    #[arg(long)]
    unlabelled: bool,
    /// Who enters it
    #[arg(long, env = "USER", default_value = "somebody", hide_env_values = true)]
    author: String,
    /// Why
    #[arg(long, default_value = "it answers elsewhere")]
    reason: String,
    /// Check every row and write nothing
    #[arg(long)]
    dry_run: bool,
}

impl Monitor {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let (model, governed) = (&self.model, workspace.governed(&self.model)?);
        let rehearsal = Overlay::over(&workspace.store);
        let store: &dyn Store = if self.dry_run { &rehearsal } else { &workspace.store };
        let registered = contract::latest(store, model)?;
        let intake = registered.contract.reference_intake(registered.sha256, &self.prediction, !self.unlabelled);
        let intake = intake.map_err(|fault| Failure::because(Exit::Usage, "take the file".to_owned(), fault))?;
        let frozen = ingest::freeze(ingest::open(&self.file)?, &intake, governed.sources.scratch()?, store)?;
        let context = governed.context(store, &self.author);
        let name = named_from(&workspace.root, &self.file);
        promote::note_dataset(&context, &registered, &name, &frozen, scene.now)?;
        let version = promote::monitor(&context, &registered, frozen.digest, &self.reason, scene.now)?;
        let (rows, verb) = (frozen.meta.rows, if self.dry_run { "would enter" } else { "entered" });
        let text = format!(
            "{verb} {model} {version} as monitor-only, shown by {rows} rows of dataset {}",
            frozen.digest.short()
        );
        let value = json!({
            "format_version": 1, "model": model, "version": version, "dataset": frozen.digest, "rows": rows,
            "dry_run": self.dry_run,
        });
        let next = format!("regent override set promote {model} {version} --reason …, then governor");
        Ok(Answer::new(text, &value)?.next(next))
    }
}
