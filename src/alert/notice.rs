//! The words of alerts: what is seen, how much it matters, and what happens to it; pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AlertError;
use crate::types::{ModelName, RouteName, Timestamp, Verdict};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Good to know.
    Info,
    /// Look at it today.
    Warning,
    /// Look at it now.
    Critical,
}

/// What it is about; with the model, the key under which an alert fires once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Features have drifted, confirmed.
    DataDrift,
    /// What features mean for the target has changed.
    ConceptDrift,
    /// Mature windows lost against the promoted baseline.
    PerformanceDegradation,
    /// A mature window is below a floor of the policy.
    PerformanceThreshold,
    /// Scores foretell a loss that no label has confirmed yet.
    PerformanceEstimate,
    /// Too many requests are refused.
    ErrorRate,
    /// Predictions have shifted.
    PredictionShift,
    /// The mean prediction is far from what it was at training.
    PredictionMeanAnomaly,
    /// Much more or much less traffic than usual.
    Volume,
    /// Too few labels arrive.
    LabelCoverage,
    /// The governor did not come when it was due.
    GovernorLate,
    /// Something stored is not what was stored, or a bundle does not verify.
    Integrity,
    /// A file of labelled rows was refused.
    Source,
    /// The model is held.
    Held,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Kind; 14] = [
        Kind::DataDrift,
        Kind::ConceptDrift,
        Kind::PerformanceDegradation,
        Kind::PerformanceThreshold,
        Kind::PerformanceEstimate,
        Kind::ErrorRate,
        Kind::PredictionShift,
        Kind::PredictionMeanAnomaly,
        Kind::Volume,
        Kind::LabelCoverage,
        Kind::GovernorLate,
        Kind::Integrity,
        Kind::Source,
        Kind::Held,
    ];

    /// The kind as it stands in JSON, YAML and names of files.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::DataDrift => "data_drift",
            Kind::ConceptDrift => "concept_drift",
            Kind::PerformanceDegradation => "performance_degradation",
            Kind::PerformanceThreshold => "performance_threshold",
            Kind::PerformanceEstimate => "performance_estimate",
            Kind::ErrorRate => "error_rate",
            Kind::PredictionShift => "prediction_shift",
            Kind::PredictionMeanAnomaly => "prediction_mean_anomaly",
            Kind::Volume => "volume",
            Kind::LabelCoverage => "label_coverage",
            Kind::GovernorLate => "governor_late",
            Kind::Integrity => "integrity",
            Kind::Source => "source",
            Kind::Held => "held",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Something true now that a person must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// In words, with the check that says so.
    pub text: String,
}

/// What a look at one kind came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is so.
    Stands(Finding),
    /// It was judged, and it is not so.
    Over,
    /// It could not be told: what stands stays, and nothing fires. No data is never "no drift" (P4).
    Unclear,
}

impl Seen {
    /// It is so.
    pub fn stands(level: Level, text: impl Into<String>) -> Seen {
        Seen::Stands(Finding { level, text: text.into() })
    }

    /// What a verdict says: a `Fail` stands, a `Pass` is over, anything else is unclear.
    pub fn by(verdict: Verdict, level: Level, text: impl FnOnce() -> String) -> Seen {
        match verdict {
            Verdict::Fail => Seen::stands(level, text()),
            Verdict::Pass => Seen::Over,
            Verdict::Insufficient | Verdict::Error => Seen::Unclear,
        }
    }
}

/// What a look came to, kind by kind; a kind that was not looked at is not in it.
pub type Findings = BTreeMap<Kind, Seen>;

/// What happens to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// It is new, or became worse.
    Fired,
    /// It still stands, and nobody has acknowledged it.
    Reminded,
    /// A person knows: no reminders until it is worse.
    Acknowledged,
    /// What it said is no longer true.
    Resolved,
    /// Somebody tries a route; never stored.
    Test,
}

/// One record of an alert's life: `var/<model>/alerts/<type>/<number>/notice.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Its number among the notices of this model and type, from 1: whoever creates a number first has it.
    pub seq: u64,
    /// What happened to the alert.
    pub event: Event,
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub text: String,
    /// When it happened.
    pub at: Timestamp,
    /// Since when the alert stands.
    pub since: Timestamp,
    /// The routes it is for, as they were named then.
    pub to: BTreeSet<RouteName>,
    /// Who acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What they say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Notice {
    /// Whose life it belongs to.
    pub fn alert(&self) -> AlertId {
        AlertId { model: self.model.clone(), kind: self.kind }
    }
}

/// What one alert is known by, to people and to receivers: `rain/data_drift`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(into = "String")]
pub struct AlertId {
    /// The model.
    pub model: ModelName,
    /// What it is about.
    pub kind: Kind,
}

impl From<AlertId> for String {
    fn from(id: AlertId) -> String {
        id.to_string()
    }
}

impl FromStr for AlertId {
    type Err = AlertError;

    fn from_str(given: &str) -> Result<AlertId, AlertError> {
        let read = || {
            let (model, kind) = given.split_once('/')?;
            Some(AlertId { model: model.parse().ok()?, kind: Kind::named(kind)? })
        };
        read().ok_or_else(|| AlertError::NotAnId { given: given.to_owned() })
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.model, self.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Critical => "CRITICAL",
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Event::Fired => "fired",
            Event::Reminded => "reminded",
            Event::Acknowledged => "acknowledged",
            Event::Resolved => "resolved",
            Event::Test => "test",
        })
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Notice { at, event, level, text, .. } = self;
        write!(f, "{at} {event} {level} {}: {text}", self.alert())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_name_everywhere() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(Kind::named(kind.as_str()), Some(kind));
            let id = AlertId { model: "rain".parse().unwrap(), kind };
            assert_eq!(id.to_string().parse::<AlertId>().unwrap(), id);
        }
        for bad in ["rain", "rain/", "/held", "rain/held/1", "../held"] {
            assert!(bad.parse::<AlertId>().is_err(), "{bad}");
        }
    }
}
