//! A disk that is full while requests come in, for a while.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::load::{Asked, Load, Said, assert_logged, in_windows, logged, serve, turns};
use super::room::{Point, Room, a_day_later};
use super::server::SLOW;
use super::small::Small;
use super::stopped::{segments, stop};
use super::table::{Row, in_full};

/// The promise.
const RECOVERS_WITHIN: Duration = Duration::from_secs(5);
/// More would be a crowd of empty files that somebody has to look at.
const SEGMENTS: usize = 8;

/// What a server came to whose disk was full for a while.
struct Filled {
    asked: Vec<Asked>,
    /// How long after there was room again the last request failed.
    recovered: Duration,
    /// It goes before the room that it is.
    _disk: Small,
    room: Room,
}

/// Nothing where no small disk can be mounted.
fn full_for_a_while(settings: &str) -> Option<Filled> {
    let (before, room) = (Room::at(Point::Champion), Room::empty());
    let disk = Small::mount(room.root(), if in_full() { 256 } else { 24 })?;
    let copied = Command::new("cp").arg("-a").arg(before.path(".")).arg(room.root()).status().unwrap();
    assert!(copied.success());
    room.write("regent.yaml", settings);
    let mut server = serve(&room, &[]);
    let load = Load::begin(&server, 4, Duration::from_millis(2));
    load.await_more(100);
    disk.fill(0);
    let filled = Instant::now();
    thread::sleep(Duration::from_secs(turns(60, 3) as u64));
    let spool = fs::read_dir(room.path("var/spool/local")).unwrap().count();
    assert!(spool <= SEGMENTS, "{spool} files in the spool");
    disk.empty();
    let emptied = Instant::now();
    load.await_more(50);
    thread::sleep(Duration::from_millis(500));
    let asked = load.end();
    assert!(!server.has_ended() && server.panics() == 0, "{}", server.said());
    stop(server);
    assert!(segments(&room).is_empty(), "a segment cannot be sealed");
    let refused = |one: &&Asked| !one.is_answered() && one.sent > filled;
    let last = asked.iter().filter(refused).map(|one| one.came).max().unwrap_or(emptied);
    // Elsewhere: the doctor would say that this disk is small.
    assert_eq!(room.copy().is_healthy(a_day_later()), Ok(()));
    Some(Filled { asked, recovered: last.saturating_duration_since(emptied), room, _disk: disk })
}

fn refuses(events: &'static str) {
    let row = Row::begin("a full disk, unrecorded: refuse");
    let Some(filled) = full_for_a_while(&format!("events: {events}\n")) else { return };
    let Filled { asked, recovered, room, .. } = &filled;
    let refused = asked.iter().filter(|one| one.said == Said::Refused(503)).count();
    let answered = asked.iter().filter(|one| one.is_answered()).count();
    assert_eq!(answered + refused, asked.len(), "there are other answers than 200 and 503");
    assert!(refused > 0, "nobody is refused");
    assert!(*recovered < RECOVERS_WITHIN * SLOW, "{recovered:?}");
    assert_logged(asked, &logged(room), Asked::is_answered);
    let seconds = recovered.as_secs_f64();
    let outcome =
        format!("{answered} answered, each in the log once, {refused} × 503, whole again after {seconds:.1} s");
    row.end(&format!("events: {events}"), turns(60, 3), &outcome);
}

#[test]
fn on_a_full_disk_it_refuses_and_then_serves_again() {
    refuses("batched");
}

#[test]
fn on_a_full_disk_it_refuses_and_then_serves_again_durable() {
    refuses("durable");
}

/// Who would rather be answered than remembered is answered, and the record says how many nobody remembers.
fn counts(events: &'static str) {
    let row = Row::begin("a full disk, unrecorded: count");
    let Some(filled) = full_for_a_while(&format!("events: {events}\nunrecorded: count\n")) else { return };
    let Filled { asked, room, .. } = &filled;
    assert!(asked.iter().all(Asked::is_answered), "somebody is refused");
    let events_of = logged(room);
    assert_logged(asked, &events_of, |_| false);
    room.govern(a_day_later());
    let unrecorded = in_windows(room, |snapshot| snapshot["counts"]["unrecorded"].as_u64());
    let counted = in_windows(room, |snapshot| snapshot["counts"]["counted"].as_u64());
    assert!(unrecorded > 0, "all of them are in the log");
    assert_eq!((counted, events_of.len() as u64 + unrecorded), (asked.len() as u64, asked.len() as u64));
    let outcome = format!("{} answered, {unrecorded} of them in no log and counted as such, 0 refused", asked.len());
    row.end(&format!("events: {events}"), turns(60, 3), &outcome);
}

#[test]
fn on_a_full_disk_it_answers_and_counts_where_that_is_wanted() {
    counts("batched");
}

#[test]
fn on_a_full_disk_it_answers_and_counts_where_that_is_wanted_durable() {
    counts("durable");
}
