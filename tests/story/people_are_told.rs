//! Chapter 8: what people must know reaches them. Real programs, real connections to real servers on this machine, and receivers
//! that fail, hang, lie and come back.

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant, SystemTime};

use regent::types::{Span, Timestamp};
use serde_json::{Value, json};

use super::programs::{GOVERNOR, Programs, REGENT, text, until};
use super::receivers::{Answer, Authority, MailServer, Offers, WebServer, status};
use super::stage;

/// Twelve o'clock, and so many minutes and seconds.
fn clock(minutes: u64, seconds: u64) -> String {
    format!("2026-11-21T{:02}:{:02}:{seconds:02}Z", 12 + minutes / 60, minutes % 60)
}

/// A workspace with these routes, and an order that nobody can read: `held`, critical, for as long as it lies there.
fn workspace(routes: &str) -> Programs {
    let programs = Programs::new();
    let indented: String = routes.lines().map(|line| format!("    {line}\n")).collect();
    programs.write("regent.yaml", &format!("alerts:\n  source: weather\n  routes:\n{indented}"));
    programs.hold();
    programs
}

impl Programs {
    fn hold(&self) {
        self.write("governance/rain/overrides/stop.yaml", "order: freeze\n");
    }

    fn mend(&self) {
        fs::remove_file(self.path("governance/rain/overrides/stop.yaml")).unwrap();
    }

    /// A run of the governor at an instant; what it printed.
    fn tick(&self, now: &str) -> String {
        let output = self.run(GOVERNOR, &["--now", now]);
        assert!(matches!(output.status.code(), Some(0 | 4)), "{output:?}");
        text(&output.stdout)
    }

    fn try_routes(&self, arguments: &[&str]) -> Output {
        self.run(REGENT, &[&["alert", "test"], arguments].concat())
    }
}

