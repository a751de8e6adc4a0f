//! What every store promises, as tests; each store runs the whole suite with `promises!(how to make one)`.

use std::io::{self, Read};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Body, Key, Store, StoreError};

/// Run every promise on the stores that `$make` makes; it returns a store and whatever must live as long.
macro_rules! promises {
    ($make:expr; $($promise:ident)*) => {
        $(
            #[test]
            fn $promise() {
                let (store, _alive) = $make;
                $crate::store::promises::$promise(&store);
            }
        )*
    };
    ($make:expr) => {
        $crate::store::promises::promises! {
            $make;
            an_object_is_created_once
            what_was_created_is_read_back
            of_racing_creators_exactly_one_wins
            of_racing_folders_exactly_one_wins
            a_folder_appears_whole_or_not_at_all
            a_reader_never_sees_a_part
            a_body_that_fails_leaves_nothing
            lists_are_complete_and_sorted
            what_is_missing_is_not_found
            an_object_is_no_folder_and_a_folder_no_object
            a_range_is_exact
        }
    };
}
pub(super) use promises;

pub(super) fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn put(store: &dyn Store, text: &str) {
    store.create(&key(text), text.into()).unwrap();
}

fn listed(store: &dyn Store, folder: &str) -> Vec<String> {
    store.list(&key(folder)).unwrap().iter().map(Key::to_string).collect()
}

/// So many bytes that no two places look alike.
fn many_bytes(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Gives a few bytes and then fails, as a source file on a broken disk would.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let given = self.0.min(buffer.len());
        self.0 -= given;
        if given == 0 { Err(io::Error::other("broken")) } else { Ok(given) }
    }
}

pub(super) fn an_object_is_created_once(store: &dyn Store) {
    put(store, "a/b");
    let again = store.create(&key("a/b"), "other".into());
    assert!(matches!(again, Err(StoreError::AlreadyExists { key: taken }) if taken == key("a/b")));
    assert_eq!(store.read(&key("a/b")).unwrap(), b"a/b");
    let folder = store.create(&key("a"), "other".into());
    assert!(matches!(folder, Err(StoreError::AlreadyExists { .. })), "a folder's name was taken");
    assert_eq!(listed(store, "a"), ["a/b"]);
}

pub(super) fn what_was_created_is_read_back(store: &dyn Store) {
    for (name, count) in [("top", 0), ("a/empty", 0), ("a/one", 1), ("a/b/c/large", 10 << 20)] {
        let bytes = many_bytes(count);
        store.create(&key(name), Body::Stream(&mut bytes.as_slice())).unwrap();
        assert!(store.read(&key(name)).unwrap() == bytes, "{name} changed");
        assert_eq!(store.len(&key(name)).unwrap(), count as u64);
        assert!(store.exists(&key(name)).unwrap());
    }
}

/// Four threads call `create` at the same moment, in many rounds; returns who won each round.
fn race(rounds: usize, create: impl Fn(usize, u8) -> Result<(), StoreError> + Sync) -> Vec<u8> {
    let barrier = Barrier::new(4);
    // Nothing is judged before all have come home: a panic in between would leave the others waiting at the barrier.
    let run = |me: u8| -> Vec<Result<(), StoreError>> {
        let attempt = |round| {
            barrier.wait();
            create(round, me)
        };
        (0..rounds).map(attempt).collect()
    };
    let outcomes = thread::scope(|scope| {
        let threads = [0, 1, 2, 3].map(|me| scope.spawn(move || run(me)));
        threads.map(|thread| thread.join().unwrap())
    });
    let mut winners = vec![Vec::new(); rounds];
    for (me, rounds) in (0..).zip(outcomes) {
        for (round, outcome) in rounds.into_iter().enumerate() {
            match outcome {
                Ok(()) => winners[round].push(me),
                Err(StoreError::AlreadyExists { .. }) => {}
                Err(other) => panic!("round {round}: {other:?}"),
            }
        }
    }
    assert!(winners.iter().all(|winners| winners.len() == 1), "winners of each round: {winners:?}");
    winners.concat()
}

