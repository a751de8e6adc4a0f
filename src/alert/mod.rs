//! What a person must know: fired once, reminded of, resolved; through the store. Each record is created once.

mod derive;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use derive::derive;

use crate::store::{Body, Key, Store, StoreError};
use crate::types::{ModelName, Span, Timestamp, canonical_json};

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
pub enum Rule {
    /// Features have drifted, confirmed.
    DataDrift,
    /// Predictions have shifted.
    PredictionShift,
    /// A mature window lost against the baseline.
    PerformanceDegradation,
    /// Too many requests are refused.
    ErrorRate,
    /// Much more or much less traffic than usual.
    Volume,
    /// A source file was refused.
    Source,
    /// A bundle does not verify.
    Integrity,
    /// The model is held.
    Held,
}

/// Something true now that a person must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What it is about.
    pub rule: Rule,
    /// How much it matters.
    pub level: Level,
    /// In words, with the check that says so.
    pub text: String,
}

/// One record of an alert's life: `var/<model>/alerts/<instant>-<rule>-<event>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// When it happened.
    pub at: Timestamp,
    /// What happened to the alert.
    pub event: Event,
    /// What it says.
    #[serde(flatten)]
    pub finding: Finding,
}

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// It is new, or became worse.
    Fired,
    /// What it said is no longer true.
    Resolved,
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

impl Rule {
    /// The rule as it stands in JSON and in file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::DataDrift => "data_drift",
            Rule::PredictionShift => "prediction_shift",
            Rule::PerformanceDegradation => "performance_degradation",
            Rule::ErrorRate => "error_rate",
            Rule::Volume => "volume",
            Rule::Source => "source",
            Rule::Integrity => "integrity",
            Rule::Held => "held",
        }
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.event {
            Event::Fired => "",
            Event::Resolved => "resolved ",
        };
        let Finding { rule, level, text } = &self.finding;
        write!(f, "{} {what}{level} {} {}: {text}", self.at, self.model, rule.as_str())
    }
}

/// What names of records tell apart.
const SECOND: Span = Span::from_secs(1);

/// Fire what is new or worse, resolve what is over, and return both; what already stands fires no second time.
///
/// # Errors
/// The store's.
pub fn raise(
    store: &dyn Store,
    model: &ModelName,
    findings: &[Finding],
    now: Timestamp,
) -> Result<Vec<Alert>, StoreError> {
    let history = history(store, model)?;
    let standing = standing_of(&history);
    // Records are in the order of time, and a clock may go back: what happens to an alert happens after what happened to it.
    let at = |rule| {
        let last = history.iter().filter(|alert| alert.finding.rule == rule).map(|alert| alert.at).max();
        last.filter(|last| now < *last + SECOND).map_or(now, |last| last + SECOND)
    };
    let level_of = |rule| standing.iter().find(|alert| alert.finding.rule == rule).map(|alert| alert.finding.level);
    let mut records = Vec::new();
    for finding in findings {
        if level_of(finding.rule).is_none_or(|level| level < finding.level) {
            records.push(record(model, at(finding.rule), Event::Fired, finding.clone()));
        }
    }
    for alert in &standing {
        if !findings.iter().any(|finding| finding.rule == alert.finding.rule) {
            records.push(record(model, at(alert.finding.rule), Event::Resolved, alert.finding.clone()));
        }
    }
    for alert in &records {
        create(store, alert)?;
    }
    Ok(records)
}

fn record(model: &ModelName, at: Timestamp, event: Event, finding: Finding) -> Alert {
    Alert { format_version: 1, model: model.clone(), at, event, finding }
}

fn folder(model: &ModelName) -> Result<Key, StoreError> {
    Ok(Key::new(&format!("var/{model}/alerts"))?)
}

fn create(store: &dyn Store, alert: &Alert) -> Result<(), StoreError> {
    let event = match alert.event {
        Event::Fired => "fired",
        Event::Resolved => "resolved",
    };
    let name = format!("{}-{}-{event}.json", alert.at.compact(), alert.finding.rule.as_str());
    let key = folder(&alert.model)?.join(&name)?;
    let bytes = canonical_json(alert).map_err(|source| StoreError::Io {
        operation: "print",
        key: key.clone(),
        source: source.into(),
    })?;
    match store.create(&key, Body::Bytes(&bytes)) {
        // The same tick, run again after a crash, says the same.
        Err(StoreError::AlreadyExists { .. }) => Ok(()),
        other => other,
    }
}

/// Every record of a model's alerts, oldest first.
///
/// # Errors
/// The store's; a record that is not one.
pub fn history(store: &dyn Store, model: &ModelName) -> Result<Vec<Alert>, StoreError> {
    let read = |key: Key| {
        let bytes = store.read(&key)?;
        serde_json::from_slice(&bytes).map_err(|source| StoreError::Io {
            operation: "read",
            key,
            source: source.into(),
        })
    };
    store.list(&folder(model)?)?.into_iter().map(read).collect()
}

/// The alerts that stand: fired last at the returned level, and not resolved since.
///
/// # Errors
/// As [`history`].
pub fn active(store: &dyn Store, model: &ModelName) -> Result<Vec<Alert>, StoreError> {
    Ok(standing_of(&history(store, model)?))
}

fn standing_of(history: &[Alert]) -> Vec<Alert> {
    let mut standing: Vec<Alert> = Vec::new();
    for alert in history {
        standing.retain(|earlier| earlier.finding.rule != alert.finding.rule);
        if alert.event == Event::Fired {
            standing.push(alert.clone());
        }
    }
    standing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Memory;

    /// What a clock that was wrong for a while fired is resolved once, and can be fired again.
    #[test]
    fn an_alert_of_the_future_is_resolved_once() {
        let (store, model) = (Memory::new(), "rain".parse().unwrap());
        let held = [Finding { rule: Rule::Held, level: Level::Critical, text: "held".to_owned() }];
        let [noon, later]: [Timestamp; 2] =
            ["2026-11-21T12:00:00Z", "2106-02-07T00:00:00Z"].map(|at| at.parse().unwrap());
        let raised = |findings: &[Finding], now| raise(&store, &model, findings, now).unwrap().len();
        assert_eq!(raised(&held, later), 1);
        assert_eq!(raised(&[], noon), 1, "resolved");
        assert_eq!(raised(&[], noon + SECOND), 0, "resolved for good");
        assert_eq!(active(&store, &model).unwrap(), []);
        assert_eq!(raised(&held, noon + SECOND), 1, "fired again");
        assert_eq!(active(&store, &model).unwrap().len(), 1);
    }

    /// The same tick, run again after a crash, says the same.
    #[test]
    fn what_stands_fires_no_second_time() {
        let (store, model) = (Memory::new(), "rain".parse().unwrap());
        let held = [Finding { rule: Rule::Held, level: Level::Critical, text: "held".to_owned() }];
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        assert_eq!(raise(&store, &model, &held, now).unwrap().len(), 1);
        assert_eq!(raise(&store, &model, &held, now).unwrap(), []);
        assert_eq!(history(&store, &model).unwrap().len(), 1);
    }
}
