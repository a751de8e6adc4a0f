//! Sealed parts of events and labels, in folders by hour; through the store. A part is created once and read back.

use std::collections::BTreeMap;
use std::fmt;

use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::reader::{ChunkReader, Length};
use ulid::Ulid;
use uuid::Uuid;

use super::columns::{self, Rows, Table};
use super::rows;
use super::segment::Contents;
use super::{Event, Label, LogError, Sample};
use crate::store::{Key, Store, StoreError};
use crate::types::{ModelName, ReplicaName, Span, Timestamp};

/// The note that tells how many events a part has in each minute, so that nobody need read its rows to count them.
const REQUESTS: &str = "regent.requests";
/// 1: first form; `trace_id` and `parent_id` joined it, and a part without them is read as one whose requests belong to no trace.
const FORMAT: (&str, &str) = ("regent.format_version", "1");
const HOUR: Span = Span::from_hours(1);

/// What parts hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// Answers with their shadows.
    Events,
    /// What came true.
    Labels,
    /// Counts of features, predictions and latencies.
    Counts,
}

impl PartKind {
    fn folder(self) -> &'static str {
        match self {
            PartKind::Events => "events",
            PartKind::Labels => "labels",
            PartKind::Counts => "counts",
        }
    }
}

/// Who wrote a part, and which of his: a retry has the same name and cannot count twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartName {
    /// The serving process among several.
    pub replica: ReplicaName,
    /// Which start of it.
    pub boot: Ulid,
    /// From 0 at each start.
    pub seq: u64,
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:06}", self.replica, self.boot, self.seq)
    }
}

/// `var/<model>/events/date=2026-11-21/hour=10`
fn folder(model: &ModelName, kind: PartKind, at: Timestamp) -> Result<Key, LogError> {
    let (kind, date, hour) = (kind.folder(), at.date(), at.hour());
    Ok(Key::new(&format!("var/{model}/{kind}/date={date}/hour={hour}"))?)
}

/// The key of a part that lies in the hour of `at`.
///
/// # Errors
/// The name does not fit a key.
pub(crate) fn part_key(model: &ModelName, kind: PartKind, at: Timestamp, name: &str) -> Result<Key, LogError> {
    Ok(folder(model, kind, at)?.join(&format!("{name}.parquet"))?)
}