pub(super) fn of_racing_creators_exactly_one_wins(store: &dyn Store) {
    let name = |round: usize| key(&format!("race/{}/{round}", round % 7));
    let winners = race(50, |round, me| store.create(&name(round), (&[me; 1000]).into()));
    for (round, winner) in winners.into_iter().enumerate() {
        assert_eq!(store.read(&name(round)).unwrap(), [winner; 1000]);
    }
    assert_eq!(listed(store, "race").len(), 50, "a loser left something behind");
}

pub(super) fn of_racing_folders_exactly_one_wins(store: &dyn Store) {
    let name = |round: usize| key(&format!("race/{round}"));
    let winners = race(20, |round, me| {
        let files = ["a", "b"].map(|file| (file.to_owned(), Body::from(std::slice::from_ref(&me)))).into();
        // Each creator also has a file of its own, so that a mixture would be seen.
        let own = (format!("of-{me}"), Body::from("mine"));
        store.create_all(&name(round), Vec::into_iter(files).chain([own]).collect())
    });
    for (round, winner) in winners.into_iter().enumerate() {
        assert_eq!(store.list_folder(&name(round)).unwrap(), ["a", "b", &format!("of-{winner}")]);
        assert_eq!(store.read(&name(round).join("b").unwrap()).unwrap(), [winner]);
    }
    assert_eq!(store.list_folder(&key("race")).unwrap().len(), 20);
}

/// Files that hold their own names.
fn files(names: &[&'static str]) -> Vec<(String, Body<'static>)> {
    names.iter().map(|name| ((*name).to_owned(), Body::from(*name))).collect()
}

pub(super) fn a_folder_appears_whole_or_not_at_all(store: &dyn Store) {
    let folder = key("registry/rain/1.0.0");
    let mut broken = Broken(100_000);
    let with_broken = vec![("a".to_owned(), "a".into()), ("b".to_owned(), Body::Stream(&mut broken))];
    assert!(matches!(store.create_all(&folder, with_broken), Err(StoreError::Io { .. })));
    assert!(matches!(store.create_all(&folder, files(&[])), Err(StoreError::NoObjects { .. })));
    let twice = store.create_all(&folder, files(&["a", "a"]));
    assert!(matches!(twice, Err(StoreError::GivenTwice { .. })));
    for outside in ["../a", "a/b", "..", "/etc/passwd", "", ".tmp-a"] {
        let refused = store.create_all(&folder, files(&["a", outside]));
        assert!(matches!(refused, Err(StoreError::Key(_))), "{outside:?} was taken");
    }
    assert!(!store.exists(&folder).unwrap());
    assert!(listed(store, "registry").is_empty());

    store.create_all(&folder, files(&["b", "a"])).unwrap();
    assert_eq!(listed(store, "registry"), ["registry/rain/1.0.0/a", "registry/rain/1.0.0/b"]);
    assert_eq!(store.read(&folder.join("b").unwrap()).unwrap(), b"b");
    let again = store.create_all(&folder, files(&["c"]));
    assert!(matches!(again, Err(StoreError::AlreadyExists { key }) if key == folder));
    put(store, "registry/file");
    let over_a_file = store.create_all(&key("registry/file"), files(&["a"]));
    assert!(matches!(over_a_file, Err(StoreError::AlreadyExists { .. })));
    assert_eq!(listed(store, "registry").len(), 3);
}

pub(super) fn a_reader_never_sees_a_part(store: &dyn Store) {
    let (whole, done) = (many_bytes(300_000), AtomicBool::new(false));
    let names: Vec<Key> = (0..20).map(|round| key(&format!("polled/{round}"))).collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            for name in &names {
                store.create(name, Body::Stream(&mut whole.as_slice())).unwrap();
            }
            done.store(true, Ordering::SeqCst);
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                for name in store.list(&key("polled")).unwrap() {
                    assert!(store.read(&name).unwrap() == whole, "{name} was listed before it was whole");
                }
            }
        });
        for name in &names {
            let found = loop {
                match store.read(name) {
                    Err(StoreError::NotFound { .. }) => thread::yield_now(),
                    found => break found.unwrap(),
                }
            };
            assert!(found == whole, "{name} was read before it was whole");
        }
    });
}

