//! Labels from files, and labels read back; through the store. All that a request was ever told are kept; who joins them says
//! which one counts.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use uuid::Uuid;

use super::columns::{Fault, Rows};
use super::parts::{PartKind, part, parts_between, read_chosen, seal_labels};
use super::rows;
use super::{Label, LogError};
use crate::contract::{Contract, Given};
use crate::serve::{Outcomes, parse_id, truth};
use crate::store::Store;
use crate::types::{Digest, ModelName, Span, Timestamp};

/// A row of a labels file that cannot be taken. It never holds the label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct LabelFault {
    /// The line in the file, from 1.
    pub line: u64,
    /// What is wrong and what to write.
    pub what: &'static str,
}

/// How far back requests are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// Among events since then.
    pub known: Timestamp,
    /// Windows that ended before are judged no more: their labels are overdue.
    pub judged: Timestamp,
}

/// Import a CSV of `request_id,label` and perhaps `at` (when the label became known; else `now`). All rows or none.
///
/// A label that says nothing new is not written again, so importing a file twice changes nothing.
///
/// # Errors
/// Every row that is not a label of this contract's target; the store.
pub fn import(
    store: &dyn Store,
    contract: &Contract,
    file: impl Read,
    since: Since,
    now: Timestamp,
) -> Result<Outcomes, LogError> {
    let model = contract.name();
    let labels = read_csv(contract, file, now)?;
    let named: BTreeSet<Uuid> = labels.iter().map(|label| label.request_id).collect();
    let is_named = |request_id: Uuid| named.contains(&request_id);
    let answered = read_chosen(store, model, since.known, now, is_named)?.events.into_iter().rev();
    let answered: BTreeMap<Uuid, Timestamp> = answered.map(|event| (event.request_id, event.ts)).collect();
    let mut known: BTreeMap<Uuid, Vec<Label>> = BTreeMap::new();
    for label in read_labels_of(store, model, Timestamp::EPOCH, now + Label::CLOCKS, is_named)? {
        known.entry(label.request_id).or_default().push(label);
    }
    let mut outcomes = Outcomes::default();
    let mut kept = Vec::new();
    for label in labels {
        let told = known.entry(label.request_id).or_default();
        if outcomes.settle(answered.get(&label.request_id).copied(), told, &label, since.judged) {
            told.insert(told.partition_point(|earlier| earlier.at <= label.at), label.clone());
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
    /// Count what becomes of a label, given when its request was answered, what it was told before in the order of time, and
    /// since when windows are judged; whether to keep the label.
    pub(super) fn settle(
        &mut self,
        answered: Option<Timestamp>,
        told: &[Label],
        label: &Label,
        judged_since: Timestamp,
    ) -> bool {
        let of_the_answer = |told: &&Label| answered.is_none_or(|answered| !told.is_early(answered));
        let told: Vec<&Label> = told.iter().filter(of_the_answer).collect();
        let (count, keep) = match answered {
            Some(answered) if label.is_early(answered) => (&mut self.early, false),
            _ if repeats(&told, label) => (&mut self.duplicate, false),
            _ if !told.is_empty() => (&mut self.conflicting, true),
            None => (&mut self.unknown, true),
            Some(answered) if answered < judged_since => (&mut self.overdue, true),
            Some(_) => (&mut self.new, true),
        };
        *count += 1;
        keep
    }
}

/// Whether a label says what was said before it: nothing is first or last because of it. A word taken back is news each time.
fn repeats(told: &[&Label], label: &Label) -> bool {
    let before = told.partition_point(|told| told.at <= label.at);
    let neighbour = told.get(before.saturating_sub(1));
    let again = told.iter().any(|told| told.at == label.at && told.agrees(label));
    again || neighbour.is_some_and(|neighbour| neighbour.agrees(label))
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
    let label = Label {
        request_id: parse_id(request_id).ok_or("`request_id` must be a UUID in its hyphenated form")?,
        label: truth(contract, given).map_err(|_| "`label` cannot be a value of the contract's target")?,
        at: match at {
            Some(at) => at.parse().map_err(|_| "`at` must be an instant such as 2026-11-21T10:00:00Z")?,
            None => now,
        },
    };
    if label.at > now + Label::CLOCKS {
        return Err("`at` lies in the future");
    }
    Ok(label)
}

/// The labels that were known by `until`, of parts sealed in the hours of `[since, until]`, in the order in which they became
/// known. A request may have several.
///
/// # Errors
/// The store; a part that is not one.
pub fn read_labels(
    store: &dyn Store,
    model: &ModelName,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Label>, LogError> {
    labels_of_parts(store, model, (since, until), Rows::decode)
}

/// As [`read_labels`], but only of wanted requests. Of the others nothing is read but their ids.
///
/// # Errors
/// As [`read_labels`].
pub fn read_labels_of(
    store: &dyn Store,
    model: &ModelName,
    since: Timestamp,
    until: Timestamp,
    wanted: impl Fn(Uuid) -> bool,
) -> Result<Vec<Label>, LogError> {
    labels_of_parts(store, model, (since, until), |bytes| {
        Rows::decode_where(bytes, &rows::ID, |batch, place| Ok(wanted(rows::request_id(batch, place)?)))
    })
}

fn labels_of_parts(
    store: &dyn Store,
    model: &ModelName,
    (since, until): (Timestamp, Timestamp),
    decode: impl Fn(Vec<u8>) -> Result<Rows, Fault>,
) -> Result<Vec<Label>, LogError> {
    let mut labels = Vec::new();
    for key in parts_between(store, model, PartKind::Labels, since, until + Span::from_micros(1))? {
        let rows = decode(store.read(&key)?).and_then(|rows| rows::labels(&rows));
        labels.extend(rows.map_err(part(&key))?);
    }
    // An hour's parts hold what came later in that hour, too.
    labels.retain(|label| label.at <= until);
    labels.sort_by(|a, b| (a.at, a.request_id).cmp(&(b.at, b.request_id)).then(a.label.total_cmp(&b.label)));
    Ok(labels)
}
