//! `regent schema`: drafts a data schema from a file for a person to edit; a door.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use regent::ingest;
use regent::types::ModelName;
use serde_json::json;

use crate::edge::{Answer, Failure, Scene};

/// Data schemas: every column with its type and rules
#[derive(Debug, Subcommand)]
pub enum Schema {
    /// Draft a schema from a CSV file; edit it, then draft a contract
    Infer {
        /// The file
        file: PathBuf,
        /// The schema's name [default: the file's]
        #[arg(long)]
        name: Option<ModelName>,
        /// Create schemas/NAME.yaml instead of printing it
        #[arg(long)]
        write: bool,
    },
}

impl Schema {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let Schema::Infer { file, name, write } = self;
        let name = match name {
            Some(name) => name,
            None => named_after(&file)?,
        };
        let draft = ingest::infer_schema(ingest::open(&file)?, &name)?;
        let path = format!("schemas/{name}.yaml");
        let value = json!({ "format_version": 1, "path": path, "written": write, "draft": draft });
        let next = format!("edit {path}, then draft a contract: regent contract infer {name} --target COLUMN --write");
        if !write {
            return Ok(Answer::new(draft, &value)?.next(format!("add --write to create {path}")));
        }
        scene.workspace()?.create_draft(&path, &draft)?;
        Ok(Answer::new(format!("created {path}"), &value)?.next(next))
    }
}

fn named_after(file: &Path) -> Result<ModelName, Failure> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase().replace(' ', "_"));
    stem.unwrap_or_default().parse().map_err(|error: regent::types::NameError| {
        Failure::usage(error.to_string()).hint("name the schema: --name NAME")
    })
}
