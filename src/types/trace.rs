//! Where a request stands in its caller's trace, as W3C Trace Context tells it; pure. What breaks its rules is no trace.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The trace a request belongs to and its caller's span there: what a `traceparent` header says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceParent {
    /// The whole trace.
    pub trace_id: TraceId,
    /// The caller's span in it, of which answering is a child.
    pub parent_id: SpanId,
}

/// A trace: 32 lower-case hexadecimal digits, not all 0.
pub type TraceId = TraceWord<16>;
/// A span of a trace: 16 lower-case hexadecimal digits, not all 0.
pub type SpanId = TraceWord<8>;

/// `N` bytes that are not all 0, written as lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub struct TraceWord<const N: usize>([u8; N]);

/// Why a word is no id of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id of a trace has {digits} digits of 0-9 a-f, not all 0")]
pub struct TraceError {
    /// How many it should have.
    pub digits: usize,
}

/// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`
const LENGTH: usize = 55;

impl TraceParent {
    /// The value of a `traceparent` header, read as W3C Trace Context, section 3.2 has it; nothing if it is not one. Of a version
    /// that is not known yet the parts of version 00 are read (section 4.3).
    pub fn read(header: &[u8]) -> Option<TraceParent> {
        let (known, more) = header.split_at_checked(LENGTH)?;
        let [v1, v2, b'-', rest @ ..] = known else { return None };
        let (trace_id, rest) = rest.split_at_checked(32)?;
        let [b'-', rest @ ..] = rest else { return None };
        let (parent_id, rest) = rest.split_at_checked(16)?;
        let [b'-', f1, f2] = rest else { return None };
        byte(*f1, *f2)?;
        match (byte(*v1, *v2)?, more) {
            // "Version ff is invalid"; version 00 has nothing after its flags, a later one may, after another dash.
            (0xff, _) | (0, [_, ..]) => None,
            (_, [first, ..]) if *first != b'-' => None,
            (_, _) => {
                Some(TraceParent { trace_id: TraceWord::read(trace_id)?, parent_id: TraceWord::read(parent_id)? })
            }
        }
    }
}

fn byte(high: u8, low: u8) -> Option<u8> {
    Some(digit(high)? << 4 | digit(low)?)
}

/// Lower-case alone: "HEXDIGLC".
fn digit(given: u8) -> Option<u8> {
    match given {
        b'0'..=b'9' => Some(given - b'0'),
        b'a'..=b'f' => Some(given - b'a' + 10),
        _ => None,
    }
}

impl<const N: usize> TraceWord<N> {
    fn read(digits: &[u8]) -> Option<Self> {
        let (pairs, []) = digits.as_chunks::<2>() else { return None };
        let mut bytes = [0; N];
        if pairs.len() != N {
            return None;
        }
        for (into, [high, low]) in bytes.iter_mut().zip(pairs) {
            *into = byte(*high, *low)?;
        }
        (bytes != [0; N]).then_some(TraceWord(bytes))
    }
}

impl<const N: usize> fmt::Display for TraceWord<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for TraceWord<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceWord({self})")
    }
}

impl<const N: usize> FromStr for TraceWord<N> {
    type Err = TraceError;

    fn from_str(given: &str) -> Result<Self, TraceError> {
        TraceWord::read(given.as_bytes()).ok_or(TraceError { digits: 2 * N })
    }
}

impl<const N: usize> TryFrom<Cow<'_, str>> for TraceWord<N> {
    type Error = TraceError;

    fn try_from(given: Cow<'_, str>) -> Result<Self, TraceError> {
        given.parse()
    }
}

impl<const N: usize> From<TraceWord<N>> for String {
    fn from(word: TraceWord<N>) -> String {
        word.to_string()
    }
}

impl<const N: usize> JsonSchema for TraceWord<N> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("TraceWord{N}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": format!("^[0-9a-f]{{{}}}$", 2 * N) })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn read(header: &str) -> Option<(String, String)> {
        let found = TraceParent::read(header.as_bytes())?;
        Some((found.trace_id.to_string(), found.parent_id.to_string()))
    }

    #[rstest]
    #[case::of_today(format!("00-{TRACE}-{SPAN}-01"))]
    #[case::not_sampled(format!("00-{TRACE}-{SPAN}-00"))]
    #[case::flags_nobody_knows_yet(format!("00-{TRACE}-{SPAN}-ff"))]
    #[case::a_later_version(format!("cc-{TRACE}-{SPAN}-01"))]
    #[case::a_later_version_with_more(format!("cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"))]
    fn a_trace_is_read(#[case] header: String) {
        assert_eq!(read(&header), Some((TRACE.to_owned(), SPAN.to_owned())));
    }

    #[rstest]
    #[case::nothing("")]
    #[case::version_ff("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    #[case::no_trace("00-00000000000000000000000000000000-00f067aa0ba902b7-01")]
    #[case::no_parent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")]
    #[case::capitals("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")]
    #[case::capital_flags("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A")]
    #[case::capital_version("0A-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    #[case::other_letters("00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01")]
    #[case::short("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0")]
    #[case::more_of_version_00("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more")]
    #[case::a_dash_after_version_00("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-")]
    #[case::a_later_version_that_runs_on("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more")]
    #[case::other_signs("00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01")]
    #[case::moved("0-04bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    #[case::not_ascii("00-4bf92f3577b34da6a3ce929d0e0e47ä-00f067aa0ba902b7-01")]
    fn what_breaks_the_rules_is_no_trace(#[case] header: &str) {
        assert_eq!(read(header), None);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        let word: TraceId = TRACE.parse().unwrap();
        assert_eq!(serde_json::from_str::<TraceId>(&serde_json::to_string(&word).unwrap()).unwrap(), word);
        assert_eq!(SPAN.parse::<TraceId>(), Err(TraceError { digits: 32 }));
        assert!(serde_json::from_str::<SpanId>(r#""0000000000000000""#).is_err());
    }
}
