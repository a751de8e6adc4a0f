//! Colours for a terminal, put on finished text so that nothing else knows of them; pure.

/// Words that a reader looks for, and how they stand out. Only whole words in the forms that Regent prints.
const PAINTED: [(&str, &str); 15] = [
    ("→ Pass", "32"),
    ("→ Insufficient", "33"),
    ("→ Error", "31"),
    ("→ Fail", "31;1"),
    ("PROMOTED", "32;1"),
    ("PROMOTABLE", "36"),
    ("SHADOWING", "36"),
    ("TRAINING", "36"),
    ("REJECTED", "31"),
    ("ROLLED_BACK", "31;1"),
    ("RETIRED", "2"),
    ("CRITICAL", "31;1"),
    ("WARNING", "33"),
    ("RETRAIN_REQUIRED", "31"),
    ("RETRAIN_RECOMMENDED", "33"),
];

/// The text with its signal words coloured.
pub fn painted(text: &str) -> String {
    PAINTED
        .iter()
        .fold(text.to_owned(), |text, (word, style)| text.replace(word, &format!("\x1b[{style}m{word}\x1b[0m")))
}

#[cfg(test)]
mod tests {
    use super::painted;

    #[test]
    fn a_verdict_is_coloured_and_the_text_stays() {
        let line = "psi 0.31 < 0.2 → Fail (n 250)";
        let coloured = painted(line);
        assert!(coloured.contains("\x1b[31;1m→ Fail\x1b[0m"));
        let plain: String = coloured.replace("\x1b[31;1m", "").replace("\x1b[0m", "");
        assert_eq!(plain, line);
    }
}
