//! The rules of the house, each a function from sources to faults; pure, so that each is shown to fail on bad sources.

use std::fmt;

use super::source::{Named, Source};

/// Something untidy: where it is, what it is, and how it is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub path: String,
    pub line: usize,
    pub says: String,
    pub mend: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\n    mend: {}", self.path, self.line, self.says, self.mend)
    }
}

fn fault(source: &Source, line: usize, says: impl Into<String>, mend: impl Into<String>) -> Fault {
    Fault { path: source.path.clone(), line, says: says.into(), mend: mend.into() }
}

/// The story, as `lib.rs` has to tell it; a chapter that is not written yet is left out there.
pub const STORY: [&str; 28] = [
    "types",
    "stats",
    "scoring",
    "store",
    "yaml", // ground floor
    "ingest",
    "contract",
    "train",
    "registry", // a model is born
    "serve",
    "log",
    "snapshot", // a model works
    "drift",
    "performance",
    "policy",
    "evaluate",
    "shadow", // a model is watched
    "govern",
    "promote", // a model is governed
    "alert",
    "audit",
    "view",
    "report",
    "console",
    "metrics",
    "openapi",
    "backtest",
    "config", // windows onto the house
];

/// The only rooms that touch the world.
pub const DOORS: [&str; 9] = [
    "store/disk",
    "ingest/reader",
    "train/lightgbm",
    "serve/http",
    "serve/tiny",
    "serve/keys",
    "log/spool",
    "alert/deliver",
    "bin",
];

/// What only doors name: files, network, environment, processes.
const WORLD: [&str; 4] = ["fs", "net", "env", "process"];

/// Calls and types that read a clock or chance, wherever they come from: a run of segments anywhere in a path.
const CLOCKS_AND_CHANCE: [&[&str]; 11] = [
    &["Instant"],
    &["SystemTime"],
    &["Utc", "now"],
    &["chrono", "Local"],
    &["Local", "now"],
    &["Uuid", "now_v7"],
    &["Uuid", "new_v4"],
    &["Ulid", "generate"],
    &["thread", "sleep"],
    &["rand", "rng"],
    &["rand", "random"],
];

/// Crates that live in certain rooms, so that replacing one is a change to one room.
const ROOMS: [(&str, &[&str]); 24] = [
    ("serde_yaml", &["yaml"]),
    ("smol_str", &["types"]),
    ("lightgbm3_sys", &["train/lightgbm"]),
    ("tiny_http", &["serve/tiny"]),
    ("p256", &["registry/signing"]),
    ("base64", &["registry/signing"]),
    ("tokio", &["serve", "bin"]),
    ("hyper", &["serve", "bin"]),
    ("hyper_util", &["serve", "bin"]),
    ("axum", &["serve", "console", "metrics", "openapi", "backtest", "bin"]),
    ("tower", &["serve", "console", "backtest", "bin"]),
    ("tower_http", &["serve", "console", "bin"]),
    ("prometheus_client", &["metrics"]),
    ("utoipa_swagger_ui_vendored", &["openapi/viewer"]),
    ("ureq", &["alert/deliver", "bin"]),
    ("lettre", &["alert/deliver"]),
    ("clap", &["bin"]),
    ("clap_complete", &["bin"]),
    ("indicatif", &["bin"]),
    ("miette", &["bin"]),
    ("multiversion", &["scoring/forest"]),
    ("rustix", &DOORS),
    ("tempfile", &DOORS),
    ("glob", &DOORS),
];

fn is_in(source: &Source, rooms: &[&str]) -> bool {
    let here = source.rooms().join("/");
    rooms.iter().any(|room| here.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// `lib.rs` tells the story in order and does nothing else.
pub fn the_story_is_in_order(lib: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut latest: Option<(usize, &str)> = None;
    for (index, line) in lib.code.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let name = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';'));
        let Some(name) = name else {
            let says = format!("`{line}` is not a chapter: lib.rs is the table of contents");
            faults.push(fault(lib, index + 1, says, "move it into the module it belongs to"));
            continue;
        };
        let Some(place) = STORY.iter().position(|chapter| *chapter == name) else {
            let mend = "put it inside a stage, or write it into STORY in tests/story/tidy/rules.rs and into docs/architecture.md";
            faults.push(fault(lib, index + 1, format!("`{name}` is not in the story"), mend));
            continue;
        };
        match latest {
            Some((before, earlier)) if before > place => {
                let says = format!("`{name}` comes after `{earlier}`, which the story tells later");
                faults.push(fault(lib, index + 1, says, format!("move `pub mod {name};` above `pub mod {earlier};`")));
            }
            Some(_) | None => latest = Some((place, name)),
        }
    }
    faults
}

