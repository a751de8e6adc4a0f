//! Counts as a Parquet part, one row for each bin that holds something, and a heartbeat in its footer; pure.

use std::collections::BTreeMap;

use arrow::array::UInt64Array;
use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::UInt64Type;

use super::{Counts, VersionCounts};
use crate::log::columns::{Fault, Rows, Table, instants, need, parsed, texts, wholes};
use crate::log::format_note;
use crate::types::{ReplicaName, Timestamp, Version};

/// What one flush of one replica says: counts by the start of their base window, and how far it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CountPart {
    /// Who says it.
    pub(super) replica: ReplicaName,
    /// Everything before this instant is sealed and counted.
    pub(super) watermark: Timestamp,
    /// Whether the replica says goodbye: nobody need wait for it.
    pub(super) closed: bool,
    /// The counts.
    pub(super) windows: BTreeMap<Timestamp, Counts>,
}

const REPLICA: &str = "regent.replica";
const WATERMARK: &str = "regent.watermark";
const CLOSED: &str = "regent.closed";

/// One row: so many in this bin.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    window_start: Timestamp,
    version: Option<Version>,
    kind: String,
    /// A code's name, or a feature's place in the contract.
    name: Option<String>,
    bin: Option<u32>,
    count: u64,
}

impl CountPart {
    pub(super) fn table(&self) -> Table {
        let rows = self.rows();
        let counts: UInt64Array = rows.iter().map(|row| Some(row.count)).collect();
        let columns: Vec<(&'static str, ArrayRef)> = vec![
            ("window_start", instants(rows.iter().map(|row| row.window_start))),
            ("model_version", texts(rows.iter().map(|row| row.version.map(|version| version.to_string())))),
            ("kind", texts(rows.iter().map(|row| Some(row.kind.clone())))),
            ("name", texts(rows.iter().map(|row| row.name.clone()))),
            ("bin", wholes(rows.iter().map(|row| row.bin))),
            ("count", std::sync::Arc::new(counts)),
        ];
        let notes = [
            format_note(),
            (REPLICA.to_owned(), self.replica.to_string()),
            (WATERMARK.to_owned(), self.watermark.to_string()),
            (CLOSED.to_owned(), self.closed.to_string()),
        ];
        Table { columns, notes: notes.into() }
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (start, counts) in &self.windows {
            let row = |version, kind: &str, name, bin, count| Row {
                window_start: *start,
                version,
                kind: kind.to_owned(),
                name,
                bin,
                count,
            };
            rows.push(row(None, "counted", None, None, counts.counted));
            rows.push(row(None, "valid", None, None, counts.valid));
            rows.push(row(None, "unrecorded", None, None, counts.unrecorded));
            rows.extend(counts.codes.iter().map(|(code, count)| row(None, "code", Some(code.clone()), None, *count)));
            for (version, seen) in &counts.versions {
                let version = Some(*version);
                rows.push(row(version, "rows", None, None, seen.rows));
                rows.push(row(version, "dropped", None, None, seen.dropped));
                let features = seen.features.iter().enumerate().map(|(place, bins)| ("feature", Some(place), bins));
                let others = [("prediction", None, &seen.prediction), ("latency", None, &seen.latency)];
                for (kind, place, bins) in features.chain(others) {
                    let place: Option<String> = place.map(|place| place.to_string());
                    rows.extend(held(bins).map(|(bin, count)| row(version, kind, place.clone(), Some(bin), count)));
                }
            }
        }
        rows
    }

    pub(super) fn read(rows: &Rows) -> Result<CountPart, Fault> {
        let note = |name: &str| need(name, rows.notes.get(name)).map(String::as_str);
        let mut part = CountPart {
            replica: parsed(REPLICA, note(REPLICA)?)?,
            watermark: parsed(WATERMARK, note(WATERMARK)?)?,
            closed: parsed(CLOSED, note(CLOSED)?)?,
            windows: BTreeMap::new(),
        };
        let found = rows.each(|batch, place| {
            let counts = batch.column("count", place)?;
            let counts = need("count", counts.and_then(|counts| counts.as_primitive_opt::<UInt64Type>()))?;
            let version = batch.text("model_version", place)?.map(|version| parsed("model_version", version));
            Ok(Row {
                window_start: batch.instant("window_start", place)?,
                version: version.transpose()?,
                kind: need("kind", batch.text("kind", place)?)?.to_owned(),
                name: batch.text("name", place)?.map(str::to_owned),
                bin: batch.whole("bin", place)?,
                count: counts.value(place),
            })
        })?;
        found.into_iter().try_for_each(|row| part.add(row))?;
        Ok(part)
    }

    fn add(&mut self, row: Row) -> Result<(), Fault> {
        let counts = self.windows.entry(row.window_start).or_default();
        let Some(version) = row.version else {
            match row.kind.as_str() {
                "counted" => counts.counted += row.count,
                "valid" => counts.valid += row.count,
                "unrecorded" => counts.unrecorded += row.count,
                "code" => *counts.codes.entry(need("name", row.name)?).or_default() += row.count,
                _ => return Err("`kind` holds what it cannot hold".to_owned()),
            }
            return Ok(());
        };
        counts.versions.entry(version).or_default().add_row(row)
    }
}

impl VersionCounts {
    fn add_row(&mut self, row: Row) -> Result<(), Fault> {
        match row.kind.as_str() {
            "rows" => self.rows += row.count,
            "dropped" => self.dropped += row.count,
            "prediction" => *place(&mut self.prediction, row.bin)? += row.count,
            "latency" => *place(&mut self.latency, row.bin)? += row.count,
            "feature" => {
                let feature = parsed("name", &need("name", row.name)?)?;
                *place(place(&mut self.features, Some(feature))?, row.bin)? += row.count;
            }
            _ => return Err("`kind` holds what it cannot hold".to_owned()),
        }
        Ok(())
    }
}

/// A place in a list that grows to have it, within what any contract or histogram has.
fn place<T: Clone + Default>(list: &mut Vec<T>, at: Option<u32>) -> Result<&mut T, Fault> {
    let at = u16::try_from(need("bin", at)?).map_err(|_| "`bin` is too large".to_owned())?;
    let at = usize::from(at);
    if list.len() <= at {
        list.resize(at + 1, T::default());
    }
    need("bin", list.get_mut(at))
}

/// The bins that hold something, and the last one in any case, so that a reader knows how many there are.
fn held(bins: &[u64]) -> impl Iterator<Item = (u32, u64)> + '_ {
    let last = bins.len().saturating_sub(1);
    (0_u32..).zip(bins.iter().copied()).filter(move |(bin, count)| *count > 0 || *bin as usize == last)
}
