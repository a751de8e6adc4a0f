//! Chapter 4: after an incident a candidate is trained on the new world, shadows, and is promoted on evidence.

use regent::backtest::Comparison;
use regent::govern::{ROAD, State};

use super::stage::{replayed, weather};

#[test]
fn after_an_incident_a_candidate_is_promoted_and_f1_recovers() {
    let summary = replayed(&weather(6_000..14_500), 4_000, Comparison::Alone);
    let promoted: Vec<usize> =
        summary.transitions.iter().filter(|step| step.to == State::Promoted).map(|step| step.window).collect();
    let incident = summary.windows.iter().position(|line| line.first_row >= 6_000).unwrap();
    let cured = promoted.iter().find(|window| **window > incident).copied();
    let after: Vec<f64> =
        summary.windows.iter().filter(|line| Some(line.index) > cured).filter_map(|line| line.f1).collect();
    assert!(cured.is_some() && !after.is_empty(), "{:?}", summary.transitions);
    let mean = after.iter().sum::<f64>() / after.len() as f64;
    assert!(mean > 0.6, "F1 after the cure: {after:?}");
    // P3: every step is one of the road.
    assert!(summary.transitions.iter().all(|step| ROAD.contains(&(step.from, step.to))));
    // P2: exactly one champion after every step.
    let mut serving = 1;
    for step in &summary.transitions {
        serving += i32::from(step.to == State::Promoted) - i32::from(step.from == Some(State::Promoted));
        assert!((0..=1).contains(&serving));
    }
    assert_eq!(serving, 1);
}
