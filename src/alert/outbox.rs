//! Which notices are due for which route, and which are overdue; pure. What is not delivered is tried again, later and later,
//! and is never given up.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::letters::Outcome;
use super::notice::{AlertId, Event, Notice};
use super::routes::AlertRules;
use crate::types::{RouteName, Span, Timestamp};

/// One notice for one route, and what was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What is to be told.
    pub notice: Notice,
    /// Where.
    pub route: RouteName,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub begun: Timestamp,
    /// When it ended, and how; nothing while it runs, or if it was cut short.
    pub ended: Option<(Timestamp, Outcome)>,
}

/// An attempt without an end is one that was cut short after this long: twice what the deliverer gives all of a turn.
const CUT_SHORT: Span = Span::from_mins(1);

/// How long to wait after so many failures in a row.
///
/// From a receiver that restarts (a minute) to one whose keeper is on holiday (four times a day, for ever).
pub fn back_off(failures: u32) -> Span {
    match failures {
        0 => Span::ZERO,
        1 => Span::from_mins(1),
        2 => Span::from_mins(5),
        3 => Span::from_mins(15),
        4 => Span::from_hours(1),
        5 => Span::from_hours(3),
        _ => Span::from_hours(6),
    }
}

impl Attempt {
    /// When it failed, if it did; a clock that was wrong puts nothing off, so what is of the future failed long ago.
    fn failed_at(&self, now: Timestamp) -> Option<Timestamp> {
        let at = match &self.ended {
            Some((_, Outcome::Delivered(_))) => return None,
            Some((at, Outcome::Failed(_))) => *at,
            None => self.begun,
        };
        Some(if at > now { Timestamp::EPOCH } else { at })
    }

    /// Whether somebody may still be at it.
    fn runs(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.begun <= now && now.since(self.begun) < CUT_SHORT
    }

    fn why(&self) -> &str {
        match &self.ended {
            Some((_, Outcome::Failed(why))) => why,
            Some((_, Outcome::Delivered(_))) => "",
            None => "the attempt was cut short",
        }
    }
}

impl Letter {
    /// When it was delivered.
    pub fn delivered_at(&self) -> Option<Timestamp> {
        self.attempts.iter().find_map(|attempt| match attempt.ended {
            Some((at, Outcome::Delivered(_))) => Some(at),
            Some((_, Outcome::Failed(_))) | None => None,
        })
    }

    fn is_open(&self) -> bool {
        self.delivered_at().is_none()
    }

    fn failures(&self) -> u32 {
        u32::try_from(self.attempts.len()).unwrap_or(u32::MAX)
    }

    /// When it may be tried next.
    fn rests_until(&self, now: Timestamp) -> Timestamp {
        let failed = self.attempts.iter().filter_map(|attempt| attempt.failed_at(now)).max();
        failed.map_or(now, |at| at + back_off(self.failures()))
    }

    fn runs(&self, now: Timestamp) -> bool {
        self.attempts.last().is_some_and(|last| last.runs(now))
    }

    /// A reminder that says nothing which the route has not heard since, or will not hear anyway.
    fn is_moot(&self, of_alert: &[&Letter]) -> bool {
        let heard = |other: &&Letter| other.delivered_at().is_some_and(|at| at >= self.notice.at);
        let unheard = |other: &&Letter| other.is_open() && other.notice.event != Event::Reminded;
        let earlier = |other: &&Letter| other.notice.seq < self.notice.seq && unheard(other);
        let later = |other: &&Letter| other.notice.seq > self.notice.seq;
        self.notice.event == Event::Reminded
            && of_alert.iter().any(|other| heard(other) || earlier(other) || later(other))
    }
}

/// When a route that failed several times in a row may be tried again, whatever it is to be told.
fn route_rests_until(of_route: &[&Letter], now: Timestamp) -> Timestamp {
    let mut attempts: Vec<&Attempt> = of_route.iter().flat_map(|letter| &letter.attempts).collect();
    attempts.sort_by_key(|attempt| attempt.ended.as_ref().map_or(attempt.begun, |(at, _)| *at));
    let failed: Vec<Timestamp> = attempts.iter().rev().map_while(|attempt| attempt.failed_at(now)).collect();
    let failures = u32::try_from(failed.len()).unwrap_or(u32::MAX);
    failed.into_iter().max().map_or(now, |at| at + back_off(failures))
}

