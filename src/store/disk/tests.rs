//! The promises of a store on disk, and those that only a disk can break.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::store::promises::key;

fn a_store(durability: Durability) -> (Disk, TempDir) {
    let folder = TempDir::new().unwrap();
    (Disk::open(folder.path().to_owned(), durability).unwrap(), folder)
}

mod durable {
    use super::*;
    crate::store::promises::promises!(a_store(Durability::Durable));
}

mod batched {
    use super::*;
    crate::store::promises::promises!(a_store(Durability::Batched));
}

fn two_files() -> Vec<(String, Body<'static>)> {
    vec![("a".into(), "1".into()), ("b".into(), "2".into())]
}

/// Everything in a folder and below, with permissions: `drwxr-xr-x` is `755`.
fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let metadata = entry.metadata().unwrap();
        found.push((entry.file_name().into_string().unwrap(), metadata.permissions().mode() & 0o7777));
        if metadata.is_dir() {
            found.extend(modes(&entry.path()));
        }
    }
    found.sort();
    found
}

/// The umask belongs to the whole process, so this test runs itself in a child under each.
#[test]
fn permissions_do_not_depend_on_the_umask() {
    const WORKSPACE: &str = "REGENT_TEST_UMASK_WORKSPACE";
    if let Ok(workspace) = std::env::var(WORKSPACE) {
        let store = Disk::open(workspace.into(), Durability::Durable).unwrap();
        store.create(&key("journal/1.json"), "{}".into()).unwrap();
        store.create_all(&key("registry/1.0.0"), two_files()).unwrap();
        return;
    }
    for umask in ["000", "022", "077"] {
        let workspace = TempDir::new().unwrap();
        let name = "store::disk::tests::permissions_do_not_depend_on_the_umask";
        let status = Command::new("sh")
            .args(["-c", &format!("umask {umask}; exec \"$0\" --exact {name} --quiet")])
            .arg(std::env::current_exe().unwrap())
            .env(WORKSPACE, workspace.path())
            .output()
            .unwrap();
        assert!(status.status.success(), "under {umask}: {status:?}");
        let expected =
            [("1.0.0", 0o755), ("1.json", 0o444), ("a", 0o444), ("b", 0o444), ("journal", 0o755), ("registry", 0o755)];
        assert_eq!(modes(workspace.path()), expected.map(|(name, mode)| (name.to_owned(), mode)), "under {umask}");
    }
}

#[test]
fn what_a_crash_left_behind_is_ignored_and_left_alone() {
    let (store, folder) = a_store(Durability::Durable);
    let journal = folder.path().join("journal");
    fs::create_dir_all(journal.join(".staged-1-2-3")).unwrap();
    fs::write(journal.join(".staged-1-2-3/a"), "half").unwrap();
    fs::write(journal.join(".tmp-1-2-3"), "half").unwrap();
    store.create(&key("journal/1"), "1".into()).unwrap();
    assert_eq!(store.list(&key("journal")).unwrap(), [key("journal/1")]);
    assert_eq!(store.list_folder(&key("journal")).unwrap(), ["1"]);
    assert!(journal.join(".tmp-1-2-3").exists() && journal.join(".staged-1-2-3/a").exists());
}

#[test]
fn whoever_fails_tidies_up_after_himself() {
    let (store, folder) = a_store(Durability::Durable);
    store.create(&key("a"), "1".into()).unwrap();
    store.create_all(&key("b"), two_files()).unwrap();
    store.create(&key("a"), "2".into()).unwrap_err();
    store.create_all(&key("b"), two_files()).unwrap_err();
    let names: Vec<_> = modes(folder.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "a", "b", "b"]);
}

#[test]
fn links_are_refused_and_never_followed() {
    let (store, folder) = a_store(Durability::Durable);
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    symlink(outside.path().join("secret"), folder.path().join("in/file")).unwrap();
    symlink(outside.path(), folder.path().join("folder")).unwrap();
    symlink("nowhere", folder.path().join("dangling")).unwrap();

    assert!(matches!(store.read(&key("in/file")), Err(StoreError::NotAnObject { .. })));
    assert!(matches!(store.read(&key("dangling")), Err(StoreError::NotAnObject { .. })));
    assert!(matches!(store.read(&key("folder/secret")), Err(StoreError::NotAFolder { .. })));
    assert!(matches!(store.list(&key("in")), Err(StoreError::NotAnObject { key: at }) if at == key("in/file")));
    assert!(matches!(store.list(&key("folder")), Err(StoreError::NotAFolder { .. })));
    assert!(matches!(store.create(&key("folder/new"), "x".into()), Err(StoreError::NotAFolder { .. })));
    assert!(matches!(store.create(&key("dangling"), "x".into()), Err(StoreError::AlreadyExists { .. })));
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn a_pipe_is_refused_without_waiting_for_its_writer() {
    let (store, folder) = a_store(Durability::Durable);
    let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    assert!(matches!(store.read(&key("pipe")), Err(StoreError::NotAnObject { .. })));
}

#[test]
fn a_name_that_is_no_key_is_an_error_and_not_overlooked() {
    let (store, folder) = a_store(Durability::Durable);
    fs::create_dir(folder.path().join("bundle")).unwrap();
    fs::write(folder.path().join("bundle/extra\nline"), "x").unwrap();
    assert!(matches!(store.list(&key("bundle")), Err(StoreError::Key(_))));
}

#[test]
fn a_file_is_no_workspace() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let opened = Disk::open(file.path().to_owned(), Durability::Durable);
    assert!(matches!(opened, Err(StoreError::Open { .. })), "{opened:?}");
}

#[test]
fn a_mistyped_root_does_not_become_a_store() {
    let folder = TempDir::new().unwrap();
    let mistyped = folder.path().join("wrokspace");
    let error = Disk::open(mistyped.clone(), Durability::Durable).unwrap_err();
    assert_eq!(error.to_string(), format!("open the store {}", mistyped.display()));
    assert!(!mistyped.exists());
}

#[test]
fn a_folder_that_an_operator_archived_is_made_again() {
    let (store, folder) = a_store(Durability::Durable);
    store.create(&key("events/date=1/a"), "1".into()).unwrap();
    fs::remove_dir_all(folder.path().join("events")).unwrap();
    store.create(&key("events/date=1/a"), "2".into()).unwrap();
    assert_eq!(store.read(&key("events/date=1/a")).unwrap(), b"2");
}
