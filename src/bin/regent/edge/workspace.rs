//! A workspace as the programs open it: its store, its settings, its models and their policies; a door.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use regent::config::{Policy, Settings};
use regent::contract;
use regent::govern::{self, Rules};
use regent::ingest::Globs;
use regent::promote::Context;
use regent::registry;
use regent::store::{Disk, Durability, Store};
use regent::types::{ModelName, ModelUri, Version, Which};
use ulid::Ulid;

use super::files::write_draft;
use super::{Exit, Failure};

/// An open workspace.
pub struct Workspace {
    /// Its folder; the globs of `sources:` begin here.
    pub root: PathBuf,
    /// Its `regent.yaml`, or the defaults.
    pub settings: Settings,
    /// Everything that is created once.
    pub store: Disk,
}

/// A model with its rules, ready to be governed.
pub struct Governed {
    /// The model.
    pub model: ModelName,
    /// Its policy's rules.
    pub rules: Rules,
    /// The files its policy names as `sources:`.
    pub sources: Globs,
}

impl Workspace {
    /// Open the workspace in this folder.
    ///
    /// # Errors
    /// There is no such folder, or its `regent.yaml` is not valid.
    pub fn open(root: &Path) -> Result<Workspace, Failure> {
        let settings: Settings = match read_if_there(&root.join("regent.yaml"))? {
            Some(text) => Settings::read("regent.yaml", &text)?,
            None => Settings::default(),
        };
        // `events:` speaks of events alone. A decision that a power cut could take back, or leave as a file without its bytes,
        // was never made.
        let store = Disk::open(root.to_owned(), Durability::Durable)
            .map_err(|error| Failure::from(error).hint("name a folder that is there: --workspace DIR"))?;
        Ok(Workspace { root: root.to_owned(), settings, store })
    }

    /// The text of a file that people write, such as `contracts/rain.yaml`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn text(&self, path: &str) -> Result<Option<String>, Failure> {
        read_if_there(&self.root.join(path))
    }

    /// Every model there is a contract or a policy of, by name.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn models(&self) -> Result<Vec<ModelName>, Failure> {
        let contracts = names_in(&self.root.join("contracts"))?;
        let contracts = contracts.iter().filter_map(|name| name.strip_suffix(".yaml"));
        let governed = names_in(&self.root.join("governance"))?;
        let registered = names_in(&self.root.join("registry"))?;
        let names: BTreeSet<&str> =
            contracts.chain(governed.iter().map(String::as_str)).chain(registered.iter().map(String::as_str)).collect();
        Ok(names.into_iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Where replicas keep what is not sealed yet.
    pub fn spool(&self) -> PathBuf {
        self.root.join("var/spool")
    }

    /// Whether a replica holds events that are not sealed yet.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn has_spooled(&self) -> Result<bool, Failure> {
        let spool = self.spool();
        for replica in names_in(&spool)? {
            let names = names_in(&spool.join(replica))?;
            if names.iter().any(|name| name.ends_with(".jsonl")) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The model that is meant: the one named, the default of `regent.yaml`, or the only one there is.
    ///
    /// # Errors
    /// None is meant, or there is none.
    pub fn model(&self, named: Option<ModelName>) -> Result<ModelName, Failure> {
        if let Some(model) = named.or_else(|| self.settings.model.clone()) {
            return Ok(model);
        }
        match self.models()?.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Failure::usage("there is no model here").hint("begin with `regent init --example rain`")),
            several => {
                let names: Vec<&str> = several.iter().map(ModelName::as_str).collect();
                let hint = "name it, or write `model:` into regent.yaml";
                Err(Failure::usage(format!("which model? there are {}", names.join(", "))).hint(hint))
            }
        }
    }

    /// The version that a name means, or the one that stands beside it; nothing if neither says.
    ///
    /// # Errors
    /// Both say; nobody stands where the name points; a journal or a folder that cannot be read.
    pub fn version(&self, named: &ModelUri, beside: Option<Version>) -> Result<Option<Version>, Failure> {
        let (Some(which), None) = (named.which, beside) else {
            return match beside {
                Some(beside) if named.which.is_some() => {
                    Err(Failure::usage(format!("the version is given twice: `{named}` and {beside}")))
                }
                beside => Ok(beside),
            };
        };
        let model = &named.model;
        let standing = || govern::fold(&self.store, model);
        let (found, what) = match which {
            Which::Version(version) => (Some(version), ""),
            Which::Newest => (registry::versions(&self.store, model)?.pop(), "version"),
            Which::Champion => (standing()?.champion_version(), "champion"),
            Which::Candidate => (standing()?.candidate.map(|candidate| candidate.version), "candidate"),
        };
        let nobody = || Failure::usage(format!("{model} has no {what} now")).hint(format!("regent status {model}"));
        found.map(Some).ok_or_else(nobody)
    }

    /// The model that was named, or all of them.
    ///
    /// # Errors
    /// As [`Workspace::models`].
    pub fn chosen(&self, named: Option<&ModelName>) -> Result<Vec<ModelName>, Failure> {
        named.map_or_else(|| self.models(), |model| Ok(vec![model.clone()]))
    }

    /// A model's policy; without a file every rule has its default.
    ///
    /// # Errors
    /// The file is not a policy, or not one for what the model predicts.
    pub fn governed(&self, model: &ModelName) -> Result<Governed, Failure> {
        let file = format!("governance/{model}/policy.yaml");
        let policy = match self.text(&file)? {
            Some(text) => {
                let policy = Policy::read(&file, &text)?;
                // A contract that is not there, or cannot be read, is told elsewhere.
                if let Ok(registered) = contract::latest(&self.store, model) {
                    policy.suits(&file, registered.contract.task())?;
                }
                policy
            }
            None => Policy::default(),
        };
        Ok(Governed {
            model: model.clone(),
            rules: policy.rules(),
            sources: Globs::new(self.root.clone(), policy.sources.clone()),
        })
    }

    /// Create a draft that a person is to edit.
    ///
    /// # Errors
    /// It is there already: a draft never replaces what somebody wrote.
    pub fn create_draft(&self, path: &str, text: &str) -> Result<(), Failure> {
        match write_draft(&self.root.join(path), text) {
            Ok(()) => Ok(()),
            // The same draft, asked for again after a crash.
            Err(_) if fs::read(self.root.join(path)).is_ok_and(|there| there == text.as_bytes()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Failure::usage(format!("{path} is there already")).hint("edit it, or give the draft another name"))
            }
            Err(error) => Err(Failure::internal(format!("create {path}"), error)),
        }
    }
}

impl Governed {
    /// Everything a tick of this model needs but the time; `store` is the workspace's own, or one for a rehearsal.
    pub fn context<'a>(&'a self, store: &'a dyn Store, actor: &'a str) -> Context<'a> {
        Context { store, model: &self.model, rules: &self.rules, sources: &self.sources, txn: &transaction, actor }
    }
}

/// A new name for a transaction, unique among all governors and in the order of time.
fn transaction() -> String {
    Ulid::generate().to_string()
}

/// A text, or nothing if there is no such file.
fn read_if_there(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Failure::because(Exit::Invalid, format!("read {}", path.display()), error).hint("save it as UTF-8"))
        }
        Err(error) => Err(Failure::internal(format!("read {}", path.display()), error)),
    }
}

/// The names in a folder; none if there is no such folder.
fn names_in(folder: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error| Failure::internal(format!("list {}", folder.display()), error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let names = entries.map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned()));
    names.collect::<Result<BTreeSet<_>, _>>().map(|names| names.into_iter().collect())
}
