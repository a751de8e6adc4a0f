//! A part of a list; pure. Lists only grow at their end, so whoever follows `next` sees every item exactly once.

use std::str::FromStr;

use super::ConsoleError;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// So many items at most.
    pub limit: usize,
    /// The item before the first one, as `next` of an earlier answer named it; from the beginning if there is none.
    pub after: Option<String>,
}

impl Page {
    /// So many items are told when nobody says how many: a quarter of daily windows.
    pub const USUAL: usize = 100;
    /// No request gets more: its answer stays below some ten megabytes.
    pub const MOST: usize = 1_000;

    /// The whole list: for commands, which nobody else waits for.
    pub fn whole() -> Page {
        Page { limit: usize::MAX, after: None }
    }

    /// The item to go on after.
    pub(super) fn cursor<T: FromStr>(&self, wants: &'static str) -> Result<Option<T>, ConsoleError> {
        let parse = |after: &String| after.parse().map_err(|_| ConsoleError::Cursor { wants });
        self.after.as_ref().map(parse).transpose()
    }

    /// The first items, and the name of the last one if more follow it.
    pub(super) fn cut<T>(&self, mut items: Vec<T>, name: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
        if items.len() <= self.limit {
            return (items, None);
        }
        items.truncate(self.limit);
        let next = items.last().map(name);
        (items, next)
    }

    /// One more than is wanted: whoever finds it knows that there is more.
    pub(super) fn and_one(&self) -> usize {
        self.limit.saturating_add(1)
    }
}
