//! A file of a zip archive as a gzip stream: both hold the same DEFLATE bytes, so nothing is unpacked; pure. The archive is one that
//! the program brings along, and what it does not hold is not there.

/// The file whose name ends so, as gzip (RFC 1952).
pub(super) fn gzip(zip: &[u8], ends: &str) -> Option<Vec<u8>> {
    let entry = entries(zip).find(|entry| entry.name.ends_with(ends.as_bytes()))?;
    if entry.method != DEFLATE {
        return None;
    }
    // The local header repeats the name, and has an extra field of its own length (APPNOTE 4.3.7).
    let local = zip.get(entry.at..).filter(|local| local.starts_with(b"PK\x03\x04"))?;
    let begins = 30 + number(local, 26, 2)? + number(local, 28, 2)?;
    let packed = local.get(begins..begins.checked_add(entry.packed)?)?;
    // No flags, no time, no system: the same bytes whenever it is made.
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    Some([&head, packed, entry.crc, entry.length].concat())
}

const DEFLATE: usize = 8;

/// An entry of the central directory (APPNOTE 4.3.12).
struct Entry<'a> {
    name: &'a [u8],
    method: usize,
    packed: usize,
    /// Where its local header begins.
    at: usize,
    /// CRC-32 and length of what was packed, in the order of bytes that gzip has, too.
    crc: &'a [u8],
    length: &'a [u8],
}

fn entries(zip: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    // The end of the directory is the last thing but for a comment.
    let end = zip.windows(4).rposition(|signature| signature == b"PK\x05\x06");
    let mut next = end.and_then(|end| number(zip.get(end..)?, 16, 4));
    std::iter::from_fn(move || {
        let at = next?;
        let entry = zip.get(at..).filter(|entry| entry.starts_with(b"PK\x01\x02"))?;
        let name = entry.get(46..46 + number(entry, 28, 2)?)?;
        next = Some(at + 46 + name.len() + number(entry, 30, 2)? + number(entry, 32, 2)?);
        Some(Entry {
            name,
            method: number(entry, 10, 2)?,
            packed: number(entry, 20, 4)?,
            at: number(entry, 42, 4)?,
            crc: entry.get(16..20)?,
            length: entry.get(24..28)?,
        })
    })
}

/// `size` bytes at a place, the lowest first.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + size)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

    use super::*;

    #[test]
    fn the_viewer_is_in_its_archive() {
        for name in ["/dist/swagger-ui.css", "/dist/swagger-ui-bundle.js"] {
            let bytes = gzip(SWAGGER_UI_VENDORED, name).unwrap();
            assert!(bytes.len() > 20_000 && bytes.starts_with(&[0x1f, 0x8b, 8]), "{name}");
        }
        assert_eq!(gzip(SWAGGER_UI_VENDORED, "/dist/nothing"), None);
    }

    #[test]
    fn what_is_no_archive_holds_nothing() {
        let half = &SWAGGER_UI_VENDORED[..SWAGGER_UI_VENDORED.len() / 2];
        for bytes in [&b""[..], b"PK\x05\x06", half] {
            assert_eq!(gzip(bytes, ".css"), None);
        }
    }
}
