//! The one thread that writes: lines gather in memory and go to their files together; a door, of the spool's files only. With
//! `durable` events a group is written and synced while the next one gathers, and whoever waits is told; otherwise a group is
//! written a moment after its first line.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::failed;
use super::page::Page;
use super::queue::{GROUP, Group, Queue, Shared, lost};
use super::sheet::Sheet;
use crate::log::LogError;
use crate::serve::Acknowledged;
use crate::store::Durability;
use crate::types::Timestamp;

/// A line that is not awaited is this long in memory at most, and lost if its process is killed before.
const GATHER: Duration = Duration::from_millis(100);
/// What could not be written is tried again so soon.
const RETRY: Duration = Duration::from_millis(250);

/// Writes the lines of every segment.
pub(in crate::log) struct Writer {
    shared: Arc<Shared>,
    worker: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(durability: Durability) -> Result<Writer, LogError> {
        let shared = Arc::new(Shared::new(durability));
        let ending = Ending(Arc::clone(&shared));
        let work = move || run(&ending.0);
        let worker = thread::Builder::new().name("spool".to_owned()).spawn(work).map_err(LogError::Thread)?;
        Ok(Writer { shared, worker: Some(worker) })
    }

    pub(super) fn durability(&self) -> Durability {
        self.shared.durability
    }

    /// Take a line about this instant for this file.
    pub(super) fn take(&self, sheet: &Arc<Sheet>, at: Timestamp, line: &[u8]) -> Result<Acknowledged, LogError> {
        let acknowledged = self.shared.take(sheet, line).map_err(sheet.failed("write"))?;
        sheet.took(line.len(), at);
        Ok(acknowledged)
    }

    /// A page for one more thread; none if whoever records waits for the disk.
    pub(super) fn page(&self) -> Option<Page> {
        (self.durability() == Durability::Batched).then(|| Page::new(Arc::clone(&self.shared)))
    }

    /// Bring what stands on pages to the queue.
    pub(super) fn turn_pages(&self) {
        self.shared.turn_pages();
    }

    /// Bring what stands on pages to the queue, and take back every leave.
    pub(super) fn end_pages(&self) {
        self.shared.end_pages();
    }

