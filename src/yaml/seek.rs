//! Finds where in a document a path leads, for errors that serde raises only after it has left the place; pure.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, Visitor};
use serde_path_to_error::Segment;

/// Walks a path and fails at its end, because it is errors that the parser gives a place.
pub(super) struct Seek<'a, S>(pub(super) S)
where
    S: Iterator<Item = &'a Segment>;

impl<'a, 'de, S: Iterator<Item = &'a Segment>> DeserializeSeed<'de> for Seek<'a, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, 'de, S: Iterator<Item = &'a Segment>> Visitor<'de> for Seek<'a, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the end of the path")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(mut self, mut sequence: A) -> Result<(), A::Error> {
        let Some(Segment::Seq { index }) = self.0.next() else {
            return Err(here());
        };
        for _ in 0..*index {
            sequence.next_element::<IgnoredAny>()?;
        }
        sequence.next_element_seed(self)?;
        Ok(())
    }

    fn visit_map<A: de::MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let Some(Segment::Map { key: wanted }) = self.0.next() else {
            return Err(here());
        };
        while let Some(key) = map.next_key::<String>()? {
            if key == *wanted {
                return map.next_value_seed(self);
            }
            map.next_value::<IgnoredAny>()?;
        }
        Err(here())
    }
}

fn here<E: de::Error>() -> E {
    E::custom("the end of the path")
}

/// The line and column, from 1, of `word` in the block that begins at `line` and `column`.
pub(super) fn find_word(text: &str, word: &str, line: usize, column: usize) -> Option<(usize, usize)> {
    let indent = column.saturating_sub(1);
    let lines = text.lines().enumerate().skip(line.saturating_sub(1));
    let block = lines.take_while(|(index, text)| index + 1 == line || indent <= text.len() - text.trim_start().len());
    block.filter_map(|(index, text)| Some((index + 1, find_whole_word(text, word)? + 1))).next()
}

/// How many characters stand before `word`, where it is not a part of a longer one.
fn find_whole_word(line: &str, word: &str) -> Option<usize> {
    let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).find_map(|(start, _)| {
        let (before, after) = (line.get(..start)?, line.get(start + word.len()..)?);
        // A complaint about 1.10 speaks of 1.1.
        let after = after.trim_start_matches('0');
        let whole = !before.ends_with(part_of_a_word) && !after.starts_with(part_of_a_word);
        whole.then(|| before.chars().count())
    })
}
