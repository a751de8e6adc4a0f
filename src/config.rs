//! The workspace's own files: `regent.yaml` and each model's `policy.yaml`, every stage's rules gathered; pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alert::AlertRules;
use crate::contract::Task;
use crate::drift::DriftRules;
use crate::evaluate::{EvaluateRules, RollbackRules};
use crate::govern::{PromotionRules, Rules};
use crate::performance::PerformanceRules;
use crate::policy::RetrainRules;
use crate::registry::SignatureRules;
use crate::shadow::ShadowRules;
use crate::snapshot::WindowRules;
use crate::train::TrainRules;
use crate::types::{ModelName, Span};
use crate::yaml::{self, YamlError};

/// `regent.yaml`: what holds for the whole workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The model that commands and `/api/v1/predict` speak of when none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// Where `regent serve` listens.
    pub listen: String,
    /// Whether an acknowledged event is on disk (`durable`) or at most a moment from it (`batched`).
    pub events: Events,
    /// What becomes of a request whose event cannot be written, be it that the disk is full.
    pub unrecorded: Unrecorded,
    /// How long a replica must have written nothing, and its process be gone, before another seals what it left in the spool.
    pub adopt_after: Span,
    /// Who hears of alerts, and how.
    pub alerts: AlertRules,
}

/// When an event is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Events {
    /// After fsync.
    Durable,
    /// At once: events are gathered and written together. What was answered in the last 0.1 s is lost with the process, and in the
    /// last 1.2 s with the machine.
    Batched,
}

/// What becomes of an answer that nobody would remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unrecorded {
    /// It is not given: 503 until events can be written again.
    Refuse,
    /// It is given and counted: `counts.unrecorded` of its window says how many there are.
    Count,
}

impl Default for Settings {
    /// - `adopt_after` 5 minutes: longer than a restart takes, shorter than the grace of a window, so that what a dead replica
    ///   answered is still counted where it belongs.
    fn default() -> Self {
        Settings {
            model: None,
            listen: "127.0.0.1:8080".to_owned(),
            events: Events::Batched,
            unrecorded: Unrecorded::Refuse,
            adopt_after: Span::from_mins(5),
            alerts: AlertRules::default(),
        }
    }
}

impl Settings {
    /// Read and check a workspace's settings.
    ///
    /// # Errors
    /// Where the text is not YAML of this shape; every rule that contradicts itself. None shows a line of `alerts:`, where
    /// somebody may have written a secret.
    pub fn read(file: &str, text: &str) -> Result<Settings, PolicyError> {
        let settings: Settings = yaml::read(file, text).map_err(|error| discreet(error, text))?;
        let name = |(key, what): (String, String)| PolicyFault { key: format!("alerts.{key}"), what };
        let faults: Vec<PolicyFault> = settings.alerts.faults().into_iter().map(name).collect();
        if faults.is_empty() { Ok(settings) } else { Err(PolicyError::Faults { file: file.to_owned(), faults }) }
    }
}

/// An error about `alerts:` names keys and shows no value.
fn discreet(mut error: YamlError, text: &str) -> YamlError {
    let Some(place) = &mut error.place else { return error };
    let is_key = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    if text.lines().take(place.line).filter(is_key).last().is_none_or(|section| !section.starts_with("alerts")) {
        return error;
    }
    if let Some((key, _)) = place.text.split_once(':') {
        place.text = format!("{key}: …");
    } else {
        place.text = "…".to_owned();
    }
    place.column = place.column.min(place.text.chars().count());
    let quoted = error.message.split('"').enumerate().map(|(index, part)| if index % 2 == 1 { "…" } else { part });
    error.message = quoted.collect::<Vec<_>>().join("\"");
    error
}

/// `governance/<model>/policy.yaml`: the rules of every stage. What is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Files of labelled rows, as globs from the workspace's root; new ones are taken in at every tick.
    pub sources: Vec<String>,
    /// Sizes of windows, and how long to wait for silent replicas.
    pub windows: WindowRules,
    /// When a feature and a dataset have drifted.
    pub drift: DriftRules,
    /// When a window is mature, and when a model has lost.
    pub performance: PerformanceRules,
    /// When to train.
    pub retrain: RetrainRules,
    /// How to train.
    pub train: TrainRules,
    /// When a candidate may shadow.
    pub evaluate: EvaluateRules,
    /// When a candidate is promotable.
    pub shadow: ShadowRules,
    /// Who promotes, and how often.
    pub promotion: PromotionRules,
    /// When a champion is taken back.
    pub rollback: RollbackRules,
    /// Whose signatures a version needs to be imported, promoted, served or returned to.
    pub signature: SignatureRules,
}

