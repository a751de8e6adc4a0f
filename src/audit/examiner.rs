//! Reads what is to be examined and writes down what is wrong; through the store. Nothing that is wrong stops it but the store itself.

use super::{AuditError, Fault, Finding};
use crate::store::{Key, Store, StoreError};
use crate::types::{Digest, Hasher, ModelName};

/// Large files are hashed in pieces, so that memory does not grow with them.
const PIECE: usize = 4 << 20;

/// One examination: where, of which model, and what was found so far.
pub(super) struct Examiner<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) model: &'a ModelName,
    pub(super) findings: Vec<Finding>,
    /// Bytes that were hashed.
    pub(super) bytes: u64,
}

impl<'a> Examiner<'a> {
    pub(super) fn new(store: &'a dyn Store, model: &'a ModelName) -> Self {
        Examiner { store, model, findings: Vec::new(), bytes: 0 }
    }

    /// A key below a folder of this model: `governance/<model>/<rest>`.
    pub(super) fn key(&self, root: &str, rest: &str) -> Result<Key, AuditError> {
        Ok(Key::new(&format!("{root}/{}/{rest}", self.model))?)
    }

    pub(super) fn find(&mut self, file: impl ToString, entry: Option<u64>, fault: Fault, what: impl Into<String>) {
        self.findings.push(Finding { file: file.to_string(), entry, fault, what: what.into() });
    }

    /// What lies in a folder. A link, a device or a name that is no key is a finding, and hides the others.
    pub(super) fn names(&mut self, folder: &Key) -> Result<Vec<String>, AuditError> {
        let (file, what) = match self.store.list_folder(folder) {
            Ok(names) => return Ok(names),
            Err(StoreError::NotAnObject { key }) => (key.to_string(), "it is a link or a device"),
            Err(StoreError::NotAFolder { key }) => (key.to_string(), "it is not a folder"),
            Err(StoreError::Key(error)) => (format!("{folder}/{:?}", error.given), error.reason),
            Err(other) => return Err(other.into()),
        };
        self.find(file, None, Fault::Stranger, what);
        Ok(Vec::new())
    }

    /// All bytes of a file that must be there.
    pub(super) fn bytes(&mut self, key: &Key, entry: Option<u64>) -> Result<Option<Vec<u8>>, AuditError> {
        match self.store.read(key) {
            Ok(bytes) => {
                self.bytes += bytes.len() as u64;
                Ok(Some(bytes))
            }
            Err(error) => self.absent(key, entry, error).map(|()| None),
        }
    }

    /// All bytes of a file that must be there and have this digest.
    pub(super) fn sealed(
        &mut self,
        key: &Key,
        named: Digest,
        entry: Option<u64>,
    ) -> Result<Option<Vec<u8>>, AuditError> {
        let Some(bytes) = self.bytes(key, entry)? else { return Ok(None) };
        Ok(self.compare(key, named, Digest::of(&bytes), entry).then_some(bytes))
    }

    /// Whether a file is there and has this digest; it is read piece by piece.
    pub(super) fn sealed_pieces(&mut self, key: &Key, named: Digest, entry: Option<u64>) -> Result<bool, AuditError> {
        let length = match self.store.len(key) {
            Ok(length) => length,
            Err(error) => return self.absent(key, entry, error).map(|()| false),
        };
        let mut hasher = Hasher::default();
        let mut offset = 0;
        while offset < length {
            let wanted = PIECE.min(usize::try_from(length - offset).unwrap_or(PIECE));
            hasher.update(&self.store.read_range(key, offset, wanted)?);
            offset += wanted as u64;
        }
        self.bytes += length;
        Ok(self.compare(key, named, hasher.finish(), entry))
    }

    fn compare(&mut self, key: &Key, named: Digest, found: Digest, entry: Option<u64>) -> bool {
        if found != named {
            let what = format!("its SHA-256 is {}, stored was {}", found.short(), named.short());
            self.find(key, entry, Fault::Altered, what);
        }
        found == named
    }

    fn absent(&mut self, key: &Key, entry: Option<u64>, error: StoreError) -> Result<(), AuditError> {
        let (fault, what) = match error {
            StoreError::NotFound { .. } => (Fault::Missing, "it is missing"),
            StoreError::NotAnObject { .. } | StoreError::NotAFolder { .. } => {
                (Fault::Stranger, "it is not a regular file, or lies below a link")
            }
            other => return Err(other.into()),
        };
        self.find(key, entry, fault, what);
        Ok(())
    }
}
