//! JSON read strictly; pure. Refuses what serde would pass over in silence: a key given twice, of which each reader picks its
//! own, and anything after the end.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Why bytes are not the JSON they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// One object has one key twice.
    #[error("line {line}: `{key}` is given twice")]
    Repeated {
        /// The key.
        key: String,
        /// The line of the second one, from 1.
        line: usize,
    },
    /// It is no JSON, not of the wanted shape, or holds a number that no `f64` is.
    #[error("{why}")]
    Malformed {
        /// What and where.
        why: String,
    },
}

/// Read a value of which every object has every key once. Deeper nesting than 128 is refused.
///
/// # Errors
/// [`JsonError`].
pub fn read_json<T: DeserializeOwned>(bytes: impl AsRef<[u8]>) -> Result<T, JsonError> {
    let bytes = bytes.as_ref();
    let strict = Strict { repeated: RefCell::new(None) };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let walked = strict.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    let malformed = |error: &serde_json::Error| JsonError::Malformed { why: error.to_string() };
    walked.map_err(|error| match strict.repeated.take() {
        Some(key) => JsonError::Repeated { key, line: error.line() },
        None => malformed(&error),
    })?;
    serde_json::from_slice(bytes).map_err(|error| malformed(&error))
}

/// Walks a document before it becomes a value.
struct Strict {
    /// The key that was met twice.
    repeated: RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for &Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                *self.repeated.borrow_mut() = Some(key);
                return Err(de::Error::custom("a key is given twice"));
            }
            seen.insert(key);
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::Value;

    use super::*;

    #[rstest]
    #[case::at_the_top("{\"a\": 1,\n\"b\": 2,\n\"a\": 1}", "line 3: `a` is given twice")]
    #[case::deep("{\"a\": [{\"b\": {\"c\": 1, \"c\": 2}}]}", "line 1: `c` is given twice")]
    #[case::escaped("{\"a\": 1, \"\\u0061\": 2}", "line 1: `a` is given twice")]
    #[case::trailing("{} {}", "trailing characters at line 1 column 4")]
    #[case::infinite("[1e999]", "number out of range at line 1 column 6")]
    #[case::word("[NaN]", "expected value at line 1 column 2")]
    #[case::cut("{\"a\": 1", "EOF while parsing an object at line 1 column 7")]
    fn what_readers_would_read_differently_is_refused(#[case] text: &str, #[case] says: &str) {
        assert_eq!(read_json::<Value>(text).unwrap_err().to_string(), says);
    }

    #[test]
    fn depth_costs_no_stack() {
        assert!(read_json::<Value>("[".repeat(1 << 20)).is_err());
    }

    proptest! {
        #[test]
        fn a_map_comes_back_and_no_bytes_panic(
            map in prop::collection::btree_map(any::<String>(), any::<i64>(), 0..8),
            bytes in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let text = serde_json::to_vec(&map).unwrap();
            prop_assert_eq!(read_json::<BTreeMap<String, i64>>(text).unwrap(), map);
            let _ = read_json::<Value>(bytes);
        }
    }
}
