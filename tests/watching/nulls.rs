//! Windows in which nothing changed.

use std::thread;

use regent::backtest::{FalseAlarms, Population};
use regent::contract::{FeatureVector, Profile};
use regent::govern::Rules;

use super::worlds::{World, shipped};
use super::{SMALL, WINDOWS, percent};

const SIZES: &[u64] = if SMALL { &[50, 100, 500] } else { &[50, 100, 200, 500, 1_000, 5_000] };

/// Schema, contract and rows of each file that the repository ships.
macro_rules! files {
    ($name:literal, $rows:literal) => {
        (
            $name,
            [
                include_str!(concat!("../../schemas/", $name, ".yaml")),
                include_str!(concat!("../../contracts/", $name, ".yaml")),
                include_str!(concat!("../../data/", $rows, ".csv")),
            ],
        )
    };
}
const SHIPPED: [(&str, [&str; 3]); 3] =
    [files!("rain", "noaa_rain"), files!("churn", "wa_churn"), files!("ridership", "chicago_ridership")];

fn measured(profile: &Profile, rows: &[FeatureVector], sizes: &[u64]) -> Vec<FalseAlarms> {
    let population = Population::new(profile, rows);
    let sizes: Vec<u64> = sizes.iter().copied().filter(|size| *size <= rows.len() as u64 / 2).collect();
    let one = |size: &u64| population.false_alarms(&Rules::default(), *size, WINDOWS, 20_261_121 + size).unwrap();
    let halves: [Vec<&u64>; 2] = [sizes.iter().step_by(2).collect(), sizes.iter().skip(1).step_by(2).collect()];
    let mut found: Vec<FalseAlarms> = thread::scope(|scope| {
        let running = halves.map(|half| scope.spawn(|| half.into_iter().map(one).collect::<Vec<_>>()));
        running.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    found.sort_by_key(|found| found.rows_per_window);
    found
}

#[test]
fn nothing_changed_and_hardly_anything_is_said() {
    let world = World::new(15_000, 1);
    let mut worlds = vec![("20 numbers, 5 categories", world.profile.clone(), world.rows(15_000, 1))];
    for (name, files) in SHIPPED {
        let (profile, rows) = shipped(files);
        worlds.push((name, profile, rows));
    }
    println!(
        "\nWindows in which nothing changed, {WINDOWS} of each size, the default policy; seed 20261121 and the size"
    );
    println!(
        "{:<26} {:>6} {:>13} {:>12} {:>9} {:>9} {:>10} {:>9}",
        "", "rows", "insufficient", "some p < .05", "feature", "dataset", "confirmed", "RETRAIN_*"
    );
    let (mut windows, mut retrain) = (0, 0);
    for (name, profile, rows) in &worlds {
        for found in measured(profile, rows, SIZES) {
            println!(
                "{name:<26} {:>6} {:>13} {:>12} {:>9} {:>9} {:>10} {:>9}",
                found.rows_per_window,
                percent(found.insufficient.share),
                percent(found.customary.share),
                percent(found.feature.share),
                percent(found.dataset.share),
                percent(found.confirmed.share),
                percent(found.retrain.share)
            );
            windows += found.windows;
            retrain += found.retrain.count;
            let enough = found.rows_per_window >= 100;
            assert_eq!(found.insufficient.share, f64::from(u8::from(!enough)), "{name}");
            assert!(found.dataset.share <= 0.01, "{name}: {found:?}");
            let many = profile.features.len() >= 20;
            assert!(!many || found.customary.share > 0.5, "{name}: {found:?}");
        }
    }
    let bound = regent::stats::share(retrain, windows).unwrap().interval.upper;
    println!("RETRAIN_* after {retrain} of {windows} windows: at most {} (95 %)", percent(bound));
    assert!(SMALL && retrain == 0 || bound <= 0.001, "{bound}");
}
