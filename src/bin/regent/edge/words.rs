//! Entries, steps and decisions in a line each, in the same words in both programs; pure.

use regent::govern::{Entry, Record, State, Transition};
use regent::log::Adopted;
use regent::policy::Action;

use super::Failure;

/// `   3  2026-11-21T10:00:00Z  governor  1.0.0 PROMOTABLE → PROMOTED: first of lineage`
pub fn entry(entry: &Entry) -> String {
    let Entry { seq, actor, decision, .. } = entry;
    format!("{seq:>4}  {}  {actor}  {}", decision.at, record(decision))
}

/// `RETRAIN_REQUIRED  1.1.0 – → TRAINING: …`, or the steps alone where retraining is not asked for.
pub fn record(record: &Record) -> String {
    let steps = record.transitions.iter().map(step);
    let orders = record.applied.iter().map(|order| format!("{} by {}: {}", order.order, order.author, order.reason));
    let failed = record.failed_attempt.iter().map(|failed| format!("training failed: {}", failed.why));
    let mut told: Vec<String> = steps.chain(orders).chain(failed).collect();
    if told.is_empty() {
        told.extend(record.reasons.iter().cloned());
    }
    if told.is_empty() {
        told.push(format!("{} judged", windows(record.judged.len())));
    }
    let told = told.join("; ");
    match record.action {
        Action::NoAction if !record.transitions.is_empty() => told,
        action => format!("{action}  {told}"),
    }
}

/// `1.0.0 PROMOTABLE → PROMOTED: first of lineage, evaluation Pass`
pub fn step(step: &Transition) -> String {
    let from = step.from.map_or_else(|| "–".to_owned(), |from: State| from.to_string());
    format!("{} {from} → {}: {}", step.version, step.to, step.reasons.join(", "))
}

/// `sealed 2 segments of replica b, which is gone`
pub fn adopted(outcome: &Result<Adopted, Failure>) -> String {
    match outcome {
        Ok(Adopted { replica, segments: 1 }) => format!("sealed 1 segment of replica {replica}, which is gone"),
        Ok(Adopted { replica, segments }) => format!("sealed {segments} segments of replica {replica}, which is gone"),
        Err(failure) => failure.sentence(),
    }
}

fn windows(count: usize) -> String {
    match count {
        1 => "1 window".to_owned(),
        count => format!("{count} windows"),
    }
}
