//! Two files, read once each, and what they say; pure over bytes.

use std::io::{Read, Seek};
use std::sync::Arc;

use parquet::file::reader::ChunkReader;

use super::file::{Column, Counts, File, From, HELD, Held, Numbers};
use super::judged::{absent_columns, beside, drifted_features, features};
use super::performance::performance;
use super::plan::{Planned, plan};
use super::sample::{Sample, Until};
use super::{Asked, Classifier, DatasetReport, FileReport, FilesError, FilesReport, Kind, LeftOut, Role, domain};
use crate::drift::rules::DriftRules;
use crate::ingest::blocks::{Peeked, Reads, Table, Words};
use crate::types::Verdict;

/// The name of the column that is made of target and prediction.
const ERROR: &str = "target - prediction";

/// Compare two files. Both are read once, and memory does not grow with either: statistics are of the rows themselves while a file
/// holds at most 2,500,000 numbers, and of 256 bins frozen from the reference beyond.
///
/// # Errors
/// A file that is not a table, or does not have a column that was named.
pub fn compare<R, S>(
    reference: Table<R>,
    current: Table<S>,
    asked: &Asked,
    rules: &DriftRules,
) -> Result<FilesReport, FilesError>
where
    R: ChunkReader + Read + Seek + 'static,
    S: ChunkReader + Read + Seek + 'static,
{
    compare_holding(HELD, reference, current, asked, rules)
}

/// As [`compare`], holding at most so many numbers of a file.
pub(super) fn compare_holding<R, S>(
    most_held: usize,
    mut reference: Table<R>,
    current: Table<S>,
    asked: &Asked,
    rules: &DriftRules,
) -> Result<FilesReport, FilesError>
where
    R: ChunkReader + Read + Seek + 'static,
    S: ChunkReader + Read + Seek + 'static,
{
    for column in asked.target.iter().chain(&asked.prediction) {
        named(column, reference.columns(), reference.name())?;
        named(column, current.columns(), current.name())?;
    }
    let files = (about(&reference), about(&current));
    let peeked = reference.peek(asked.seed)?;
    let (mut planned, mut left_out) = plan(&peeked, asked);
    let new_columns = newer(current.columns(), reference.columns());
    planned.extend(error_of(&planned));
    let mut then = read(reference, &planned, starts(&planned, &peeked), most_held, asked)?;
    let mut now = read(current, &planned, continued(&planned, &then), most_held, asked)?;
    align(&mut then, &mut now);
    let absent: Vec<&str> = planned
        .iter()
        .zip(&now.columns)
        .filter(|(_, column)| matches!(column, Column::Absent))
        .map(|(planned, _)| planned.name.as_str())
        .collect();
    let absent_check = absent_columns(&absent, then.rows.min(now.rows));
    left_out.extend(
        absent.iter().map(|column| LeftOut {
            column: (*column).to_owned(),
            why: "the current file does not have it".to_owned(),
        }),
    );
    let reference = FileReport { rows: then.rows, ..files.0 };
    let current = FileReport { rows: now.rows, ..files.1 };
    left_out.extend(no_features(&mut then, &planned));
    let features = features(&planned, &then, &now, rules);
    let mut checks = vec![drifted_features(&features, then.rows.min(now.rows), rules), absent_check];
    checks
        .extend(features.iter().filter(|feature| feature.role != Role::Feature).map(|named| beside(named, &features)));
    let mut importances = Vec::new();
    let wanted = match asked.classifier {
        Classifier::Auto => then.is_held() && now.is_held(),
        Classifier::Always => true,
        Classifier::Never => false,
    };
    if wanted {
        let (check, found) = domain::tell_apart((&then, &now), &planned, rules, asked.seed);
        checks.push(check);
        importances = found;
    }
    let verdict = Verdict::worst(checks.iter().filter_map(|check| check.verdict));
    let performance = performance(&then.pairs, &now.pairs);
    let dataset = DatasetReport { reference, current, checks, performance, left_out, new_columns, importances };
    Ok(FilesReport { format_version: 1, verdict, features, dataset })
}

fn named(column: &str, columns: &[String], file: &str) -> Result<(), FilesError> {
    if columns.iter().any(|there| there == column) {
        return Ok(());
    }
    Err(FilesError::NoColumn { column: column.to_owned(), file: file.to_owned() })
}

fn about<R: ChunkReader + Read + Seek + 'static>(table: &Table<R>) -> FileReport {
    let columns = table.columns().len() as u64;
    FileReport { file: table.name().to_owned(), form: table.form().to_owned(), rows: 0, columns }
}

fn newer(columns: &[String], known: &[String]) -> Vec<String> {
    columns.iter().filter(|column| !known.contains(column)).cloned().collect()
}

/// The difference of what came true and what was predicted, where both are numbers.
fn error_of(planned: &[Planned]) -> Option<Planned> {
    let numeric = |role| planned.iter().any(|column| column.role == role && column.kind == Kind::Numeric);
    (numeric(Role::Target) && numeric(Role::Prediction)).then(|| Planned {
        name: ERROR.to_owned(),
        role: Role::Error,
        kind: Kind::Numeric,
        declared: Words::default(),
        guessed: false,
    })
}

