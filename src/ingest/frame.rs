//! Rows held in memory column by column; pure.

use super::domain::{Cell, Domain};
use super::schema::Column;

/// Columns of equal length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frame {
    columns: Vec<FrameColumn>,
}

/// A column with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameColumn {
    /// The column.
    pub name: String,
    /// Its cells, one for each row.
    pub values: Values,
}

/// The cells of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Finite numbers.
    Floats(Vec<f64>),
    /// True or false.
    Booleans(Vec<bool>),
    /// Words.
    Categories {
        /// The words.
        table: Vec<String>,
        /// For each row the place of its word in the table.
        codes: Vec<u32>,
    },
    /// Days since 1970-01-01.
    Dates(Vec<i32>),
    /// Microseconds of Unix time.
    Timestamps(Vec<i64>),
    /// Texts.
    Ids(Vec<String>),
}

impl Frame {
    /// Columns of these types, without rows.
    pub fn of(columns: &[Column]) -> Self {
        let empty =
            |column: &Column| FrameColumn { name: column.name().to_owned(), values: Values::of(column.domain()) };
        Frame { columns: columns.iter().map(empty).collect() }
    }

    pub(super) fn from_columns(columns: Vec<FrameColumn>) -> Self {
        Frame { columns }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All columns, in their order.
    pub fn columns(&self) -> &[FrameColumn] {
        &self.columns
    }

    /// The cells of the column of this name.
    pub fn column(&self, name: &str) -> Option<&Values> {
        self.columns.iter().find(|column| column.name == name).map(|column| &column.values)
    }

    pub(super) fn columns_mut(&mut self) -> &mut [FrameColumn] {
        &mut self.columns
    }

    /// Add a row, one cell for each column.
    pub(super) fn push<'a>(&mut self, row: impl IntoIterator<Item = Cell<'a>>) {
        for (column, cell) in self.columns.iter_mut().zip(row) {
            column.values.push(cell);
        }
    }

    pub(super) fn clear(&mut self) {
        self.columns.iter_mut().for_each(|column| column.values.clear());
    }

    /// Add the rows of another frame.
    ///
    /// # Errors
    /// What differs, unless both have the same columns in the same order.
    pub(super) fn append(&mut self, other: Frame) -> Result<(), String> {
        if self.columns.len() != other.columns.len() {
            return Err(format!("it has {} columns, not {}", other.columns.len(), self.columns.len()));
        }
        for (mine, theirs) in self.columns.iter_mut().zip(other.columns) {
            if mine.name != theirs.name {
                return Err(format!("it has a column `{}` in place of `{}`", theirs.name, mine.name));
            }
            if !mine.values.append(theirs.values) {
                return Err(format!("its column `{}` is of another type", mine.name));
            }
        }
        Ok(())
    }

    /// The rows at these places, in this order; places beyond the end are left out.
    #[must_use]
    pub fn take(&self, places: &[usize]) -> Frame {
        let take = |column: &FrameColumn| FrameColumn { name: column.name.clone(), values: column.values.take(places) };
        Frame { columns: self.columns.iter().map(take).collect() }
    }
}

