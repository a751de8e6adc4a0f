//! What is to be written, and how that went; a door, as whoever writes it is. Threads hold it for as long as a line takes, or a page of
//! them.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use futures::channel::oneshot;
use futures::future::Either;

use super::page::Lines;
use super::sheet::Sheet;
use crate::serve::{self, Acknowledged, SinkError};
use crate::store::Durability;

/// A group of so many bytes is written at once.
pub(super) const GROUP: usize = 256 * 1024;
/// So many bytes wait at most: a disk that is slower than what is asked of it is one that cannot be written.
const MOST: usize = 64 * 1024 * 1024;

/// Lines for one file, and whom to tell.
pub(super) struct Group {
    pub(super) sheet: Arc<Sheet>,
    pub(super) lines: Vec<u8>,
    pub(super) waiting: Vec<oneshot::Sender<Result<(), SinkError>>>,
}

impl Group {
    pub(super) fn new(sheet: &Arc<Sheet>, lines: Vec<u8>) -> Group {
        Group { sheet: Arc::clone(sheet), lines, waiting: Vec::new() }
    }
}

/// What is to be written, and how that went.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) groups: VecDeque<Group>,
    /// The bytes of their lines.
    pub(super) bytes: usize,
    /// How many bytes were ever taken, and of how many of the first ones the fate is known.
    pub(super) taken: u64,
    pub(super) settled: u64,
    /// How many turns have failed.
    pub(super) failures: u64,
    /// Why the last turn did; until one succeeds no line is taken that nobody waits for.
    pub(super) trouble: Option<(ErrorKind, String)>,
    /// Some page has lines.
    pub(super) begun: bool,
    /// Somebody waits for the file, so the group does not.
    pub(super) hurry: bool,
    /// The thread waits for the first line of a group.
    pub(super) asleep: bool,
    pub(super) closed: bool,
}

impl Queue {
    /// Why no line can be taken now.
    fn refuses(&self, durability: Durability) -> io::Result<()> {
        match (&self.trouble, durability) {
            _ if self.closed => Err(io::Error::other("the spool is closed")),
            _ if self.bytes >= MOST => Err(io::Error::other("the disk is slower than what is asked of it")),
            // Whoever waits is told how it went this time.
            (None, _) | (Some(_), Durability::Durable) => Ok(()),
            (Some((kind, why)), Durability::Batched) => Err(io::Error::new(*kind, why.clone())),
        }
    }

    /// Count bytes that were taken; true if they fill a group.
    fn count(&mut self, bytes: usize) -> bool {
        self.taken += bytes as u64;
        self.bytes += bytes;
        self.bytes >= GROUP && self.bytes - bytes < GROUP
    }
}

/// What the threads that record and the one that writes have in common.
pub(super) struct Shared {
    queue: Mutex<Queue>,
    pages: Mutex<Vec<Arc<Lines>>>,
    pub(super) durability: Durability,
    /// For the thread: there is something to do.
    pub(super) more: Condvar,
    /// For those who wait in [`Writer::flush`](super::writer::Writer::flush).
    pub(super) turned: Condvar,
}

impl Shared {
    pub(super) fn new(durability: Durability) -> Shared {
        let (queue, pages, more, turned) = Default::default();
        Shared { queue, pages, durability, more, turned }
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        // Lines are added whole, so a thread that panicked has left nothing half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pages(&self) -> MutexGuard<'_, Vec<Arc<Lines>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Take a line for this file.
    pub(super) fn take(&self, sheet: &Arc<Sheet>, line: &[u8]) -> io::Result<Acknowledged> {
        let mut queue = self.queue();
        queue.refuses(self.durability)?;
        let full = queue.count(line.len());
        if !queue.groups.back().is_some_and(|last| Arc::ptr_eq(&last.sheet, sheet)) {
            queue.groups.push_back(Group::new(sheet, Vec::new()));
        }
        let mut acknowledged = serve::acknowledged();
        if let Some(group) = queue.groups.back_mut() {
            group.lines.extend_from_slice(line);
            if self.durability == Durability::Durable {
                let (done, told) = oneshot::channel();
                group.waiting.push(done);
                // Should the thread be gone, `done` goes with it and the one who waits is told.
                let told = async { told.await.unwrap_or_else(|_| Err(lost("the spool is closed"))) };
                acknowledged = Either::Right(Box::pin(told));
            }
        }
        self.wake(queue, full);
        Ok(acknowledged)
    }

    /// Take the lines of a page, which nobody waits for; false if no more can be taken now.
    pub(super) fn push(&self, group: Group) -> bool {
        let mut queue = self.queue();
        let full = queue.count(group.lines.len());
        queue.groups.push_back(group);
        let more = queue.refuses(self.durability).is_ok();
        self.wake(queue, full);
        more
    }

    /// A page has lines: somebody must come for them.
    pub(super) fn begun(&self) {
        let mut queue = self.queue();
        queue.begun = true;
        self.wake(queue, false);
    }

    fn wake(&self, mut queue: MutexGuard<'_, Queue>, full: bool) {
        let wake = mem::take(&mut queue.asleep) || full;
        drop(queue);
        if wake {
            self.more.notify_one();
        }
    }

    /// Whether lines can be taken now.
    pub(super) fn takes(&self) -> bool {
        self.queue().refuses(self.durability).is_ok()
    }

    /// One more page.
    pub(super) fn page(&self) -> Arc<Lines> {
        let page = Arc::default();
        self.pages().push(Arc::clone(&page));
        page
    }

    /// Bring what stands on pages to the queue.
    pub(super) fn turn_pages(&self) {
        self.pages().iter().for_each(|page| page.turn(self));
    }

    /// Bring what stands on pages to the queue, and take back every leave.
    pub(super) fn end_pages(&self) {
        self.pages().iter().for_each(|page| page.end(self));
    }
}

pub(super) fn lost(reason: &str) -> SinkError {
    SinkError { reason: reason.to_owned() }
}
