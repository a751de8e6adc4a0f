//! One thing that is not as it was stored: the file, the journal entry that says so, and what; pure.

use std::fmt;

use serde::Serialize;

/// What is wrong with a file, in a word that programs may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Something names it, and it is not there.
    Missing,
    /// Its bytes are not the ones that were stored.
    Altered,
    /// Regent did not put it there.
    Stranger,
    /// It does not follow the entry before it.
    Chain,
    /// It takes a step that the road does not have.
    Road,
    /// The journal ends before a head that was kept elsewhere.
    Truncated,
    /// Its bytes are the ones that were stored, and this program cannot read them.
    Unreadable,
    /// It says something else than what it was made from.
    Contradiction,
    /// Decided or computed again from what is stored, it comes out otherwise.
    Differs,
}

/// One thing that is not as it was stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file, from the workspace's root.
    pub file: String,
    /// The first journal entry that names the file, or the entry that the file is; none if no entry names it.
    pub entry: Option<u64>,
    /// What is wrong, in a word.
    pub fault: Fault,
    /// What is wrong, in a sentence.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            Some(entry) => write!(f, "{} (entry {entry}): {}", self.file, self.what),
            None => write!(f, "{} (no entry): {}", self.file, self.what),
        }
    }
}