/// A key and what is wrong with its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {what}")]
pub struct PolicyFault {
    /// `drift.confirm`
    pub key: String,
    /// Both values and what to write.
    pub what: String,
}

/// Why a policy, or the settings of a workspace, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is not the YAML it should be.
    #[error("read rules")]
    Yaml(#[from] YamlError),
    /// Its rules contradict themselves.
    #[error("use {file}: {}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faults {
        /// The file.
        file: String,
        /// Every fault.
        faults: Vec<PolicyFault>,
    },
}

impl Policy {
    /// Read and check a policy.
    ///
    /// # Errors
    /// Where the text is not YAML of this shape; every rule that contradicts itself.
    pub fn read(file: &str, text: &str) -> Result<Policy, PolicyError> {
        let policy: Policy = yaml::read(file, text)?;
        let faults = policy.faults();
        if faults.is_empty() { Ok(policy) } else { Err(PolicyError::Faults { file: file.to_owned(), faults }) }
    }

    /// Hold the rules against what the model predicts.
    ///
    /// # Errors
    /// Every rule that speaks of what such a model does not have.
    pub fn suits(&self, file: &str, task: Task) -> Result<(), PolicyError> {
        let name = |(key, what)| PolicyFault { key: format!("performance.{key}"), what };
        let faults: Vec<PolicyFault> = self.performance.misfits(task).into_iter().map(name).collect();
        if faults.is_empty() { Ok(()) } else { Err(PolicyError::Faults { file: file.to_owned(), faults }) }
    }

    fn faults(&self) -> Vec<PolicyFault> {
        let stages = [
            ("windows", self.windows.faults()),
            ("drift", self.drift.faults()),
            ("performance", self.performance.faults()),
            ("retrain", self.retrain.faults()),
            ("train", self.train.faults()),
            ("evaluate", self.evaluate.faults()),
            ("shadow", self.shadow.faults()),
            ("signature", self.signature.faults()),
            ("rollback", self.rollback.faults()),
        ];
        let name = |stage: &str, (key, what): (&str, String)| PolicyFault { key: format!("{stage}.{key}"), what };
        stages.into_iter().flat_map(|(stage, faults)| faults.into_iter().map(move |fault| name(stage, fault))).collect()
    }

    /// The rules as a decision needs them.
    pub fn rules(&self) -> Rules {
        Rules {
            windows: self.windows.clone(),
            drift: self.drift.clone(),
            performance: self.performance.clone(),
            retrain: self.retrain.clone(),
            train: self.train.clone(),
            evaluate: self.evaluate.clone(),
            shadow: self.shadow.clone(),
            promotion: self.promotion.clone(),
            rollback: self.rollback.clone(),
            signature: self.signature.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_of_something_that_is_measured() {
        let said = |text: &str| Policy::read("policy.yaml", text).unwrap_err().to_string();
        let unknown = said("performance:\n  floors: { roc: 0.7 }\n");
        assert!(unknown.contains("performance.floors: no metric is called `roc`: write auc, accuracy"), "{unknown}");
        let policy = Policy::read("policy.yaml", "performance:\n  floors: { mae: 12 }\n").unwrap();
        assert!(policy.suits("policy.yaml", Task::Regression).is_ok());
        let misfit = policy.suits("policy.yaml", Task::Binary).unwrap_err().to_string();
        assert!(misfit.contains("performance.floors: this model has no `mae`: write auc"), "{misfit}");
    }

    #[test]
    fn no_error_about_alerts_shows_a_value() {
        let route = "alerts:\n  routes:\n    pager:\n      pagerduty:\n";
        for (line, names) in [
            ("        routing_key: hunter2\n", "alerts.routes.pager.pagerduty.routing_key"),
            ("        routing_key: { value: hunter2 }\n", "alerts.routes.pager.pagerduty.routing_key"),
            ("        routing_key: 12345\n        ca_file: x\n", "routing_key"),
            ("        ruoting_key: hunter2\n", "ruoting_key"),
            ("        routing_key: \"hunter2\n", "unexpected end of stream"),
            ("        - hunter2\n", "pagerduty"),
            ("        hunter2\n", "pager"),
        ] {
            let error = Settings::read("regent.yaml", &format!("{route}{line}")).unwrap_err();
            let said = match &error {
                PolicyError::Yaml(yaml) => format!("{error} {yaml}"),
                PolicyError::Faults { .. } => error.to_string(),
            };
            assert!(!said.contains("hunter2") && !said.contains("12345") && said.contains(names), "{line}{said}");
        }
        let elsewhere = Settings::read("regent.yaml", "lisen: here\nalerts: {}\n").unwrap_err();
        let PolicyError::Yaml(yaml) = elsewhere else { panic!("{elsewhere}") };
        assert!(yaml.to_string().contains("lisen: here"), "other sections are shown as they are");
    }
}
