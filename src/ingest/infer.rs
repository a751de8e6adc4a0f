//! Drafts a schema from a file for a person to edit; pure over any `Read`. What it saw becomes comments, never rules: a world
//! that drifts leaves its extremes at once.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;

use super::IngestError;
use super::domain::{ColumnType, Domain, Range, Rule, is_missing};
use super::reader::Source;
use super::record::{Record, Records};
use super::rejection::{Rejection, Told};
use super::schema::{RawColumn, RawSchema};
use crate::types::ModelName;
use crate::yaml;

/// Text of at most so many different words is drafted as a category: more is no list that a person would read.
const MOST_WORDS: usize = 20;
const SCHEMA_PATH: &str = "../schemas/json/schema.json";
const ANY: Range = Range { min: f64::NEG_INFINITY, max: f64::INFINITY };

/// The text of a draft of `schemas/<name>.yaml` for this file.
///
/// # Errors
/// `Rejected` when lines cannot be read or have other cells than the header; `Read`.
pub fn infer_schema<R: Read>(source: Source<R>, name: &ModelName) -> Result<String, IngestError> {
    let Source { name: file, bytes } = source;
    let failed = |error| IngestError::Read { path: file.clone().into(), source: error };
    let mut records = Records::of(bytes);
    let mut rejection = Rejection::of(&file);
    let mut columns: Vec<Seen> = Vec::new();
    while let Some(Record { line, cells }) = records.next().map_err(failed)? {
        match cells {
            Ok(cells) if line == 1 => columns = cells.iter().map(Seen::new).collect(),
            Ok(cells) if cells.len() == columns.len() => {
                rejection.rows += 1;
                columns.iter_mut().zip(cells.iter()).for_each(|(column, cell)| column.see(line, cell));
            }
            Ok(cells) => {
                let detail = format!("the line has {} cells, the header {}", cells.len(), columns.len());
                rejection.add(line, Rule::CellCount, || Told { column: None, value: None, detail });
            }
            Err(why) => {
                let detail = format!("the line {why}");
                rejection.add(line, Rule::Unreadable, || Told { column: None, value: None, detail });
            }
        }
    }
    if rejection.rows == 0 {
        let detail = "a draft needs a header and rows".to_owned();
        rejection.add(1, Rule::NoRows, || Told { column: None, value: None, detail });
    }
    if rejection.total() > 0 {
        return Err(IngestError::Rejected(Box::new(rejection)));
    }
    draft(name, rejection.rows, &columns)
}

fn draft(name: &ModelName, rows: u64, columns: &[Seen]) -> Result<String, IngestError> {
    let head = RawSchema { schema: name.clone(), description: String::new(), columns: Vec::new() };
    let head = yaml::print_with_schema_line(SCHEMA_PATH, &head)?;
    let mut text = head.replace("columns: []\n", "");
    text += &format!(
        "# Drafted from {rows} rows. Comments tell what was seen; a rule is only what you declare.\ncolumns:\n"
    );
    for column in columns {
        let (raw, remarks) = column.guess();
        for remark in remarks {
            text += &format!("# {remark}\n");
        }
        text += &yaml::print(&[raw])?;
    }
    Ok(text)
}

/// What was seen of one column.
struct Seen {
    name: String,
    missing: u64,
    first_missing: u64,
    /// The types that every cell so far can be read as, the narrowest first.
    fits: Vec<(ColumnType, Domain)>,
    /// The different words, until there are too many.
    words: BTreeSet<String>,
    /// The hashes of all cells, until one comes twice.
    unique: Option<BTreeSet<u64>>,
    numbers: Option<(f64, f64)>,
    texts: Option<(String, String)>,
    /// Whether every cell so far was larger than all before; days and instants are ordered as their texts are.
    rising: bool,
}

