//! What a sample of a column's cells looks like, and so how the column is best read; pure.

use super::super::domain::{Domain, is_missing};
use super::number::finite;

/// How a column looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guess {
    /// Numbers.
    Number,
    /// Words.
    Word,
    /// Nothing but 0 and 1, or true and false.
    Flag,
    /// Days or instants.
    Time,
    /// No cell of the sample has a value.
    Empty,
    /// Of a type that nobody compares.
    Other(String),
}

/// A column as a sample of its cells shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Peeked {
    /// The column.
    pub name: String,
    /// The finite numbers of the sample.
    pub numbers: Vec<f64>,
    present: usize,
    flags: usize,
    times: usize,
    declared: Option<Guess>,
}

impl Peeked {
    pub(super) fn new(name: &str) -> Peeked {
        let name = name.to_owned();
        Peeked { name, numbers: Vec::new(), present: 0, flags: 0, times: 0, declared: None }
    }

    /// The file itself says what the column is.
    pub(super) fn declare(&mut self, guess: Guess) {
        self.declared = Some(guess);
    }

    pub(super) fn see(&mut self, cell: &str) {
        if is_missing(cell) {
            return;
        }
        // A column is of times only if every cell is one.
        if self.times == self.present && cell.get(..10).is_some_and(|day| Domain::Date.read(day).is_ok()) {
            self.times += 1;
        }
        self.present += 1;
        self.flags += usize::from(matches!(cell, "0" | "1" | "true" | "false"));
        self.numbers.extend(finite(cell));
    }

    pub(super) fn see_number(&mut self, number: f64) {
        self.present += usize::from(!number.is_nan());
        self.flags += usize::from(number == 0.0 || number == 1.0);
        self.numbers.extend(Some(number).filter(|number| number.is_finite()));
    }

    /// How the column looks. Nine cells of ten must be numbers: a few slips do not make words of a column of numbers, they are
    /// counted as what they are.
    pub fn guess(&self) -> Guess {
        match &self.declared {
            Some(guess) => guess.clone(),
            None if self.present == 0 => Guess::Empty,
            None if self.times == self.present => Guess::Time,
            None if self.flags == self.present => Guess::Flag,
            None if self.numbers.len() * 10 >= self.present * 9 => Guess::Number,
            None => Guess::Word,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_what_its_cells_are() {
        let guess = |cells: &[&str]| {
            let mut column = Peeked::new("c");
            cells.iter().for_each(|cell| column.see(cell));
            column.guess()
        };
        assert_eq!(guess(&["1", "2.5", "", "NA", "-3"]), Guess::Number);
        assert_eq!(guess(&["1", "0", "", "1"]), Guess::Flag);
        assert_eq!(guess(&["true", "false"]), Guess::Flag);
        assert_eq!(guess(&["a", "1"]), Guess::Word);
        assert_eq!(guess(&["2026-11-21", "2026-11-22 10:00:00", "2026-11-21T10:00:00Z"]), Guess::Time);
        assert_eq!(guess(&["", "NaN"]), Guess::Empty);
        assert_eq!(guess(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "ten"]), Guess::Number);
    }
}
