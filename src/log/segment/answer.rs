//! The line of an answer as it stands: every request has one, and each is spelled and, a moment later, read to be sealed; pure. What it
//! says is what serde says of [`Line`](super::Line), in a fraction of the time.

use std::collections::BTreeMap;

use super::LENGTH;
use crate::log::{Event, Status};
use crate::types::{Plain, Spelling};

pub(super) fn spelled(event: &Event) -> Vec<u8> {
    let Event { ts, request_id, model, model_version, prediction, latency_us, status, codes, shadow, slices, trace } =
        event;
    let mut line = Spelling::with_room(LENGTH);
    line.text(r#"{"answer":{"ts":""#);
    ts.spelled(|ts| line.text(ts));
    line.text("\",");
    line.whose(*request_id, model, *model_version);
    line.value(r#","prediction":"#, prediction);
    line.value(r#","latency_us":"#, latency_us);
    line.text(r#","status":""#);
    line.text(status.as_str());
    line.text("\"");
    if !codes.is_empty() {
        line.value(r#","codes":"#, codes);
    }
    if let Some(shadow) = shadow {
        line.value(r#","shadow":"#, shadow);
    }
    if !slices.is_empty() {
        line.value(r#","slices":"#, slices);
    }
    if let Some(trace) = trace {
        line.value(r#","trace":"#, trace);
    }
    line.text("}}\n");
    line.finish()
}

/// A line that says no more than most do; nothing if it does, or is another.
pub(super) fn read(line: &str) -> Option<Event> {
    Plain::read(line, |line| {
        line.literal(r#"{"answer":{"ts":"#)?;
        let ts = line.word()?.parse().ok()?;
        line.literal(r#","request_id":"#)?;
        let request_id = line.word()?.parse().ok()?;
        line.literal(r#","model":"#)?;
        let model = line.word()?.parse().ok()?;
        line.literal(r#","model_version":"#)?;
        let model_version = line.word()?.parse().ok()?;
        line.literal(r#","prediction":"#)?;
        let prediction = Some(line.number()?);
        line.literal(r#","latency_us":"#)?;
        let latency_us = line.whole()?.try_into().ok()?;
        line.literal(r#","status":"valid"}}"#)?;
        Some(Event {
            ts,
            request_id,
            model,
            model_version,
            prediction,
            latency_us,
            status: Status::Valid,
            codes: Vec::new(),
            shadow: None,
            slices: BTreeMap::new(),
            trace: None,
        })
    })
}