pub(super) fn a_body_that_fails_leaves_nothing(store: &dyn Store) {
    let failed = store.create(&key("a/b"), Body::Stream(&mut Broken(100_000)));
    assert!(matches!(failed, Err(StoreError::Io { .. })));
    assert!(!store.exists(&key("a/b")).unwrap());
    assert!(listed(store, "a").is_empty());
    put(store, "a/b");
}

pub(super) fn lists_are_complete_and_sorted(store: &dyn Store) {
    let names = ["p/a-b", "p/a/z", "p/a/b/c", "p/a.b", "p/date=2026-11-21/hour=10/r-1.parquet", "p/é", "pq/a", "o"];
    for name in names {
        put(store, name);
    }
    let mut below: Vec<_> = names.into_iter().filter(|name| name.starts_with("p/")).collect();
    below.sort_unstable();
    assert_eq!(listed(store, "p"), below);
    assert_eq!(listed(store, "p/a"), ["p/a/b/c", "p/a/z"]);
    let children = store.list_folder(&key("p")).unwrap();
    assert_eq!(children, ["a", "a-b", "a.b", "date=2026-11-21", "é"]);
    assert!(listed(store, "nowhere/at/all").is_empty());
    assert!(store.list_folder(&key("nowhere")).unwrap().is_empty());
}

pub(super) fn what_is_missing_is_not_found(store: &dyn Store) {
    put(store, "a/b");
    for name in ["x", "a/x", "x/y/z", "a/bb"] {
        let missing = |error| matches!(error, Some(StoreError::NotFound { key: missed }) if missed == key(name));
        assert!(missing(store.read(&key(name)).err()), "{name}");
        assert!(missing(store.len(&key(name)).err()), "{name}");
        assert!(missing(store.read_range(&key(name), 0, 0).err()), "{name}");
        assert!(!store.exists(&key(name)).unwrap());
    }
}

pub(super) fn an_object_is_no_folder_and_a_folder_no_object(store: &dyn Store) {
    put(store, "a/b");
    let no_folder = |error| matches!(error, Some(StoreError::NotAFolder { key: at }) if at == key("a/b"));
    assert!(no_folder(store.create(&key("a/b/c"), "x".into()).err()));
    assert!(no_folder(store.create_all(&key("a/b/c"), vec![("d".into(), "x".into())]).err()));
    assert!(no_folder(store.read(&key("a/b/c")).err()));
    assert!(no_folder(store.list(&key("a/b")).err()));
    assert!(no_folder(store.list_folder(&key("a/b/c/d")).err()));
    assert!(matches!(store.read(&key("a")), Err(StoreError::NotAnObject { key: at }) if at == key("a")));
    assert!(store.exists(&key("a")).unwrap());
}

pub(super) fn a_range_is_exact(store: &dyn Store) {
    store.create(&key("a"), "0123456789".into()).unwrap();
    let range = |offset, wanted| store.read_range(&key("a"), offset, wanted);
    assert_eq!(range(0, 10).unwrap(), b"0123456789");
    assert_eq!(range(7, 3).unwrap(), b"789");
    assert_eq!(range(10, 0).unwrap(), b"");
    for (offset, wanted) in [(0, 11), (10, 1), (11, 0), (u64::MAX, 1), (1, usize::MAX)] {
        assert!(matches!(range(offset, wanted), Err(StoreError::OutOfRange { has: 10, .. })), "{offset} {wanted}");
    }
}
