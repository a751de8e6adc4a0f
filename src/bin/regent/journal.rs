//! `regent journal`: the head of a journal, to be kept elsewhere; a door.

use clap::Subcommand;
use regent::audit::{self, Head};
use regent::types::ModelName;
use serde_json::json;

use crate::edge::{Answer, Failure, Scene};

/// The journal itself
#[derive(Debug, Subcommand)]
pub enum Journal {
    /// Print the newest entry's number and SHA-256: kept elsewhere, it shows that nothing was cut off since
    Head {
        /// The model [default: all]
        model: Option<ModelName>,
    },
}

impl Journal {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let Journal::Head { model } = self;
        let workspace = scene.workspace()?;
        let mut heads: Vec<Head> = Vec::new();
        for model in workspace.chosen(model.as_ref())? {
            heads.extend(audit::head(&workspace.store, &model)?);
        }
        let lines: Vec<String> = heads.iter().map(Head::to_string).collect();
        Answer::new(lines.join("\n"), &json!({ "format_version": 1, "heads": heads }))
    }
}
