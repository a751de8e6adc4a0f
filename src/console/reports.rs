//! Reports of drift and performance, as the journal cites them; through the store. One whose bytes are not the cited ones is
//! refused.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ledger::Citing;
use super::{ConsoleError, FORMAT_VERSION, Ledger, Page};
use crate::audit;
use crate::drift::{self, DriftReport};
use crate::govern::{ReportKind, journal};
use crate::performance::PerformanceReport;
use crate::snapshot::Window;
use crate::store::{Key, Store, StoreError};
use crate::types::{Check, Digest, ModelName, Verdict, Version};

/// A report as it is filed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Filed<Report> {
    /// The entry that first rested on it.
    pub entry: u64,
    /// The SHA-256 of its canonical JSON, which that entry cites.
    pub sha256: Digest,
    /// The report; none if its file was archived.
    pub report: Option<Report>,
}

/// `drift/history`, `metrics/history`: reports in the order in which entries first cited them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reports<Report> {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The reports.
    pub reports: Vec<Filed<Report>>,
    /// What to go on after, if there are more.
    pub next: Option<String>,
}

/// `drift`: the newest reports.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Newest<Report> {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The reports, newest last.
    pub reports: Vec<Filed<Report>>,
}

/// `metrics/latest`: the newest window whose labels were joined.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Latest {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// Its report; none before there is any.
    pub report: Option<Filed<PerformanceReport>>,
}

pub(super) fn filed<Report: DeserializeOwned>(
    store: &dyn Store,
    model: &ModelName,
    kind: ReportKind,
    Citing { entry, sha256 }: Citing,
) -> Result<Filed<Report>, ConsoleError> {
    let key = Key::new(&format!("var/{model}/reports/{kind}/{sha256}.json"))?;
    let bytes = match store.read(&key) {
        Err(StoreError::NotFound { .. }) => return Ok(Filed { entry, sha256, report: None }),
        read => read?,
    };
    let found = Digest::of(&bytes);
    if found != sha256 {
        return Err(ConsoleError::Altered { key, cited: sha256, found });
    }
    let report = serde_json::from_slice(&bytes).map_err(|source| ConsoleError::Report { key, source })?;
    Ok(Filed { entry, sha256, report: Some(report) })
}

fn pages<Report: DeserializeOwned>(
    store: &dyn Store,
    ledger: &Ledger,
    model: &ModelName,
    kind: ReportKind,
    page: &Page,
) -> Result<Reports<Report>, ConsoleError> {
    // Reports are only ever added at the end, so their count is a name for the last one told.
    let after: usize = page.cursor("a number of reports")?.unwrap_or(0);
    let rest = ledger.cited(kind).iter().enumerate().skip(after).take(page.and_one()).collect();
    let (told, next) = page.cut(rest, |(place, _)| (place + 1).to_string());
    let reports = told.into_iter().map(|(_, citing)| filed(store, model, kind, *citing));
    let reports = reports.collect::<Result<_, _>>()?;
    Ok(Reports { format_version: FORMAT_VERSION, model: model.clone(), reports, next })
}

/// Every drift report of a page.
///
/// # Errors
/// A report that is not what the journal cites.
pub fn drift_history(
    store: &dyn Store,
    ledger: &Ledger,
    model: &ModelName,
    page: &Page,
) -> Result<Reports<DriftReport>, ConsoleError> {
    pages(store, ledger, model, ReportKind::Drift, page)
}

/// Every performance report of a page; a fuller join of a window is a report of its own.
///
/// # Errors
/// As [`drift_history`].
pub fn performance_history(
    store: &dyn Store,
    ledger: &Ledger,
    model: &ModelName,
    page: &Page,
) -> Result<Reports<PerformanceReport>, ConsoleError> {
    pages(store, ledger, model, ReportKind::Performance, page)
}

