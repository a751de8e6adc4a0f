//! The lines of a spool's segment and how they become events and labels; pure. Features have no line.

mod answer;

use std::collections::BTreeMap;
use std::io::BufRead;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Event, Label, LogError, ShadowScore};
use crate::types::{ModelName, Spelling, Timestamp};

/// One line. A request has an answer, written before its reply, and perhaps a shadow, written after it. An answer is written as a
/// [row](answer); what is derived here is how it stood before there were rows, and is read, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    Answer(Event),
    Shadow(ShadowLine),
    Label(LabelLine),
}

impl Line {
    /// Write it behind what is there.
    pub(super) fn spell(&self, onto: &mut Vec<u8>) {
        match self {
            Line::Answer(event) => answer::spell(event, onto),
            Line::Shadow(_) | Line::Label(_) => {
                let mut line = Spelling::onto(onto);
                line.value("", self);
                line.text("\n");
            }
        }
    }

    /// As it is written.
    pub(super) fn spelled(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(LENGTH);
        self.spell(&mut line);
        line
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
const LENGTH: usize = 256;

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

/// One line.
fn read(line: &[u8], answers: &mut answer::Reader) -> serde_json::Result<Line> {
    let plain = str::from_utf8(line).ok().and_then(|line| answers.plain(line));
    match plain {
        Some(event) => Ok(Line::Answer(event)),
        None if line.starts_with(b"[") => serde_json::from_slice(line).map(|row: answer::Row| Line::Answer(row.into())),
        None => serde_json::from_slice(line),
    }
}

impl Contents {
    /// Read a segment of so many bytes. What follows the last line feed is what a crash tore, and was never acknowledged.
    pub(super) fn read(file: &str, bytes: usize, mut segment: impl BufRead) -> Result<Contents, LogError> {
        let mut contents = Contents::default();
        let mut shadows = BTreeMap::new();
        let (mut line, mut answers) = (Vec::new(), answer::Reader::default());
        for number in 1.. {
            line.clear();
            let unread = |source| LogError::Spool { operation: "read", file: file.to_owned(), source };
            segment.read_until(b'\n', &mut line).map_err(unread)?;
            let Some(whole) = line.strip_suffix(b"\n") else { break };
            let broken = |source| LogError::Line { file: file.to_owned(), line: number, source };
            match read(whole, &mut answers).map_err(broken)? {
                Line::Answer(event) => match contents.events.get_mut(&event.model) {
                    Some(events) => events.push(event),
                    None => {
                        // Most lines are answers, of one model and about as long: what they take is taken once.
                        let room = if contents.events.is_empty() { bytes / line.len() * 9 / 8 } else { 0 };
                        let mut events = Vec::with_capacity(room);
                        let model = event.model.clone();
                        events.push(event);
                        contents.events.insert(model, events);
                    }
                },
                Line::Shadow(ShadowLine { model, ts, request_id, score }) => {
                    shadows.entry(model).or_insert_with(Vec::new).push(((ts, request_id), score));
                }
                Line::Label(LabelLine { model, label }) => {
                    contents.labels.entry(model).or_default().push(label);
                }
            }
        }
        for (model, events) in &mut contents.events {
            let mut shadows = shadows.remove(model).unwrap_or_default();
            shadows.sort_by_key(|(of, _)| *of);
            let mut shadows = shadows.into_iter().peekable();
            // Events are large: their keys are sorted, and each of them is moved once.
            events.sort_by_cached_key(|event| (event.ts, event.request_id));
            for event in events {
                let key = (event.ts, event.request_id);
                event.shadow = None;
                while let Some((of, score)) = shadows.next_if(|(of, _)| *of <= key) {
                    event.shadow = (of == key).then_some(score);
                }
            }
        }
        Ok(contents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Code;
    use crate::log::Status;
    use crate::types::{TraceParent, Version};

    #[test]
    fn an_answer_is_read_as_it_was_spelled_now_and_before() {
        let answered = Event {
            ts: Timestamp::from_micros(1_795_342_500_000_001),
            request_id: Uuid::from_u128(7),
            model: "rain".parse().unwrap(),
            model_version: Version::new(1, 20, 3),
            prediction: Some(0.1 + 0.2),
            latency_us: 41,
            status: Status::Valid,
            codes: Vec::new(),
            shadow: None,
            slices: BTreeMap::new(),
            trace: None,
        };
        let refused = Event {
            prediction: None,
            status: Status::Invalid,
            codes: vec![Code::Missing, Code::Duplicate],
            ..answered.clone()
        };
        let whole = Event {
            ts: Timestamp::from_micros(-1),
            shadow: Some(ShadowScore { version: Version::FIRST, prediction: 1e-300, latency_us: 0 }),
            slices: [("st\"ation".to_owned(), "s\u{fc}d\n".to_owned())].into(),
            trace: TraceParent::read(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ..answered.clone()
        };
        assert!(whole.trace.is_some());
        let said = |line: &Line| String::from_utf8(line.spelled()).unwrap();
        assert_eq!(
            said(&Line::Answer(answered.clone())),
            "[\"rain@1.20.3\",1795342500000001,\"00000000-0000-0000-0000-000000000007\",0.30000000000000004,41]\n"
        );
        let mut answers = answer::Reader::default();
        let newer = Event { model_version: Version::new(1, 21, 0), ..answered.clone() };
        for (event, is_plain) in [(answered, true), (refused, false), (newer, true), (whole, false)] {
            let line = Line::Answer(event);
            let before = serde_json::to_string(&line).unwrap();
            assert_eq!(read(before.as_bytes(), &mut answers).unwrap(), line);
            let now = said(&line);
            assert_eq!(read(now.as_bytes(), &mut answers).unwrap(), line);
            let plain = answers.plain(&now).map(Line::Answer);
            assert_eq!(plain, is_plain.then_some(line), "{now}");
        }
    }

    #[test]
    fn a_line_that_is_no_answer_is_said_to_be_none() {
        let (good, mut answers) =
            (r#"["rain@1.0.0",1,"00000000-0000-0000-0000-000000000007",0.5,41]"#, answer::Reader::default());
        assert!(read(good.as_bytes(), &mut answers).is_ok());
        for (part, other, why) in [
            ("rain@1.0.0", "rain", "is not a version of a model"),
            ("rain@", "Rain@", "is not a name"),
            ("@1.0.0", "@1.0", "is not a version"),
            ("0.5", "1e999", "out of range"),
            (",41]", "]", "invalid length"),
            (",41]", ",41,{}", "EOF"),
        ] {
            let error = read(good.replace(part, other).as_bytes(), &mut answers).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