/// The modules of `lib.rs` from top to bottom.
pub fn chapters(lib: &Source) -> Vec<String> {
    let lines = lib.code.lines().map(str::trim);
    lines.filter_map(|line| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned())).collect()
}

/// The law: a module imports only what stands above it in `lib.rs`; the ground floor stands above every stage.
pub fn imports_look_upwards(source: &Source, chapters: &[String]) -> Vec<Fault> {
    let rooms = source.rooms();
    let place = |name: &str| chapters.iter().position(|chapter| chapter == name);
    let Some((here, own)) = rooms.first().and_then(|room| Some((*room, place(room)?))) else {
        return Vec::new();
    };
    let judge = |named: &Named| {
        let reached = match house_path(named, rooms.len())? {
            [] => {
                let says = format!("`{}` takes in the whole house", named.text());
                return Some(fault(source, named.line, says, "name the items that are used"));
            }
            [first, ..] => first,
        };
        let other = place(reached)?;
        (other > own).then(|| {
            let says = format!("`{here}` imports `{reached}`, which comes later in lib.rs");
            let mend = format!("let `{here}` take the value, or declare a small trait that a binary wires; a word that both need belongs to the ground floor");
            fault(source, named.line, says, mend)
        })
    };
    source.names().iter().filter_map(judge).collect()
}

/// The part of a path below the crate's root, if that is where it starts; `depth` is how deep its file lies.
fn house_path(named: &Named, depth: usize) -> Option<&[String]> {
    let segments = named.segments.as_slice();
    if segments.first()? == "crate" {
        return Some(&segments[1..]);
    }
    let climbs = segments.iter().take_while(|segment| *segment == "super").count();
    (climbs > 0 && climbs >= depth).then(|| &segments[climbs..])
}

/// Only doors name files, network, environment, processes, clocks or chance.
pub fn only_doors_touch_the_world(source: &Source) -> Vec<Fault> {
    if is_in(source, &DOORS) {
        return Vec::new();
    }
    let judge = |named: &Named| {
        let segments: Vec<&str> = named.segments.iter().map(String::as_str).collect();
        let world = matches!(segments.as_slice(), ["std" | "core", room, ..] if WORLD.contains(room));
        let clock = CLOCKS_AND_CHANCE.iter().any(|run| segments.windows(run.len()).any(|window| window == *run));
        (world || clock).then(|| {
            let says = format!("`{}` touches the world outside a door", named.text());
            let mend = format!(
                "take the value as a parameter (`now`, a seed, bytes, a store), or move the call into a door: {}",
                DOORS.join(", ")
            );
            fault(source, named.line, says, mend)
        })
    };
    source.names().iter().filter_map(judge).collect()
}

/// A crate that has a room is named nowhere else.
pub fn crates_keep_to_their_rooms(source: &Source) -> Vec<Fault> {
    let judge = |named: &Named| {
        let first = named.segments.first()?;
        let (name, rooms) = ROOMS.iter().find(|(name, _)| name == first)?;
        (!is_in(source, rooms)).then(|| {
            let says = format!("`{name}` is named outside its rooms");
            fault(source, named.line, says, format!("use what these rooms offer: {}", rooms.join(", ")))
        })
    };
    source.names().iter().filter_map(judge).collect()
}

/// Unsafe code has one file.
pub fn unsafe_code_has_one_room(source: &Source) -> Vec<Fault> {
    if is_in(source, &["train/lightgbm"]) {
        return Vec::new();
    }
    let lines = source.shipped.lines().enumerate();
    let is_unsafe = |line: &str| line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == "unsafe");
    lines
        .filter(|(_, line)| is_unsafe(line))
        .map(|(index, _)| {
            fault(source, index + 1, "unsafe code outside train/lightgbm", "find the safe way, or a crate that has it")
        })
        .collect()
}

