//! Is everything that is stored what was stored? One model, from its journal back to the source files; through the store. Collects
//! every finding, and needs nothing but the workspace.

use serde::Serialize;

use super::chain::Chain;
use super::examiner::Examiner;
use super::named::Named;
use super::{AuditError, Finding, Head, SourceFile, lineage, objects, snapshots, sources};
use crate::ingest::Sources;
use crate::store::Store;
use crate::types::ModelName;

/// What an examination looked at, and what it found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verified {
    /// The model.
    pub model: ModelName,
    /// The newest entry that is there; keep it elsewhere.
    pub head: Option<Head>,
    /// Journal entries.
    pub entries: u64,
    /// Inputs of decisions.
    pub inputs: u64,
    /// Bundles.
    pub bundles: u64,
    /// Frozen datasets.
    pub datasets: u64,
    /// Registered contracts.
    pub contracts: u64,
    /// Sealed windows.
    pub snapshots: u64,
    /// Reports.
    pub reports: u64,
    /// Parts and smaller windows that operators have put away.
    pub archived: u64,
    /// Where the datasets' source files are.
    pub sources: Vec<SourceFile>,
    /// Bytes that were hashed.
    pub bytes: u64,
    /// Everything that is wrong, by file.
    pub findings: Vec<Finding>,
}

/// Examine a model. `heads` are those that were kept elsewhere: without one nobody can tell that the newest entries were cut
/// off, or that the very newest was changed.
///
/// # Errors
/// What the store could not read; what is wrong with what it read is a finding.
pub fn verify(
    store: &dyn Store,
    model: &ModelName,
    files: &dyn Sources,
    heads: &[Head],
) -> Result<Verified, AuditError> {
    let mut examiner = Examiner::new(store, model);
    let chain = Chain::follow(&mut examiner)?;
    for head in heads.iter().filter(|head| &head.model == model) {
        chain.hold_against(head, &mut examiner)?;
    }
    let mut named = Named::default();
    chain.entries().for_each(|entry| named.by_entry(entry));
    let inputs = objects::inputs(&mut examiner, &mut named)?;
    let bundles = objects::bundles(&mut examiner, &mut named)?;
    let datasets = objects::datasets(&mut examiner, &mut named)?;
    let contracts = objects::contracts(&mut examiner, &named)?;
    let windows = snapshots::windows(&mut examiner, &named)?;
    let reports = objects::reports(&mut examiner, &named)?;
    lineage::promotions(&mut examiner, &chain)?;
    let notes = sources::intake(&mut examiner, &datasets)?;
    let sources = sources::whereabouts(&mut examiner, &datasets, &notes, files);
    examiner.findings.sort();
    examiner.findings.dedup();
    let newest = chain.newest().map(|link| Head { model: model.clone(), seq: link.seq, sha256: link.digest });
    Ok(Verified {
        model: model.clone(),
        head: newest,
        entries: chain.links.len() as u64,
        inputs,
        bundles: bundles.len() as u64,
        datasets: datasets.len() as u64,
        contracts,
        snapshots: windows.looked_at,
        reports,
        archived: windows.archived,
        sources,
        bytes: examiner.bytes,
        findings: examiner.findings,
    })
}
