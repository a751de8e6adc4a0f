//! How it stands with a model, in numbers that are scraped; through the store.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::reports::{filed, newest_that};
use super::{ConsoleError, Ledger};
use crate::drift::DriftReport;
use crate::evaluate::Evaluation;
use crate::govern::{ReportKind, State};
use crate::performance::PerformanceReport;
use crate::shadow::ShadowReport;
use crate::store::Store;
use crate::types::{Check, ModelName, Timestamp, Verdict, Version};

/// What the journal and the newest reports it cites say.
#[derive(Debug, Clone, Default)]
pub struct Gauges {
    /// The number of the newest entry; 0 before there is one.
    pub head: u64,
    /// When it was decided.
    pub last_at: Option<Timestamp>,
    /// The end of the newest judged window.
    pub judged_until: Option<Timestamp>,
    /// Who serves, and since when.
    pub champion: Option<(Version, Timestamp)>,
    /// Where every version stands.
    pub versions: BTreeMap<Version, State>,
    /// The checks that the newest candidate was held to.
    pub gates: Vec<Gate>,
    /// What the newest report of each kind says as a whole.
    pub verdicts: BTreeMap<&'static str, Verdict>,
}

/// One check of a candidate.
#[derive(Debug, Clone)]
pub struct Gate {
    /// `evaluation` or `shadow`.
    pub about: &'static str,
    /// The candidate.
    pub version: Version,
    /// The check.
    pub check: Check,
}

/// The gauges of a model.
///
/// # Errors
/// A report that is not what the journal cites.
pub(super) fn gauges(store: &dyn Store, ledger: &Ledger, model: &ModelName) -> Result<Gauges, ConsoleError> {
    let standing = ledger.standing();
    let champion = standing.champion.as_ref().map(|champion| (champion.version, champion.since));
    let mut gauges = Gauges {
        head: standing.head.map_or(0, |(seq, _)| seq),
        last_at: standing.last_at,
        judged_until: standing.judged_until,
        champion,
        versions: standing.versions.clone(),
        ..Gauges::default()
    };
    if let Some((champion, _)) = champion {
        let drift = (store, ledger, model, ReportKind::Drift);
        let drift = newest_that(drift, |report: &DriftReport| report.window, |report| report.version == champion)?;
        gauges.verdicts.extend(drift.map(|report| ("drift", report.verdict)));
        let performance = (store, ledger, model, ReportKind::Performance);
        let performance =
            newest_that(performance, |report: &PerformanceReport| report.window, |report| report.version == champion)?;
        gauges.verdicts.extend(performance.map(|report| ("performance", report.verdict)));
    }
    if let Some(report) = newest::<Evaluation>(store, ledger, model, ReportKind::Evaluation)? {
        gauges.judge("evaluation", report.candidate, report.verdict, report.checks);
    }
    if let Some(report) = newest::<ShadowReport>(store, ledger, model, ReportKind::Shadow)? {
        gauges.judge("shadow", report.candidate, report.verdict, report.checks);
    }
    Ok(gauges)
}

/// The report of a kind that was cited last.
fn newest<Report: DeserializeOwned>(
    store: &dyn Store,
    ledger: &Ledger,
    model: &ModelName,
    kind: ReportKind,
) -> Result<Option<Report>, ConsoleError> {
    let newest = ledger.newest(kind).last();
    Ok(newest.map(|citing| filed(store, model, kind, *citing)).transpose()?.and_then(|filed| filed.report))
}

impl Gauges {
    fn judge(&mut self, about: &'static str, version: Version, verdict: Verdict, checks: Vec<Check>) {
        self.verdicts.insert(about, verdict);
        self.gates.extend(checks.into_iter().map(|check| Gate { about, version, check }));
    }
}
