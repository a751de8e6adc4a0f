//! Recorded evidence under another policy: what would have been decided differently, and what nobody can know; through the store.

use serde::Serialize;

use super::deep::{self, Recomputed};
use super::replay::by_hand;
use super::{AuditError, read_inputs};
use crate::govern::{self, Decision, Entry, Observation, Record, ReportKind, Rules, Standing, Transition, journal};
use crate::policy::Action;
use crate::promote::Inputs;
use crate::store::Store;
use crate::types::{ModelName, Timestamp, Version};

/// What a decision came to, without the words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// What retraining should become.
    pub action: Action,
    /// The steps, without their reasons.
    pub steps: Vec<String>,
    /// The version whose training starts or is repeated.
    pub trains: Option<Version>,
    /// Why the model would be held.
    pub held: Option<String>,
    /// In words.
    pub reasons: Vec<String>,
}

/// An entry that another policy would have decided otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unlike {
    /// The entry.
    pub entry: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// What was decided.
    pub was: Judgement,
    /// What would have been decided; nothing if no entry would have been written.
    pub would_be: Option<Judgement>,
    /// Whether an earlier entry differs too: then this one says what the other policy would have made of the *real* history up
    /// to here, which under that policy would not have happened.
    pub after_the_first: bool,
}

/// A history judged by another policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Simulated {
    /// The model.
    pub model: ModelName,
    /// Entries that were decided again.
    pub decided: u64,
    /// Entries that no policy decided: trainings begun by hand, failed attempts.
    pub by_hand: u64,
    /// Entries that would have been decided otherwise, oldest first.
    pub unlike: Vec<Unlike>,
    /// Reports that were judged again under the other thresholds.
    pub rejudged: u64,
    /// Reports that could not be judged again, because what they were computed from is not here as it was: they stand as recorded.
    pub kept: u64,
    /// What nobody can know, in sentences.
    pub limits: Vec<String>,
}

/// What holds for every simulation.
const ALWAYS: [&str; 3] = [
    "after the first difference the evidence is still that of the real history",
    "only moments that wrote an entry are replayed; another policy might have acted at others",
    "labels that came too late to be recorded are not counted",
];

/// Judge a model's history by other rules.
///
/// # Errors
/// A journal or inputs that are not what was recorded: verify first.
pub fn simulate(store: &dyn Store, model: &ModelName, rules: &Rules) -> Result<Simulated, AuditError> {
    let mut simulated = Simulated {
        model: model.clone(),
        decided: 0,
        by_hand: 0,
        unlike: Vec::new(),
        rejudged: 0,
        kept: 0,
        limits: ALWAYS.map(str::to_owned).to_vec(),
    };
    let mut standing = Standing::default();
    for (entry, digest) in journal::read(store, model)? {
        let inputs = read_inputs(store, model, &entry)?;
        if let Some(inputs) = inputs {
            simulated.turn(store, &entry, &inputs, &standing, rules)?;
        }
        standing = standing.after(&entry, digest)?;
    }
    Ok(simulated)
}

impl Simulated {
    fn turn(
        &mut self,
        store: &dyn Store,
        entry: &Entry,
        inputs: &Inputs,
        standing: &Standing,
        rules: &Rules,
    ) -> Result<(), AuditError> {
        if by_hand(entry, inputs, standing).is_some() {
            self.by_hand += 1;
            return Ok(());
        }
        self.decided += 1;
        // Windows were cut when they were sealed, and models were trained as they were trained.
        let rules = Rules {
            windows: inputs.rules.windows.clone(),
            train: inputs.rules.train.clone(),
            ..self.noted(rules, inputs)
        };
        let observation = self.rejudge(store, entry, inputs, standing, &rules)?;
        let again = govern::decide(standing, &observation, &rules, &inputs.overrides, entry.decision.at)
            .map_err(|source| AuditError::OffTheRoad { seq: entry.seq, source })?;
        let (was, would_be) = (Judgement::of(&entry.decision), of_decision(&again));
        let same = would_be.as_ref().is_some_and(|would_be| would_be.is_like(&was));
        if !same {
            let after_the_first = !self.unlike.is_empty();
            self.unlike.push(Unlike { entry: entry.seq, at: entry.decision.at, was, would_be, after_the_first });
        }
        Ok(())
    }

    /// The other policy, and a word on each of its rules that a simulation cannot follow.
    fn noted(&mut self, rules: &Rules, inputs: &Inputs) -> Rules {
        let cannot = [
            (
                rules.windows != inputs.rules.windows,
                "windows: their sizes were fixed when they were sealed; kept as recorded",
            ),
            (
                rules.train != inputs.rules.train,
                "train: another training would have given another model; kept as recorded",
            ),
        ];
        for (_, limit) in cannot.into_iter().filter(|(differs, _)| *differs) {
            if !self.limits.iter().any(|known| known == limit) {
                self.limits.push(limit.to_owned());
            }
        }
        rules.clone()
    }

