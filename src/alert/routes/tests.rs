//! Who hears of what; and what a route may not say.

use rstest::rstest;

use super::*;
use crate::yaml;

fn rules(routes: &str) -> AlertRules {
    let indented: String = routes.lines().map(|line| format!("  {line}\n")).collect();
    yaml::read("regent.yaml", format!("routes:\n{indented}")).unwrap()
}

#[test]
fn a_route_hears_what_it_asks_for() {
    let rules = rules(
        "all: { at_least: INFO, log: {} }\n\
         most: { log: {} }\n\
         pager: { at_least: CRITICAL, log: {} }\n\
         drift: { at_least: INFO, types: [data_drift, prediction_shift], log: {} }\n\
         churn: { at_least: INFO, models: [churn], log: {} }",
    );
    let heard = |kind, level| {
        let routes = rules.hearing(&"rain".parse().unwrap(), kind, level);
        routes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(heard(Kind::DataDrift, Level::Info), "all drift");
    assert_eq!(heard(Kind::Held, Level::Warning), "all most");
    assert_eq!(heard(Kind::DataDrift, Level::Critical), "all drift most pager");
    assert_eq!(rules.faults(), []);
}

#[rstest]
#[case::no_way("a: {}", "routes.a", "name one of")]
#[case::two_ways("a: { log: {}, slack: { url: { env: A } } }", "routes.a", "name one of")]
#[case::user_in_url(
    "a: { webhook: { url: 'https://ana:hunter2@example.com/' } }",
    "routes.a.webhook.url",
    "looks like a secret"
)]
#[case::query(
    "a: { webhook: { url: 'https://example.com/?token=hunter2' } }",
    "routes.a.webhook.url",
    "looks like a secret"
)]
#[case::key_in_path(
    "a: { webhook: { url: 'https://hooks.slack.com/services/T00000000/B00000000/hunter2hunter2hunter2' } }",
    "routes.a.webhook.url",
    "looks like a secret"
)]
#[case::no_url("a: { webhook: { url: 'example.com/hunter2' } }", "routes.a.webhook.url", "begins with http")]
#[case::other_scheme(
    "a: { webhook: { url: 'ftp://example.com/hunter2' } }",
    "routes.a.webhook.url",
    "begins with http"
)]
#[case::token_in_yaml(
    "a: { webhook: { url: 'https://example.com/', token: hunter2 } }",
    "routes.a.webhook.token",
    "a secret never stands here"
)]
#[case::token_in_the_open(
    "a: { webhook: { url: 'http://example.com/', token: { env: A } } }",
    "routes.a.webhook.url",
    "write https://"
)]
#[case::two_places("a: { slack: { url: { env: A, file: b } } }", "routes.a.slack.url", "a secret never stands here")]
#[case::slack_url_in_yaml(
    "a: { slack: { url: 'https://hooks.slack.com/hunter2' } }",
    "routes.a.slack.url",
    "a secret never stands here"
)]
#[case::key_in_yaml(
    "a: { pagerduty: { routing_key: hunter2 } }",
    "routes.a.pagerduty.routing_key",
    "a secret never stands here"
)]
#[case::pagerduty_in_the_open(
    "a: { pagerduty: { routing_key: { env: A }, url: 'http://example.com' } }",
    "routes.a.pagerduty.url",
    "write https://"
)]
#[case::mail_in_the_open(
    "a: { email: { server: example.com, tls: none, from: a@b.c, to: [a@b.c] } }",
    "routes.a.email.tls",
    "this machine only"
)]
#[case::no_address(
    "a: { email: { server: example.com, from: regent, to: [a@b.c] } }",
    "routes.a.email.from",
    "one address"
)]
#[case::nobody("a: { email: { server: example.com, from: a@b.c, to: [] } }", "routes.a.email.to", "list of addresses")]
#[case::header_injected(
    "a: { email: { server: example.com, from: a@b.c, to: [\"a@b.c\\nBcc: x@y.z\"] } }",
    "routes.a.email.to",
    "list of addresses"
)]
#[case::user_without_password(
    "a: { email: { server: example.com, from: a@b.c, to: [a@b.c], user: ana } }",
    "routes.a.email.user",
    "neither"
)]
#[case::password_in_yaml(
    "a: { email: { server: example.com, from: a@b.c, to: [a@b.c], user: ana, password: hunter2 } }",
    "routes.a.email.password",
    "a secret never stands here"
)]
fn what_a_route_may_not_say(#[case] route: &str, #[case] key: &str, #[case] what: &str) {
    let rules = rules(route);
    let faults = rules.faults();
    let [(at, says)] = faults.as_slice() else { panic!("{faults:?}") };
    assert!(at == key && says.contains(what), "{at}: {says}");
    assert!(
        !says.contains("hunter2") && !format!("{rules:?}").contains("hunter2") || route.contains("url: '"),
        "{rules:?}"
    );
}

#[rstest]
#[case("a: { webhook: { url: 'https://ops.example.com/hooks/regent' } }")]
#[case("a: { webhook: { url: 'http://alerts.internal:8080/v1/models/regent-production-alerts' } }")]
#[case("a: { webhook: { url: { file: /run/secrets/url } } }")]
#[case("a: { webhook: { url: 'http://127.0.0.1:9/', token: { file: token } } }")]
#[case("a: { pagerduty: { routing_key: { env: KEY }, url: 'https://events.eu.pagerduty.com/v2/enqueue' } }")]
#[case("a: { email: { server: localhost, port: 2525, tls: none, from: regent@example.com, to: [ana@example.com] } }")]
fn what_a_route_may_say(#[case] route: &str) {
    assert_eq!(rules(route).faults(), []);
}

#[test]
fn this_machine_is_not_what_begins_like_it() {
    for here in ["http://localhost/", "http://127.0.0.1:8080/a", "http://[::1]:1/"] {
        assert!(is_private(here), "{here}");
    }
    for there in ["http://127.example.com/", "http://localhost.example.com/", "http://127.0.0.1.example.com/"] {
        assert!(!is_private(there), "{there}");
    }
}

#[test]
fn a_source_fits_into_a_key() {
    for bad in [String::new(), "a b".to_owned(), "ü".to_owned(), "a".repeat(101)] {
        assert_eq!(AlertRules { source: bad.clone(), ..AlertRules::default() }.faults().len(), 1, "{bad:?}");
    }
}
