//! What lies in a workspace, so that two can be compared: every file with its permissions and bytes, and the journal without the
//! name of the transaction, which differs from run to run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::room::Room;

/// Path to permissions and bytes.
pub(crate) type Tree = BTreeMap<String, (u32, Vec<u8>)>;

/// Everything that is finished; what is not, and the spool, which is no object, are left out.
pub(crate) fn read(room: &Room) -> Tree {
    let mut tree = Tree::new();
    walk(room.root(), room.root(), &mut tree);
    tree
}

fn walk(root: &Path, folder: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let path = entry.path();
        if is_unfinished(&name) || path == root.join("var/spool") {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            walk(root, &path, tree);
            continue;
        }
        let key = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
        let bytes = fs::read(&path).unwrap();
        let bytes = if is_entry(&key) { without_transaction(&bytes) } else { bytes };
        tree.insert(key, (mode, bytes));
    }
}

fn is_unfinished(name: &str) -> bool {
    name.starts_with(".tmp-") || name.starts_with(".staged-")
}

fn is_entry(key: &str) -> bool {
    key.contains("/journal/")
}

/// That an entry names the one before it is the doctor's to see; its digest differs with the transaction's name.
fn without_transaction(bytes: &[u8]) -> Vec<u8> {
    let mut entry: Value = serde_json::from_slice(bytes).expect("an entry is whole or not there");
    let fields = entry.as_object_mut().unwrap();
    assert!(fields.remove("txn").is_some() && fields.remove("parent").is_some());
    serde_json::to_vec(&entry).unwrap()
}

/// Where a crash left a workspace, between what was and what should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Left {
    Old,
    Between,
    New,
}

/// Where it was left, or why that is not legal: every file is one of the old or the new ones, byte for byte; nothing old is
/// gone; bundles and datasets are there whole or not at all; and an entry is there only with all that it rests on.
pub(crate) fn judge(old: &Tree, new: &Tree, seen: &Tree) -> Result<Left, String> {
    for (path, found) in seen {
        match (old.get(path), new.get(path)) {
            (Some(known), _) | (None, Some(known)) if known == found => {}
            (None, None) => return Err(format!("{path} is neither of the old state nor of the new one")),
            _ => return Err(format!("{path} has other bytes or permissions than it should")),
        }
    }
    if let Some(gone) = old.keys().find(|path| new.contains_key(*path) && !seen.contains_key(*path)) {
        return Err(format!("{gone} is gone"));
    }
    for folder in whole_folders(new) {
        let inside = |tree: &Tree| tree.keys().filter(|path| path.starts_with(&folder)).count();
        let (wanted, found) = (inside(new), inside(seen));
        if found != 0 && found != wanted {
            return Err(format!("{folder} holds {found} of {wanted} files"));
        }
    }
    entries_rest_on_what_is_there(seen)?;
    Ok(if seen == new {
        Left::New
    } else if seen == old {
        Left::Old
    } else {
        Left::Between
    })
}

/// Bundles and datasets appear whole.
fn whole_folders(tree: &Tree) -> BTreeSet<String> {
    let folder = |path: &String| Some(format!("{}/", path.rsplit_once('/')?.0));
    let whole = |folder: &String| {
        let bundle = folder.starts_with("registry/") && !folder.ends_with("/contracts/");
        bundle || folder.contains("/datasets/")
    };
    tree.keys().filter_map(folder).filter(whole).collect()
}

fn entries_rest_on_what_is_there(seen: &Tree) -> Result<(), String> {
    let entries = seen.iter().filter(|(path, _)| is_entry(path));
    for (place, (path, (_, bytes))) in entries.enumerate() {
        if !path.ends_with(&format!("/{:020}.json", place + 1)) {
            return Err(format!("{path} is not entry {}", place + 1));
        }
        let entry: Value = serde_json::from_slice(bytes).unwrap();
        for input in entry["inputs"].as_array().unwrap() {
            let input = format!("governance/rain/inputs/{}.json", input.as_str().unwrap());
            if !seen.contains_key(&input) {
                return Err(format!("{path} rests on {input}, which is not there"));
            }
        }
    }
    Ok(())
}

/// What differs, in a line, for a test that fails.
pub(crate) fn difference(one: &Tree, other: &Tree) -> String {
    let paths: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let told = paths.into_iter().filter(|path| one.get(*path) != other.get(*path)).map(|path| {
        match (one.get(path), other.get(path)) {
            (Some(_), None) => format!("- {path}"),
            (None, Some(_)) => format!("+ {path}"),
            (Some((a, _)), Some((b, _))) if a != b => format!("~ {path} ({a:o}, {b:o})"),
            _ => format!("~ {path}"),
        }
    });
    told.collect::<Vec<_>>().join(", ")
}
