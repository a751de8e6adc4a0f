//! The head of a journal: one line to keep elsewhere, so that a journal that was cut is found; pure but for reading the newest entry through the store.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::AuditError;
use crate::govern::journal;
use crate::store::Store;
use crate::types::{Digest, ModelName};

/// A journal's newest entry: `rain 12 <sha256>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The model.
    pub model: ModelName,
    /// The number of its newest entry.
    pub seq: u64,
    /// That entry's SHA-256.
    pub sha256: Digest,
}

/// A line that is no head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a head: write `<model> <entry> <sha256>`, as `regent journal head` prints it")]
pub struct HeadError {
    /// The line.
    pub given: String,
}

impl Head {
    /// Every head of a text, a line each; empty lines are left out.
    ///
    /// # Errors
    /// The first line that is no head.
    pub fn all(text: &str) -> Result<Vec<Head>, HeadError> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::parse).collect()
    }
}

/// The head of a model's journal; none while nothing was decided.
///
/// # Errors
/// A journal that cannot be followed.
pub fn head(store: &dyn Store, model: &ModelName) -> Result<Option<Head>, AuditError> {
    let newest = journal::read(store, model)?.pop();
    Ok(newest.map(|(entry, sha256)| Head { model: model.clone(), seq: entry.seq, sha256 }))
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.model, self.seq, self.sha256)
    }
}

impl FromStr for Head {
    type Err = HeadError;

    fn from_str(given: &str) -> Result<Self, HeadError> {
        let error = || HeadError { given: given.to_owned() };
        let mut words = given.split_whitespace();
        let mut word = || words.next().ok_or_else(error);
        let model = word()?.parse().map_err(|_| error())?;
        let seq = word()?.parse().map_err(|_| error())?;
        let sha256 = word()?.parse().map_err(|_| error())?;
        match words.next() {
            None => Ok(Head { model, seq, sha256 }),
            Some(_) => Err(error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_printed() {
        let head = Head { model: "rain".parse().unwrap(), seq: 12, sha256: Digest::of("entry") };
        assert_eq!(head.to_string().parse(), Ok(head.clone()));
        assert_eq!(Head::all(&format!("{head}\n\n{head}\n")).unwrap().len(), 2);
        for bad in ["", "rain", "rain 12", "rain x y", &format!("{head} more")] {
            assert!(bad.parse::<Head>().is_err(), "{bad:?} was taken");
        }
    }
}
