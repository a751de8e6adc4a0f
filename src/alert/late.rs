//! Whether the governor comes when it is due; pure, so that whoever looks (the governor itself, a server, the doctor) says the
//! same.

use crate::govern::{Record, Rules, Standing, State};
use crate::snapshot::Window;
use crate::types::{Span, Timestamp};

/// How the governor keeps its appointments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lateness {
    /// Nothing serves, so no window is judged.
    Idle,
    /// It has time.
    Awaited {
        /// The window that comes next.
        window: Window,
        /// When it may be judged.
        due: Timestamp,
    },
    /// It should have come.
    Late {
        /// What it should have done, and when.
        what: String,
    },
}

/// Whether something has been waiting for the governor for longer than `after`.
pub fn lateness(standing: &Standing, rules: &Rules, after: Span, now: Timestamp) -> Lateness {
    let training = standing.candidate.iter().filter(|candidate| candidate.state == State::Training);
    for candidate in training {
        let since = now.since(candidate.attempt_since);
        if since > rules.promotion.takeover_after {
            return Lateness::Late { what: format!("{} has been training for {since}", candidate.version) };
        }
    }
    let Some(champion) = &standing.champion else { return Lateness::Idle };
    let window = Window::holding(standing.judged_until.unwrap_or(champion.since), rules.windows.judge);
    match overdue(window, rules, after, now) {
        Some(what) => Lateness::Late { what },
        None => Lateness::Awaited { window, due: window.end() + rules.windows.grace },
    }
}

/// Whether a governor that has just decided this came late for it.
pub fn came_late(record: &Record, rules: &Rules, after: Span, now: Timestamp) -> Option<String> {
    overdue(*record.judged.first()?, rules, after, now)
}

fn overdue(window: Window, rules: &Rules, after: Span, now: Timestamp) -> Option<String> {
    let due = window.end() + rules.windows.grace;
    let late = now.since(due);
    (late > after).then(|| format!("window {window} should have been judged at {due}, {late} ago"))
}
