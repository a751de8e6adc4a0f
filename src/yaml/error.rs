//! What a person reads about a broken YAML file: where, the line, and what may have been meant; pure.

use std::fmt;

/// A line of an error fits a terminal; a file without line ends must not fill it.
const LONGEST_EXCERPT: usize = 160;

/// What is wrong with a YAML text, where, and what may have been meant.
///
/// Printed as compilers do: `file:line:column: message`, the line, and a caret with the hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// The file's name for the reader; `YAML` when a value could not be printed.
    pub file: String,
    /// Where it is, unless it is the file as a whole.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What may help: `did you mean `type`?`
    pub hint: Option<String>,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The line itself, cut where it is very long.
    pub text: String,
}

impl Place {
    pub(super) fn new(text: &str, line: usize, column: usize) -> Self {
        let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        // What a terminal would obey is not passed on to it.
        let printable = |c: char| {
            if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }
        };
        let text = shown.chars().take(LONGEST_EXCERPT).map(printable).collect();
        Place { line, column, text }
    }

    /// Spaces up to the column, with the line's own tabs so that the caret stands below what it means.
    fn indent(&self) -> String {
        self.text.chars().take(self.column.saturating_sub(1)).map(|c| if c == '\t' { c } else { ' ' }).collect()
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let YamlError { file, place, message, hint } = self;
        let hint = hint.as_deref().unwrap_or_default();
        let Some(place) = place else {
            let dash = if hint.is_empty() { "" } else { "; " };
            return write!(f, "{file}: {message}{dash}{hint}");
        };
        let Place { line, column, text } = place;
        writeln!(f, "{file}:{line}:{column}: {message}")?;
        writeln!(f, "{}", format!("{line:>5} | {text}").trim_end())?;
        write!(f, "      | {}", format!("{}^ {hint}", place.indent()).trim_end())
    }
}

impl std::error::Error for YamlError {}

/// What may help with a message about this line.
pub(super) fn hint(message: &str, line: &str) -> Option<String> {
    if let Some(meant) = did_you_mean(message) {
        return Some(format!("did you mean `{meant}`?"));
    }
    let number = message.contains("invalid type: integer") || message.contains("invalid type: floating point");
    let hints = [
        (number && message.contains("expected a string"), "a text that looks like a number needs quotes: \"1.10\""),
        (message.contains("expected a boolean"), "write true or false"),
        (message.contains("cannot start any token") && line.contains('\t'), "indent with spaces, not with tabs"),
        (message.contains("expected a value without a tag"), "remove the `!`, or quote the text it begins"),
        (message.contains("not a finite number"), "quote it if it is a text"),
    ];
    hints.into_iter().find_map(|(fits, hint)| fits.then(|| hint.to_owned()))
}

/// For "unknown field `typ`, expected one of `name`, `type`": the expected word nearest to the one that was given.
fn did_you_mean(message: &str) -> Option<&str> {
    let (_, unknown) = message.split_once("unknown field `").or_else(|| message.split_once("unknown variant `"))?;
    let (given, expected) = unknown.split_once("`, expected ")?;
    // Cargo's rule: a third of the letters may differ, and one of a very short word.
    let farthest = given.chars().count().max(3) / 3;
    let given = given.to_lowercase();
    let words = expected.split('`').skip(1).step_by(2);
    let measured = words.map(|word| (strsim::damerau_levenshtein(&given, &word.to_lowercase()), word));
    measured.min().filter(|(distance, _)| *distance <= farthest).map(|(_, word)| word)
}
