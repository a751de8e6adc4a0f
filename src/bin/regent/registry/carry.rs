//! `regent registry export` and `import`: a version as one file; a door. A file that is there is never replaced, and a refused
//! archive leaves nothing behind.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use regent::registry::{self, Archive, LARGEST_ARCHIVE, RegistryError};
use regent::store::{Overlay, Store};
use regent::types::{Digest, ModelUri, Version};
use serde_json::json;

use super::sign;
use crate::edge::{Answer, Exit, Failure, Scene, files};

/// What leaves, and where to
#[derive(Debug, Args)]
pub struct Export {
    /// The model, or one of its versions: models:/rain@champion, models:/rain/1.2.0
    model: ModelUri,
    /// The version, unless the model says it
    version: Option<Version>,
    /// The file [default: MODEL-VERSION.tar]
    #[arg(long, value_name = "FILE.tar")]
    out: Option<PathBuf>,
    /// Say what would be written
    #[arg(long)]
    dry_run: bool,
}

impl Export {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let Some(version) = workspace.version(&self.model, self.version)? else {
            let hint = format!(
                "`regent registry list {0}` lists them; models:/{0}@champion is the one that answers",
                self.model
            );
            return Err(Failure::usage("say which version").hint(hint));
        };
        let model = &self.model.model;
        let file = self.out.clone().unwrap_or_else(|| PathBuf::from(format!("{model}-{version}.tar")));
        let archive = registry::export(&workspace.store, model, version)?;
        let bytes = archive.print().map_err(RegistryError::from)?;
        if !self.dry_run {
            create(&file, &bytes)?;
        }
        let (sha256, verb) = (Digest::of(&bytes), if self.dry_run { "would write" } else { "wrote" });
        let text = format!("{verb} {}: {} bytes, SHA-256 {sha256}", file.display(), bytes.len());
        let value = json!({
            "format_version": 1,
            "model": model,
            "version": version,
            "file": file,
            "bytes": bytes.len(),
            "sha256": sha256,
            "dry_run": self.dry_run,
        });
        Ok(Answer::new(text, &value)?.next(format!("regent registry import {}", file.display())))
    }
}

/// What enters
#[derive(Debug, Args)]
pub struct Import {
    /// An archive that `regent registry export` wrote
    #[arg(value_name = "FILE.tar")]
    file: PathBuf,
    /// Say what would be published
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let archive = Archive::read(&bounded(&self.file, LARGEST_ARCHIVE)?).map_err(RegistryError::from)?;
        let (model, version) = (archive.model().clone(), archive.version());
        let rules = workspace.governed(&model)?.rules.signature;
        let rehearsal = Overlay::over(&workspace.store);
        let store: &dyn Store = if self.dry_run { &rehearsal } else { &workspace.store };
        let imported = registry::import(store, archive, &rules)?;
        let text = match (imported.was_there, self.dry_run) {
            (true, _) => format!("{model} {version} is there already, with the same bytes"),
            (false, true) => format!("would publish {model} {version}: {} files", imported.files),
            (false, false) => format!("published {model} {version}: {} files", imported.files),
        };
        let value = json!({
            "format_version": 1,
            "model": model,
            "version": version,
            "digest": imported.digest,
            "files": imported.files,
            "signatures": imported.signatures,
            "signed": sign::value(&imported.signed),
            "was_there": imported.was_there,
            "dry_run": self.dry_run,
        });
        Answer::new(format!("{text}; {}", sign::told(&imported.signed)), &value)
    }
}

/// A regular file's bytes, at most so many: a pipe or a device has no end.
pub fn bounded(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::because(Exit::Usage, format!("read {}", path.display()), error);
    // Looked at before it is opened: opening a pipe waits for its writer.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(Failure::usage(format!("{} is not a regular file", path.display())));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(Failure::plain(
            Exit::Integrity,
            format!("{} has more than {most} bytes, the most that are read", path.display()),
        ));
    }
    Ok(bytes)
}

/// Whole or not at all, and never over another file.
fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    match files::write_new(path, bytes, 0o644) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => same(path, bytes),
        Err(error) => Err(Failure::internal(format!("write {}", path.display()), error)),
    }
}

/// The same version exported twice is the same file.
fn same(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if bounded(path, bytes.len() as u64).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let what = format!("{} is there already and holds something else", path.display());
    Err(Failure::usage(what).hint("name another file: --out FILE.tar"))
}
