//! A source file as tidy sees it: code without comments, strings and test modules, and the paths it names; pure.

use std::collections::BTreeSet;

/// A source file, prepared once for every rule.
pub struct Source {
    /// Its path from the repository's root, with `/`.
    pub path: String,
    /// The text as it stands.
    pub text: String,
    /// The text without comments and without what stands in strings; every line keeps its number.
    pub code: String,
    /// `code` without what is compiled for tests only.
    pub shipped: String,
}

/// A path such as `std::fs::read`, where it is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Counted from 1.
    pub line: usize,
    /// `["std", "fs", "read"]`; a group in a `use` is written out, one path for each of its members.
    pub segments: Vec<String>,
}

impl Named {
    /// `std::fs::read`
    pub fn text(&self) -> String {
        self.segments.join("::")
    }
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank_comments_and_strings(text);
        let shipped = blank_test_items(&code);
        Source { path: path.to_owned(), text: text.to_owned(), code, shipped }
    }

    /// The rooms on the way to this file: `["ingest", "reader"]` for `src/ingest/reader.rs`, `["ingest"]` for its
    /// `mod.rs`; none for `src/lib.rs` and for what is not in `src`.
    pub fn rooms(&self) -> Vec<&str> {
        let Some(inside) = self.path.strip_prefix("src/").and_then(|p| p.strip_suffix(".rs")) else {
            return Vec::new();
        };
        inside.split('/').filter(|room| !["lib", "mod"].contains(room)).collect()
    }

    /// Every path that the shipped code names.
    pub fn names(&self) -> Vec<Named> {
        paths(&tokens(&self.shipped))
    }

    /// The files that this one declares to be for tests only, as prefixes of paths: `#[cfg(test)] mod golden;`.
    pub fn test_only_files(&self) -> BTreeSet<String> {
        let Some(folder) = self.path.strip_suffix(".rs") else {
            return BTreeSet::new();
        };
        let folder = folder.trim_end_matches("/mod").trim_end_matches("/lib");
        let tokens = tokens(&self.code);
        let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        let declared = words.windows(3).enumerate().filter_map(|(at, window)| match window {
            ["mod", name, ";"] if is_for_tests(&words[..at]) => Some(format!("{folder}/{name}")),
            _ => None,
        });
        declared.collect()
    }
}

/// Whether the attributes right before an item hold `#[cfg(test)]`.
fn is_for_tests(before: &[&str]) -> bool {
    let start = before.iter().rposition(|word| [";", "}", "{"].contains(word)).map_or(0, |at| at + 1);
    before[start..].windows(7).any(|w| w == ["#", "[", "cfg", "(", "test", ")", "]"])
}

/// Spaces in place of comments and of what stands between quotes; line ends stay.
fn blank_comments_and_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = code.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => quoted(rest),
            'b' | 'c' | 'r' if !after_word => prefixed_string(rest),
            '\'' => character(rest),
            _ => 0,
        };
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (blanked, left) = rest.split_at(length);
            code.extend(blanked.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = left;
        }
    }
    code
}

/// The length of a block comment with the comments inside it.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of a string with escapes, quotes included.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of `b"…"`, `c"…"`, `r"…"`, `br#"…"#`; nothing for an ordinary word.
fn prefixed_string(rest: &str) -> usize {
    let prefix = rest.len() - rest.trim_start_matches(['b', 'c', 'r']).len();
    let raw = rest[..prefix].ends_with('r');
    let hashes = rest[prefix..].len() - rest[prefix..].trim_start_matches('#').len();
    let opening = prefix + hashes;
    if prefix > 2 || !rest[opening..].starts_with('"') {
        return 0;
    }
    if !raw {
        return if hashes == 0 { opening + quoted(&rest[opening..]) } else { 0 };
    }
    let closing = format!("\"{}", "#".repeat(hashes));
    let body = &rest[opening + 1..];
    body.find(&closing).map_or(rest.len(), |at| opening + 1 + at + closing.len())
}

/// The length of `'x'` or `'\n'`; nothing for a lifetime.
fn character(rest: &str) -> usize {
    let body = &rest[1..];
    if body.starts_with('\\') {
        return body.char_indices().skip(2).find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 2);
    }
    let Some(first) = body.chars().next() else {
        return 0;
    };
    let after = &body[first.len_utf8()..];
    if after.starts_with('\'') { first.len_utf8() + 2 } else { 0 }
}

