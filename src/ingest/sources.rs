//! Where new labelled rows come from, as a small trait: folders on disk in the product, memory in a backtest; pure.

use std::io::{Cursor, Read, Seek, Write};

use super::IngestError;

/// Files of labelled rows.
pub trait Sources {
    /// Their names, sorted.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn names(&self) -> Result<Vec<String>, IngestError>;

    /// The bytes of one of them.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn open(&self, name: &str) -> Result<Box<dyn Read>, IngestError>;

    /// Space for a dataset to grow in until it is sealed.
    ///
    /// # Errors
    /// When there is none.
    fn scratch(&self) -> Result<Box<dyn Scratch>, IngestError> {
        Ok(Box::new(Cursor::new(Vec::new())))
    }
}

/// Something to write, rewind and read: a file, or memory.
pub trait Scratch: Read + Write + Seek + Send {}

impl<T: Read + Write + Seek + Send> Scratch for T {}

/// No files at all: datasets are taken in by hand.
pub struct NoSources;

impl Sources for NoSources {
    fn names(&self) -> Result<Vec<String>, IngestError> {
        Ok(Vec::new())
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read>, IngestError> {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        Err(IngestError::Read { path: name.into(), source })
    }
}
