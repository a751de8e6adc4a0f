//! What was said of the rows of a file, as a file: CSV, JSON lines or Parquet; pure over bytes. A row keeps its number, and a refused
//! one has its violations where another has its prediction.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use serde::Serialize;

use super::Said;
use crate::contract::{Task, Violation};
use crate::scoring::Score;
use crate::serve::ServeError;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated, with a header.
    Csv,
    /// A JSON object a line.
    Lines,
    /// Apache Parquet.
    Parquet,
}

/// What was said of some rows, made ready to be written.
pub struct Page {
    /// How many of them the contract refuses.
    pub refused: u64,
    body: Body,
}

enum Body {
    Text(Vec<u8>),
    Columns(RecordBatch),
}

/// Writes pages, one after the other.
pub struct Pages<W: Write + Send> {
    form: Form,
    task: Task,
    to: To<W>,
}

enum To<W: Write + Send> {
    Text(W),
    Columns(Box<ArrowWriter<W>>),
}

/// One line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    row: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "<[Violation]>::is_empty")]
    errors: &'a [Violation],
}

/// A column's name, and what a row has there.
type Number = (&'static str, fn(&Score) -> Option<f64>);

/// The columns between `row` and `errors`.
fn numbers(task: Task) -> &'static [Number] {
    match task {
        Task::Binary => &[("probability", |score| Some(score.prediction))],
        Task::Regression => &[
            ("prediction", |score| Some(score.prediction)),
            ("lower", |score| score.interval.map(|(lower, _)| lower)),
            ("upper", |score| score.interval.map(|(_, upper)| upper)),
        ],
    }
}

fn words(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn unwritten(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ServeError {
    ServeError::Write(std::io::Error::other(error))
}

impl Page {
    /// These rows, of which the first has this number.
    ///
    /// # Errors
    /// `Write`: a number or a word that the form cannot hold; a defect.
    pub fn of(form: Form, task: Task, first: u64, rows: &[Said]) -> Result<Page, ServeError> {
        let body = match form {
            Form::Csv => Body::Text(csv_of(task, first, rows)?),
            Form::Lines => Body::Text(lines_of(task, first, rows)?),
            Form::Parquet => Body::Columns(columns_of(task, first, rows)?),
        };
        Ok(Page { refused: rows.iter().filter(|row| row.is_err()).count() as u64, body })
    }
}

fn csv_of(task: Task, first: u64, rows: &[Said]) -> Result<Vec<u8>, ServeError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (row, said) in (first..).zip(rows) {
        let mut fields = vec![row.to_string()];
        let score = said.as_ref().ok();
        let number = |of: &fn(&Score) -> Option<f64>| score.and_then(of).map(|number| number.to_string());
        fields.extend(numbers(task).iter().map(|(_, of)| number(of).unwrap_or_default()));
        fields.push(said.as_ref().err().map(|violations| words(violations)).unwrap_or_default());
        writer.write_record(&fields).map_err(unwritten)?;
    }
    writer.into_inner().map_err(|error| unwritten(error.to_string()))
}

fn lines_of(task: Task, first: u64, rows: &[Said]) -> Result<Vec<u8>, ServeError> {
    let mut text = Vec::new();
    for (row, said) in (first..).zip(rows) {
        let silent = Line { row, probability: None, prediction: None, interval: None, errors: &[] };
        let line = match (said, task) {
            (Err(violations), _) => Line { errors: violations, ..silent },
            (Ok(score), Task::Binary) => Line { probability: Some(score.prediction), ..silent },
            (Ok(score), Task::Regression) => {
                Line { prediction: Some(score.prediction), interval: score.interval, ..silent }
            }
        };
        serde_json::to_writer(&mut text, &line).map_err(unwritten)?;
        text.push(b'\n');
    }
    Ok(text)
}

fn schema(task: Task) -> Arc<Schema> {
    let numbers = numbers(task).iter().map(|(name, _)| Field::new(*name, DataType::Float64, true));
    let mut fields = vec![Field::new("row", DataType::UInt64, false)];
    fields.extend(numbers);
    fields.push(Field::new("errors", DataType::Utf8, true));
    Arc::new(Schema::new(fields))
}

fn columns_of(task: Task, first: u64, rows: &[Said]) -> Result<RecordBatch, ServeError> {
    let number = |of: &fn(&Score) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(|said| said.as_ref().ok().and_then(of)).collect::<Float64Array>())
    };
    let errors = rows.iter().map(|said| said.as_ref().err().map(|violations| words(violations)));
    let mut columns: Vec<ArrayRef> = vec![Arc::new((first..).take(rows.len()).collect::<UInt64Array>())];
    columns.extend(numbers(task).iter().map(|(_, of)| number(of)));
    columns.push(Arc::new(errors.collect::<StringArray>()));
    RecordBatch::try_new(schema(task), columns).map_err(unwritten)
}

impl<W: Write + Send> Pages<W> {
    /// Begin a file.
    ///
    /// # Errors
    /// `Write`.
    pub fn begin(form: Form, task: Task, mut target: W) -> Result<Self, ServeError> {
        let to = match form {
            Form::Csv => {
                let names: String = numbers(task).iter().map(|(name, _)| format!("{name},")).collect();
                writeln!(target, "row,{names}errors").map_err(ServeError::Write)?;
                To::Text(target)
            }
            Form::Lines => To::Text(target),
            Form::Parquet => {
                let writer = ArrowWriter::try_new(target, schema(task), None).map_err(unwritten)?;
                To::Columns(Box::new(writer))
            }
        };
        Ok(Pages { form, task, to })
    }

    /// The form and the task that pages must be made for.
    pub fn kind(&self) -> (Form, Task) {
        (self.form, self.task)
    }

    /// Add a page.
    ///
    /// # Errors
    /// `Write`; a page of another form is a defect.
    pub fn add(&mut self, page: &Page) -> Result<(), ServeError> {
        match (&mut self.to, &page.body) {
            (To::Text(target), Body::Text(text)) => target.write_all(text).map_err(ServeError::Write),
            (To::Columns(writer), Body::Columns(batch)) => writer.write(batch).map_err(unwritten),
            (To::Text(_), Body::Columns(_)) | (To::Columns(_), Body::Text(_)) => {
                Err(unwritten("a page of another form"))
            }
        }
    }

    /// Finish the file and hand its target back.
    ///
    /// # Errors
    /// `Write`.
    pub fn finish(self) -> Result<W, ServeError> {
        match self.to {
            To::Text(mut target) => target.flush().map(|()| target).map_err(ServeError::Write),
            To::Columns(writer) => writer.into_inner().map_err(unwritten),
        }
    }
}