    /// Wait until every line that was taken is in its file.
    ///
    /// # Errors
    /// One cannot be written now; it is kept and tried again.
    pub(in crate::log) fn flush(&self) -> Result<(), LogError> {
        self.shared.turn_pages();
        let mut queue = self.shared.queue();
        let (taken, failures) = (queue.taken, queue.failures);
        queue.hurry = true;
        self.shared.more.notify_one();
        while queue.settled < taken && queue.failures == failures && !queue.closed {
            queue = self.shared.turned.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.settled >= taken {
            return Ok(());
        }
        let why = queue.trouble.as_ref().map(|(kind, why)| io::Error::new(*kind, why.clone()));
        let why = why.unwrap_or_else(|| io::Error::other("the spool is closed"));
        Err(failed("write", Path::new("segments"))(why))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.end_pages();
        self.shared.queue().closed = true;
        self.shared.more.notify_one();
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

/// Says that nothing is written any more, however the thread ends.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.queue().closed = true;
        // Whoever records from now on is refused; what stood on pages is as lost as what waited.
        self.0.end_pages();
        self.0.queue().groups.clear();
        self.0.turned.notify_all();
    }
}

fn run(shared: &Shared) {
    while let Some((groups, upto)) = next(shared) {
        let (mut trouble, mut kept) = (None, VecDeque::new());
        for mut group in groups {
            if trouble.is_some() && shared.durability == Durability::Batched {
                // Lines stay in their order.
                kept.push_back(group);
                continue;
            }
            let settled = settle(&group, shared.durability);
            let told = match &settled {
                Ok(()) => Ok(()),
                Err(error) => Err(lost(&error.to_string())),
            };
            // Who does not wait any more need not be told.
            group.waiting.drain(..).for_each(|done| drop(done.send(told.clone())));
            if let Err(error) = settled {
                trouble = Some((error.kind(), error.to_string()));
                // Whoever waited was told; what nobody waited for was acknowledged, and is tried again.
                kept.extend((shared.durability == Durability::Batched).then_some(group));
            }
        }
        let (failed, mut queue) = (trouble.is_some(), shared.queue());
        queue.failures += u64::from(failed);
        queue.trouble = trouble;
        if kept.is_empty() {
            queue.settled = upto;
        } else if queue.closed {
            return;
        }
        queue.bytes += kept.iter().map(|group| group.lines.len()).sum::<usize>();
        kept.append(&mut queue.groups);
        queue.groups = kept;
        drop(queue);
        if failed {
            // Whoever records next is told why.
            shared.end_pages();
        }
        shared.turned.notify_all();
    }
}

/// The groups whose turn it is, and how many bytes were taken until then; nothing at the end.
fn next(shared: &Shared) -> Option<(VecDeque<Group>, u64)> {
    let mut queue = shared.queue();
    while queue.groups.is_empty() && !queue.begun {
        if queue.closed {
            return None;
        }
        queue.asleep = true;
        queue = shared.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
        queue.asleep = false;
    }
    let wait = match (shared.durability, &queue.trouble) {
        (Durability::Durable, _) => Duration::ZERO,
        (Durability::Batched, None) => GATHER,
        (Durability::Batched, Some(_)) => RETRY,
    };
    let gathers = |queue: &mut Queue| !queue.hurry && !queue.closed && (queue.trouble.is_some() || queue.bytes < GROUP);
    if !wait.is_zero() {
        queue = shared.more.wait_timeout_while(queue, wait, gathers).unwrap_or_else(PoisonError::into_inner).0;
    }
    queue.begun = false;
    drop(queue);
    shared.turn_pages();
    let mut queue = shared.queue();
    queue.hurry = false;
    queue.bytes = 0;
    Some((mem::take(&mut queue.groups), queue.taken))
}

/// Write a group, and wait for the disk if somebody waits for that.
fn settle(group: &Group, durability: Durability) -> io::Result<()> {
    let Group { sheet, lines, .. } = group;
    if sheet.is_broken() {
        return Err(io::Error::other("its segment could not be synced"));
    }
    match durability {
        Durability::Batched => sheet.write(lines),
        Durability::Durable => sheet.write_through(lines),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::PathBuf;

    use futures::executor::block_on;

    use super::super::page::Leave;
    use super::*;
    use crate::types::Span;

    const NOW: Timestamp = Timestamp::EPOCH;

    /// A file of a disk that has no room.
    fn full() -> Arc<Sheet> {
        let path = PathBuf::from("/dev/full");
        let file = File::options().write(true).open(&path).unwrap();
        Arc::new(Sheet::new(path, file, NOW))
    }

    #[test]
    fn who_waits_is_told_that_the_disk_is_full_and_the_next_one_is_tried() {
        let writer = Writer::start(Durability::Durable).unwrap();
        for _ in 0..2 {
            let told = block_on(writer.take(&full(), NOW, b"a line\n").unwrap());
            assert!(told.unwrap_err().to_string().contains("No space left"), "the line was acknowledged");
        }
        writer.flush().unwrap();
    }

    #[test]
    fn what_nobody_waits_for_is_kept_and_no_more_is_taken() {
        let writer = Writer::start(Durability::Batched).unwrap();
        let (sheet, folder) = (full(), tempfile::tempdir().unwrap());
        block_on(writer.take(&sheet, NOW, b"acknowledged\n").unwrap()).unwrap();
        let why = std::error::Error::source(&writer.flush().unwrap_err()).unwrap().to_string();
        assert!(why.contains("No space left"), "{why}");
        let path = folder.path().join("lines");
        let good = Arc::new(Sheet::new(path.clone(), File::create(&path).unwrap(), NOW));
        assert!(writer.take(&good, NOW, b"refused\n").is_err());
        assert!(writer.flush().is_err(), "what was acknowledged is forgotten");
    }

    #[test]
    fn a_page_takes_no_line_that_the_disk_does_not() {
        let writer = Writer::start(Durability::Batched).unwrap();
        let page = writer.page().unwrap();
        let leave = || Leave { sheet: full(), from: NOW, until: NOW + Span::from_hours(1), most: 1_000, last_at: NOW };
        let take = |at| page.take(at, |_, page| page.extend_from_slice(b"acknowledged\n"));
        assert_eq!(take(NOW), None, "it has no leave");
        page.give(leave());
        assert_eq!((take(NOW), take(NOW + Span::from_hours(1))), (Some(NOW), None));
        assert!(writer.flush().is_err(), "what stands on the page is forgotten");
        assert_eq!(take(NOW), None);
        page.give(leave());
        assert_eq!(take(NOW), None, "it has leave again before anything could be written");
    }

    #[test]
    fn what_is_given_up_is_not_told_to_be_in_its_file() {
        let writer = Writer::start(Durability::Batched).unwrap();
        block_on(writer.take(&full(), NOW, b"acknowledged\n").unwrap()).unwrap();
        writer.shared.queue().closed = true;
        writer.shared.more.notify_one();
        while !writer.worker.as_ref().unwrap().is_finished() {
            thread::yield_now();
        }
        assert!(writer.flush().is_err());
    }
}
