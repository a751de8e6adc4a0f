//! Chapter 8: an auditor comes. What is stored is what was stored, and whatever is not is found and named.

use std::fs;
use std::path::{Path, PathBuf};

use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng};
use rand_pcg::Pcg64;
use regent::audit::{Finding, Whereabouts};
use regent::govern::{Entry, ReportKind, State, journal};
use regent::types::{Digest, canonical_json};
use serde_json::Value;

use super::estate::{Estate, LIFE};

#[test]
fn what_nobody_touched_is_sound() {
    let estate = Estate::new();
    let verified = estate.verify(&[estate.head()]);
    assert_eq!(verified.findings, []);
    assert_eq!(verified.head, Some(estate.head()));
    assert!(verified.bundles >= 2 && verified.datasets >= 2 && verified.snapshots > 100, "{verified:?}");
    assert!(verified.reports > 20, "{} reports", verified.reports);
    // The replay's source files were never files.
    assert!(verified.sources.iter().all(|source| source.found == Whereabouts::Archived));
}

/// P13: promotion → {shadow report, evaluation} → bundle → {dataset, contract, plan}, each by SHA-256.
#[test]
fn a_promotion_names_its_evaluation_and_its_shadow_report() {
    let estate = Estate::new();
    let promoted = |entry: &Entry| {
        let retires = entry.decision.transitions.iter().any(|step| step.to == State::Retired);
        retires && entry.decision.applied.is_empty()
    };
    let entry = estate.entries().into_iter().find(promoted).unwrap();
    let kinds: Vec<ReportKind> = entry.reports.iter().map(|cited| cited.kind).collect();
    assert!(kinds.contains(&ReportKind::Evaluation) && kinds.contains(&ReportKind::Shadow), "{kinds:?}");
    for kind in [ReportKind::Evaluation, ReportKind::Shadow] {
        let estate = Estate::new();
        estate.forge(entry.seq, |entry| entry.reports.retain(|cited| cited.kind != kind));
        let findings = estate.verify(&[]).findings;
        let what = format!("cites no {kind}");
        assert!(
            findings.iter().any(|found| found.entry == Some(entry.seq) && found.what.contains(&what)),
            "{findings:?}"
        );
    }
}

/// One thing a careless or a malicious colleague does; the files and the entries that a finding may name.
struct Edit {
    what: String,
    named: Vec<PathBuf>,
    entries: Vec<u64>,
}

/// The number of an entry's file.
fn number(path: &Path) -> Option<u64> {
    let inside = path.starts_with("governance/rain/journal");
    path.file_stem().filter(|_| inside)?.to_str()?.parse().ok()
}

