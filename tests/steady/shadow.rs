//! A candidate that is far slower than the champion: what it cannot do is dropped and counted, and no answer knows of it.

use std::time::Duration;

use super::load::{Asked, Load, Said, assert_logged, in_windows, logged, serve, turns};
use super::room::{Point, Room, a_day_later, at, text};
use super::stopped::stop;
use super::table::{Row, in_full};

/// A champion of a few coefficients, and a candidate of very many trees.
fn a_slow_candidate() -> Room {
    let room = Room::at(Point::MoreRows);
    let windows = "windows: {base: 6h, judge: 12h, grace: 1m}\nevaluate: {margin: 9.0, calibration_margin: 1.0, stability_psi: 999.0}\n";
    let gbdt = "gbdt: {trees: 10000, leaves: 15, learning_rate: 0.01, l2: 0.0, leaf: {share: 0.02, at_least: 5, at_most: 20}, \
                feature_share: 1.0, row_share: 1.0, bins: 255}";
    let policy = format!("{windows}train:\n  families: [gbdt]\n  look_backs: [all]\n  {gbdt}\n");
    room.write("governance/rain/policy.yaml", policy);
    let now = at(4).to_string();
    room.done(&["--now", &now, "train", "candidate", "rain"]);
    let governed = room.governed(at(5));
    assert!(room.standing().candidate.is_some(), "the candidate does not shadow: {}", text(&governed.stdout));
    room
}

/// What callers are told by a server of this workspace.
fn asked(room: &Room, callers: usize, rest: Duration, answers: u64) -> Vec<Asked> {
    let server = serve(room, &[]);
    let load = Load::begin(&server, callers, rest);
    load.await_more(answers);
    let asked = load.end();
    stop(server);
    assert!(asked.iter().all(Asked::is_answered));
    asked
}

fn answers(asked: &[Asked]) -> Vec<(&str, u64)> {
    let mut answers: Vec<_> = asked
        .iter()
        .filter_map(|one| match &one.said {
            Said::Answer { version, probability } => Some((version.as_str(), probability.to_bits())),
            Said::Refused(_) | Said::Nothing | Said::Half(_) => None,
        })
        .collect();
    answers.sort_unstable();
    answers.dedup();
    answers
}

#[test]
fn what_a_slow_candidate_cannot_do_is_dropped_and_counted() {
    let row = Row::begin("a slow candidate");
    let alone = Room::at(Point::MoreRows);
    let beside = a_slow_candidate();
    let without = asked(&alone, 8, Duration::ZERO, 200);
    let with = asked(&beside, 8, Duration::ZERO, turns(200_000, 12_000) as u64);
    assert_eq!(answers(&with), answers(&without), "the answer is another");
    assert_logged(&with, &logged(&beside), Asked::is_answered);

    beside.govern(a_day_later());
    let of = |key: &str| in_windows(&beside, |snapshot| snapshot["counts"]["versions"]["1.1.0"][key].as_u64());
    let (scored, dropped) = (of("rows"), of("dropped"));
    assert_eq!(scored + dropped, with.len() as u64, "{scored} scored, {dropped} dropped");
    assert!(dropped > 0, "it keeps up");
    let outcome = format!("{} answers as without it; {scored} scored, {dropped} dropped and counted", with.len());
    row.end("as many requests as are answered", with.len(), &outcome);
}

/// The slowest of a hundred, in microseconds.
fn p99_us(asked: &[Asked]) -> u128 {
    let mut took: Vec<u128> = asked.iter().map(|one| (one.came - one.sent).as_micros()).collect();
    took.sort_unstable();
    took[took.len() * 99 / 100]
}

/// A measurement and no promise of the gate: `make test-steady` makes it, in turns, and prints it.
#[test]
fn how_long_answers_take_beside_a_slow_candidate() {
    if !in_full() {
        return;
    }
    const TURNS: usize = 5;
    let row = Row::begin("p99 beside a slow candidate");
    let (alone, beside) = (Room::at(Point::MoreRows), a_slow_candidate());
    let measure = |room: &Room| p99_us(&asked(room, 16, Duration::from_millis(1), 50_000));
    let (mut first, mut second, mut slow) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        first.push(measure(&alone));
        slow.push(measure(&beside));
        second.push(measure(&alone));
    }
    for times in [&mut first, &mut second, &mut slow] {
        times.sort_unstable();
    }
    let equal = [first.as_slice(), &second].concat();
    let spread = equal.iter().max().unwrap() - equal.iter().min().unwrap();
    let [first, second, slow] = [first, second, slow].map(|times| times[TURNS / 2]);
    let outcome =
        format!("{slow} µs; of two equal servers without one {first} and {second} µs, all runs within {spread} µs");
    row.end("16 callers, 1 ms of rest", TURNS, &outcome);
    let alone = first.max(second);
    assert!(slow <= alone + spread.max(alone / 20), "{outcome}");
}
