//! The one thread that writes: lines gather in memory and go to their files together; a door, of the spool's files only. With
//! `durable` events a group is written and synced while the next one gathers, and whoever waits is told; otherwise a group is
//! written a moment after its first line.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::Either;

use super::failed;
use crate::log::LogError;
use crate::serve::{self, Acknowledged, SinkError};
use crate::store::Durability;

/// A line that is not awaited is this long in memory at most, and lost if its process is killed before.
const GATHER: Duration = Duration::from_millis(100);
/// A group of so many bytes is written at once.
const GROUP: usize = 256 * 1024;
/// What could not be written is tried again so soon.
const RETRY: Duration = Duration::from_millis(250);
/// So many bytes wait at most: a disk that is slower than what is asked of it is one that cannot be written.
const MOST: usize = 64 * 1024 * 1024;

/// The file of a segment. Only the writer's thread writes there.
#[derive(Debug)]
pub(in crate::log) struct Sheet {
    path: PathBuf,
    file: File,
    /// The bytes of its whole lines.
    whole: AtomicU64,
    /// A part of a line may follow them.
    torn: AtomicBool,
    /// An fsync failed: nobody knows what it holds.
    broken: AtomicBool,
}

impl Sheet {
    pub(super) fn new(path: PathBuf, file: File) -> Sheet {
        let (torn, broken) = (AtomicBool::new(false), AtomicBool::new(false));
        Sheet { path, file, whole: AtomicU64::new(0), torn, broken }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// No line may follow.
    pub(super) fn give_up(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    /// See to it that what was written is on disk.
    pub(in crate::log) fn sync(&self) -> Result<(), LogError> {
        self.file.sync_data().map_err(failed("sync", &self.path))
    }

    /// All of these lines, or none.
    fn write(&self, lines: &[u8]) -> io::Result<()> {
        self.mend()?;
        let written = (&self.file).write_all(lines);
        match &written {
            Ok(()) => drop(self.whole.fetch_add(lines.len() as u64, Ordering::Relaxed)),
            Err(_) => {
                self.torn.store(true, Ordering::Relaxed);
                // Should this fail, too, it is done before the next line is written.
                let _ = self.mend();
            }
        }
        written
    }

    /// Take away what a write that failed has left.
    fn mend(&self) -> io::Result<()> {
        if self.torn.load(Ordering::Relaxed) {
            self.file.set_len(self.whole.load(Ordering::Relaxed))?;
            self.torn.store(false, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Lines for one file, and whom to tell.
struct Group {
    sheet: Arc<Sheet>,
    lines: Vec<u8>,
    waiting: Vec<oneshot::Sender<Result<(), SinkError>>>,
}

/// What is to be written, and how that went.
#[derive(Default)]
struct Queue {
    groups: VecDeque<Group>,
    /// The bytes of their lines.
    bytes: usize,
    /// How many lines were ever taken, and of how many of the first ones the fate is known.
    taken: u64,
    settled: u64,
    /// How many turns have failed.
    failures: u64,
    /// Why the last turn did; until one succeeds no line is taken that nobody waits for.
    trouble: Option<(ErrorKind, String)>,
    /// Somebody waits for the file, so the group does not.
    hurry: bool,
    /// The thread waits for the first line of a group.
    asleep: bool,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// For the thread: there is something to do.
    more: Condvar,
    /// For those who wait in [`Writer::flush`].
    turned: Condvar,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Lines are added whole, so a thread that panicked has left nothing half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the lines of every segment.
pub(in crate::log) struct Writer {
    shared: Arc<Shared>,
    durability: Durability,
    worker: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(durability: Durability) -> Result<Writer, LogError> {
        let shared = Arc::new(Shared::default());
        let ending = Ending(Arc::clone(&shared));
        let work = move || run(&ending.0, durability);
        let worker = thread::Builder::new().name("spool".to_owned()).spawn(work).map_err(LogError::Thread)?;
        Ok(Writer { shared, durability, worker: Some(worker) })
    }

    pub(super) fn durability(&self) -> Durability {
        self.durability
    }

    /// Take a line for this file.
    pub(super) fn take(&self, sheet: &Arc<Sheet>, line: &[u8]) -> Result<Acknowledged, LogError> {
        let unwritten = |why| Err(failed("write", &sheet.path)(why));
        let mut queue = self.shared.queue();
        match (&queue.trouble, self.durability) {
            _ if queue.closed => return unwritten(io::Error::other("the spool is closed")),
            _ if queue.bytes >= MOST => {
                return unwritten(io::Error::other("the disk is slower than what is asked of it"));
            }
            // Whoever waits is told how it went this time.
            (None, _) | (Some(_), Durability::Durable) => {}
            (Some((kind, why)), Durability::Batched) => return unwritten(io::Error::new(*kind, why.clone())),
        }
        queue.taken += 1;
        queue.bytes += line.len();
        let full = queue.bytes >= GROUP && queue.bytes - line.len() < GROUP;
        if !queue.groups.back().is_some_and(|last| Arc::ptr_eq(&last.sheet, sheet)) {
            let group = Group { sheet: Arc::clone(sheet), lines: Vec::new(), waiting: Vec::new() };
            queue.groups.push_back(group);
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
        let wake = std::mem::take(&mut queue.asleep) || full;
        drop(queue);
        if wake {
            self.shared.more.notify_one();
        }
        Ok(acknowledged)
    }

    /// Wait until every line that was taken is in its file.
    ///
    /// # Errors
    /// One cannot be written now; it is kept and tried again.
    pub(in crate::log) fn flush(&self) -> Result<(), LogError> {
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
        let mut queue = self.0.queue();
        queue.closed = true;
        queue.groups.clear();
        self.0.turned.notify_all();
    }
}

fn lost(reason: &str) -> SinkError {
    SinkError { reason: reason.to_owned() }
}

fn run(shared: &Shared, durability: Durability) {
    while let Some((groups, upto)) = next(shared, durability) {
        let (mut trouble, mut kept) = (None, VecDeque::new());
        for mut group in groups {
            if trouble.is_some() && durability == Durability::Batched {
                // Lines stay in their order.
                kept.push_back(group);
                continue;
            }
            let settled = settle(&group, durability);
            let told = match &settled {
                Ok(()) => Ok(()),
                Err(error) => Err(lost(&error.to_string())),
            };
            // Who does not wait any more need not be told.
            group.waiting.drain(..).for_each(|done| drop(done.send(told.clone())));
            if let Err(error) = settled {
                trouble = Some((error.kind(), error.to_string()));
                // Whoever waited was told; what nobody waited for was acknowledged, and is tried again.
                kept.extend((durability == Durability::Batched).then_some(group));
            }
        }
        let mut queue = shared.queue();
        queue.failures += u64::from(trouble.is_some());
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
        shared.turned.notify_all();
    }
}

/// The groups whose turn it is, and how many lines were taken until then; nothing at the end.
fn next(shared: &Shared, durability: Durability) -> Option<(VecDeque<Group>, u64)> {
    let mut queue = shared.queue();
    while queue.groups.is_empty() {
        if queue.closed {
            return None;
        }
        queue.asleep = true;
        queue = shared.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
        queue.asleep = false;
    }
    let wait = match (durability, &queue.trouble) {
        (Durability::Durable, _) => Duration::ZERO,
        (Durability::Batched, None) => GATHER,
        (Durability::Batched, Some(_)) => RETRY,
    };
    let gathers = |queue: &mut Queue| !queue.hurry && !queue.closed && (queue.trouble.is_some() || queue.bytes < GROUP);
    if !wait.is_zero() {
        queue = shared.more.wait_timeout_while(queue, wait, gathers).unwrap_or_else(PoisonError::into_inner).0;
    }
    queue.hurry = false;
    queue.bytes = 0;
    Some((std::mem::take(&mut queue.groups), queue.taken))
}

/// Write a group, and wait for the disk if somebody waits for that.
fn settle(group: &Group, durability: Durability) -> io::Result<()> {
    let Group { sheet, lines, .. } = group;
    if sheet.is_broken() {
        return Err(io::Error::other("its segment could not be synced"));
    }
    sheet.write(lines)?;
    match durability {
        Durability::Batched => Ok(()),
        // A failed fsync is final: nothing may be appended after what may not be there.
        Durability::Durable => sheet.file.sync_data().inspect_err(|_| sheet.give_up()),
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    /// A file of a disk that has no room.
    fn full() -> Arc<Sheet> {
        let path = PathBuf::from("/dev/full");
        let file = File::options().write(true).open(&path).unwrap();
        Arc::new(Sheet::new(path, file))
    }

    #[test]
    fn who_waits_is_told_that_the_disk_is_full_and_the_next_one_is_tried() {
        let writer = Writer::start(Durability::Durable).unwrap();
        for _ in 0..2 {
            let told = block_on(writer.take(&full(), b"a line\n").unwrap());
            assert!(told.unwrap_err().to_string().contains("No space left"), "the line was acknowledged");
        }
        writer.flush().unwrap();
    }

    #[test]
    fn what_nobody_waits_for_is_kept_and_no_more_is_taken() {
        let writer = Writer::start(Durability::Batched).unwrap();
        let (sheet, folder) = (full(), tempfile::tempdir().unwrap());
        block_on(writer.take(&sheet, b"acknowledged\n").unwrap()).unwrap();
        let why = std::error::Error::source(&writer.flush().unwrap_err()).unwrap().to_string();
        assert!(why.contains("No space left"), "{why}");
        let path = folder.path().join("lines");
        let good = Arc::new(Sheet::new(path.clone(), File::create(&path).unwrap()));
        assert!(writer.take(&good, b"refused\n").is_err());
        assert!(writer.flush().is_err(), "what was acknowledged is forgotten");
    }

    #[test]
    fn what_is_given_up_is_not_told_to_be_in_its_file() {
        let writer = Writer::start(Durability::Batched).unwrap();
        block_on(writer.take(&full(), b"acknowledged\n").unwrap()).unwrap();
        writer.shared.queue().closed = true;
        writer.shared.more.notify_one();
        while !writer.worker.as_ref().unwrap().is_finished() {
            thread::yield_now();
        }
        assert!(writer.flush().is_err());
    }

    #[test]
    fn a_torn_line_is_taken_away_before_the_next_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let sheet = Sheet::new(path.clone(), File::options().append(true).create_new(true).open(&path).unwrap());
        sheet.write(b"one\n").unwrap();
        (&sheet.file).write_all(b"tw").unwrap();
        sheet.torn.store(true, Ordering::Relaxed);
        sheet.write(b"three\n").unwrap();
        assert_eq!(io::read_to_string(File::open(&path).unwrap()).unwrap(), "one\nthree\n");
    }
}
