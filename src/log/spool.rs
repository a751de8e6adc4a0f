//! The one mutable file a replica owns: append-only segments of lines, taken away once they are sealed; a door.
#![expect(clippy::disallowed_methods, reason = "a door: the spool is a file of its own")]

mod adopt;
mod page;
mod queue;
mod sheet;
mod writer;

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ulid::Ulid;

use super::{LogError, PartName};
use crate::serve::{Acknowledged, acknowledged};
use crate::store::Durability;
use crate::types::{ReplicaName, Span, Timestamp};
pub(super) use adopt::{Orphan, orphans};
use page::Leave;
pub(super) use page::Page;
use sheet::Sheet;
use writer::Writer;

/// No part holds two hours.
const HOUR: Span = Span::from_hours(1);

/// When a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolRules {
    /// A segment is closed when it is this old …
    pub rotate_every: Span,
    /// … or this large; and at the end of the hour, so that a part belongs to one.
    pub rotate_bytes: u64,
    /// A closed segment waits so long for the shadows of its last answers before it is sealed.
    pub shadow_wait: Span,
}

impl SpoolRules {
    /// - `rotate_every` one minute: what a dashboard shows is at most that old, and a replica makes 1,440 parts a day.
    /// - `rotate_bytes` 3 MiB, some 30,000 answers: sealing holds in memory what it reads out of a segment.
    /// - `shadow_wait` 5 s: a mirror whose queue is longer than that drops anyway.
    pub const DEFAULTS: SpoolRules =
        SpoolRules { rotate_every: Span::from_mins(1), rotate_bytes: 3 * 1024 * 1024, shadow_wait: Span::from_secs(5) };
}

/// What has been acknowledged and lies in no part yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// When the oldest segment began; nothing if there is none.
    pub since: Option<Timestamp>,
    /// The bytes of all.
    pub bytes: u64,
}

/// A replica's segments.
///
/// Every line that is written here first has an instant in `[opened_at, closed_at)`: an answer that was made a moment before its segment
/// began is recorded under its beginning. So the start of the oldest segment that is not sealed is an exact watermark.
pub(super) struct Spool {
    folder: PathBuf,
    name: PartName,
    rules: SpoolRules,
    segments: VecDeque<Segment>,
    writer: Arc<Writer>,
    /// Held as long as the process lives.
    _lock: File,
}

struct Segment {
    seq: u64,
    opened_at: Timestamp,
    closed_at: Option<Timestamp>,
    /// Nothing until the first line: an idle replica makes no files.
    sheet: Option<Arc<Sheet>>,
    sealing: bool,
}

/// A segment that is to be sealed.
pub(super) struct Due {
    pub(super) name: PartName,
    pub(super) path: PathBuf,
}

impl Spool {
    /// Open the spool of a replica, with the segments that earlier boots left behind.
    pub(super) fn open(
        root: &Path,
        replica: &ReplicaName,
        boot: Ulid,
        durability: Durability,
        rules: SpoolRules,
        now: Timestamp,
    ) -> Result<(Spool, Vec<Due>), LogError> {
        let folder = root.join(replica.as_str());
        make(root, &folder, durability).map_err(failed("make", &folder))?;
        let lock = lock(&folder, replica)?;
        let left = leftovers(&folder, replica)?;
        let spool = Spool {
            folder,
            name: PartName { replica: replica.clone(), boot, seq: 0 },
            rules,
            segments: VecDeque::from([Segment::open(0, now)]),
            writer: Arc::new(Writer::start(durability)?),
            _lock: lock,
        };
        Ok((spool, left))
    }

    /// Append a line about this instant; returns the instant it is recorded under. `again` spells the line for that instant, should
    /// it be another one.
    pub(super) fn append(
        &mut self,
        at: Timestamp,
        line: Vec<u8>,
        again: impl FnOnce(Timestamp) -> Vec<u8>,
    ) -> Result<(Timestamp, Acknowledged), LogError> {
        self.rotate_past(at);
        let begun = self.segments.back().map_or(at, |current| at.max(current.opened_at));
        let line = if begun == at { line } else { again(begun) };
        Ok((begun, self.append_now(begun, &line)?))
    }

    /// Append a line that keeps an instant of its own, however long past: what a model elsewhere answered then. A window that was
    /// sealed by then does not see it.
    pub(super) fn append_past(&mut self, now: Timestamp, line: &[u8]) -> Result<Acknowledged, LogError> {
        self.rotate_past(now);
        self.append_now(now, line)
    }

