//! Where one thread counts: rows wait for others, and are counted together; pure but for the counts they come to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Counting, of};
use crate::contract::FeatureVector;
use crate::serve::{Answer, Answered, Counter, Inferred, Missed, Predictor, Shadowed};
use crate::types::{Timestamp, Version};

/// So many rows of a version are counted together.
const TOGETHER: usize = 256;

/// Counts for one thread, so that threads do not wait for each other at every row. What is rare is counted at once.
pub struct Lane {
    counting: Arc<Counting>,
    waiting: Arc<Waiting>,
}

/// The rows of a lane that are not counted yet, by version; apart from what other lanes write to.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Waiting(Mutex<BTreeMap<Version, Rows>>);

/// Rows of one window that a version has scored.
struct Rows {
    start: Timestamp,
    version: Predictor,
    /// How many of them were answered so; what a candidate said of the others, nobody was told.
    answered: u64,
    /// Requests besides that a candidate should have scored and did not.
    missed: u64,
    /// The features, one row after the other.
    values: Vec<f64>,
    /// The prediction of each row, and how long it took.
    scores: Vec<(f64, u32)>,
}

impl Rows {
    fn count(&mut self, counting: &Counting) {
        let profile = self.version.model().profile();
        let (answered, missed) = (std::mem::take(&mut self.answered), std::mem::take(&mut self.missed));
        counting.count(self.start, |counts| {
            counts.counted += answered;
            counts.valid += answered;
            let seen = of(counts, &self.version);
            seen.dropped += missed;
            seen.count_all(profile, self.values.chunks(profile.features.len().max(1)));
            for (prediction, latency_us) in self.scores.drain(..) {
                seen.count_answer(profile, prediction, Some(latency_us));
            }
        });
        self.values.clear();
    }
}

impl Waiting {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<Version, Rows>> {
        // As counts: a panic between two leaves numbers, not nonsense.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Count everything.
    pub(super) fn settle(&self, counting: &Counting) {
        std::mem::take(&mut *self.rows()).values_mut().for_each(|rows| rows.count(counting));
    }
}

impl Lane {
    pub(super) fn new(counting: Arc<Counting>, waiting: Arc<Waiting>) -> Lane {
        Lane { counting, waiting }
    }

    /// Add to the rows of a version, after those are counted that are many or of another window.
    fn add(&self, at: Timestamp, version: &Predictor, add: impl FnOnce(&mut Rows)) {
        let start = self.counting.window(at);
        let mut waiting = self.waiting.rows();
        let none =
            || Rows { start, version: version.clone(), answered: 0, missed: 0, values: Vec::new(), scores: Vec::new() };
        let rows = waiting.entry(version.version()).or_insert_with(none);
        if rows.start != start || rows.scores.len() == TOGETHER {
            rows.count(&self.counting);
            rows.start = start;
        }
        add(rows);
    }

    fn take(&self, at: Timestamp, version: &Predictor, vector: &FeatureVector, score: (f64, u32), answered: u64) {
        self.add(at, version, |rows| {
            rows.answered += answered;
            rows.values.extend_from_slice(vector);
            rows.scores.push(score);
        });
    }
}

impl Counter for Lane {
    fn answered(&self, answered: &Answered<'_>) {
        match answered.answer {
            Answer::Scored { vector, score } => {
                let (champion, score) = (&answered.serving.champion, (score.prediction, answered.latency_us));
                self.take(answered.at, champion, vector, score, 1);
            }
            Answer::Refused(_) => self.counting.answered(answered),
        }
    }

    fn shadowed(&self, shadowed: &Shadowed<'_>) {
        let Shadowed { at, vector, candidate, prediction, latency_us, .. } = *shadowed;
        self.take(at, candidate, vector, (prediction, latency_us), 0);
    }

    fn inferred(&self, inferred: &Inferred<'_>) {
        self.counting.inferred(inferred);
    }

    fn unrecorded(&self, at: Timestamp) {
        self.counting.unrecorded(at);
    }

    fn missed(&self, at: Timestamp, candidate: &Predictor, _: Missed) {
        self.add(at, candidate, |rows| rows.missed += 1);
    }
}
