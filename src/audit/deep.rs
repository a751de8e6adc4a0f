//! The reports of a decision, computed again by the governor's own eyes from what is still stored; through the store. Events and
//! labels are people's to archive, and labels come late: both are said, and neither is tampering.

use std::collections::BTreeMap;

use serde::Serialize;

use super::AuditError;
use super::as_of::AsOf;
use crate::drift::DriftReport;
use crate::evaluate::{Evaluation, Watch};
use crate::govern::{Observation, ReportKind, Rules, Standing};
use crate::ingest::NoSources;
use crate::performance::{EstimateReport, LabelIntake, PerformanceReport};
use crate::promote::{self, Context};
use crate::shadow::ShadowReport;
use crate::store::Store;
use crate::types::{ModelName, Timestamp};

/// What came of computing a report again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recomputed {
    /// The same, to the byte.
    Same,
    /// Labels have come since that say they came before: the report of today is fuller.
    Fuller,
    /// What it was computed from is no longer here.
    Archived,
    /// What it was computed from is here, and it comes out otherwise.
    Differs,
}

/// How many reports of each kind came out how.
pub type Recount = BTreeMap<ReportKind, BTreeMap<Recomputed, u64>>;

/// One report, with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Again {
    pub(super) kind: ReportKind,
    /// Which one, in words.
    pub(super) about: String,
    pub(super) came: Recomputed,
}

/// See again what was seen of a model at an instant, under these rules; nothing is taken in or sealed.
///
/// # Errors
/// What could not be read, such as parts that were put away.
pub(super) fn see(
    store: &dyn Store,
    model: &ModelName,
    rules: &Rules,
    standing: &Standing,
    at: Timestamp,
) -> Result<Observation, AuditError> {
    let then = AsOf { store, at };
    let txn = String::new;
    let context = Context { store: &then, model, rules, sources: &NoSources, txn: &txn, actor: "audit" };
    Ok(promote::observe(&context, standing, at)?)
}

/// Hold every recorded report against the one that was computed again.
pub(super) fn compare(recorded: &Observation, again: &Observation) -> Vec<Again> {
    let mut all = Vec::new();
    let drift = [(&recorded.drift, &again.drift), (&recorded.candidate_drift, &again.candidate_drift)];
    for (recorded, again) in
        drift.into_iter().flat_map(|(recorded, again)| recorded.iter().map(move |one| (one, again)))
    {
        all.push(of_drift(recorded, again));
    }
    all.extend(recorded.performance.iter().map(|report| of_performance(report, &again.performance)));
    all.extend(recorded.estimated.iter().map(|report| of_estimate(report, &again.estimated)));
    all.extend(recorded.labels.iter().map(|intake| of_labels(intake, again.labels.as_ref())));
    all.extend(recorded.evaluation.iter().map(|report| of_evaluation(report, again.evaluation.as_ref())));
    all.extend(recorded.shadow.iter().map(|report| of_shadow(report, again.shadow.as_ref())));
    all.extend(recorded.watch.iter().map(|report| of_watch(report, again.watch.as_ref())));
    all
}

fn of_drift(report: &DriftReport, again: &[DriftReport]) -> Again {
    let same = again.iter().find(|other| other.window == report.window && other.version == report.version);
    Again {
        kind: ReportKind::Drift,
        about: format!("drift of {} in {}", report.version, report.window),
        came: came(same.map(|other| other == report)),
    }
}

/// Whether a report rests on fewer answers or fewer labels than another, the contradicting ones counted.
fn fewer(one: &PerformanceReport, other: &PerformanceReport) -> bool {
    let rests_on = |report: &PerformanceReport| [report.predictions, report.labelled, report.labels.received];
    rests_on(one).iter().zip(rests_on(other)).any(|(one, other)| *one < other)
}

fn of_performance(report: &PerformanceReport, again: &[PerformanceReport]) -> Again {
    let same = again.iter().find(|other| other.window == report.window && other.version == report.version);
    let came = match same {
        Some(other) if other == report => Recomputed::Same,
        Some(other) if fewer(other, report) => Recomputed::Archived,
        Some(other) if fewer(report, other) => Recomputed::Fuller,
        Some(_) => Recomputed::Differs,
        None => Recomputed::Archived,
    };
    Again {
        kind: ReportKind::Performance,
        about: format!("performance of {} in {}", report.version, report.window),
        came,
    }
}

fn of_estimate(report: &EstimateReport, again: &[EstimateReport]) -> Again {
    let same = again.iter().find(|other| other.window == report.window && other.version == report.version);
    Again {
        kind: ReportKind::Estimate,
        about: format!("estimate of {} in {}", report.version, report.window),
        came: came(same.map(|other| other == report)),
    }
}

fn of_labels(intake: &LabelIntake, again: Option<&LabelIntake>) -> Again {
    let came = match again.filter(|other| other.window == intake.window) {
        Some(other) if other == intake => Recomputed::Same,
        Some(other) if other.received < intake.received || other.matched < intake.matched => Recomputed::Archived,
        Some(other) if other.received > intake.received || other.matched > intake.matched => Recomputed::Fuller,
        Some(_) => Recomputed::Differs,
        None => Recomputed::Archived,
    };
    Again { kind: ReportKind::Performance, about: format!("labels of {}", intake.window), came }
}

fn of_evaluation(report: &Evaluation, again: Option<&Evaluation>) -> Again {
    let about = format!("evaluation of {}", report.candidate);
    Again { kind: ReportKind::Evaluation, about, came: came(again.map(|other| other == report)) }
}

fn of_watch(report: &Watch, again: Option<&Watch>) -> Again {
    let same = again.filter(|other| other.champion == report.champion && other.predecessor == report.predecessor);
    let came = match same {
        Some(other) if other == report => Recomputed::Same,
        Some(other) if other.rows < report.rows => Recomputed::Archived,
        Some(other) if other.rows > report.rows => Recomputed::Fuller,
        Some(_) => Recomputed::Differs,
        None => Recomputed::Archived,
    };
    let about = format!("watch of {} beside {}", report.champion, report.predecessor);
    Again { kind: ReportKind::Watch, about, came }
}

fn of_shadow(report: &ShadowReport, again: Option<&ShadowReport>) -> Again {
    let same = again.filter(|other| other.candidate == report.candidate && other.until == report.until);
    let came = match same {
        Some(other) if other == report => Recomputed::Same,
        Some(other) if other.pairs < report.pairs || other.labelled_pairs < report.labelled_pairs => {
            Recomputed::Archived
        }
        Some(other) if other.pairs > report.pairs || other.labelled_pairs > report.labelled_pairs => Recomputed::Fuller,
        Some(_) => Recomputed::Differs,
        None => Recomputed::Archived,
    };
    Again { kind: ReportKind::Shadow, about: format!("shadow of {} until {}", report.candidate, report.until), came }
}

fn came(same: Option<bool>) -> Recomputed {
    match same {
        Some(true) => Recomputed::Same,
        Some(false) => Recomputed::Differs,
        None => Recomputed::Archived,
    }
}