fn events(bodies: &[Value]) -> String {
    bodies.iter().map(|body| body["event"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_receiver_that_fails_twice_gets_the_alert_exactly_once_more() {
    let receiver = WebServer::start(&[status(500), status(503)]);
    let programs = workspace(&format!("ops: {{ webhook: {{ url: '{}' }} }}", receiver.url));
    assert!(programs.tick(&clock(0, 0)).contains("told ops: rain/held fired: attempt 1 failed: answered 500"));
    let after = |now: String| {
        programs.tick(&now);
        receiver.heard().len()
    };
    assert_eq!(after(clock(0, 30)), 1, "a minute of rest");
    let seen = programs.run(REGENT, &["--now", &clock(0, 40), "status"]);
    assert!(text(&seen.stdout).contains("untold    ops: rain/held fired is not delivered after 1 attempts: answered 500; again from 2026-11-21T12:01:00Z on"));
    let listed = programs.done(&["--now", &clock(0, 40), "alert", "list"]);
    assert!(listed.contains("not ops") && listed.contains("untold  ops: rain/held"), "{listed}");
    let looked = programs.run(REGENT, &["--now", &clock(0, 40), "doctor"]);
    assert!(text(&looked.stdout).contains("regent alert test --route ops"), "{looked:?}");
    assert_eq!(after(clock(1, 0)), 2, "the second failure");
    assert_eq!(after(clock(5, 59)), 2, "five minutes of rest");
    let told = programs.tick(&clock(6, 0));
    assert!(told.contains("told ops: rain/held fired: answered 200"), "{told}");
    assert_eq!(after(clock(6, 1)), 3);
    assert_eq!(after(clock(300, 0)), 3, "never again");
    let heard = receiver.heard();
    let ids: Vec<&str> = heard.iter().map(|request| request.headers["idempotency-key"].as_str()).collect();
    assert_eq!(ids, ["weather/rain/held/1"; 3]);
    assert!(heard.iter().all(|request| request.body == heard[0].body && request.path == "/hook"));
    let listed = programs.done(&["--now", &clock(300, 0), "alert", "list"]);
    assert!(!listed.contains("untold") && !listed.contains("not ops"), "{listed}");
}

/// The whole life of an alert, on every road at once.
#[test]
fn every_road_hears_of_the_same_life() {
    let authority = Authority::new();
    let mail = MailServer::start(&authority, Offers::Starttls);
    let [hook, slack, pager] = [(); 3].map(|()| WebServer::start(&[]));
    let secure = WebServer::with_tls(&authority);
    let programs = workspace(&format!(
        "hook: {{ webhook: {{ url: '{}' }} }}\n\
         secure: {{ webhook: {{ url: '{}', token: {{ env: TOKEN }}, ca_file: ca.pem }} }}\n\
         team: {{ slack: {{ url: {{ file: slack.url }} }} }}\n\
         pager: {{ at_least: CRITICAL, pagerduty: {{ url: '{}', routing_key: {{ env: ROUTING_KEY }} }} }}\n\
         mail: {{ email: {{ server: localhost, port: {}, from: regent@example.com, to: [ana@example.com, bo@example.com],\n  \
           user: regent, password: {{ file: password }}, ca_file: ca.pem }} }}\n\
         drift: {{ at_least: INFO, types: [data_drift], webhook: {{ url: '{}' }} }}",
        hook.url, secure.url, pager.url, mail.port, hook.url
    ));
    programs.write("ca.pem", &authority.pem());
    programs.write("password", "hunter2\n");
    programs.write("slack.url", &format!("{}\n", slack.url));
    let tick = |now: &str| {
        let mut governor = programs.command(GOVERNOR, &["--now", now]);
        let output = governor.env("TOKEN", "t0k3n").env("ROUTING_KEY", "r0ut1ng").output().unwrap();
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!["hunter2", "t0k3n", "r0ut1ng"].iter().any(|secret| said.contains(secret)), "{said}");
        assert!(!said.contains("failed:"), "{said}");
    };
    tick(&clock(0, 0));
    tick("2026-11-22T12:00:00Z");
    programs.done(&["--now", "2026-11-22T13:00:00Z", "alert", "ack", "rain/held", "--by", "ana", "--note", "on it"]);
    tick("2026-11-22T13:00:00Z");
    tick("2026-11-24T13:00:00Z");
    programs.mend();
    tick("2026-11-24T14:00:00Z");

    let life = "fired reminded acknowledged resolved";
    assert_eq!(events(&hook.bodies()), life);
    assert!(hook.bodies().iter().all(|body| body["dedup_key"] == "weather/rain/held"));
    assert_eq!(hook.bodies()[2]["note"], "on it");
    assert_eq!(events(&secure.bodies()), life);
    assert!(secure.heard().iter().all(|request| request.headers["authorization"] == "Bearer t0k3n"));
    let actions: Vec<Value> = pager.bodies().iter().map(|body| body["event_action"].clone()).collect();
    assert_eq!(json!(actions), json!(["trigger", "trigger", "acknowledge", "resolve"]));
    for body in pager.bodies() {
        assert_eq!((&body["routing_key"], &body["dedup_key"]), (&json!("r0ut1ng"), &json!("weather/rain/held")));
    }
    assert_eq!(pager.bodies()[0]["payload"]["severity"], "critical");
    assert_eq!(slack.bodies().len(), 4);
    assert!(slack.bodies()[3]["text"].as_str().unwrap().starts_with("resolved: CRITICAL rain held"));

    let told = mail.told();
    assert_eq!(told.mails.len(), 4, "{told:?}");
    assert!(told.in_the_open.iter().all(|said| said.starts_with("EHLO") || said == "STARTTLS"), "{told:?}");
    assert!(told.in_private.contains(&"AUTH PLAIN AHJlZ2VudABodW50ZXIy".to_owned()), "{told:?}");
    assert!(told.in_private.contains(&"RCPT TO:<bo@example.com>".to_owned()), "{told:?}");
    let header = |mail: &str, name: &str| {
        mail.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned())).unwrap_or_default()
    };
    assert_eq!(header(&told.mails[0], "Subject:"), "[weather] CRITICAL rain held");
    assert_eq!(header(&told.mails[0], "Auto-Submitted:"), "auto-generated");
    let threads: Vec<String> = told.mails.iter().map(|mail| header(mail, "References:")).collect();
    assert!(threads.iter().all(|thread| !thread.is_empty() && *thread == threads[0]), "{threads:?}");
    assert!(!programs.done(&["alert", "list"]).contains("held"));
    assert!(programs.done(&["alert", "list", "--all"]).contains("resolved 2026-11-24T14:00:00Z"));
}

