//! `regent drift null`: how often this policy is alarmed where nothing changed, measured and kept; a door.

use clap::Args;
use regent::backtest::{FalseAlarms, NullReport, Population, Share};
use regent::console::{self, Page};
use regent::contract;
use regent::govern;
use regent::ingest::{Dataset, Rows};
use regent::registry;
use regent::store::{Body, Key, Store};
use regent::types::{Digest, ModelName, Version, canonical_json};

use crate::edge::{Answer, Exit, Failure, Scene, Workspace};

/// Rows of a window as long as none was sealed.
const ROWS: u64 = 500;

/// Draw windows from the rows that a version learned from, and count how often drift is found in them
#[derive(Debug, Args)]
pub struct Null {
    /// The model
    #[arg(long)]
    model: Option<ModelName>,
    /// The version whose rows are drawn from [default: the champion]
    #[arg(long)]
    version: Option<Version>,
    /// How many windows
    #[arg(long, default_value_t = 2_000)]
    windows: u64,
    /// Rows of a window [default: the median of the sealed windows, or 500]
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
    /// The seed of the draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Measure and keep nothing
    #[arg(long)]
    dry_run: bool,
}

impl Null {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let model = workspace.model(self.model.clone())?;
        let rules = workspace.governed(&model)?.rules;
        let champion = || -> Result<Version, Failure> {
            let version = govern::fold(&workspace.store, &model)?.champion_version();
            version.ok_or_else(|| {
                Failure::usage(format!("{model} has no champion")).hint("--version VERSION, or run `governor`")
            })
        };
        let version = self.version.map_or_else(champion, Ok)?;
        let bundle = registry::fetch(&workspace.store, &model, version)?;
        let datasets = bundle.metadata().parents.datasets.iter();
        let loaded: Result<Vec<Dataset>, _> =
            datasets.map(|digest| Dataset::load(&workspace.store, &model, *digest)).collect();
        let rows = contract::encode(bundle.contract(), &Rows::join(loaded?)?)?;
        let population = Population::new(bundle.profile(), &rows.vectors);
        let usual = self.rows.map_or_else(|| usual(&workspace, &model), Ok)?;
        let found = population.false_alarms(&rules, usual, self.windows, self.seed).map_err(|why| {
            Failure::usage(format!("{why}")).hint("--rows N, at most half of the rows that the version learned from")
        })?;
        let report = NullReport {
            format_version: 1,
            model,
            version,
            bundle: bundle.digest(),
            judge: rules.windows.judge,
            rules: rules.drift,
            found,
        };
        if !self.dry_run {
            keep(&workspace.store, &report)?;
        }
        Answer::new(told(&report), &report)
    }
}

/// What was measured of a version under these rules.
///
/// # Errors
/// A report that cannot be read.
pub fn measured(workspace: &Workspace, model: &ModelName) -> Result<Vec<NullReport>, Failure> {
    let store = &workspace.store;
    let read = |key: Key| {
        let bytes = store.read(&key)?;
        serde_json::from_slice(&bytes).map_err(|error| Failure::because(Exit::Integrity, format!("read {key}"), error))
    };
    store.list(&folder(model)?)?.into_iter().map(read).collect()
}

fn folder(model: &ModelName) -> Result<Key, Failure> {
    Ok(Key::new(&format!("var/{model}/reports/null"))?)
}

/// The same draws give the same report, which is then there already.
fn keep(store: &dyn Store, report: &NullReport) -> Result<(), Failure> {
    let bytes = canonical_json(report).map_err(|error| Failure::internal("write the report", error))?;
    let key = Key::new(&format!("{}/{}.json", folder(&report.model)?, Digest::of(&bytes)))?;
    if store.exists(&key)? {
        return Ok(());
    }
    Ok(store.create(&key, Body::from(&bytes))?)
}

/// The median of the rows of the sealed judged windows.
fn usual(workspace: &Workspace, model: &ModelName) -> Result<u64, Failure> {
    let size = workspace.governed(model)?.rules.windows.judge;
    let sealed = console::snapshots(&workspace.store, model, size, &Page::whole())?.snapshots;
    let mut rows: Vec<u64> = sealed.iter().map(|it| it.counts.counted).collect();
    rows.retain(|rows| *rows > 0);
    rows.sort_unstable();
    Ok(rows.get(rows.len() / 2).copied().unwrap_or(ROWS))
}

fn told(report: &NullReport) -> String {
    let FalseAlarms { rows, rows_per_window, windows, seed, .. } = report.found;
    let found = &report.found;
    let line = |what: &str, share: &Share| {
        format!(
            "  {what:<46} {:>7.2} %  ({:.2} to {:.2} %)",
            100.0 * share.share,
            100.0 * share.interval.lower,
            100.0 * share.interval.upper
        )
    };
    let budget = 100.0 * report.budget();
    let verdict = if report.exceeds() { "more than" } else { "within" };
    [
        format!(
            "{} {}: {windows} windows of {rows_per_window} rows, drawn from its own {rows}; seed {seed}",
            report.model, report.version
        ),
        line("too few rows to say anything", &found.insufficient),
        line("some feature's own p-value below 0.05", &found.customary),
        line("a feature is called drifted", &found.feature),
        line("the dataset is", &found.dataset),
        line("drift is confirmed", &found.confirmed),
        line("RETRAIN_RECOMMENDED or RETRAIN_REQUIRED", &found.retrain),
        format!("{verdict} the budget of {}: {budget:.2} % of windows of {}", report.rules.false_alarms, report.judge),
    ]
    .join("\n")
}
