//! A store that reads another and writes to memory alone, so that a rehearsal is the real thing and leaves no trace; pure
//! over the store below. It deletes nothing and hides nothing.

use super::{Body, Key, Memory, Store, StoreError};

/// What `--dry-run` and `status` are given instead of the workspace's store.
pub struct Overlay<'a> {
    below: &'a dyn Store,
    above: Memory,
}

impl<'a> Overlay<'a> {
    /// A store that begins as `below` is, and under which `below` stays as it is.
    pub fn over(below: &'a dyn Store) -> Self {
        Overlay { below, above: Memory::new() }
    }

    /// Refuse to create what is there below, or below an object that is there.
    fn refuse_what_is_below(&self, key: &Key) -> Result<(), StoreError> {
        for folder in key.folders() {
            if self.below.len(&folder).is_ok() {
                return Err(StoreError::NotAFolder { key: folder });
            }
        }
        match self.below.exists(key)? {
            true => Err(StoreError::AlreadyExists { key: key.clone() }),
            false => Ok(()),
        }
    }

    /// What is above, or else what is below.
    fn either<T>(&self, ask: impl Fn(&dyn Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match ask(&self.above) {
            Err(StoreError::NotFound { .. }) => ask(self.below),
            found => found,
        }
    }

    /// What is above together with what is below, in order.
    fn both<T: Ord>(&self, ask: impl Fn(&dyn Store) -> Result<Vec<T>, StoreError>) -> Result<Vec<T>, StoreError> {
        let mut all = ask(&self.above)?;
        all.extend(ask(self.below)?);
        all.sort();
        all.dedup();
        Ok(all)
    }
}

impl Store for Overlay<'_> {
    fn create(&self, key: &Key, body: Body<'_>) -> Result<(), StoreError> {
        self.refuse_what_is_below(key)?;
        self.above.create(key, body)
    }

    fn create_all(&self, folder: &Key, files: Vec<(String, Body<'_>)>) -> Result<(), StoreError> {
        self.refuse_what_is_below(folder)?;
        self.above.create_all(folder, files)
    }

    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        self.either(|store| store.read(key))
    }

    fn read_range(&self, key: &Key, offset: u64, wanted: usize) -> Result<Vec<u8>, StoreError> {
        self.either(|store| store.read_range(key, offset, wanted))
    }

    fn len(&self, key: &Key) -> Result<u64, StoreError> {
        self.either(|store| store.len(key))
    }

    fn list(&self, folder: &Key) -> Result<Vec<Key>, StoreError> {
        self.both(|store| store.list(folder))
    }

    fn list_folder(&self, folder: &Key) -> Result<Vec<String>, StoreError> {
        self.both(|store| store.list_folder(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::promises::{key, promises};

    // Below lies nothing: the overlay itself keeps every promise.
    promises!((Overlay::over(Box::leak(Box::new(Memory::new()))), ()));

    #[test]
    fn a_rehearsal_sees_both_and_leaves_no_trace() {
        let below = Memory::new();
        below.create(&key("a/below"), "1".into()).unwrap();
        let overlay = Overlay::over(&below);
        overlay.create(&key("a/above"), "2".into()).unwrap();
        assert_eq!(overlay.read(&key("a/below")).unwrap(), b"1");
        assert_eq!(overlay.read(&key("a/above")).unwrap(), b"2");
        assert_eq!(overlay.list_folder(&key("a")).unwrap(), ["above", "below"]);
        assert_eq!(below.list(&key("a")).unwrap(), [key("a/below")]);
    }

    #[test]
    fn what_is_below_cannot_be_created_again() {
        let below = Memory::new();
        below.create(&key("a/b"), "1".into()).unwrap();
        let overlay = Overlay::over(&below);
        assert!(matches!(overlay.create(&key("a/b"), "2".into()), Err(StoreError::AlreadyExists { .. })));
        assert!(matches!(overlay.create(&key("a"), "2".into()), Err(StoreError::AlreadyExists { .. })));
        assert!(matches!(overlay.create(&key("a/b/c"), "2".into()), Err(StoreError::NotAFolder { .. })));
    }
}
