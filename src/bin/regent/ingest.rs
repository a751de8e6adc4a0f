//! `regent ingest`: strict rows in, or every violation named; a door.

use std::path::{Path, PathBuf};

use clap::Args;
use regent::contract::{self, Registered};
use regent::ingest::{self, Sources as _};
use regent::promote;
use regent::types::{ModelName, Timestamp};
use serde_json::json;

use crate::edge::{Answer, Failure, Scene, Workspace};

/// Take labelled rows in and freeze them; one violation, and nothing is written
#[derive(Debug, Args)]
pub struct Ingest {
    /// A CSV file
    file: PathBuf,
    /// The contract that the rows must keep: a model's name
    #[arg(long, value_name = "NAME")]
    contract: ModelName,
    /// Check every row and write nothing
    #[arg(long)]
    dry_run: bool,
}

impl Ingest {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let registered = contract::latest(&workspace.store, &self.contract)?;
        if self.dry_run { self.rehearse(&registered) } else { self.freeze(&workspace, &registered, scene.now) }
    }

    fn rehearse(&self, registered: &Registered) -> Result<Answer, Failure> {
        let intake = registered.contract.intake(registered.sha256);
        let summary = ingest::read_rows(ingest::open(&self.file)?, &intake.columns, |_| Ok(()))?;
        let text = format!("{}: {} rows keep the contract; nothing was written", self.file.display(), summary.rows);
        Answer::new(text, &json!({ "format_version": 1, "rows": summary.rows, "dry_run": true }))
    }

    fn freeze(&self, workspace: &Workspace, registered: &Registered, now: Timestamp) -> Result<Answer, Failure> {
        let model = &self.contract;
        let intake = registered.contract.intake(registered.sha256);
        let governed = workspace.governed(model)?;
        let scratch = governed.sources.scratch()?;
        let frozen = ingest::freeze(ingest::open(&self.file)?, &intake, scratch, &workspace.store)?;
        let context = governed.context(&workspace.store, "ingest");
        let name = named_from(&workspace.root, &self.file);
        promote::note_dataset(&context, registered, &name, &frozen, now)?;
        let (rows, digest) = (frozen.meta.rows, frozen.digest);
        let verb = if frozen.already { "found" } else { "froze" };
        let mut text = format!("{verb} {rows} rows as dataset {}", digest.short());
        if let Some(time) = &frozen.meta.time {
            text += &format!(" ({} {} to {})", time.column, time.first, time.last);
        }
        let value = json!({
            "format_version": 1, "dataset": digest, "rows": rows, "new": !frozen.already, "time": frozen.meta.time,
        });
        Ok(Answer::new(text, &value)?.next(format!("regent train baseline {model}")))
    }
}

/// A file as it is called from the workspace's root, where it lies inside; else its whole path.
pub fn named_from(root: &Path, file: &Path) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (root, file) = (whole(root), whole(file));
    file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().into_owned()
}
