//! Measurements, checks and verdicts, in the same words everywhere; pure. Silence is `Insufficient`, never `Pass`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a check or a whole report says. Ordered from best to worst; the worst of several wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    /// The evidence is there and the rule is met.
    Pass,
    /// There is not enough evidence to say.
    Insufficient,
    /// The evidence could not be read or computed.
    Error,
    /// The evidence is there and the rule is broken.
    Fail,
}

impl Verdict {
    /// The worst of several verdicts; the worst of none is `Insufficient`, because silence never promotes.
    pub fn worst(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        verdicts.into_iter().max().unwrap_or(Verdict::Insufficient)
    }

    /// What the answers of the last windows say together: `Fail` if so many fail, `Pass` if all `of` were judged and fewer do.
    pub fn confirmed(answers: impl IntoIterator<Item = Verdict>, confirm: u64, of: u64) -> Verdict {
        let answers: Vec<Verdict> = answers.into_iter().collect();
        let last = &answers[answers.len().saturating_sub(usize::try_from(of).unwrap_or(usize::MAX))..];
        let count = |asked: fn(Verdict) -> bool| last.iter().filter(|answer| asked(**answer)).count() as u64;
        match (count(|answer| answer == Verdict::Fail) >= confirm, count(Verdict::is_judged) >= of) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Pass,
            (false, false) => Verdict::Insufficient,
        }
    }

    /// Whether the evidence sufficed to say yes or no.
    pub fn is_judged(self) -> bool {
        matches!(self, Verdict::Pass | Verdict::Fail)
    }

    /// The only verdict on which a step may be taken.
    pub fn is_pass(self) -> bool {
        self == Verdict::Pass
    }
}

/// Why a number could not be computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("not computable: {reason}")]
pub struct NotComputable {
    /// In a few words: `one class only`, `no rows`.
    pub reason: String,
}

impl NotComputable {
    /// Say why.
    pub fn because(reason: impl Into<String>) -> Self {
        NotComputable { reason: reason.into() }
    }
}

/// A finite number, or why there is none. NaN and the infinities cannot be held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// No number, and why.
    NotComputable(NotComputable),
}

impl Value {
    /// The number, if there is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(number) if number.is_finite() => Some(*number),
            Value::Number(_) | Value::NotComputable(_) => None,
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        if number.is_finite() {
            Value::Number(number)
        } else {
            Value::NotComputable(NotComputable::because("not a finite number"))
        }
    }
}

impl From<Result<f64, NotComputable>> for Value {
    fn from(result: Result<f64, NotComputable>) -> Self {
        result.map_or_else(Value::NotComputable, Value::from)
    }
}

/// One number that was measured, and on how many rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// What was measured, unit last: `psi`, `js_bits`, `latency_p95_us`.
    pub metric: String,
    /// The number, or why there is none.
    pub value: Value,
    /// How many rows, pairs or windows it rests on.
    pub n: u64,
}

impl Measurement {
    /// A measurement of `metric` on `n` rows.
    pub fn new(metric: impl Into<String>, value: impl Into<Value>, n: u64) -> Self {
        Measurement { metric: metric.into(), value: value.into(), n }
    }
}

/// How a value is held against a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    /// Smaller than.
    #[serde(rename = "<")]
    Less,
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
    /// Greater than.
    #[serde(rename = ">")]
    Greater,
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
}

impl Operator {
    /// Whether `value operator threshold` holds; nothing that is not finite ever does.
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        let finite = value.is_finite() && threshold.is_finite();
        finite
            && match self {
                Operator::Less => value < threshold,
                Operator::AtMost => value <= threshold,
                Operator::Greater => value > threshold,
                Operator::AtLeast => value >= threshold,
            }
    }
}

