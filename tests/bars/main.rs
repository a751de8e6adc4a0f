//! The demonstration's bars, on the file as it is and on variants of it: other columns, other days, a mended incident, and no
//! incident at all.

#![cfg(test)] // clippy then takes helpers for what they are: tests, which may unwrap
#![expect(clippy::disallowed_methods, reason = "tests look at the disk from outside")]

#[expect(dead_code, reason = "the chapters of the story use the rest")]
#[path = "../story/stage.rs"]
mod stage;

use std::ops::Range;
use std::thread;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use regent::backtest::{Comparison, Summary};
use regent::govern::State;

use stage::{replayed, replayed_under, rotated, weather};

const ALL: Range<usize> = 0..18_159;
const INCIDENT: usize = 12_000;
const BASELINE: usize = 6_000;

/// The weather as it was before its authors rotated its columns.
fn undisturbed() -> String {
    rotated(&weather(ALL), 7, INCIDENT..ALL.end)
}

/// How much of the distance in mean F1 from *never* to *always* the governor closes, and the changes of either.
fn closed(summary: &Summary) -> (f64, usize, usize) {
    let (never, always) = (summary.compare.never.as_ref().unwrap(), summary.compare.always.as_ref().unwrap());
    let [governed, never_f1, always_f1] = [&summary.compare.governed, never, always].map(|arm| arm.f1_mean.unwrap());
    let closed = (governed - never_f1) / (always_f1 - never_f1);
    (closed, summary.compare.governed.changes, always.changes)
}

#[test]
fn the_demonstration_shows_what_it_promises() {
    let summary = replayed(&weather(ALL), BASELINE, Comparison::WithNeverAndAlways);
    let (closed, changes, always) = closed(&summary);
    assert!(closed >= 0.6 && changes * 3 <= always, "closed {closed:.2} with {changes} of {always} changes");
    let promoted: Vec<usize> =
        summary.transitions.iter().filter(|step| step.to == State::Promoted).map(|step| step.window).collect();
    let incident = (INCIDENT - BASELINE) / 250;
    assert!(promoted[0] < incident, "one is promoted before the incident: {promoted:?}");
    let cured = promoted.iter().find(|window| **window > incident).unwrap();
    let after: Vec<f64> = summary.windows[cured + 1..].iter().filter_map(|line| line.f1).collect();
    let mean = after.iter().sum::<f64>() / after.len() as f64;
    assert!(mean > 0.6, "F1 recovers: {after:?}");
}

#[test]
fn the_bars_hold_on_four_of_five_variants() {
    let variants = [(1, 12_000), (3, 12_000), (5, 12_000), (1, 9_000), (1, 15_000)];
    let run = |(by, row): (usize, usize)| {
        let file = rotated(&undisturbed(), by, row..ALL.end);
        let (closed, changes, always) = closed(&replayed(&file, BASELINE, Comparison::WithNeverAndAlways));
        let line = format!("rotated by {by} at {row}: closed {closed:.2}, {changes} of {always} changes");
        (closed >= 0.6 && changes * 3 <= always, line)
    };
    let lines = thread::scope(|scope| {
        let halves =
            variants.chunks(3).map(|half| scope.spawn(move || half.iter().copied().map(run).collect::<Vec<_>>()));
        let halves: Vec<_> = halves.collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect::<Vec<_>>()
    });
    let held = lines.iter().filter(|(holds, _)| *holds).count();
    assert!(held >= 4, "{lines:#?}");
}

#[test]
fn when_the_incident_is_mended_regent_comes_back() {
    let file = rotated(&undisturbed(), 1, INCIDENT..INCIDENT + 1_500);
    let summary = replayed(&file, BASELINE, Comparison::Alone);
    let last: Vec<f64> = summary.windows.iter().rev().skip(1).take(8).filter_map(|line| line.f1).collect();
    let mean = last.iter().sum::<f64>() / last.len() as f64;
    assert!(mean > 0.55, "F1 at the end: {last:?}");
    let back = summary.transitions.iter().any(|step| step.to == State::RolledBack);
    assert!(back, "the way back is a rollback: {:?}", summary.transitions);
}

#[test]
fn without_change_nothing_changes_and_governed_is_as_good_as_always() {
    let file = weather(ALL);
    let (header, rows) = file.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().map(|row| row.split_once(',').unwrap().1).collect();
    rows.shuffle(&mut Pcg64::seed_from_u64(1));
    let numbered = rows.iter().enumerate().map(|(day, row)| format!("{day},{row}"));
    let file = format!("{header}\n{}\n", numbered.collect::<Vec<_>>().join("\n"));
    let summary = replayed(&file, BASELINE, Comparison::WithNeverAndAlways);
    let always = summary.compare.always.as_ref().unwrap().f1_mean.unwrap();
    assert_eq!(summary.compare.governed.changes, 0, "{:?}", summary.transitions);
    assert!(summary.compare.governed.f1_mean.unwrap() >= always);
}

/// Customers in no order of time: nothing drifts, no candidate is better, and the blank charges are mended as the README does.
#[test]
fn customers_do_not_change_and_neither_does_their_model() {
    let example = (include_str!("../../schemas/churn.yaml"), include_str!("../../contracts/churn.yaml"));
    let file = include_str!("../../data/wa_churn.csv").replace(",\n", ",0\n");
    let summary = replayed_under(example, &file, 2_250, Comparison::WithNeverAndAlways);
    let always = summary.compare.always.as_ref().unwrap().f1_mean.unwrap();
    assert_eq!(summary.compare.governed.changes, 0, "{:?}", summary.transitions);
    assert!(summary.compare.governed.f1_mean.unwrap() >= always - 0.01);
}

/// Sixteen years of rides: the trend leaves a model behind, and the governor follows it with few changes.
#[test]
fn ridership_is_followed() {
    let example = (include_str!("../../schemas/ridership.yaml"), include_str!("../../contracts/ridership.yaml"));
    let file = include_str!("../../data/chicago_ridership.csv");
    let summary = replayed_under(example, file, 1_750, Comparison::WithNeverAndAlways);
    let (never, always) = (summary.compare.never.as_ref().unwrap(), summary.compare.always.as_ref().unwrap());
    let [governed, never_mae, always_mae] = [&summary.compare.governed, never, always].map(|arm| arm.mae.unwrap());
    let closed = (never_mae - governed) / (never_mae - always_mae);
    let changes = (summary.compare.governed.changes, always.changes);
    assert!(closed >= 0.5 && changes.0 * 3 <= changes.1, "closed {closed:.2} with {changes:?} changes");
}