/// SIGKILL while the receiver is being asked: the attempt has begun and has no end.
#[test]
fn a_governor_killed_while_it_delivers_loses_nothing() {
    let receiver = WebServer::start(&[Answer::Silence]);
    let programs = workspace(&format!("ops: {{ webhook: {{ url: '{}' }} }}", receiver.url));
    let mut governor = programs.start(GOVERNOR, &["--now", &clock(0, 0)]);
    until("the receiver is asked", || receiver.heard().len() == 1);
    governor.kill();
    programs.tick(&clock(0, 59));
    assert_eq!(receiver.heard().len(), 1, "somebody may still be at it");
    assert!(programs.tick(&clock(1, 0)).contains("told ops: rain/held fired: answered 200"));
    programs.tick(&clock(60, 0));
    assert_eq!(events(&receiver.bodies()), "fired fired");
    assert_eq!(receiver.bodies()[0]["id"], receiver.bodies()[1]["id"], "the receiver can tell");
}

/// SIGKILL before each write of a run that fires and delivers: between firing and delivery, and between delivery and its record.
#[test]
fn a_governor_killed_at_any_write_loses_nothing() {
    let usable = Command::new("strace").args(["-f", "-qq", "-o", "/dev/null", "true"]).output();
    if !usable.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: strace cannot trace here");
        return;
    }
    let mut killed = 0;
    for write in 1.. {
        let receiver = WebServer::start(&[]);
        let programs = workspace(&format!("ops: {{ webhook: {{ url: '{}' }} }}", receiver.url));
        let kill = format!("inject=renameat2:signal=SIGKILL:when={write}");
        let traced = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat2", "-e", &kill, GOVERNOR, "--now"];
        let output = programs.run("strace", &[&traced[..], &[clock(0, 0).as_str()]].concat());
        let survived = output.status.code() == Some(4);
        killed += usize::from(!survived);
        programs.tick(&clock(1, 0));
        programs.tick(&clock(60, 0));
        let bodies = receiver.bodies();
        let ids: Vec<&str> = bodies.iter().map(|body| body["id"].as_str().unwrap()).collect();
        assert!((1..=2).contains(&ids.len()), "write {write}: {ids:?}");
        assert!(ids.iter().all(|id| *id == "weather/rain/held/1"), "write {write}: {ids:?}");
        assert!(!programs.done(&["--now", &clock(60, 0), "alert", "list"]).contains("not ops"));
        if survived {
            break;
        }
    }
    assert!(killed >= 3, "the notice, the beginning of the attempt and its end: {killed}");
}

#[test]
fn of_governors_at_once_one_delivers() {
    let receiver = WebServer::start(&[]);
    let programs = workspace(&format!("ops: {{ webhook: {{ url: '{}' }} }}", receiver.url));
    let now = clock(0, 0);
    let crowd: Vec<_> = (0..6).map(|_| programs.start(GOVERNOR, &["--now", &now])).collect();
    crowd.into_iter().for_each(|governor| assert_eq!(governor.ended().0, Some(4)));
    programs.tick(&clock(60, 0));
    assert_eq!(events(&receiver.bodies()), "fired");
}

/// Receivers that take a connection and say nothing hold nobody up but themselves.
#[test]
fn a_hung_receiver_delays_no_other_and_the_turn_ends() {
    let hung = WebServer::start(&[Answer::Silence]);
    let mute = MailServer::start(&Authority::new(), Offers::Silence);
    let working = WebServer::start(&[]);
    let programs = workspace(&format!(
        "a_hung: {{ webhook: {{ url: '{}' }} }}\n\
         b_mute: {{ email: {{ server: localhost, port: {}, from: a@example.com, to: [b@example.com] }} }}\n\
         c_works: {{ webhook: {{ url: '{}' }} }}",
        hung.url, mute.port, working.url
    ));
    let began = Instant::now();
    let told = programs.tick(&clock(0, 0));
    assert!(began.elapsed() < Duration::from_secs(40), "the turn has 30 s: {:?}", began.elapsed());
    assert!(told.contains("told c_works: rain/held fired: answered 200"), "{told}");
    assert!(told.contains("told a_hung: rain/held fired: attempt 1 failed: no answer"), "{told}");
    assert!(told.contains("told b_mute: rain/held fired: attempt 1 failed"), "{told}");
}

