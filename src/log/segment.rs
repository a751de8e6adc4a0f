//! The lines of a spool's segment and how they become events and labels; pure. Features have no line.

use std::collections::BTreeMap;

use memchr::memchr_iter;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Event, Label, LogError, ShadowScore};
use crate::types::{ModelName, Timestamp};

/// One line. A request has an `answer`, written before its reply, and perhaps a `shadow`, written after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    Answer(Event),
    Shadow(ShadowLine),
    Label(LabelLine),
}

impl Line {
    /// As it is written.
    pub(super) fn spelled(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        // Nothing in a line can fail to be spelled: its maps have words for keys.
        let _ = serde_json::to_writer(&mut bytes, self);
        bytes.push(b'\n');
        bytes
    }

    /// The same about another instant.
    pub(super) fn about(mut self, instant: Timestamp) -> Line {
        match &mut self {
            Line::Answer(Event { ts, .. }) | Line::Shadow(ShadowLine { ts, .. }) => *ts = instant,
            Line::Label(LabelLine { label, .. }) => label.at = instant,
        }
        self
    }
}

/// What a line has room for before it must move: most are shorter.
const LENGTH: usize = 384;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ShadowLine {
    /// Two models may be asked under one id.
    pub(super) model: ModelName,
    pub(super) ts: Timestamp,
    pub(super) request_id: Uuid,
    pub(super) score: ShadowScore,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LabelLine {
    pub(super) model: ModelName,
    #[serde(flatten)]
    pub(super) label: Label,
}

/// What a segment holds: answers merged with their shadows, and labels, each by model and in the order of time.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Contents {
    pub(super) events: BTreeMap<ModelName, Vec<Event>>,
    pub(super) labels: BTreeMap<ModelName, Vec<Label>>,
}

/// One line, of which no word is looked at twice to see that it is Unicode.
fn read(line: &[u8]) -> serde_json::Result<Line> {
    str::from_utf8(line).map_or_else(|_| serde_json::from_slice(line), serde_json::from_str)
}

impl Contents {
    /// Read a segment. What follows the last line feed is what a crash tore, and was never acknowledged.
    pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Contents, LogError> {
        let mut contents = Contents::default();
        let mut shadows = BTreeMap::new();
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let bytes = bytes.get(..whole).unwrap_or_default();
        let many = memchr_iter(b'\n', bytes).count();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        for (index, line) in lines.enumerate() {
            let broken = |source| LogError::Line { file: file.to_owned(), line: index + 1, source };
            match read(line).map_err(broken)? {
                Line::Answer(event) => match contents.events.get_mut(&event.model) {
                    Some(events) => events.push(event),
                    None => {
                        // Most lines are answers, and of one model: what they take is taken once.
                        let room = if contents.events.is_empty() { many } else { 0 };
                        let mut events = Vec::with_capacity(room);
                        let model = event.model.clone();
                        events.push(event);
                        contents.events.insert(model, events);
                    }
                },
                Line::Shadow(ShadowLine { model, ts, request_id, score }) => {
                    shadows.entry(model).or_insert_with(BTreeMap::new).insert((ts, request_id), score);
                }
                Line::Label(LabelLine { model, label }) => {
                    contents.labels.entry(model).or_default().push(label);
                }
            }
        }
        for (model, events) in &mut contents.events {
            let mut shadows = shadows.remove(model).unwrap_or_default();
            // Events are large: their keys are sorted, and each of them is moved once.
            events.sort_by_cached_key(|event| (event.ts, event.request_id));
            for event in events {
                event.shadow = shadows.remove(&(event.ts, event.request_id));
            }
        }
        Ok(contents)
    }
}
