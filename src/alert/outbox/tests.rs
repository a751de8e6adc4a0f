//! What is due when: in order, later and later, and for ever.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::alert::{Kind, Level, Route};

fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn minutes(count: i64) -> Timestamp {
    noon() + Span::from_mins(count)
}

fn rules() -> AlertRules {
    let route: Route = serde_json::from_str(r#"{ "log": {} }"#).unwrap();
    AlertRules { routes: BTreeMap::from([("ops".parse().unwrap(), route)]), ..AlertRules::default() }
}

fn letter(kind: Kind, seq: u64, event: Event) -> Letter {
    let notice = Notice {
        format_version: 1,
        model: "rain".parse().unwrap(),
        kind,
        seq,
        event,
        level: Level::Critical,
        text: "held".to_owned(),
        at: minutes(seq as i64),
        since: noon(),
        to: BTreeSet::from(["ops".parse().unwrap()]),
        by: None,
        note: None,
    };
    Letter { notice, route: "ops".parse().unwrap(), attempts: Vec::new() }
}

impl Letter {
    /// The same, after one more attempt that began and ended then.
    fn tried(mut self, at: Timestamp, outcome: Option<Outcome>) -> Letter {
        let number = self.failures() + 1;
        self.attempts.push(Attempt { number, begun: at, ended: outcome.map(|outcome| (at, outcome)) });
        self
    }

    fn failed(self, at: Timestamp) -> Letter {
        self.tried(at, Some(Outcome::Failed("answered 500".to_owned())))
    }

    fn delivered(self, at: Timestamp) -> Letter {
        self.tried(at, Some(Outcome::Delivered("answered 200".to_owned())))
    }
}

/// `held/1 held/2`
fn queue(letters: &[Letter], now: Timestamp) -> String {
    let due = due(letters, &rules(), now);
    let told = due.into_values().flatten().map(|letter| format!("{}/{}", letter.notice.kind, letter.notice.seq));
    told.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_failed_waits_longer_and_longer_and_is_never_given_up() {
    let mut at = minutes(1);
    let mut fired = letter(Kind::Held, 1, Event::Fired);
    for wait in [1, 5, 15, 60, 180, 360, 360, 360] {
        assert_eq!(queue(std::slice::from_ref(&fired), at), "held/1");
        fired = fired.failed(at);
        at = at + Span::from_mins(wait);
        assert_eq!(queue(std::slice::from_ref(&fired), at - Span::from_secs(1)), "", "{wait} minutes");
    }
}

#[test]
fn what_is_delivered_is_not_due_again() {
    let fired = letter(Kind::Held, 1, Event::Fired).failed(minutes(1)).delivered(minutes(2));
    assert_eq!(queue(&[fired], minutes(10_000)), "");
}

#[test]
fn the_end_is_not_told_before_the_beginning() {
    let fired = letter(Kind::Held, 1, Event::Fired);
    let resolved = letter(Kind::Held, 2, Event::Resolved);
    assert_eq!(queue(&[fired.clone(), resolved.clone()], minutes(3)), "held/1 held/2");
    assert_eq!(queue(&[fired.failed(minutes(3)), resolved], minutes(3)), "");
}

#[test]
fn a_route_that_is_down_is_asked_once_a_rest_whatever_there_is_to_tell() {
    let held = letter(Kind::Held, 1, Event::Fired).failed(minutes(1)).failed(minutes(2)).failed(minutes(7));
    let source = letter(Kind::Source, 2, Event::Fired);
    assert_eq!(queue(&[held.clone(), source.clone()], minutes(21)), "", "15 minutes after the third failure");
    assert_eq!(queue(&[held, source], minutes(22)), "source/2 held/1", "what failed least comes first");
}

#[test]
fn a_message_that_a_receiver_will_not_have_keeps_no_other_from_it() {
    let refused = (0..9).fold(letter(Kind::Held, 1, Event::Fired), |letter, hour| letter.failed(minutes(hour * 360)));
    let source = letter(Kind::Source, 2, Event::Fired).delivered(minutes(8 * 360 + 1));
    let volume = letter(Kind::Volume, 3, Event::Fired);
    assert_eq!(queue(&[refused, source, volume], minutes(8 * 360 + 2)), "volume/3");
}

#[test]
fn an_attempt_that_was_cut_short_is_repeated_and_one_that_runs_is_left_alone() {
    let begun = letter(Kind::Held, 1, Event::Fired).tried(minutes(1), None);
    assert_eq!(queue(std::slice::from_ref(&begun), minutes(2) - Span::from_secs(1)), "");
    assert_eq!(overdue(std::slice::from_ref(&begun), &rules(), minutes(1)), []);
    assert_eq!(queue(std::slice::from_ref(&begun), minutes(2)), "held/1");
    let found = overdue(&[begun], &rules(), minutes(2));
    assert_eq!((found[0].attempts, found[0].why.as_str()), (1, "the attempt was cut short"));
}

#[test]
fn a_clock_that_was_wrong_puts_nothing_off() {
    let later: Timestamp = "2106-02-07T00:00:00Z".parse().unwrap();
    for letter in
        [letter(Kind::Held, 1, Event::Fired).failed(later), letter(Kind::Held, 1, Event::Fired).tried(later, None)]
    {
        assert_eq!(queue(&[letter], minutes(1)), "held/1");
    }
}

#[test]
fn reminders_that_say_nothing_new_are_left_out() {
    let fired = letter(Kind::Held, 1, Event::Fired);
    let reminded = |seq| letter(Kind::Held, seq, Event::Reminded);
    let resolved = letter(Kind::Held, 4, Event::Resolved);
    assert_eq!(queue(&[fired.clone(), reminded(2), reminded(3)], minutes(4)), "held/1", "not heard of at all yet");
    let late = fired.clone().delivered(minutes(5));
    assert_eq!(queue(&[late, reminded(2)], minutes(6)), "", "heard since");
    let heard = fired.delivered(minutes(1));
    assert_eq!(queue(&[heard.clone(), reminded(2), reminded(3)], minutes(4)), "held/3", "the newest");
    assert_eq!(queue(&[heard, reminded(2), reminded(3), resolved], minutes(5)), "held/4", "it is over");
}

#[test]
fn a_route_that_is_gone_is_said_and_not_tried() {
    let fired = letter(Kind::Held, 1, Event::Fired);
    let none = AlertRules::default();
    assert!(due(std::slice::from_ref(&fired), &none, minutes(2)).is_empty());
    let found = overdue(&[fired], &none, minutes(2));
    assert_eq!((found[0].next_at, found[0].why.as_str()), (None, "the route is no longer in regent.yaml"));
}

proptest! {
    /// Whatever fails and however often: once the receiver works, every firing and every end arrives, in order, exactly once.
    #[test]
    fn nothing_is_lost_and_nothing_is_told_twice(
        events in prop::collection::vec((0_usize..3, 0_usize..4), 1..12),
        failing in prop::collection::vec(any::<bool>(), 0..40),
    ) {
        let kinds = [Kind::Held, Kind::Source, Kind::Volume];
        let all = [Event::Fired, Event::Reminded, Event::Acknowledged, Event::Resolved];
        let mut letters: Vec<Letter> = events
            .iter()
            .enumerate()
            .map(|(seq, (kind, event))| letter(kinds[*kind], seq as u64 + 1, all[*event]))
            .collect();
        let mut heard: Vec<(Kind, u64)> = Vec::new();
        let (mut now, mut failing) = (minutes(100), failing.into_iter());
        for _ in 0..300 {
            for wanted in due(&letters, &rules(), now).into_values().flatten() {
                let fails = failing.next().unwrap_or(false);
                let at = letters.iter_mut().find(|letter| letter.notice == wanted.notice).unwrap();
                *at = if fails { at.clone().failed(now) } else { at.clone().delivered(now) };
                if fails {
                    break;
                }
                heard.push((wanted.notice.kind, wanted.notice.seq));
            }
            now = now + Span::from_hours(1);
        }
        for kind in kinds {
            let told: Vec<u64> = heard.iter().filter(|(of, _)| *of == kind).map(|(_, seq)| *seq).collect();
            prop_assert!(told.is_sorted_by(|a, b| a < b), "{told:?}");
        }
        for letter in &letters {
            let told = heard.contains(&(letter.notice.kind, letter.notice.seq));
            prop_assert!(told || letter.notice.event == Event::Reminded, "{:?} was lost", letter.notice);
        }
        prop_assert!(overdue(&letters, &rules(), now).is_empty());
    }
}