/// Where a column begins: what its bins are frozen from, or the words that are known.
enum Start {
    Numbers(From),
    Words(Words),
    Absent,
}

fn starts(planned: &[Planned], peeked: &[Peeked]) -> Vec<Start> {
    let start = |column: &Planned| match column.kind {
        Kind::Nominal => Start::Words(column.declared.clone()),
        Kind::Numeric => {
            let sample = peeked.iter().find(|peeked| peeked.name == column.name && column.role != Role::Error);
            Start::Numbers(sample.map_or(From::Held, |peeked| From::Values(peeked.numbers.clone())))
        }
    };
    planned.iter().map(start).collect()
}

/// The current file is counted in the reference's bins and by the reference's words.
fn continued(planned: &[Planned], then: &File) -> Vec<Start> {
    let start = |(_, column): (&Planned, &Column)| match column {
        Column::Words(counts) => Start::Words(counts.words.clone()),
        Column::Numbers(Numbers { held: Held::Values(values), .. }) => Start::Numbers(From::Values(values.clone())),
        Column::Numbers(Numbers { held: Held::Counts { bins, .. }, .. }) => {
            Start::Numbers(From::Bins(Arc::clone(bins)))
        }
        Column::Absent => Start::Absent,
    };
    planned.iter().zip(&then.columns).map(start).collect()
}

fn read<R: ChunkReader + Read + Seek + 'static>(
    table: Table<R>,
    planned: &[Planned],
    starts: Vec<Start>,
    most_held: usize,
    asked: &Asked,
) -> Result<File, FilesError> {
    let place_of = |name: &str| table.columns().iter().position(|column| column == name);
    let places: Vec<Option<usize>> = planned.iter().map(|column| place_of(&column.name)).collect();
    let mut reads: Vec<Reads> = table.columns().iter().map(|_| Reads::Nothing).collect();
    let mut columns = Vec::with_capacity(planned.len());
    for ((start, place), column) in starts.into_iter().zip(&places).zip(planned) {
        let reading = place.and_then(|place| reads.get_mut(place));
        columns.push(match (start, reading) {
            (Start::Numbers(from), _) if column.role == Role::Error => Column::Numbers(Numbers::new(from)),
            (Start::Numbers(from), Some(reading)) => {
                *reading = Reads::Numbers;
                Column::Numbers(Numbers::new(from))
            }
            (Start::Words(words), Some(reading)) => {
                *reading = Reads::Words(words);
                Column::Words(Counts::default())
            }
            (_, _) => Column::Absent,
        });
    }
    let of = |role| planned.iter().zip(&places).find(|(column, _)| column.role == role).and_then(|(_, place)| *place);
    let error_of =
        planned.last().filter(|column| column.role == Role::Error).and(of(Role::Target).zip(of(Role::Prediction)));
    let until = match asked.classifier {
        Classifier::Auto => Until::Large,
        Classifier::Always => Until::End,
        Classifier::Never => Until::Closed,
    };
    let width = planned.iter().filter(|column| column.role != Role::Error).count();
    let mut file = File::new(columns, most_held, Sample::new(width, until, asked.seed));
    let tables = table.read(reads, |block| {
        file.take(block, &places, error_of);
        Ok(())
    })?;
    for (column, place) in file.columns.iter_mut().zip(&places) {
        if let (Column::Words(counts), Some(Some(words))) = (column, place.and_then(|place| tables.get(place))) {
            counts.words = words.clone();
        }
    }
    Ok(file)
}

/// Where one file is counted, the other is counted in the same bins.
fn align(then: &mut File, now: &mut File) {
    for (then, now) in then.columns.iter_mut().zip(&mut now.columns) {
        if let (Column::Numbers(then), Column::Numbers(now)) = (then, now) {
            if let Held::Counts { bins, .. } = &then.held {
                now.freeze_into(&Arc::clone(bins));
            } else if let Held::Counts { bins, .. } = &now.held {
                then.freeze_into(&Arc::clone(bins));
            }
        }
    }
}

/// Take out the columns that turned out to order or to identify rows.
fn no_features(then: &mut File, planned: &[Planned]) -> Vec<LeftOut> {
    let mut left_out = Vec::new();
    for (column, planned) in then.columns.iter_mut().zip(planned).filter(|(_, planned)| planned.guessed) {
        if let Some(why) = orders_or_identifies(column) {
            left_out.push(LeftOut { column: planned.name.clone(), why });
            *column = Column::Absent;
        }
    }
    left_out
}

/// Why a column that nothing is declared of is no feature.
fn orders_or_identifies(column: &Column) -> Option<String> {
    match column {
        Column::Numbers(numbers) if numbers.rises() => {
            Some("every value of the reference is larger than the one before: it orders rows".to_owned())
        }
        Column::Words(counts) if counts.identifies() => {
            let (words, present) = (counts.words.codes() - 2, counts.present());
            let words = if counts.other() > 0 { format!("more than {words}") } else { words.to_string() };
            Some(format!("{words} different words in {present} rows: it identifies rows"))
        }
        Column::Numbers(_) | Column::Words(_) | Column::Absent => None,
    }
}
