//! The life of a model, lived once by a replay and left on disk: what auditors look at, each in a copy of their own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, LazyLock};

use regent::audit::{self, Head, Verified};
use regent::backtest::{self, Comparison, Replay, Setup};
use regent::contract::register;
use regent::govern::{Entry, Rules, State, journal};
use regent::ingest::{Globs, Source};
use regent::store::{Disk, Durability, Store};
use regent::types::{Digest, ModelName, Span, canonical_json};
use serde_json::Value;
use tempfile::TempDir;

use super::stage::{raw_contract, weather};

/// The life of a model, lived once: an incident, a loss, a training, a shadow and, on evidence, a promotion.
pub(crate) static LIFE: LazyLock<BTreeMap<PathBuf, Vec<u8>>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Disk::open(folder.path().to_owned(), Durability::Batched).unwrap());
    let (contract, schema) = raw_contract();
    let registered = register(&contract, &schema.check().unwrap(), &*store).unwrap();
    let rows = weather(8_000..14_500);
    let replay = Replay::read(Source::new("weather", rows.as_bytes()), &registered.contract).unwrap();
    let rules = rules();
    let setup = Setup {
        store,
        root: folder.path(),
        registered: &registered,
        rules: &rules,
        baseline_rows: 3_000,
        rows_per_window: 250,
        compare: Comparison::Alone,
    };
    let summary = backtest::replay(&setup, &replay, |_| {}).unwrap();
    let promoted = summary.transitions.iter().filter(|step| step.to == State::Promoted).count();
    assert!(promoted > 0, "nobody was promoted on evidence: {:?}", summary.transitions);
    let mut files = BTreeMap::new();
    walk(folder.path(), folder.path(), &mut files);
    files
});

/// Windows of an hour are enough to see that they add up.
pub(crate) fn rules() -> Rules {
    let mut rules = Rules::default();
    rules.windows.base = Span::from_hours(1);
    rules
}

fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, files);
        } else {
            files.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
}

/// A copy of the model's life, to be looked at and spoilt.
pub(crate) struct Estate {
    folder: TempDir,
    pub(crate) store: Disk,
    pub(crate) model: ModelName,
}

impl Estate {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in LIFE.iter() {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let store = Disk::open(folder.path().to_owned(), Durability::Batched).unwrap();
        Estate { folder, store, model: "rain".parse().unwrap() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn verify(&self, heads: &[Head]) -> Verified {
        let files = Globs::new(self.folder.path().to_owned(), Vec::new());
        audit::verify(&self.store, &self.model, &files, heads).unwrap()
    }

    pub(crate) fn head(&self) -> Head {
        audit::head(&self.store, &self.model).unwrap().unwrap()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        journal::read(&self.store, &self.model).unwrap().into_iter().map(|(entry, _)| entry).collect()
    }

    /// Put a changed file in place of a stored one, which is read-only and lies in a folder of its owner.
    pub(crate) fn put(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        let path = self.path(path);
        let _ = fs::remove_file(&path);
        fs::write(path, bytes).unwrap();
    }

    /// Change an entry so that nothing but its meaning is other, and mend the chain behind it.
    pub(crate) fn forge(&self, seq: u64, change: impl Fn(&mut Entry)) {
        let mut parent = None;
        for mut entry in self.entries() {
            if entry.seq == seq {
                change(&mut entry);
            }
            entry.parent = parent;
            let bytes = canonical_json(&entry).unwrap();
            parent = Some(Digest::of(&bytes));
            self.put(format!("governance/rain/journal/{}", journal::file_name(entry.seq)), &bytes);
        }
    }

    pub(crate) fn regent(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regent"));
        command.arg("--workspace").arg(self.folder.path()).args(arguments).env_remove("REGENT_WORKSPACE");
        command.output().unwrap()
    }

    pub(crate) fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let output = self.regent(&[&["-o", "json"], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "regent {arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
