//! A window of time, closed at its start and open at its end; pure.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{Span, Timestamp};

/// `[start, start + size)`, aligned to whole multiples of its size from the start of Unix time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The first instant of the window.
    pub start: Timestamp,
    /// How long it is.
    pub size: Span,
}

impl Window {
    /// The window of this size that holds an instant.
    pub fn holding(at: Timestamp, size: Span) -> Self {
        Window { start: at.floor(size), size }
    }

    /// The first instant after the window.
    pub fn end(self) -> Timestamp {
        self.start + self.size
    }

    /// Whether an instant lies in the window.
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end()
    }

    /// The window after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Window { start: self.end(), size: self.size }
    }

    /// The windows of a smaller size that make up this one, in order.
    pub fn split(self, size: Span) -> impl Iterator<Item = Window> {
        let first = Window::holding(self.start, size);
        std::iter::successors(Some(first), |window| Some(window.next()))
            .take_while(move |window| window.start < self.end())
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {}", self.start, self.size)
    }
}
