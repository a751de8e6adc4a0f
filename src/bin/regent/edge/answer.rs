//! What a command answers: text for people and the same as JSON for programs; pure.

use serde::Serialize;
use serde_json::Value;

use super::{Exit, Failure};

/// An answer. It goes to stdout; the hint on what to do next is a message and goes to stderr.
#[derive(Debug)]
pub struct Answer {
    pub(super) text: String,
    pub(super) value: Value,
    pub(super) next: Option<String>,
    pub(super) exit: Exit,
}

impl Answer {
    /// The same answer twice: in words, and as a value whose keys are an interface.
    ///
    /// # Errors
    /// A value that JSON cannot hold: a defect.
    pub fn new(text: impl Into<String>, value: &impl Serialize) -> Result<Answer, Failure> {
        let value =
            serde_json::to_value(value).map_err(|error| Failure::internal("print the answer as JSON", error))?;
        Ok(Answer { text: text.into(), value, next: None, exit: Exit::Done })
    }

    /// Say what to do next.
    #[must_use]
    pub fn next(mut self, hint: impl Into<String>) -> Answer {
        self.next = Some(hint.into());
        self
    }

    /// End with this code.
    #[must_use]
    pub fn ending(mut self, exit: Exit) -> Answer {
        self.exit = exit;
        self
    }
}
