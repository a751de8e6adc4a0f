//! The lines of a CSV file as RFC 4180 means them; pure over any `Read`. Refuses an open quote, a quote inside a plain cell,
//! bytes that are not UTF-8 and a byte order mark.
//!
//! Hand-written because libraries mend what ingestion must refuse: to the `csv` crate `"a"b` is `ab`, an empty line is no
//! line, and a quote that is never closed swallows the rest of the file, however large, into one cell. What that crate
//! writes is read back here unchanged; a property below says so.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use crate::types::{Digest, Hasher};

/// A line of a table is far shorter; the bound keeps a file of one endless line out of memory.
const LONGEST_LINE: usize = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads line by line and takes the digest of all bytes on the way.
pub(super) struct Records<R> {
    source: BufReader<Metered<R>>,
    raw: Vec<u8>,
    /// Where the cells of a line without quotes end; kept from line to line, since a line is not worth an allocation.
    ends: Vec<usize>,
    /// How many lines were read.
    lines: u64,
    /// No line can be found any more.
    lost: bool,
}

/// One line; a quoted cell may carry it over several lines of text.
pub(super) struct Record<'a> {
    /// Where it begins, from 1.
    pub line: u64,
    /// Its cells, or why it has none.
    pub cells: Result<Cells<'a>, Unreadable>,
}

/// The cells of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cells<'a> {
    /// Parts of the line as it stands, each with the place of its end.
    Plain(&'a str, &'a [usize]),
    /// Some were quoted.
    Quoted(Vec<Cow<'a, str>>),
}

impl<'a> Cells<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Cells::Plain(_, ends) => ends.len(),
            Cells::Quoted(cells) => cells.len(),
        }
    }

    /// The cell at a place.
    pub(super) fn get(&self, place: usize) -> Option<&str> {
        match self {
            Cells::Plain(line, ends) => {
                let begin = place.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| end + 1);
                line.get(begin..*ends.get(place)?)
            }
            Cells::Quoted(cells) => cells.get(place).map(AsRef::as_ref),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|place| self.get(place))
    }
}

/// Why a line has no cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("begins with a byte order mark: save it as UTF-8 without BOM")]
    ByteOrderMark,
    #[error("is not UTF-8: save the file as UTF-8")]
    NotUtf8,
    #[error("opens a quote that is not closed; nothing after it was read")]
    OpenQuote,
    #[error("has a quote inside a cell: quote the whole cell and double the quote in it")]
    StrayQuote,
    #[error("is longer than 1 MiB; nothing after it was read")]
    TooLong,
}

impl<R: Read> Records<R> {
    pub(super) fn of(source: R) -> Self {
        let metered = Metered { source, hasher: Hasher::default(), bytes: 0 };
        Records {
            source: BufReader::with_capacity(1 << 16, metered),
            raw: Vec::new(),
            ends: Vec::new(),
            lines: 0,
            lost: false,
        }
    }

    /// The next line; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        let line = self.lines + 1;
        let cells = match self.fill()? {
            Filled::End => return Ok(None),
            Filled::Lost(why) => Err(why),
            Filled::Line if line == 1 && self.raw.starts_with(BYTE_ORDER_MARK) => Err(Unreadable::ByteOrderMark),
            Filled::Line => match str::from_utf8(without_line_end(&self.raw)) {
                Ok(text) if text.contains('"') => split(text).map(Cells::Quoted),
                Ok(text) => {
                    self.ends.clear();
                    let commas = text.bytes().enumerate().filter(|(_, byte)| *byte == b',').map(|(place, _)| place);
                    self.ends.extend(commas.chain([text.len()]));
                    Ok(Cells::Plain(text, &self.ends))
                }
                Err(_) => Err(Unreadable::NotUtf8),
            },
        };
        Ok(Some(Record { line, cells }))
    }

    /// Read until a line ends outside of quotes. In RFC 4180 every record has an even number of quotes, so counting them
    /// tells where it ends before it is understood.
    fn fill(&mut self) -> io::Result<Filled> {
        self.raw.clear();
        let mut quotes = 0;
        while !self.lost {
            let before = self.raw.len();
            let room = (LONGEST_LINE + 1).saturating_sub(before) as u64;
            let read = (&mut self.source).take(room).read_until(b'\n', &mut self.raw)?;
            let new = self.raw.iter().skip(before);
            quotes += new.filter(|byte| **byte == b'"').count();
            self.lines += u64::from(read > 0);
            if read == 0 && before == 0 {
                return Ok(Filled::End);
            } else if self.raw.len() > LONGEST_LINE {
                self.lost = true;
                let open = quotes % 2 == 1;
                return Ok(Filled::Lost(if open { Unreadable::OpenQuote } else { Unreadable::TooLong }));
            } else if read == 0 {
                self.lost = true;
                return Ok(Filled::Lost(Unreadable::OpenQuote));
            } else if quotes % 2 == 0 {
                return Ok(Filled::Line);
            }
        }
        Ok(Filled::End)
    }

    /// The SHA-256 of what was read, and how many bytes it is.
    pub(super) fn finish(self) -> (Digest, u64) {
        let Metered { hasher, bytes, .. } = self.source.into_inner();
        (hasher.finish(), bytes)
    }
}

