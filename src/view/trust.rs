//! How far the version that serves may be trusted, from what is filed of it; through the store.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{FORMAT_VERSION, ViewError, windows};
use crate::drift::DriftReport;
use crate::govern::{Entry, ReportKind, Rules, Standing, journal};
use crate::performance::{self, Known, PerformanceReport, Trust};
use crate::registry;
use crate::store::{Key, Store, StoreError};
use crate::types::{Digest, ModelName};

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
pub fn trust(store: &dyn Store, model: &ModelName, rules: &Rules) -> Result<Trusted, ViewError> {
    let entries = journal::read(store, model)?;
    let mut standing = Standing::default();
    for (entry, digest) in &entries {
        standing = standing.after(entry, *digest)?;
    }
    let Some(champion) = standing.champion else {
        return Ok(Trusted { format_version: FORMAT_VERSION, model: model.clone(), trust: None });
    };
    let serving = registry::fetch(store, model, champion.version)?;
    let filed = Filed { store, model, entries: &entries };
    let performance: Option<PerformanceReport> =
        filed.newest(ReportKind::Performance, |report: &PerformanceReport| {
            report.version == champion.version && report.bundle == champion.bundle && report.verdict.is_judged()
        })?;
    let drift: Option<DriftReport> = filed.newest(ReportKind::Drift, |report: &DriftReport| {
        report.version == champion.version && report.bundle == champion.bundle
    })?;
    let snapshot = windows::newest(store, model, rules.windows.judge, 1)?.pop();
    let known = Known {
        model: &serving,
        performance: performance.as_ref(),
        drift: drift.as_ref(),
        snapshot: snapshot.as_ref().map(|(snapshot, _)| snapshot),
    };
    let trust = performance::trust(known, &rules.drift);
    Ok(Trusted { format_version: FORMAT_VERSION, model: model.clone(), trust: Some(trust) })
}

/// Reports as a journal cites them.
struct Filed<'a> {
    store: &'a dyn Store,
    model: &'a ModelName,
    entries: &'a [(Entry, Digest)],
}

/// A report of a window.
trait OfAWindow: DeserializeOwned {
    fn window(&self) -> crate::snapshot::Window;
}

impl OfAWindow for PerformanceReport {
    fn window(&self) -> crate::snapshot::Window {
        self.window
    }
}

impl OfAWindow for DriftReport {
    fn window(&self) -> crate::snapshot::Window {
        self.window
    }
}

impl Filed<'_> {
    /// The report of the newest window that is meant, in the newest entry that cites one. A report that was archived is passed
    /// over.
    fn newest<Report: OfAWindow>(
        &self,
        kind: ReportKind,
        is_meant: impl Fn(&Report) -> bool,
    ) -> Result<Option<Report>, ViewError> {
        for (entry, _) in self.entries.iter().rev() {
            let mut meant: Vec<Report> = Vec::new();
            for cited in entry.reports.iter().filter(|cited| cited.kind == kind) {
                meant.extend(self.read(kind, cited.sha256)?.filter(&is_meant));
            }
            if let Some(newest) = meant.into_iter().max_by_key(OfAWindow::window) {
                return Ok(Some(newest));
            }
        }
        Ok(None)
    }

    fn read<Report: DeserializeOwned>(&self, kind: ReportKind, cited: Digest) -> Result<Option<Report>, ViewError> {
        let key = Key::new(&format!("var/{}/reports/{kind}/{cited}.json", self.model))?;
        let bytes = match self.store.read(&key) {
            Err(StoreError::NotFound { .. }) => return Ok(None),
            read => read?,
        };
        let found = Digest::of(&bytes);
        if found != cited {
            return Err(ViewError::Altered { key, cited, found });
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|source| ViewError::Report { key, source })
    }
}
