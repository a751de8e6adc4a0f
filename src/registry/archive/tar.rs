//! The one form of tar that Regent writes and reads: plain ustar, regular files, everything else at its only value; pure.
//!
//! Two readers of one archive must not see two contents, which extensions (pax, GNU long names, sparse files) make possible; so
//! a header is taken only if it is, byte for byte, the one that [`write`] writes for its name and size.

use std::collections::BTreeMap;

use super::ArchiveFault;

const BLOCK: usize = 512;
/// What stands after the last file.
const END: usize = 2 * BLOCK;
/// The largest file; a model of a million leaves has 60 MiB.
pub(super) const LARGEST_FILE: u64 = 256 << 20;
/// The most files: a bundle has twelve, and each signature is one.
pub(super) const MOST_FILES: usize = 76;

// Where the fields of a header begin and end (POSIX.1-1988, "ustar Interchange Format").
const NAME: std::ops::Range<usize> = 0..100;
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const TYPE: usize = 156;
const MAGIC: std::ops::Range<usize> = 257..265;
const PREFIX: std::ops::Range<usize> = 345..500;

type Header = [u8; BLOCK];

/// Write files under their paths, each of a folder and a name; the same files always give the same bytes.
///
/// # Errors
/// `Name` for a path that a header cannot hold; `LargeFile` for a file that no reader of ours would take.
pub(super) fn write(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, ArchiveFault> {
    let mut archive = Vec::new();
    for (path, bytes) in files {
        let size = bytes.len() as u64;
        if size > LARGEST_FILE {
            return Err(ArchiveFault::LargeFile { path: path.clone(), size });
        }
        archive.extend_from_slice(&header(path, size).ok_or_else(|| name(path))?);
        archive.extend_from_slice(bytes);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive.resize(archive.len() + END, 0);
    Ok(archive)
}

/// Read the files of an archive, by path. Nothing is unpacked, and nothing of a file is kept before its header is judged.
///
/// # Errors
/// The first thing that [`write`] would not have written.
pub(super) fn read(archive: &[u8]) -> Result<BTreeMap<String, &[u8]>, ArchiveFault> {
    let mut files: BTreeMap<String, &[u8]> = BTreeMap::new();
    let mut rest = archive;
    loop {
        let (header, after) = rest.split_first_chunk::<BLOCK>().ok_or(ArchiveFault::Truncated)?;
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        if files.len() == MOST_FILES {
            return Err(ArchiveFault::TooManyFiles);
        }
        let (path, size) = entry(header)?;
        let (bytes, after) = after.split_at_checked(size).ok_or(ArchiveFault::Truncated)?;
        let (padding, after) =
            after.split_at_checked(size.next_multiple_of(BLOCK) - size).ok_or(ArchiveFault::Truncated)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(ArchiveFault::HiddenBytes { path });
        }
        if files.contains_key(&path) {
            return Err(ArchiveFault::Twice { path });
        }
        if files.last_key_value().is_some_and(|(last, _)| *last > path) {
            return Err(ArchiveFault::Order { path });
        }
        files.insert(path, bytes);
        rest = after;
    }
    match rest.len() {
        END if rest.iter().all(|byte| *byte == 0) => Ok(files),
        length if length < END => Err(ArchiveFault::Truncated),
        _ => Err(ArchiveFault::Trailing),
    }
}

/// The path and size that a header speaks of.
fn entry(header: &Header) -> Result<(String, usize), ArchiveFault> {
    if header.get(MAGIC) != Some(b"ustar\x0000".as_slice()) || !checks(header) {
        return Err(ArchiveFault::NotUstar);
    }
    let path = path_of(header)?;
    if let Some(kind) = kind(header[TYPE]) {
        return Err(ArchiveFault::NotAFile { path, kind });
    }
    if path.starts_with('/') {
        return Err(ArchiveFault::Absolute { path });
    }
    if path.split('/').any(|segment| segment == "..") {
        return Err(ArchiveFault::Traversal { path });
    }
    let size = octal(header, SIZE).ok_or_else(|| ArchiveFault::NotWrittenHere { path: path.clone() })?;
    if size > LARGEST_FILE {
        return Err(ArchiveFault::LargeFile { path, size });
    }
    match self::header(&path, size) {
        Some(only) if only == *header => Ok((path, usize::try_from(size).unwrap_or(usize::MAX))),
        Some(_) => Err(ArchiveFault::NotWrittenHere { path }),
        None => Err(name(&path)),
    }
}

/// What an entry is that is no regular file.
fn kind(of: u8) -> Option<&'static str> {
    Some(match of {
        b'0' => return None,
        b'1' => "a hard link",
        b'2' => "a symbolic link",
        b'3' => "a character device",
        b'4' => "a block device",
        b'5' => "a folder",
        b'6' => "a pipe",
        b'S' => "a sparse file",
        b'x' | b'g' => "a pax extension",
        b'L' | b'K' => "a GNU long name",
        _ => "of an unknown kind",
    })
}

/// The only header for this path and size; none for a path that does not fit.
fn header(path: &str, size: u64) -> Option<Header> {
    let (folder, name) = path.rsplit_once('/')?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    // The last byte of a field stays NUL: not every reader of ustar takes a full one.
    if !plain(folder) || !plain(name) || name.len() >= NAME.len() || folder.len() >= PREFIX.len() {
        return None;
    }
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| {
        header.iter_mut().skip(at).zip(text.bytes()).for_each(|(to, from)| *to = from);
    };
    put(NAME.start, name);
    put(100, "0000444\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(SIZE.start, &format!("{size:011o}\0"));
    put(136, "00000000000\0");
    put(CHECKSUM.start, "        ");
    put(TYPE, "0");
    put(MAGIC.start, "ustar\x0000");
    put(329, "0000000\0");
    put(337, "0000000\0");
    put(PREFIX.start, folder);
    let sum = sum(&header);
    header.iter_mut().skip(CHECKSUM.start).zip(format!("{sum:06o}\0 ").bytes()).for_each(|(to, from)| *to = from);
    Some(header)
}

fn sum(header: &Header) -> u64 {
    let blank = |(at, byte): (usize, &u8)| u64::from(if CHECKSUM.contains(&at) { b' ' } else { *byte });
    header.iter().enumerate().map(blank).sum()
}

fn checks(header: &Header) -> bool {
    octal(header, CHECKSUM) == Some(sum(header))
}

/// A number in octal digits, ended by NUL or a blank.
fn octal(header: &Header, field: std::ops::Range<usize>) -> Option<u64> {
    let digits = header.get(field)?.split(|byte| matches!(byte, 0 | b' ')).next()?;
    let text = str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    u64::from_str_radix(text, 8).ok()
}

/// Prefix and name, as every reader of ustar joins them.
fn path_of(header: &Header) -> Result<String, ArchiveFault> {
    let text = |field: std::ops::Range<usize>| {
        let bytes = header.get(field).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    };
    let (prefix, name) = (text(PREFIX), text(NAME));
    let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
    if path.contains(char::is_control) || path.contains(char::REPLACEMENT_CHARACTER) {
        return Err(self::name(&path));
    }
    Ok(path)
}

fn name(path: &str) -> ArchiveFault {
    ArchiveFault::Name { path: path.escape_default().take(200).collect() }
}
