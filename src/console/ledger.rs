//! What a model's journal says, remembered; through the store. An entry never changes, so only new ones are ever read.

use std::collections::{BTreeMap, BTreeSet};

use crate::govern::journal;
use crate::govern::{Entry, GovernError, ReportKind, Standing};
use crate::store::Store;
use crate::types::{Digest, ModelName};

/// The folded journal, and where the reports it rests on are cited.
#[derive(Debug, Default)]
pub struct Ledger {
    standing: Standing,
    /// Every report in the order in which entries first cited it.
    cited: BTreeMap<ReportKind, Vec<Citing>>,
    known: BTreeMap<Digest, u64>,
    /// What the newest entry that cites any report of a kind cites of it.
    newest: BTreeMap<ReportKind, Vec<Citing>>,
    retraining: Option<u64>,
    judged: Option<u64>,
}

/// A report, and the number of the entry that first cited it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Citing {
    pub(super) entry: u64,
    pub(super) sha256: Digest,
}

impl Ledger {
    /// The ledger of a model up to its newest entry.
    ///
    /// # Errors
    /// An entry that cannot be read, or does not follow the one before.
    pub fn read(store: &dyn Store, model: &ModelName) -> Result<Ledger, GovernError> {
        let mut ledger = Ledger::default();
        ledger.catch_up(store, model)?;
        Ok(ledger)
    }

    /// Read the entries that were written since.
    ///
    /// # Errors
    /// As [`Ledger::read`]; everything is then forgotten, and read again by the next call.
    pub fn catch_up(&mut self, store: &dyn Store, model: &ModelName) -> Result<(), GovernError> {
        while let Some((entry, digest)) = journal::at(store, model, self.head() + 1)? {
            *self = std::mem::take(self).after(&entry, digest)?;
        }
        Ok(())
    }

    fn after(mut self, entry: &Entry, digest: Digest) -> Result<Ledger, GovernError> {
        self.standing = self.standing.after(entry, digest)?;
        let kinds: BTreeSet<ReportKind> = entry.reports.iter().map(|cited| cited.kind).collect();
        kinds.iter().for_each(|kind| drop(self.newest.insert(*kind, Vec::new())));
        for cited in &entry.reports {
            let first = *self.known.entry(cited.sha256).or_insert(entry.seq);
            let citing = Citing { entry: first, sha256: cited.sha256 };
            self.newest.entry(cited.kind).or_default().push(citing);
            let all = self.cited.entry(cited.kind).or_default();
            if first == entry.seq && all.last() != Some(&citing) {
                all.push(citing);
            }
        }
        if entry.decision.retrain.is_some() {
            self.retraining = Some(entry.seq);
        }
        if !entry.decision.judged.is_empty() {
            self.judged = Some(entry.seq);
        }
        Ok(self)
    }

    fn head(&self) -> u64 {
        self.standing.head.map_or(0, |(seq, _)| seq)
    }

    /// Where everything stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Every report of a kind, in the order in which entries first cited them.
    pub(super) fn cited(&self, kind: ReportKind) -> &[Citing] {
        self.cited.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The reports of a kind that the newest entry with any rests on, in its order.
    pub(super) fn newest(&self, kind: ReportKind) -> &[Citing] {
        self.newest.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The newest entry that decided on retraining.
    pub(super) fn retraining(&self) -> Option<u64> {
        self.retraining
    }

    /// The newest entry that answers for a judged window.
    pub(super) fn judged(&self) -> Option<u64> {
        self.judged
    }
}
