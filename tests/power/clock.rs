//! Clocks that are wrong: nothing panics, nothing moves early, and nothing stays behind once they are right again.

use std::fs;

use regent::govern::Order;
use regent::types::{Span, Timestamp};

use super::room::{GOVERNOR, Point, Room, SECOND, a_day_later, at, text};
use super::serving;
use super::state::{self, Tree};
use super::table::{Row, in_full};

fn wrong_clocks() -> Vec<(&'static str, Timestamp)> {
    vec![
        ("an hour behind", at(6) - Span::from_hours(1)),
        ("a year behind", at(6) - Span::from_days(365)),
        ("1970", Timestamp::EPOCH),
        ("a year ahead", at(6) + Span::from_days(365)),
        ("2106", "2106-02-07T06:28:16Z".parse().unwrap()),
        ("the last second", "9999-12-31T23:59:59Z".parse().unwrap()),
    ]
}

/// Without what is told about the clock itself.
fn without_alerts(room: &Room) -> Tree {
    let mut tree = state::read(room);
    tree.retain(|path, _| !path.starts_with("var/rain/alerts/"));
    tree
}

/// A governor under a wrong clock, then under the right one: what it comes to is what the right one alone comes to.
#[test]
fn a_wrong_clock_moves_nothing_and_leaves_nothing_behind() {
    let row = Row::begin("wrong clock");
    let serving = Room::at(Point::Candidate);
    serving::answer_and_stop(&serving, 12);
    serving.govern(at(5));
    let right = serving.copy();
    right.govern(a_day_later());
    let wanted = without_alerts(&right);
    for (name, now) in wrong_clocks() {
        let room = serving.copy();
        let before = room.standing();
        for _ in 0..3 {
            let output = room.governed(now);
            assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
            assert!(!text(&output.stderr).contains("panicked"), "{name}: {output:?}");
            assert_eq!(room.standing(), before, "{name}: something moved");
        }
        room.govern(a_day_later());
        let came_to = without_alerts(&room);
        assert_eq!(state::difference(&wanted, &came_to), "", "{name}");
        let alerts = room.run(super::room::REGENT, &["alert", "list"]);
        assert!(!text(&alerts.stdout).contains("held"), "{name}: {alerts:?}");
        assert_eq!(room.is_healthy(a_day_later()), Ok(()), "{name}");
    }
    row.end("governor, 6 clocks × 3 runs", wrong_clocks().len() * 3, "no panic, no step, no window sealed early");
}

/// A training that a wrong clock began is not taken over early under the right one.
#[test]
fn a_training_of_a_year_ago_is_not_silent_yet() {
    let room = Room::at(Point::MoreRows);
    let now = (at(4) - Span::from_days(365)).to_string();
    room.done(&["train", "candidate", "rain", "--now", &now]);
    fs::remove_dir_all(room.path("registry/rain/1.1.0")).unwrap();
    room.govern(at(10));
    let candidate = room.standing().candidate.unwrap();
    assert_eq!((candidate.version, candidate.training.attempt), (SECOND, 1));
    let late = (at(4) + Span::from_days(365)).to_string();
    let refused = Room::at(Point::MoreRows).run(super::room::REGENT, &["train", "candidate", "rain", "--now", &late]);
    assert_eq!(refused.status.code(), Some(75), "{refused:?}");
}

/// A `clock` override is how a person says that the clock is right.
#[test]
fn a_person_may_vouch_for_the_clock() {
    let room = Room::at(Point::Champion);
    let now = at(3) + Span::from_days(365);
    room.govern(now);
    assert_eq!(room.standing().judged_until, None);
    let mut order = room.an_order(Order::Clock, None);
    order.expires = now + Span::from_days(1);
    room.write("governance/rain/overrides/clock.yaml", regent::yaml::print(&order).unwrap());
    room.govern(now);
    assert!(room.standing().judged_until.is_some());
}

/// All is reckoned in UTC: a day of 23 or 25 hours somewhere is a day.
#[test]
fn daylight_saving_changes_no_byte() {
    let row = Row::begin("daylight saving");
    let zones: &[&str] = &["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kolkata", "nonsense"];
    let nights: &[&str] = &["2026-10-25T00:59:00Z", "2026-03-29T00:59:00Z", "2026-11-01T05:59:00Z"];
    let (nights, zones) = if in_full() { (nights, zones) } else { (&nights[..1], &zones[..2]) };
    for night in nights {
        let night: Timestamp = night.parse().unwrap();
        let room = Room::at(Point::Ingested);
        let begin = night - Span::from_hours(20);
        let govern = |room: &Room, zone: &str, now: Timestamp| {
            let output = room.command(GOVERNOR, &["--now", &now.to_string()]).env("TZ", zone).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{zone} at {now}: {output:?}");
        };
        room.done(&["--now", &begin.to_string(), "train", "baseline", "rain"]);
        let mut trees: Vec<Tree> = Vec::new();
        for zone in zones {
            let room = room.copy();
            for minute in [1, 2, 19 * 60, 20 * 60, 20 * 60 + 1, 21 * 60 + 5, 22 * 60, 46 * 60] {
                govern(&room, zone, begin + Span::from_mins(minute));
            }
            trees.push(state::read(&room));
        }
        for (zone, tree) in zones.iter().zip(&trees) {
            assert_eq!(state::difference(&trees[0], tree), "", "{zone} around {night}");
        }
    }
    row.end(&format!("{} nights × {} zones", nights.len(), zones.len()), nights.len() * zones.len(), "the same bytes");
}
