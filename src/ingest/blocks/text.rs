//! CSV as blocks of columns: bytes are read once, and a number is parsed while its end is looked for; pure over any `Read` and `Seek`.
//! Refuses what `record` refuses, with its lines.

use std::borrow::Cow;
use std::io::{Read, Seek};

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::super::IngestError;
use super::super::domain::Rule;
use super::super::record::{Unreadable, split};
use super::super::rejection::{Rejection, Told};
use super::cell::Cell;
use super::chunks::Chunks;
use super::words::Words;
use super::{Block, Cells, Peeked, Reads, number};

/// Rows of a block: its numbers stay in the processor's second cache until they are counted.
const ROWS: usize = 1 << 10;
/// A file up to this size is looked at as a whole before it is read.
const SMALL: u64 = 4 << 20;
/// Of a larger one, so many pieces …
const PIECES: u64 = 64;
/// … of so many bytes, one in each equal part of the file: what rises or falls with the rows is seen along its way.
const PIECE: u64 = 32 << 10;
/// Of what cannot be sought, a pipe, so many bytes from the beginning.
const HEAD: usize = 1 << 20;
/// The generator's stream; any constant serves.
const STREAM: u128 = 0x91d4_0b6c_5a3f_e827_17c2_6d80_f94e_b35a;

/// A CSV file whose header was read.
pub(super) struct Text<R> {
    name: String,
    chunks: Chunks<R>,
    columns: Vec<String>,
    /// The line that comes next.
    line: u64,
}

impl<R: Read + Seek> Text<R> {
    pub(super) fn open(name: &str, source: R) -> Result<Self, IngestError> {
        let mut text = Text { name: name.to_owned(), chunks: Chunks::of(source), columns: Vec::new(), line: 1 };
        let refused = |why: String| refuse(&text.name, 1, Rule::Unreadable, why);
        let header = loop {
            let bytes = text.chunks.whole_lines();
            if bytes.starts_with(b"\xEF\xBB\xBF") {
                return Err(refused(format!("the line {}", Unreadable::ByteOrderMark)));
            }
            if let Some(length) = record_length(bytes) {
                break bytes.get(..length).unwrap_or_default().to_vec();
            }
            if !text.chunks.more().map_err(|error| failed(&text.name, error))? {
                let open = !text.chunks.is_empty();
                let why = if open { format!("the line {}", Unreadable::OpenQuote) } else { EMPTY.to_owned() };
                return Err(refused(why));
            }
        };
        text.chunks.consume(header.len());
        text.line += header.iter().filter(|byte| **byte == b'\n').count() as u64;
        let header = str::from_utf8(&header).map_err(|_| refused(format!("the line {}", Unreadable::NotUtf8)))?;
        let header = header.strip_suffix('\n').unwrap_or(header);
        let cells = split(header.strip_suffix('\r').unwrap_or(header));
        let cells = cells.map_err(|why| refused(format!("the line {why}")))?;
        text.columns = cells.into_iter().map(Cow::into_owned).collect();
        Ok(text)
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Look at a sample of the rows; reading then begins where it would have.
    pub(super) fn peek(&mut self, seed: u64) -> Result<Vec<Peeked>, IngestError> {
        let mut columns: Vec<Peeked> = self.columns.iter().map(|name| Peeked::new(name)).collect();
        let failed = |error| failed(&self.name, error);
        let Some(size) = self.chunks.size() else {
            while self.chunks.held() < HEAD && self.chunks.more().map_err(failed)? {}
            see(self.chunks.whole_lines(), Start::Line, &mut columns);
            return Ok(columns);
        };
        let begin = self.chunks.position();
        if size - begin <= SMALL {
            see(&self.chunks.piece(begin, size - begin).map_err(failed)?, Start::Line, &mut columns);
            return Ok(columns);
        }
        let mut generator = Pcg64::new(u128::from(seed), STREAM);
        let part = (size - begin) / PIECES;
        for place in 0..PIECES {
            let room = u128::from(part.saturating_sub(PIECE));
            let within = ((u128::from(generator.next_u64()) * room) >> 64) as u64;
            let piece = self.chunks.piece(begin + place * part + within, PIECE).map_err(failed)?;
            see(&piece, Start::Anywhere, &mut columns);
        }
        Ok(columns)
    }

    /// Hand on all rows, a block at a time, and then the tables of words.
    pub(super) fn read(
        mut self,
        reads: Vec<Reads>,
        mut each: impl FnMut(&Block) -> Result<(), IngestError>,
    ) -> Result<Vec<Option<Words>>, IngestError> {
        let mut lines = Lines { block: Block::of(reads), line: self.line, rejection: Rejection::of(&self.name) };
        loop {
            let (bytes, from, to) = self.chunks.region();
            let (next, stop) = lines.take(bytes, from, to);
            self.chunks.consume(next - from);
            match stop {
                Stop::Full => {
                    each(&lines.block)?;
                    lines.block.clear();
                }
                Stop::End | Stop::Open => {
                    if !self.chunks.more().map_err(|error| failed(&self.name, error))? {
                        if stop == Stop::Open {
                            lines.refuse(Unreadable::OpenQuote.into());
                        }
                        break;
                    }
                    if self.chunks.is_too_long() {
                        let why = if stop == Stop::Open { Unreadable::OpenQuote } else { Unreadable::TooLong };
                        lines.refuse(why.into());
                        break;
                    }
                }
            }
        }
        if lines.block.rows > 0 {
            each(&lines.block)?;
        }
        lines.finish()
    }
}

const EMPTY: &str = "the file is empty: it has no header";

fn failed(name: &str, error: std::io::Error) -> IngestError {
    IngestError::Read { path: name.into(), source: error }
}

pub(super) fn refuse(name: &str, line: u64, rule: Rule, detail: String) -> IngestError {
    let mut rejection = Rejection::of(name);
    rejection.add(line, rule, || Told { column: None, value: None, detail });
    IngestError::Rejected(Box::new(rejection))
}

/// The length of the first record, its line end included, if it is whole: it has an even number of quotes.
fn record_length(bytes: &[u8]) -> Option<usize> {
    let mut open = false;
    let end = bytes.iter().position(|byte| {
        open ^= *byte == b'"';
        *byte == b'\n' && !open
    });
    end.map(|end| end + 1)
}

/// Where a piece of a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Line,
    Anywhere,
}

