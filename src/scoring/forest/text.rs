//! The form of LightGBM's text, without its meaning: lines, and sections of unique `key=value` lines; pure.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::error::{ForestError, Place};

/// The part of the text that is still to be read.
pub(super) struct Rest<'a>(pub(super) &'a str);

impl<'a> Rest<'a> {
    /// The next line without its end, or `None` after the last.
    pub(super) fn line(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = self.0.split_once('\n').unwrap_or((self.0, ""));
        self.0 = rest;
        Some(line)
    }

    /// Read a line that can only be this one.
    pub(super) fn expect(&mut self, expected: &str) -> Result<(), ForestError> {
        match self.line() {
            Some(line) if line == expected => Ok(()),
            Some(line) => Err(ForestError::Unexpected { expected: format!("`{expected}`"), found: excerpt(line) }),
            None => Err(ForestError::Truncated { expected: format!("`{expected}`") }),
        }
    }

    /// The next `bytes` bytes; `None` when there are fewer or the last one cuts a character.
    pub(super) fn take(&mut self, bytes: usize) -> Option<&'a str> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }
}

/// `key=value` lines up to a blank one, each key known and unique. A bare `key` has an empty value.
pub(super) struct Section<'a> {
    place: Place,
    values: BTreeMap<&'a str, &'a str>,
}

impl<'a> Section<'a> {
    pub(super) fn read(rest: &mut Rest<'a>, place: Place, known: &[&str]) -> Result<Self, ForestError> {
        let mut values = BTreeMap::new();
        loop {
            let line = rest.line().ok_or_else(|| ForestError::Truncated { expected: format!("the end of {place}") })?;
            if line.is_empty() {
                return Ok(Self { place, values });
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            if !known.contains(&key) {
                return Err(ForestError::Unknown { place, key: excerpt(key) });
            }
            if values.insert(key, value).is_some() {
                return Err(ForestError::Duplicate { place, key: key.to_owned() });
            }
        }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn value(&self, key: &'static str) -> Result<&'a str, ForestError> {
        self.values.get(key).copied().ok_or(ForestError::Missing { place: self.place, key })
    }

    /// One number.
    pub(super) fn number<T: FromStr>(&self, key: &'static str) -> Result<T, ForestError> {
        self.parse(key, 0, self.value(key)?)
    }

    /// The words of a list; an empty value is the empty list.
    pub(super) fn words(&self, key: &'static str) -> Result<impl Iterator<Item = &'a str> + use<'a>, ForestError> {
        let value = self.value(key)?;
        Ok(value.split(' ').filter(move |_| !value.is_empty()))
    }

    /// A list of exactly this length.
    pub(super) fn list<T: FromStr>(&self, key: &'static str, expected: usize) -> Result<Vec<T>, ForestError> {
        let numbers = self
            .words(key)?
            .enumerate()
            .map(|(index, word)| self.parse(key, index, word))
            .collect::<Result<Vec<T>, _>>()?;
        self.length(key, numbers.len(), expected)?;
        Ok(numbers)
    }

    /// A list of exactly this length, of finite numbers.
    pub(super) fn finite(&self, key: &'static str, expected: usize) -> Result<Vec<f64>, ForestError> {
        let numbers: Vec<f64> = self.list(key, expected)?;
        match numbers.iter().position(|number| !number.is_finite()) {
            Some(index) => Err(ForestError::NotFinite { place: self.place, key, index }),
            None => Ok(numbers),
        }
    }

    pub(super) fn length(&self, key: &'static str, found: usize, expected: usize) -> Result<(), ForestError> {
        if found == expected {
            return Ok(());
        }
        Err(ForestError::Length { place: self.place, key, found, expected })
    }

    fn parse<T: FromStr>(&self, key: &'static str, index: usize, word: &str) -> Result<T, ForestError> {
        word.parse().map_err(|_| ForestError::NotANumber { place: self.place, key, index, found: excerpt(word) })
    }
}

/// The beginning of a line, short enough for a message.
pub(super) fn excerpt(line: &str) -> String {
    const SHOWN: usize = 60;
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
