//! The file that is replayed: every row as the text it came as, the request it becomes, and what came true; pure over any
//! `Read`.

use std::io::Read;
use std::ops::Range;

use serde_json::{Map, Value};

use crate::contract::{Contract, Given, encode_target};
use crate::ingest::{Cell, Column, Domain, IngestError, Source, read_rows};

/// A labelled file in the order of time.
pub struct Replay {
    header: String,
    lines: Vec<String>,
    features: Vec<Map<String, Value>>,
    labels: Vec<f64>,
}

impl Replay {
    /// Read a file, as strictly as ingestion does.
    ///
    /// # Errors
    /// As ingestion: every violation.
    pub fn read<R: Read>(source: Source<R>, contract: &Contract) -> Result<Replay, IngestError> {
        let columns = contract.columns();
        let names: Vec<&str> = columns.iter().map(Column::name).collect();
        let mut replay = Replay { header: line(&names), lines: Vec::new(), features: Vec::new(), labels: Vec::new() };
        read_rows(source, columns, |cells| {
            let mut words = Vec::with_capacity(cells.len());
            let mut features = Map::new();
            for (column, cell) in columns.iter().zip(cells) {
                words.push(text(cell, column.domain()));
                if contract.place(column.name()).is_some() {
                    features.insert(column.name().to_owned(), json(cell, column.domain()));
                }
                if column.name() == contract.target() {
                    let label = encode_target(contract, given(cell, &text(cell, column.domain())));
                    replay.labels.push(label.unwrap_or(f64::NAN));
                }
            }
            replay.lines.push(line(&words));
            replay.features.push(features);
            Ok(())
        })?;
        Ok(replay)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Rows as a CSV file of their own.
    pub fn csv(&self, rows: Range<usize>) -> Vec<u8> {
        let mut file = self.header.clone();
        file.extend(self.lines[rows].iter().map(String::as_str));
        file.into_bytes()
    }

    /// What is asked about a row.
    pub fn features(&self, row: usize) -> &Map<String, Value> {
        &self.features[row]
    }

    /// What came true of a row.
    pub fn label(&self, row: usize) -> f64 {
        self.labels[row]
    }

    /// The windows after the baseline: whole ones, and the rest if it is at least half of one.
    pub fn windows(&self, baseline: usize, per_window: usize) -> Vec<Range<usize>> {
        let starts = (baseline..self.len()).step_by(per_window.max(1));
        starts
            .map(|start| start..(start + per_window).min(self.len()))
            .filter(|rows| rows.len() * 2 >= per_window)
            .collect()
    }
}

fn line<T: AsRef<str>>(words: &[T]) -> String {
    let quoted = |word: &T| {
        let word = word.as_ref();
        let plain = !word.contains(['"', ',', '\n', '\r']);
        if plain { word.to_owned() } else { format!("\"{}\"", word.replace('"', "\"\"")) }
    };
    let mut line = words.iter().map(quoted).collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

fn text(cell: &Cell<'_>, domain: &Domain) -> String {
    match (cell, domain) {
        (Cell::Category(place), Domain::Category(values)) => values.get(*place).cloned().unwrap_or_default(),
        (cell, _) => cell.to_string(),
    }
}

fn json(cell: &Cell<'_>, domain: &Domain) -> Value {
    match cell {
        Cell::Integer(whole) => Value::from(*whole),
        Cell::Float(number) => Value::from(*number),
        Cell::Boolean(yes) => Value::from(*yes),
        Cell::Category(_) | Cell::Date(_) | Cell::Timestamp(_) | Cell::Id(_) => Value::from(text(cell, domain)),
    }
}

fn given<'a>(cell: &Cell<'_>, text: &'a str) -> Given<'a> {
    match cell {
        Cell::Integer(whole) => Given::Number(*whole as f64),
        Cell::Float(number) => Given::Number(*number),
        Cell::Boolean(yes) => Given::Bool(*yes),
        Cell::Category(_) | Cell::Date(_) | Cell::Timestamp(_) | Cell::Id(_) => Given::Text(text),
    }
}
