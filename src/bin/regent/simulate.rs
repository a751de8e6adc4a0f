//! `regent simulate`: recorded evidence under another policy; a door.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use regent::audit::{self, Judgement, Simulated, Unlike};
use regent::config::Policy;
use regent::types::ModelName;
use serde_json::json;

use crate::edge::{Answer, Failure, Scene};

/// What would have been decided differently under another policy, and what nobody can know
#[derive(Debug, Args)]
pub struct Simulate {
    /// The model
    model: Option<ModelName>,
    /// The other policy, in the form of policy.yaml
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
}

impl Simulate {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let model = workspace.model(self.model)?;
        let file = self.policy.display().to_string();
        let text = fs::read_to_string(&self.policy)
            .map_err(|error| Failure::because(crate::edge::Exit::Usage, format!("read {file}"), error))?;
        let rules = Policy::read(&file, &text)?.rules();
        let simulated = audit::simulate(&workspace.store, &model, &rules)?;
        let value = serde_json::to_value(&simulated).map_err(|error| Failure::internal("print the answer", error))?;
        let mut whole = json!({ "format_version": 1, "policy": file });
        if let (Some(whole), serde_json::Value::Object(value)) = (whole.as_object_mut(), value) {
            whole.extend(value);
        }
        Answer::new(told(&simulated, &file), &whole)
    }
}

fn told(simulated: &Simulated, file: &str) -> String {
    let Simulated { model, decided, by_hand, unlike, rejudged, kept, limits } = simulated;
    let mut lines =
        vec![format!("{model} under {file}: {} of {decided} decisions would have been others", unlike.len())];
    lines.push(format!("  {by_hand} entries were begun by hand or failed attempts; no policy decides those"));
    if rejudged + kept > 0 {
        lines.push(format!("  {rejudged} reports were judged again by the other thresholds, {kept} stand as recorded"));
    }
    unlike.iter().for_each(|unlike| lines.extend(of_entry(unlike)));
    lines.push("  what nobody can know".to_owned());
    lines.extend(limits.iter().map(|limit| format!("    {limit}")));
    lines.join("\n")
}

fn of_entry(unlike: &Unlike) -> Vec<String> {
    let note = if unlike.after_the_first { "  (on the real history, which would have been another)" } else { "" };
    let mut lines = vec![format!("{:>4}  {}{note}", unlike.entry, unlike.at)];
    lines.push(format!("      was       {}", line(&unlike.was)));
    let would_be = unlike.would_be.as_ref().map_or_else(|| "no entry".to_owned(), line);
    lines.push(format!("      would be  {would_be}"));
    let reasons = unlike.would_be.iter().flat_map(|judgement| &judgement.reasons);
    lines.extend(reasons.map(|reason| format!("      because   {reason}")));
    lines
}

fn line(judgement: &Judgement) -> String {
    let mut words = vec![judgement.action.to_string()];
    words.extend(judgement.steps.iter().cloned());
    words.extend(judgement.trains.iter().map(|version| format!("trains {version}")));
    words.extend(judgement.held.iter().map(|why| format!("held: {why}")));
    words.join("; ")
}
