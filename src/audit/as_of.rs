//! A store as it was at an instant: it hides windows that were sealed later and creates nothing; through the store below.

use serde::Deserialize;

use crate::store::{Body, Key, Store, StoreError};
use crate::types::Timestamp;

/// What the governor could see at an instant, as far as what is stored says when it came.
pub(super) struct AsOf<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) at: Timestamp,
}

/// The part of a snapshot that says when it was sealed.
#[derive(Deserialize)]
struct Sealed {
    sealed_at: Timestamp,
}

impl AsOf<'_> {
    /// Windows say when they were sealed; events and labels say when they happened, and their readers leave out later ones.
    fn came_later(&self, key: &Key) -> Result<bool, StoreError> {
        if !key.as_str().split('/').any(|segment| segment == "snapshots") || !key.name().ends_with(".json") {
            return Ok(false);
        }
        let bytes = self.store.read(key)?;
        Ok(serde_json::from_slice(&bytes).is_ok_and(|sealed: Sealed| sealed.sealed_at > self.at))
    }

    fn then<T>(&self, key: &Key, ask: impl Fn(&dyn Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.came_later(key)? { Err(StoreError::NotFound { key: key.clone() }) } else { ask(self.store) }
    }
}

impl Store for AsOf<'_> {
    /// The past takes nothing in: whoever creates finds that another was faster.
    fn create(&self, key: &Key, _body: Body<'_>) -> Result<(), StoreError> {
        Err(StoreError::AlreadyExists { key: key.clone() })
    }

    fn create_all(&self, folder: &Key, _files: Vec<(String, Body<'_>)>) -> Result<(), StoreError> {
        Err(StoreError::AlreadyExists { key: folder.clone() })
    }

    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        self.then(key, |store| store.read(key))
    }

    fn read_range(&self, key: &Key, offset: u64, wanted: usize) -> Result<Vec<u8>, StoreError> {
        self.then(key, |store| store.read_range(key, offset, wanted))
    }

    fn len(&self, key: &Key) -> Result<u64, StoreError> {
        self.then(key, |store| store.len(key))
    }

    fn list(&self, folder: &Key) -> Result<Vec<Key>, StoreError> {
        self.store.list(folder)
    }

    fn list_folder(&self, folder: &Key) -> Result<Vec<String>, StoreError> {
        self.store.list_folder(folder)
    }
}
