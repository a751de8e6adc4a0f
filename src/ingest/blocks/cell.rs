//! One cell of a CSV line, found in the bytes; pure. Refuses what `record` refuses.

use std::borrow::Cow;

use super::super::record::Unreadable;
use super::number;

/// A cell's bytes, where the byte is that ends it, and how many line ends it has inside.
pub(super) struct Cell<'a> {
    pub bytes: Cow<'a, [u8]>,
    pub stop: usize,
    pub lines: u64,
}

impl<'a> Cell<'a> {
    #[inline]
    pub(super) fn at(bytes: &'a [u8], at: usize, end: usize) -> Result<Cell<'a>, Unreadable> {
        let rest = bytes.get(at..end).unwrap_or_default();
        if rest.first() == Some(&b'"') {
            return Cell::quoted(bytes, at + 1, end);
        }
        let length = rest.iter().position(|byte| matches!(byte, b',' | b'\n' | b'"')).ok_or(Unreadable::OpenQuote)?;
        let (cell, ending) = rest.split_at(length);
        match ending.first() {
            Some(b'"') => Err(Unreadable::StrayQuote),
            Some(b'\n') => {
                let cell = cell.strip_suffix(b"\r").unwrap_or(cell);
                Ok(Cell { bytes: cell.into(), stop: at + length, lines: 0 })
            }
            Some(_) | None => Ok(Cell { bytes: cell.into(), stop: at + length, lines: 0 }),
        }
    }

    /// Up to the closing quote, with `""` as `"`.
    fn quoted(bytes: &'a [u8], mut at: usize, end: usize) -> Result<Cell<'a>, Unreadable> {
        let mut cell: Cow<'a, [u8]> = Cow::Borrowed(&[]);
        loop {
            let rest = bytes.get(at..end).unwrap_or_default();
            let length = rest.iter().position(|byte| *byte == b'"').ok_or(Unreadable::OpenQuote)?;
            let (part, after) = rest.split_at(length);
            if cell.is_empty() {
                cell = Cow::Borrowed(part);
            } else {
                cell.to_mut().extend_from_slice(part);
            }
            at += length + 1;
            if after.get(1) == Some(&b'"') {
                cell.to_mut().push(b'"');
                at += 1;
                continue;
            }
            let stop = number::ends(bytes, at).ok_or(Unreadable::StrayQuote)?;
            let lines = cell.iter().filter(|byte| **byte == b'\n').count() as u64;
            return Ok(Cell { bytes: cell, stop, lines });
        }
    }
}
