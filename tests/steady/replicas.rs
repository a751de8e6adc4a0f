//! Two replicas on one workspace: each has a spool and parts of its own, and a window counts what both answered.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use regent::log::{PartKind, parts_between};
use serde_json::Value;

use super::load::{Asked, Load, assert_logged, in_windows, logged, serve, turns};
use super::room::{Point, REGENT, Room, a_day_later, at, model};
use super::server::Server;
use super::stopped::stop;
use super::table::Row;

fn of_replica(name: &str, replica: &str) -> bool {
    name.rsplit('/').next().is_some_and(|file| file.starts_with(&format!("{replica}-")))
}

#[test]
fn two_replicas_have_spools_and_parts_of_their_own_and_one_sum() {
    const NAMES: [&str; 2] = ["north", "south"];
    let row = Row::begin("two replicas");
    let room = Room::at(Point::Champion);
    let servers: Vec<Server> = NAMES.iter().map(|name| serve(&room, &["--replica", name])).collect();
    let loads: Vec<Load> = servers.iter().map(|server| Load::begin(server, 4, Duration::from_millis(1))).collect();
    // A third of a name that is taken is turned away.
    let output = room.run(REGENT, &["serve", "rain", "--listen", "127.0.0.1:0", "--replica", NAMES[0]]);
    assert_ne!(output.status.code(), Some(0), "{output:?}");
    loads.iter().for_each(|load| load.await_more(turns(20_000, 300) as u64));
    for name in NAMES {
        assert!(
            fs::read_dir(room.path("var/spool").join(name)).unwrap().count() > 1,
            "{name} has a segment and its lock"
        );
    }
    let asked: Vec<Vec<Asked>> = loads.into_iter().map(Load::end).collect();
    for server in servers {
        stop(server);
    }

    let asked = asked.concat();
    assert!(asked.iter().all(Asked::is_answered));
    let events = logged(&room);
    assert_logged(&asked, &events, Asked::is_answered);
    assert_eq!(events.len(), asked.len());
    for kind in [PartKind::Events, PartKind::Counts] {
        let parts = parts_between(&room.store(), &model(), kind, at(0), a_day_later()).unwrap();
        let names: BTreeSet<String> = parts.iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), parts.len());
        for name in NAMES {
            assert!(names.iter().any(|part| of_replica(part, name)), "{name} has no part: {names:?}");
        }
        assert!(names.iter().all(|part| NAMES.iter().any(|name| of_replica(part, name))), "{names:?}");
    }

    room.govern(a_day_later());
    let sum = asked.len() as u64;
    let sums = [
        in_windows(&room, |snapshot| snapshot["requests"].as_u64()),
        in_windows(&room, |snapshot| snapshot["counts"]["counted"].as_u64()),
        in_windows(&room, |snapshot| Some(rows_by_their_bins(&snapshot["counts"]["versions"]["1.0.0"]))),
    ];
    assert_eq!(sums, [sum; 3]);
    row.end("one workspace", 2, &format!("{sum} answers, each in one spool, one part and one window's sum"));
}

/// How many rows a version saw, as the counts of each feature's bins say it.
fn rows_by_their_bins(version: &Value) -> u64 {
    let sum = |feature: &Value| feature["counts"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    let sums: BTreeSet<u64> = version["features"].as_array().into_iter().flatten().map(sum).collect();
    assert!(sums.len() <= 1, "features were counted differently often: {sums:?}");
    sums.first().copied().unwrap_or_default()
}
