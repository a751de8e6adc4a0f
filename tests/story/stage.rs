//! Where the chapters are played: a workspace in a folder that vanishes, real weather, and a clock that is a value.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use regent::backtest::{self, Comparison, Replay, Setup, Summary};
use regent::contract::{RawContract, Registered, register};
use regent::govern::{Override, Rules, Standing, fold};
use regent::ingest::{Globs, RawSchema, Source};
use regent::promote::{self, Context, PromoteError, Tick, Turn};
use regent::store::{Disk, Durability, Store};
use regent::types::{ModelName, Span, Timestamp, Version};
use regent::yaml;
use tempfile::TempDir;

const WEATHER: &str = include_str!("../../data/noaa_rain.csv");
const SCHEMA: &str = include_str!("../../schemas/rain.yaml");
const CONTRACT: &str = include_str!("../../contracts/rain.yaml");

/// Rows of the weather file with its header: a file of its own.
pub(crate) fn weather(rows: Range<usize>) -> String {
    let mut lines = WEATHER.lines();
    let header = lines.next().unwrap();
    let rows: Vec<&str> = lines.skip(rows.start).take(rows.len()).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

pub(crate) fn raw_contract() -> (RawContract, RawSchema) {
    let contract = yaml::read("contracts/rain.yaml", CONTRACT).unwrap();
    let schema = yaml::read("schemas/rain.yaml", SCHEMA).unwrap();
    (contract, schema)
}

/// A workspace with a registered contract, and files of labelled rows in `new/`.
pub(crate) struct Workspace {
    folder: TempDir,
    pub(crate) store: Arc<Disk>,
    pub(crate) registered: Registered,
    pub(crate) rules: Rules,
    txns: AtomicU64,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Disk::open(folder.path().to_owned(), Durability::Batched).unwrap());
        let (contract, schema) = raw_contract();
        let registered = register(&contract, &schema.check().unwrap(), &*store).unwrap();
        std::fs::create_dir(folder.path().join("new")).unwrap();
        Workspace { folder, store, registered, rules: Rules::default(), txns: AtomicU64::new(0) }
    }

    /// With a champion that learned from the first 2,000 days, promoted at noon.
    pub(crate) fn with_champion() -> Self {
        let workspace = Workspace::new();
        workspace.drop_rows(0..2_000);
        workspace.train(noon());
        workspace.tick(noon());
        workspace.tick(noon() + Span::from_mins(1));
        assert_eq!(workspace.standing().champion_version(), Some(Version::FIRST));
        workspace
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn model(&self) -> &ModelName {
        self.registered.contract.name()
    }

    pub(crate) fn drop_rows(&self, rows: Range<usize>) {
        self.drop_file(&format!("{:06}.csv", rows.start), &weather(rows));
    }

    pub(crate) fn drop_file(&self, name: &str, text: &str) {
        std::fs::write(self.path().join("new").join(name), text).unwrap();
    }

    pub(crate) fn drop_order(&self, order: &Override) {
        self.drop_override(&format!("{}.yaml", order.id), &yaml::print(order).unwrap());
    }

    pub(crate) fn drop_override(&self, name: &str, text: &str) {
        let folder = self.path().join("governance/rain/overrides");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
    }

    pub(crate) fn act<T>(&self, act: impl FnOnce(&Context<'_>) -> T) -> T {
        let sources = Globs::new(self.path().to_owned(), vec!["new/*.csv".to_owned()]);
        let txn = || format!("{:p}-{}", self, self.txns.fetch_add(1, Ordering::SeqCst));
        act(&Context {
            store: &*self.store,
            model: self.model(),
            rules: &self.rules,
            sources: &sources,
            txn: &txn,
            actor: "governor",
        })
    }

    /// `regent train`, as a person types it.
    pub(crate) fn train(&self, now: Timestamp) -> Version {
        self.act(|context| promote::begin(context, "by hand", now)).unwrap()
    }

    /// `governor`: every tick of one run.
    pub(crate) fn try_tick(&self, now: Timestamp) -> Result<Vec<Tick>, PromoteError> {
        let mut runs = self.act(|context| promote::run(&[*context], now, Turn::Real));
        runs.remove(0).whole()
    }

    pub(crate) fn tick(&self, now: Timestamp) -> Vec<Tick> {
        self.try_tick(now).unwrap()
    }

    pub(crate) fn standing(&self) -> Standing {
        fold(&*self.store, self.model()).unwrap()
    }

    /// Every file below the workspace with its bytes.
    pub(crate) fn files(&self) -> std::collections::BTreeMap<String, Vec<u8>> {
        let root = regent::store::Key::new("governance").unwrap();
        let mut files = std::collections::BTreeMap::new();
        for folder in [root, regent::store::Key::new("registry").unwrap(), regent::store::Key::new("var").unwrap()] {
            for key in self.store.list(&folder).unwrap() {
                files.insert(key.to_string(), self.store.read(&key).unwrap());
            }
        }
        files
    }
}

/// When the chapters begin.
pub(crate) fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// Replay days of weather through the whole house.
pub(crate) fn replayed(file: &str, baseline_rows: usize, compare: Comparison) -> Summary {
    replayed_under((SCHEMA, CONTRACT), file, baseline_rows, compare)
}

/// Replay a file through the whole house, under a schema and a contract.
pub(crate) fn replayed_under(
    (schema, contract): (&str, &str),
    file: &str,
    baseline_rows: usize,
    compare: Comparison,
) -> Summary {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(regent::store::Memory::new());
    let schema: RawSchema = yaml::read("schema", schema).unwrap();
    let contract: RawContract = yaml::read("contract", contract).unwrap();
    let registered = register(&contract, &schema.check().unwrap(), &*store).unwrap();
    let source = Source::new("rows", file.as_bytes());
    let replay = Replay::read(source, &registered.contract).unwrap();
    let rules = Rules::default();
    let setup = Setup {
        store,
        root: folder.path(),
        registered: &registered,
        rules: &rules,
        baseline_rows,
        rows_per_window: 250,
        compare,
    };
    backtest::replay(&setup, &replay, |_| {}).unwrap()
}

/// The eight feature columns of a file's rows, rotated left by so many places from a row on (and back again at another).
pub(crate) fn rotated(file: &str, by: usize, rows: Range<usize>) -> String {
    let mut out = String::new();
    for (number, line) in file.lines().enumerate() {
        let mut cells: Vec<&str> = line.split(',').collect();
        if number > 0 && rows.contains(&(number - 1)) {
            cells[1..9].rotate_left(by);
        }
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    out
}
