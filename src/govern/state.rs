//! The states of a version and the one road between them; pure. A step that is not in the table cannot be taken.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{Digest, Version};

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Its plan is pinned; its bundle is being made.
    Training,
    /// It scores live traffic after the answers are sent.
    Shadowing,
    /// Every gate passes; it waits for one more judged window.
    Promotable,
    /// It serves: the champion.
    Promoted,
    /// A gate failed, it was superseded, or a person said no. An end.
    Rejected,
    /// It served until another was promoted; it may come back by a rollback.
    Retired,
    /// It served and was taken back. An end.
    RolledBack,
}

/// One step of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    /// Whose step it is.
    pub version: Version,
    /// The digest of its manifest; none while it has no bundle.
    pub bundle: Option<Digest>,
    /// Where it stood; none for a new version.
    pub from: Option<State>,
    /// Where it stands now.
    pub to: State,
    /// Why.
    pub reasons: Vec<String>,
}

/// Every step there is (promise P3). `RETIRED → PROMOTED` exists only beside a `PROMOTED → ROLLED_BACK`.
pub const ROAD: [(Option<State>, State); 11] = [
    (None, State::Training),
    (Some(State::Training), State::Shadowing),
    (Some(State::Shadowing), State::Promotable),
    (Some(State::Promotable), State::Shadowing),
    (Some(State::Promotable), State::Promoted),
    (Some(State::Training), State::Rejected),
    (Some(State::Shadowing), State::Rejected),
    (Some(State::Promotable), State::Rejected),
    (Some(State::Promoted), State::Retired),
    (Some(State::Promoted), State::RolledBack),
    (Some(State::Retired), State::Promoted),
];

impl State {
    /// Whether a version in this state is walking towards PROMOTED.
    pub fn is_candidate(self) -> bool {
        match self {
            State::Training | State::Shadowing | State::Promotable => true,
            State::Promoted | State::Rejected | State::Retired | State::RolledBack => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            State::Training => "TRAINING",
            State::Shadowing => "SHADOWING",
            State::Promotable => "PROMOTABLE",
            State::Promoted => "PROMOTED",
            State::Rejected => "REJECTED",
            State::Retired => "RETIRED",
            State::RolledBack => "ROLLED_BACK",
        })
    }
}
