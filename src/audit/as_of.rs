//! A store as it was at an instant: it hides windows sealed and files taken in later, and creates nothing; through the store below.

use serde::Deserialize;

use crate::store::{Body, Key, Store, StoreError};
use crate::types::Timestamp;

/// What the governor could see at an instant, as far as what is stored says when it came.
pub(super) struct AsOf<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) at: Timestamp,
}

/// The part of a stored object that says when it came: of a snapshot or of a note that a file was taken in.
#[derive(Deserialize)]
struct Came {
    #[serde(alias = "sealed_at")]
    at: Timestamp,
}

/// The folder of notes that files were taken in.
const INTAKE: &str = "intake";
/// The folder of sealed windows.
const SNAPSHOTS: &str = "snapshots";

impl AsOf<'_> {
    /// Windows say when they were sealed, and notes when a file was taken in; events and labels say when they happened, and
    /// their readers leave out later ones.
    fn came_later(&self, key: &Key) -> Result<bool, StoreError> {
        if !(is_below(key, SNAPSHOTS) || is_below(key, INTAKE)) || !key.name().ends_with(".json") {
            return Ok(false);
        }
        let bytes = self.store.read(key)?;
        Ok(serde_json::from_slice(&bytes).is_ok_and(|came: Came| came.at > self.at))
    }

    fn then<T>(&self, key: &Key, ask: impl Fn(&dyn Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.came_later(key)? { Err(StoreError::NotFound { key: key.clone() }) } else { ask(self.store) }
    }
}

/// Whether a key lies below `var/<model>/<folder>`.
fn is_below(key: &Key, folder: &str) -> bool {
    let mut segments = key.as_str().split('/');
    segments.next() == Some("var") && segments.nth(1) == Some(folder)
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
        let mut names = self.store.list_folder(folder)?;
        // Windows are looked up by their names, arrivals are listed.
        if is_below(folder, INTAKE) {
            let mut known = Vec::with_capacity(names.len());
            for name in names {
                if !self.came_later(&folder.join(&name)?)? {
                    known.push(name);
                }
            }
            names = known;
        }
        Ok(names)
    }
}
