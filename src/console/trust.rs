//! How far the version that serves may be trusted, from what is filed of it; through the store.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reports::newest_that;
use super::view::newest;
use super::{ConsoleError, FORMAT_VERSION, Ledger};
use crate::drift::DriftReport;
use crate::govern::{ReportKind, Rules};
use crate::performance::{self, Known, PerformanceReport, Trust};
use crate::registry;
use crate::store::Store;
use crate::types::{Digest, ModelName, Version};

/// The trust in a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trusted {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The score of the version that serves; none before one does.
    pub trust: Option<Trust>,
}

/// The trust in the version that serves: from its newest mature window and its newest window that was held against its profile, as
/// the journal cites their reports, and from the newest sealed window.
///
/// # Errors
/// A version that does not verify; a report that is not what is cited; what cannot be read.
pub fn trust(store: &dyn Store, ledger: &Ledger, model: &ModelName, rules: &Rules) -> Result<Trusted, ConsoleError> {
    let Some(champion) = &ledger.standing().champion else {
        return Ok(Trusted { format_version: FORMAT_VERSION, model: model.clone(), trust: None });
    };
    let serving = registry::fetch(store, model, champion.version)?;
    let is_mine = |version: Version, bundle: Digest| version == champion.version && bundle == champion.bundle;
    let performance = newest_that(
        (store, ledger, model, ReportKind::Performance),
        |report: &PerformanceReport| report.window,
        |report| is_mine(report.version, report.bundle) && report.verdict.is_judged(),
    )?;
    let drift = newest_that(
        (store, ledger, model, ReportKind::Drift),
        |report: &DriftReport| report.window,
        |report| is_mine(report.version, report.bundle),
    )?;
    let snapshot = newest(store, model, rules.windows.judge, 1)?.pop();
    let known = Known {
        model: &serving,
        performance: performance.as_ref(),
        drift: drift.as_ref(),
        snapshot: snapshot.as_ref().map(|(snapshot, _)| snapshot),
    };
    let trust = performance::trust(known, &rules.drift);
    Ok(Trusted { format_version: FORMAT_VERSION, model: model.clone(), trust: Some(trust) })
}
