//! Files of what a model elsewhere has answered: CSV, JSON lines or Parquet, told apart by their first bytes; pure over bytes.
//! Every faulty row is counted and the first are named, by line and field, never by value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;

use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use uuid::Uuid;

use super::LogError;
use crate::contract::{Code, Contract, Given, Violation};
use crate::ingest::Domain;
use crate::serve::{Column, Inference, Seen, Sent, ToldInference, When, inference, parse_id, spelled};
use crate::types::Timestamp;

/// How many faults are named: a screenful. All are counted.
const SHOWN: usize = 20;

/// One way in which a row of a file is not an answer. It never holds a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The line in the file, or the row of a Parquet file; from 1.
    pub line: u64,
    /// The field, and what is wrong with it.
    pub what: String,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Read every row of a file under a contract and hand it on; returns how many there are. After the first faulty row no other is
/// handed on, and what was done with those before must be thrown away.
///
/// A table has the columns `request_id`, `prediction`, perhaps `at` and `label`, and the features by their names; a line of JSON
/// has the members of a body of `/api/v1/inferences`.
///
/// # Errors
/// `Inferences` with every fault counted.
pub fn read_inferences(
    contract: &Contract,
    file: &[u8],
    now: Timestamp,
    each: impl FnMut(Inference),
) -> Result<u64, LogError> {
    let mut reading = Reading { contract, now, each, seen: BTreeSet::new(), rows: 0, total: 0, faults: Vec::new() };
    match file {
        [b'P', b'A', b'R', b'1', ..] => reading.parquet(file),
        [b'{', ..] => reading.lines(file),
        _ => reading.csv(file),
    }
    if reading.rows == 0 && reading.total == 0 {
        reading.fault(1, "the file has no rows".to_owned());
    }
    match reading.total {
        0 => Ok(reading.rows),
        total => Err(LogError::Inferences { rows: reading.rows, total, faults: reading.faults }),
    }
}

struct Reading<'c, F> {
    contract: &'c Contract,
    now: Timestamp,
    each: F,
    seen: BTreeSet<Uuid>,
    rows: u64,
    total: u64,
    faults: Vec<RowFault>,
}