/// The drift of the newest window compared, one report for each version that was; or the `last` so many reports of a version,
/// looked for among the newest [`Page::MOST`].
///
/// # Errors
/// As [`drift_history`].
pub fn drift(
    store: &dyn Store,
    ledger: &Ledger,
    model: &ModelName,
    version: Option<Version>,
    last: Option<usize>,
) -> Result<Newest<DriftReport>, ConsoleError> {
    let is_meant = |filed: &Filed<DriftReport>| {
        let report = filed.report.as_ref();
        version.is_none_or(|version| report.is_some_and(|report| report.version == version))
    };
    let window_of = |filed: &Filed<DriftReport>| filed.report.as_ref().map(|report| report.window);
    let wanted = last.unwrap_or(usize::MAX);
    let known = match last {
        Some(_) => ledger.cited(ReportKind::Drift),
        None => ledger.newest(ReportKind::Drift),
    };
    let mut reports = Vec::new();
    for citing in known.iter().rev().take(Page::MOST) {
        if reports.len() == wanted {
            break;
        }
        let filed = filed(store, model, ReportKind::Drift, *citing)?;
        reports.extend(is_meant(&filed).then_some(filed));
    }
    reports.reverse();
    if last.is_none() {
        let newest = reports.iter().filter_map(window_of).max();
        reports.retain(|filed| window_of(filed) == newest);
    }
    Ok(Newest { format_version: FORMAT_VERSION, model: model.clone(), reports })
}

/// The report of the newest window that is meant: of those that the newest entry rests on, or else the one that was cited last.
pub(super) fn newest_that<Report: DeserializeOwned>(
    (store, ledger, model, kind): (&dyn Store, &Ledger, &ModelName, ReportKind),
    window_of: impl Fn(&Report) -> Window,
    is_meant: impl Fn(&Report) -> bool,
) -> Result<Option<Report>, ConsoleError> {
    let read = |citing: &Citing| Ok(filed(store, model, kind, *citing)?.report.filter(&is_meant));
    let rested_on: Vec<Option<Report>> = ledger.newest(kind).iter().map(read).collect::<Result<_, ConsoleError>>()?;
    let newest = rested_on.into_iter().flatten().max_by_key(window_of);
    let mut earlier = ledger.cited(kind).iter().rev().map(read);
    newest.map_or_else(|| earlier.find_map(Result::transpose).transpose(), |newest| Ok(Some(newest)))
}

/// The performance of the newest window whose labels were joined.
///
/// # Errors
/// As [`drift_history`].
pub fn latest(store: &dyn Store, ledger: &Ledger, model: &ModelName) -> Result<Latest, ConsoleError> {
    let kind = ReportKind::Performance;
    let newest = ledger.newest(kind).last();
    let report = newest.map(|citing| filed(store, model, kind, *citing)).transpose()?;
    Ok(Latest { format_version: FORMAT_VERSION, model: model.clone(), report })
}

/// `concept`: whether what the model makes of the world has changed while its features have not.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Concept {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The entry whose evidence this is; none before the first judged window.
    pub entry: Option<u64>,
    /// What the windows say together, by the `confirm` of `of` windows that the entry was decided by.
    pub verdict: Verdict,
    /// Each window, oldest first.
    pub windows: Vec<Moved>,
}

/// What one window says of the prediction.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Moved {
    /// The window.
    pub window: Window,
    /// The version that served.
    pub version: Version,
    /// The prediction against the profile's.
    pub prediction: Vec<Check>,
    /// `Fail` if it moved, significantly and far.
    pub prediction_shifted: Verdict,
    /// `Fail` if it moved and no feature did.
    pub concept_drifted: Verdict,
}

/// What the newest judged windows say of the concept, from what their entry was decided on.
///
/// # Errors
/// The entry or its inputs cannot be read.
pub fn concept(store: &dyn Store, ledger: &Ledger, model: &ModelName) -> Result<Concept, ConsoleError> {
    let entry = match ledger.judged() {
        Some(seq) => journal::at(store, model, seq)?.map(|(entry, _)| entry),
        None => None,
    };
    let inputs = match &entry {
        Some(entry) => audit::read_inputs(store, model, entry)?,
        None => None,
    };
    let (verdict, windows) = match &inputs {
        Some(inputs) => {
            let reports = &inputs.observation.drift;
            let verdict = drift::confirmed(reports, DriftReport::concept_drifted, &inputs.rules.drift);
            (verdict, reports.iter().map(moved).collect())
        }
        None => (Verdict::Insufficient, Vec::new()),
    };
    let entry = entry.map(|entry| entry.seq);
    Ok(Concept { format_version: FORMAT_VERSION, model: model.clone(), entry, verdict, windows })
}

fn moved(report: &DriftReport) -> Moved {
    Moved {
        window: report.window,
        version: report.version,
        prediction: report.prediction.clone(),
        prediction_shifted: report.prediction_shifted(),
        concept_drifted: report.concept_drifted(),
    }
}
