//! Where everything stands: the folded journal; pure. A record that leaves the road is refused whole, whoever wrote it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GovernError;
use super::cited::ReportKind;
use super::journal::{Entry, FailedAttempt, Record, Training};
use super::overrides::{Order, Override};
use super::state::{ROAD, State, Transition};
use crate::performance::Baseline;
use crate::types::{Digest, Timestamp, Version};

/// The champion as the journal knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Champion {
    /// The version that serves.
    pub version: Version,
    /// The digest of its manifest.
    pub bundle: Digest,
    /// Since when.
    pub since: Timestamp,
    /// What it is held against.
    pub baseline: Baseline,
}

/// The candidate as the journal knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// The version that walks.
    pub version: Version,
    /// The digest of its manifest; none while it trains.
    pub bundle: Option<Digest>,
    /// Where it stands.
    pub state: State,
    /// Since when it stands there.
    pub since: Timestamp,
    /// Since when it shadows, PROMOTABLE included; none before.
    pub shadowing_since: Option<Timestamp>,
    /// The SHA-256 of its newest evaluation: what let it shadow.
    pub evaluation: Option<Digest>,
    /// What it was trained on.
    pub training: Training,
    /// Since when the current attempt at its training runs.
    pub attempt_since: Timestamp,
    /// The attempts that failed, in order.
    pub failures: Vec<FailedAttempt>,
}

/// An order that an entry applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Applied {
    /// The number of the entry.
    pub seq: u64,
    /// The order, word for word: another one under the same id is another order.
    pub order: Override,
}

/// The folded journal: where everything stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// The number and digest of the newest entry.
    pub head: Option<(u64, Digest)>,
    /// When the newest entry was decided.
    pub last_at: Option<Timestamp>,
    /// When the model's first champion began to serve.
    pub served_since: Option<Timestamp>,
    /// Who serves.
    pub champion: Option<Champion>,
    /// Who walks.
    pub candidate: Option<Candidate>,
    /// Where every version that ever began stands.
    pub versions: BTreeMap<Version, State>,
    /// Former champions that may come back, oldest first.
    pub retired: Vec<Champion>,
    /// The end of the newest judged window that an entry answers for.
    pub judged_until: Option<Timestamp>,
    /// The newest training that was pinned.
    pub last_training: Option<Training>,
    /// The evidence of every training that was ever pinned.
    pub trained_on: BTreeSet<Digest>,
    /// When the champion last changed without a person asking for it.
    pub last_automatic_change: Option<Timestamp>,
    /// Overrides that were applied, by id, each as its newest entry has it.
    pub applied: BTreeMap<String, Applied>,
}

impl Standing {
    /// Who serves after all steps so far.
    pub fn champion_version(&self) -> Option<Version> {
        self.champion.as_ref().map(|champion| champion.version)
    }

    /// The candidate that scores live traffic, if there is one.
    pub fn shadowing(&self) -> Option<&Candidate> {
        self.candidate.as_ref().filter(|candidate| candidate.state != State::Training)
    }

    /// The end of the newest judged window; before there is one, when the first champion began.
    pub fn sealed_until(&self) -> Timestamp {
        self.judged_until.or(self.served_since).unwrap_or(Timestamp::EPOCH)
    }

    /// Whether a version would be the first of its lineage: nobody serves, or whoever serves has another contract major, so
    /// that no request is answered by both. The major of a version is its contract's.
    pub fn first_of_lineage(&self, version: Version) -> bool {
        self.champion.as_ref().is_none_or(|champion| champion.version.major != version.major)
    }

    /// The standing after one more entry.
    ///
    /// # Errors
    /// An entry that does not follow the newest one; a step that is not on the road, or not from where the version stands.
    pub fn after(mut self, entry: &Entry, digest: Digest) -> Result<Standing, GovernError> {
        let expected = self.head.map_or(1, |(seq, _)| seq + 1);
        if entry.seq != expected || entry.parent != self.head.map(|(_, digest)| digest) {
            return Err(GovernError::Chain { seq: expected });
        }
        let walked = self.candidate.as_ref().map(|candidate| candidate.version);
        self.apply(&entry.decision).map_err(|source| GovernError::Step { seq: entry.seq, source })?;
        if let Some(candidate) = self.candidate.as_mut().filter(|candidate| Some(candidate.version) == walked) {
            let evaluation = entry.reports.iter().find(|cited| cited.kind == ReportKind::Evaluation);
            candidate.evaluation = evaluation.map(|cited| cited.sha256).or(candidate.evaluation);
        }
        for order in &entry.decision.applied {
            self.applied.insert(order.id.clone(), Applied { seq: entry.seq, order: order.clone() });
        }
        self.head = Some((entry.seq, digest));
        Ok(self)
    }

    /// Take the steps of a record, in order.
    ///
    /// # Errors
    /// The first step that the road does not have.
    fn apply(&mut self, record: &Record) -> Result<(), OffTheRoad> {
        // A clock that goes backwards shortens nothing: nothing is older than the entry before it.
        let at = self.last_at.map_or(record.at, |last| record.at.max(last));
        if let Some(training) = &record.training {
            self.pin(training, at);
        }
        if let Some(failed) = &record.failed_attempt {
            self.count(failed);
        }
        let served = self.champion.is_some();
        for step in &record.transitions {
            self.take(step, record, at)?;
        }
        // Once there is a champion there is one for ever …
        if let Some(last) = record.transitions.last().filter(|_| served && self.champion.is_none()) {
            return Err(OffTheRoad(last.clone()));
        }
        // … and it changes once in an entry at most.
        let mut changes = record.transitions.iter().filter(|step| step.to == State::Promoted);
        match (changes.next(), changes.next()) {
            (Some(change), None) if !asked_for(change, record) => self.last_automatic_change = Some(at),
            (Some(_) | None, None) => {}
            (_, Some(second)) => return Err(OffTheRoad(second.clone())),
        }
        if let Some(window) = record.judged.last() {
            self.judged_until = self.judged_until.max(Some(window.end()));
        }
        self.last_at = Some(at);
        Ok(())
    }