    /// Append what belongs to an answer recorded at this instant, to the answer's own segment; false if that is sealed.
    pub(super) fn append_beside(&mut self, at: Timestamp, line: &[u8]) -> Result<bool, LogError> {
        let (folder, name, writer) = (&self.folder, &self.name, &self.writer);
        let mut open = self.segments.iter_mut().rev().filter(|segment| !segment.sealing);
        match open.find(|segment| segment.opened_at <= at && segment.closed_at.is_none_or(|end| at < end)) {
            Some(segment) if !segment.is_broken() => segment.take(folder, name, writer, at, line).map(|_| true),
            Some(_) | None => Ok(false),
        }
    }

    fn append_now(&mut self, at: Timestamp, line: &[u8]) -> Result<Acknowledged, LogError> {
        // There is always a current segment: `open` makes the first and `rotate` adds to them.
        let Some(current) = self.segments.back_mut() else { return Ok(acknowledged()) };
        current.take(&self.folder, &self.name, &self.writer, at, line)
    }

    /// A page for one more thread; none if whoever records waits for the disk.
    pub(super) fn page(&self) -> Option<Page> {
        self.writer.page()
    }

    /// Give a page leave to take the lines of the current segment, until this ends.
    pub(super) fn lend(&self, page: &Page) {
        let Some(current) = self.segments.back() else { return };
        let Some(sheet) = current.sheet.clone() else { return };
        let (from, until) = (current.opened_at, current.hour_ends());
        page.give(Leave { sheet, from, until, most: self.rules.rotate_bytes, last_at: from });
    }

    /// Who writes what was appended; it is waited for without holding the spool.
    pub(super) fn writer(&self) -> Arc<Writer> {
        Arc::clone(&self.writer)
    }

    fn rotate_past(&mut self, at: Timestamp) {
        if let Some(over) = self.segments.back().and_then(|current| current.is_over(at, &self.rules)) {
            self.rotate(over);
        }
    }

    /// Close the current segment if it is due, or in any case at the end.
    pub(super) fn rotate_if(&mut self, now: Timestamp, ending: bool) {
        let Some(current) = self.segments.back_mut() else {
            return;
        };
        if current.sheet.is_none() {
            // Nothing was written: the segment simply begins later.
            current.opened_at = current.opened_at.max(now);
            return;
        }
        let old = ending || now.since(current.opened_at) >= self.rules.rotate_every;
        let over = if old { Some(now) } else { current.is_over(now, &self.rules) };
        if let Some(over) = over {
            self.rotate(over);
        }
    }

    /// End the current segment, at this instant or after the last of its lines.
    fn rotate(&mut self, at: Timestamp) {
        self.writer.end_pages();
        let mut next = at;
        if let Some(current) = self.segments.back_mut() {
            next = current.earliest_end(at);
            current.closed_at = Some(next);
            self.name.seq = current.seq + 1;
        }
        self.segments.retain(|segment| segment.sheet.is_some());
        self.segments.push_back(Segment::open(self.name.seq, next));
    }

    /// Take the closed segments that have waited long enough, oldest first. No line can be appended to them any more.
    pub(super) fn take_due(&mut self, now: Timestamp, ending: bool) -> Vec<Due> {
        let wait = self.rules.shadow_wait;
        let mut due = Vec::new();
        for segment in &mut self.segments {
            if segment.closed_at.is_some_and(|closed_at| ending || closed_at + wait <= now) {
                segment.sealing = true;
                let name = PartName { seq: segment.seq, ..self.name.clone() };
                due.push(Due { path: self.folder.join(file_name(&name)), name });
            }
        }
        due
    }

    /// The files whose lines may not be on disk yet although they were acknowledged; none when each waits for the disk.
    pub(super) fn unsynced(&self) -> Vec<Arc<Sheet>> {
        match self.writer.durability() {
            Durability::Durable => Vec::new(),
            // A closed segment took lines until a moment ago.
            Durability::Batched => self.segments.iter().filter_map(|segment| segment.sheet.clone()).collect(),
        }
    }

    /// Take a sealed segment away: its part was read back.
    pub(super) fn forget(&mut self, sealed: &Due) -> Result<(), LogError> {
        remove(sealed)?;
        if sealed.name.boot == self.name.boot {
            self.segments.retain(|segment| segment.seq != sealed.name.seq);
        }
        Ok(())
    }

    /// What is not sealed.
    pub(super) fn backlog(&self) -> Backlog {
        self.writer.turn_pages();
        let written = || self.segments.iter().filter(|segment| segment.sheet.is_some());
        Backlog { since: written().map(|segment| segment.opened_at).min(), bytes: written().map(Segment::bytes).sum() }
    }

    /// Everything before this instant is sealed.
    pub(super) fn watermark(&self) -> Option<Timestamp> {
        self.segments.iter().map(|segment| segment.opened_at).min()
    }
}

impl Segment {
    fn open(seq: u64, opened_at: Timestamp) -> Segment {
        Segment { seq, opened_at, closed_at: None, sheet: None, sealing: false }
    }

