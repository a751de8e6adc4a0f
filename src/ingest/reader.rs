//! Opens the files that rows come from and the scratch space that a dataset grows in; a door, and the only one of ingest.
#![expect(clippy::disallowed_methods, reason = "a door: rows come from files")]

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::IngestError;
use super::blocks::Table;
use super::sources::{Scratch, Sources};

/// Bytes of a CSV file and the name that they go by in messages.
pub struct Source<R> {
    /// The file, as the reader knows it.
    pub name: String,
    /// Its bytes.
    pub bytes: R,
}

impl<R: Read> Source<R> {
    /// Any bytes, under a name.
    pub fn new(name: impl Into<String>, bytes: R) -> Self {
        Source { name: name.into(), bytes }
    }
}

/// Open a CSV file.
///
/// # Errors
/// `Read` when it cannot be opened.
pub fn open(path: &Path) -> Result<Source<File>, IngestError> {
    match File::open(path) {
        Ok(file) => Ok(Source::new(path.display().to_string(), file)),
        Err(source) => Err(IngestError::Read { path: path.to_owned(), source }),
    }
}

/// Open a file of any rows, CSV or Parquet.
///
/// # Errors
/// `Read` when it cannot be opened; `Rejected` when it is neither.
pub fn open_table(path: &Path) -> Result<Table<File>, IngestError> {
    let Source { name, bytes } = open(path)?;
    Table::open(name, bytes)
}

/// A nameless file that vanishes when it is closed, in a folder that has room for a dataset.
///
/// # Errors
/// `Scratch` when the folder cannot be written to.
pub fn scratch_in(folder: &Path) -> Result<ScratchFile, IngestError> {
    let named = |error| IngestError::Scratch(in_folder(folder, error));
    Ok(ScratchFile { file: tempfile::tempfile_in(folder).map_err(named)?, folder: folder.to_owned() })
}

/// A nameless file whose errors say where it is: a full disk is mended only if one knows which.
#[derive(Debug)]
pub struct ScratchFile {
    file: File,
    folder: PathBuf,
}

impl ScratchFile {
    fn named<T>(&self, outcome: io::Result<T>) -> io::Result<T> {
        outcome.map_err(|error| in_folder(&self.folder, error))
    }
}

fn in_folder(folder: &Path, error: io::Error) -> io::Error {
    // A reader or writer that was interrupted tries again, so that kind stays as it is.
    io::Error::new(error.kind(), format!("{error} (in {}; TMPDIR names another folder)", folder.display()))
}

impl Read for ScratchFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer);
        self.named(read)
    }
}

impl Write for ScratchFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        self.named(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.file.flush();
        self.named(flushed)
    }
}

impl Seek for ScratchFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = self.file.seek(to);
        self.named(place)
    }
}

/// The files on disk that match globs; the `sources:` of a policy.
pub struct Globs {
    root: PathBuf,
    patterns: Vec<String>,
}

impl Globs {
    /// Patterns that begin at `root`: `data/new/*.csv`.
    pub fn new(root: PathBuf, patterns: Vec<String>) -> Self {
        Globs { root, patterns }
    }
}

impl Sources for Globs {
    fn names(&self) -> Result<Vec<String>, IngestError> {
        let mut names = Vec::new();
        for pattern in &self.patterns {
            let whole = self.root.join(pattern);
            let bad = |why: String| IngestError::Pattern { pattern: pattern.clone(), why };
            let found = glob::glob(&whole.to_string_lossy()).map_err(|error| bad(error.to_string()))?;
            for path in found {
                let path = path.map_err(|error| bad(error.to_string()))?;
                if path.is_file() {
                    names.push(path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().into_owned());
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read>, IngestError> {
        Ok(Box::new(open(&self.root.join(name))?.bytes))
    }

    fn scratch(&self) -> Result<Box<dyn Scratch>, IngestError> {
        Ok(Box::new(scratch_in(&std::env::temp_dir())?))
    }
}
