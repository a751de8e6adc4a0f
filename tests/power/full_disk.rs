//! A disk that is full: a command that does not end with 0 and says where, and success once there is room again.

use std::fs;
use std::process::{Command, Output};

use super::room::{GOVERNOR, Point, REGENT, Room, at, text};
use super::small::Small;
use super::state::{self, Left};
use super::table::Row;

/// What is typed, and the point at which.
fn commands() -> [(&'static str, Point, &'static str, Vec<String>); 5] {
    let now = |minute| vec!["--now".to_owned(), at(minute).to_string()];
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    [
        ("register", Point::Written, REGENT, words(&["contract", "register", "rain"])),
        ("ingest", Point::Registered, REGENT, [now(0), words(&["ingest", "past.csv", "--contract", "rain"])].concat()),
        ("train", Point::Ingested, REGENT, [now(1), words(&["train", "baseline", "rain"])].concat()),
        ("govern", Point::Trained, GOVERNOR, now(2)),
        ("promote", Point::PromotionOrdered, GOVERNOR, now(5)),
    ]
}

#[test]
fn a_full_disk_is_named_and_room_is_all_that_is_needed() {
    let row = Row::begin("full disk of 4 MiB");
    let (mut tried, mut refused) = (0, 0);
    for (name, point, program, arguments) in commands() {
        let before = Room::at(point);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let whole = before.copy();
        assert_eq!(whole.run(program, &arguments).status.code(), Some(0));
        let (old, new) = (state::read(&before), state::read(&whole));
        for kib in [0, 4, 8, 16, 32, 64] {
            let Some((output, left, again)) = on_a_full_disk(&before, program, &arguments, kib * 1024, |room| {
                state::judge(&old, &new, &state::read(room))
            }) else {
                return;
            };
            tried += 1;
            let left = left.unwrap_or_else(|why| panic!("{name} with {kib} KiB: {why}"));
            if output.status.code() == Some(0) {
                assert_eq!(left, Left::New, "{name} with {kib} KiB was acknowledged");
                continue;
            }
            refused += 1;
            // People are told in lines that are folded.
            let said = (text(&output.stderr) + &text(&output.stdout)).replace('│', " ");
            let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
            let named = ["registry/", "governance/", "var/", "in /"].iter().any(|place| said.contains(place));
            assert!(named && said.contains("No space left"), "{name} with {kib} KiB: {said}");
            assert_eq!(output.status.code(), Some(1), "{name} with {kib} KiB: {said}");
            // A training that had begun is the governor's to repeat, and a person is told so.
            let began = text(&again.stderr).contains("is TRAINING already");
            assert!(again.status.code() == Some(0) || began, "{name} with room again: {again:?}");
        }
    }
    assert!(refused >= 5, "{refused} of {tried} were refused");
    row.end("5 commands × 6 sizes", tried, &format!("{refused} refused and named; all succeed with room"));
}

/// A command on a disk with so much room, what is left after it, and the same command with room again.
fn on_a_full_disk<T>(
    before: &Room,
    program: &str,
    arguments: &[&str],
    left: u64,
    look: impl FnOnce(&Room) -> T,
) -> Option<(Output, T, Output)> {
    let room = Room::empty();
    let disk = Small::mount(room.root(), 4)?;
    let copied = Command::new("cp").arg("-a").arg(before.path(".")).arg(room.root()).status().unwrap();
    assert!(copied.success());
    let scratch = room.path("scratch");
    fs::create_dir(&scratch).unwrap();
    let run = || room.command(program, arguments).env("TMPDIR", &scratch).output().unwrap();
    disk.fill(left);
    let output = run();
    disk.empty();
    fs::remove_dir(&scratch).unwrap();
    let looked = look(&room);
    fs::create_dir(&scratch).unwrap();
    let again = run();
    drop(disk);
    Some((output, looked, again))
}

/// A draft that is torn would be taken for what somebody wrote.
#[test]
fn what_is_drafted_on_a_full_disk_is_not_torn() {
    let room = Room::empty();
    let Some(disk) = Small::mount(room.root(), 4) else { return };
    disk.fill(256 * 1024);
    let output = room.run(REGENT, &["init", "--example", "rain"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("noaa_rain.csv"), "{output:?}");
    disk.empty();
    room.done(&["init", "--example", "rain"]);
    room.done(&["contract", "register", "rain"]);
}