/// The sentences a file opens with, up to the first empty line.
fn opening(source: &Source) -> String {
    let lines = source.text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.take_while(|line| !line.trim().is_empty()).collect()
}

/// Every file opens with what it is.
pub fn every_file_says_what_it_is(source: &Source) -> Vec<Fault> {
    // Shorter than this is a placeholder.
    if opening(source).trim().len() < 12 {
        let mend = "open it with `//!` and one sentence: what it is, and what it refuses";
        return vec![fault(source, 1, "the file does not say what it is", mend)];
    }
    Vec::new()
}

/// A file of `src` says there which of the three kinds it is; the binaries are doors, and a `mod.rs` holds several kinds.
pub fn every_room_names_its_colour(source: &Source) -> Vec<Fault> {
    let file = source.path.rsplit('/').next().unwrap_or_default();
    let exempt = source.path.starts_with("src/bin/") || ["lib.rs", "mod.rs"].contains(&file);
    let opening = opening(source).to_lowercase();
    if exempt || ["pure", "through the store", "door"].iter().any(|colour| opening.contains(colour)) {
        return Vec::new();
    }
    let mend = "say in the first sentences whether it is pure, goes through the store, or is a door";
    vec![fault(source, 1, "the opening names no colour", mend)]
}

/// What must not stand in a finished house; each with its mend.
const UNFINISHED: [(&str, &str); 5] = [
    (concat!("#[", "allow("), "write #[expect(…, reason = \"…\")]"),
    (concat!("#![", "allow("), "write #![expect(…, reason = \"…\")]"),
    (concat!("#[", "ignore]"), "mend the test, or write #[ignore = \"why\"]"),
    (concat!("to", "do!("), "write it"),
    (concat!("unimple", "mented!("), "write it"),
];

/// Marks of unfinished work in comments.
const MARKS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// No lint is silenced without a reason, nothing is left to be written.
pub fn nothing_is_silenced_or_left_open(source: &Source) -> Vec<Fault> {
    let in_code = source.code.lines().enumerate().flat_map(|(index, line)| {
        let found = UNFINISHED.iter().filter(move |(word, _)| line.contains(word));
        found.map(move |(word, mend)| fault(source, index + 1, format!("`{word}`"), *mend))
    });
    let marked = source.text.lines().enumerate().flat_map(|(index, line)| {
        let found = MARKS.iter().filter(move |mark| line.contains(*mark));
        found.map(move |mark| fault(source, index + 1, format!("a {mark}"), "do it now, or open an issue"))
    });
    in_code.chain(marked).collect()
}

/// Hosts of package registries: the project names packages, its users' tools know where they come from.
const HOSTS: [&str; 6] = [
    concat!("crates", ".io"),
    concat!("py", "pi.org"),
    concat!("python", "hosted.org"),
    concat!("npm", "js.org"),
    concat!("npm", "js.com"),
    concat!("deb.", "debian.org"),
];

/// No file names a registry's host; `Cargo.lock`, which cargo writes, is left out by the caller.
pub fn no_registry_is_named(path: &str, text: &str) -> Vec<Fault> {
    let lines = text.lines().enumerate();
    let named = lines.filter_map(|(index, line)| Some((index + 1, HOSTS.iter().find(|host| line.contains(*host))?)));
    named
        .map(|(line, host)| Fault {
            path: path.to_owned(),
            line,
            says: format!("`{host}` is named"),
            mend: "name the package only".to_owned(),
        })
        .collect()
}

/// What a file in the repository may weigh; the largest data set has 1.4 MB.
pub const LARGEST: u64 = 2 * 1024 * 1024;

/// Clones stay small.
pub fn no_file_is_heavy(path: &str, bytes: u64) -> Vec<Fault> {
    let heavy = bytes > LARGEST;
    let weighed = heavy.then(|| Fault {
        path: path.to_owned(),
        line: 1,
        says: format!("{bytes} bytes, and {LARGEST} are the most"),
        mend: "leave it out, or let a test make it".to_owned(),
    });
    weighed.into_iter().collect()
}
