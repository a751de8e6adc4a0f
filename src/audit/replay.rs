//! Every past decision, decided again from what was recorded (P5); through the store. Equal to the byte, or the first place that is not.

use serde::Serialize;
use serde_json::Value;

use super::chain::Chain;
use super::deep::{self, Recomputed, Recount};
use super::examiner::Examiner;
use super::{AuditError, Fault, Finding, read_inputs};
use crate::govern::{Entry, Observation, Record, Standing, State, decide, journal};
use crate::promote::{self, Inputs};
use crate::store::Store;
use crate::train::ENGINE;
use crate::types::ModelName;

/// How far a replay goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Decisions, from the reports that were recorded.
    Decisions,
    /// The reports too, from windows, events, labels and datasets, as far as they are here.
    Reports,
}

/// What came of deciding an entry again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The same record, to the byte.
    Same,
    /// No decision wrote it: a person began a training, or an attempt failed. Its form is what such entries have.
    ByHand,
    /// Another version of the program wrote it, and this one decides otherwise: not tampering.
    OtherEngine {
        /// Who wrote it.
        engine: String,
        /// The first place that differs.
        what: String,
    },
    /// This version of the program wrote it, and decides otherwise: it was changed.
    Differs {
        /// The first place that differs.
        what: String,
    },
    /// What it was decided on is not here, or is not what was recorded.
    NotReplayed {
        /// Why.
        what: String,
    },
}

/// One entry, with what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// The entry.
    pub entry: u64,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// A journal, decided again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// The model.
    pub model: ModelName,
    /// The program that decided again.
    pub engine: String,
    /// Every entry.
    pub entries: Vec<Turn>,
    /// What came of the reports; empty unless they were asked for.
    pub reports: Recount,
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
}

/// Decide every entry of a model again.
///
/// # Errors
/// What the store could not read; what comes out otherwise is a finding.
pub fn replay(store: &dyn Store, model: &ModelName, depth: Depth) -> Result<Replayed, AuditError> {
    let mut examiner = Examiner::new(store, model);
    let chain = Chain::follow(&mut examiner)?;
    let mut replayed = Replayed {
        model: model.clone(),
        engine: ENGINE.to_owned(),
        entries: Vec::new(),
        reports: Recount::new(),
        findings: Vec::new(),
    };
    let mut standing = Standing::default();
    for link in &chain.links {
        let Some(entry) = &link.entry else { break };
        let turn = turn(&mut examiner, entry, &standing, depth, &mut replayed.reports)?;
        let file = journal::folder(model)?.join(&journal::file_name(link.seq))?;
        match &turn {
            Outcome::Same | Outcome::ByHand | Outcome::OtherEngine { .. } => {}
            Outcome::Differs { what } => examiner.find(file, Some(link.seq), Fault::Differs, what.clone()),
            Outcome::NotReplayed { what } => examiner.find(file, Some(link.seq), Fault::Missing, what.clone()),
        }
        replayed.entries.push(Turn { entry: link.seq, outcome: turn });
        // Where the chain is broken, nothing stands from which the next could be decided; the chain's fault is written down.
        standing = match standing.after(entry, link.digest) {
            Ok(standing) => standing,
            Err(_) => break,
        };
    }
    examiner.findings.sort();
    examiner.findings.dedup();
    replayed.findings = examiner.findings;
    Ok(replayed)
}

fn turn(
    examiner: &mut Examiner<'_>,
    entry: &Entry,
    standing: &Standing,
    depth: Depth,
    recount: &mut Recount,
) -> Result<Outcome, AuditError> {
    let inputs = match read_inputs(examiner.store, examiner.model, entry) {
        Ok(Some(inputs)) => inputs,
        Ok(None) => return Ok(Outcome::NotReplayed { what: "it names nothing that it was decided on".to_owned() }),
        Err(why) => return Ok(Outcome::NotReplayed { what: told(&why) }),
    };
    let differs = match by_hand(entry, &inputs, standing) {
        Some(Ok(())) => return Ok(Outcome::ByHand),
        Some(Err(what)) => Some(what.to_owned()),
        None => decided_otherwise(entry, &inputs, standing)?,
    };
    if depth == Depth::Reports {
        recompute(examiner, entry, &inputs, standing, recount)?;
    }
    Ok(match differs {
        None => Outcome::Same,
        Some(what) if entry.engine != ENGINE => Outcome::OtherEngine { engine: entry.engine.clone(), what },
        Some(what) => Outcome::Differs { what },
    })
}

