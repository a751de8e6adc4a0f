//! `regent log`: what a model elsewhere has answered, from a file; a door.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use regent::govern;
use regent::registry::{self, Verified};
use regent::snapshot::{self, Whose};
use regent::store::{Overlay, Store};
use regent::types::ModelName;
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene};

/// What was answered
#[derive(Debug, Subcommand)]
pub enum Log {
    /// Import what a monitor-only champion answered elsewhere: CSV, JSON lines or Parquet; all rows or none
    Import {
        /// The file; `-` for stdin
        file: PathBuf,
        /// The model
        #[arg(long)]
        model: Option<ModelName>,
        /// Check every row and write nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// A larger file is refused: it is held in memory while every row is checked.
const LARGEST: u64 = 512 * 1024 * 1024;

impl Log {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let Log::Import { file, model, dry_run } = self;
        let workspace = scene.workspace()?;
        let model = workspace.model(model)?;
        let rules = workspace.governed(&model)?.rules;
        let standing = govern::fold(&workspace.store, &model)?;
        let (Some(champion), Some(watched_since)) = (&standing.champion, standing.served_since) else {
            let what = format!("{model} has no champion yet, so nobody knows whose answers these are");
            return Err(Failure::usage(what).hint(format!("regent registry monitor {model} FILE --prediction COLUMN")));
        };
        let (version, recorded) = (champion.version, Some(champion.bundle));
        let fetched = registry::fetch_trusted(&workspace.store, &model, version, recorded, &rules.signature)?;
        let Verified::Elsewhere(reference) = fetched else {
            return Err(Failure::usage(format!("{model} {version} is served here, and what it answers is recorded")));
        };
        let bytes = read(&file)?;
        let rehearsal = Overlay::over(&workspace.store);
        let store: &dyn Store = if dry_run { &rehearsal } else { &workspace.store };
        let whose = Whose { reference: &reference, rules: &rules.windows, watched_since };
        let imported = snapshot::import(store, whose, &bytes, scene.now)?;
        let value = json!({
            "format_version": 1, "model": model, "version": version, "imported": imported, "dry_run": dry_run,
        });
        if imported.already {
            let text = format!("already imported at {}: {} rows of {model} {version}", imported.at, imported.rows);
            return Answer::new(text, &value);
        }
        let told = [
            (imported.repeated, "known already"),
            (imported.late, "too late for their windows"),
            (imported.labels, "with their labels"),
        ];
        let told = told.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
        let verb = if dry_run { "would import" } else { "imported" };
        let text = format!("{verb} {} answers of {model} {version}{}", imported.new, told.collect::<String>());
        Ok(Answer::new(text, &value)?.next("governor"))
    }
}

/// All bytes of a file, or of stdin.
///
/// # Errors
/// It cannot be read, or is larger than what is held in memory.
pub fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::because(Exit::Usage, format!("read {}", file.display()), error);
    let mut bytes = Vec::new();
    let source: Box<dyn Read> =
        if file == Path::new("-") { Box::new(io::stdin()) } else { Box::new(fs::File::open(file).map_err(failed)?) };
    source.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        let what = format!("{} has more than {} MiB", file.display(), LARGEST >> 20);
        return Err(Failure::usage(what).hint("split it: each part is imported once, in any order"));
    }
    Ok(bytes)
}

/// A file that says it is Parquet, which is read piece by piece, however large it is; nothing for any other, and for a pipe.
///
/// # Errors
/// It cannot be opened.
pub fn parquet(file: &Path) -> Result<Option<fs::File>, Failure> {
    let failed = |error| Failure::because(Exit::Usage, format!("read {}", file.display()), error);
    if file == Path::new("-") || !fs::metadata(file).map_err(failed)?.is_file() {
        return Ok(None);
    }
    let (mut opened, mut begins) = (fs::File::open(file).map_err(failed)?, [0; 4]);
    let is_parquet = opened.read_exact(&mut begins).is_ok() && begins == *b"PAR1";
    Ok(is_parquet.then_some(opened))
}
