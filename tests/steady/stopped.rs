//! A server under load that is told to stop, or killed.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::load::{Asked, Load, assert_logged, logged, serve, turns};
use super::room::{Point, Room};
use super::server::{Door, SLOW, Server};
use super::table::{Row, in_full};

const STOPS_WITHIN: Duration = Duration::from_secs(10);
/// What `events: batched` may lose of the newest answers when the process is killed: `docs/nothing-lost.md` states it.
pub(crate) const WINDOW: Duration = Duration::from_millis(100);
const CALLERS: usize = 8;

fn a_room(events: &str) -> Room {
    let room = Room::at(Point::Champion);
    room.write("regent.yaml", format!("events: {events}\n"));
    room
}

/// A server that has answered a while, each turn another while, and its callers.
fn under_load(room: &Room, door: Door, at_least: Duration, turn: usize) -> (Server, Load) {
    let server = serve(room, &["--door", door.word()]);
    let load = Load::begin(&server, CALLERS, Duration::ZERO);
    load.await_more(50);
    thread::sleep(at_least + Duration::from_millis((37 * turn as u64) % 240));
    (server, load)
}

pub(crate) fn stop(server: Server) -> Duration {
    server.tell(Signal::TERM);
    let (status, after) = server.end();
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(after < STOPS_WITHIN, "{after:?}");
    after
}

pub(crate) fn segments(room: &Room) -> Vec<PathBuf> {
    let files = fs::read_dir(room.path("var/spool/local")).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    segments.sort();
    segments
}

/// Every part of events, with its bytes.
fn parts(room: &Room) -> Vec<(PathBuf, Vec<u8>)> {
    let mut folders = vec![room.path("var/rain/events")];
    let mut parts = Vec::new();
    while let Some(folder) = folders.pop() {
        // Of a server that was killed at once there are none.
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                parts.push((path.clone(), fs::read(path).unwrap()));
            }
        }
    }
    parts.sort();
    parts
}

fn told_to_stop(events: &'static str, door: Door) {
    let row = Row::begin("SIGTERM under load");
    let before = a_room(events);
    let (count, mut answers, mut slowest) = (turns(50, 2), 0, Duration::ZERO);
    for turn in 0..count {
        let room = before.copy();
        let (server, load) = under_load(&room, door, Duration::ZERO, turn);
        slowest = slowest.max(stop(server));
        let asked = load.end();
        assert_eq!(segments(&room), <[PathBuf; 0]>::default(), "a segment is left unsealed");
        assert_logged(&asked, &logged(&room), Asked::is_answered);
        answers += asked.iter().filter(|one| one.is_answered()).count();
    }
    let seconds = slowest.as_secs_f64();
    let outcome = format!("{answers} answers, each in the log once, none half; exit 0 after {seconds:.2} s at most");
    row.end(&format!("{}, events: {events}", door.as_str()), count, &outcome);
}

#[test]
fn told_to_stop_it_ends_what_it_began_and_forgets_nothing() {
    told_to_stop("batched", Door::Hyper);
}

#[test]
fn told_to_stop_it_ends_what_it_began_and_forgets_nothing_durable() {
    told_to_stop("durable", Door::Hyper);
}

#[test]
fn told_to_stop_the_small_door_forgets_nothing() {
    told_to_stop("batched", Door::Tiny);
}

/// What a kill leaves of the last line, sooner or later.
fn tear(room: &Room) {
    let newest = segments(room).pop().expect("it has answered");
    OpenOptions::new().append(true).open(newest).unwrap().write_all(br#"["rain@1.0.0",17953"#).unwrap();
}

/// How old the oldest answer is that is not there: of a kill at this instant.
fn oldest_missing(asked: &[Asked], is_logged: impl Fn(&Asked) -> bool, killed: Instant) -> Duration {
    let missing = asked.iter().filter(|one| one.is_answered() && !is_logged(one));
    missing.map(|one| killed.saturating_duration_since(one.came)).max().unwrap_or_default()
}

fn killed(events: &'static str, may_miss: Duration) {
    let row = Row::begin("SIGKILL under load");
    let before = a_room(events);
    let (count, mut answers, mut missing, mut oldest) = (turns(50, 2), 0, 0, Duration::ZERO);
    for turn in 0..count {
        let room = before.copy();
        let (server, load) = under_load(&room, Door::Hyper, may_miss, turn);
        let at = Instant::now();
        server.tell(Signal::KILL);
        server.end();
        let asked = load.end();
        if turn % 2 == 1 {
            tear(&room);
        }
        stop(serve(&room, &[]));
        assert_eq!(segments(&room), <[PathBuf; 0]>::default(), "a segment is left unsealed");
        let sealed = parts(&room);
        stop(serve(&room, &[]));
        assert!(parts(&room) == sealed, "it was sealed again");
        let events = logged(&room);
        let must = |one: &Asked| {
            let age = at.saturating_duration_since(one.came);
            one.is_answered() && (may_miss.is_zero() || age > may_miss)
        };
        assert_logged(&asked, &events, must);
        let answered: Vec<_> = asked.into_iter().filter(Asked::is_answered).collect();
        missing += answered.iter().filter(|one| !events.contains_key(&one.id)).count();
        oldest = oldest.max(oldest_missing(&answered, |one| events.contains_key(&one.id), at));
        answers += answered.len();
    }
    let age = oldest.as_millis();
    let outcome = format!("{missing} of {answers} answers not in the log, the oldest {age} ms old; sealed once");
    row.end(&format!("events: {events}"), count, &outcome);
}

#[test]
fn killed_it_has_lost_nothing_that_was_acknowledged() {
    killed("durable", Duration::ZERO);
}

/// Written by a thread of its own, which a busy machine may keep waiting: that is granted, and how much was missed is in the table.
#[test]
fn killed_it_has_lost_the_stated_window_at_most() {
    killed("batched", WINDOW * if in_full() { 2 } else { SLOW });
}
