//! Features, predictions and latencies counted in memory; through the store. Only bin counts are written, at 20 rows or when
//! their window is over (P8).

mod lane;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ulid::Ulid;

use super::count_parts::CountPart;
use super::{Counts, SnapshotError, VersionCounts, Window};
use crate::contract::{FeatureVector, Histogram, Profile, Refusal, Slot};
use crate::log::{PartKind, PartName, Recorder, create_part, part_key};
use crate::registry::Reference;
use crate::serve::{Answer, Answered, Counter, Inferred, Missed, Predictor, Seen, Shadowed};
use crate::stats::histogram::latency;
use crate::store::Store;
use crate::types::{ModelName, ReplicaName, Span, Timestamp};
pub use lane::Lane;
use lane::Waiting;

/// Fewer rows of a window are not written while it lasts: what moved between two flushes could then be told of a person.
const FEWEST_ROWS: u64 = 20;

/// How often a replica speaks. Of counts at most so much is lost in a crash (P14).
const FLUSH_EVERY: Span = Span::from_mins(1);

/// The counts of one model on one replica.
pub struct Counting {
    store: Arc<dyn Store>,
    model: ModelName,
    base: Span,
    state: Mutex<State>,
    /// What each thread has not brought yet.
    lanes: Mutex<Vec<Arc<Waiting>>>,
}

struct State {
    name: PartName,
    pending: BTreeMap<Timestamp, Counts>,
    flushed_at: Option<Timestamp>,
    /// A flush that could not be written. It is tried again under its own name with its own counts.
    unwritten: Option<(Timestamp, CountPart)>,
}

impl Counting {
    /// Count for `model` in windows of `base` ([`super::WindowRules`]).
    pub fn new(store: Arc<dyn Store>, model: ModelName, base: Span, replica: ReplicaName, boot: Ulid) -> Counting {
        let name = PartName { replica, boot, seq: 0 };
        let state = State { name, pending: BTreeMap::new(), flushed_at: None, unwritten: None };
        Counting { store, model, base, state: Mutex::new(state), lanes: Mutex::default() }
    }

    /// Where one more thread counts.
    pub fn lane(self: &Arc<Self>) -> Lane {
        let waiting = Arc::default();
        self.lanes().push(Arc::clone(&waiting));
        Lane::new(Arc::clone(self), waiting)
    }

    fn lanes(&self) -> MutexGuard<'_, Vec<Arc<Waiting>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Count what waits in every lane.
    fn settle(&self) {
        self.lanes().iter().for_each(|waiting| waiting.settle(self));
    }

    /// Write what may be written, and how far this replica is; at most once a minute, and at the first call. `watermark` is
    /// what [`Recorder::maintain`] returned.
    ///
    /// # Errors
    /// The store; nothing is lost, and the next call tries again.
    pub fn maintain(&self, watermark: Timestamp, now: Timestamp) -> Result<(), SnapshotError> {
        // No longer than this does a version that was replaced wait, and stay, for others' sake.
        self.settle();
        let due = self.state().flushed_at.is_none_or(|last| now.since(last) >= FLUSH_EVERY);
        if due { self.flush(watermark, now, false) } else { Ok(()) }
    }

    /// Write what may be written and say goodbye; to be called when nothing is counted any more. Fewer than 20 rows of a
    /// window that is not over are let go: their snapshot shows `counted < requests`.
    ///
    /// # Errors
    /// As [`maintain`](Self::maintain).
    pub fn close(&self, watermark: Timestamp, now: Timestamp) -> Result<(), SnapshotError> {
        self.flush(watermark, now, true)
    }

    fn flush(&self, watermark: Timestamp, now: Timestamp, closed: bool) -> Result<(), SnapshotError> {
        self.settle();
        let mut state = self.state();
        if let Some((at, part)) = state.unwritten.take() {
            state = self.write(state, at, part)?;
        }
        let windows = take_ripe(&mut state.pending, self.base, watermark);
        let part = CountPart { replica: state.name.replica.clone(), watermark, closed, windows };
        self.write(state, now, part).map(drop)
    }

    /// Write a part without holding up those who count.
    fn write<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        at: Timestamp,
        part: CountPart,
    ) -> Result<MutexGuard<'a, State>, SnapshotError> {
        let name = state.name.to_string();
        drop(state);
        let written = part_key(&self.model, PartKind::Counts, at, &name).and_then(|key| {
            let read = |rows: &_| CountPart::read(rows).map(|part| vec![part]);
            create_part(self.store.as_ref(), &key, part.table(), std::slice::from_ref(&part), read)
        });
        let mut state = self.state();
        match written {
            Ok(()) => {
                state.name.seq += 1;
                state.flushed_at = Some(at);
                Ok(state)
            }
            Err(error) => {
                state.unwritten = Some((at, part));
                Err(error.into())
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Counts are added one by one: a panic between two leaves numbers, not nonsense.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, at: Timestamp, add: impl FnOnce(&mut Counts)) {
        add(self.state().pending.entry(self.window(at)).or_default());
    }

    fn window(&self, at: Timestamp) -> Timestamp {
        Window::holding(at, self.base).start
    }
}