/// Create a part; one that is there must hold the same rows, as it does when a crash came between sealing and forgetting.
pub(crate) fn create<T: PartialEq>(
    store: &dyn Store,
    key: &Key,
    table: Table,
    rows: &[T],
    read: impl Fn(&Rows) -> Result<Vec<T>, String>,
) -> Result<(), LogError> {
    let (bytes, written) = table.encode().map_err(part(key))?;
    match store.create(key, (&bytes).into()) {
        Ok(()) | Err(StoreError::AlreadyExists { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    drop(bytes);
    let found = read_rows(store, key)?;
    // Columns are quick to compare; the same rows may stand in others, where another program has written them.
    let same = found.are(&written) || read(&found).map_err(part(key))? == rows;
    if same { Ok(()) } else { Err(LogError::OtherRows { key: key.clone() }) }
}

pub(crate) fn read_rows(store: &dyn Store, key: &Key) -> Result<Rows, LogError> {
    Rows::decode(store.read(key)?).map_err(part(key))
}

pub(crate) fn part(key: &Key) -> impl Fn(String) -> LogError {
    let key = key.to_string();
    move |what| LogError::Part { key: key.clone(), what }
}

/// Seal what a segment holds: one part for each model and hour.
pub(super) fn seal(store: &dyn Store, name: &PartName, contents: &Contents) -> Result<(), LogError> {
    for (model, events) in &contents.events {
        for events in events.chunk_by(|a, b| a.ts.floor(HOUR) == b.ts.floor(HOUR)) {
            seal_events(store, model, &name.to_string(), events)?;
        }
    }
    for (model, labels) in &contents.labels {
        for labels in labels.chunk_by(|a, b| a.at.floor(HOUR) == b.at.floor(HOUR)) {
            let Some(first) = labels.first() else { continue };
            seal_labels(store, model, first.at, &name.to_string(), labels)?;
        }
    }
    Ok(())
}

/// Seal one part of events, all of one hour and in the order of time.
pub(crate) fn seal_events(store: &dyn Store, model: &ModelName, name: &str, events: &[Event]) -> Result<(), LogError> {
    let Some(first) = events.first() else { return Ok(()) };
    let key = part_key(model, PartKind::Events, first.ts, name)?;
    let columns = rows::event_columns(events).map_err(part(&key))?;
    create(store, &key, Table { columns, notes: event_notes(events) }, events, |rows| rows::events(model, rows))
}

/// The ids of the requests in a part of events.
pub(crate) fn ids_in(store: &dyn Store, key: &Key) -> Result<Vec<Uuid>, LogError> {
    let id = |batch: &columns::Batch<'_>, place: usize| {
        let text = batch.text("request_id", place)?;
        columns::parsed("request_id", columns::need("request_id", text)?)
    };
    read_rows(store, key)?.each(id).map_err(part(key))
}

/// Seal one part of labels.
pub(crate) fn seal_labels(
    store: &dyn Store,
    model: &ModelName,
    at: Timestamp,
    name: &str,
    labels: &[Label],
) -> Result<(), LogError> {
    let key = part_key(model, PartKind::Labels, at, name)?;
    let table = Table { columns: rows::label_columns(labels), notes: [format()].into() };
    create(store, &key, table, labels, rows::labels)
}

pub(crate) fn format() -> (String, String) {
    (FORMAT.0.to_owned(), FORMAT.1.to_owned())
}

fn event_notes(events: &[Event]) -> BTreeMap<String, String> {
    let mut requests: BTreeMap<Timestamp, u64> = BTreeMap::new();
    for event in events {
        *requests.entry(event.ts.floor(Span::from_mins(1))).or_default() += 1;
    }
    // A map of text to numbers is always JSON.
    let requests = serde_json::to_string(&requests).unwrap_or_default();
    [format(), (REQUESTS.to_owned(), requests)].into()
}

/// The keys of all parts in the hours that overlap `[from, to)`, sorted. Lists the days, and of each wanted day its hours.
///
/// # Errors
/// The store.
pub fn parts_between(
    store: &dyn Store,
    model: &ModelName,
    kind: PartKind,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Key>, LogError> {
    if to <= from {
        return Ok(Vec::new());
    }
    let root = Key::new(&format!("var/{model}/{}", kind.folder()))?;
    let name = |at: Timestamp| (format!("date={}", at.date()), format!("hour={}", at.hour()));
    let (first, last) = (name(from), name(to - Span::from_micros(1)));
    let mut found = Vec::new();
    for date in store.list_folder(&root)?.into_iter().filter(|date| (&first.0..=&last.0).contains(&date)) {
        let day = root.join(&date)?;
        for hour in store.list_folder(&day)? {
            let place = (date.clone(), hour);
            if (&first..=&last).contains(&&place) {
                found.extend(store.list(&day.join(&place.1)?)?);
            }
        }
    }
    found.retain(|key| key.name().ends_with(".parquet"));
    Ok(found)
}

/// The events of `[from, to)`, in the order of time.
///
/// # Errors
/// The store; a part that is not one.
pub fn read_events(
    store: &dyn Store,
    model: &ModelName,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Event>, LogError> {
    let mut events = Vec::new();
    for key in parts_between(store, model, PartKind::Events, from, to)? {
        events.extend(rows::events(model, &read_rows(store, &key)?).map_err(part(&key))?);
    }
    events.retain(|event| from <= event.ts && event.ts < to);
    events.sort_by_key(|event| (event.ts, event.request_id));
    Ok(events)
}

/// The events of a time that a sample takes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampled {
    /// These, in the order of time.
    pub events: Vec<Event>,
    /// How many events there are in all.
    pub of: u64,
}

/// The events of `[from, to)` that a sample takes. Of the others nothing is read but when they were and their ids.
///
/// # Errors
/// The store; a part that is not one.
pub fn read_sample(
    store: &dyn Store,
    model: &ModelName,
    from: Timestamp,
    to: Timestamp,
    sample: Sample,
) -> Result<Sampled, LogError> {
    if sample == Sample::ALL {
        let events = read_events(store, model, from, to)?;
        return Ok(Sampled { of: events.len() as u64, events });
    }
    read_chosen(store, model, from, to, |request_id| sample.takes(request_id))
}

/// As [`read_sample`], of whatever requests are chosen.
///
/// # Errors
/// As [`read_sample`].
pub(super) fn read_chosen(
    store: &dyn Store,
    model: &ModelName,
    from: Timestamp,
    to: Timestamp,
    chosen: impl Fn(Uuid) -> bool,
) -> Result<Sampled, LogError> {
    let mut sampled = Sampled::default();
    for key in parts_between(store, model, PartKind::Events, from, to)? {
        let of = &mut sampled.of;
        let rows = Rows::decode_where(store.read(&key)?, &rows::TIME_AND_ID, |batch, place| {
            let ts = batch.instant("ts", place)?;
            let within = from <= ts && ts < to;
            *of += u64::from(within);
            Ok(within && chosen(rows::request_id(batch, place)?))
        });
        let events = rows.and_then(|rows| rows::events(model, &rows)).map_err(part(&key))?;
        sampled.events.extend(events);
    }
    sampled.events.sort_by_key(|event| (event.ts, event.request_id));
    Ok(sampled)
}

/// Show the ids of the events in the hours of `[from, to)`, one by one and in no order; nothing is kept of them.
///
/// # Errors
/// The store; a part that is not one.
pub fn read_ids(
    store: &dyn Store,
    model: &ModelName,
    from: Timestamp,
    to: Timestamp,
    mut see: impl FnMut(Uuid),
) -> Result<(), LogError> {
    for key in parts_between(store, model, PartKind::Events, from, to)? {
        let rows = Rows::decode_columns(store.read(&key)?, &rows::ID).map_err(part(&key))?;
        rows.each(|batch, place| rows::request_id(batch, place).map(&mut see)).map_err(part(&key))?;
    }
    Ok(())
}

/// How many events a part has in each minute, from its footer alone.
///
/// # Errors
/// The store; a part that is not one.
pub fn requests_of(store: &dyn Store, key: &Key) -> Result<BTreeMap<Timestamp, u64>, LogError> {
    let stored = Stored { store, key, length: store.len(key)? };
    let footer =
        ParquetMetaDataReader::new().parse_and_finish(&stored).map_err(|error| part(key)(error.to_string()))?;
    let notes = columns::notes(footer.file_metadata().key_value_metadata());
    let requests = notes.get(REQUESTS).ok_or_else(|| part(key)(format!("it has no note `{REQUESTS}`")))?;
    serde_json::from_str(requests).map_err(|error| part(key)(error.to_string()))
}

/// A part as the Parquet reader wants it: by ranges.
struct Stored<'a> {
    store: &'a dyn Store,
    key: &'a Key,
    length: u64,
}

impl Length for Stored<'_> {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Stored<'_> {
    type T = std::io::Cursor<Vec<u8>>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        let rest = usize::try_from(self.length.saturating_sub(start)).unwrap_or(usize::MAX);
        Ok(std::io::Cursor::new(self.get_bytes(start, rest)?.to_vec()))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<bytes::Bytes> {
        let read = self.store.read_range(self.key, start, length);
        read.map(bytes::Bytes::from).map_err(|error| parquet::errors::ParquetError::General(error.to_string()))
    }
}
