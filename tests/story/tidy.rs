//! Tidy: the house keeps its own laws. Reads every file of the repository; each fault names its place and its mend.

mod rules;
mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use rules::Fault;
use source::Source;

/// The repository, read once.
struct House {
    /// Every Rust file.
    sources: Vec<Source>,
    /// Files of `src` that are compiled for tests only, as prefixes of paths.
    for_tests: BTreeSet<String>,
    /// Every file, with its size and, where it is text, its text.
    files: Vec<(String, u64, Option<String>)>,
}

static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = repository_files(root)
        .into_iter()
        .filter_map(|path| {
            let bytes = std::fs::read(root.join(&path)).ok()?;
            Some((path, bytes.len() as u64, String::from_utf8(bytes).ok()))
        })
        .collect();
    let rust = files.iter().filter(|(path, ..)| path.ends_with(".rs"));
    let sources: Vec<Source> = rust.filter_map(|(path, _, text)| Some(Source::new(path, text.as_ref()?))).collect();
    let for_tests = sources.iter().flat_map(Source::test_only_files).collect();
    House { sources, for_tests, files }
});

impl House {
    fn lib(&self) -> &Source {
        self.sources.iter().find(|source| source.path == "src/lib.rs").expect("src/lib.rs is there")
    }

    /// The sources of what is shipped: `src` without its modules for tests.
    fn shipped(&self) -> impl Iterator<Item = &Source> {
        let for_tests = |path: &str| {
            let of =
                |prefix: &String| path.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with(['.', '/']));
            self.for_tests.iter().any(of)
        };
        self.sources.iter().filter(move |source| source.path.starts_with("src/") && !for_tests(&source.path))
    }
}

/// What git holds or would hold; where there is no git, what lies in the folder.
fn repository_files(root: &Path) -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output();
    match listed {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
            names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
        }
        Ok(_) | Err(_) => walk(root, root),
    }
}

fn walk(root: &Path, folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let skipped = ["target", "var", ".git"].map(|name| root.join(name));
    paths.retain(|path| !skipped.contains(path));
    let below = |path: &PathBuf| match path.is_dir() {
        true => walk(root, path),
        false => path.strip_prefix(root).iter().map(|inside| inside.to_string_lossy().into_owned()).collect(),
    };
    paths.iter().flat_map(below).collect()
}

#[track_caller]
fn assert_tidy(faults: impl IntoIterator<Item = Fault>) {
    let faults: Vec<String> = faults.into_iter().map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{} untidy:\n\n{}\n", faults.len(), faults.join("\n"));
}

#[test]
fn lib_rs_tells_the_story_in_order() {
    assert_tidy(rules::the_story_is_in_order(HOUSE.lib()));
}

#[test]
fn a_module_imports_only_the_ground_floor_and_earlier_stages() {
    let chapters = rules::chapters(HOUSE.lib());
    assert_tidy(HOUSE.shipped().flat_map(|source| rules::imports_look_upwards(source, &chapters)));
}

#[test]
fn only_doors_touch_the_world() {
    assert_tidy(HOUSE.shipped().flat_map(rules::only_doors_touch_the_world));
}

#[test]
fn crates_keep_to_their_rooms() {
    assert_tidy(HOUSE.shipped().flat_map(rules::crates_keep_to_their_rooms));
}

#[test]
fn unsafe_code_has_one_room() {
    assert_tidy(HOUSE.shipped().flat_map(rules::unsafe_code_has_one_room));
}

#[test]
fn every_file_says_what_it_is() {
    assert_tidy(HOUSE.sources.iter().flat_map(rules::every_file_says_what_it_is));
}

#[test]
fn every_room_names_its_colour() {
    assert_tidy(HOUSE.shipped().flat_map(rules::every_room_names_its_colour));
}

#[test]
fn nothing_is_silenced_or_left_open() {
    assert_tidy(HOUSE.sources.iter().flat_map(rules::nothing_is_silenced_or_left_open));
}

