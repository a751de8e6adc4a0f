//! A store in a folder of the local file system; a door. Never follows a link, never replaces, never deletes what is finished.

#![expect(clippy::disallowed_methods, reason = "a door: it draws names that no other writer draws")]

mod look;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::fs::{fchmod, fsync, mkdirat, open, openat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::key::{STAGED, TEMPORARY};
use super::{Body, Key, Store, StoreError, keys_in};
use look::{A_FOLDER, Kind, NO_DETOUR, enter, failed};

/// What a finished object may be done to, whatever the umask: read by everyone, written by no one.
const OBJECT_MODE: Mode = Mode::from_raw_mode(0o444);
/// A folder grows by its owner alone, whatever the umask.
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o755);
/// What is unfinished concerns nobody else.
const UNFINISHED_FILE_MODE: Mode = Mode::from_raw_mode(0o600);
const UNFINISHED_FOLDER_MODE: Mode = Mode::from_raw_mode(0o700);

const A_NEW_FILE: OFlags = NO_DETOUR.union(OFlags::WRONLY).union(OFlags::CREATE).union(OFlags::EXCL);

/// What a crash of the machine may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was acknowledged (P14): each create waits for the disk.
    Durable,
    /// What the system had not written yet. Objects still appear whole or not at all while the machine runs.
    Batched,
}

/// A store whose objects are the read-only files of one folder.
#[derive(Debug)]
pub struct Disk {
    root: OwnedFd,
    durability: Durability,
    /// Folders whose own entry this process has seen to the disk, so that it does so once and not at each create.
    settled: Mutex<BTreeSet<Key>>,
    /// Makes names of unfinished files unique: among machines and containers that share a folder, where process ids repeat …
    nonce: u64,
    /// … and among the creates of this value.
    unfinished: AtomicU64,
}

/// Where a name is looked up, and the key it has when it is finished (for errors).
type Place<'a> = (&'a OwnedFd, &'a str, &'a Key);

impl Disk {
    /// The store in the folder `root`, which must be there: a mistyped path must not become an empty workspace.
    ///
    /// # Errors
    /// `Open` when `root` is not a folder that can be read.
    pub fn open(root: PathBuf, durability: Durability) -> Result<Disk, StoreError> {
        // The root itself may be a link: the operator chose it.
        let flags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
        match open(&root, flags, Mode::empty()) {
            Ok(folder) => Ok(Disk {
                root: folder,
                durability,
                settled: Mutex::default(),
                nonce: rand::random(),
                unfinished: AtomicU64::new(0),
            }),
            Err(errno) => Err(StoreError::Open { root, source: errno.into() }),
        }
    }

    /// Open the folder that is to hold `key`, making it and its parents where they are missing.
    fn folder_for(&self, key: &Key) -> Result<OwnedFd, StoreError> {
        let mut here = self.root.try_clone().map_err(failed("open", key))?;
        for folder in key.folders() {
            let inner = match enter(&here, &folder) {
                Err(StoreError::NotFound { .. }) => self.make_folder(&here, &folder)?,
                found => found?,
            };
            self.settle(&here, &folder)?;
            here = inner;
        }
        Ok(here)
    }

