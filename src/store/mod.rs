//! The only way to bytes: create, read, list. Nothing stored is ever overwritten or deleted (P1).
//!
//! An object is a key and bytes that never change; a folder is what keys have in common. That is what a directory gives
//! and what S3 gives with `If-None-Match: *`, so a later door is only a door. There is no verb to overwrite, append,
//! rename or delete, and no lock: creating an object if it is absent is the one compare-and-swap.

mod disk;
mod key;
mod memory;
mod overlay;
#[cfg(test)]
mod promises;

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::PathBuf;

pub use disk::{Disk, Durability};
pub use key::{Key, KeyError};
pub use memory::Memory;
pub use overlay::Overlay;

/// What an object is to hold.
pub enum Body<'a> {
    /// Bytes at hand.
    Bytes(&'a [u8]),
    /// Bytes that are read while they are written, so that a large object is never held in memory.
    Stream(&'a mut dyn Read),
}

impl<'a, B: AsRef<[u8]> + ?Sized> From<&'a B> for Body<'a> {
    fn from(bytes: &'a B) -> Self {
        Body::Bytes(bytes.as_ref())
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Body::Bytes(bytes) => bytes.read(buffer),
            Body::Stream(stream) => stream.read(buffer),
        }
    }
}

/// Why the store refused or could not; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody created it first: the only way in which two creators can meet.
    #[error("create {key}: it is already there")]
    AlreadyExists {
        /// What was to be created.
        key: Key,
    },
    /// There is no such object.
    #[error("find {key}: there is no such object")]
    NotFound {
        /// What was looked for.
        key: Key,
    },
    /// A folder is needed where an object is (or, on disk, a link or a device, which are never followed).
    #[error("use {key} as a folder: it is not one")]
    NotAFolder {
        /// What stands in the way.
        key: Key,
    },
    /// An object is needed where a folder is (or, on disk, a link or a device, which are never followed).
    #[error("use {key} as an object: it is not a regular file")]
    NotAnObject {
        /// What was found instead.
        key: Key,
    },
    /// A folder appears with its objects or not at all, so there is none without objects.
    #[error("create {folder}: a folder needs at least one object")]
    NoObjects {
        /// The folder.
        folder: Key,
    },
    /// Two objects of one new folder have the same name.
    #[error("create {key}: it is given twice")]
    GivenTwice {
        /// The object.
        key: Key,
    },
    /// More bytes were asked for than there are.
    #[error("read {wanted} bytes at {offset} of {key}: it has {has}")]
    OutOfRange {
        /// The object.
        key: Key,
        /// Where reading was to begin.
        offset: u64,
        /// How many bytes were asked for.
        wanted: usize,
        /// How many bytes the object has.
        has: u64,
    },
    /// The file system cannot create if absent.
    #[error(
        "create {key}: the file system cannot rename without replacing (renameat2); use a local one: ext4, xfs, btrfs, tmpfs"
    )]
    Unsupported {
        /// What was to be created.
        key: Key,
    },
    /// A text is not a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store itself could not be opened.
    #[error("open the store {}", root.display())]
    Open {
        /// Its folder.
        root: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The world failed.
    #[error("{operation} {key}")]
    Io {
        /// What was being done, as a verb.
        operation: &'static str,
        /// To which object or folder.
        key: Key,
        /// Why it failed.
        source: io::Error,
    },
}

/// Objects that are created once, read and listed.
///
/// Every implementation keeps these promises, and `promises.rs` tests them all:
///
/// - An object appears whole or not at all, with exactly the bytes of its body, and never changes.
/// - Of several creators of one key, in one process or in many, exactly one succeeds; all others get `AlreadyExists`.
/// - A failed create leaves nothing that can be read or listed.
/// - What was created is read and listed by everyone from the moment that `create` returns.
/// - Lists are complete, sorted by bytes, and never show what is unfinished.
pub trait Store: Send + Sync {
    /// Create an object if it is absent.
    ///
    /// # Errors
    /// `AlreadyExists` when the key is taken, by an object or by a folder; `NotAFolder` when a part of its path is an
    /// object; `Io` when the body or the store fails.
    fn create(&self, key: &Key, body: Body<'_>) -> Result<(), StoreError>;

    /// Create a folder with all its objects, whole or not at all; names are single segments.
    ///
    /// # Errors
    /// As [`Store::create`], with `AlreadyExists` for the folder; `NoObjects` and `GivenTwice` for `files` that are no folder.
    fn create_all(&self, folder: &Key, files: Vec<(String, Body<'_>)>) -> Result<(), StoreError>;

    /// All bytes of an object.
    ///
    /// # Errors
    /// `NotFound`; `NotAnObject` for a folder; `NotAFolder` when a part of the path is an object; `Io`.
    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError>;

    /// Exactly `wanted` bytes from `offset` on: for Parquet, whose readers want the end first and then single columns.
    ///
    /// # Errors
    /// As [`Store::read`]; `OutOfRange` when the object ends before.
    fn read_range(&self, key: &Key, offset: u64, wanted: usize) -> Result<Vec<u8>, StoreError>;

    /// How many bytes an object has.
    ///
    /// # Errors
    /// As [`Store::read`].
    fn len(&self, key: &Key) -> Result<u64, StoreError>;

    /// The keys of all objects in `folder` and the folders below it; none when there is no such folder.
    ///
    /// # Errors
    /// `NotAFolder` when `folder` or a part of its path is an object; `NotAnObject` for a link or a device on disk; `Io`.
    fn list(&self, folder: &Key) -> Result<Vec<Key>, StoreError>;

    /// The names of the objects and folders directly in `folder`, so that its cost does not grow with what lies below.
    ///
    /// # Errors
    /// As [`Store::list`].
    fn list_folder(&self, folder: &Key) -> Result<Vec<String>, StoreError>;

    /// Whether an object or a folder has this key.
    ///
    /// # Errors
    /// As [`Store::read`], without `NotFound`.
    fn exists(&self, key: &Key) -> Result<bool, StoreError> {
        match self.len(key) {
            Ok(_) | Err(StoreError::NotAnObject { .. }) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }
}

/// The keys of a new folder's objects, or what is wrong with their names.
fn keys_in(folder: &Key, files: &[(String, Body<'_>)]) -> Result<Vec<Key>, StoreError> {
    if files.is_empty() {
        return Err(StoreError::NoObjects { folder: folder.clone() });
    }
    let mut seen = BTreeSet::new();
    let mut keys = Vec::with_capacity(files.len());
    for (name, _) in files {
        let key = folder.join(name)?;
        if !seen.insert(name) {
            return Err(StoreError::GivenTwice { key });
        }
        keys.push(key);
    }
    Ok(keys)
}
