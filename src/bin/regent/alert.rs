//! `regent alert`: what a person must know now, and what they had to know before; a door.

use clap::Subcommand;
use regent::alert;
use regent::types::ModelName;
use serde_json::json;

use crate::edge::{Answer, Failure, Scene};

/// Alerts that stand, and their history
#[derive(Debug, Subcommand)]
pub enum Alert {
    /// List the alerts that stand
    List {
        /// The model [default: all]
        model: Option<ModelName>,
        /// Also what was resolved
        #[arg(long)]
        all: bool,
    },
}

impl Alert {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let Alert::List { model, all } = self;
        let workspace = scene.workspace()?;
        let list = if all { alert::history } else { alert::active };
        let mut alerts = Vec::new();
        for model in workspace.chosen(model.as_ref())? {
            alerts.extend(list(&workspace.store, &model)?);
        }
        let lines: Vec<String> = alerts.iter().map(ToString::to_string).collect();
        let text = if lines.is_empty() { "no alert stands".to_owned() } else { lines.join("\n") };
        Answer::new(text, &json!({ "format_version": 1, "alerts": alerts }))
    }
}
