//! Everything that entries name by SHA-256, each with the first entry that does; pure.

use std::collections::BTreeMap;

use crate::evaluate::Opponent;
use crate::govern::{Cited, Entry, Observation, Training};
use crate::snapshot::Window;
use crate::train::Plan;
use crate::types::{Digest, Timestamp, Version};

/// What is named, with the first entry that names it.
#[derive(Default)]
pub(super) struct Named {
    /// What decisions rest on.
    pub(super) inputs: BTreeMap<Digest, u64>,
    /// Manifests of bundles.
    pub(super) bundles: BTreeMap<(Version, Digest), u64>,
    /// Frozen datasets.
    pub(super) datasets: BTreeMap<Digest, u64>,
    /// Registered contracts; those that only a dataset or a bundle names have no entry.
    pub(super) contracts: BTreeMap<(Version, Digest), Option<u64>>,
    /// Sealed windows.
    pub(super) snapshots: BTreeMap<(Window, Digest), u64>,
    /// Reports.
    pub(super) reports: BTreeMap<Cited, u64>,
    /// The plan of every version, and `created_at` of its bundle.
    pub(super) plans: BTreeMap<Version, (Plan, Timestamp, u64)>,
}

impl Named {
    /// What an entry itself names.
    pub(super) fn by_entry(&mut self, entry: &Entry) {
        let seq = entry.seq;
        first(&mut self.inputs, entry.inputs.iter().copied(), seq);
        first(&mut self.reports, entry.reports.iter().copied(), seq);
        let steps = entry.decision.transitions.iter();
        first(&mut self.bundles, steps.filter_map(|step| Some((step.version, step.bundle?))), seq);
        let applied = entry.decision.applied.iter();
        first(&mut self.bundles, applied.filter_map(|order| Some((order.version?, order.bundle?))), seq);
        if let Some(Training { plan, created_at, .. }) = &entry.decision.training {
            self.by_plan(plan, seq);
            self.plans.entry(plan.version).or_insert_with(|| (plan.clone(), *created_at, seq));
        }
    }

    /// What was seen names what it was computed from.
    pub(super) fn by_observation(&mut self, seen: &Observation, seq: u64) {
        first(&mut self.snapshots, seen.judged.iter().map(|judged| (judged.window, judged.snapshot)), seq);
        for report in seen.drift.iter().chain(&seen.candidate_drift) {
            first(&mut self.snapshots, [(report.window, report.snapshot)], seq);
            first(&mut self.bundles, [(report.version, report.bundle)], seq);
        }
        first(&mut self.bundles, seen.performance.iter().map(|report| (report.version, report.bundle)), seq);
        if let Some(report) = &seen.evaluation {
            first(&mut self.bundles, [(report.candidate, report.candidate_bundle)], seq);
            first(&mut self.datasets, report.datasets.iter().copied(), seq);
            if let Opponent::Champion { version, bundle } = &report.against {
                first(&mut self.bundles, [(*version, *bundle)], seq);
            }
        }
        first(&mut self.bundles, seen.shadow.iter().map(|report| (report.candidate, report.candidate_bundle)), seq);
        let sound = seen.bundles.iter().filter_map(|bundle| Some((bundle.version, bundle.digest?)));
        first(&mut self.bundles, sound, seq);
        first(&mut self.datasets, seen.data.datasets.iter().copied(), seq);
        if let Some(plan) = &seen.next {
            self.by_plan(plan, seq);
        }
    }

    fn by_plan(&mut self, plan: &Plan, seq: u64) {
        self.contract(plan.contract.version, plan.contract.sha256, Some(seq));
        first(&mut self.datasets, plan.datasets.iter().copied(), seq);
    }

    /// A contract that something names.
    pub(super) fn contract(&mut self, version: Version, sha256: Digest, entry: Option<u64>) {
        let known = self.contracts.entry((version, sha256)).or_insert(entry);
        *known = known.or(entry);
    }

    /// The first entry that names any bundle of this version.
    pub(super) fn bundle_entry(&self, version: Version) -> Option<u64> {
        let lowest = (version, Digest::from_bytes([0; 32]));
        let mine = self.bundles.range(lowest..).take_while(|((named, _), _)| *named == version);
        mine.map(|(_, entry)| *entry).min()
    }
}

fn first<K: Ord>(named: &mut BTreeMap<K, u64>, keys: impl IntoIterator<Item = K>, seq: u64) {
    for key in keys {
        named.entry(key).or_insert(seq);
    }
}
