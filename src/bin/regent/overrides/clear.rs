//! `regent override clear`: an order is taken back and kept; a door. It moves a file that a person wrote, because a person says so.

use std::fs;
use std::io;
use std::path::Path;

use clap::Args;
use regent::govern::{Override, overrides};
use regent::store::{Key, Store};
use regent::types::ModelName;
use regent::yaml;
use serde_json::json;

use super::known;
use crate::edge::{Answer, Failure, Scene, Workspace, files};

/// Which order is taken back
#[derive(Debug, Args)]
pub struct Clear {
    /// The model
    model: ModelName,
    /// The order's id, or the name of its file if it cannot be read
    id: String,
    /// Say what would be moved
    #[arg(long)]
    dry_run: bool,
}

impl Clear {
    pub(super) fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        known(&workspace, &self.model)?;
        let file = self.find(&workspace.store)?;
        let kept = format!("governance/{}/cleared/{}-{}", self.model, scene.now.compact(), file.name());
        if !self.dry_run {
            set_aside(&workspace, &file, &kept)?;
        }
        let verb = if self.dry_run { "would move" } else { "moved" };
        let value = json!({
            "format_version": 1, "model": self.model, "file": file.as_str(), "kept": kept, "dry_run": self.dry_run,
        });
        Ok(Answer::new(format!("{verb} {file} to {kept}"), &value)?.next("governor"))
    }

    /// The file that has this name, or holds the order with this id. Files beside it that cannot be read hinder nobody.
    fn find(&self, store: &dyn Store) -> Result<Key, Failure> {
        let folder = overrides::folder(&self.model)?;
        let (mut ids, mut found) = (Vec::new(), None);
        for name in store.list_folder(&folder)? {
            let key = folder.join(&name)?;
            let order = store.read(&key).ok().and_then(|bytes| yaml::read::<Override>(&name, bytes).ok());
            let id = order.map_or_else(|| name.clone(), |order| order.id);
            if name == self.id || id == self.id {
                found = Some(key);
            }
            ids.push(id);
        }
        let there = if ids.is_empty() { "none stands".to_owned() } else { format!("there are {}", ids.join(", ")) };
        found.ok_or_else(|| Failure::usage(format!("{} has no order `{}`; {there}", self.model, self.id)))
    }
}

/// Move a file to where it orders nothing. Regent deletes nothing: what was ordered is kept, also what nobody could read.
fn set_aside(workspace: &Workspace, file: &Key, kept: &str) -> Result<(), Failure> {
    let (from, to) = (workspace.root.join(file.as_str()), workspace.root.join(kept));
    let failed = |error: io::Error| Failure::internal(format!("move {file} to {kept}"), error);
    let folder_of = |path: &Path| path.parent().map_or_else(|| workspace.root.clone(), Path::to_owned);
    files::make_folder(&folder_of(&to)).map_err(failed)?;
    // A second name, then without the first: a crash in between leaves the order standing, and nothing is overwritten.
    let same = || Ok(fs::read(&from)? == fs::read(&to)?);
    match fs::hard_link(&from, &to) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && same().map_err(failed)? => {}
        Err(error) => return Err(failed(error)),
    }
    // Neither may be undone by a power cut: an order that somebody took back must not come again.
    files::sync(&folder_of(&to)).map_err(failed)?;
    fs::remove_file(&from).map_err(failed)?;
    files::sync(&folder_of(&from)).map_err(failed)
}
