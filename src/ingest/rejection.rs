//! Rows that were refused: every violation counted, the first twenty shown; pure.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::domain::Rule;

/// How many violations are shown: a screenful. All are counted.
const SHOWN: usize = 20;
/// How much of a value is shown: enough to find it in the file, and a line stays a line.
const LONGEST_VALUE: usize = 40;

/// One place in a file that breaks a rule. It is shown to the file's owner and never logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IngestViolation {
    /// The line, from 1; the header is line 1.
    pub line: u64,
    /// The column, unless it is the line as a whole.
    pub column: Option<String>,
    /// The value, cut after 40 characters, unless it is the line as a whole.
    pub value: Option<String>,
    /// The rule it breaks.
    pub rule: Rule,
    /// What is wrong and what is wanted, in words.
    pub detail: String,
}

/// A file that was refused: nothing of it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rejection {
    /// The file, as it was named.
    pub file: String,
    /// How many rows were read.
    pub rows: u64,
    /// The first 20 violations, in the order of the file.
    pub violations: Vec<IngestViolation>,
    /// How often each rule was broken.
    pub counts: BTreeMap<Rule, u64>,
}

impl Rejection {
    /// Nothing refused yet.
    pub(super) fn of(file: &str) -> Self {
        Rejection { file: file.to_owned(), ..Rejection::default() }
    }

    /// Count a violation; it is put in words only if it is among those shown.
    pub(super) fn add(&mut self, line: u64, rule: Rule, told: impl FnOnce() -> Told) {
        *self.counts.entry(rule).or_default() += 1;
        if self.violations.len() < SHOWN {
            let Told { column, value, detail } = told();
            self.violations.push(IngestViolation { line, column, value: value.as_deref().map(shown), rule, detail });
        }
    }

    /// How many violations there are in all.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// A violation in words.
pub(super) struct Told {
    pub column: Option<String>,
    pub value: Option<String>,
    pub detail: String,
}

/// The value as a terminal may show it: cut, and without what the terminal would obey.
fn shown(value: &str) -> String {
    let printable = |c: char| {
        if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }
    };
    let mut shown: String = value.chars().take(LONGEST_VALUE).map(printable).collect();
    if value.chars().nth(LONGEST_VALUE).is_some() {
        shown.push('…');
    }
    shown
}

/// `489: column `total_charges`: missing value: must be a finite number`
impl fmt::Display for IngestViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IngestViolation { line, column, value, detail, .. } = self;
        write!(f, "{line}: ")?;
        if let Some(column) = column {
            write!(f, "column `{column}`: ")?;
        }
        if let Some(value) = value {
            write!(f, "`{value}` ")?;
        }
        f.write_str(detail)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rejection { file, rows, violations, counts } = self;
        let total = self.total();
        let noun = if total == 1 { "violation" } else { "violations" };
        writeln!(f, "{file}: {total} {noun} in {rows} rows; nothing was written")?;
        for violation in violations {
            writeln!(f, "{file}:{violation}")?;
        }
        let hidden = total - violations.len() as u64;
        if hidden > 0 {
            writeln!(f, "… and {hidden} more")?;
        }
        let counts: Vec<String> = counts.iter().map(|(rule, count)| format!("{rule}: {count}")).collect();
        writeln!(f, "by rule: {}", counts.join(", "))?;
        write!(f, "hint: mend the file where it is made, or leave these rows out of it; Regent changes no value")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &str) -> Told {
        Told { column: Some("c".into()), value: Some(value.into()), detail: "is wrong".into() }
    }

    #[test]
    fn all_violations_are_counted_and_twenty_are_shown() {
        let mut rejection = Rejection::of("x.csv");
        for line in 2..=31 {
            rejection.add(line, if line % 2 == 0 { Rule::Type } else { Rule::Min }, || told("v"));
        }
        assert_eq!((rejection.violations.len(), rejection.total()), (20, 30));
        assert_eq!(rejection.counts[&Rule::Type], 15);
        let text = rejection.to_string();
        assert!(text.contains("x.csv:2: column `c`: `v` is wrong\n") && text.contains("… and 10 more\n"), "{text}");
    }

    #[test]
    fn a_hostile_value_is_cut_and_cannot_speak_to_the_terminal() {
        let mut rejection = Rejection::of("x.csv");
        rejection.add(2, Rule::Type, || told(&format!("\u{1b}[2J{}", "a".repeat(100))));
        let value = rejection.violations[0].value.clone().unwrap();
        assert_eq!(value.chars().count(), 41);
        assert!(value.starts_with('\u{fffd}') && value.ends_with('…'));
    }
}
