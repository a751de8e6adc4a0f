//! The keys of a workspace as files of `keys/`, each created once and never changed; a door. An end is a file of its own, so two
//! people who rotate and revoke at once lose neither word. Refuses files that others may read or write.
#![expect(clippy::disallowed_methods, reason = "a door: it reads and creates the files of keys")]

mod ring;
mod secret;

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use ring::{Bearer, Ending, HeldKey, KEY_FORMAT, KeyRecord, KeyState, Ring, Scope, Why};
pub use secret::{Mistyped, Secret};

use super::ServeError;
use crate::types::{Span, Timestamp, read_json};

/// Its owner reads and writes; nobody else does either.
const OWN_FILE: u32 = 0o600;
const OWN_FOLDER: u32 = 0o700;
/// What group and others may do.
const OTHERS: u32 = 0o077;

/// How many keys of one name open at a time: the one in use and the one that takes its place.
pub const LIVE_KEYS: usize = 2;

/// The folder of keys.
#[derive(Debug, Clone)]
pub struct Keys {
    folder: PathBuf,
}

impl Keys {
    /// The keys of the workspace in this folder.
    pub fn of(workspace: &Path) -> Keys {
        Keys { folder: workspace.join("keys") }
    }

    /// Every key there is; none if there is no folder.
    ///
    /// # Errors
    /// A file cannot be read, is none that Regent has written, or may be read or written by others. Nothing is passed over: a key
    /// that somebody revoked must not come back because a file cannot be read.
    pub fn ring(&self) -> Result<Ring, ServeError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ring::default()),
            Err(error) => return Err(failed("list", &self.folder)(error)),
        };
        let (mut records, mut endings) = (Vec::new(), Vec::new());
        for entry in entries {
            let path = entry.map_err(failed("list", &self.folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".json").filter(|stem| !stem.starts_with('.')) else { continue };
            let text = read_own(&path)?;
            match stem.split_once('.') {
                None => records.push(sound(&path, text, |record: &KeyRecord| record.is_sound() && record.id == stem)?),
                Some((id, _)) => {
                    let fits = |ending: &Ending| ending.format_version == KEY_FORMAT && ending.id == id;
                    endings.push(sound(&path, text, fits)?);
                }
            }
        }
        Ok(Ring::of(records, endings))
    }

    /// Keep a key.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(&self, record: &KeyRecord) -> Result<(), ServeError> {
        self.write(&format!("{}.json", record.id), record)
    }

    /// End a key: at once, or once another has taken its place. A second end of the same kind changes nothing.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end(&self, key: &HeldKey, why: Why, at: Timestamp) -> Result<(), ServeError> {
        let (id, kind) = (
            key.record.id.clone(),
            match why {
                Why::Rotated => "rotated",
                Why::Revoked => "revoked",
            },
        );
        let name = format!("{id}.{kind}.json");
        match self.write(&name, &Ending { format_version: KEY_FORMAT, id, why, at }) {
            Err(ServeError::KeyFile { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), ServeError> {
        let path = self.folder.join(name);
        let bytes = serde_json::to_vec_pretty(value).map_err(|error| failed("write", &path)(error.into()))?;
        self.write_new(&path, &bytes).map_err(failed("write", &path))
    }

    /// Whole or not at all, and on disk once it returns.
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match DirBuilder::new().mode(OWN_FOLDER).create(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) => {}
            Ok(()) => self.folder.parent().map_or(Ok(()), |above| File::open(above)?.sync_all())?,
        }
        let mut builder = tempfile::Builder::new();
        let own = Permissions::from_mode(OWN_FILE);
        let mut file = builder.prefix(".tmp-").permissions(own).tempfile_in(&self.folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|failed| failed.error)?;
        File::open(&self.folder)?.sync_all()
    }
}

/// How long both keys open if nobody says: a day is enough to bring a new key everywhere, and short for one that leaked.
pub const OVERLAP: Span = Span::from_days(1);

fn failed<'a>(verb: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> ServeError + 'a {
    move |source| ServeError::KeyFile { verb, path: path.to_owned(), source }
}

fn read_own(path: &Path) -> Result<Vec<u8>, ServeError> {
    let mode = fs::symlink_metadata(path).map_err(failed("read", path))?;
    if !mode.is_file() || mode.mode() & OTHERS != 0 {
        return Err(ServeError::KeyExposed { path: path.to_owned(), mode: mode.mode() & 0o777 });
    }
    fs::read(path).map_err(failed("read", path))
}

fn sound<T: DeserializeOwned>(path: &Path, text: Vec<u8>, fits: impl FnOnce(&T) -> bool) -> Result<T, ServeError> {
    let unreadable = |why: String| ServeError::KeyUnreadable { path: path.to_owned(), why };
    let read: T = read_json(text).map_err(|error| unreadable(error.to_string()))?;
    if fits(&read) { Ok(read) } else { Err(unreadable("its name, its form or its parts do not fit".to_owned())) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn a_folder() -> (tempfile::TempDir, Keys, Secret, KeyRecord) {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::of(folder.path());
        assert_eq!(keys.ring().unwrap(), Ring::default());
        let secret = Secret::from_random(&[3; 32]);
        let record = KeyRecord::of(&secret, "ci".parse().unwrap(), BTreeSet::from([Scope::Read]), now());
        keys.create(&record).unwrap();
        (folder, keys, secret, record)
    }

    #[test]
    fn what_is_kept_is_for_its_owner_and_does_not_hold_the_key() {
        let (folder, keys, secret, record) = a_folder();
        let path = folder.path().join("keys").join(format!("{}.json", record.id));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(folder.path().join("keys")).unwrap().mode() & 0o777, 0o700);
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&secret.reveal()[7..71]), "{text}");
        assert!(keys.ring().unwrap().bearer(&secret, now()).is_some());
        // A key is created once.
        assert!(matches!(keys.create(&record), Err(ServeError::KeyFile { .. })));
    }

    #[test]
    fn an_end_is_said_once_and_the_earlier_one_counts() {
        let (_folder, keys, secret, record) = a_folder();
        let held = keys.ring().unwrap().get(&record.id).unwrap().clone();
        keys.end(&held, Why::Rotated, now() + OVERLAP).unwrap();
        assert!(keys.ring().unwrap().bearer(&secret, now()).is_some());
        keys.end(&held, Why::Revoked, now()).unwrap();
        keys.end(&held, Why::Revoked, now() + OVERLAP).unwrap();
        assert!(keys.ring().unwrap().bearer(&secret, now()).is_none());
    }

    #[test]
    fn files_of_others_and_files_that_do_not_fit_are_refused() {
        let (folder, keys, _, record) = a_folder();
        let folder = folder.path().join("keys");
        let path = folder.join(format!("{}.json", record.id));
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(keys.ring(), Err(ServeError::KeyExposed { mode: 0o644, .. })));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        fs::copy(&path, folder.join("000000000000.json")).unwrap();
        assert!(matches!(keys.ring(), Err(ServeError::KeyUnreadable { .. })), "a key under another name");
        fs::remove_file(folder.join("000000000000.json")).unwrap();
        fs::write(folder.join(format!("{}.revoked.json", record.id)), "{").unwrap();
        fs::set_permissions(folder.join(format!("{}.revoked.json", record.id)), Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(keys.ring(), Err(ServeError::KeyUnreadable { .. })), "an end that cannot be read");
    }
}