/// Spaces in place of every item under `#[cfg(test)]`: up to the end of its braces, or its semicolon.
fn blank_test_items(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut shipped = code.to_owned();
    while let Some(start) = shipped.find(MARK) {
        let end = start + MARK.len() + item_length(&shipped[start + MARK.len()..]);
        let blank: String = shipped[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        shipped.replace_range(start..end, &blank);
    }
    shipped
}

fn item_length(rest: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in rest.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

struct Token {
    line: usize,
    text: String,
}

/// Words, `::`, and every other sign by itself.
fn tokens(code: &str) -> Vec<Token> {
    let mut found = Vec::new();
    for (index, line_text) in code.lines().enumerate() {
        let mut rest = line_text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                _ => word,
            };
            found.push(Token { line: index + 1, text: rest[..length].to_owned() });
            rest = rest[length..].trim_start();
        }
    }
    found
}

fn is_word(token: &Token) -> bool {
    token.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Every path of two segments or more; a single word names nothing beyond its own file, but for `use word;`.
fn paths(tokens: &[Token]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let used = tokens[at].text == "use";
        let start = if used { at + 1 } else { at };
        let next = tree(tokens, start, &[], &mut found, used);
        at = next.max(at + 1);
    }
    found
}

/// Reads one path, or one tree of a `use`, and returns where it ends.
fn tree(tokens: &[Token], start: usize, prefix: &[String], found: &mut Vec<Named>, used: bool) -> usize {
    let mut segments = prefix.to_vec();
    let mut at = start;
    // `::std::fs` is `std::fs`.
    if prefix.is_empty() && tokens.get(at).is_some_and(|token| token.text == "::") {
        at += 1;
    }
    while let Some(token) = tokens.get(at) {
        if is_word(token) {
            segments.push(token.text.clone());
            at += 1;
            if tokens.get(at).is_some_and(|next| next.text == "::") {
                at += 1;
                continue;
            }
        } else if token.text == "{" && used {
            return group(tokens, at, &segments, found);
        } else if token.text == "*" && used {
            at += 1;
        }
        break;
    }
    if segments.len() > 1 || (used && !segments.is_empty()) {
        let line = tokens[start.min(tokens.len() - 1)].line;
        found.push(Named { line, segments });
    }
    at
}

/// Reads `{a, b::c, self}` and returns where it ends.
fn group(tokens: &[Token], opening: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
    let mut at = opening + 1;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "}" => return at + 1,
            "," => at += 1,
            // `a as b`: the new name says nothing.
            "as" => at += 2,
            "self" => {
                found.push(Named { line: token.line, segments: prefix.to_vec() });
                at += 1;
            }
            _ => at = tree(tokens, at, prefix, found, true).max(at + 1),
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(code: &str) -> Vec<String> {
        Source::new("src/x.rs", code).names().iter().map(Named::text).collect()
    }

    #[test]
    fn groups_are_written_out() {
        assert_eq!(
            named("use std::{fs, io::{self, Read as R}, path::*};\nuse ::chrono;\n"),
            ["std::fs", "std::io", "std::io::Read", "std::path", "chrono"]
        );
    }

    #[test]
    fn paths_in_code_are_named_with_their_line() {
        let source = Source::new("src/x.rs", "fn f() {\n    std::fs::read(x)?;\n    if a::B { c: 1 } == y {}\n}\n");
        let found = source.names();
        assert_eq!(found[0].text(), "std::fs::read");
        assert_eq!(found[0].line, 2);
        assert_eq!(found[1].text(), "a::B");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn comments_strings_and_tests_name_nothing() {
        let code = r##"
            // std::fs
            /* std::fs /* std::net */ std::env */
            const A: &str = "std::fs \" std::net";
            const B: &[u8] = br#"std::fs " "#;
            const C: char = '"'; const D: char = '\''; fn e<'a>(x: &'a str) {}
            #[cfg(test)]
            mod tests { use std::fs; fn f() { let x = "}"; } }
            #[cfg(test)]
            use std::net::TcpListener;
            use std::io::Read;
        "##;
        assert_eq!(named(code), ["std::io::Read"]);
    }

    #[test]
    fn a_module_for_tests_is_known_by_its_declaration() {
        let source =
            Source::new("src/stats/mod.rs", "mod a;\n#[cfg(test)]\nmod golden;\n#[cfg(test)]\nmod t { mod b; }\n");
        assert_eq!(source.test_only_files(), BTreeSet::from(["src/stats/golden".to_owned()]));
    }
}