fn edit(estate: &Estate, random: &mut Pcg64) -> Edit {
    let all: Vec<&PathBuf> = LIFE
        .keys()
        .filter(|path| {
            let sealed = ["governance/rain/journal", "governance/rain/inputs", "registry/rain", "var/rain/datasets"];
            sealed.iter().any(|folder| path.starts_with(folder))
        })
        .collect();
    // Journal, inputs, bundles and datasets alike, however many files each has.
    let folder = ["governance/rain/journal", "governance/rain/inputs", "registry/rain", "var/rain/datasets"]
        .choose(random)
        .unwrap();
    let files: Vec<&PathBuf> = all.into_iter().filter(|path| path.starts_with(folder)).collect();
    let path = (*files.choose(random).unwrap()).clone();
    let bytes = &LIFE[&path];
    let of = |what: &str, named: Vec<PathBuf>| Edit {
        what: format!("{what} {}", named[0].display()),
        entries: named.iter().filter_map(|path| number(path)).collect(),
        named,
    };
    match random.random_range(0..5) {
        0 => {
            let json = path.extension().is_some_and(|extension| extension == "json");
            if json && random.random_bool(0.7) {
                let mut value: Value = serde_json::from_slice(bytes).unwrap();
                let places = places(&value, String::new());
                alter(value.pointer_mut(places.choose(random).unwrap()).unwrap());
                estate.put(&path, &canonical_json(&value).unwrap());
                return of("change a value of", vec![path]);
            }
            let mut changed = bytes.clone();
            let at = random.random_range(0..changed.len());
            changed[at] ^= 1 << random.random_range(0..8);
            estate.put(&path, &changed);
            of("change a bit of", vec![path])
        }
        1 => {
            fs::remove_file(estate.path(&path)).unwrap();
            of("delete", vec![path])
        }
        2 => {
            let beside = path.parent().unwrap();
            let name = match *folder {
                "governance/rain/journal" => journal::file_name(random.random_range(1..200)),
                "governance/rain/inputs" => {
                    format!("{}.json", Digest::of(random.random::<u64>().to_le_bytes()))
                }
                _ => format!("copy-{}", path.file_name().unwrap().to_str().unwrap()),
            };
            let new = beside.join(name);
            let number = number(&new);
            let same = LIFE.get(&new).is_some_and(|there| there == bytes);
            if same {
                return edit(estate, random);
            }
            estate.put(&new, bytes);
            // A number too high leaves a gap, which is named by its first number.
            let gap = number.map(|_| LIFE.keys().filter_map(|path| self::number(path)).max().unwrap() + 1);
            Edit { entries: number.into_iter().chain(gap).collect(), ..of("insert", vec![new]) }
        }
        3 => {
            let other = (*files.choose(random).unwrap()).clone();
            if LIFE[&other] == *bytes {
                return edit(estate, random);
            }
            estate.put(&path, &LIFE[&other]);
            estate.put(&other, bytes);
            of("swap", vec![path, other])
        }
        _ => {
            let newest = LIFE.keys().filter_map(|path| number(path)).max().unwrap();
            if let (Some(_), true) = (number(&path), random.random()) {
                let from = newest - random.random_range(0..newest.min(5));
                let cut = |seq| PathBuf::from(format!("governance/rain/journal/{}", journal::file_name(seq)));
                let cut: Vec<PathBuf> = (from..=newest).map(cut).collect();
                cut.iter().for_each(|path| fs::remove_file(estate.path(path)).unwrap());
                return of("cut the journal at", cut);
            }
            estate.put(&path, &bytes[..random.random_range(0..bytes.len())]);
            of("truncate", vec![path])
        }
    }
}

/// The pointers of all values in a value that hold no others.
fn places(value: &Value, here: String) -> Vec<String> {
    match value {
        Value::Object(map) => map.iter().flat_map(|(key, value)| places(value, format!("{here}/{key}"))).collect(),
        Value::Array(list) => {
            (0..).zip(list).flat_map(|(index, value): (usize, _)| places(value, format!("{here}/{index}"))).collect()
        }
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![here],
    }
}

/// Another value of the same kind, such as a careful forger would write.
fn alter(value: &mut Value) {
    *value = match &*value {
        Value::Bool(truth) => Value::from(!truth),
        Value::Number(number) => number.as_i64().map_or_else(|| Value::from(0.125), |number| Value::from(number + 1)),
        Value::String(text) => Value::from(format!("{text}a")),
        other => other.clone(),
    };
}

/// One letter more, in the form that Regent writes: only the chain can tell, and it tells which entry.
#[test]
fn a_changed_entry_is_named_by_the_one_after_it_or_by_the_head() {
    let estate = Estate::new();
    let head = [estate.head()];
    for entry in estate.entries() {
        let path = PathBuf::from(format!("governance/rain/journal/{}", journal::file_name(entry.seq)));
        let forged = Entry { txn: format!("{}0", entry.txn), ..entry.clone() };
        estate.put(&path, &canonical_json(&forged).unwrap());
        let findings = estate.verify(&head).findings;
        assert!(matches!(&findings[..], [found] if found.entry == Some(entry.seq)), "{findings:?}");
        estate.put(&path, &LIFE[&path]);
    }
}

