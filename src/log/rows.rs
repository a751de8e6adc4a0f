//! Events and labels as the columns of their parts, and back; pure.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use uuid::Uuid;

use super::columns::{
    Batch, Fault, Rows, enumerated, ids, instants, lists, need, numbers, parsed, texts, told, wholes,
};
use super::{Event, Label, ShadowScore};
use crate::types::{ModelName, TraceParent};

/// The columns by which rows of events are chosen.
pub(super) const TIME_AND_ID: [&str; 2] = ["ts", "request_id"];
/// The column by which labels are.
pub(super) const ID: [&str; 1] = ["request_id"];

/// The request that a row of any part speaks of.
pub(super) fn request_id(batch: &Batch<'_>, place: usize) -> Result<Uuid, Fault> {
    parsed("request_id", need("request_id", batch.text("request_id", place)?)?)
}

/// The columns of a part of events.
pub(super) fn event_columns(events: &[Event]) -> Result<Vec<(&'static str, ArrayRef)>, Fault> {
    let shadow = |event: &Event| event.shadow.clone();
    let slices = |event: &Event| match event.slices.is_empty() {
        true => Ok(None),
        false => serde_json::to_string(&event.slices).map(Some).map_err(told),
    };
    // A part has few versions and many events.
    let mut versions = BTreeMap::new();
    for Event { model_version, .. } in events {
        versions.entry(*model_version).or_insert_with(|| model_version.to_string());
    }
    let slices: Vec<Option<String>> = events.iter().map(slices).collect::<Result<_, _>>()?;
    Ok(vec![
        ("ts", instants(events.iter().map(|event| event.ts))),
        ("request_id", ids(events.iter().map(|event| event.request_id))),
        ("model_version", texts(events.iter().map(|event| versions.get(&event.model_version)))),
        ("prediction", numbers(events.iter().map(|event| event.prediction))),
        ("latency_us", wholes(events.iter().map(|event| Some(event.latency_us)))),
        ("status", texts(events.iter().map(|event| Some(event.status.as_str())))),
        ("codes", lists(events.iter().map(|event| event.codes.as_slice()))),
        ("shadow_version", texts(events.iter().map(|event| Some(shadow(event)?.version.to_string())))),
        ("shadow_prediction", numbers(events.iter().map(|event| Some(shadow(event)?.prediction)))),
        ("shadow_latency_us", wholes(events.iter().map(|event| Some(shadow(event)?.latency_us)))),
        ("slices", texts(slices.into_iter())),
        ("trace_id", texts(events.iter().map(|event| Some(event.trace?.trace_id.to_string())))),
        ("parent_id", texts(events.iter().map(|event| Some(event.trace?.parent_id.to_string())))),
    ])
}

/// The events of a part.
pub(super) fn events(model: &ModelName, rows: &Rows) -> Result<Vec<Event>, Fault> {
    rows.each(|batch, place| {
        let text = |name| batch.text(name, place).and_then(|text| need(name, text));
        let shadow = match batch.text("shadow_version", place)? {
            None => None,
            Some(version) => Some(ShadowScore {
                version: parsed("shadow_version", version)?,
                prediction: need("shadow_prediction", batch.number("shadow_prediction", place)?)?,
                latency_us: need("shadow_latency_us", batch.whole("shadow_latency_us", place)?)?,
            }),
        };
        let trace = match batch.text_if_told("trace_id", place)? {
            None => None,
            Some(trace_id) => Some(TraceParent {
                trace_id: parsed("trace_id", trace_id)?,
                parent_id: parsed("parent_id", text("parent_id")?)?,
            }),
        };
        let codes = batch.words("codes", place)?;
        let slices = batch.text("slices", place)?.map(serde_json::from_str).transpose().map_err(told)?;
        Ok(Event {
            ts: batch.instant("ts", place)?,
            request_id: request_id(batch, place)?,
            model: model.clone(),
            model_version: parsed("model_version", text("model_version")?)?,
            prediction: batch.number("prediction", place)?,
            latency_us: need("latency_us", batch.whole("latency_us", place)?)?,
            status: enumerated("status", text("status")?)?,
            codes: codes.iter().map(|code| enumerated("codes", code)).collect::<Result<_, _>>()?,
            shadow,
            slices: slices.unwrap_or_default(),
            trace,
        })
    })
}

/// The columns of a part of labels.
pub(super) fn label_columns(labels: &[Label]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("at", instants(labels.iter().map(|label| label.at))),
        ("request_id", ids(labels.iter().map(|label| label.request_id))),
        ("label", numbers(labels.iter().map(|label| Some(label.label)))),
    ]
}

/// The labels of a part.
pub(super) fn labels(rows: &Rows) -> Result<Vec<Label>, Fault> {
    rows.each(|batch, place| {
        Ok(Label {
            request_id: request_id(batch, place)?,
            label: need("label", batch.number("label", place)?)?,
            at: batch.instant("at", place)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::log::Status;
    use crate::log::columns::Table;
    use crate::types::{Timestamp, Version};

    #[test]
    fn a_part_from_before_there_were_traces_is_read() {
        let event = Event {
            ts: Timestamp::EPOCH,
            request_id: Uuid::from_u128(7),
            model: "rain".parse().unwrap(),
            model_version: Version::FIRST,
            prediction: Some(0.5),
            latency_us: 40,
            status: Status::Valid,
            codes: Vec::new(),
            shadow: None,
            slices: BTreeMap::new(),
            trace: TraceParent::read(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        };
        let read = |columns| {
            let (bytes, _) = Table { columns, notes: BTreeMap::new() }.encode().unwrap();
            events(&event.model, &Rows::decode(bytes).unwrap()).unwrap()
        };
        let columns = event_columns(std::slice::from_ref(&event)).unwrap();
        assert_eq!(read(columns.clone()), std::slice::from_ref(&event));
        let before = columns.into_iter().filter(|(name, _)| !["trace_id", "parent_id"].contains(name)).collect();
        assert_eq!(read(before), [Event { trace: None, ..event.clone() }]);
    }
}
