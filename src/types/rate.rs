//! So many times in so much time, as people write it: `1 per 90d`; pure.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::Span;

/// A number of events in a time above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate {
    count: u32,
    per: Span,
}

/// Why a text is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a rate: write `1 per 90d`")]
pub struct RateError {
    /// What was given.
    pub given: String,
}

impl Rate {
    /// So many in so much time; in no time at all there are none.
    pub const fn new(count: u32, per: Span) -> Rate {
        Rate { count, per }
    }

    /// How many there are in a span, on average.
    pub fn within(self, span: Span) -> f64 {
        f64::from(self.count) * span.secs() / self.per.secs()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {}", self.count, self.per)
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(given: &str) -> Result<Self, RateError> {
        let read = || {
            let (count, per) = given.split_once(" per ")?;
            let (count, per): (u32, Span) = (count.parse().ok()?, per.parse().ok()?);
            (!per.is_zero()).then_some(Rate { count, per })
        };
        read().ok_or_else(|| RateError { given: given.to_owned() })
    }
}

impl TryFrom<String> for Rate {
    type Error = RateError;

    fn try_from(given: String) -> Result<Self, RateError> {
        given.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> String {
        rate.to_string()
    }
}

impl JsonSchema for Rate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^\d+ per \d+(us|s|m|h|d)$", "examples": ["1 per 90d"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_back_as_written() {
        for text in ["1 per 90d", "3 per 12h", "0 per 1d"] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate.to_string(), text);
        }
        for text in ["1 per 0s", "per 1d", "1 in 90d", "-1 per 1d", "1 per", ""] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_has_its_share_of_ninety() {
        let rate: Rate = "1 per 90d".parse().unwrap();
        assert!((rate.within(Span::from_days(1)) - 1.0 / 90.0).abs() < 1e-15);
    }
}