    fn make_folder(&self, parent: &OwnedFd, key: &Key) -> Result<OwnedFd, StoreError> {
        let made = match mkdirat(parent, key.name(), FOLDER_MODE) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(failed("make the folder", key)(errno)),
        };
        let inner = enter(parent, key)?;
        if made {
            fchmod(&inner, FOLDER_MODE).map_err(failed("make the folder", key))?;
            self.settled().remove(key);
        }
        Ok(inner)
    }

    /// See to it that a folder's own entry is on disk before anything in it is acknowledged, whoever made the folder.
    fn settle(&self, parent: &OwnedFd, key: &Key) -> Result<(), StoreError> {
        if !self.settled().contains(key) {
            self.sync(parent, key)?;
            self.settled().insert(key.clone());
        }
        Ok(())
    }

    fn settled(&self) -> MutexGuard<'_, BTreeSet<Key>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A failed fsync is final: the kernel may have dropped the pages, and a second call would then report success.
    fn sync(&self, file: impl AsFd, key: &Key) -> Result<(), StoreError> {
        match self.durability {
            Durability::Durable => fsync(file).map_err(failed("write to disk", key)),
            Durability::Batched => Ok(()),
        }
    }

    fn unfinished_name(&self, prefix: &str) -> String {
        let count = self.unfinished.fetch_add(1, Ordering::Relaxed);
        format!("{prefix}{}-{count}-{:016x}", process::id(), self.nonce)
    }

    fn write(&self, (folder, name, key): Place<'_>, body: &mut Body<'_>) -> Result<(), StoreError> {
        let file = openat(folder, name, A_NEW_FILE, UNFINISHED_FILE_MODE).map_err(failed("write", key))?;
        let mut file = File::from(file);
        io::copy(body, &mut file).map_err(failed("write", key))?;
        fchmod(&file, OBJECT_MODE).map_err(failed("write", key))?;
        self.sync(&file, key)
    }

    fn fill(&self, (parent, name, key): Place<'_>, files: Vec<(Key, Body<'_>)>) -> Result<(), StoreError> {
        mkdirat(parent, name, UNFINISHED_FOLDER_MODE).map_err(failed("make the folder", key))?;
        let folder = openat(parent, name, A_FOLDER, Mode::empty()).map_err(failed("open", key))?;
        for (key, mut body) in files {
            self.write((&folder, key.name(), &key), &mut body)?;
        }
        fchmod(&folder, FOLDER_MODE).map_err(failed("make the folder", key))?;
        self.sync(&folder, key)
    }

    /// The one committing line: the finished file or folder gets its name, unless the name is taken.
    fn commit(&self, (folder, unfinished, key): Place<'_>) -> Result<(), StoreError> {
        let named = renameat_with(folder, unfinished, folder, key.name(), RenameFlags::NOREPLACE);
        let outcome = match named {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(StoreError::AlreadyExists { key: key.clone() }),
            Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP) => Err(StoreError::Unsupported { key: key.clone() }),
            Err(errno) => return Err(failed("create", key)(errno)),
        };
        // Also for the one who came second: what he is told is there he may build on, so it must be on disk.
        self.sync(folder, key)?;
        outcome
    }
}

impl Store for Disk {
    fn create(&self, key: &Key, mut body: Body<'_>) -> Result<(), StoreError> {
        let folder = self.folder_for(key)?;
        let name = self.unfinished_name(TEMPORARY);
        let place = (&folder, name.as_str(), key);
        let created = self.write(place, &mut body).and_then(|()| self.commit(place));
        if created.is_err() {
            // Tidiness only: what stays behind is never listed and never read.
            let _ = unlinkat(&folder, &name, AtFlags::empty());
        }
        created
    }

    fn create_all(&self, key: &Key, files: Vec<(String, Body<'_>)>) -> Result<(), StoreError> {
        let keys = keys_in(key, &files)?;
        let parent = self.folder_for(key)?;
        let name = self.unfinished_name(STAGED);
        let place = (&parent, name.as_str(), key);
        let files = keys.iter().cloned().zip(files.into_iter().map(|(_, body)| body)).collect();
        let created = self.fill(place, files).and_then(|()| self.commit(place));
        if created.is_err() {
            discard(&parent, &name, &keys);
        }
        created
    }

    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        let (mut file, _) = look::file(&self.root, key)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed("read", key))?;
        Ok(bytes)
    }

    fn read_range(&self, key: &Key, offset: u64, wanted: usize) -> Result<Vec<u8>, StoreError> {
        let (file, has) = look::file(&self.root, key)?;
        // Looked at before memory is taken: the numbers come from a file's footer, which may lie.
        if offset.checked_add(wanted as u64).is_none_or(|end| end > has) {
            return Err(StoreError::OutOfRange { key: key.clone(), offset, wanted, has });
        }
        let mut bytes = vec![0; wanted];
        file.read_exact_at(&mut bytes, offset).map_err(failed("read", key))?;
        Ok(bytes)
    }

    fn len(&self, key: &Key) -> Result<u64, StoreError> {
        look::file(&self.root, key).map(|(_, length)| length)
    }

    fn list(&self, folder: &Key) -> Result<Vec<Key>, StoreError> {
        let mut found = Vec::new();
        let mut left = vec![folder.clone()];
        while let Some(folder) = left.pop() {
            for (key, kind) in look::children(&self.root, &folder)? {
                match kind {
                    Kind::Object => found.push(key),
                    Kind::Folder => left.push(key),
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn list_folder(&self, folder: &Key) -> Result<Vec<String>, StoreError> {
        let children = look::children(&self.root, folder)?.into_iter();
        let mut names: Vec<_> = children.map(|(key, _)| key.name().to_owned()).collect();
        names.sort_unstable();
        Ok(names)
    }
}

/// Remove an unfinished folder of ours. What cannot be removed is never listed and never read.
fn discard(parent: &OwnedFd, name: &str, keys: &[Key]) {
    if let Ok(folder) = openat(parent, name, A_FOLDER, Mode::empty()) {
        for key in keys {
            let _ = unlinkat(&folder, key.name(), AtFlags::empty());
        }
        let _ = unlinkat(parent, name, AtFlags::REMOVEDIR);
    }
}

#[cfg(test)]
mod tests;
