//! An alert's life, folded from its notices, and what happens to it next; pure.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::notice::{AlertId, Event, Finding, Kind, Level, Notice, Seen};
use super::routes::AlertRules;
use crate::types::{ModelName, RouteName, Timestamp};

/// An alert from its first firing to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Alert {
    /// What it is known by.
    pub id: AlertId,
    /// The model.
    pub model: ModelName,
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// How much it matters.
    pub level: Level,
    /// What it says, in the words of its newest notice.
    pub text: String,
    /// Since when it stands.
    pub since: Timestamp,
    /// When it was last fired or reminded of.
    pub told_at: Timestamp,
    /// How often it was reminded of.
    pub reminders: u32,
    /// Who knows of it.
    pub acknowledged: Option<Acknowledged>,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
    /// Every route that was to hear of it.
    pub to: BTreeSet<RouteName>,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "AlertState")]
pub enum State {
    /// Nobody has said that they know.
    Fired,
    /// Somebody has.
    Acknowledged,
    /// It is over.
    Resolved,
}

/// That a person knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Acknowledged {
    /// When they said so.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What they say of it.
    pub note: Option<String>,
}

impl Alert {
    fn fired(notice: &Notice) -> Alert {
        Alert {
            id: notice.alert(),
            model: notice.model.clone(),
            kind: notice.kind,
            state: State::Fired,
            level: notice.level,
            text: notice.text.clone(),
            since: notice.at,
            told_at: notice.at,
            reminders: 0,
            acknowledged: None,
            resolved_at: None,
            to: notice.to.clone(),
        }
    }

    /// The same alert after one more notice.
    fn after(mut self, notice: &Notice) -> Alert {
        match notice.event {
            Event::Fired => {
                self.level = notice.level;
                self.told_at = notice.at;
                // Who knew of a warning does not know that it is critical now.
                (self.state, self.acknowledged) = (State::Fired, None);
            }
            Event::Reminded => {
                self.told_at = notice.at;
                self.reminders += 1;
            }
            Event::Acknowledged => {
                let by = notice.by.clone().unwrap_or_default();
                self.state = State::Acknowledged;
                self.acknowledged = Some(Acknowledged { at: notice.at, by, note: notice.note.clone() });
            }
            Event::Resolved => {
                self.state = State::Resolved;
                self.resolved_at = Some(notice.at);
            }
            Event::Test => {}
        }
        self.text.clone_from(&notice.text);
        self.to.extend(notice.to.iter().cloned());
        self
    }

    /// Whether it is time to remind of it: `INFO` is told once, and who has acknowledged is left in peace.
    fn wants_reminder(&self, rules: &AlertRules, now: Timestamp) -> bool {
        // A clock that was wrong for a while neither hurries a reminder nor puts it off for years.
        let apart = now.since(self.told_at).max(self.told_at.since(now));
        let wanted = !rules.remind_after.is_zero() && self.level > Level::Info && self.acknowledged.is_none();
        wanted && apart >= rules.remind_after
    }

    /// Someone says that they know of it.
    pub(super) fn acknowledged_by(&self, by: &str, note: Option<&str>, now: Timestamp) -> Notice {
        let notice = self.again(Event::Acknowledged, self.text.clone(), now);
        Notice { by: Some(by.to_owned()), note: note.map(str::to_owned), ..notice }
    }

    /// A notice that is as bad as the alert was told to be, and goes to everybody who heard of it.
    fn again(&self, event: Event, text: String, now: Timestamp) -> Notice {
        let finding = Finding { level: self.level, text };
        Notice { since: self.since, to: self.to.clone(), ..draft(&self.id, event, finding, now) }
    }
}

/// A notice without a number, for nobody yet.
fn draft(id: &AlertId, event: Event, finding: Finding, at: Timestamp) -> Notice {
    let Finding { level, text } = finding;
    Notice {
        format_version: 1,
        model: id.model.clone(),
        kind: id.kind,
        seq: 0,
        event,
        level,
        text,
        at,
        since: at,
        to: BTreeSet::new(),
        by: None,
        note: None,
    }
}

/// Every alert of one model and kind, oldest first; the last one may still stand.
pub(super) fn fold(notices: &[Notice]) -> Vec<Alert> {
    let mut alerts: Vec<Alert> = Vec::new();
    for notice in notices {
        match alerts.pop_if(|alert| alert.state != State::Resolved) {
            Some(standing) => alerts.push(standing.after(notice)),
            None if notice.event == Event::Fired => alerts.push(Alert::fired(notice)),
            None => {}
        }
    }
    alerts
}

/// The alert that stands, if one does.
pub(super) fn standing(notices: &[Notice]) -> Option<Alert> {
    fold(notices).pop().filter(|alert| alert.state != State::Resolved)
}

/// What happens to an alert for what was seen now; nothing, most of the time. Its number is still to be given.
pub(super) fn happens(
    id: &AlertId,
    standing: Option<&Alert>,
    seen: &Seen,
    rules: &AlertRules,
    now: Timestamp,
) -> Option<Notice> {
    let hearing = |level| rules.hearing(&id.model, id.kind, level);
    let fired = |finding: &Finding| {
        let since = standing.map_or(now, |alert| alert.since);
        Notice { since, to: hearing(finding.level), ..draft(id, Event::Fired, finding.clone(), now) }
    };
    match (standing, seen) {
        (None, Seen::Stands(finding)) => Some(fired(finding)),
        (Some(alert), Seen::Stands(finding)) if finding.level > alert.level => Some(fired(finding)),
        (Some(alert), Seen::Stands(finding)) if alert.wants_reminder(rules, now) => {
            // A route that is new hears of it, too.
            let notice = alert.again(Event::Reminded, finding.text.clone(), now);
            Some(Notice { to: hearing(alert.level), ..notice })
        }
        (Some(alert), Seen::Over) => Some(alert.again(Event::Resolved, alert.text.clone(), now)),
        (Some(_), Seen::Stands(_) | Seen::Unclear) | (None, Seen::Over | Seen::Unclear) => None,
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Alert { id, level, text, since, .. } = self;
        write!(f, "{since} {level} {id}: {text}")?;
        self.acknowledged.iter().try_for_each(|known| write!(f, " (acknowledged by {})", known.by))?;
        self.resolved_at.iter().try_for_each(|at| write!(f, " (resolved {at})"))
    }
}
