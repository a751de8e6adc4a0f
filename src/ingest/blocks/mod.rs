//! Files of any rows as blocks of columns, for those who only count; pure over bytes. Cells that are not there or cannot be read are
//! kept as that; what is not a table at all is refused with its lines.

mod cell;
mod chunks;
mod columnar;
mod number;
mod peek;
mod table;
mod text;
mod words;

pub use peek::{Guess, Peeked};
pub use table::Table;
pub use words::{MISSING, OTHER, Words};

/// How a column is to be read.
#[derive(Debug, Clone, PartialEq)]
pub enum Reads {
    /// As numbers.
    Numbers,
    /// As words, beginning with a table of those that are known.
    Words(Words),
    /// Not at all.
    Nothing,
}

/// Some rows, column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// How many rows.
    pub rows: usize,
    /// One entry for each column of the file.
    pub columns: Vec<Cells>,
}

/// The cells of a column in a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// One number a row: NaN where there is none, infinite where the cell is no finite number.
    Numbers {
        /// The numbers.
        values: Vec<f64>,
        /// Whether one of them is not finite.
        gaps: bool,
    },
    /// One word a row.
    Words {
        /// All words so far.
        words: Words,
        /// Their codes in that table, or [`MISSING`] or [`OTHER`].
        codes: Vec<u32>,
    },
    /// The column is not read.
    Nothing,
}

impl Block {
    fn of(reads: Vec<Reads>) -> Block {
        let empty = |reads| match reads {
            Reads::Numbers => Cells::Numbers { values: Vec::new(), gaps: false },
            Reads::Words(words) => Cells::Words { words, codes: Vec::new() },
            Reads::Nothing => Cells::Nothing,
        };
        Block { rows: 0, columns: reads.into_iter().map(empty).collect() }
    }

    fn clear(&mut self) {
        self.truncate(0);
        for column in &mut self.columns {
            if let Cells::Numbers { gaps, .. } = column {
                *gaps = false;
            }
        }
    }

    /// Keep the first rows; a row that broke off leaves nothing.
    fn truncate(&mut self, rows: usize) {
        self.rows = rows;
        for column in &mut self.columns {
            match column {
                Cells::Numbers { values, .. } => values.truncate(rows),
                Cells::Words { codes, .. } => codes.truncate(rows),
                Cells::Nothing => {}
            }
        }
    }

    /// The tables of words that were found.
    fn tables(self) -> Vec<Option<Words>> {
        let table = |column| match column {
            Cells::Words { words, .. } => Some(words),
            Cells::Numbers { .. } | Cells::Nothing => None,
        };
        self.columns.into_iter().map(table).collect()
    }
}