    /// When this one may end at the earliest, if a line about `at` does not belong in it.
    fn is_over(&self, at: Timestamp, rules: &SpoolRules) -> Option<Timestamp> {
        let full = self.bytes() >= rules.rotate_bytes || self.is_broken();
        if at >= self.hour_ends() { Some(at.floor(HOUR)) } else { full.then_some(self.opened_at) }
    }

    /// No line from this instant on belongs in it.
    fn hour_ends(&self) -> Timestamp {
        self.opened_at.floor(HOUR) + HOUR
    }

    /// The first instant from `at` on that is after all its lines.
    fn earliest_end(&self, at: Timestamp) -> Timestamp {
        let after = self.sheet.as_ref().map_or(self.opened_at, |sheet| sheet.last_at() + Span::from_micros(1));
        at.max(after)
    }

    /// Of the lines that were taken for it; those that stand on a page are counted when that is turned.
    fn bytes(&self) -> u64 {
        self.sheet.as_ref().map_or(0, |sheet| sheet.bytes())
    }

    fn is_broken(&self) -> bool {
        self.sheet.as_ref().is_some_and(|sheet| sheet.is_broken())
    }

    fn take(
        &mut self,
        folder: &Path,
        name: &PartName,
        writer: &Writer,
        at: Timestamp,
        line: &[u8],
    ) -> Result<Acknowledged, LogError> {
        writer.take(self.sheet(folder, name, writer.durability())?, at, line)
    }

    fn sheet(&mut self, folder: &Path, name: &PartName, durability: Durability) -> Result<&Arc<Sheet>, LogError> {
        if let Some(sheet) = self.sheet.take() {
            return Ok(self.sheet.insert(sheet));
        }
        let path = folder.join(file_name(&PartName { seq: self.seq, ..name.clone() }));
        let made = OpenOptions::new().append(true).create_new(true).mode(FILE_MODE).open(&path);
        let sheet = Sheet::new(path.clone(), made.map_err(failed("write", &path))?, self.opened_at);
        let sheet = self.sheet.insert(Arc::new(sheet));
        if durability == Durability::Durable {
            // The file's own name must outlive a power cut, too.
            let named = File::open(folder).and_then(|folder| folder.sync_all());
            named.inspect_err(|_| sheet.give_up()).map_err(failed("write", &path))?;
        }
        Ok(sheet)
    }
}

fn file_name(name: &PartName) -> String {
    format!("{}-{:06}.jsonl", name.boot, name.seq)
}

/// So many bytes of a segment are read at once.
const READ_AHEAD: usize = 64 * 1024;

/// Written by their owner alone, whatever the umask.
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;

/// Make a replica's folder. Before an acknowledged line can be on disk its folder must be, and those above it.
fn make(root: &Path, folder: &Path, durability: Durability) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    if durability == Durability::Durable {
        // `var/spool/<replica>` lies in `var`, which lies in the workspace.
        for above in root.ancestors().take(3).filter(|above| above.is_dir()) {
            File::open(above)?.sync_all()?;
        }
    }
    Ok(())
}

fn lock(folder: &Path, replica: &ReplicaName) -> Result<File, LogError> {
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(&path)
        .map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::ReplicaTaken { replica: replica.to_string() }),
        Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
    }
}

fn leftovers(folder: &Path, replica: &ReplicaName) -> Result<Vec<Due>, LogError> {
    let mut left = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed("list", folder))? {
        let path = entry.map_err(failed("list", folder))?.path();
        let stem = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jsonl"));
        let parts = stem.and_then(|stem| stem.split_once('-'));
        let Some((Ok(boot), Ok(seq))) = parts.map(|(boot, seq)| (boot.parse::<Ulid>(), seq.parse::<u64>())) else {
            continue;
        };
        left.push(Due { name: PartName { replica: replica.clone(), boot, seq }, path });
    }
    left.sort_by_key(|due| (due.name.boot, due.name.seq));
    Ok(left)
}

/// Take a sealed segment's file away: its part was read back.
pub(super) fn remove(sealed: &Due) -> Result<(), LogError> {
    fs::remove_file(&sealed.path).map_err(failed("remove", &sealed.path))
}

/// How many bytes a segment has, and the lines of it.
pub(super) fn read(due: &Due) -> Result<(usize, impl BufRead), LogError> {
    let file = File::open(&due.path).map_err(failed("read", &due.path))?;
    let bytes = file.metadata().map_err(failed("read", &due.path))?.len();
    Ok((usize::try_from(bytes).unwrap_or_default(), BufReader::with_capacity(READ_AHEAD, file)))
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
    let file = path.display().to_string();
    move |source| LogError::Spool { operation, file, source }
}
