//! A server starts: with many versions in the registry, and after a process that died with its spool full.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufWriter, Write};
use std::thread;
use std::time::{Duration, Instant};

use regent::log::read_ids;
use regent::types::{Span, Timestamp};
use rustix::process::Signal;
use serde_json::Value;
use uuid::Uuid;

use super::changes::{POLICY, ordered};
use super::load::{Asked, Load, an_id, serve, turns};
use super::room::{Point, Room, a_day_later, at, model};
use super::server::SLOW;
use super::stopped::{WINDOW, segments, stop};
use super::table::Row;

/// How long it took until it listens.
fn started(room: &Room) -> Duration {
    let begun = Instant::now();
    let server = serve(room, &[]);
    let took = begun.elapsed();
    stop(server);
    took
}

#[test]
fn it_starts_with_many_versions_and_serves_the_newest() {
    let versions = turns(100, 3);
    let room = Room::at(Point::MoreRows);
    room.write("governance/rain/policy.yaml", POLICY);
    for number in 1..versions {
        let version = format!("1.{number}.0");
        room.done(&["train", "candidate", "rain"]);
        let reign = ordered(&room, &["promote", "--version", &version, "--id", &format!("promote-{number}")]);
        assert_eq!(reign.version, version);
    }
    let row = Row::begin("start-up");
    let mut took: Vec<Duration> = (0..turns(11, 1)).map(|_| started(&room)).collect();
    took.sort_unstable();
    let server = serve(&room, &[]);
    let load = Load::begin(&server, 1, Duration::ZERO);
    load.await_more(1);
    assert!(load.end().iter().all(Asked::is_answered));
    assert!(server.said().contains(&format!("rain 1.{}.0 answers", versions - 1)), "{}", server.said());
    stop(server);
    row.end(
        &format!("{versions} versions"),
        took.len(),
        &format!("listens after {} ms", took[took.len() / 2].as_millis()),
    );
}

/// A line that a server has written of an answer.
fn a_line(room: &Room) -> String {
    let server = serve(room, &[]);
    let load = Load::begin(&server, 1, Duration::ZERO);
    load.await_more(1);
    load.end();
    thread::sleep(WINDOW * SLOW);
    server.tell(Signal::KILL);
    server.end();
    let segment = segments(room).pop().unwrap();
    let line = fs::read_to_string(&segment).unwrap().lines().next().unwrap().to_owned();
    fs::remove_file(segment).unwrap();
    line
}

/// Segments with so many answers, as one process would leave them.
fn leave(room: &Room, lines: usize, in_segments: usize) -> BTreeSet<Uuid> {
    let line = a_line(room);
    let event: Value = serde_json::from_str(&line).unwrap();
    let (ts, id) = (event[1].to_string(), event[2].as_str().unwrap());
    let begun = Timestamp::from_micros(event[1].as_i64().unwrap());
    let mut ids = BTreeSet::new();
    for segment in 0..in_segments {
        let path = room.path("var/spool/local").join(format!("01J0000000000000000000000{}-{segment:06}.jsonl", 0));
        let mut file = BufWriter::new(fs::File::create(path).unwrap());
        for place in (segment..lines).step_by(in_segments) {
            let (at, new) = (begun + Span::from_micros(place as i64), an_id());
            writeln!(file, "{}", line.replace(&ts, &at.micros().to_string()).replace(id, &new.to_string())).unwrap();
            ids.insert(new);
        }
        file.flush().unwrap();
    }
    ids
}

#[test]
fn what_a_dead_process_left_is_in_the_log_when_it_listens() {
    const SEGMENTS: usize = 4;
    let row = Row::begin("recovery");
    let room = Room::at(Point::Champion);
    let lines = turns(1_000_000, 4_000);
    let ids = leave(&room, lines, SEGMENTS);
    let begun = Instant::now();
    let server = serve(&room, &[]);
    let (took, worked) = (begun.elapsed().as_secs_f64(), server.worked().as_secs_f64());
    assert!(segments(&room).is_empty());
    let (mut times, mut others) = (BTreeSet::new(), 0);
    let see = |id| others += usize::from(!ids.contains(&id) || !times.insert(id));
    read_ids(&room.store(), &model(), at(0), a_day_later(), see).unwrap();
    assert_eq!((times.len(), others), (lines, 0));
    stop(server);
    row.end(
        &format!("{lines} lines in {SEGMENTS} segments"),
        1,
        &format!("listens after {took:.2} s and {worked:.2} s of processors, each line in a part once"),
    );
}
