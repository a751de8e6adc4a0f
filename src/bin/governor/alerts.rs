//! What a turn of the governor makes people know: what it saw, that it could not look, and that it came late; a door.

use regent::alert::{self, Alert, AlertRules, Findings, Kind, Lateness, Level, Notice, Seen};
use regent::govern::journal;
use regent::promote::{Context, Tick};
use regent::store::Store;
use regent::types::{ModelName, Timestamp};

use super::edge::{Exit, Failure};

/// Raise what one model's turn came to, and return what happened to its alerts.
///
/// # Errors
/// A record that cannot be written or read.
pub fn of_turn(
    context: &Context<'_>,
    ticks: &[Tick],
    failure: Option<&Failure>,
    rules: &AlertRules,
    now: Timestamp,
) -> Result<Vec<Notice>, Failure> {
    let Some(last) = ticks.last() else {
        return failure.map_or(Ok(Vec::new()), |why| of_failure(context.store, context.model, why, rules, now));
    };
    // A clock that is not believed dates nothing: a record of the year 2106 would stand behind all that follow.
    let jumped = |at: &Timestamp| now.since(*at) > context.rules.promotion.clock_jump;
    let dated = last.standing.last_at.filter(jumped).unwrap_or(now);
    let raise = |findings: &Findings| alert::raise(context.store, context.model, findings, rules, dated);
    let still_late = match alert::lateness(&last.standing, context.rules, rules.late_after, dated) {
        Lateness::Late { what } => Some(what),
        Lateness::Idle | Lateness::Awaited { .. } => None,
    };
    // That it was late is over as soon as it has come, and is to be known all the same.
    let came_late =
        came_late(context, rules, dated)?.map(|what| (Kind::GovernorLate, Seen::stands(Level::Warning, what)));
    let mut notices = raise(&came_late.into_iter().collect())?;
    let mut findings = alert::derive(&last.observation, &last.decision, context.rules);
    findings.extend(failure.and_then(what_fails));
    let waits = still_late.map_or(Seen::Over, |what| Seen::stands(Level::Warning, what));
    findings.insert(Kind::GovernorLate, waits);
    notices.extend(raise(&findings)?);
    Ok(notices)
}

/// That the governor came late for what it last judged, unless it is known.
///
/// It is read from the journal and not from this turn, so that a governor that died between deciding and telling is made up for.
fn came_late(context: &Context<'_>, rules: &AlertRules, now: Timestamp) -> Result<Option<String>, Failure> {
    let entries = journal::read(context.store, context.model)?;
    let judging = entries.into_iter().map(|(entry, _)| entry.decision).rfind(|record| !record.judged.is_empty());
    // What a clock that went back has not come to yet would be news at every run.
    let Some(record) = judging.filter(|record| record.at <= now) else { return Ok(None) };
    let said = |alert: &Alert| {
        alert.kind == Kind::GovernorLate && alert.resolved_at.max(Some(alert.told_at)) >= Some(record.at)
    };
    let known = alert::history(context.store, context.model)?.iter().any(said);
    Ok(alert::came_late(&record, context.rules, rules.late_after).filter(|_| !known))
}

/// Raise that a model could not be looked at.
///
/// # Errors
/// A record that cannot be written or read.
pub fn of_failure(
    store: &dyn Store,
    model: &ModelName,
    failure: &Failure,
    rules: &AlertRules,
    now: Timestamp,
) -> Result<Vec<Notice>, Failure> {
    let findings: Findings = what_fails(failure).into_iter().collect();
    Ok(alert::raise(store, model, &findings, rules, now)?)
}

/// What must be mended by a person; what may mend itself is told by the governor's coming late, if it does not.
fn what_fails(failure: &Failure) -> Option<(Kind, Seen)> {
    let kind = match failure.exit {
        Exit::Integrity => Kind::Integrity,
        Exit::Invalid => Kind::Held,
        Exit::Done
        | Exit::Internal
        | Exit::Usage
        | Exit::DataRejected
        | Exit::NotMyTurn
        | Exit::Held
        | Exit::RolledBack
        | Exit::Drift
        | Exit::Undecided
        | Exit::TryAgain => return None,
    };
    Some((kind, Seen::stands(Level::Critical, failure.sentence())))
}