    /// Take one step of a record whose earlier steps were taken.
    ///
    /// # Errors
    /// A step that the road does not have.
    pub(super) fn take(&mut self, step: &Transition, record: &Record, at: Timestamp) -> Result<(), OffTheRoad> {
        let stands = self.versions.get(&step.version).copied();
        // RETIRED → PROMOTED only beside the champion's ROLLED_BACK.
        let alone = || !record.transitions.iter().any(|step| step.to == State::RolledBack);
        if stands != step.from || !ROAD.contains(&(step.from, step.to)) || (stands == Some(State::Retired) && alone()) {
            return Err(OffTheRoad(step.clone()));
        }
        match step.to {
            State::Training => self.begin(step, record, at)?,
            State::Shadowing | State::Promotable => self.walk(step, at)?,
            State::Promoted => self.promote(step, record, at)?,
            State::Rejected => self.candidate = None,
            State::Retired => self.retired.extend(self.champion.take()),
            State::RolledBack => self.champion = None,
        }
        self.versions.insert(step.version, step.to);
        Ok(())
    }

    fn pin(&mut self, training: &Training, at: Timestamp) {
        self.last_training = Some(training.clone());
        self.trained_on.extend(training.evidence);
        if let Some(candidate) = &mut self.candidate
            && candidate.version == training.plan.version
        {
            candidate.training = training.clone();
            candidate.attempt_since = at;
        }
    }

    /// Two governors may see one attempt fail, and it may fail after its candidate is gone: it counts once, or not at all.
    fn count(&mut self, failed: &FailedAttempt) {
        if let Some(candidate) = &mut self.candidate
            && candidate.awaits(failed)
        {
            candidate.failures.push(failed.clone());
        }
    }

    fn begin(&mut self, step: &Transition, record: &Record, at: Timestamp) -> Result<(), OffTheRoad> {
        match (&self.candidate, &record.training) {
            (None, Some(training)) if training.plan.version == step.version => {
                self.candidate = Some(Candidate {
                    version: step.version,
                    bundle: None,
                    state: State::Training,
                    since: at,
                    shadowing_since: None,
                    evaluation: None,
                    training: training.clone(),
                    attempt_since: at,
                    failures: Vec::new(),
                });
                Ok(())
            }
            (Some(_) | None, _) => Err(OffTheRoad(step.clone())),
        }
    }

    fn walk(&mut self, step: &Transition, at: Timestamp) -> Result<(), OffTheRoad> {
        let candidate = match &mut self.candidate {
            Some(candidate) if candidate.is_this(step) => candidate,
            Some(_) | None => return Err(OffTheRoad(step.clone())),
        };
        candidate.state = step.to;
        candidate.since = at;
        candidate.bundle = step.bundle;
        candidate.shadowing_since.get_or_insert(at);
        Ok(())
    }

    fn promote(&mut self, step: &Transition, record: &Record, at: Timestamp) -> Result<(), OffTheRoad> {
        let off = || OffTheRoad(step.clone());
        let (Some(bundle), None) = (step.bundle, &self.champion) else { return Err(off()) };
        let baseline = if step.from == Some(State::Retired) {
            let same = |former: &Champion| former.version == step.version && former.bundle == bundle;
            let place = self.retired.iter().position(same).ok_or_else(off)?;
            self.retired.remove(place).baseline
        } else {
            self.candidate.take().filter(|candidate| candidate.is_this(step)).ok_or_else(off)?;
            record.baseline.clone().ok_or_else(off)?
        };
        self.served_since.get_or_insert(at);
        self.champion = Some(Champion { version: step.version, bundle, since: at, baseline });
        Ok(())
    }
}

impl Candidate {
    /// Whether a step means this version and, once that is known, this very bundle.
    fn is_this(&self, step: &Transition) -> bool {
        let same = self.bundle.is_none() || self.bundle == step.bundle;
        self.version == step.version && same && step.bundle.is_some()
    }

    /// Whether a failure is news: of this training, of an attempt that was made and has not failed yet.
    pub fn awaits(&self, failed: &FailedAttempt) -> bool {
        let known = self.failures.iter().any(|known| known.attempt == failed.attempt);
        let made = self.version == failed.version && failed.attempt <= self.training.attempt;
        self.state == State::Training && made && !known
    }
}

/// Whether a person asked for this change of champion. Other orders in the same entry did not ask for it.
fn asked_for(change: &Transition, record: &Record) -> bool {
    let asks = |order: &Override| match order.order {
        Order::Rollback => change.from == Some(State::Retired),
        Order::Approve | Order::Promote => order.version == Some(change.version),
        Order::Reject | Order::Freeze | Order::Pin | Order::Retrain | Order::Clock => false,
    };
    record.applied.iter().any(asks)
}

/// A step that the road does not have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("take {} from {} to {}: there is no such step from where it stands", .0.version, name(.0.from), .0.to)]
pub struct OffTheRoad(pub Transition);

fn name(state: Option<State>) -> String {
    state.map_or_else(|| "nothing".to_owned(), |state| state.to_string())
}
