//! Promotion → {shadow report, evaluation} → bundle: what a promotion cites is of the bundle it promotes, and is `Pass`;
//! through the store.

use serde::Deserialize;

use super::chain::Chain;
use super::examiner::Examiner;
use super::{AuditError, Fault};
use crate::govern::{Entry, Order, ReportKind, State, Transition, journal};
use crate::types::{Digest, Verdict};

/// What an evaluation and a shadow report have in common.
#[derive(Deserialize)]
struct OfCandidate {
    candidate_bundle: Digest,
    verdict: Verdict,
}

/// Hold every promotion against the reports that it cites.
pub(super) fn promotions(examiner: &mut Examiner<'_>, chain: &Chain) -> Result<(), AuditError> {
    for entry in chain.entries() {
        let steps = entry.decision.transitions.iter();
        for step in steps.filter(|step| step.to == State::Promoted && step.from == Some(State::Promotable)) {
            for kind in required(entry) {
                if let Some(what) = lacks(examiner, entry, step, kind)? {
                    let file = journal::folder(examiner.model)?.join(&journal::file_name(entry.seq))?;
                    examiner.find(file, Some(entry.seq), Fault::Contradiction, what);
                }
            }
        }
    }
    Ok(())
}

/// A `promote` order forces the road, and the first champion has nobody to be shadowed beside; an `approve` may stand for a new
/// lineage, whose features cannot be paired.
fn required(entry: &Entry) -> Vec<ReportKind> {
    let record = &entry.decision;
    let ordered = |order| record.applied.iter().any(|applied| applied.order == order);
    let replaces = record.transitions.iter().any(|step| step.to == State::Retired);
    let mut required = Vec::new();
    if !ordered(Order::Promote) {
        required.push(ReportKind::Evaluation);
        if replaces && !ordered(Order::Approve) {
            required.push(ReportKind::Shadow);
        }
    }
    required
}

/// What the promotion lacks: a citation of this kind that passes, of the very bundle.
fn lacks(
    examiner: &mut Examiner<'_>,
    entry: &Entry,
    step: &Transition,
    kind: ReportKind,
) -> Result<Option<String>, AuditError> {
    let cited = entry.reports.iter().filter(|cited| cited.kind == kind);
    let mut seen = None;
    for cited in cited {
        let key = examiner.key("var", &format!("reports/{kind}/{}.json", cited.sha256))?;
        // Whether it is there and whole has been said already.
        let Ok(bytes) = examiner.store.read(&key) else { return Ok(None) };
        let Ok(report) = serde_json::from_slice::<OfCandidate>(&bytes) else {
            return Ok(Some(format!("it promotes {} on {key}, which is no such report", step.version)));
        };
        if Some(report.candidate_bundle) == step.bundle && report.verdict.is_pass() {
            return Ok(None);
        }
        seen = Some(report);
    }
    Ok(Some(match seen {
        None => format!("it promotes {} and cites no {kind}", step.version),
        Some(report) => format!(
            "it promotes {} on a {kind} report of bundle {} that is {}",
            step.version,
            report.candidate_bundle.short(),
            report.verdict
        ),
    }))
}
