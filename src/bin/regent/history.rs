//! `regent history`: every entry of a journal in a line, or who served at an instant; a door.

use clap::Args;
use regent::audit::{self, Served};
use regent::console;
use regent::types::{ModelName, Timestamp};
use serde_json::json;

use crate::edge::{Answer, Failure, Scene, words};
use crate::part::Part;

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
    /// Say what served at this instant instead (RFC 3339, or a date for its midnight in UTC)
    #[arg(long, value_name = "TIME", conflicts_with_all = ["last", "steps", "limit", "after"])]
    at: Option<Timestamp>,
    #[command(flatten)]
    part: Part,
}

impl History {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let model = workspace.model(self.model)?;
        if let Some(at) = self.at {
            let served = audit::served_at(&workspace.store, &model, at)?;
            let value = json!({ "format_version": 1, "model": model, "at": at, "serves": served });
            return Answer::new(told(&model, at, served.as_ref()), &value);
        }
        let mut history = console::history(&workspace.store, &model, &self.part.page())?;
        history.entries.retain(|entry| !self.steps || !entry.decision.transitions.is_empty());
        let skipped = history.entries.len().saturating_sub(self.last.unwrap_or(usize::MAX));
        history.entries.drain(..skipped);
        let lines = history.entries.iter().map(words::entry).chain(Part::more(history.next.as_ref()));
        let lines: Vec<String> = lines.collect();
        let text = if lines.is_empty() { format!("{model}: nothing was decided yet") } else { lines.join("\n") };
        Answer::new(text, &history)
    }
}

fn told(model: &ModelName, at: Timestamp, served: Option<&Served>) -> String {
    let Some(Served { version, bundle, since, entry, shadow }) = served else {
        return format!("{model}: nothing served at {at}");
    };
    let beside = shadow.map(|shadow| format!("; {shadow} shadowed")).unwrap_or_default();
    format!("{model}: {version} served at {at}, since {since} by entry {entry}{beside}\n  bundle    {bundle}")
}
