//! Labels from files, and all labels read back; through the store. The first label of a request stays.

use std::collections::BTreeMap;
use std::io::Read;

use uuid::Uuid;

use super::parts::{PartKind, part, parts_between, read_events, read_rows, seal_labels};
use super::rows;
use super::{Label, LogError};
use crate::contract::{Contract, Given};
use crate::serve::{Outcomes, parse_id, truth};
use crate::store::Store;
use crate::types::{Digest, ModelName, Timestamp};

/// A row of a labels file that cannot be taken. It never holds the label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct LabelFault {
    /// The line in the file, from 1.
    pub line: u64,
    /// What is wrong and what to write.
    pub what: &'static str,
}

/// Import a CSV of `request_id,label` and perhaps `at` (when the label became known; else `now`). All rows or none.
///
/// Known requests are looked for among the events since `since`. A label that is there already is not written again, so
/// importing a file twice changes nothing.
///
/// # Errors
/// Every row that is not a label of this contract's target; the store.
pub fn import(
    store: &dyn Store,
    contract: &Contract,
    file: impl Read,
    since: Timestamp,
    now: Timestamp,
) -> Result<Outcomes, LogError> {
    let model = contract.name();
    let labels = read_csv(contract, file, now)?;
    let answered = read_events(store, model, since, now)?.into_iter().rev().map(|event| (event.request_id, event.ts));
    let answered: BTreeMap<Uuid, Timestamp> = answered.collect();
    let mut known: BTreeMap<Uuid, f64> = BTreeMap::new();
    for label in read_labels(store, model, Timestamp::EPOCH, now)? {
        known.entry(label.request_id).or_insert(label.label);
    }
    let mut outcomes = Outcomes::default();
    let mut kept = Vec::new();
    for label in labels {
        if outcomes.settle(answered.get(&label.request_id).copied(), known.get(&label.request_id).copied(), &label) {
            known.insert(label.request_id, label.label);
            kept.push(label);
        }
    }
    if !kept.is_empty() {
        // Named by what it holds: the same labels at the same instant are the same part.
        let digest =
            Digest::of(kept.iter().map(|label| format!("{}={}\n", label.request_id, label.label)).collect::<String>());
        seal_labels(store, model, now, &format!("import-{}", digest.short()), &kept)?;
    }
    Ok(outcomes)
}

impl Outcomes {
    /// Count what becomes of a label, given when its request was answered and what label it has; whether to keep it.
    pub(super) fn settle(&mut self, answered: Option<Timestamp>, known: Option<f64>, label: &Label) -> bool {
        let (count, keep) = match (answered, known) {
            (_, Some(known)) if known.total_cmp(&label.label).is_eq() => (&mut self.duplicate, false),
            (_, Some(_)) => (&mut self.conflicting, false),
            (None, None) => (&mut self.unknown, true),
            (Some(answered), None) if label.at < answered => (&mut self.early, true),
            (Some(_), None) => (&mut self.new, true),
        };
        *count += 1;
        keep
    }
}

/// The columns of a labels file.
#[derive(serde::Deserialize)]
struct Row<'a> {
    request_id: &'a str,
    label: &'a str,
    at: Option<&'a str>,
}

fn read_csv(contract: &Contract, file: impl Read, now: Timestamp) -> Result<Vec<Label>, LogError> {
    let mut reader = csv::ReaderBuilder::new().from_reader(file);
    let headers = reader.headers().cloned().unwrap_or_default();
    let (mut labels, mut faults, mut rows) = (Vec::new(), Vec::new(), 0);
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => match label(contract, &record, &headers, now) {
                Ok(label) => labels.push(label),
                Err(what) => faults.push(LabelFault { line, what }),
            },
            Err(error) if error.is_io_error() => {
                faults.push(LabelFault { line, what: "the file cannot be read on" });
                break;
            }
            Err(_) => faults.push(LabelFault { line, what: "not the header's number of cells, or not UTF-8" }),
        }
        rows += 1;
    }
    if faults.is_empty() { Ok(labels) } else { Err(LogError::Labels { rows, faults }) }
}

fn label(
    contract: &Contract,
    record: &csv::StringRecord,
    headers: &csv::StringRecord,
    now: Timestamp,
) -> Result<Label, &'static str> {
    let wants = "the header must be `request_id,label` or `request_id,label,at`";
    let Row { request_id, label, at } = record.deserialize(Some(headers)).map_err(|_| wants)?;
    let given = match label {
        "true" => Given::Bool(true),
        "false" => Given::Bool(false),
        word => word.parse().map_or(Given::Text(word), Given::Number),
    };
    Ok(Label {
        request_id: parse_id(request_id).ok_or("`request_id` must be a UUID in its hyphenated form")?,
        label: truth(contract, given).map_err(|_| "`label` cannot be a value of the contract's target")?,
        at: match at {
            Some(at) => at.parse().map_err(|_| "`at` must be an instant such as 2026-11-21T10:00:00Z")?,
            None => now,
        },
    })
}

/// The labels of parts that were sealed in the hours of `[since, until]`, in the order they arrived. A request may have
/// several: the first is the one that counts.
///
/// # Errors
/// The store; a part that is not one.
pub fn read_labels(
    store: &dyn Store,
    model: &ModelName,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Label>, LogError> {
    let mut labels = Vec::new();
    let until = until + crate::types::Span::from_micros(1);
    for key in parts_between(store, model, PartKind::Labels, since, until)? {
        labels.extend(rows::labels(&read_rows(store, &key)?).map_err(part(&key))?);
    }
    labels.sort_by_key(|label| (label.at, label.request_id));
    Ok(labels)
}
