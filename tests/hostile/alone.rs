//! Every case by itself: the server gives no answer that it may not give, lives, answers, and holds nothing back.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use super::cases::{self, Case};
use super::house::House;
use super::server::{Door, Held, Server, read_quietly, statuses};
use super::table::{in_full, row};

const ENDS: &str = "the process ends";
const PANICS: &str = "a thread panics";

/// In which way a server failed.
fn fault(server: &mut Server, door: Door, case: &Case, seen: &[u16]) -> Option<String> {
    if !case.allowed.is(seen) {
        return Some(format!("answers {seen:?}, and {:?} is allowed", case.allowed));
    }
    // An abort comes after the connection is gone.
    thread::sleep(Duration::from_millis(5));
    // The small door leaves a request for seconds now and then, whatever came before.
    let healthy = server.is_healthy() || (door == Door::Tiny && server.is_healthy());
    match (server.has_ended(), server.panics(), healthy) {
        (true, ..) => Some(ENDS.to_owned()),
        (_, 1.., _) => Some(PANICS.to_owned()),
        (_, _, false) if server.has_ended() => Some(ENDS.to_owned()),
        (_, _, false) => Some("health does not answer in time".to_owned()),
        (false, 0, true) => None,
    }
}

fn tried(server: &mut Server, door: Door, case: &Case) -> Option<String> {
    let seen = {
        let mut stream = server.connect();
        // A server that hears no more has refused.
        let _ = (case.send)(&mut stream);
        statuses(&read_quietly(&mut stream, false))
    };
    fault(server, door, case, &seen)
}

/// A server with all the files that it keeps open, and what it holds.
fn ready(house: &House, door: Door) -> (Server, Held) {
    let server = house.serve(door, &[]);
    assert_eq!(server.ask(&cases::sound()), 200);
    assert!(server.is_healthy());
    thread::sleep(Duration::from_millis(100));
    let held = server.held();
    (server, held)
}

/// How many cases were tried, and those that a door does not withstand.
fn faults(door: Door) -> (usize, Vec<(String, String)>) {
    let house = House::with_champion();
    let cases: Vec<Case> = cases::all();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert!(names.len() == cases.len() && cases.len() >= 200, "{} cases, {} names", cases.len(), names.len());
    let chosen = cases.iter().step_by(if in_full() { 1 } else { 8 });
    let (mut count, mut faults) = (0, Vec::new());
    let (mut server, mut before) = ready(&house, door);
    for case in chosen {
        count += 1;
        let fault = tried(&mut server, door, case).or_else(|| {
            let more = |now| format!("holds back: {before:?} before, {now:?} after");
            // The small door starts and ends threads as it likes, so only what faces others is held to them.
            if door == Door::Hyper { server.settles_at(before).err().map(more) } else { None }
        });
        if let Some(fault) = fault {
            eprintln!("{} · {}: {fault}", door.as_str(), case.name);
            faults.push((case.name.clone(), fault));
            // A new one: this one may be past all further cases. It holds the spool until it is gone.
            drop(server);
            (server, before) = ready(&house, door);
        }
    }
    (count, faults)
}

#[test]
fn no_case_harms_the_door_that_faces_others() {
    let (tried, faults) = faults(Door::Hyper);
    assert_eq!(faults, [], "of {tried} cases");
    row(
        "one connection",
        "hyper",
        tried,
        "0 exits, 0 panics, 0 × 5xx, health after each, no thread and no descriptor held",
    );
}

/// What tiny_http 0.12 does not withstand, or takes as it should not; `docs/security.md` says why it is there all the same. What
/// becomes of a length that it makes room for depends on how much room the machine promises.
const KNOWN: [&str; 4] = [
    "content-length \"1000000000000\"",
    "content-length \"18446744073709551615\"",
    "a header that begins with a space",
    "a query of 60,000 characters",
];

#[test]
fn the_small_door_fails_where_it_is_known_to_and_nowhere_else() {
    let (tried, faults) = faults(Door::Tiny);
    let unknown: Vec<_> = faults.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "of {tried} cases: {unknown:#?}");
    let ended = faults.iter().filter(|(_, fault)| fault == ENDS || fault == PANICS).count();
    let outcome = format!("{} known failures, {ended} of them end the process or a thread", faults.len());
    row("one connection", "tiny_http", tried, &outcome);
}
