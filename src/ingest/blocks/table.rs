//! A file of rows, whatever its form; pure over bytes.

use std::io::{Read, Seek, SeekFrom};

use parquet::file::reader::ChunkReader;

use super::super::IngestError;
use super::super::domain::Rule;
use super::columnar::Columnar;
use super::text::{Text, refuse};
use super::{Block, Peeked, Reads, Words};

const PARQUET: &[u8; 4] = b"PAR1";

/// A file that was opened: its columns are known, its rows are not read.
pub struct Table<R: ChunkReader + 'static> {
    name: String,
    form: Form<R>,
}

enum Form<R: ChunkReader + 'static> {
    Text(Text<R>),
    Columnar(Columnar<R>),
}

impl<R: ChunkReader + Read + Seek + 'static> Table<R> {
    /// Take a file by its first bytes: Parquet says that it is, everything else is CSV.
    ///
    /// # Errors
    /// `Rejected` when it has no columns, or one twice; `Read`.
    pub fn open(name: String, mut source: R) -> Result<Table<R>, IngestError> {
        let mut first = [0; 4];
        // A pipe cannot go back, so it is CSV: Parquet cannot be read from one.
        let is_parquet = source.rewind().is_ok() && source.read_exact(&mut first).is_ok() && first == *PARQUET;
        let failed = |error| IngestError::Read { path: name.clone().into(), source: error };
        if source.stream_position().is_ok() {
            source.seek(SeekFrom::Start(0)).map_err(failed)?;
        }
        let form = if is_parquet {
            Form::Columnar(Columnar::open(&name, source)?)
        } else {
            Form::Text(Text::open(&name, source)?)
        };
        let table = Table { name, form };
        let columns = table.columns();
        if let Some(twice) = columns.iter().enumerate().find(|(place, name)| columns[..*place].contains(name)) {
            let detail = format!("the header names `{}` twice", twice.1);
            return Err(refuse(&table.name, 1, Rule::RepeatedColumn, detail));
        }
        Ok(table)
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `csv` or `parquet`.
    pub fn form(&self) -> &'static str {
        match &self.form {
            Form::Text(_) => "csv",
            Form::Columnar(_) => "parquet",
        }
    }

    /// The columns, in the order of the file.
    pub fn columns(&self) -> &[String] {
        match &self.form {
            Form::Text(text) => text.columns(),
            Form::Columnar(columnar) => columnar.columns(),
        }
    }

    /// Look at a sample of the rows, spread over the file; the seed says where.
    ///
    /// # Errors
    /// `Read`; `Rejected` for what is no table.
    pub fn peek(&mut self, seed: u64) -> Result<Vec<Peeked>, IngestError> {
        match &mut self.form {
            Form::Text(text) => text.peek(seed),
            Form::Columnar(columnar) => columnar.peek(seed),
        }
    }

    /// Hand on all rows in their order, a block at a time, each column as `reads` says; then the tables of words. Memory does not
    /// grow with the file.
    ///
    /// # Errors
    /// `Rejected` with every violation; `Read`; whatever `each` fails with.
    pub fn read(
        self,
        reads: Vec<Reads>,
        each: impl FnMut(&Block) -> Result<(), IngestError>,
    ) -> Result<Vec<Option<Words>>, IngestError> {
        match self.form {
            Form::Text(text) => text.read(reads, each),
            Form::Columnar(columnar) => columnar.read(reads, each),
        }
    }
}
