//! Words that YAML 1.1 takes for booleans or numbers stay the words they are, in quotes; pure.
//!
//! Regent reads YAML 1.2, where `No` is a word. PyYAML, Ruby and most others still read 1.1, where it is `false`, `12:30` is
//! 750 and `1_000` is a thousand: what Regent prints must mean the same to them.

use serde_yaml::value::TaggedValue;
use serde_yaml::{Mapping, Value};

/// What YAML 1.1 reads as a boolean, a merge or a default; `true`, `false` and `null` are quoted by any printer.
const WORDS: [&str; 18] =
    ["y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "=", "<<"];

/// Whether any text within would be read as something else.
pub(super) fn has_trap(value: &Value) -> bool {
    match value {
        Value::String(word) => is_trap(word),
        Value::Sequence(values) => values.iter().any(has_trap),
        Value::Mapping(members) => members.iter().any(|(key, value)| has_trap(key) || has_trap(value)),
        Value::Tagged(tagged) => has_trap(&tagged.value),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The value with a mark before every such text. A text that begins with `#` is one that every printer must quote.
pub(super) fn marked(value: Value, mark: &str) -> Value {
    match value {
        Value::String(word) if is_trap(&word) => Value::String(format!("{mark}{word}")),
        Value::Sequence(values) => values.into_iter().map(|value| marked(value, mark)).collect(),
        Value::Mapping(members) => {
            let members = members.into_iter().map(|(key, value)| (marked(key, mark), marked(value, mark)));
            Value::Mapping(members.collect::<Mapping>())
        }
        Value::Tagged(tagged) => {
            let TaggedValue { tag, value } = *tagged;
            Value::Tagged(Box::new(TaggedValue { tag, value: marked(value, mark) }))
        }
        plain @ (Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

/// A mark that does not occur in a text: `#` and a character that is for private use.
pub(super) fn mark_for(text: &str) -> Option<String> {
    ('\u{E000}'..='\u{F8FF}').find(|private| !text.contains(*private)).map(|private| format!("#{private}"))
}

fn is_trap(word: &str) -> bool {
    WORDS.contains(&word) || is_number(word)
}

/// Whether YAML 1.1 (or a careless reader of it) would find a number: with `_` between digits, to the base 60, 16 or 2.
fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    if let Some(digits) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0b")) {
        return digits.chars().all(|digit| digit.is_ascii_hexdigit() || digit == '_');
    }
    let (digits, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_exponent = !exponent.is_empty() && exponent.bytes().all(|digit| digit.is_ascii_digit());
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_digit() || matches!(digit, b'_' | b'.' | b':'));
    let begins = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let has_digit = digits.bytes().any(|digit| digit.is_ascii_digit());
    are_digits && is_exponent && begins && has_digit && digits.matches('.').count() <= 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::yaml;

    #[test]
    fn what_older_readers_would_misread_is_quoted_wherever_it_stands() {
        let words = ["No", "on", "y", "12:30", "1_000", "0x1F", "-1:30.5", "1_0.5e+3", "<<", "="];
        for word in words {
            let members = BTreeMap::from([(word, vec![word, "fine"])]);
            let text = yaml::print(&members).unwrap();
            assert_eq!(text, format!("'{word}':\n- '{word}'\n- fine\n"));
            assert_eq!(serde_yaml::from_str::<BTreeMap<String, Vec<String>>>(&text).unwrap()[word], [word, "fine"]);
        }
    }

    #[test]
    fn what_nobody_misreads_stays_as_it_is() {
        let words = ["north", "1.0.0", "24h", "2026-11-21T10:00:00Z", "10.0.0.1", "yes?", "noon", "e5", "a:b", "0xzz"];
        for word in words {
            assert_eq!(yaml::print(&[word]).unwrap(), format!("- {word}\n"));
        }
    }

    #[test]
    fn a_text_that_holds_the_mark_is_printed_as_it_is() {
        let words = ["#\u{E000}No".to_owned(), "No".to_owned(), "two\nlines: No".to_owned()];
        let text = yaml::print(&words).unwrap();
        assert_eq!(serde_yaml::from_str::<Vec<String>>(&text).unwrap(), words);
    }
}
