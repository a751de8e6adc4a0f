//! Chapter 3: the world moves. It is seen, said, and by itself no reason to promote.

use regent::alert::{Kind, Level};
use regent::backtest::Comparison;
use regent::drift::Severity;
use regent::govern::State;

use super::stage::{replayed, rotated, weather};

/// Four years before the incident, and three windows of it: windows of 250 from row 10,000, the incident in the ninth.
#[test]
fn an_incident_is_a_critical_alert_in_the_first_mature_window() {
    let summary = replayed(&weather(6_000..12_750), 4_000, Comparison::Alone);
    let incident = summary.windows.iter().position(|line| line.first_row >= 6_000).unwrap();
    let critical: Vec<usize> = summary
        .alerts
        .iter()
        .filter(|(_, alert)| alert.level == Level::Critical && alert.kind == Kind::PerformanceDegradation)
        .map(|(window, _)| *window)
        .collect();
    assert_eq!(critical.first(), Some(&(incident + 1)), "labels are one window late");
    assert_eq!(summary.windows[incident].verdicts[0], "Fail");
    assert!(Severity::Severe > Severity::Moderate);
}

/// P4 and P12: drift without loss is said, and promotes nobody.
#[test]
fn drift_while_performance_holds_promotes_nobody() {
    let summary = replayed(&weather(0..8_000), 6_000, Comparison::Alone);
    assert!(summary.windows.iter().any(|line| line.verdicts[0] == "Fail"), "visibility drifts");
    assert!(summary.transitions.iter().all(|step| step.to != State::Promoted));
}

/// Six windows of the incident, in which a candidate that knows only broken columns is promoted; then they are whole again. The
/// champion's inputs are severely far from its own profile, and the right model lies in the registry.
#[test]
fn when_an_incident_is_mended_the_way_back_is_a_rollback() {
    let mended = rotated(&weather(7_000..14_750), 7, 6_500..7_750);
    let summary = replayed(&mended, 4_000, Comparison::Alone);
    let back = summary.transitions.iter().find(|step| step.to == State::RolledBack).unwrap();
    assert!(back.reasons[0].contains("1.0.0 is better than 1.1.0 on the newest labelled rows"), "{:?}", back.reasons);
    let mended_in = summary.windows.iter().position(|line| line.first_row >= 6_500).unwrap();
    assert!((mended_in + 1..=mended_in + 2).contains(&back.window), "labels are one window late: {}", back.window);
    let after: Vec<f64> = summary.windows.iter().skip(back.window + 1).filter_map(|line| line.f1).collect();
    assert!(after.iter().all(|f1| *f1 > 0.6), "{after:?}");
}