/// Look at the whole lines of a piece. A line that was cut by a quoted line end has other cells than the header and is passed over: a
/// sample need not have every row.
fn see(piece: &[u8], start: Start, columns: &mut [Peeked]) {
    let mut lines = piece.split(|byte| *byte == b'\n');
    if start == Start::Anywhere {
        let _ = (lines.next(), lines.next_back());
    }
    for line in lines {
        let Ok(line) = str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)) else { continue };
        match split(line) {
            Ok(cells) if cells.len() == columns.len() && !(cells.len() == 1 && line.is_empty()) => {
                columns.iter_mut().zip(&cells).for_each(|(column, cell)| column.see(cell));
            }
            Ok(_) | Err(_) => {}
        }
    }
}

/// Why no more lines are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// There are none.
    End,
    /// The block is full.
    Full,
    /// A quote is open where the lines end.
    Open,
}

/// Why a record is none.
enum Broken {
    /// It has fewer or more cells than the header.
    Count,
    Unreadable(Unreadable),
}

impl From<Unreadable> for Broken {
    fn from(why: Unreadable) -> Self {
        Broken::Unreadable(why)
    }
}

struct Lines {
    block: Block,
    /// The line that comes next.
    line: u64,
    rejection: Rejection,
}

impl Lines {
    /// Take records from `at` to `end`, where a line ends; where the next one begins, and why it was not taken.
    fn take(&mut self, bytes: &[u8], mut at: usize, end: usize) -> (usize, Stop) {
        while at < end {
            if self.block.rows == ROWS {
                return (at, Stop::Full);
            }
            match self.record(bytes, at, end) {
                Ok((next, lines)) => {
                    self.block.rows += 1;
                    self.rejection.rows += 1;
                    self.line += lines;
                    at = next;
                }
                Err(Broken::Unreadable(Unreadable::OpenQuote)) => {
                    self.block.truncate(self.block.rows);
                    return (at, Stop::Open);
                }
                Err(why) => {
                    self.block.truncate(self.block.rows);
                    self.rejection.rows += 1;
                    self.refuse(why);
                    let rest = bytes.get(at..end).unwrap_or_default();
                    at += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |place| place + 1);
                    self.line += 1;
                }
            }
        }
        (at, Stop::End)
    }

    /// One record: where the next begins, and how many lines of text it took.
    fn record(&mut self, bytes: &[u8], mut at: usize, end: usize) -> Result<(usize, u64), Broken> {
        let last = self.block.columns.len().saturating_sub(1);
        let mut lines = 1;
        for (place, column) in self.block.columns.iter_mut().enumerate() {
            let stop = match column {
                Cells::Numbers { values, gaps } => {
                    if let Some((value, stop)) = number::plain(bytes, at) {
                        values.push(value);
                        stop
                    } else {
                        let cell = Cell::at(bytes, at, end)?;
                        let value = number::of_cell(&cell.bytes);
                        *gaps |= !value.is_finite();
                        values.push(value);
                        lines += cell.lines;
                        cell.stop
                    }
                }
                Cells::Words { words, codes } => {
                    let cell = Cell::at(bytes, at, end)?;
                    codes.push(words.code(&cell.bytes)?);
                    lines += cell.lines;
                    cell.stop
                }
                Cells::Nothing => {
                    let cell = Cell::at(bytes, at, end)?;
                    lines += cell.lines;
                    cell.stop
                }
            };
            if (bytes.get(stop) == Some(&b',')) == (place == last) {
                return Err(Broken::Count);
            }
            at = stop + 1;
        }
        Ok((at, lines))
    }

    fn refuse(&mut self, why: Broken) {
        let (rule, detail) = match why {
            Broken::Count => {
                let width = self.block.columns.len();
                (Rule::CellCount, format!("the line does not have {width} cells, as the header has"))
            }
            Broken::Unreadable(why) => (Rule::Unreadable, format!("the line {why}")),
        };
        self.rejection.add(self.line, rule, || Told { column: None, value: None, detail });
    }

    fn finish(mut self) -> Result<Vec<Option<Words>>, IngestError> {
        if self.rejection.rows == 0 && self.rejection.total() == 0 {
            let detail = "the file has a header and no rows".to_owned();
            self.rejection.add(1, Rule::NoRows, || Told { column: None, value: None, detail });
        }
        if self.rejection.total() > 0 {
            return Err(IngestError::Rejected(Box::new(self.rejection)));
        }
        Ok(self.block.tables())
    }
}

#[cfg(test)]
mod tests;
