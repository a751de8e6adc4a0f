//! The forms that receivers rely on.

use std::collections::BTreeSet;

use super::*;

fn notice(event: Event, text: &str) -> Notice {
    Notice {
        format_version: 1,
        model: "rain".parse().unwrap(),
        kind: Kind::PerformanceDegradation,
        seq: 7,
        event,
        level: Level::Critical,
        text: text.to_owned(),
        at: "2026-11-21T12:00:00Z".parse().unwrap(),
        since: "2026-11-20T12:00:00Z".parse().unwrap(),
        to: BTreeSet::new(),
        by: (event == Event::Acknowledged).then(|| "ana".to_owned()),
        note: (event == Event::Acknowledged).then(|| "on it".to_owned()),
    }
}

#[test]
fn one_alert_has_one_key_and_each_notice_its_own_id() {
    let fired = Message::of("weather", &notice(Event::Fired, "auc"));
    let resolved = Message::of("weather", &Notice { seq: 8, ..notice(Event::Resolved, "auc") });
    assert_eq!(fired.dedup_key, "weather/rain/performance_degradation");
    assert_eq!(fired.dedup_key, resolved.dedup_key);
    assert_eq!(
        (fired.id.as_str(), resolved.id.as_str()),
        ("weather/rain/performance_degradation/7", "weather/rain/performance_degradation/8")
    );
    insta::assert_json_snapshot!("webhook", fired.webhook());
    insta::assert_snapshot!("email", format!("{}\n\n{}", fired.email().0, fired.email().1));
}

#[test]
fn pagerduty_hears_one_incident_begin_and_end() {
    let actions = |event| {
        let events = Message::of("weather", &notice(event, "auc")).pagerduty("key");
        let keys: BTreeSet<String> = events.iter().map(|event| event["dedup_key"].to_string()).collect();
        assert_eq!(keys.len(), 1);
        events.iter().map(|event| event["event_action"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        [Event::Fired, Event::Reminded, Event::Acknowledged, Event::Resolved].map(actions),
        ["trigger", "trigger", "acknowledge", "resolve"]
    );
    let test = Message::test("weather", "ana", "2026-11-21T12:00:00Z".parse().unwrap());
    let events = test.pagerduty("key");
    assert_eq!((&events[0]["event_action"], &events[1]["event_action"]), (&json!("trigger"), &json!("resolve")));
    assert_eq!(events[0]["payload"]["severity"], "info", "a test wakes nobody");
    insta::assert_json_snapshot!("pagerduty", Message::of("weather", &notice(Event::Fired, "auc")).pagerduty("key")[0]);
}

#[test]
fn slack_is_sent_text_and_no_mentions() {
    let hostile = Message::of("weather", &notice(Event::Acknowledged, "<!channel> & <https://example.com|click>"));
    let body = hostile.slack();
    assert!(!body.to_string().contains("<!"), "{body}");
    insta::assert_json_snapshot!("slack", body);
}

/// A text of any length stays within what receivers take.
#[test]
fn long_texts_are_cut_at_characters() {
    let long = Message::of("weather", &notice(Event::Fired, &"ü<".repeat(5_000)));
    let count = |value: &Value| value.as_str().unwrap().chars().count();
    assert_eq!(count(&long.pagerduty("key")[0]["payload"]["summary"]), SUMMARY);
    let section = long.slack()["blocks"][1]["text"]["text"].clone();
    assert!(count(&section) > SECTION && section.as_str().unwrap().ends_with('…'));
    assert!(count(&long.slack()["blocks"][0]["text"]["text"]) <= HEADER);
}
