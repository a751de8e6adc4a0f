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
    let due = window.end() + rules.windows.grace;
    let late = now.since(due);
    if late > after {
        return Lateness::Late { what: format!("window {window} should have been judged at {due}, {late} ago") };
    }
    Lateness::Awaited { window, due }
}

/// Whether the governor came late for what it recorded.
pub fn came_late(record: &Record, rules: &Rules, after: Span) -> Option<String> {
    let window = record.judged.first()?;
    let due = window.end() + rules.windows.grace;
    let late = record.at.since(due);
    (late > after).then(|| format!("window {window} was judged at {}, {late} after it was due", record.at))
}
