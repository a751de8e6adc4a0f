//! The doctor finds what is wrong, names it, says what to do and ends with the code that was promised.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use regent::types::{Span, Timestamp};

use super::room::{GOVERNOR, Point, REGENT, Room, at, text};
use super::serving;
use super::table::Row;

/// What is done to a sound workspace, and what the doctor says of it: the check, how bad, a word of it, and the code.
struct Ailment {
    done: fn(&Room),
    now: fn() -> Timestamp,
    check: &'static str,
    level: &'static str,
    names: &'static str,
    exit: i32,
}

fn soon() -> Timestamp {
    at(125)
}

fn only(room: &Room, folder: &str) -> PathBuf {
    let mut names: Vec<_> = fs::read_dir(room.path(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names.remove(0)
}

fn flip(path: PathBuf) {
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(path, bytes).unwrap();
}

fn open_to(path: PathBuf, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

const AILMENTS: &[Ailment] = &[
    Ailment {
        done: |room| open_to(room.path("governance/rain/journal"), 0o777),
        now: soon,
        check: "permissions",
        level: "fail",
        names: "governance/rain/journal",
        exit: 5,
    },
    Ailment {
        done: |room| open_to(room.path("registry/rain/1.0.0/MANIFEST.sha256"), 0o664),
        now: soon,
        check: "permissions",
        level: "fail",
        names: "MANIFEST.sha256",
        exit: 5,
    },
    Ailment {
        done: |room| open_to(room.path("governance/rain/policy.yaml"), 0o664),
        now: soon,
        check: "permissions",
        level: "warn",
        names: "policy.yaml",
        exit: 0,
    },
    Ailment {
        done: |room| symlink("/etc/passwd", room.path("var/rain/datasets/link")).unwrap(),
        now: soon,
        check: "permissions",
        level: "fail",
        names: "datasets/link",
        exit: 5,
    },
    Ailment {
        done: |room| room.write("governance/rain/journal/.tmp-1-2-3", "half"),
        now: soon,
        check: "leftovers",
        level: "warn",
        names: ".tmp-1-2-3",
        exit: 0,
    },
    Ailment {
        done: |_| {},
        now: || at(0) - Span::from_hours(1),
        check: "clock",
        level: "warn",
        names: "newer than now",
        exit: 0,
    },
    Ailment {
        done: |_| {},
        now: || at(0) + Span::from_days(400),
        check: "clock",
        level: "warn",
        names: "does not believe",
        exit: 0,
    },
    Ailment {
        done: |_| {},
        now: || at(0) + Span::from_days(3),
        check: "governor",
        level: "warn",
        names: "should have been judged",
        exit: 0,
    },
    Ailment {
        done: |room| flip(only(room, "governance/rain/inputs")),
        now: soon,
        check: "chain",
        level: "fail",
        names: "its bytes are others",
        exit: 5,
    },
    Ailment {
        done: |room| fs::remove_file(room.path("governance/rain/journal/00000000000000000002.json")).unwrap(),
        now: soon,
        check: "chain",
        level: "fail",
        names: "entry 2",
        exit: 5,
    },
    Ailment {
        done: |room| flip(room.path("registry/rain/1.0.0/profile.json")),
        now: soon,
        check: "bundles",
        level: "fail",
        names: "profile.json",
        exit: 5,
    },
    Ailment {
        done: |room| fs::remove_dir_all(room.path("registry/rain/1.0.0")).unwrap(),
        now: soon,
        check: "bundles",
        level: "fail",
        names: "1.0.0 is not there",
        exit: 5,
    },
    Ailment {
        done: |room| flip(only(room, "var/rain/datasets").join("features.parquet")),
        now: soon,
        check: "datasets",
        level: "fail",
        names: "features.parquet",
        exit: 5,
    },
    Ailment {
        done: |room| fs::remove_file(room.path("registry/rain/contracts/1.0.0.yaml")).unwrap(),
        now: soon,
        check: "contracts",
        level: "fail",
        names: "registry/rain/contracts/1.0.0.yaml",
        exit: 5,
    },
    Ailment {
        done: |room| room.write("governance/rain/policy.yaml", "drfit: {}\n"),
        now: soon,
        check: "policy",
        level: "fail",
        names: "drfit",
        exit: 4,
    },
    Ailment {
        done: |room| room.write("contracts/rain.yaml", "contract: rain\n"),
        now: soon,
        check: "draft",
        level: "fail",
        names: "contracts/rain.yaml",
        exit: 4,
    },
    Ailment {
        done: |room| room.write("governance/rain/overrides/night.yaml", "order: freeze\n"),
        now: soon,
        check: "overrides",
        level: "fail",
        names: "night.yaml",
        exit: 4,
    },
    Ailment {
        done: |room| serving::answer_and_die(room, 3),
        now: soon,
        check: "spool",
        level: "warn",
        names: "replica local is gone",
        exit: 0,
    },
];

#[test]
fn every_ailment_is_found_and_named() {
    let row = Row::begin("doctor");
    let sound = Room::at(Point::Champion);
    let (code, value) = sound.doctor(soon());
    assert_eq!((code, value["fail"].as_u64()), (Some(0), Some(0)), "{value}");
    for ailment in AILMENTS {
        let room = sound.copy();
        (ailment.done)(&room);
        let (code, value) = room.doctor((ailment.now)());
        let findings = value["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| {
            let said = format!("{} {}", finding["what"], finding["mend"]);
            finding["check"] == ailment.check && said.contains(ailment.names)
        });
        let found = found.unwrap_or_else(|| panic!("{} is not found: {value:#}", ailment.names));
        assert_eq!(found["level"], ailment.level, "{found}");
        assert!(found["mend"].is_string(), "{found} says nothing of what to do");
        assert_eq!(code, Some(ailment.exit), "{found}");
    }
    row.end(&format!("{} ailments", AILMENTS.len()), AILMENTS.len(), "found, named, with what to do");
}

#[test]
fn a_sound_workspace_is_told_line_by_line() {
    let room = Room::at(Point::Champion);
    let output = room.run(REGENT, &["--now", &soon().to_string(), "doctor", "rain"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for check in ["permissions", "leftovers", "clock", "room", "spool", "chain", "bundles", "datasets", "contracts"] {
        assert!(said.lines().any(|line| line.starts_with("ok") && line.contains(check)), "{check}: {said}");
    }
    assert!(!said.contains("fail"), "{said}");
}

/// A doctor changes nothing.
#[test]
fn to_look_changes_nothing() {
    let room = Room::at(Point::Champion);
    let before = super::state::read(&room);
    room.doctor(soon());
    assert_eq!(super::state::difference(&before, &super::state::read(&room)), "");
}

/// Whatever the umask, nobody but the owner may change what Regent writes.
#[test]
fn an_open_umask_opens_nothing() {
    let room = Room::empty();
    let now = at(1).to_string();
    let typed = [
        "regent init --example rain",
        "regent contract register rain",
        "regent ingest past.csv --contract rain",
        "regent --now $now train baseline rain",
        "governor --now $now",
        "governor",
    ];
    for words in typed {
        let words = words.replace("$now", &now).replace("regent ", &format!("{REGENT} "));
        let output = room.run("sh", &["-c", &format!("umask 000; {}", words.replace("governor", GOVERNOR))]);
        assert_eq!(output.status.code(), Some(0), "{words}: {output:?}");
        if words.contains("init") {
            let all = fs::read_to_string(room.path("data/noaa_rain.csv")).unwrap();
            room.write("past.csv", all.lines().take(401).map(|line| format!("{line}\n")).collect::<String>());
        }
    }
    assert!(room.standing().champion.is_some());
    serving::answer_and_die_under_an_open_umask(&room);
    let (_, value) = room.doctor(soon());
    let permissions = value["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "permissions");
    assert_eq!(permissions.unwrap()["level"], "ok", "{value:#}");
}
