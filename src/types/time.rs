//! Instants and lengths of time as values; pure: nothing here reads a clock.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Add, Range, Sub};
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::parsed::parsed;

/// Why a word cannot be an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not an instant: write RFC 3339, for example 2026-11-21T10:00:00Z")]
pub struct TimestampError {
    /// The word as it was given.
    pub given: String,
}

/// An instant in UTC with microseconds, written as RFC 3339.
///
/// Kept between the years 0 and 9999, so that every instant can be written and read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    micros: i64,
}

const MICROS: i64 = 1_000_000;
/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z, in microseconds of Unix time.
const EARLIEST: i64 = -62_167_219_200 * MICROS;
const LATEST: i64 = 253_402_300_800 * MICROS - 1;

/// How an instant is spelled, and where its numbers stand: year, month, day, hour, minute, second and microseconds. A whole second has
/// no fraction, and ends so much earlier.
const SHAPE: &[u8; 27] = b"0000-00-00T00:00:00.000000Z";
const PARTS: [Range<usize>; 7] = [0..4, 5..7, 8..10, 11..13, 14..16, 17..19, 20..26];
const WHOLE: usize = 20;

impl Timestamp {
    /// The start of Unix time.
    pub const EPOCH: Timestamp = Timestamp { micros: 0 };

    /// The instant so many microseconds of Unix time; held within the years 0 to 9999.
    pub const fn from_micros(micros: i64) -> Self {
        let micros = if micros < EARLIEST {
            EARLIEST
        } else if micros > LATEST {
            LATEST
        } else {
            micros
        };
        Timestamp { micros }
    }

    /// Microseconds of Unix time.
    pub const fn micros(self) -> i64 {
        self.micros
    }

    /// The last instant at or before this one that is a whole number of `span` from the start of Unix time.
    #[must_use]
    pub fn floor(self, span: Span) -> Self {
        Timestamp::from_micros(self.micros - self.micros.rem_euclid(span.micros().max(1)))
    }

    /// How long ago `earlier` was; nothing if it is in the future (a clock that goes back shortens nothing).
    pub fn since(self, earlier: Timestamp) -> Span {
        Span::from_micros(self.micros.saturating_sub(earlier.micros).max(0))
    }

    /// `2026-11-21`
    pub fn date(self) -> String {
        self.chrono().format("%Y-%m-%d").to_string()
    }

    /// `10`, the hour of the day.
    pub fn hour(self) -> String {
        self.chrono().format("%H").to_string()
    }

    /// `20261121T101500Z`: sorts as time does and may stand in a file name.
    pub fn compact(self) -> String {
        self.chrono().format("%Y%m%dT%H%M%SZ").to_string()
    }

    /// Its text, made where it is used: every event has one, so it is spelled digit by digit.
    pub fn spelled<T>(self, use_it: impl FnOnce(&str) -> T) -> T {
        let at = self.chrono();
        let (date, time) = ([at.year().unsigned_abs(), at.month(), at.day()], [at.hour(), at.minute(), at.second()]);
        let mut text = *SHAPE;
        for (part, mut value) in
            PARTS.into_iter().zip(date.into_iter().chain(time).chain([at.timestamp_subsec_micros()]))
        {
            for digit in text[part].iter_mut().rev() {
                *digit += (value % 10) as u8;
                value /= 10;
            }
        }
        let length = if self.micros % MICROS == 0 { WHOLE } else { SHAPE.len() };
        text[length - 1] = b'Z';
        // Digits and marks, every one of them ASCII.
        use_it(str::from_utf8(&text[..length]).unwrap_or_default())
    }

    /// What is spelled so, read digit by digit; what is spelled otherwise, or is no instant, is left to the careful reader.
    fn read_back(spelled: &[u8]) -> Option<DateTime<Utc>> {
        let mut text = *SHAPE;
        if spelled.len() == WHOLE && spelled.last() == Some(&b'Z') {
            text[..WHOLE - 1].copy_from_slice(&spelled[..WHOLE - 1]);
        } else {
            text = spelled.try_into().ok()?;
        }
        let fits = |(byte, shape): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
        text.iter().zip(SHAPE).all(fits).then_some(())?;
        let value = |part: Range<usize>| text[part].iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        let [year, month, day, hour, minute, second, micros] = PARTS.map(value);
        let date = NaiveDate::from_ymd_opt(year.cast_signed(), month, day)?;
        Some(date.and_hms_micro_opt(hour, minute, second, micros)?.and_utc())
    }

    fn chrono(self) -> DateTime<Utc> {
        // The bounds above lie within chrono's own, so the default is never taken.
        DateTime::from_timestamp_micros(self.micros).unwrap_or_default()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Timestamp::from_micros(at.timestamp_micros())
    }
}

impl Add<Span> for Timestamp {
    type Output = Timestamp;

