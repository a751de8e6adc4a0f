//! A disk that is full while requests come in, for a while.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::load::{Asked, Load, Said, assert_logged, logged, serve, turns};
use super::room::{Point, Room, a_day_later};
use super::server::SLOW;
use super::small::Small;
use super::table::Row;

/// The promise.
const RECOVERS_WITHIN: Duration = Duration::from_secs(5);
/// More would be a crowd of empty files that somebody has to look at.
const SEGMENTS: usize = 8;

/// A server on a full disk; nothing where no small disk can be mounted.
fn full_for_a_while(events: &str) -> Option<(Vec<Asked>, Duration, Room, Small)> {
    let (before, room) = (Room::at(Point::Champion), Room::empty());
    let disk = Small::mount(room.root(), if super::table::in_full() { 256 } else { 24 })?;
    let copied = Command::new("cp").arg("-a").arg(before.path(".")).arg(room.root()).status().unwrap();
    assert!(copied.success());
    room.write("regent.yaml", format!("events: {events}\n"));
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
    server.tell(Signal::TERM);
    let (status, _) = server.end();
    assert_eq!(status.code(), Some(0), "{status}");
    let refused = |one: &&Asked| !one.is_answered() && one.sent > filled;
    let last = asked.iter().filter(refused).map(|one| one.came).max().unwrap_or(emptied);
    Some((asked, last.saturating_duration_since(emptied), room, disk))
}

fn refuses(events: &'static str) {
    let row = Row::begin("a full disk, refuse");
    let Some((asked, recovered, room, _disk)) = full_for_a_while(events) else { return };
    let refused = asked.iter().filter(|one| one.said == Said::Refused(503)).count();
    let answered = asked.iter().filter(|one| one.is_answered()).count();
    assert_eq!(answered + refused, asked.len(), "there are other answers than 200 and 503");
    assert!(refused > 0, "nobody is refused");
    assert!(recovered < RECOVERS_WITHIN * SLOW, "{recovered:?}");
    assert_logged(&asked, &logged(&room), Asked::is_answered);
    assert_eq!(room.is_healthy(a_day_later()), Ok(()));
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
