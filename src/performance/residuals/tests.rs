//! Errors that lie elsewhere than they did are told, and those that lie where they lay are not.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::*;
use crate::registry::testing::verified;
use crate::train::worlds::World;

/// Residuals of so many rows, each one of the promised ones, changed.
fn of(promised: &Promised, rows: usize, seed: u64, change: impl Fn(f64) -> f64) -> Residuals {
    let mut generator = Pcg64::new(u128::from(seed), 9);
    let mut one = || promised.residuals[(generator.next_u64() % promised.residuals.len() as u64) as usize];
    let predictions: Vec<f64> = (0..rows).map(|row| row as f64).collect();
    let targets: Vec<f64> = predictions.iter().map(|prediction| prediction + change(one())).collect();
    let (drift, rules) = (DriftRules::DEFAULTS, PerformanceRules::defaults());
    residuals(promised, (&predictions, &targets), &drift, &rules).unwrap()
}

fn promised() -> Promised {
    Promised::by(&verified(&World::amount())).unwrap()
}

#[test]
fn errors_that_moved_or_grew_are_told() {
    let promised = promised();
    let same = of(&promised, 500, 1, |error| error);
    assert_eq!(same.moved(), Verdict::Pass, "{same:?}");
    assert_eq!(same.current.iter().sum::<u64>(), 500);
    assert_eq!(same.reference.iter().sum::<u64>() as usize, promised.residuals.len());
    assert_eq!(of(&promised, 500, 1, |error| error + promised.half_width).moved(), Verdict::Fail);
    let grown = of(&promised, 500, 1, |error| 3.0 * error);
    assert_eq!((grown.moved(), grown.coverage.verdict), (Verdict::Fail, Verdict::Fail), "{grown:?}");
    assert_eq!(of(&promised, 20, 1, |error| error).moved(), Verdict::Insufficient);
}

#[test]
fn errors_that_are_as_they_were_are_hardly_ever_told() {
    let promised = promised();
    let failed = (0..400).filter(|seed| of(&promised, 300, *seed, |error| error).moved() == Verdict::Fail).count();
    println!("windows of 300 rows whose errors are as promised and are told to have moved: {failed} of 400");
    assert!(failed <= 4, "{failed}");
}

#[test]
fn a_probability_promises_no_interval() {
    assert_eq!(Promised::by(&verified(&World::rain())), None);
}