/// Make the estate what it was.
fn mend(estate: &Estate, edit: &Edit) {
    for path in &edit.named {
        match LIFE.get(path) {
            Some(bytes) => estate.put(path, bytes),
            None => fs::remove_file(estate.path(path)).unwrap(),
        }
    }
}

#[test]
fn two_hundred_random_edits_are_all_found() {
    const SEED: u64 = 20_261_121;
    let estate = Estate::new();
    let head = [estate.head()];
    let mut random = Pcg64::seed_from_u64(SEED);
    let (mut found, mut without_head) = (0, 0);
    for round in 0..200 {
        let edit = edit(&estate, &mut random);
        let findings = estate.verify(&head).findings;
        let names = |finding: &Finding| {
            let file = edit
                .named
                .iter()
                .any(|path| Path::new(&finding.file).starts_with(path) || path.starts_with(&finding.file));
            let entry = |seq: &u64| finding.entry == Some(*seq) || finding.what.contains(&format!("entry {seq} "));
            // An entry is named by its number, any other file by its path.
            if edit.entries.is_empty() { file } else { edit.entries.iter().any(entry) }
        };
        let named = findings.iter().any(names);
        assert!(named, "seed {SEED}, round {round}: to {} was not found: {findings:#?}", edit.what);
        found += 1;
        let of_chain = |finding: &&Finding| !finding.what.contains("the head that was kept");
        without_head += u32::from(findings.iter().any(|finding| of_chain(&finding)));
        mend(&estate, &edit);
    }
    assert_eq!(estate.verify(&head).findings, [], "every edit was mended");
    println!(
        "seed {SEED}: {found} of 200 random edits were found; {without_head} of them without a head kept elsewhere"
    );
}

/// Without a head nobody can tell; with one the cut is named.
#[test]
fn a_journal_that_was_cut_is_found_by_its_head() {
    let estate = Estate::new();
    let head = estate.head();
    let newest = estate.path(format!("governance/rain/journal/{}", journal::file_name(head.seq)));
    fs::remove_file(newest).unwrap();
    assert_eq!(estate.verify(&[]).findings, []);
    let findings = estate.verify(std::slice::from_ref(&head)).findings;
    assert!(matches!(&findings[..], [found] if found.entry == Some(head.seq)), "{findings:?}");
    assert_eq!(estate.regent(&["verify", "--head", &head.to_string()]).status.code(), Some(5));
    assert_eq!(estate.regent(&["verify", "--head", "rain"]).status.code(), Some(2));
    fs::remove_dir_all(estate.path("governance")).unwrap();
    fs::remove_dir_all(estate.path("registry")).unwrap();
    assert_eq!(estate.regent(&["verify", "--head", &head.to_string()]).status.code(), Some(5), "a model that is gone");
}

#[test]
fn strangers_links_and_smaller_windows_are_looked_at() {
    let estate = Estate::new();
    estate.put("governance/rain/journal/notes.txt", b"mine");
    std::os::unix::fs::symlink("/etc/hostname", estate.path("registry/rain/link")).unwrap();
    let window = LIFE.keys().find(|path| path.starts_with("var/rain/snapshots/1h") && counted(path)).unwrap();
    let text = String::from_utf8(LIFE[window].clone()).unwrap();
    let requests: Value = serde_json::from_str(&text).unwrap();
    let requests = requests["requests"].as_u64().unwrap();
    let changed = text.replace(&format!("\"requests\": {requests}"), &format!("\"requests\": {}", requests + 1));
    estate.put(window, changed.as_bytes());
    let findings = estate.verify(&[]).findings;
    for wanted in ["notes.txt", "registry/rain/link", "not the sum"] {
        assert!(findings.iter().any(|found| found.to_string().contains(wanted)), "{wanted}: {findings:#?}");
    }
}

fn counted(path: &Path) -> bool {
    let snapshot: Value = serde_json::from_slice(&LIFE[path]).unwrap();
    snapshot["requests"].as_u64() > Some(0)
}
