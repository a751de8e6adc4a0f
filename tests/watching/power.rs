//! Windows of a world that did change.

use std::thread;

use regent::contract::Slot;
use regent::drift::{DriftRules, moved};

use super::worlds::{CATEGORY, Dice, NUMBER, Row, World};
use super::{SMALL, percent};

const RUNS: usize = if SMALL { 20 } else { 1_000 };
const SIZES: [usize; 3] = [200, 500, 1_000];
/// A change is loud in time if it is heard within so many windows.
const IN_TIME: usize = 3;

type Change = fn(&mut Row, &mut Dice);

const CHANGES: [(&str, Change); 7] = [
    ("mean of a number + 0.2 sd", |row, _| on_number(row, |x| x + 0.2)),
    ("mean of a number + 0.5 sd", |row, _| on_number(row, |x| x + 0.5)),
    ("variance of a number × 2", |row, _| on_number(row, |x| x * 2f64.sqrt())),
    ("10 % of rows change their category", |row, dice| {
        // Of the first word's 40 % a quarter goes to the second.
        if row[CATEGORY] == Slot::Value(0.0) && dice.even() < 0.25 {
            row[CATEGORY] = Slot::Value(1.0);
        }
    }),
    ("missing values, from none to 20 %", |row, dice| {
        if dice.even() < 0.2 {
            row[NUMBER] = Slot::Missing;
        }
    }),
    ("a new category, 5 %", |row, dice| {
        if dice.even() < 0.05 {
            row[CATEGORY] = Slot::Unseen;
        }
    }),
    ("every number's mean + 0.2 sd", |row, _| {
        for slot in &mut row[..12] {
            if let Slot::Value(x) = slot {
                *x += 0.2;
            }
        }
    }),
];

fn on_number(row: &mut Row, change: impl Fn(f64) -> f64) {
    if let Slot::Value(x) = &mut row[NUMBER] {
        *x = change(*x);
    }
}

/// In what share of windows the changed feature is called drifted, and the dataset.
fn heard(world: &World, size: usize, change: Change, seed: u64) -> (f64, f64, f64) {
    let rules = DriftRules::DEFAULTS;
    let run = |run: usize| -> (usize, usize, bool) {
        let mut dice = Dice::new(seed + run as u64);
        let looks: Vec<(bool, bool)> = (0..IN_TIME)
            .map(|_| {
                let found = moved(&world.profile, &world.window(size, &mut dice, change), &rules);
                (found.features.iter().any(|feature| feature.drifted), !found.dataset.verdict.is_pass())
            })
            .collect();
        let count = |of: &dyn Fn(&(bool, bool)) -> bool| looks.iter().filter(|look| of(look)).count();
        (count(&|look| look.0), count(&|look| look.1), looks.iter().any(|look| look.0))
    };
    let halves = [0..RUNS / 2, RUNS / 2..RUNS];
    let runs: Vec<(usize, usize, bool)> = thread::scope(|scope| {
        let running = halves.map(|half| scope.spawn(|| half.map(run).collect::<Vec<_>>()));
        running.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let windows = (RUNS * IN_TIME) as f64;
    (
        runs.iter().map(|run| run.0).sum::<usize>() as f64 / windows,
        runs.iter().map(|run| run.1).sum::<usize>() as f64 / windows,
        runs.iter().filter(|run| run.2).count() as f64 / RUNS as f64,
    )
}

#[test]
fn what_changed_is_heard_in_time() {
    let world = World::new(5_000, 1);
    println!(
        "\nWindows of a world that changed, {RUNS} runs of {IN_TIME} windows; in how many a feature is called drifted"
    );
    println!("{:<36} {:>6} {:>10} {:>10} {:>18}", "", "rows", "windows", "dataset", "within 3 windows");
    for (name, change) in CHANGES {
        for size in SIZES {
            let (feature, dataset, in_time) = heard(&world, size, change, 4_000_000);
            println!("{name:<36} {size:>6} {:>10} {:>10} {:>18}", percent(feature), percent(dataset), percent(in_time));
            let promised = match name {
                "mean of a number + 0.5 sd" => size >= 500,
                "variance of a number × 2" | "10 % of rows change their category" => size >= 1_000,
                _ => false,
            };
            assert!(!promised || in_time >= 0.95, "{name} at {size}: {in_time}");
        }
    }
}
