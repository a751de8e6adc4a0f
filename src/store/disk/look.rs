//! Opens and lists what lies in a store's folder, one segment of a key after the other; a door. Never follows a link.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

use crate::store::key::is_unfinished;
use crate::store::{Key, KeyError, StoreError};

/// A link in place of the last segment is an error, never a detour; no descriptor leaks into a child process.
pub(super) const NO_DETOUR: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);
pub(super) const A_FOLDER: OFlags = NO_DETOUR.union(OFlags::RDONLY).union(OFlags::DIRECTORY);
/// `NONBLOCK` so that opening a pipe that lies in the way returns and can be refused.
const A_FILE: OFlags = NO_DETOUR.union(OFlags::RDONLY).union(OFlags::NONBLOCK);

/// What a name in a folder stands for; all else is refused.
pub(super) enum Kind {
    Object,
    Folder,
}

/// Open an object, and say how many bytes it has.
pub(super) fn file(root: &OwnedFd, key: &Key) -> Result<(File, u64), StoreError> {
    let folder = folder_of(root, key).map_err(|error| match error {
        StoreError::NotFound { .. } => StoreError::NotFound { key: key.clone() },
        other => other,
    })?;
    let file = openat(&folder, key.name(), A_FILE, Mode::empty()).map_err(|errno| match errno {
        Errno::NOENT => StoreError::NotFound { key: key.clone() },
        Errno::LOOP | Errno::NXIO => StoreError::NotAnObject { key: key.clone() },
        other => failed("read", key)(other),
    })?;
    let stat = fstat(&file).map_err(failed("read", key))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok((File::from(file), u64::try_from(stat.st_size).unwrap_or_default())),
        _other => Err(StoreError::NotAnObject { key: key.clone() }),
    }
}

/// What lies directly in a folder, in no order; nothing when it is not there.
pub(super) fn children(root: &OwnedFd, key: &Key) -> Result<Vec<(Key, Kind)>, StoreError> {
    let folder = match folder_of(root, key).and_then(|parent| enter(&parent, key)) {
        Err(StoreError::NotFound { .. }) => return Ok(Vec::new()),
        found => found?,
    };
    let mut children = Vec::new();
    for entry in Dir::read_from(&folder).map_err(failed("list", key))? {
        let entry = entry.map_err(failed("list", key))?;
        let name = entry.file_name().to_str().map_err(|_| KeyError {
            given: entry.file_name().to_string_lossy().into_owned(),
            reason: "it is not UTF-8",
        })?;
        if matches!(name, "." | "..") || is_unfinished(name) {
            continue;
        }
        let child = key.join(name)?;
        let kind = match entry.file_type() {
            // Some file systems do not say while listing.
            FileType::Unknown => match statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(errno) => return Err(failed("list", &child)(errno)),
            },
            known => known,
        };
        match kind {
            FileType::RegularFile => children.push((child, Kind::Object)),
            FileType::Directory => children.push((child, Kind::Folder)),
            _other => return Err(StoreError::NotAnObject { key: child }),
        }
    }
    Ok(children)
}

/// Open the folder that holds `key`.
fn folder_of(root: &OwnedFd, key: &Key) -> Result<OwnedFd, StoreError> {
    let mut here = root.try_clone().map_err(failed("open", key))?;
    for folder in key.folders() {
        here = enter(&here, &folder)?;
    }
    Ok(here)
}

/// Open the folder `key` in its open parent.
pub(super) fn enter(parent: &OwnedFd, key: &Key) -> Result<OwnedFd, StoreError> {
    openat(parent, key.name(), A_FOLDER, Mode::empty()).map_err(|errno| match errno {
        Errno::NOENT => StoreError::NotFound { key: key.clone() },
        Errno::NOTDIR | Errno::LOOP => StoreError::NotAFolder { key: key.clone() },
        other => failed("open", key)(other),
    })
}

/// Turns what the system says into what the store says.
pub(super) fn failed<E: Into<io::Error>>(operation: &'static str, key: &Key) -> impl FnOnce(E) -> StoreError {
    let key = key.clone();
    move |source| StoreError::Io { operation, key, source: source.into() }
}