enum Filled {
    Line,
    End,
    Lost(Unreadable),
}

struct Metered<R> {
    source: R,
    hasher: Hasher,
    bytes: u64,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        Ok(read)
    }
}

fn without_line_end(raw: &[u8]) -> &[u8] {
    let line = raw.strip_suffix(b"\n").unwrap_or(raw);
    line.strip_suffix(b"\r").unwrap_or(line)
}

pub(super) fn split(text: &str) -> Result<Vec<Cow<'_, str>>, Unreadable> {
    if !text.contains('"') {
        return Ok(text.split(',').map(Cow::Borrowed).collect());
    }
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(opened) => quoted(opened)?,
            None => plain(rest)?,
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(cells),
            None => return Err(Unreadable::StrayQuote),
        }
    }
}

fn plain(rest: &str) -> Result<(Cow<'_, str>, &str), Unreadable> {
    let (cell, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
    if cell.contains('"') { Err(Unreadable::StrayQuote) } else { Ok((cell.into(), after)) }
}

/// The cell up to its closing quote, with `""` as `"`, and what follows.
fn quoted(opened: &str) -> Result<(Cow<'_, str>, &str), Unreadable> {
    let mut cell = Cow::Borrowed("");
    let mut rest = opened;
    while let Some((part, after)) = rest.split_once('"') {
        cell += part;
        match after.strip_prefix('"') {
            Some(next) => {
                cell += "\"";
                rest = next;
            }
            None => return Ok((cell, after)),
        }
    }
    Err(Unreadable::OpenQuote)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u64, Result<Vec<String>, Unreadable>)> {
        let mut records = Records::of(bytes);
        let mut read = Vec::new();
        while let Some(Record { line, cells }) = records.next().unwrap() {
            read.push((line, cells.map(|cells| cells.iter().map(str::to_owned).collect())));
        }
        read
    }

    fn cells(cells: &[&str]) -> Result<Vec<String>, Unreadable> {
        Ok(cells.iter().map(|&cell| cell.to_owned()).collect())
    }

    #[test]
    fn lines_are_numbered_as_an_editor_does() {
        let found = read(b"a,b\r\n\"x\ny\",1\n\n3,4");
        assert_eq!(
            found,
            [(1, cells(&["a", "b"])), (2, cells(&["x\ny", "1"])), (4, cells(&[""])), (5, cells(&["3", "4"]))]
        );
    }

    #[test]
    fn what_is_not_csv_is_refused_and_not_mended() {
        for (line, why) in [
            (&b"\xEF\xBB\xBFa,b"[..], Unreadable::ByteOrderMark),
            (b"caf\xE9,1", Unreadable::NotUtf8),
            (b"\"a\"b,1\"\"", Unreadable::StrayQuote),
            (b"5\"\" pipe,1", Unreadable::StrayQuote),
            (b"a,\"b\nc\nd", Unreadable::OpenQuote),
            (b"5\" pipe,1", Unreadable::OpenQuote),
        ] {
            assert_eq!(read(line), [(1, Err(why))], "{:?}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn an_endless_line_does_not_fill_the_memory() {
        for (byte, why) in [(b'x', Unreadable::TooLong), (b'"', Unreadable::TooLong)] {
            let mut records = Records::of(io::repeat(byte));
            assert_eq!(
                records.next().unwrap().unwrap().cells,
                Err(if byte == b'"' { Unreadable::OpenQuote } else { why })
            );
            assert!(records.raw.capacity() < 4 * LONGEST_LINE);
            assert!(records.next().unwrap().is_none());
        }
    }

    #[test]
    fn the_digest_is_of_all_bytes() {
        let mut records = Records::of(&b"a\n1\n"[..]);
        while records.next().unwrap().is_some() {}
        assert_eq!(records.finish(), (Digest::of("a\n1\n"), 4));
    }

    proptest! {
        #[test]
        fn what_the_csv_crate_writes_is_read_back(
            rows in prop::collection::vec(prop::collection::vec("[a-z,\"\r\n é]{0,6}", 3), 1..8),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let found = read(&writer.into_inner().unwrap());
            let found: Vec<_> = found.into_iter().map(|(_, cells)| cells.unwrap()).collect();
            prop_assert_eq!(found, rows);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(prop::sample::select(b"a,\"\r\n\xFF".to_vec()), 0..40)) {
            let lines = read(&bytes).len();
            prop_assert!(lines <= bytes.len());
        }
    }
}