#[test]
fn a_mail_server_without_starttls_or_of_another_authority_is_told_nothing() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let stripped = MailServer::start(&ours, Offers::Nothing);
    let foreign = MailServer::start(&theirs, Offers::Starttls);
    let route = |port: u16, login: &str| {
        format!(
            "{{ email: {{ server: localhost, port: {port}, from: a@example.com, to: [b@example.com], {login}ca_file: ca.pem }} }}"
        )
    };
    // The one without a login: nothing but the missing STARTTLS keeps a mail from being sent there.
    let login = "user: ana, password: { file: password }, ";
    let routes = format!("stripped: {}\nforeign: {}", route(stripped.port, ""), route(foreign.port, login));
    let programs = workspace(&routes);
    programs.write("ca.pem", &ours.pem());
    programs.write("password", "hunter2");
    let output = programs.try_routes(&[]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("stripped: failed:") && said.contains("foreign: failed:"), "{said}");
    for told in [stripped.told(), foreign.told()] {
        assert!(told.mails.is_empty() && told.in_private.is_empty(), "{told:?}");
        assert!(told.in_the_open.iter().all(|said| !said.starts_with("MAIL") && !said.starts_with("AUTH")), "{told:?}");
    }
}

#[test]
fn a_test_says_what_came_of_each_route_and_shows_no_secret() {
    let echo = Answer::Status(403, "bad token t0k3n".to_owned());
    let [works, refuses, moved, elsewhere] =
        [WebServer::start(&[]), WebServer::start(&[echo]), WebServer::start(&[]), WebServer::start(&[])];
    moved.answers(&[Answer::Redirect(elsewhere.url.clone())]);
    let programs = workspace(&format!(
        "works: {{ webhook: {{ url: '{}' }} }}\n\
         refuses: {{ webhook: {{ url: '{}', token: {{ file: token }} }} }}\n\
         moved: {{ slack: {{ url: {{ file: slack.url }} }} }}\n\
         unset: {{ pagerduty: {{ routing_key: {{ env: REGENT_NO_SUCH_VARIABLE }} }} }}\n\
         gone: {{ webhook: {{ url: 'http://127.0.0.1:9/' }} }}\n\
         lines: {{ at_least: INFO, log: {{}} }}",
        works.url, refuses.url
    ));
    programs.write("token", "t0k3n");
    programs.write("slack.url", &moved.url);
    let output = programs.try_routes(&["--by", "ana"]);
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{said}");
    for line in [
        "works: ok: answered 200",
        "refuses: failed: answered 403: bad token …",
        "moved: failed: answered 307",
        "unset: failed: cannot read the variable REGENT_NO_SUCH_VARIABLE: it is not set",
        "gone: failed: no answer: ",
        "lines: ok: written",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert!(!said.contains("t0k3n") && !said.contains(&moved.url), "{said}");
    assert!(elsewhere.heard().is_empty(), "a message goes where its owner said");
    let line: Value = serde_json::from_str(errors.lines().find(|line| line.starts_with('{')).unwrap()).unwrap();
    assert_eq!((&line["event"], &line["source"]), (&json!("test"), &json!("weather")));
    assert_eq!(programs.try_routes(&["--route", "works"]).status.code(), Some(0));
    assert_eq!(programs.try_routes(&["--route", "nowhere"]).status.code(), Some(2));
    assert_eq!(events(&works.bodies()), "test test");
    assert!(!programs.path("var/rain/alerts").exists(), "a test is no alert");
}

#[test]
fn a_secret_in_yaml_is_refused_and_not_repeated() {
    for route in [
        "pager: { pagerduty: { routing_key: hunter2 } }",
        "hook: { webhook: { url: 'https://ana:hunter2@example.com/' } }",
        "team: { slack: { url: 'https://hooks.slack.com/services/hunter2' } }",
        "mail: { email: { server: a.example, from: a@b.c, to: [a@b.c], user: ana, pasword: hunter2 } }",
    ] {
        let programs = workspace(route);
        for arguments in [&["status"][..], &["-o", "json", "status"]] {
            let output = programs.run(REGENT, arguments);
            let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
            assert_eq!(output.status.code(), Some(4), "{route}: {said}");
            assert!(!said.contains("hunter2"), "{route}: {said}");
        }
    }
}

#[test]
fn an_acknowledgement_is_stored_with_its_author_and_listed() {
    let programs = workspace("lines: { log: {} }");
    let governor = programs.run(GOVERNOR, &["--now", &clock(0, 0)]);
    assert!(text(&governor.stderr).contains("\"dedup_key\":\"weather/rain/held\""), "{governor:?}");
    let ack = ["--now", &clock(1, 0), "alert", "ack", "rain/held", "--note", "on it"];
    let rehearsed = programs.done(&[&ack[..], &["--dry-run"]].concat());
    assert!(rehearsed.contains("would acknowledge rain/held by ana"), "{rehearsed}");
    programs.done(&ack);
    assert_eq!(programs.run(REGENT, &ack).status.code(), Some(2), "already");
    assert_eq!(programs.run(REGENT, &["alert", "ack", "rain/volume"]).status.code(), Some(2), "does not stand");
    assert!(programs.done(&["alert", "list"]).contains("acknowledged by ana: on it"));
    let listed = programs.json(REGENT, &["alert", "list", "--model", "rain"]);
    assert_eq!(listed["alerts"][0]["acknowledged"]["by"], "ana");
    let status = programs.json(REGENT, &["status"]);
    assert_eq!(status["models"][0]["alerts"][0]["state"], "acknowledged");
}

/// Two days ago, and so many minutes: a whole judged window is over since then.
fn two_days_ago(minutes: i64) -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let now = Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap());
    (now - Span::from_days(2) + Span::from_mins(minutes)).to_string()
}