    /// What would have been seen: reports whose thresholds changed are computed again where the recorded one can be, and so
    /// the new one can be trusted to rest on the same evidence.
    fn rejudge(
        &mut self,
        store: &dyn Store,
        entry: &Entry,
        inputs: &Inputs,
        standing: &Standing,
        rules: &Rules,
    ) -> Result<Observation, AuditError> {
        let recorded = &inputs.observation;
        // A trial sees the requests that the sample takes.
        let sampled_otherwise = rules.performance.sample_above != inputs.rules.performance.sample_above;
        let changed = [
            (ReportKind::Drift, rules.drift != inputs.rules.drift),
            (ReportKind::Performance, rules.performance != inputs.rules.performance),
            (ReportKind::Estimate, rules.performance != inputs.rules.performance),
            (ReportKind::Evaluation, rules.evaluate != inputs.rules.evaluate),
            (ReportKind::Shadow, sampled_otherwise || rules.shadow != inputs.rules.shadow),
            (ReportKind::Watch, rules.rollback != inputs.rules.rollback),
        ];
        let changed: Vec<ReportKind> =
            changed.into_iter().filter(|(_, changed)| *changed).map(|(kind, _)| kind).collect();
        let mut seen = recorded.clone();
        if changed.is_empty() || recorded.reports().is_ok_and(|reports| reports.is_empty()) {
            return Ok(seen);
        }
        let see = |rules: &Rules| {
            let seen = deep::see(store, &recorded.model, rules, standing, entry.decision.at);
            seen.unwrap_or_else(|_| Observation::nothing(&recorded.model))
        };
        let (as_recorded, under) = (deep::compare(recorded, &see(&inputs.rules)), see(rules));
        for kind in changed {
            let of_kind: Vec<_> = as_recorded.iter().filter(|report| report.kind == kind).collect();
            let count = of_kind.len() as u64;
            if count == 0 {
                continue;
            }
            if of_kind.iter().any(|report| report.came != Recomputed::Same) {
                self.kept += count;
                continue;
            }
            self.rejudged += count;
            match kind {
                ReportKind::Drift => {
                    seen.drift.clone_from(&under.drift);
                    seen.candidate_drift.clone_from(&under.candidate_drift);
                }
                ReportKind::Performance => {
                    seen.performance.clone_from(&under.performance);
                    seen.labels.clone_from(&under.labels);
                }
                ReportKind::Estimate => seen.estimated.clone_from(&under.estimated),
                ReportKind::Evaluation => seen.evaluation.clone_from(&under.evaluation),
                ReportKind::Shadow => seen.shadow.clone_from(&under.shadow),
                ReportKind::Watch => seen.watch.clone_from(&under.watch),
                // It is decided, not seen.
                ReportKind::Decision => {}
            }
        }
        Ok(seen)
    }
}

impl Judgement {
    fn of(record: &Record) -> Judgement {
        Judgement {
            action: record.action,
            steps: record.transitions.iter().map(step).collect(),
            trains: record.training.as_ref().map(|training| training.plan.version),
            held: None,
            reasons: reasons(record),
        }
    }

    /// Whether the same was decided, whatever the words.
    fn is_like(&self, other: &Judgement) -> bool {
        self.action == other.action
            && self.steps == other.steps
            && self.trains == other.trains
            && self.held == other.held
    }
}

/// What a decision comes to; nothing if there is nothing to write and nothing is held.
fn of_decision(decision: &Decision) -> Option<Judgement> {
    let mut judgement = match (&decision.record, &decision.held) {
        (Some(record), _) => Judgement::of(record),
        (None, None) => return None,
        (None, Some(_)) => {
            Judgement { action: Action::NoAction, steps: Vec::new(), trains: None, held: None, reasons: Vec::new() }
        }
    };
    judgement.held.clone_from(&decision.held);
    judgement.reasons.extend(decision.notes.iter().cloned());
    Some(judgement)
}

fn reasons(record: &Record) -> Vec<String> {
    let retrain = record.retrain.iter().flat_map(|retrain| retrain.reasons.iter().cloned());
    let mut reasons: Vec<String> = record.reasons.iter().cloned().chain(retrain).collect();
    reasons.extend(record.transitions.iter().flat_map(|step| step.reasons.iter().cloned()));
    let mut seen = std::collections::BTreeSet::new();
    reasons.retain(|reason| seen.insert(reason.clone()));
    reasons
}

/// `1.1.0 SHADOWING → PROMOTABLE`
fn step(step: &Transition) -> String {
    let from = step.from.map_or_else(|| "–".to_owned(), |from| from.to_string());
    format!("{} {from} → {}", step.version, step.to)
}