/// Whether no decision wrote this entry, and if so whether it has the form of one that a person or a failed attempt writes.
/// Such an entry rests on nothing that was seen.
pub(super) fn by_hand(entry: &Entry, inputs: &Inputs, standing: &Standing) -> Option<Result<(), &'static str>> {
    let nothing = Observation::nothing(&inputs.observation.model);
    if inputs.observation != nothing || !inputs.overrides.is_empty() {
        return None;
    }
    let record = &entry.decision;
    let bare = Record {
        transitions: record.transitions.clone(),
        training: record.training.clone(),
        failed_attempt: record.failed_attempt.clone(),
        reasons: record.reasons.clone(),
        ..Record::empty(record.at)
    };
    if *record != bare || !entry.reports.is_empty() {
        return Some(Err("it was decided on nothing, and says more than that a training began or failed"));
    }
    let fits = match (&record.failed_attempt, &record.training, record.transitions.as_slice()) {
        (Some(_), None, []) => {
            let walks = standing.candidate.as_ref();
            walks.is_some_and(|candidate| candidate.state == State::Training)
        }
        (None, Some(training), [step]) => {
            let begins = step.from.is_none() && step.to == State::Training && step.version == training.plan.version;
            let first = training.attempt == 1 && training.evidence.is_none() && training.matured_until.is_none();
            begins && first && training.created_at == record.at && standing.candidate.is_none()
        }
        (_, _, _) => false,
    };
    Some(
        fits.then_some(()).ok_or("it was decided on nothing, and is neither a training begun by hand nor a failed one"),
    )
}

/// The first place at which the decision made now differs from the one recorded.
fn decided_otherwise(entry: &Entry, inputs: &Inputs, standing: &Standing) -> Result<Option<String>, AuditError> {
    let Inputs { rules, overrides, observation } = inputs;
    let again = decide(standing, observation, rules, overrides, entry.decision.at)
        .map_err(|source| AuditError::OffTheRoad { seq: entry.seq, source })?;
    let Some(record) = again.record else {
        return Ok(Some("decided again, there is nothing to write".to_owned()));
    };
    let value =
        |record: &Record| serde_json::to_value(record).map_err(|source| AuditError::Json { what: "a record", source });
    if let Some(place) = unlike("", &value(&entry.decision)?, &value(&record)?) {
        return Ok(Some(place));
    }
    let cites = promote::cites(standing, observation, &record)?;
    let same = cites.iter().map(|(cited, _)| cited).eq(&entry.reports);
    Ok((!same).then(|| "reports: it cites others than it was decided on".to_owned()))
}

/// The first place at which two values differ, with both sides.
fn unlike(place: &str, recorded: &Value, again: &Value) -> Option<String> {
    match (recorded, again) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            one.iter().zip(other.values()).find_map(|((key, one), other)| unlike(&format!("{place}/{key}"), one, other))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => (0..)
            .zip(one.iter().zip(other))
            .find_map(|(index, (one, other)): (usize, _)| unlike(&format!("{place}/{index}"), one, other)),
        // As bytes and not as numbers: 0.0 and -0.0 are two.
        (one, other) => {
            let (one, other) = (one.to_string(), other.to_string());
            (one != other).then(|| format!("{place}: recorded {}, decided again {}", short(&one), short(&other)))
        }
    }
}

fn short(text: &str) -> String {
    const SHOWN: usize = 100;
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
    }
}

/// Compute the entry's reports again, and write down which came out how.
fn recompute(
    examiner: &mut Examiner<'_>,
    entry: &Entry,
    inputs: &Inputs,
    standing: &Standing,
    recount: &mut Recount,
) -> Result<(), AuditError> {
    let Inputs { rules, observation, .. } = inputs;
    let again = deep::see(examiner.store, examiner.model, rules, standing, entry.decision.at);
    // What cannot be seen at all any more, because a part was put away or a file is damaged, which verify tells apart.
    let again = again.unwrap_or_else(|_| Observation::nothing(examiner.model));
    for report in deep::compare(observation, &again) {
        *recount.entry(report.kind).or_default().entry(report.came).or_default() += 1;
        if report.came == Recomputed::Differs && entry.engine == ENGINE {
            let file = examiner.key("governance", &format!("inputs/{}.json", first_input(entry)))?;
            let what = format!("{} comes out otherwise", report.about);
            examiner.find(file, Some(entry.seq), Fault::Differs, what);
        }
    }
    Ok(())
}

fn first_input(entry: &Entry) -> String {
    entry.inputs.first().map(ToString::to_string).unwrap_or_default()
}

/// An error with its causes, in one line.
fn told(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
