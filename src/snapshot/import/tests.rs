//! A file is taken in once, wherever a crash cuts it; a test module.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::registry::VerifiedModel;
use crate::serve::Predictor;
use crate::serve::fixture::a_model;
use crate::store::Memory;
use crate::types::Version;

/// A store that lets so many objects be created, and no more.
struct Cut {
    store: Arc<Memory>,
    left: AtomicU64,
}

impl Store for Cut {
    fn create(&self, key: &Key, body: Body<'_>) -> Result<(), StoreError> {
        let take = |left: u64| left.checked_sub(1);
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
            Ok(_) => self.store.create(key, body),
            Err(_) => {
                let source = std::io::Error::other("the power is gone");
                Err(StoreError::Io { operation: "create", key: key.clone(), source })
            }
        }
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
        self.store.list_folder(folder)
    }
}

fn at(time: &str) -> Timestamp {
    format!("2026-11-21T{time}Z").parse().unwrap()
}

/// Answers of three hours, each with its label.
fn a_file() -> String {
    let row = |number: u128| {
        let (id, hour) = (Uuid::from_u128(number), 7 + number % 3);
        format!("{id},2026-11-21T{hour:02}:10:00Z,9,50,south,true,0.25,1\n")
    };
    let rows: String = (1..=90).map(row).collect();
    format!("request_id,at,temperature,humidity,station,windy,prediction,label\n{rows}")
}

fn take(store: &dyn Store, model: &Predictor, now: Timestamp) -> Result<Imported, SnapshotError> {
    let model: &VerifiedModel = model.model();
    let whose = Whose { reference: model, rules: &WindowRules::DEFAULTS, watched_since: at("06:00:00") };
    import(store, whose, a_file().as_bytes(), now)
}

fn objects(store: &Memory) -> Vec<(Key, Vec<u8>)> {
    let keys = store.list(&Key::new("var").unwrap()).unwrap();
    keys.into_iter().map(|key| (key.clone(), store.read(&key).unwrap())).collect()
}

/// P6: the next run finishes what was begun, under the instant of the first, and there is nothing twice.
#[test]
fn an_import_that_is_cut_anywhere_is_finished_by_the_next() {
    let model = a_model(Version::FIRST, 1.0);
    let whole = Memory::new();
    let imported = take(&whole, &model, at("10:00:00")).unwrap();
    assert_eq!((imported.new, imported.labels, imported.late, imported.already), (90, 90, 0, false));
    let whole = objects(&whole);
    // The note, three hours of events, labels and counts.
    assert_eq!(whole.len(), 6, "{whole:?}");
    for left in 1..6 {
        let store = Arc::new(Memory::new());
        let cut = Cut { store: store.clone(), left: AtomicU64::new(left) };
        assert!(take(&cut, &model, at("10:00:00")).is_err(), "{left} objects were enough");
        let again = take(&*store, &model, at("12:30:00")).unwrap();
        assert_eq!((again.already, again.at), (true, at("10:00:00")));
        assert_eq!(objects(&store), whole, "cut after {left}");
    }
}

/// A file is no replica: no window waits for it, and none is closed by it.
#[test]
fn an_import_neither_closes_a_window_nor_holds_one_up() {
    let (store, model) = (Memory::new(), a_model(Version::FIRST, 1.0));
    take(&store, &model, at("09:11:00")).unwrap();
    let name = model.name();
    let seal = |now| super::super::seal_due(&store, name, &WindowRules::DEFAULTS, at("09:00:00"), None, now).unwrap();
    let grace = WindowRules::DEFAULTS.grace;
    let base = WindowRules::DEFAULTS.base;
    let ten_past = Window::holding(at("09:10:00"), base);
    let before = seal(ten_past.end() + grace - Span::from_secs(1));
    assert!(before.iter().all(|sealed| sealed.window.start < ten_past.start), "closed before its grace was over");
    let after = seal(ten_past.end() + grace);
    let sealed = after.iter().find(|sealed| sealed.window == ten_past).unwrap();
    assert_eq!((sealed.requests, sealed.counts.counted), (30, 30));
    assert!(sealed.silent_replicas.is_empty());
}
