//! `regent history`: every entry of a journal in a line; a door.

use clap::Args;
use regent::govern::{Entry, journal};
use regent::types::ModelName;
use serde_json::json;

use crate::edge::{Answer, Failure, Scene, words};

/// What was decided, entry by entry
#[derive(Debug, Args)]
pub struct History {
    /// The model
    model: Option<ModelName>,
    /// Only the newest so many entries
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// Only entries in which a version took a step
    #[arg(long)]
    steps: bool,
}

impl History {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let model = workspace.model(self.model)?;
        let mut entries: Vec<Entry> =
            journal::read(&workspace.store, &model)?.into_iter().map(|(entry, _)| entry).collect();
        entries.retain(|entry| !self.steps || !entry.decision.transitions.is_empty());
        let skipped = entries.len().saturating_sub(self.last.unwrap_or(usize::MAX));
        let entries = entries.get(skipped..).unwrap_or_default();
        let lines: Vec<String> = entries.iter().map(words::entry).collect();
        let text = if lines.is_empty() { format!("{model}: nothing was decided yet") } else { lines.join("\n") };
        Answer::new(text, &json!({ "format_version": 1, "model": model, "entries": entries }))
    }
}
