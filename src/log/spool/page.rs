//! Where the lines of one thread gather, so that threads do not wait for each other at every one; a door, as whoever writes them is.
//! Whoever has one locks the spool before a page, and a page before the queue.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::queue::{Group, Shared};
use super::sheet::Sheet;
use crate::types::Timestamp;

/// A page of so many bytes is turned.
const FULL: usize = 63 * 1024;

/// Takes lines of one thread, as long as it has leave.
pub(in crate::log) struct Page {
    lines: Arc<Lines>,
    shared: Arc<Shared>,
}

/// What one thread has taken and others do not know yet; apart in memory from what these write to.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Lines(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    leave: Option<Leave>,
    text: Vec<u8>,
}

/// Leave to take lines about the instants `[from, until)` for a file, until that has so many bytes.
pub(super) struct Leave {
    pub(super) sheet: Arc<Sheet>,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) most: u64,
    /// The latest instant of the lines.
    pub(super) last_at: Timestamp,
}

impl Page {
    pub(super) fn new(shared: Arc<Shared>) -> Page {
        Page { lines: shared.page(), shared }
    }

    /// Take a line about this instant, spelled for the one that it is recorded under; nothing without leave, and the spool is to be asked.
    pub(in crate::log) fn take(&self, at: Timestamp, spell: impl FnOnce(Timestamp, &mut Vec<u8>)) -> Option<Timestamp> {
        let mut taken = self.lines.taken();
        let leave = taken.leave.as_mut().filter(|leave| at < leave.until)?;
        let at = at.max(leave.from);
        leave.last_at = at.max(leave.last_at);
        let begins = taken.text.is_empty();
        spell(at, &mut taken.text);
        if taken.text.len() >= FULL {
            taken.turn(&self.shared);
        } else if begins {
            self.shared.begun();
        }
        Some(at)
    }

    /// Give leave; not while lines are refused.
    pub(super) fn give(&self, leave: Leave) {
        let mut taken = self.lines.taken();
        if self.shared.takes() {
            taken.leave = Some(leave);
        }
    }
}

impl Lines {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        // A line is added whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bring the lines to the queue.
    pub(super) fn turn(&self, shared: &Shared) {
        self.taken().turn(shared);
    }

    /// Bring the lines to the queue, and take no more.
    pub(super) fn end(&self, shared: &Shared) {
        let mut taken = self.taken();
        taken.turn(shared);
        taken.leave = None;
    }
}

impl Taken {
    fn turn(&mut self, shared: &Shared) {
        let Some(Leave { sheet, last_at, most, .. }) = self.leave.as_ref().filter(|_| !self.text.is_empty()) else {
            return;
        };
        sheet.took(self.text.len(), *last_at);
        let full = sheet.bytes() >= *most;
        // A copy: what this thread writes to stays near it, and whoever writes the file, on another core, reads elsewhere.
        let welcome = shared.push(Group::new(sheet, self.text.clone()));
        self.text.clear();
        if full || !welcome {
            self.leave = None;
        }
    }
}