    fn add(self, span: Span) -> Timestamp {
        Timestamp::from_micros(self.micros.saturating_add(span.micros()))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Timestamp;

    fn sub(self, span: Span) -> Timestamp {
        Timestamp::from_micros(self.micros.saturating_sub(span.micros()))
    }
}

impl fmt::Display for Timestamp {
    /// `2026-11-21T10:15:00Z`, or `2026-11-21T10:15:00.250000Z` if it is no whole second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spelled(|text| f.write_str(text))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads RFC 3339, or a bare date as its midnight in UTC.
    fn from_str(given: &str) -> Result<Self, TimestampError> {
        let instant = || Some(DateTime::parse_from_rfc3339(given).ok()?.with_timezone(&Utc));
        let midnight = || {
            let date: NaiveDate = given.parse().ok()?;
            Some(date.and_hms_opt(0, 0, 0)?.and_utc())
        };
        match Timestamp::read_back(given.as_bytes()).or_else(instant).or_else(midnight) {
            Some(at) if (EARLIEST..=LATEST).contains(&at.timestamp_micros()) => Ok(at.into()),
            Some(_) | None => Err(TimestampError { given: given.to_owned() }),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.spelled(|text| serializer.serialize_str(text))
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// Why a word cannot be a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a length of time: write a whole number and s, m, h or d, for example 24h")]
pub struct SpanError {
    /// The word as it was given.
    pub given: String,
}

/// A length of time, never negative, written `30s`, `5m`, `24h` or `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    micros: i64,
}

/// Units from the longest to the shortest, in seconds.
const UNITS: [(&str, i64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span { micros: 0 };

    /// A number of seconds; below zero counts as zero.
    pub const fn from_secs(secs: i64) -> Self {
        Span::from_micros(secs.saturating_mul(MICROS))
    }

    /// A number of minutes.
    pub const fn from_mins(mins: i64) -> Self {
        Span::from_secs(mins.saturating_mul(60))
    }

    /// A number of hours.
    pub const fn from_hours(hours: i64) -> Self {
        Span::from_secs(hours.saturating_mul(3_600))
    }

    /// A number of days of 24 hours.
    pub const fn from_days(days: i64) -> Self {
        Span::from_secs(days.saturating_mul(86_400))
    }

    /// A number of microseconds; below zero counts as zero.
    pub const fn from_micros(micros: i64) -> Self {
        Span { micros: if micros < 0 { 0 } else { micros } }
    }

    /// The length in microseconds.
    pub const fn micros(self) -> i64 {
        self.micros
    }

    /// The length in seconds.
    pub fn secs(self) -> f64 {
        self.micros as f64 / MICROS as f64
    }

    /// Whether this is no time at all.
    pub fn is_zero(self) -> bool {
        self.micros == 0
    }

    /// This length so many times.
    #[must_use]
    pub fn times(self, count: i64) -> Span {
        Span::from_micros(self.micros.saturating_mul(count))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.micros / MICROS;
        if self.micros % MICROS != 0 {
            return write!(f, "{}us", self.micros);
        }
        if secs == 0 {
            return f.write_str("0s");
        }
        match UNITS.iter().find(|(_, unit)| secs % unit == 0) {
            Some((letter, unit)) => write!(f, "{}{letter}", secs / unit),
            None => write!(f, "{secs}s"),
        }
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(given: &str) -> Result<Self, SpanError> {
        let micros = |given: &str| {
            if let Some(number) = given.strip_suffix("us") {
                return number.parse::<u32>().ok().map(i64::from);
            }
            let (letter, unit) = UNITS.iter().find(|(letter, _)| given.ends_with(letter))?;
            let number: u32 = given.strip_suffix(letter)?.parse().ok()?;
            i64::from(number).checked_mul(*unit)?.checked_mul(MICROS)
        };
        micros(given).map(Span::from_micros).ok_or_else(|| SpanError { given: given.to_owned() })
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;

    fn try_from(given: String) -> Result<Self, SpanError> {
        given.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^\d+(us|s|m|h|d)$", "examples": ["24h"] })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is read digit by digit is what chrono reads, and what it does not take, chrono does not, or spells otherwise.
        #[test]
        fn an_instant_is_what_chrono_says(
            text in "[0-9]{4}-(0[0-9]|1[0-3])-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{6})?Z",
            other in "[0-9:.TZ+-]{18,28}",
            micros in EARLIEST..=LATEST,
        ) {
            let spelled = Timestamp::from_micros(micros).to_string();
            prop_assert_eq!(Timestamp::read_back(spelled.as_bytes()).map(Timestamp::from), Some(Timestamp::from_micros(micros)));
            for text in [text, other] {
                let known = DateTime::parse_from_rfc3339(&text).ok().map(|at| at.with_timezone(&Utc));
                let read = Timestamp::read_back(text.as_bytes());
                prop_assert!(read == known || (read.is_none() && known.is_some_and(|at| Timestamp::from(at).to_string() != text)));
            }
        }
    }

    #[test]
    fn a_span_is_read_back_as_written() {
        for text in ["0s", "30s", "5m", "24h", "7d", "1500us"] {
            let span: Span = text.parse().unwrap();
            let again: Span = span.to_string().parse().unwrap();
            assert_eq!(span, again, "{text}");
        }
        for bad in ["", "h", "-1h", "1.5h", "1w", "24 h", "99999999999d"] {
            assert!(bad.parse::<Span>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_clock_that_goes_back_shortens_nothing() {
        let later: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let earlier = later - Span::from_hours(1);
        assert_eq!(later.since(earlier), Span::from_hours(1));
        assert_eq!(earlier.since(later), Span::ZERO);
    }

    #[test]
    fn an_instant_is_read_back_as_written() {
        for text in ["2026-11-21T10:00:00Z", "1969-12-31T23:59:59.000001Z", "2106-02-07T06:28:16Z"] {
            let at: Timestamp = text.parse().unwrap();
            assert_eq!(at.to_string(), text);
        }
        for extreme in [i64::MIN, i64::MAX].map(Timestamp::from_micros) {
            assert_eq!(extreme.to_string().parse(), Ok(extreme));
        }
        let at = Timestamp::from_micros(951_782_399_000_007);
        assert_eq!(
            (at.to_string(), at.date(), at.hour()),
            (
                at.chrono().to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
                "2000-02-28".to_owned(),
                "23".to_owned()
            )
        );
    }
}
