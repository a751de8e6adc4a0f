//! The file of a segment, and what is known of it; a door, of this one file.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use super::failed;
use crate::log::LogError;
use crate::types::Timestamp;

/// The file of a segment. Only the writer's thread writes there.
#[derive(Debug)]
pub(in crate::log) struct Sheet {
    path: PathBuf,
    file: File,
    /// The bytes of the lines that were taken for it, written or not.
    bytes: AtomicU64,
    /// The latest instant of these lines, in microseconds.
    last_at: AtomicI64,
    /// The bytes of its whole lines.
    whole: AtomicU64,
    /// A part of a line may follow them.
    torn: AtomicBool,
    /// An fsync failed: nobody knows what it holds.
    broken: AtomicBool,
}

impl Sheet {
    /// A file for lines about instants from `opened_at` on.
    pub(super) fn new(path: PathBuf, file: File, opened_at: Timestamp) -> Sheet {
        let (bytes, last_at, whole) = (AtomicU64::new(0), AtomicI64::new(opened_at.micros()), AtomicU64::new(0));
        let (torn, broken) = (AtomicBool::new(false), AtomicBool::new(false));
        Sheet { path, file, bytes, last_at, whole, torn, broken }
    }

    /// Lines of so many bytes were taken for it, the last about this instant.
    pub(super) fn took(&self, bytes: usize, last_at: Timestamp) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.last_at.fetch_max(last_at.micros(), Ordering::Relaxed);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn last_at(&self) -> Timestamp {
        Timestamp::from_micros(self.last_at.load(Ordering::Relaxed))
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
        self.file.sync_data().map_err(self.failed("sync"))
    }

    /// Why something could not be done to it.
    pub(super) fn failed(&self, operation: &'static str) -> impl FnOnce(io::Error) -> LogError {
        failed(operation, &self.path)
    }

    /// All of these lines, or none.
    pub(super) fn write(&self, lines: &[u8]) -> io::Result<()> {
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

    /// [`write`](Self::write), and wait for the disk. A failed fsync is final: nothing may be appended after what may not be there.
    pub(super) fn write_through(&self, lines: &[u8]) -> io::Result<()> {
        self.write(lines)?;
        self.file.sync_data().inspect_err(|_| self.give_up())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_taken_away_before_the_next_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let file = File::options().append(true).create_new(true).open(&path).unwrap();
        let sheet = Sheet::new(path.clone(), file, Timestamp::EPOCH);
        sheet.write(b"one\n").unwrap();
        (&sheet.file).write_all(b"tw").unwrap();
        sheet.torn.store(true, Ordering::Relaxed);
        sheet.write(b"three\n").unwrap();
        assert_eq!(io::read_to_string(File::open(&path).unwrap()).unwrap(), "one\nthree\n");
    }
}
