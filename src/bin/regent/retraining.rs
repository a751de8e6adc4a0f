//! `regent retraining`: what was last decided on retraining, with every condition; a door.

use clap::Args;
use regent::console::{self, Ledger};
use regent::types::ModelName;

use crate::edge::{Answer, Failure, Scene};
use crate::evidence;

/// What was last decided on retraining, and why
#[derive(Debug, Args)]
pub struct Retraining {
    /// The model
    model: Option<ModelName>,
}

impl Retraining {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let model = workspace.model(self.model)?;
        let ledger = Ledger::read(&workspace.store, &model)?;
        let told = console::retraining(&workspace.store, &ledger, &model)?;
        let text = match (&told.decision, told.entry) {
            (Some(decision), Some(entry)) => {
                let starts = if decision.starts { "starts a training" } else { "starts nothing" };
                let mut lines = vec![format!("{model}: {} by entry {entry}: {starts}", decision.action)];
                lines.extend(decision.reasons.iter().map(|reason| format!("  {reason}")));
                lines.extend(evidence::lines(&evidence::of_retraining(decision)));
                lines.join("\n")
            }
            (_, _) => format!("{model}: no window was judged yet"),
        };
        Answer::new(text, &told)
    }
}