/// What is still to be delivered by a route, alert by alert, each in order.
fn open<'a>(of_route: &[&'a Letter]) -> Vec<Vec<&'a Letter>> {
    let mut alerts: BTreeMap<AlertId, Vec<&Letter>> = BTreeMap::new();
    for letter in of_route {
        alerts.entry(letter.notice.alert()).or_default().push(letter);
    }
    let still = |of_alert: Vec<&'a Letter>| -> Vec<&'a Letter> {
        of_alert.iter().filter(|letter| letter.is_open() && !letter.is_moot(&of_alert)).copied().collect()
    };
    alerts.into_values().map(still).filter(|of_alert| !of_alert.is_empty()).collect()
}

fn by_route(letters: &[Letter]) -> BTreeMap<&RouteName, Vec<&Letter>> {
    let mut routes: BTreeMap<&RouteName, Vec<&Letter>> = BTreeMap::new();
    for letter in letters {
        routes.entry(&letter.route).or_default().push(letter);
    }
    routes
}

/// What each route is to be told now, in this order, up to the first failure.
///
/// What happens to one alert is told in order, so a receiver never hears of the end before the beginning. Between alerts, what
/// failed least comes first: one that a receiver will not have keeps no other from it.
pub(super) fn due(letters: &[Letter], rules: &AlertRules, now: Timestamp) -> BTreeMap<RouteName, VecDeque<Letter>> {
    let mut due = BTreeMap::new();
    for (route, of_route) in by_route(letters) {
        let gone = !rules.routes.contains_key(route);
        if gone || route_rests_until(&of_route, now) > now || of_route.iter().any(|letter| letter.runs(now)) {
            continue;
        }
        let ready = |of_alert: &Vec<&Letter>| of_alert.first().is_some_and(|first| first.rests_until(now) <= now);
        let mut alerts: Vec<Vec<&Letter>> = open(&of_route).into_iter().filter(ready).collect();
        alerts.sort_by_key(|of_alert| of_alert.first().map(|first| (first.failures(), first.notice.at)));
        let queue: VecDeque<Letter> = alerts.into_iter().flatten().cloned().collect();
        if !queue.is_empty() {
            due.insert(route.clone(), queue);
        }
    }
    due
}

/// A notice that should have been delivered and was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Overdue {
    /// Where it should have gone.
    pub route: RouteName,
    /// Whose notice it is.
    pub alert: AlertId,
    /// What it says happened.
    pub event: Event,
    /// When that was.
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What came of the last attempt.
    pub why: String,
    /// When it may be tried again; never for a route that is no longer in `regent.yaml`.
    pub next_at: Option<Timestamp>,
}

/// What was tried at least once and is not delivered, and what is for a route that is gone.
pub fn overdue(letters: &[Letter], rules: &AlertRules, now: Timestamp) -> Vec<Overdue> {
    let mut found = Vec::new();
    for (route, of_route) in by_route(letters) {
        let gone = !rules.routes.contains_key(route);
        let rests_until = route_rests_until(&of_route, now);
        for letter in open(&of_route).into_iter().flatten() {
            let last = letter.attempts.last();
            if !gone && last.is_none_or(|last| last.runs(now)) {
                continue;
            }
            let why = last.map_or("", Attempt::why);
            found.push(Overdue {
                route: route.clone(),
                alert: letter.notice.alert(),
                event: letter.notice.event,
                at: letter.notice.at,
                attempts: letter.failures(),
                why: if gone { "the route is no longer in regent.yaml".to_owned() } else { why.to_owned() },
                next_at: (!gone).then(|| letter.rests_until(now).max(rests_until)),
            });
        }
    }
    found
}

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Overdue { route, alert, event, attempts, why, next_at, .. } = self;
        write!(f, "{route}: {alert} {event} is not delivered after {attempts} attempts: {why}")?;
        next_at.iter().try_for_each(|next| write!(f, "; again from {next} on"))
    }
}

#[cfg(test)]
mod tests;