#[test]
fn no_package_registry_is_named() {
    let texts = HOUSE.files.iter().filter(|(path, ..)| path != "Cargo.lock");
    let texts = texts.filter_map(|(path, _, text)| Some((path, text.as_ref()?)));
    assert_tidy(texts.flat_map(|(path, text)| rules::no_registry_is_named(path, text)));
}

#[test]
fn no_file_is_heavy() {
    assert_tidy(HOUSE.files.iter().flat_map(|(path, bytes, _)| rules::no_file_is_heavy(path, *bytes)));
}

#[test]
fn the_lock_is_committed() {
    assert!(
        HOUSE.files.iter().any(|(path, ..)| path == "Cargo.lock"),
        "Cargo.lock: commit it, it pins what was tested"
    );
}

/// Each rule, shown to fail on a source that breaks it and to pass on one that does not.
mod can_fail {
    use super::rules::*;
    use super::source::Source;

    fn lib() -> Source {
        Source::new("src/lib.rs", "//! A house.\npub mod types;\npub mod store;\npub mod ingest;\npub mod contract;\n")
    }

    fn lines(faults: &[Fault]) -> Vec<usize> {
        faults.iter().map(|fault| fault.line).collect()
    }

    fn imports(path: &str, text: &str) -> Vec<usize> {
        lines(&imports_look_upwards(&Source::new(path, text), &chapters(&lib())))
    }

    #[test]
    fn a_story_out_of_order_is_found() {
        assert_eq!(the_story_is_in_order(&lib()), []);
        let untidy = "pub mod drift;\npub mod types;\npub mod utils;\npub use types::*;\nmod log;\n";
        let faults = the_story_is_in_order(&Source::new("src/lib.rs", untidy));
        assert_eq!(lines(&faults), [2, 3, 4, 5]);
        assert!(faults[0].to_string().starts_with("src/lib.rs:2: `types` comes after `drift`"), "{}", faults[0]);
    }

    #[test]
    fn an_import_of_a_later_stage_is_found_however_it_is_written() {
        for text in [
            "use crate::contract::admit;",
            "use crate::{types, contract::{self, admit}};",
            "use crate::{\n store, \n contract };",
            "fn f() { crate::contract::admit(); }",
            "use super::super::contract;",
            "use super::super::{types, contract};",
            "use crate::*;",
        ] {
            assert!(!imports("src/ingest/reader.rs", text).is_empty(), "{text}");
        }
        assert_eq!(imports("src/ingest/mod.rs", "use super::contract;"), [1]);
        assert_eq!(imports("src/types/name.rs", "\nuse crate::store::Key;"), [2]);
    }

    #[test]
    fn imports_that_look_upwards_pass() {
        for text in [
            "use crate::types::Name;",
            "use crate::{store::Store, types};",
            "use super::schema;",
            "use super::{schema, super::store};",
            "pub(crate) fn f() {}",
            "// use crate::contract;",
            "const A: &str = \"crate::contract\";",
            "#[cfg(test)]\nmod tests { use crate::contract; }",
        ] {
            assert!(imports("src/ingest/reader.rs", text).is_empty(), "{text}");
        }
        assert!(imports("src/bin/governor.rs", "use crate::contract;").is_empty());
    }

