//! What receivers are sent, form by form; pure. The documented shapes are in docs/alerts.md.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Event, Kind, Level, Notice};
use crate::types::{ModelName, Timestamp};

/// One notice as receivers get it; as JSON it is the body of a webhook and the line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Message {
    /// 1: first form.
    pub format_version: u32,
    /// The same whenever this notice is sent again: who has it has had it.
    pub id: String,
    /// The same for everything that happens to one alert.
    pub dedup_key: String,
    /// The workspace, as it names itself.
    pub source: String,
    /// What happened.
    pub event: Event,
    /// How much it matters.
    pub level: Level,
    /// The model; none of a test.
    pub model: Option<ModelName>,
    /// What it is about; none of a test.
    #[serde(rename = "type")]
    pub kind: Option<Kind>,
    /// What it says.
    pub text: String,
    /// When it happened.
    pub at: Timestamp,
    /// Since when the alert stands.
    pub since: Timestamp,
    /// Who acknowledged.
    pub by: Option<String>,
    /// What they say of it.
    pub note: Option<String>,
}

/// What PagerDuty takes as a summary, what Slack takes as a text of a section (with room for marks), and as a header.
const SUMMARY: usize = 1024;
const SECTION: usize = 2800;
const HEADER: usize = 150;

impl Message {
    /// A notice of the workspace that calls itself `source`.
    pub fn of(source: &str, notice: &Notice) -> Message {
        let alert = notice.alert();
        Message {
            format_version: 1,
            id: format!("{source}/{alert}/{}", notice.seq),
            dedup_key: format!("{source}/{alert}"),
            source: source.to_owned(),
            event: notice.event,
            level: notice.level,
            model: Some(notice.model.clone()),
            kind: Some(notice.kind),
            text: notice.text.clone(),
            at: notice.at,
            since: notice.since,
            by: notice.by.clone(),
            note: notice.note.clone(),
        }
    }

    /// What `regent alert test` sends.
    pub fn test(source: &str, by: &str, now: Timestamp) -> Message {
        Message {
            format_version: 1,
            id: format!("{source}/test/{}", now.compact()),
            dedup_key: format!("{source}/test"),
            source: source.to_owned(),
            event: Event::Test,
            level: Level::Info,
            model: None,
            kind: None,
            text: format!("{by} tries this route; nothing is wrong"),
            at: now,
            since: now,
            by: Some(by.to_owned()),
            note: None,
        }
    }

    /// `CRITICAL rain integrity`, with what happened before it unless it fired.
    pub fn headline(&self) -> String {
        let event = match self.event {
            Event::Fired => String::new(),
            Event::Reminded => "still ".to_owned(),
            Event::Acknowledged => "acknowledged: ".to_owned(),
            Event::Resolved => "resolved: ".to_owned(),
            Event::Test => "test: ".to_owned(),
        };
        let about = match (&self.model, self.kind) {
            (Some(model), Some(kind)) => format!("{model} {kind}"),
            (Some(_), None) | (None, _) => self.source.clone(),
        };
        format!("{event}{} {about}", self.level)
    }

    /// The body of a webhook.
    pub fn webhook(&self) -> Value {
        json!(self)
    }

    /// The body of a Slack message, in blocks, with a text for where blocks are not shown.
    pub fn slack(&self) -> Value {
        let mark = match self.level {
            Level::Info => "",
            Level::Warning => "*Look at it today.* ",
            Level::Critical => "*Look at it now.* ",
        };
        let mark = if matches!(self.event, Event::Fired | Event::Reminded) { mark } else { "" };
        let context = format!("{} · since {} · {}", self.dedup_key, self.since, self.known().unwrap_or_default());
        json!({
            "text": escaped(&format!("{}: {}", self.headline(), cut(&self.text, SECTION))),
            "blocks": [
                { "type": "header", "text": { "type": "plain_text", "text": cut(&self.headline(), HEADER) } },
                { "type": "section",
                  "text": { "type": "mrkdwn", "text": format!("{mark}{}", escaped(&cut(&self.text, SECTION))) } },
                { "type": "context",
                  "elements": [{ "type": "mrkdwn", "text": escaped(context.trim_end_matches(" · ")) }] },
            ],
        })
    }

    /// The events for PagerDuty: one, or for a test one that is resolved at once.
    pub fn pagerduty(&self, routing_key: &str) -> Vec<Value> {
        let event = |action: &str| json!({ "routing_key": routing_key, "event_action": action, "dedup_key": self.dedup_key, "client": "Regent" });
        let severity = match self.level {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Critical => "critical",
        };
        let trigger = || {
            let mut trigger = event("trigger");
            if let Some(fields) = trigger.as_object_mut() {
                let payload = json!({
                    "summary": cut(&format!("{}: {}", self.headline(), self.text), SUMMARY),
                    "source": self.source,
                    "severity": severity,
                    "timestamp": self.at,
                    "component": self.model,
                    "class": self.kind,
                    "custom_details": self,
                });
                fields.insert("payload".to_owned(), payload);
            }
            trigger
        };
        match self.event {
            Event::Fired | Event::Reminded => vec![trigger()],
            Event::Acknowledged => vec![event("acknowledge")],
            Event::Resolved => vec![event("resolve")],
            Event::Test => vec![trigger(), event("resolve")],
        }
    }

    /// The subject and the text of an e-mail.
    pub fn email(&self) -> (String, String) {
        let mut lines = vec![self.text.clone(), String::new()];
        let mut row = |name: &str, value: String| lines.push(format!("{name:<13} {value}"));
        row("level", self.level.to_string());
        row("event", self.event.to_string());
        self.model.iter().for_each(|model| row("model", model.to_string()));
        self.kind.iter().for_each(|kind| row("type", kind.to_string()));
        row("at", self.at.to_string());
        row("since", self.since.to_string());
        self.known().into_iter().for_each(|known| row("acknowledged", known));
        row("key", self.dedup_key.clone());
        (format!("[{}] {}", self.source, self.headline()), format!("{}\n", lines.join("\n")))
    }

    /// `by ana: on it`
    fn known(&self) -> Option<String> {
        let by = self.by.as_ref().filter(|_| self.event == Event::Acknowledged)?;
        let note = self.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        Some(format!("by {by}{note}"))
    }
}

/// At most so many characters.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// What Slack would take for a link or a mention is text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
