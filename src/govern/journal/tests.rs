//! What a reader of a growing journal may meet.

use super::*;
use crate::store::Memory;

/// A store whose list of the journal misses one entry, as a folder's does that is read while entries are created.
struct Overtaken {
    store: Memory,
    misses: String,
}

impl Store for Overtaken {
    fn create(&self, key: &Key, body: Body<'_>) -> Result<(), StoreError> {
        self.store.create(key, body)
    }

    fn create_all(&self, folder: &Key, files: Vec<(String, Body<'_>)>) -> Result<(), StoreError> {
        self.store.create_all(folder, files)
    }

    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        self.store.read(key)
    }

    fn read_range(&self, key: &Key, offset: u64, wanted: usize) -> Result<Vec<u8>, StoreError> {
        self.store.read_range(key, offset, wanted)
    }

    fn len(&self, key: &Key) -> Result<u64, StoreError> {
        self.store.len(key)
    }

    fn list(&self, folder: &Key) -> Result<Vec<Key>, StoreError> {
        self.store.list(folder)
    }

    fn list_folder(&self, folder: &Key) -> Result<Vec<String>, StoreError> {
        let mut names = self.store.list_folder(folder)?;
        names.retain(|name| *name != self.misses);
        Ok(names)
    }
}

fn a_model() -> ModelName {
    "rain".parse().unwrap()
}

fn with_entries(count: u64, misses: u64) -> Overtaken {
    let store = Overtaken { store: Memory::new(), misses: file_name(misses) };
    let mut parent = None;
    for seq in 1..=count {
        let entry = Entry {
            format_version: FORMAT_VERSION,
            seq,
            parent,
            txn: seq.to_string(),
            actor: "governor".to_owned(),
            engine: "regent".to_owned(),
            inputs: Vec::new(),
            reports: Vec::new(),
            decision: Record::empty(Timestamp::EPOCH),
        };
        match append(&store, &a_model(), &entry).unwrap() {
            Appended::Won(digest) => parent = Some(digest),
            Appended::Lost => panic!("nobody else writes"),
        }
    }
    store
}

#[test]
fn a_list_that_was_overtaken_is_no_broken_chain() {
    for misses in 1..=3 {
        let entries = read(&with_entries(3, misses), &a_model()).unwrap();
        assert_eq!(entries.len(), 3, "the list misses entry {misses}");
    }
}

#[test]
fn what_is_listed_beyond_the_end_is_a_broken_chain() {
    for stray in [file_name(5), "notes.txt".to_owned()] {
        let store = with_entries(3, 9);
        store.create(&folder(&a_model()).unwrap().join(&stray).unwrap(), "{}".into()).unwrap();
        let broken = read(&store, &a_model()).unwrap_err();
        assert!(matches!(broken, GovernError::Chain { seq: 4 }), "{stray}: {broken}");
    }
}

#[test]
fn the_newest_entry_is_found_from_wherever_one_looks() {
    let store = with_entries(3, 9);
    for seen in 0..=3 {
        assert_eq!(newest_after(&store, &a_model(), seen).unwrap(), 3, "from {seen}");
    }
    assert_eq!(newest_after(&Memory::new(), &a_model(), 0).unwrap(), 0);
}

#[test]
fn an_entry_of_a_newer_program_is_not_guessed_at() {
    let store = with_entries(2, 9);
    let (last, digest) = read(&store, &a_model()).unwrap().pop().unwrap();
    let newer = Entry { format_version: FORMAT_VERSION + 1, seq: 3, parent: Some(digest), ..last };
    append(&store, &a_model(), &newer).unwrap();
    let refused = read(&store, &a_model()).unwrap_err();
    assert!(matches!(refused, GovernError::Newer { seq: 3, found: 2 }), "{refused}");
}

/// After a crash nobody knows whether the entry was written: the same one again is no other.
#[test]
fn a_number_is_whose_transaction_wrote_it() {
    let store = with_entries(1, 9);
    let (mine, digest) = read(&store, &a_model()).unwrap().pop().unwrap();
    assert_eq!(append(&store, &a_model(), &mine).unwrap(), Appended::Won(digest));
    let another = Entry { txn: "another".to_owned(), ..mine };
    assert_eq!(append(&store, &a_model(), &another).unwrap(), Appended::Lost);
}