    #[test]
    fn the_world_outside_a_door_is_found() {
        for text in [
            "use std::fs;",
            "use std::{io, fs::File};",
            "use std::time::{Duration, Instant};",
            "use std::time; fn f() { time::SystemTime::now(); }",
            "fn f() { ::std::env::var(\"A\"); }",
            "use std::net::SocketAddr;",
            "use core::net::IpAddr;",
            "fn f() { chrono::Utc::now(); }",
            "use chrono::Utc; fn f() { Utc::now(); }",
            "fn f() { Uuid::now_v7(); }",
        ] {
            let found = |path| only_doors_touch_the_world(&Source::new(path, text));
            assert!(!found("src/ingest/schema.rs").is_empty(), "{text}");
            assert!(!found("src/ingest/reader_too.rs").is_empty(), "{text}");
            assert!(found("src/ingest/reader.rs").is_empty(), "{text}");
            assert!(found("src/serve/tiny/body.rs").is_empty(), "{text}");
            assert!(found("src/bin/regent/main.rs").is_empty(), "{text}");
        }
        for text in ["use std::time::Duration;", "use std::io::Read;", "const V: &str = env!(\"CARGO_PKG_VERSION\");"] {
            assert!(only_doors_touch_the_world(&Source::new("src/ingest/schema.rs", text)).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_crate_outside_its_rooms_is_found() {
        let found = |path, text| lines(&crates_keep_to_their_rooms(&Source::new(path, text)));
        assert_eq!(found("src/config.rs", "\nuse serde_yaml::Value;"), [2]);
        assert_eq!(found("src/config.rs", "use serde_yaml;"), [1]);
        assert_eq!(found("src/config.rs", "#[derive(clap::Parser)]\nstruct A;"), [1]);
        assert_eq!(found("src/drift/detect.rs", "fn f() { tokio::spawn(x); }"), [1]);
        assert_eq!(found("src/train/plan.rs", "use lightgbm3_sys as sys;"), [1]);
        assert!(found("src/yaml/error.rs", "use serde_yaml::Value;").is_empty());
        assert!(found("src/serve/http.rs", "use tokio::net::TcpListener;").is_empty());
        assert!(found("src/train/lightgbm/dataset.rs", "use lightgbm3_sys as sys;").is_empty());
    }

    #[test]
    fn unsafe_code_outside_its_room_is_found() {
        let text = "\nfn f() { unsafe { g() } } // unsafe\n";
        assert_eq!(lines(&unsafe_code_has_one_room(&Source::new("src/store/disk.rs", text))), [2]);
        assert!(unsafe_code_has_one_room(&Source::new("src/train/lightgbm.rs", text)).is_empty());
        assert!(unsafe_code_has_one_room(&Source::new("src/a.rs", "#![expect(unsafe_code)]")).is_empty());
    }

    #[test]
    fn a_file_that_does_not_say_what_it_is_is_found() {
        let found = |text| every_file_says_what_it_is(&Source::new("tests/story/main.rs", text)).len();
        assert_eq!(found("use std::fs;"), 1);
        assert_eq!(found("//! x\n"), 1);
        assert_eq!(found("//! The story as tests.\n"), 0);
    }

    #[test]
    fn a_room_without_a_colour_is_found() {
        let found = |path, text| every_room_names_its_colour(&Source::new(path, text)).len();
        assert_eq!(found("src/a/b.rs", "//! What a thing looks like.\n//!\n//! It is pure.\n"), 1);
        assert_eq!(found("src/a/b.rs", "//! What a thing looks like,\n//! on every day; pure.\n"), 0);
        assert_eq!(found("src/a/mod.rs", "//! Stage 1: what a thing looks like.\n"), 0);
    }

    #[test]
    fn what_is_silenced_or_left_open_is_found() {
        let found = |text| lines(&nothing_is_silenced_or_left_open(&Source::new("tests/a.rs", text)));
        let open = [
            concat!("#[", "allow(dead_code)]"),
            concat!("#![", "allow(missing_docs)]"),
            concat!("fn f() { to", "do!() }"),
            concat!("fn f() { unimple", "mented!() }"),
            concat!("// TO", "DO: later"),
            concat!("/* FIX", "ME */"),
            concat!("#[", "ignore]"),
        ];
        for text in open {
            assert_eq!(found(text), [1], "{text}");
        }
        assert!(found("#[expect(dead_code, reason = \"why\")]\n#[ignore = \"slow\"]").is_empty());
    }

    #[test]
    fn a_registry_and_a_heavy_file_are_found() {
        let faults = no_registry_is_named("docs/a.md", concat!("one\nsee https://crates", ".io/crates/serde\n"));
        assert_eq!(lines(&faults), [2]);
        assert!(no_registry_is_named("docs/a.md", "the crate serde").is_empty());
        assert_eq!(no_file_is_heavy("data/a.csv", LARGEST + 1).len(), 1);
        assert!(no_file_is_heavy("data/a.csv", LARGEST).is_empty());
    }
}
