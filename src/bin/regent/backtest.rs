//! `regent backtest`: a file replayed through the whole house on a virtual clock; a door.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use regent::backtest::{self, Comparison, Replay, Setup, Summary};
use regent::contract::{self, Registered};
use regent::ingest;
use regent::store::{Body, Disk, Durability, Key, Memory, Store};
use regent::types::ModelName;

use crate::contract::draft;
use crate::edge::{Answer, Failure, Scene, Workspace};

/// Replay a time-ordered labelled file: what would the governor have done?
#[derive(Debug, Args)]
pub struct Backtest {
    /// The model, whose contract and policy are taken from the workspace
    model: ModelName,
    /// A CSV file whose rows are in the order of time
    file: PathBuf,
    /// So many rows are spread evenly over one judged window
    #[arg(long, value_name = "N", default_value_t = 250)]
    rows_per_window: usize,
    /// The rows of the first model [default: a third of the file, in whole windows]
    #[arg(long, value_name = "N")]
    baseline_rows: Option<usize>,
    /// Write everything that was seen to this file, as JSON
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Replay only the governed model, without never and always beside it
    #[arg(long)]
    alone: bool,
    /// Keep the replayed workspace in this empty folder, to look around in
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Backtest {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let governed = workspace.governed(&self.model)?;
        let store = self.store()?;
        let registered = bring_contract(&workspace, &self.model, &*store)?;
        let replay = Replay::read(ingest::open(&self.file)?, &registered.contract)?;
        let per_window = self.rows_per_window.max(1);
        let baseline_rows = self.baseline_rows.unwrap_or(replay.len() / 3 / per_window * per_window);
        let compare = if self.alone { Comparison::Alone } else { Comparison::WithNeverAndAlways };
        let spool = tempfile::tempdir().map_err(|error| Failure::internal("make a folder for the spool", error))?;
        let setup = Setup {
            store,
            root: spool.path(),
            registered: &registered,
            rules: &governed.rules,
            baseline_rows,
            rows_per_window: per_window,
            compare,
        };
        scene.say(&format!(
            "{} rows: the first {baseline_rows} train the first model, then {per_window} rows a window",
            replay.len()
        ));
        let summary = watched(scene, &setup, &replay)?;
        self.write(&summary)?;
        Answer::new(format!("\n{}", summary.compare), &summary)
    }

    fn store(&self) -> Result<Arc<dyn Store>, Failure> {
        let Some(folder) = &self.keep else {
            return Ok(Arc::new(Memory::new()));
        };
        fs::create_dir_all(folder).map_err(|error| Failure::internal(format!("create {}", folder.display()), error))?;
        Ok(Arc::new(Disk::open(folder.clone(), Durability::Batched)?))
    }

    fn write(&self, summary: &Summary) -> Result<(), Failure> {
        let Some(path) = &self.summary else { return Ok(()) };
        let failed = |error| Failure::internal(format!("write {}", path.display()), error);
        let text = serde_json::to_string_pretty(summary).map_err(|error| failed(error.into()))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(path, text + "\n").map_err(failed)
    }
}

/// Replay with a line for each window, and a bar where somebody watches.
fn watched(scene: &Scene, setup: &Setup<'_>, replay: &Replay) -> Result<Summary, Failure> {
    let windows = replay.windows(setup.baseline_rows, setup.rows_per_window).len() as u64;
    let target = if scene.is_watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} windows {elapsed}");
    let bar = ProgressBar::with_draw_target(Some(windows), target)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut printed = Ok(());
    let summary = backtest::replay(setup, replay, |line| {
        bar.inc(1);
        if printed.is_ok() {
            printed = bar.suspend(|| scene.stream(&line.to_string()));
        }
    })?;
    bar.finish_and_clear();
    printed.map(|()| summary)
}

/// Give the replay's store the contract: the registered versions, or the draft as the first.
fn bring_contract(workspace: &Workspace, model: &ModelName, store: &dyn Store) -> Result<Registered, Failure> {
    let folder = Key::new(&format!("registry/{model}/contracts"))?;
    let keys = workspace.store.list(&folder)?;
    for key in &keys {
        store.create(key, Body::Bytes(&workspace.store.read(key)?))?;
    }
    if keys.is_empty() {
        let (raw, schema) = draft(workspace, model)?;
        return Ok(contract::register(&raw, &schema, store)?);
    }
    Ok(contract::latest(store, model)?)
}