/// The counts that may be written: of windows that are over all, of others each version that has enough rows.
pub(super) fn take_ripe(
    pending: &mut BTreeMap<Timestamp, Counts>,
    base: Span,
    watermark: Timestamp,
) -> BTreeMap<Timestamp, Counts> {
    let mut ripe = BTreeMap::new();
    for (start, counts) in std::mem::take(pending) {
        if start + base <= watermark {
            ripe.insert(start, counts);
            continue;
        }
        let (mut enough, mut rest) = (Counts::default(), counts);
        if rest.counted >= FEWEST_ROWS {
            enough = Counts { versions: BTreeMap::new(), ..rest.clone() };
            rest = Counts { versions: rest.versions, ..Counts::default() };
        }
        for (version, seen) in std::mem::take(&mut rest.versions) {
            let side = if seen.rows >= FEWEST_ROWS { &mut enough } else { &mut rest };
            side.versions.insert(version, seen);
        }
        for (counts, into) in [(enough, &mut ripe), (rest, pending)] {
            if counts != Counts::default() {
                into.insert(start, counts);
            }
        }
    }
    ripe
}

impl Counter for Counting {
    fn answered(&self, answered: &Answered<'_>) {
        let (champion, latency) = (&answered.serving.champion, Some(answered.latency_us));
        self.count(answered.at, |counts| match answered.answer {
            Answer::Scored { vector, score } => counts.valid(champion.model(), vector, score.prediction, latency),
            Answer::Refused(refusal) => {
                let contract = champion.contract().version();
                let candidate = answered.serving.candidate.iter();
                let alike = candidate.filter(|shadow| shadow.contract().version() == contract);
                let versions = [champion].into_iter().chain(alike).map(|version| &**version.model());
                counts.refused(versions, refusal);
            }
        });
    }

    fn inferred(&self, inferred: &Inferred<'_>) {
        self.count(inferred.at, |counts| counts.inferred(inferred.reference, inferred.seen));
    }

    fn shadowed(&self, shadowed: &Shadowed<'_>) {
        let profile = shadowed.candidate.model().profile();
        self.count(shadowed.at, |counts| {
            let seen = of(counts, shadowed.candidate);
            seen.count(profile, shadowed.vector.slots());
            seen.count_answer(profile, shadowed.prediction, Some(shadowed.latency_us));
        });
    }

    fn unrecorded(&self, at: Timestamp) {
        self.count(at, |counts| counts.unrecorded += 1);
    }

    fn missed(&self, at: Timestamp, candidate: &Predictor, _: Missed) {
        self.count(at, |counts| of(counts, candidate).dropped += 1);
    }
}

fn of<'a>(counts: &'a mut Counts, version: &Predictor) -> &'a mut VersionCounts {
    counts.versions.entry(version.version()).or_default()
}

impl Counts {
    /// Count an answer of a model elsewhere.
    pub(super) fn inferred(&mut self, reference: &Reference, seen: &Seen) {
        match seen {
            Seen::Valid { vector, prediction } => self.valid(reference, vector, *prediction, None),
            Seen::Refused(refusal) => self.refused([reference].into_iter(), refusal),
        }
    }

    fn valid(&mut self, version: &Reference, vector: &FeatureVector, prediction: f64, latency_us: Option<u32>) {
        self.counted += 1;
        self.valid += 1;
        let seen = self.versions.entry(version.version()).or_default();
        seen.count(version.profile(), vector.slots());
        seen.count_answer(version.profile(), prediction, latency_us);
    }

    fn refused<'a>(&mut self, versions: impl Iterator<Item = &'a Reference>, refusal: &Refusal) {
        self.counted += 1;
        let codes: BTreeSet<_> = refusal.violations.iter().map(|one| one.code).collect();
        for code in codes {
            *self.codes.entry(code.as_str().to_owned()).or_default() += 1;
        }
        for version in versions {
            let seen = self.versions.entry(version.version()).or_default();
            seen.count(version.profile(), refusal.slots.iter().copied());
        }
    }
}

impl VersionCounts {
    /// Count a row's features in the bins of this version's profile.
    pub(crate) fn count(&mut self, profile: &Profile, slots: impl Iterator<Item = Slot>) {
        for ((counts, feature), slot) in self.features(profile).zip(slots) {
            add(counts, feature.bins.place(slot));
        }
        self.rows += 1;
    }

    /// Count many admitted rows' features, feature by feature: the bins of each are fetched once for all rows.
    fn count_all<'a>(&mut self, profile: &Profile, rows: impl Iterator<Item = &'a [f64]> + Clone) {
        for (place, (counts, feature)) in self.features(profile).enumerate() {
            let slots = rows.clone().filter_map(|row| row.get(place)).copied().map(Slot::from);
            feature.bins.places(slots).for_each(|bin| add(counts, bin));
        }
        self.rows += rows.count() as u64;
    }

    /// The counts of every feature, beside its histogram.
    fn features<'a>(&'a mut self, profile: &'a Profile) -> impl Iterator<Item = (&'a mut Vec<u64>, &'a Histogram)> {
        if self.features.is_empty() {
            self.features = profile.features.iter().map(|feature| vec![0; feature.bins.len()]).collect();
        }
        self.features.iter_mut().zip(&profile.features)
    }

    fn count_answer(&mut self, profile: &Profile, prediction: f64, latency_us: Option<u32>) {
        let bins = &profile.score.bins;
        self.prediction.resize(bins.len(), 0);
        add(&mut self.prediction, bins.place(Slot::Value(prediction)));
        if let Some(latency_us) = latency_us {
            latency::record(&mut self.latency, u64::from(latency_us));
        }
    }
}

fn add(counts: &mut [u64], bin: usize) {
    if let Some(count) = counts.get_mut(bin) {
        *count += 1;
    }
}

/// What a replica does about once a second: seal the segments that are due, then say how far it is.
///
/// # Errors
/// The spool or the store; the next call tries again.
pub fn maintain(recorder: &Recorder, counting: &Counting, now: Timestamp) -> Result<(), SnapshotError> {
    let watermark = recorder.maintain(now)?;
    counting.maintain(watermark, now)
}

#[cfg(test)]
mod tests;
