//! The reports that an entry rests on, by kind and SHA-256; pure. Every promotion names its evaluation and its shadow report.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::observe::Observation;
use crate::types::{Digest, canonical_json};

/// What a report speaks of; also the folder it is filed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReportKind {
    /// A window against a version's own profile.
    Drift,
    /// A window's predictions against what came true.
    Performance,
    /// What a window's scores foretell of it.
    Estimate,
    /// What retraining should become, and why.
    Decision,
    /// A candidate head to head.
    Evaluation,
    /// A candidate on live traffic.
    Shadow,
    /// A young champion beside its predecessor.
    Watch,
}

impl ReportKind {
    /// Every kind, in the order of the stages.
    pub const ALL: [ReportKind; 7] = [
        ReportKind::Drift,
        ReportKind::Performance,
        ReportKind::Estimate,
        ReportKind::Decision,
        ReportKind::Evaluation,
        ReportKind::Shadow,
        ReportKind::Watch,
    ];
}

impl fmt::Display for ReportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ReportKind::Drift => "drift",
            ReportKind::Performance => "performance",
            ReportKind::Estimate => "estimate",
            ReportKind::Decision => "decision",
            ReportKind::Evaluation => "evaluation",
            ReportKind::Shadow => "shadow",
            ReportKind::Watch => "watch",
        })
    }
}

/// A report that an entry rests on: `var/<model>/reports/<kind>/<sha256>.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Cited {
    /// What it speaks of.
    pub kind: ReportKind,
    /// The SHA-256 of its canonical JSON.
    pub sha256: Digest,
}

impl Observation {
    /// Every report of this observation as its canonical JSON, with the citation that names it, in the order of the stages.
    ///
    /// # Errors
    /// A number that JSON cannot hold.
    pub fn reports(&self) -> Result<Vec<(Cited, Vec<u8>)>, serde_json::Error> {
        let mut reports = Vec::new();
        for report in self.drift.iter().chain(&self.candidate_drift) {
            reports.push(Cited::of(ReportKind::Drift, report)?);
        }
        for report in &self.performance {
            reports.push(Cited::of(ReportKind::Performance, report)?);
        }
        for report in &self.estimated {
            reports.push(Cited::of(ReportKind::Estimate, report)?);
        }
        if let Some(report) = &self.evaluation {
            reports.push(Cited::of(ReportKind::Evaluation, report)?);
        }
        if let Some(report) = &self.shadow {
            reports.push(Cited::of(ReportKind::Shadow, report)?);
        }
        if let Some(report) = &self.watch {
            reports.push(Cited::of(ReportKind::Watch, report)?);
        }
        Ok(reports)
    }
}

impl Cited {
    /// A report's citation, with its canonical JSON.
    ///
    /// # Errors
    /// A number that JSON cannot hold.
    pub fn of<T: Serialize>(kind: ReportKind, report: &T) -> Result<(Cited, Vec<u8>), serde_json::Error> {
        let bytes = canonical_json(report)?;
        Ok((Cited { kind, sha256: Digest::of(&bytes) }, bytes))
    }
}