/// The governor is gone; a server that serves sees it and tells, and the next governor says that it is over.
#[test]
fn that_the_governor_does_not_come_is_told_by_a_server() {
    let receiver = WebServer::start(&[]);
    let programs = Programs::new();
    let route = format!("alerts:\n  routes:\n    ops: {{ webhook: {{ url: '{}' }} }}\n", receiver.url);
    programs.write("incoming/rain/000000.csv", &stage::weather(0..2_000));
    let [begun, walked, promoted] = [0, 1, 2].map(two_days_ago);
    programs.done(&["--now", &begun, "train", "baseline", "rain"]);
    programs.govern(&["--now", &walked]);
    assert!(programs.govern(&["--now", &promoted]).contains("serves 1.0.0"));
    programs.write("regent.yaml", &route);
    let status = programs.json(REGENT, &["status"]);
    assert!(status["models"][0]["late"].as_str().unwrap().contains("should have been judged"), "{status}");
    let server = programs.serve(&[]);
    until("the server tells", || !receiver.heard().is_empty());
    assert_eq!(receiver.bodies()[0]["type"], "governor_late");
    server.running.signal("TERM");
    assert_eq!(server.running.ended().0, Some(0));
    until("the governor has nothing late", || {
        programs.run(GOVERNOR, &[]);
        receiver.heard().len() == 2
    });
    assert_eq!(events(&receiver.bodies()), "fired resolved");
}

/// Nobody saw it while it was away: the governor says itself that it came late, once, and that it is over.
#[test]
fn a_governor_that_comes_late_says_so_itself() {
    let programs = Programs::with_champion();
    let late = |day: i64| {
        let now = super::programs::day(day);
        let told = programs.json(GOVERNOR, &["--now", &now]);
        let alerts = told["models"][0]["alerts"].as_array().unwrap().clone();
        let of_kind = alerts.into_iter().filter(|notice| notice["type"] == "governor_late");
        of_kind.map(|notice| notice["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(late(1), "");
    assert_eq!(late(4), "fired resolved");
    assert_eq!(late(5), "");
}
