//! `regent replay`: every past decision, decided again from what was recorded; a door.

use clap::Args;
use regent::audit::{self, Depth, Outcome, Replayed, Turn};
use regent::types::ModelName;
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene};

/// Decide every entry again from its recorded inputs, and hold it against what was written, byte for byte
#[derive(Debug, Args)]
pub struct Replay {
    /// The model [default: all]
    model: Option<ModelName>,
    /// Compute the reports again too, as far as windows, events, labels and datasets are still here
    #[arg(long)]
    deep: bool,
}

impl Replay {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let models = workspace.chosen(self.model.as_ref())?;
        let depth = if self.deep { Depth::Reports } else { Depth::Decisions };
        let replayed = models.iter().map(|model| audit::replay(&workspace.store, model, depth));
        let replayed: Vec<Replayed> = replayed.collect::<Result<_, _>>()?;
        let same = replayed.iter().all(|model| model.findings.is_empty());
        let texts: Vec<String> = replayed.iter().map(text).collect();
        let text = if texts.is_empty() { "there is no model here".to_owned() } else { texts.join("\n") };
        let value = json!({ "format_version": 1, "sound": same, "models": replayed });
        Ok(Answer::new(text, &value)?.ending(if same { Exit::Done } else { Exit::Integrity }))
    }
}

fn text(replayed: &Replayed) -> String {
    let count = |is: fn(&Outcome) -> bool| replayed.entries.iter().filter(|turn| is(&turn.outcome)).count();
    let (same, by_hand) = (count(|one| *one == Outcome::Same), count(|one| *one == Outcome::ByHand));
    let mut lines = vec![format!(
        "{}: {} entries, decided again by {}: {same} the same, {by_hand} begun by hand or failed attempts",
        replayed.model,
        replayed.entries.len(),
        replayed.engine
    )];
    lines.extend(replayed.entries.iter().filter_map(other_engine));
    for (kind, outcomes) in &replayed.reports {
        let outcomes: Vec<String> = outcomes.iter().map(|(came, count)| format!("{count} {}", word(*came))).collect();
        lines.push(format!("  {kind:<11} {}", outcomes.join(", ")));
    }
    lines.extend(replayed.findings.iter().map(|finding| format!("  finding     {finding}")));
    lines.join("\n")
}

fn other_engine(turn: &Turn) -> Option<String> {
    match &turn.outcome {
        Outcome::OtherEngine { engine, what } => {
            Some(format!("  engine      entry {} is by {engine}, which decided otherwise: {what}", turn.entry))
        }
        Outcome::Same | Outcome::ByHand | Outcome::Differs { .. } | Outcome::NotReplayed { .. } => None,
    }
}

fn word(came: audit::Recomputed) -> &'static str {
    match came {
        audit::Recomputed::Same => "computed again, the same",
        audit::Recomputed::Fuller => "fuller today: labels came later",
        audit::Recomputed::Archived => "not computed again: what they rest on is archived",
        audit::Recomputed::Differs => "computed again, and otherwise",
    }
}
