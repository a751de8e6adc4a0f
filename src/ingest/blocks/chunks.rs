//! The bytes of a source, some at a time and always up to the end of a line; pure over any `Read` and `Seek`.

use std::io::{self, Read, Seek, SeekFrom};

use super::number::PADDING;

/// What is read at once.
const CHUNK: usize = 256 << 10;
/// A line of a table is far shorter; the bound keeps a file of one endless line out of memory.
const LONGEST_LINE: usize = 1 << 20;

/// A window onto a source that moves forward.
pub(super) struct Chunks<R> {
    source: R,
    /// The window, and after it zeros.
    bytes: Vec<u8>,
    from: usize,
    to: usize,
    /// Where the last line in the window ends.
    lines_end: usize,
    /// Bytes that came from the source.
    read: u64,
    ended: bool,
}

impl<R: Read + Seek> Chunks<R> {
    pub(super) fn of(source: R) -> Self {
        Chunks { source, bytes: vec![0; CHUNK + PADDING], from: 0, to: 0, lines_end: 0, read: 0, ended: false }
    }

    /// The window, and the part of it that is whole lines.
    pub(super) fn region(&self) -> (&[u8], usize, usize) {
        (&self.bytes, self.from, self.lines_end.max(self.from))
    }

    pub(super) fn whole_lines(&self) -> &[u8] {
        self.bytes.get(self.from..self.lines_end).unwrap_or_default()
    }

    pub(super) fn held(&self) -> usize {
        self.to - self.from
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held() == 0
    }

    /// Whether one record fills more than a line may have.
    pub(super) fn is_too_long(&self) -> bool {
        self.held() > LONGEST_LINE + CHUNK
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.from += bytes;
    }

    /// Where the window begins in the source.
    pub(super) fn position(&self) -> u64 {
        self.read - self.held() as u64
    }

    /// Read on. The last line gets its end if it has none; nothing is added after that.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.bytes.copy_within(self.from..self.to, 0);
        self.to -= self.from;
        self.from = 0;
        self.bytes.resize(self.to + CHUNK + PADDING, 0);
        let room = self.bytes.get_mut(self.to..self.to + CHUNK).unwrap_or_default();
        let read = read_full(&mut self.source, room)?;
        let new = self.to;
        self.to += read;
        self.read += read as u64;
        if read == 0 {
            self.ended = true;
            if self.to == 0 || self.bytes.get(self.to - 1) == Some(&b'\n') {
                return Ok(false);
            }
            if let Some(end) = self.bytes.get_mut(self.to) {
                *end = b'\n';
            }
            self.to += 1;
        }
        let added = self.bytes.get(new..self.to).unwrap_or_default();
        self.lines_end = added.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| new + place + 1);
        if let Some(padding) = self.bytes.get_mut(self.to..self.to + PADDING) {
            padding.fill(0);
        }
        Ok(true)
    }

    /// How many bytes the source has; nothing for a pipe.
    pub(super) fn size(&mut self) -> Option<u64> {
        let size = self.source.seek(SeekFrom::End(0)).ok()?;
        self.source.seek(SeekFrom::Start(self.read)).ok()?;
        Some(size)
    }

    /// Bytes from anywhere in the source; the window stays as it is.
    pub(super) fn piece(&mut self, from: u64, length: u64) -> io::Result<Vec<u8>> {
        self.source.seek(SeekFrom::Start(from))?;
        let mut piece = Vec::new();
        (&mut self.source).take(length).read_to_end(&mut piece)?;
        self.source.seek(SeekFrom::Start(self.read))?;
        Ok(piece)
    }
}

/// As much as there is room for; a pipe gives less at a time.
fn read_full(source: &mut impl Read, mut room: &mut [u8]) -> io::Result<usize> {
    let mut total = 0;
    while !room.is_empty() {
        match source.read(room) {
            Ok(0) => break,
            Ok(read) => {
                total += read;
                room = room.get_mut(read..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}