impl Seen {
    fn new(name: &str) -> Self {
        let fits = [
            (ColumnType::Boolean, Domain::Boolean),
            (ColumnType::Integer, Domain::Integer(ANY)),
            (ColumnType::Float, Domain::Float(ANY)),
            (ColumnType::Date, Domain::Date),
            (ColumnType::Timestamp, Domain::Timestamp),
        ];
        Seen {
            name: name.to_owned(),
            missing: 0,
            first_missing: 0,
            fits: fits.into(),
            words: BTreeSet::new(),
            unique: Some(BTreeSet::new()),
            numbers: None,
            texts: None,
            rising: true,
        }
    }

    fn see(&mut self, line: u64, cell: &str) {
        if is_missing(cell) {
            self.missing += 1;
            if self.missing == 1 {
                self.first_missing = line;
            }
            return;
        }
        self.fits.retain(|(_, domain)| domain.read(cell).is_ok());
        if self.words.len() <= MOST_WORDS && !self.words.contains(cell) {
            self.words.insert(cell.to_owned());
        }
        let mut hasher = DefaultHasher::new();
        cell.hash(&mut hasher);
        if self.unique.as_mut().is_some_and(|seen| !seen.insert(hasher.finish())) {
            self.unique = None;
        }
        if let Ok(number) = cell.parse::<f64>() {
            self.rising &= self.numbers.is_none_or(|(_, most)| number > most);
            let (least, most) = self.numbers.unwrap_or((number, number));
            self.numbers = Some((least.min(number), most.max(number)));
        } else {
            self.rising &= self.texts.as_ref().is_none_or(|(_, most)| cell > most.as_str());
            let (least, most) = self.texts.take().unwrap_or_else(|| (cell.to_owned(), cell.to_owned()));
            let least = if cell < least.as_str() { cell.to_owned() } else { least };
            let most = if cell > most.as_str() { cell.to_owned() } else { most };
            self.texts = Some((least, most));
        }
    }

    /// The column as drafted, and remarks for the person who edits it.
    fn guess(&self) -> (RawColumn, Vec<String>) {
        let mut remarks = Vec::new();
        let seen = !self.words.is_empty();
        let kind = match self.fits.first() {
            Some((kind, _)) if seen => *kind,
            None if self.words.len() <= MOST_WORDS && self.unique.is_none() => ColumnType::Category,
            Some(_) | None => ColumnType::Id,
        };
        match (kind, self.numbers, &self.texts) {
            (ColumnType::Integer | ColumnType::Float, Some((least, most)), _) => {
                remarks.push(format!("seen: {least} to {most}"));
            }
            (ColumnType::Date | ColumnType::Timestamp, _, Some((least, most))) => {
                remarks.push(format!("seen: {least} to {most}"));
            }
            (ColumnType::Category, _, _) => {
                remarks.push("put the values in order if they have one".to_owned());
            }
            (ColumnType::Id, _, _) if !seen => remarks.push("no value was seen: say what it is".to_owned()),
            (ColumnType::Id, _, _) if self.unique.is_none() => {
                remarks.push(format!("text of more than {MOST_WORDS} different values, some of them twice"));
            }
            (_, _, _) => {}
        }
        let time = matches!(kind, ColumnType::Integer | ColumnType::Date | ColumnType::Timestamp);
        if time && self.rising && self.missing == 0 {
            remarks.push("every value is larger than the one before; if it must be: increasing: true".to_owned());
        }
        if self.missing > 0 {
            let (missing, line) = (self.missing, self.first_missing);
            remarks.push(format!("missing values: {missing}, the first in line {line}; ingestion will refuse them"));
        }
        let raw = RawColumn {
            name: self.name.clone(),
            kind,
            min: None,
            max: None,
            values: if kind == ColumnType::Category { self.words.iter().cloned().collect() } else { Vec::new() },
            unique: kind == ColumnType::Id && seen && self.unique.is_some(),
            increasing: false,
            description: String::new(),
        };
        (raw, remarks)
    }
}

#[cfg(test)]
mod tests;
