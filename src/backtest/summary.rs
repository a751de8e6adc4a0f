//! What a replay says: a line a window, every step, and the table that compares; pure.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use super::headline;
use crate::alert::Notice;
use crate::contract::Task;
use crate::drift::DriftRules;
use crate::govern::State;
use crate::promote::Tick;
use crate::train::measure;
use crate::types::{Value, Version};

/// The whole replay.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// One line a window.
    pub windows: Vec<WindowLine>,
    /// Every step of every version.
    pub transitions: Vec<Step>,
    /// Everything that happened to alerts, with the window at whose end it was raised.
    pub alerts: Vec<(usize, Notice)>,
    /// Governed beside never and always.
    pub compare: Compare,
}

/// What one window looked like at its end.
#[derive(Debug, Clone, Serialize)]
pub struct WindowLine {
    /// From 0.
    pub index: usize,
    /// The first row of the file in it.
    pub first_row: usize,
    /// The last.
    pub last_row: usize,
    /// Who answered.
    pub champion: Version,
    /// Where the candidate stands at its end; `-` without one.
    pub state: String,
    /// What was decided.
    pub decision: String,
    /// The largest PSI of a feature against the champion's profile.
    pub psi_max: Option<f64>,
    /// F1 of the answers at the champion's own threshold; none for a regression.
    pub f1: Option<f64>,
    /// Mean absolute error; none for a binary task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// Drift, performance, evaluation, shadow: a verdict each, `-` for none.
    pub verdicts: [String; 4],
}

/// One step of one version.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The window at whose end it was taken.
    pub window: usize,
    /// Whose step it is.
    pub version: Version,
    /// Where it stood; none for a new version.
    pub from: Option<State>,
    /// Where it stands now.
    pub to: State,
    /// Why.
    pub reasons: Vec<String>,
}

impl Step {
    /// Whether another version serves from here on.
    pub fn changes_champion(&self) -> bool {
        self.to == State::Promoted
    }
}

/// Governed beside its alternatives, on the same rows.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Compare {
    /// As it went.
    pub governed: Arm,
    /// The first model, for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never: Option<Arm>,
    /// The same trainer, look-backs and label delay at every window, without a gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub always: Option<Arm>,
}

/// One way to run a model.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Arm {
    /// Mean F1 of the windows; none for a regression.
    pub f1_mean: Option<f64>,
    /// Mean log loss of the windows; none for a regression.
    pub log_loss: Option<f64>,
    /// Mean absolute error of the windows; none for a binary task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// How often the serving model changed after the first.
    pub changes: usize,
}

/// The answers of one window.
#[derive(Debug, Clone)]
pub(super) struct Served {
    pub(super) task: Task,
    pub(super) champion: Version,
    pub(super) threshold: Option<f64>,
    pub(super) predictions: Vec<f64>,
    pub(super) labels: Vec<f64>,
}

impl Served {
    fn metric(&self, name: &str) -> Option<f64> {
        let metrics = measure(self.task, &self.predictions, &self.labels, self.threshold);
        metrics.iter().find(|metric| metric.measurement.metric == name)?.measurement.value.number()
    }
}

/// The windows' metrics as they add up.
#[derive(Debug, Clone, Default)]
pub(super) struct Scores {
    f1: Vec<f64>,
    log_loss: Vec<f64>,
    mae: Vec<f64>,
}

impl Scores {
    pub(super) fn add(&mut self, served: &Served) {
        self.f1.extend(served.metric("f1"));
        self.log_loss.extend(served.metric("log_loss"));
        self.mae.extend(served.metric("mae"));
    }

    pub(super) fn arm(&self, changes: usize) -> Arm {
        let mean = |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        Arm { f1_mean: mean(&self.f1), log_loss: mean(&self.log_loss), mae: mean(&self.mae), changes }
    }
}

/// The line of a window, from its answers and the ticks at its end.
pub(super) fn line(index: usize, rows: &Range<usize>, served: &Served, ticks: &[Tick], _: &DriftRules) -> WindowLine {
    let seen = ticks.first().map(|tick| &tick.observation);
    let drift = seen.and_then(|seen| seen.drift.last());
    let psi = drift.into_iter().flat_map(|report| &report.features).flat_map(|feature| &feature.checks);
    let psi =
        psi.filter(|check| check.measurement.metric == "psi").filter_map(|check| check.measurement.value.number());
    let performance =
        seen.and_then(|seen| seen.performance.iter().rev().find(|report| report.catastrophic.verdict.is_judged()));
    let evaluation = ticks.iter().find_map(|tick| tick.observation.evaluation.as_ref());
    let shadow = seen.and_then(|seen| seen.shadow.as_ref());
    let candidate = ticks.last().and_then(|tick| tick.standing.candidate.as_ref());
    let decision = ticks.first().and_then(|tick| tick.decision.record.as_ref());
    WindowLine {
        index,
        first_row: rows.start,
        last_row: rows.end.saturating_sub(1),
        champion: served.champion,
        state: candidate
            .map_or_else(|| "-".to_owned(), |candidate| format!("{} {}", candidate.version, candidate.state)),
        decision: decision.map_or_else(|| "NO_ACTION".to_owned(), |record| record.action.to_string()),
        psi_max: psi.reduce(f64::max),
        f1: served.metric("f1"),
        mae: served.metric("mae"),
        verdicts: [
            super::word(drift.map(|report| report.verdict)),
            super::word(performance.map(|report| report.verdict)),
            super::word(evaluation.map(|report| report.verdict)),
            super::word(shadow.map(|report| report.verdict)),
        ],
    }
}

/// Every step that the ticks of a window took.
pub(super) fn steps(window: usize, ticks: &[Tick]) -> Vec<Step> {
    let records = ticks.iter().filter_map(|tick| tick.receipt.entry.as_ref()).map(|(entry, _)| &entry.decision);
    records
        .flat_map(|record| &record.transitions)
        .map(|step| Step { window, version: step.version, from: step.from, to: step.to, reasons: step.reasons.clone() })
        .collect()
}

impl fmt::Display for WindowLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
        let (name, value) = match (self.f1, self.mae) {
            (_, Some(mae)) => ("mae", Some(mae)),
            (f1, None) => (headline(Task::Binary).0, f1),
        };
        let [drift, performance, evaluation, shadow] = &self.verdicts;
        write!(
            f,
            "{:>3}  rows {:>6}–{:<6} {:<7} {name} {:>6}  psi {:>6}  drift {drift:<12} performance {performance:<12} \
             evaluation {evaluation:<5} shadow {shadow:<12} {:<20} {}",
            self.index,
            self.first_row,
            self.last_row,
            self.champion.to_string(),
            number(value),
            number(self.psi_max),
            self.state,
            self.decision,
        )
    }
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cell = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| Value::from(value).to_string());
        writeln!(f, "{:<22} {:>8} {:>10} {:>8} {:>8}", "", "F1", "log loss", "MAE", "changes")?;
        let arms = [
            ("governed", Some(&self.governed)),
            ("never retrained", self.never.as_ref()),
            ("retrained every window", self.always.as_ref()),
        ];
        for (name, arm) in arms {
            if let Some(arm) = arm {
                let [f1, log_loss, mae] = [arm.f1_mean, arm.log_loss, arm.mae].map(cell);
                writeln!(f, "{name:<22} {f1:>8} {log_loss:>10} {mae:>8} {:>8}", arm.changes)?;
            }
        }
        Ok(())
    }
}
