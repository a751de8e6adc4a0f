//! A bundle that is damaged on disk when a server comes to load it: refused, told, and mended without a restart.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::load::{Asked, Load, Said, serve};
use super::room::{Point, REGENT, Room, at};
use super::server::SLOW;
use super::stopped::stop;
use super::table::Row;

/// A look at the journal, and a load.
const SOON: Duration = Duration::from_secs(3);

/// The alerts of the model that stand, as a person sees them.
fn standing(room: &Room) -> Vec<(String, String)> {
    let output = room.run(REGENT, &["-o", "json", "alert", "list", "--model", "rain"]);
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let word = |alert: &Value, key: &str| alert[key].as_str().unwrap_or_default().to_owned();
    listed["alerts"].as_array().unwrap().iter().map(|alert| (word(alert, "type"), word(alert, "level"))).collect()
}

fn soon(what: &str, mut is: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < SOON * SLOW, "{what} comes to nothing");
        thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}

fn put(path: &PathBuf, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o444)).unwrap();
}

#[test]
fn a_bundle_that_is_damaged_is_refused_and_told_and_the_old_version_serves() {
    let row = Row::begin("a bundle damaged on disk");
    let room = Room::at(Point::PromotionOrdered);
    let server = serve(&room, &[]);
    let load = Load::begin(&server, 4, Duration::from_millis(2));
    load.await_more(20);
    // It looks away while the new champion is promoted and then damaged.
    server.tell(Signal::STOP);
    room.govern(at(5));
    let file = room.path("registry/rain/1.1.0/profile.json");
    let sound = fs::read(&file).unwrap();
    let mut damaged = sound.clone();
    damaged[sound.len() / 2] ^= 1;
    put(&file, &damaged);
    let looks = Instant::now();
    server.tell(Signal::CONT);

    let alert = [("integrity".to_owned(), "CRITICAL".to_owned())];
    let told = soon("the alert", || standing(&room) == alert);
    // It is told where people look before it is told on stderr.
    soon("the same on stderr", || ["profile.json", "1.1.0"].iter().all(|word| server.said().contains(word)));
    load.await_more(50);
    put(&file, &sound);
    soon("the mended bundle", || server.said().contains("rain 1.1.0 answers"));
    let mended = Instant::now();
    load.await_more(20);
    let asked = load.end();
    stop(server);
    // Who sees that all is well is the governor.
    room.govern(at(6));
    assert_eq!(standing(&room), []);

    assert!(asked.iter().all(Asked::is_answered));
    let old = |one: &&Asked| matches!(&one.said, Said::Answer { version, .. } if version == "1.0.0");
    let versions = |from: Instant, to: Instant| {
        let within: Vec<_> = asked.iter().filter(|one| from <= one.sent && one.came < to).collect();
        (within.len(), within.into_iter().filter(old).count())
    };
    let (all, by_the_old) = versions(looks, looks + told);
    assert!(all == by_the_old && all > 0, "{by_the_old} of {all}");
    let (all, by_the_old) = versions(mended, Instant::now());
    assert!(by_the_old == 0 && all > 0, "{by_the_old} of {all}");
    let outcome = format!(
        "0 of {} requests failed, the old version serves, CRITICAL alert after {:.1} s, swapped once mended",
        asked.len(),
        told.as_secs_f64()
    );
    row.end("when it is to be loaded", 1, &outcome);
}
