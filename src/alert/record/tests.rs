//! An alert fires once, is reminded of, acknowledged and resolved, whatever the clock and however many look.

use std::thread;

use super::*;
use crate::alert::{Level, Seen, State};
use crate::store::Memory;
use crate::types::Span;

struct Desk {
    store: Memory,
    model: ModelName,
    rules: AlertRules,
}

fn desk() -> Desk {
    let rules = AlertRules { remind_after: Span::from_hours(24), ..AlertRules::default() };
    Desk { store: Memory::new(), model: "rain".parse().unwrap(), rules }
}

fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn held(level: Level) -> Seen {
    Seen::stands(level, "held")
}

impl Desk {
    /// What happens when this is seen.
    fn sees(&self, seen: Seen, now: Timestamp) -> Vec<Event> {
        let findings = Findings::from([(Kind::Held, seen)]);
        let raised = raise(&self.store, &self.model, &findings, &self.rules, now).unwrap();
        raised.into_iter().map(|notice| notice.event).collect()
    }

    fn id(&self) -> AlertId {
        AlertId { model: self.model.clone(), kind: Kind::Held }
    }

    fn stands(&self) -> Option<Alert> {
        active(&self.store, &self.model).unwrap().pop()
    }
}

#[test]
fn what_stands_fires_no_second_time() {
    let desk = desk();
    assert_eq!(desk.sees(held(Level::Warning), noon()), [Event::Fired]);
    assert_eq!(desk.sees(held(Level::Warning), noon()), [], "the same tick, run again after a crash");
    assert_eq!(desk.sees(held(Level::Info), noon()), [], "it stays as bad as it was told");
    assert_eq!(desk.sees(held(Level::Critical), noon()), [Event::Fired], "worse");
    assert_eq!(desk.stands().unwrap().since, noon());
    assert_eq!(desk.sees(Seen::Over, noon()), [Event::Resolved]);
    assert_eq!(desk.sees(Seen::Over, noon()), []);
    assert_eq!(desk.stands(), None);
}

/// P4: that nothing was seen is not that nothing is there.
#[test]
fn silence_neither_fires_nor_resolves() {
    let desk = desk();
    assert_eq!(desk.sees(Seen::Unclear, noon()), []);
    desk.sees(held(Level::Critical), noon());
    assert_eq!(desk.sees(Seen::Unclear, noon()), []);
    assert_eq!(raise(&desk.store, &desk.model, &Findings::new(), &desk.rules, noon()).unwrap(), []);
    assert_eq!(desk.stands().unwrap().state, State::Fired);
}

#[test]
fn who_does_not_acknowledge_is_reminded_and_who_does_is_left_in_peace() {
    let desk = desk();
    let day = Span::from_days(1);
    desk.sees(held(Level::Warning), noon());
    assert_eq!(desk.sees(held(Level::Warning), noon() + Span::from_hours(23)), []);
    assert_eq!(desk.sees(held(Level::Warning), noon() + day), [Event::Reminded]);
    assert_eq!(desk.sees(held(Level::Warning), noon() + day + Span::from_hours(23)), []);
    let known = acknowledge(&desk.store, &desk.id(), "ana", Some("on it"), noon() + day).unwrap();
    assert_eq!(
        (known.event, known.by.as_deref(), known.note.as_deref()),
        (Event::Acknowledged, Some("ana"), Some("on it"))
    );
    assert_eq!(desk.sees(held(Level::Warning), noon() + day.times(9)), []);
    let alert = desk.stands().unwrap();
    assert_eq!(
        (alert.state, alert.reminders, alert.acknowledged.unwrap().by),
        (State::Acknowledged, 1, "ana".to_owned())
    );
    let again = acknowledge(&desk.store, &desk.id(), "bo", None, noon() + day).unwrap_err();
    assert_eq!(again.to_string(), "acknowledge rain/held: ana did so at 2026-11-22T12:00:00Z");
    assert_eq!(
        desk.sees(held(Level::Critical), noon() + day.times(9)),
        [Event::Fired],
        "who knew of less does not know this"
    );
    assert_eq!(desk.stands().unwrap().acknowledged, None);
}

#[test]
fn nobody_is_reminded_of_what_is_good_to_know_or_where_reminders_are_off() {
    let mut desk = desk();
    desk.sees(held(Level::Info), noon());
    assert_eq!(desk.sees(held(Level::Info), noon() + Span::from_days(9)), []);
    desk.rules.remind_after = Span::ZERO;
    desk.sees(held(Level::Critical), noon());
    assert_eq!(desk.sees(held(Level::Critical), noon() + Span::from_days(9)), []);
}

#[test]
fn what_does_not_stand_is_not_acknowledged() {
    let desk = desk();
    let none = acknowledge(&desk.store, &desk.id(), "ana", None, noon()).unwrap_err();
    assert!(matches!(none, AlertError::NotStanding { .. }));
    desk.sees(held(Level::Critical), noon());
    desk.sees(Seen::Over, noon());
    assert!(acknowledge(&desk.store, &desk.id(), "ana", None, noon()).is_err());
}

/// What a clock that was wrong for a while fired is resolved once, and can be fired again.
#[test]
fn an_alert_of_the_future_is_resolved_once() {
    let desk = desk();
    let later: Timestamp = "2106-02-07T00:00:00Z".parse().unwrap();
    assert_eq!(desk.sees(held(Level::Critical), later), [Event::Fired]);
    assert_eq!(desk.sees(held(Level::Critical), noon()), [Event::Reminded], "and reminded of by the right clock");
    assert_eq!(desk.sees(Seen::Over, noon()), [Event::Resolved]);
    assert_eq!(desk.sees(Seen::Over, noon()), [], "resolved for good");
    assert_eq!(desk.sees(held(Level::Critical), noon()), [Event::Fired]);
    let told: Vec<State> = history(&desk.store, &desk.model).unwrap().into_iter().map(|alert| alert.state).collect();
    assert_eq!(told, [State::Resolved, State::Fired]);
}

#[test]
fn of_many_that_see_the_same_one_fires() {
    let desk = desk();
    let fired: usize = thread::scope(|scope| {
        let looks: Vec<_> = (0..8).map(|_| scope.spawn(|| desk.sees(held(Level::Critical), noon()).len())).collect();
        looks.into_iter().map(|look| look.join().unwrap()).sum()
    });
    assert_eq!(fired, 1);
}