impl Values {
    fn of(domain: &Domain) -> Self {
        match domain {
            Domain::Integer(_) => Values::Integers(Vec::new()),
            Domain::Float(_) => Values::Floats(Vec::new()),
            Domain::Boolean => Values::Booleans(Vec::new()),
            Domain::Category(table) => Values::Categories { table: table.clone(), codes: Vec::new() },
            Domain::Date => Values::Dates(Vec::new()),
            Domain::Timestamp => Values::Timestamps(Vec::new()),
            Domain::Id => Values::Ids(Vec::new()),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Values::Integers(cells) | Values::Timestamps(cells) => cells.len(),
            Values::Floats(cells) => cells.len(),
            Values::Booleans(cells) => cells.len(),
            Values::Categories { codes, .. } => codes.len(),
            Values::Dates(cells) => cells.len(),
            Values::Ids(cells) => cells.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What orders the rows in time; nothing for a column that cannot.
    pub fn order(&self) -> Option<Vec<i64>> {
        match self {
            Values::Integers(cells) | Values::Timestamps(cells) => Some(cells.clone()),
            Values::Dates(days) => Some(days.iter().copied().map(i64::from).collect()),
            Values::Floats(_) | Values::Booleans(_) | Values::Categories { .. } | Values::Ids(_) => None,
        }
    }

    /// A cell of another type is left out; the column is then too short, which whoever writes it refuses.
    fn push(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (Values::Integers(cells), Cell::Integer(whole)) => cells.push(whole),
            (Values::Floats(cells), Cell::Float(number)) => cells.push(number),
            (Values::Booleans(cells), Cell::Boolean(yes)) => cells.push(yes),
            (Values::Categories { codes, .. }, Cell::Category(place)) => codes.extend(u32::try_from(place)),
            (Values::Dates(cells), Cell::Date(days)) => cells.push(days),
            (Values::Timestamps(cells), Cell::Timestamp(at)) => cells.push(at.micros()),
            (Values::Ids(cells), Cell::Id(text)) => cells.push(text.to_owned()),
            (_, _) => {}
        }
    }

    fn clear(&mut self) {
        match self {
            Values::Integers(cells) | Values::Timestamps(cells) => cells.clear(),
            Values::Floats(cells) => cells.clear(),
            Values::Booleans(cells) => cells.clear(),
            Values::Categories { codes, .. } => codes.clear(),
            Values::Dates(cells) => cells.clear(),
            Values::Ids(cells) => cells.clear(),
        }
    }

    /// Whether the other column had the same type and was added.
    fn append(&mut self, other: Values) -> bool {
        match (self, other) {
            (Values::Integers(mine), Values::Integers(theirs)) => mine.extend(theirs),
            (Values::Timestamps(mine), Values::Timestamps(theirs)) => mine.extend(theirs),
            (Values::Floats(mine), Values::Floats(theirs)) => mine.extend(theirs),
            (Values::Booleans(mine), Values::Booleans(theirs)) => mine.extend(theirs),
            (Values::Dates(mine), Values::Dates(theirs)) => mine.extend(theirs),
            (Values::Ids(mine), Values::Ids(theirs)) => mine.extend(theirs),
            (mine @ Values::Categories { .. }, Values::Categories { table, codes }) => {
                mine.append_words(&table, codes);
            }
            (_, _) => return false,
        }
        true
    }

    /// Add words whose codes stand for another table.
    pub(super) fn append_words<T: AsRef<str>>(&mut self, words: &[T], theirs: impl IntoIterator<Item = u32>) {
        let Values::Categories { table, codes } = self else {
            return;
        };
        let mut place = |word: &T| {
            let known = table.iter().position(|mine| mine == word.as_ref());
            let place = known.unwrap_or(table.len());
            if known.is_none() {
                table.push(word.as_ref().to_owned());
            }
            u32::try_from(place).unwrap_or(u32::MAX)
        };
        let places: Vec<u32> = words.iter().map(&mut place).collect();
        codes.extend(theirs.into_iter().filter_map(|code| places.get(code as usize)));
    }

    fn take(&self, places: &[usize]) -> Values {
        fn pick<T: Clone>(cells: &[T], places: &[usize]) -> Vec<T> {
            places.iter().filter_map(|&place| cells.get(place)).cloned().collect()
        }
        match self {
            Values::Integers(cells) => Values::Integers(pick(cells, places)),
            Values::Timestamps(cells) => Values::Timestamps(pick(cells, places)),
            Values::Floats(cells) => Values::Floats(pick(cells, places)),
            Values::Booleans(cells) => Values::Booleans(pick(cells, places)),
            Values::Categories { table, codes } => {
                Values::Categories { table: table.clone(), codes: pick(codes, places) }
            }
            Values::Dates(cells) => Values::Dates(pick(cells, places)),
            Values::Ids(cells) => Values::Ids(pick(cells, places)),
        }
    }
}
