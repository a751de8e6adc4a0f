//! The line of an answer; pure. Every request has one: it is written to a disk and, a moment later, read to be sealed, so it is short.
//!
//! `["rain@1.20.3",1795342500000001,"01994b5e-...",0.25,41]`: whose answer, when it was given in microseconds since 1970, to which
//! request, the prediction (`null` if the request was invalid), and the latency in microseconds. What few answers have follows in an
//! object.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::contract::Code;
use crate::log::{Event, ShadowScore, Status};
use crate::types::{ModelName, NameError, Plain, Spelling, Timestamp, TraceParent, Version, VersionError};

/// The line, read with care.
#[derive(Deserialize)]
pub(super) struct Row(Whose, i64, Uuid, Option<f64>, u32, #[serde(default)] Seldom<'static>);

/// A version of a model: `rain@1.20.3`
#[derive(Clone, Deserialize)]
#[serde(try_from = "Cow<'_, str>")]
struct Whose(ModelName, Version);

/// What few answers have.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Seldom<'a> {
    #[serde(skip_serializing_if = "<[Code]>::is_empty")]
    codes: Cow<'a, [Code]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<Cow<'a, ShadowScore>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    slices: Cow<'a, BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<TraceParent>,
}

/// Write the line of an answer behind what is there.
pub(super) fn spell(event: &Event, onto: &mut Vec<u8>) {
    let Event { ts, request_id, model, model_version, prediction, latency_us, status: _, codes, shadow, slices, trace } =
        event;
    let mut line = Spelling::onto(onto);
    line.text("[\"");
    // No name needs an escape.
    line.text(model.as_str());
    line.text("@");
    model_version.spelled(|version| line.text(version));
    line.value("\",", &ts.micros());
    line.text(",\"");
    line.id(*request_id);
    line.value("\",", prediction);
    line.value(",", latency_us);
    if !(codes.is_empty() && shadow.is_none() && slices.is_empty() && trace.is_none()) {
        let shadow = shadow.as_ref().map(Cow::Borrowed);
        let seldom = Seldom { codes: codes.as_slice().into(), shadow, slices: Cow::Borrowed(slices), trace: *trace };
        line.value(",", &seldom);
    }
    line.text("]\n");
}

impl From<Row> for Event {
    fn from(row: Row) -> Event {
        let Row(Whose(model, model_version), micros, request_id, prediction, latency_us, seldom) = row;
        let Seldom { codes, shadow, slices, trace } = seldom;
        Event {
            ts: Timestamp::from_micros(micros),
            request_id,
            model,
            model_version,
            prediction,
            latency_us,
            status: if prediction.is_some() { Status::Valid } else { Status::Invalid },
            codes: codes.into_owned(),
            shadow: shadow.map(Cow::into_owned),
            slices: slices.into_owned(),
            trace,
        }
    }
}

impl TryFrom<Cow<'_, str>> for Whose {
    type Error = String;

    fn try_from(given: Cow<'_, str>) -> Result<Whose, String> {
        let (model, version) = given.split_once('@').ok_or_else(|| format!("`{given}` is not a version of a model"))?;
        let model = model.parse().map_err(|error: NameError| error.to_string())?;
        Ok(Whose(model, version.parse().map_err(|error: VersionError| error.to_string())?))
    }
}

/// Reads lines, one after the other.
#[derive(Default)]
pub(super) struct Reader {
    /// Nearly every answer is of the version that gave the one before.
    last: Option<(String, Whose)>,
}

impl Reader {
    /// The answer that a line tells, should it tell no more than most do.
    pub(super) fn plain(&mut self, line: &str) -> Option<Event> {
        Plain::read(line, |line| {
            line.literal("[")?;
            let whose = self.whose(line.word()?)?;
            line.literal(",")?;
            let micros = line.whole()?.try_into().ok()?;
            line.literal(",")?;
            let request_id = line.word()?.parse().ok()?;
            line.literal(",")?;
            let prediction = line.number()?;
            line.literal(",")?;
            let latency_us = line.whole()?.try_into().ok()?;
            line.literal("]")?;
            Some(Row(whose, micros, request_id, Some(prediction), latency_us, Seldom::default()).into())
        })
    }

    fn whose(&mut self, word: &str) -> Option<Whose> {
        match &self.last {
            Some((last, whose)) if last == word => Some(whose.clone()),
            _ => Some(self.last.insert((word.to_owned(), Whose::try_from(Cow::Borrowed(word)).ok()?)).1.clone()),
        }
    }
}