/// A measurement held against a rule: `metric value operator threshold → verdict (n)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What was measured.
    #[serde(flatten)]
    pub measurement: Measurement,
    /// How it is held against the threshold.
    pub operator: Operator,
    /// The number the rule names.
    pub threshold: f64,
    /// What follows.
    pub verdict: Verdict,
    /// Why it is not `Pass`, or what would change it; empty when there is nothing to add.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Check {
    /// Hold a measurement against a rule that wants `value operator threshold`, on at least `minimum` rows.
    ///
    /// Too few rows or no number is `Insufficient`; a rule that is not met is `Fail`.
    pub fn require(measurement: Measurement, operator: Operator, threshold: f64, minimum: u64) -> Self {
        let (verdict, note) = match &measurement.value {
            _ if measurement.n < minimum => {
                (Verdict::Insufficient, format!("needs n >= {minimum}, has {}", measurement.n))
            }
            Value::NotComputable(why) => (Verdict::Insufficient, why.to_string()),
            Value::Number(value) if operator.holds(*value, threshold) => (Verdict::Pass, String::new()),
            Value::Number(value) if value.is_finite() => {
                (Verdict::Fail, format!("passes when {} {operator} {}", measurement.metric, Short(threshold)))
            }
            Value::Number(_) => (Verdict::Error, "not a finite number".to_owned()),
        };
        Check { measurement, operator, threshold, verdict, note }
    }

    /// The same check with something to add for the reader.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// A number as people read it: up to four significant decimals, no trailing zeros.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.abs();
        if magnitude != 0.0 && !(1e-4..1e9).contains(&magnitude) {
            return write!(f, "{:.2e}", self.0);
        }
        let text = format!("{:.4}", self.0);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Pass => "Pass",
            Verdict::Insufficient => "Insufficient",
            Verdict::Error => "Error",
            Verdict::Fail => "Fail",
        })
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operator::Less => "<",
            Operator::AtMost => "<=",
            Operator::Greater => ">",
            Operator::AtLeast => ">=",
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => Short(*number).fmt(f),
            Value::NotComputable(why) => why.fmt(f),
        }
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (n {})", self.metric, self.value, self.n)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measurement { metric, value, n } = &self.measurement;
        let threshold = Short(self.threshold);
        write!(f, "{metric} {value} {} {threshold} → {} (n {n})", self.operator, self.verdict)?;
        if !self.note.is_empty() {
            write!(f, " · {}", self.note)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_worst_of_no_verdicts_is_insufficient() {
        assert_eq!(Verdict::worst([]), Verdict::Insufficient);
        assert_eq!(Verdict::worst([Verdict::Pass, Verdict::Error]), Verdict::Error);
        assert!(Verdict::Pass < Verdict::Insufficient && Verdict::Error < Verdict::Fail);
    }

    #[test]
    fn a_check_reads_as_one_line() {
        let psi = Measurement::new("psi", 0.31, 250);
        let check = Check::require(psi, Operator::Less, 0.2, 100);
        assert_eq!(check.to_string(), "psi 0.31 < 0.2 → Fail (n 250) · passes when psi < 0.2");
    }

    #[test]
    fn a_value_survives_json() {
        for value in [Value::from(0.1), Value::from(f64::NAN)] {
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
        }
    }

    proptest! {
        #[test]
        fn silence_never_passes(n in 0u64..10, threshold in any::<f64>(), which in 0usize..4) {
            let operator = [Operator::Less, Operator::AtMost, Operator::Greater, Operator::AtLeast][which];
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let measured = Measurement::new("m", value, 1_000);
                prop_assert!(!Check::require(measured, operator, threshold, 1).verdict.is_pass());
                let raw = Measurement { metric: "m".into(), value: Value::Number(value), n: 1_000 };
                prop_assert!(!Check::require(raw, operator, threshold, 1).verdict.is_pass());
            }
            let few = Measurement::new("m", threshold, n);
            prop_assert!(!Check::require(few, operator, threshold, 10).verdict.is_pass());
        }
    }
}
