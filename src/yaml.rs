//! The one place that reads or prints YAML; pure: text in, values or located errors out. Refuses what it would have to guess.

mod error;
mod quoted;
mod seek;
mod unambiguous;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde_path_to_error::Segment;

use error::hint;
pub use error::{Place, YamlError};
use seek::{Seek, find_word};
use unambiguous::Unambiguous;

/// People write these files by hand: the longest of ours has a hundred lines, and a limit bounds what a hostile one costs.
const LARGEST_BYTES: usize = 1 << 20;

/// Read a value from a YAML text; `file` is its name in errors.
///
/// That `T` has a JSON Schema is asked for so that whatever Regent reads, an editor can check: see [`schema_of`].
///
/// # Errors
/// [`YamlError`] when the text is not UTF-8, empty, too large, not YAML or not a `T`, and for what YAML allows but nobody
/// means: a key twice, several documents, tags, numbers that are not finite, aliases that make it larger than its text.
pub fn read<T: DeserializeOwned + JsonSchema>(file: &str, text: impl AsRef<[u8]>) -> Result<T, YamlError> {
    let text = text_of(file, text.as_ref())?;
    Unambiguous::of(text.len())
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .map_err(|error| located(file, text, &error, [].iter()))?;
    serde_path_to_error::deserialize(serde_yaml::Deserializer::from_str(text))
        .map_err(|error| located(file, text, error.inner(), error.path().iter()))
}

/// Print a value as YAML that readers of YAML 1.2 and of 1.1 read as the same value.
///
/// # Errors
/// [`YamlError`] for a value that YAML cannot hold, such as a map whose keys are maps.
pub fn print<T: Serialize>(value: &T) -> Result<String, YamlError> {
    let unprintable = |message: String| YamlError { file: "YAML".to_owned(), place: None, message, hint: None };
    let told = |error: serde_yaml::Error| unprintable(error.to_string());
    let text = serde_yaml::to_string(value).map_err(told)?;
    let value = serde_yaml::to_value(value).map_err(told)?;
    if !quoted::has_trap(&value) {
        return Ok(text);
    }
    let mark = quoted::mark_for(&text).ok_or_else(|| unprintable("holds every private character".to_owned()))?;
    let text = serde_yaml::to_string(&quoted::marked(value, &mark)).map_err(told)?;
    Ok(text.replace(&mark, ""))
}

/// Print a value as YAML under the line that tells editors which JSON Schema it follows.
///
/// # Errors
/// As [`print()`].
pub fn print_with_schema_line<T: Serialize>(schema_path: &str, value: &T) -> Result<String, YamlError> {
    Ok(format!("# yaml-language-server: $schema={schema_path}\n{}", print(value)?))
}

/// The JSON Schema of what [`read`] takes for a `T`, in draft 7, which is what editors' YAML plug-ins know best.
pub fn schema_of<T: JsonSchema>(title: &str) -> serde_json::Value {
    let mut schema = SchemaSettings::draft07().for_deserialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

/// The bytes of a file as text, if they can be one of ours at all.
fn text_of<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, YamlError> {
    let whole_file = |message: &str, hint: &str| YamlError {
        file: file.to_owned(),
        place: None,
        message: message.to_owned(),
        hint: (!hint.is_empty()).then(|| hint.to_owned()),
    };
    if bytes.len() > LARGEST_BYTES {
        return Err(whole_file(&format!("is too large: {} bytes, at most {LARGEST_BYTES}", bytes.len()), ""));
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") || bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(whole_file("begins with a byte order mark", "save it as UTF-8 without BOM"));
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
        let (line, column) =
            (valid.matches('\n').count() + 1, valid.chars().rev().take_while(|&c| c != '\n').count() + 1);
        YamlError {
            place: Some(Place::new(&String::from_utf8_lossy(bytes), line, column)),
            ..whole_file("is not UTF-8", "save it as UTF-8 without BOM")
        }
    })?;
    if !text.lines().any(has_content) {
        return Err(whole_file("is empty", ""));
    }
    Ok(text)
}

/// Whether a line is more than a comment and the marks around a document.
fn has_content(line: &str) -> bool {
    let line = line.trim();
    !(line.is_empty() || line.starts_with('#') || line == "---" || line == "...")
}

/// What serde_yaml says, with the line it speaks of; `path` leads to the value that was being read.
fn located<'a>(
    file: &str,
    text: &str,
    error: &serde_yaml::Error,
    path: impl Iterator<Item = &'a Segment>,
) -> YamlError {
    let said = error.to_string();
    let message = match error.location() {
        _ if said.contains("more than one document") => "holds more than one document".to_owned(),
        // The place stands before the message, so it is not told again in it.
        Some(at) => said.replacen(&format!(" at line {} column {}", at.line(), at.column()), "", 1),
        None => said,
    };
    let place = place_of(text, error, &message, path);
    let place = place.or_else(|| Some((second_document(text)?, 1)));
    let place = place.map(|(line, column)| Place::new(text, line, column));
    let line = place.as_ref().map_or("", |place| place.text.as_str());
    YamlError { file: file.to_owned(), hint: hint(&message, line), place, message }
}

/// A key that is unknown and whose value is a mapping is complained of at that value: the key is the nearest one above it.
fn key_above(text: &str, message: &str, (line, _): (usize, usize)) -> Option<(usize, usize)> {
    let (_, named) = message.split_once("unknown field `")?;
    let (word, _) = named.split_once('`')?;
    let lines: Vec<&str> = text.lines().take(line).collect();
    let column = |text: &str| find_word(text, word, 1, 1).map(|(_, column)| column);
    lines.iter().enumerate().rev().find_map(|(index, text)| Some((index + 1, column(text)?)))
}

/// The line and column that an error speaks of.
///
/// Serde holds a value with an inner tag back until it is whole, and the parser then takes its complaints for the parent's.
/// So the path leads to that value, and the word that is complained of to the line within.
fn place_of<'a>(
    text: &str,
    error: &serde_yaml::Error,
    message: &str,
    path: impl Iterator<Item = &'a Segment>,
) -> Option<(usize, usize)> {
    let place = |error: &serde_yaml::Error| error.location().map(|at| (at.line(), at.column()));
    let told = place(error)?;
    let sought = Seek(path).deserialize(serde_yaml::Deserializer::from_str(text)).err();
    match sought.as_ref().and_then(place) {
        Some((line, column)) if line > told.0 => {
            let word = message.split(['`', '"']).nth(1);
            let within = word.and_then(|word| find_word(text, word, line, column));
            within.or_else(|| key_above(text, message, (line, column))).or(Some((line, column)))
        }
        Some(_) | None => Some(key_above(text, message, told).unwrap_or(told)),
    }
}

/// The line of the mark before the second document.
fn second_document(text: &str) -> Option<usize> {
    let first = text.lines().position(|line| has_content(line) || line.starts_with("---"))?;
    let marks = text.lines().enumerate().skip(first + 1);
    marks.filter(|(_, line)| line.starts_with("---")).map(|(index, _)| index + 1).next()
}

#[cfg(test)]
mod tests;
