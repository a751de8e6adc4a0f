//! One champion after another, under load: nobody is turned away, and every answer is of a version that was champion then.

use std::thread;
use std::time::{Duration, Instant};

use super::load::{Asked, Load, Said, assert_logged, logged, serve, turns};
use super::room::{GOVERNOR, Point, Room, text};
use super::server::{SLOW, Server};
use super::stopped::stop;
use super::table::Row;

/// A server looks at the journal once a second, and loads a version that it finds there. So a version may answer until so long after
/// the command that took its place had ended, and no version answers before the command that promotes it was begun.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(1);
/// To load a bundle, and to be given a turn by the machine.
const GRACE: Duration = Duration::from_millis(500);

/// When a version became champion: after the first instant, and before the second.
pub(crate) struct Reign {
    pub(crate) version: String,
    after: Instant,
    before: Instant,
}

/// The windows of this policy are long over at no time of the test, and a training of it takes a moment.
pub(crate) const POLICY: &str =
    "windows:\n  base: 6h\n  judge: 12h\n  grace: 1m\ntrain:\n  families: [logistic]\n  look_backs: [all]\n";

/// A word, given to the governor as an order at this instant.
pub(crate) fn ordered(room: &Room, words: &[&str]) -> Reign {
    let give = [&["override", "set", "rain", "--reason", "a change under load", "--for", "24h"], words].concat();
    room.done(&give);
    let after = Instant::now();
    let output = room.run(GOVERNOR, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let champion = room.standing().champion.unwrap_or_else(|| panic!("{}", text(&output.stdout)));
    Reign { version: champion.version.to_string(), after, before: Instant::now() }
}

/// Wait until it answers in health, too; how long after the change that was.
fn followed(room: &Room, server: &Server, reign: &Reign) -> Duration {
    let seen = format!("rain {} answers", reign.version);
    loop {
        let last = server.said().lines().rfind(|line| line.contains(" answers")).unwrap_or_default().to_owned();
        let lag = reign.before.elapsed();
        if last.contains(&seen) {
            return lag;
        }
        assert!(lag < (FOLLOWS_WITHIN + GRACE) * SLOW, "{} does not serve {}: {last}", room.root().display(), seen);
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether the version that answered was champion at some instant from when its answer could last be followed until it came.
fn was_champion(asked: &Asked, version: &str, reigns: &[Reign], lag: Duration) -> bool {
    reigns.iter().enumerate().any(|(place, reign)| {
        let over = reigns.get(place + 1).map(|next| next.before + lag);
        reign.version == version && reign.after <= asked.came && over.is_none_or(|over| asked.sent <= over)
    })
}

#[test]
fn one_champion_after_another_and_nobody_is_turned_away() {
    let row = Row::begin("promotions and rollbacks under load");
    let room = Room::at(Point::MoreRows);
    room.write("governance/rain/policy.yaml", POLICY);
    let begun = Instant::now();
    let server = serve(&room, &[]);
    let load = Load::begin(&server, 8, Duration::from_millis(2));
    let mut reigns = vec![Reign { version: "1.0.0".to_owned(), after: begun, before: begun }];
    let (changes, mut slowest) = (turns(100, 4), Duration::ZERO);
    for change in 0..changes {
        let reign = if change % 2 == 0 {
            let version = format!("1.{}.0", change / 2 + 1);
            room.done(&["train", "candidate", "rain"]);
            ordered(&room, &["promote", "--version", &version, "--id", &format!("promote-{change}")])
        } else {
            ordered(&room, &["rollback", "--id", &format!("rollback-{change}")])
        };
        assert_ne!(Some(&reign.version), reigns.last().map(|last| &last.version), "nothing has changed");
        // Every other change comes while the one before it is still being followed.
        if change % 4 != 1 {
            slowest = slowest.max(followed(&room, &server, &reign));
            load.await_more(20);
        }
        reigns.push(reign);
    }
    let asked = load.end();
    stop(server);

    let failed: Vec<_> = asked.iter().filter(|one| !one.is_answered()).collect();
    assert!(failed.is_empty(), "{} failed: {:?}", failed.len(), failed[0]);
    let lag = (FOLLOWS_WITHIN + GRACE).max(slowest);
    for one in &asked {
        let Said::Answer { version, .. } = &one.said else { continue };
        assert!(was_champion(one, version, &reigns, lag), "{version} was not champion: {one:?}");
    }
    assert_logged(&asked, &logged(&room), Asked::is_answered);
    let outcome = format!(
        "0 of {} requests failed, each answered by who was champion, followed after {:.1} s at most",
        asked.len(),
        slowest.as_secs_f64()
    );
    row.end("8 callers", changes, &outcome);
}
