//! Chapter 3: the world moves. It is seen, said, and by itself no reason to promote.

use regent::alert::{Level, Rule};
use regent::backtest::Comparison;
use regent::drift::Severity;
use regent::govern::State;

use super::stage::{replayed, weather};

/// Four years before the incident, and three windows of it: windows of 250 from row 10,000, the incident in the ninth.
#[test]
fn an_incident_is_a_critical_alert_in_the_first_mature_window() {
    let summary = replayed(&weather(6_000..12_750), 4_000, Comparison::Alone);
    let incident = summary.windows.iter().position(|line| line.first_row >= 6_000).unwrap();
    let critical: Vec<usize> = summary
        .alerts
        .iter()
        .filter(|(_, alert)| {
            alert.finding.level == Level::Critical && alert.finding.rule == Rule::PerformanceDegradation
        })
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
