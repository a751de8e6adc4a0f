//! Two files, read once each, and what they say; pure over bytes.

use std::io::{Read, Seek};
use std::iter;
use std::sync::Arc;

use parquet::file::reader::ChunkReader;

use super::file::{Column, Counts, File, From, HELD, Held, Numbers};
use super::plan::{Planned, plan};
use super::sample::{Sample, Until};
use super::{
    Asked, Bin, Classifier, DatasetReport, FeatureReport, FileCheck, FileReport, FilesError, FilesReport, Kind,
    LeftOut, Role, domain, nominal, numeric,
};
use crate::drift::judge::{Evidence, Judged, judge};
use crate::drift::rules::DriftRules;
use crate::ingest::blocks::{Peeked, Reads, Table, Words};
use crate::types::{Check, Measurement, NotComputable, Operator, Value, Verdict};

/// A column, measured and not yet judged.
pub(super) struct Measured {
    pub evidence: Evidence,
    /// How the one test was made that decides.
    pub test: String,
    /// How PSI was computed.
    pub size: String,
    /// How the distance was.
    pub distance: String,
    /// Its own p-value, if it has one.
    pub distance_p: Option<f64>,
    pub shown: Vec<FileCheck>,
    pub bins: Vec<Bin>,
}

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
    let seen = |(reference, current): (FileReport, FileReport)| {
        (FileReport { rows: then.rows, ..reference }, FileReport { rows: now.rows, ..current })
    };
    let (reference, current) = seen(files);
    for (column, planned) in then.columns.iter_mut().zip(&planned).filter(|(_, planned)| planned.guessed) {
        if let Some(why) = orders_or_identifies(column) {
            left_out.push(LeftOut { column: planned.name.clone(), why });
            *column = Column::Absent;
        }
    }
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
    let dataset = DatasetReport { reference, current, checks, left_out, new_columns, importances };
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

/// Every column that both files have, the drifted first, then as in the file.
fn features(planned: &[Planned], then: &File, now: &File, rules: &DriftRules) -> Vec<FeatureReport> {
    let rows = (then.rows, now.rows);
    let sides = then.columns.iter().zip(&now.columns);
    let measured: Vec<(&Planned, (u64, u64), Measured)> = planned
        .iter()
        .zip(sides)
        .filter_map(|(column, sides)| match sides {
            (Column::Numbers(then), Column::Numbers(now)) => {
                Some((column, (then.present, now.present), numeric::measure(then, now, rows, rules)))
            }
            (Column::Words(then), Column::Words(now)) => {
                Some((column, (then.present(), now.present()), nominal::measure(then, now, rows, rules)))
            }
            (_, _) => None,
        })
        .collect();
    let is_feature = |column: &Planned| column.role == Role::Feature;
    let counted = measured.iter().filter(|(column, ..)| is_feature(column)).map(|(.., measured)| &measured.evidence);
    // What is beside the features is a question of its own and is not adjusted for theirs.
    let mut judged = judge(counted, rules).into_iter();
    let mut features: Vec<FeatureReport> = measured
        .into_iter()
        .filter_map(|(column, present, measured)| {
            let alone = || judge(iter::once(&measured.evidence), rules);
            let mine = if is_feature(column) { judged.next() } else { alone().pop() };
            mine.map(|judged| told(column, present, measured, judged))
        })
        .collect();
    features.sort_by_key(|feature| feature.verdict != Verdict::Fail);
    features
}

fn told(column: &Planned, (n_reference, n_current): (u64, u64), measured: Measured, judged: Judged) -> FeatureReport {
    let Measured { evidence, test, size, distance, distance_p, shown, bins } = measured;
    let of = |metric: &str| judged.checks.iter().find(|check| check.measurement.metric == metric);
    let decides = ["p_adjusted", "psi"].map(|metric| of(metric).map_or(Verdict::Insufficient, |check| check.verdict));
    let verdict = match (judged.drifted, Verdict::worst(decides)) {
        (true, _) => Verdict::Fail,
        // Significant or large alone is no drift.
        (false, Verdict::Pass | Verdict::Fail) => Verdict::Pass,
        (false, undecided @ (Verdict::Insufficient | Verdict::Error)) => undecided,
    };
    let share =
        |metric: &str| evidence.shares.iter().find(|share| share.metric == metric).and_then(|share| share.p_value);
    let how = |check: Check| match check.measurement.metric.as_str() {
        "p_adjusted" => FileCheck::judged(check, format!("{test}; Benjamini–Hochberg over all tests of the features"))
            .with_p(evidence.p_value),
        "psi" => FileCheck::judged(check, &*size),
        "ks" | "l_infinity" => FileCheck::judged(check, &*distance).with_p(distance_p),
        metric => {
            let p_value = share(metric);
            FileCheck::judged(check, "two shares, pooled z; growth counts only where it is significant").with_p(p_value)
        }
    };
    let checks = judged.checks.into_iter().map(how).chain(shown).collect();
    FeatureReport {
        feature: column.name.clone(),
        role: column.role,
        kind: column.kind,
        n_reference,
        n_current,
        verdict,
        checks,
        bins,
    }
}

fn drifted_features(features: &[FeatureReport], n: u64, rules: &DriftRules) -> FileCheck {
    let features: Vec<&FeatureReport> = features.iter().filter(|feature| feature.role == Role::Feature).collect();
    let drifted = features.iter().filter(|feature| feature.verdict == Verdict::Fail).count();
    let is_judged = features.iter().any(|feature| feature.verdict.is_judged());
    let value = match features.len() {
        0 => Value::NotComputable(NotComputable::because("no feature is in both files")),
        _ if !is_judged => Value::NotComputable(NotComputable::because("no feature has rows enough")),
        _ => Value::from(drifted as f64),
    };
    let line = rules.min_features.min(features.len() as u64) as f64;
    let check = Check::require(Measurement::new("drifted_features", value, n), Operator::Less, line, rules.min_rows);
    FileCheck::judged(check, format!("of {} features", features.len()))
}

fn absent_columns(absent: &[&str], n: u64) -> FileCheck {
    let measured = Measurement::new("absent_columns", absent.len() as f64, n);
    let check = Check::require(measured, Operator::AtMost, 0.0, 0);
    let note = if absent.is_empty() { String::new() } else { absent.join(", ") };
    FileCheck::judged(check.with_note(note), "columns of the reference that the current file does not have")
}

/// What was named beside the features, as a check of the whole.
fn beside(named: &FeatureReport, features: &[FeatureReport]) -> FileCheck {
    let metric = match named.role {
        Role::Target | Role::Feature => "drifted_target",
        Role::Prediction => "drifted_prediction",
        Role::Error => "drifted_error",
    };
    let value = match named.verdict {
        Verdict::Fail => Value::from(1.0),
        Verdict::Pass => Value::from(0.0),
        Verdict::Insufficient | Verdict::Error => Value::NotComputable(NotComputable::because("rows are too few")),
    };
    let n = named.n_reference.min(named.n_current);
    let mut check = Check::require(Measurement::new(metric, value, n), Operator::Less, 1.0, 0);
    let moved = |role| features.iter().any(|feature| feature.role == role && feature.verdict == Verdict::Fail);
    if check.verdict == Verdict::Fail && !moved(Role::Feature) {
        check = check.with_note("while no feature drifted: what belongs to what has changed, not what comes in");
    }
    FileCheck::judged(check, format!("the verdict of `{}`", named.feature))
}