impl<F: FnMut(Inference)> Reading<'_, F> {
    fn fault(&mut self, line: u64, what: String) {
        self.total += 1;
        if self.faults.len() < SHOWN {
            self.faults.push(RowFault { line, what });
        }
    }

    fn refuse(&mut self, line: u64, violations: &[Violation]) {
        violations.iter().for_each(|violation| self.fault(line, violation.to_string()));
    }

    fn row(&mut self, line: u64, sent: Sent<'_>) {
        self.rows += 1;
        match inference(self.contract, sent, self.now) {
            Err(violations) => self.refuse(line, &violations),
            Ok(Inference { seen: Seen::Refused(refusal), .. }) => self.refuse(line, &refusal.violations),
            Ok(taken) if !self.seen.insert(taken.request_id) => {
                let detail = "stands in an earlier row too".to_owned();
                self.refuse(line, &[Violation { feature: "request_id".to_owned(), code: Code::Duplicate, detail }]);
            }
            Ok(taken) if self.total == 0 => (self.each)(taken),
            Ok(_) => {}
        }
    }

    fn lines(&mut self, file: &[u8]) {
        for (line, bytes) in (1..).zip(file.split(|byte| *byte == b'\n')) {
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            if bytes.is_empty() {
                continue;
            }
            let told = str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned());
            match told.and_then(ToldInference::line) {
                Ok(told) => self.row(line, told.sent()),
                Err(what) => {
                    self.rows += 1;
                    self.fault(line, what);
                }
            }
        }
    }

    fn csv(&mut self, file: &[u8]) {
        let mut reader = csv::ReaderBuilder::new().from_reader(file);
        let Ok(header) = reader.headers().cloned() else {
            return self.fault(1, "the header is not UTF-8".to_owned());
        };
        let Some(roles) = self.roles(header.iter()) else { return };
        let domains: BTreeMap<&str, &Domain> =
            self.contract.features().iter().map(|feature| (feature.name.as_str(), &feature.domain)).collect();
        let mut record = csv::StringRecord::new();
        loop {
            let line = reader.position().line();
            match reader.read_record(&mut record) {
                Ok(false) => return,
                Ok(true) => {
                    let cells = record.iter().zip(&roles).zip(header.iter());
                    let cells =
                        cells.map(|((cell, role), name)| (*role, name, spelled(domains.get(name).copied(), cell)));
                    self.row(line, flat(cells));
                }
                Err(_) => {
                    self.rows += 1;
                    self.fault(line, "it has another number of cells than the header, or is not UTF-8".to_owned());
                }
            }
        }
    }

    fn parquet(&mut self, file: &[u8]) {
        if let ControlFlow::Break(what) = self.batches(file) {
            self.fault(self.rows + 1, what);
        }
    }

    /// Every row of a Parquet file, or why it cannot be read on.
    fn batches(&mut self, file: &[u8]) -> ControlFlow<String> {
        let broken = |_| ControlFlow::Break("the file is not Parquet, or is cut".to_owned());
        let reader = match ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(file)) {
            Ok(reader) => reader,
            Err(error) => return broken(error),
        };
        let names: Vec<String> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
        let Some(roles) = self.roles(names.iter().map(String::as_str)) else { return ControlFlow::Continue(()) };
        let batches = match reader.build() {
            Ok(batches) => batches,
            Err(error) => return broken(error),
        };
        for batch in batches {
            let Ok(batch) = batch else { return ControlFlow::Break("the file is cut or damaged".to_owned()) };
            let columns: Vec<Column> = batch.columns().iter().map(Column::of).collect();
            for place in 0..batch.num_rows() {
                let cells = columns.iter().zip(&roles).zip(&names);
                let cells = cells.map(|((column, role), name)| (*role, name.as_str(), column.given(place)));
                let mut sent = flat(cells);
                if let Some(at) = columns.iter().zip(&roles).find_map(|(column, role)| instant(column, *role, place)) {
                    sent.at = When::At(at);
                }
                self.row(self.rows + 1, sent);
            }
        }
        ControlFlow::Continue(())
    }

    /// What each column of a table is; none, and the fault told, if a name is there twice or not at all.
    fn roles<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> Option<Vec<Role>> {
        let mut seen = BTreeSet::new();
        let mut roles = Vec::new();
        for name in names {
            if !seen.insert(name) {
                self.fault(1, format!("the header names `{name}` twice"));
                return None;
            }
            roles.push(Role::of(name));
        }
        for needed in ["request_id", "prediction"] {
            if !seen.contains(needed) {
                self.fault(1, format!("there is no column `{needed}`"));
                return None;
            }
        }
        if let Some(clash) = self.contract.features().iter().find(|feature| Role::of(&feature.name) != Role::Feature) {
            let what =
                format!("the feature `{}` cannot be told from a column of its name: write lines of JSON", clash.name);
            self.fault(1, what);
            return None;
        }
        Some(roles)
    }
}

/// What a column of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    RequestId,
    At,
    Prediction,
    Label,
    Feature,
}

impl Role {
    fn of(name: &str) -> Role {
        match name {
            "request_id" => Role::RequestId,
            "at" => Role::At,
            "prediction" => Role::Prediction,
            "label" => Role::Label,
            _ => Role::Feature,
        }
    }
}

/// The cells of one row of a table as an answer.
fn flat<'a>(cells: impl Iterator<Item = (Role, &'a str, Given<'a>)>) -> Sent<'a> {
    let mut sent =
        Sent { request_id: None, at: When::Now, fields: Vec::new(), prediction: Given::Missing, label: None };
    for (role, name, given) in cells {
        match (role, given) {
            (Role::RequestId, Given::Text(id)) => sent.request_id = parse_id(id),
            (Role::RequestId, _) | (Role::At | Role::Label, Given::Missing) => {}
            (Role::At, Given::Text(at)) => sent.at = at.parse().map_or(When::Unreadable, When::At),
            (Role::At, _) => sent.at = When::Unreadable,
            (Role::Prediction, given) => sent.prediction = given,
            (Role::Label, given) => sent.label = Some(given),
            (Role::Feature, given) => sent.fields.push((name, given)),
        }
    }
    sent
}

/// The instant that a row was answered at, if this column says so.
fn instant(column: &Column, role: Role, place: usize) -> Option<Timestamp> {
    column.instant(place).filter(|_| role == Role::At)
}

#[cfg(test)]
mod tests;
