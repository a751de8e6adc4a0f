//! Chapter 3: the world moves. It is seen, said, and by itself no reason to promote.

use regent::alert::{Kind, Level};
use regent::backtest::Comparison;
use regent::drift::Severity;
use regent::govern::State;

use serde_json::Value;

use super::programs::{Programs, REGENT};
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

/// P12: a policy states how often it may be alarmed for nothing; what it costs is measured on the model's own rows, kept, and
/// held against that.
#[test]
fn a_policy_that_cries_wolf_is_found_out() {
    let programs = Programs::with_champion();
    let measure = ["drift", "null", "--windows", "300", "--rows", "200"];
    let measured = || programs.json(REGENT, &measure)["found"].clone();
    let said = || {
        let doctor = programs.json(REGENT, &["doctor"]);
        let about = |finding: &&Value| finding["check"] == "false alarms";
        let finding = doctor["findings"].as_array().unwrap().iter().find(about).unwrap().clone();
        format!("{}: {}", finding["level"].as_str().unwrap(), finding["what"].as_str().unwrap())
    };
    assert!(said().starts_with("ok: not measured"), "{}", said());
    programs.done(&[&measure[..], &["--dry-run"]].concat());
    assert!(said().starts_with("ok: not measured"), "a dry run keeps nothing: {}", said());

    let quiet = measured();
    assert_eq!((&quiet["insufficient"]["share"], &quiet["confirmed"]["share"]), (&0.0.into(), &0.0.into()), "{quiet}");
    assert!(quiet["customary"]["share"].as_f64().unwrap() > 0.1, "on the same windows: {quiet}");
    assert!(said().starts_with("ok: drift is confirmed in 0.00 % of windows"), "{}", said());
    assert_eq!(measured(), quiet, "the same seed draws the same windows");
    assert_eq!(programs.names("var/rain/reports/null").len(), 1, "and the same report is kept once");

    let policy = std::fs::read_to_string(programs.path("governance/rain/policy.yaml")).unwrap();
    programs.write(
        "governance/rain/policy.yaml",
        &format!("{policy}drift: {{alpha: 0.5, psi: 0.001, ks: 0.001, confirm: 1, of: 1}}\n"),
    );
    assert!(said().starts_with("ok: not measured"), "under these rules: {}", said());
    let loud = measured();
    assert!(loud["confirmed"]["share"].as_f64().unwrap() > 0.05, "{loud}");
    assert!(
        said().starts_with("warn: drift is confirmed in ") && said().contains("1 per 90d allows 1.11 %"),
        "{}",
        said()
    );
}
