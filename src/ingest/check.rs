//! Every row of a source against its columns' rules; pure over any `Read`. One violation, and no row is handed on any more.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::mem;

use super::IngestError;
use super::domain::{Cell, Rule};
use super::reader::Source;
use super::record::{Cells, Record, Records};
use super::rejection::{Rejection, Told};
use super::schema::Column;
use crate::types::Digest;

/// A source that was read to its end without a violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How many rows it has.
    pub rows: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
}

/// Read all rows in one pass; `each` is given a row's cells in the order of `columns`. Memory does not grow with the source,
/// but for the hashes of `unique` columns: 8 bytes a row, and the slack of their tree.
///
/// What `each` did must be thrown away on an error: rows before the first violation were handed to it.
///
/// # Errors
/// `Rejected` with every violation; `Read`; whatever `each` fails with.
pub fn read_rows<R: Read>(
    source: Source<R>,
    columns: &[Column],
    mut each: impl FnMut(&[Cell<'_>]) -> Result<(), IngestError>,
) -> Result<Summary, IngestError> {
    let Source { name, bytes } = source;
    let failed = |error| IngestError::Read { path: name.clone().into(), source: error };
    let mut records = Records::of(bytes);
    let mut rejection = Rejection::of(&name);
    let mut rules: Vec<Rules<'_>> = columns.iter().map(Rules::of).collect();
    let header = match records.next().map_err(failed)? {
        Some(Record { cells: Ok(cells), .. }) => Header::read(&cells, columns, &mut rejection),
        Some(Record { cells: Err(why), .. }) => {
            rejection.add(1, Rule::Unreadable, || whole_line(format!("the line {why}")));
            return Err(IngestError::Rejected(Box::new(rejection)));
        }
        None => {
            rejection.add(1, Rule::Unreadable, || whole_line("the file is empty: it has no header".to_owned()));
            return Err(IngestError::Rejected(Box::new(rejection)));
        }
    };
    while let Some(record) = records.next().map_err(failed)? {
        rejection.rows += 1;
        if let Some(row) = header.row(&record, &mut rules, &mut rejection)
            && rejection.total() == 0
        {
            each(&row)?;
        }
    }
    if rejection.rows == 0 {
        rejection.add(1, Rule::NoRows, || whole_line("the file has a header and no rows".to_owned()));
    }
    if rejection.total() > 0 {
        return Err(IngestError::Rejected(Box::new(rejection)));
    }
    let (sha256, bytes) = records.finish();
    Ok(Summary { rows: rejection.rows, bytes, sha256 })
}

/// Where each declared column stands in the file.
struct Header {
    width: usize,
    /// For every declared column its place in a line; none for a column that is absent.
    places: Vec<Option<usize>>,
}

impl Header {
    fn read(cells: &Cells<'_>, columns: &[Column], rejection: &mut Rejection) -> Header {
        let mut found = BTreeMap::new();
        let told =
            |name: &str, detail: &str| Told { column: Some(name.to_owned()), value: None, detail: detail.to_owned() };
        for (place, cell) in cells.iter().enumerate() {
            if found.contains_key(cell) {
                rejection.add(1, Rule::RepeatedColumn, || told(cell, "the header names it twice"));
                continue;
            }
            found.insert(cell, place);
            if !columns.iter().any(|column| column.name() == cell) {
                rejection.add(1, Rule::ExtraColumn, || told(cell, "the schema does not declare it"));
            }
        }
        let places: Vec<_> = columns.iter().map(|column| found.get(column.name()).copied()).collect();
        for (column, _) in columns.iter().zip(&places).filter(|(_, place)| place.is_none()) {
            rejection.add(1, Rule::AbsentColumn, || told(column.name(), "the header does not have it"));
        }
        Header { width: cells.len(), places }
    }

    /// The cells of a line in the order of the declared columns; none if one of them breaks a rule.
    fn row<'a>(
        &self,
        record: &'a Record<'_>,
        rules: &mut [Rules<'_>],
        rejection: &mut Rejection,
    ) -> Option<Vec<Cell<'a>>> {
        let line = record.line;
        let cells = match &record.cells {
            Ok(cells) if cells.len() == self.width => cells,
            Ok(cells) => {
                rejection.add(line, Rule::CellCount, || {
                    whole_line(format!("the line has {} cells, the header {}", cells.len(), self.width))
                });
                return None;
            }
            Err(why) => {
                rejection.add(line, Rule::Unreadable, || whole_line(format!("the line {why}")));
                return None;
            }
        };
        let mut row = Vec::with_capacity(rules.len());
        for (rules, place) in rules.iter_mut().zip(&self.places) {
            let Some(cell) = place.and_then(|place| cells.get(place)) else {
                continue;
            };
            match rules.admit(cell) {
                Ok(read) => row.push(read),
                Err(rule) => rejection.add(line, rule, || rules.told(rule, cell)),
            }
        }
        (row.len() == rules.len()).then_some(row)
    }
}

/// One column's rules and what they need to remember.
struct Rules<'c> {
    column: &'c Column,
    /// Hashes, not values: among a million values two share one by chance once in 37 million files.
    seen: BTreeSet<u64>,
    last: Option<Cell<'static>>,
}

impl<'c> Rules<'c> {
    fn of(column: &'c Column) -> Self {
        Rules { column, seen: BTreeSet::new(), last: None }
    }

    fn admit<'a>(&mut self, text: &'a str) -> Result<Cell<'a>, Rule> {
        let cell = self.column.domain().read(text)?;
        if self.column.unique() && !self.seen.insert(hash(&cell)) {
            return Err(Rule::Unique);
        }
        if self.column.increasing() {
            let before = mem::replace(&mut self.last, cell.detached());
            if before.is_some_and(|before| !cell.is_above(&before)) {
                return Err(Rule::Increasing);
            }
        }
        Ok(cell)
    }

    fn told(&self, rule: Rule, cell: &str) -> Told {
        let wants = self.column.domain().wants();
        let detail = match rule {
            Rule::Missing if cell.is_empty() => format!("missing value: must be {wants}"),
            Rule::Missing => format!("means a missing value: must be {wants}"),
            Rule::Unique => "stands in an earlier line too: must be unique".to_owned(),
            Rule::Increasing => "is not larger than the value before: must increase".to_owned(),
            Rule::Type
            | Rule::Finite
            | Rule::Min
            | Rule::Max
            | Rule::Values
            | Rule::ExtraColumn
            | Rule::AbsentColumn
            | Rule::RepeatedColumn
            | Rule::CellCount
            | Rule::Unreadable
            | Rule::NoRows => format!("must be {wants}"),
        };
        let value = (!cell.is_empty()).then(|| cell.to_owned());
        Told { column: Some(self.column.name().to_owned()), value, detail }
    }
}

fn whole_line(detail: String) -> Told {
    Told { column: None, value: None, detail }
}

/// The hash of a cell's value, not of its spelling; the same in every run.
fn hash(cell: &Cell<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match cell {
        Cell::Integer(whole) => whole.hash(&mut hasher),
        // One zero: -0 and 0 are the same value.
        Cell::Float(number) => (number + 0.0).to_bits().hash(&mut hasher),
        Cell::Boolean(yes) => yes.hash(&mut hasher),
        Cell::Category(place) => place.hash(&mut hasher),
        Cell::Date(days) => days.hash(&mut hasher),
        Cell::Timestamp(at) => at.hash(&mut hasher),
        Cell::Id(text) => text.hash(&mut hasher),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
