//! What a model has answered since the process began, in atomic numbers: each thread has its own, for cores that write to the same numbers
//! wait for each other, and they are added up when somebody looks; pure. A [`Metered`] counts what goes on to where it is counted
//! for windows: it keeps nothing of a row but that it was, how long it took, and in which bar its score lies.

use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::predictor::{Answer, Predictor};
use super::seams::{
    Answered, Counter, Inferred, LabelSink, Labelled, Missed, Outcomes, Seen, Shadowed, SinkError, Truth,
};
use crate::contract::{Code, Task, Violation};
use crate::types::{ModelName, Timestamp};

pub(super) fn zeros(count: usize) -> Box<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

/// Values in bars whose edges are fixed.
#[derive(Debug)]
pub struct Bars {
    edges: &'static [f64],
    counts: [AtomicU64; MOST_BARS],
    /// The bits of a float.
    sum: AtomicU64,
}

impl Bars {
    const fn new(edges: &'static [f64]) -> Bars {
        assert!(edges.len() < MOST_BARS, "the last bar has no edge");
        Bars { edges, counts: [const { AtomicU64::new(0) }; MOST_BARS], sum: AtomicU64::new(0) }
    }

    fn add(&self, value: f64) {
        // All of so few are compared sooner than a search could be guessed.
        let bar = self.edges.iter().filter(|edge| **edge < value).count();
        if let Some(count) = self.counts.get(bar) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.add_to_sum(value);
    }

    fn add_to_sum(&self, value: f64) {
        let more = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // It is never told not to.
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    fn add_all(&self, other: &Bars) {
        add_counts(&self.counts, &other.counts);
        self.add_to_sum(other.sum());
    }

    /// The sum of all values.
    pub fn sum(&self) -> f64 {
        f64::from_bits(self.sum.load(Ordering::Relaxed))
    }

    /// Each bar's upper edge, which belongs to it, and how many values are in it; the last has no edge.
    pub fn bars(&self) -> Vec<(f64, u64)> {
        let edges = self.edges.iter().copied().chain([f64::INFINITY]);
        edges.zip(self.counts.iter().map(|count| count.load(Ordering::Relaxed))).collect()
    }
}

/// So many bars there are at most.
const MOST_BARS: usize = 20;

/// In seconds, from what a table look-up takes to what a caller gives up at.
const LATENCIES: &[f64] =
    &[0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];
/// Twentieths of a probability.
const PROBABILITIES: &[f64] =
    &[0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/// What is counted of one model's answers, apart in memory from what others count.
#[derive(Debug)]
#[repr(align(128))]
pub struct Tally {
    latency: Bars,
    probability: Bars,
    /// Numbers have a unit of their own each, so they have no bars.
    number: Bars,
    violations: [AtomicU64; Code::ALL.len()],
    elsewhere: [AtomicU64; 2],
    shadow_latency: Bars,
    missed: [AtomicU64; Missed::ALL.len()],
    unrecorded: AtomicU64,
    labels: [AtomicU64; 6],
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            latency: Bars::new(LATENCIES),
            probability: Bars::new(PROBABILITIES),
            number: Bars::new(&[]),
            violations: Default::default(),
            elsewhere: Default::default(),
            shadow_latency: Bars::new(LATENCIES),
            missed: Default::default(),
            unrecorded: AtomicU64::new(0),
            labels: Default::default(),
        }
    }
}

fn add_counts(to: &[AtomicU64], from: &[AtomicU64]) {
    for (to, from) in to.iter().zip(from) {
        to.fetch_add(from.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Loads of a row of counts.
fn loaded<const N: usize>(counts: &[AtomicU64; N]) -> [u64; N] {
    std::array::from_fn(|place| counts.get(place).map_or(0, |count| count.load(Ordering::Relaxed)))
}

impl Tally {
    /// What all of these have counted.
    pub(super) fn sum<'a>(tallies: impl IntoIterator<Item = &'a Tally>) -> Tally {
        let sum = Tally::default();
        for tally in tallies {
            let Tally {
                latency,
                probability,
                number,
                violations,
                elsewhere,
                shadow_latency,
                missed,
                unrecorded,
                labels,
            } = tally;
            sum.latency.add_all(latency);
            sum.probability.add_all(probability);
            sum.number.add_all(number);
            sum.shadow_latency.add_all(shadow_latency);
            add_counts(&sum.violations, violations);
            add_counts(&sum.elsewhere, elsewhere);
            add_counts(&sum.missed, missed);
            add_counts(&sum.labels, labels);
            add_counts(slice::from_ref(&sum.unrecorded), slice::from_ref(unrecorded));
        }
        sum
    }

    /// Seconds from the first byte of a request to its answer made, refused ones included.
    pub fn latency(&self) -> &Bars {
        &self.latency
    }

    /// What was answered to valid requests: probabilities, or numbers.
    pub fn scores(&self, task: Task) -> &Bars {
        match task {
            Task::Binary => &self.probability,
            Task::Regression => &self.number,
        }
    }

    /// How often each rule of the contract was broken.
    pub fn violations(&self) -> impl Iterator<Item = (Code, u64)> {
        Code::ALL.into_iter().zip(loaded(&self.violations))
    }

    /// Answers told of a model elsewhere: valid, and refused.
    pub fn elsewhere(&self) -> [(&'static str, u64); 2] {
        let [valid, invalid] = loaded(&self.elsewhere);
        [("valid", valid), ("invalid", invalid)]
    }

    /// Seconds that each score of a candidate took.
    pub fn shadow_latency(&self) -> &Bars {
        &self.shadow_latency
    }

    /// Requests that a candidate should have scored and did not.
    pub fn missed(&self) -> impl Iterator<Item = (Missed, u64)> {
        Missed::ALL.into_iter().zip(loaded(&self.missed))
    }

    /// Answers that were given although their events could not be written.
    pub fn unrecorded(&self) -> u64 {
        self.unrecorded.load(Ordering::Relaxed)
    }

    /// What became of labels.
    pub fn labels(&self) -> [(&'static str, u64); 6] {
        let [new, duplicate, conflicting, unknown, early, overdue] = loaded(&self.labels);
        [
            ("new", new),
            ("duplicate", duplicate),
            ("conflicting", conflicting),
            ("unknown", unknown),
            ("early", early),
            ("overdue", overdue),
        ]
    }

    fn refused(&self, violations: &[Violation]) {
        for violation in violations {
            if let Some(count) = self.violations.get(violation.code as usize) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn labelled(&self, outcomes: &Outcomes) {
        let Outcomes { new, duplicate, conflicting, unknown, early, overdue } = *outcomes;
        for (count, more) in self.labels.iter().zip([new, duplicate, conflicting, unknown, early, overdue]) {
            count.fetch_add(more, Ordering::Relaxed);
        }
    }
}

/// Counts for [`Tally`] what goes on to where it was counted and remembered before.
pub struct Metered {
    tally: Arc<Tally>,
    counter: Arc<dyn Counter>,
    labels: Arc<dyn LabelSink>,
}

impl Metered {
    /// In front of these.
    pub fn new(tally: Arc<Tally>, counter: Arc<dyn Counter>, labels: Arc<dyn LabelSink>) -> Metered {
        Metered { tally, counter, labels }
    }
}

fn seconds(micros: u32) -> f64 {
    f64::from(micros) / 1e6
}

impl Counter for Metered {
    fn answered(&self, answered: &Answered<'_>) {
        self.tally.latency.add(seconds(answered.latency_us));
        match answered.answer {
            Answer::Scored { score, .. } => {
                self.tally.scores(answered.serving.champion.contract().task()).add(score.prediction);
            }
            Answer::Refused(refusal) => self.tally.refused(&refusal.violations),
        }
        self.counter.answered(answered);
    }

    fn shadowed(&self, shadowed: &Shadowed<'_>) {
        self.tally.shadow_latency.add(seconds(shadowed.latency_us));
        self.counter.shadowed(shadowed);
    }

    fn inferred(&self, inferred: &Inferred<'_>) {
        let [valid, invalid] = &self.tally.elsewhere;
        let count = match inferred.seen {
            Seen::Valid { prediction, .. } => {
                self.tally.scores(inferred.reference.contract().task()).add(*prediction);
                valid
            }
            Seen::Refused(refusal) => {
                self.tally.refused(&refusal.violations);
                invalid
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.counter.inferred(inferred);
    }

    fn unrecorded(&self, at: Timestamp) {
        self.tally.unrecorded.fetch_add(1, Ordering::Relaxed);
        self.counter.unrecorded(at);
    }

    fn missed(&self, at: Timestamp, candidate: &Predictor, why: Missed) {
        if let Some(count) = self.tally.missed.get(why as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.counter.missed(at, candidate, why);
    }
}

impl LabelSink for Metered {
    fn labelled(&self, model: &ModelName, truths: &[Truth], at: Timestamp) -> Result<Labelled, SinkError> {
        let labelled = self.labels.labelled(model, truths, at)?;
        self.tally.labelled(&labelled.outcomes);
        Ok(labelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_belongs_to_the_bar_below_it() {
        let bars = Bars::new(&[1.0, 2.0]);
        [0.5, 1.0, 1.5, 2.0, 7.0].into_iter().for_each(|value| bars.add(value));
        assert_eq!(bars.bars(), [(1.0, 2), (2.0, 2), (f64::INFINITY, 1)]);
        assert_eq!(bars.sum(), 12.0);
    }

    #[test]
    fn what_threads_count_apart_is_told_together() {
        let one = |seconds: f64, labels: u64| {
            let tally = Tally::default();
            tally.latency.add(seconds);
            tally.probability.add(0.97);
            tally.number.add(-3.0);
            tally.shadow_latency.add(seconds);
            for counts in [&tally.violations[..], &tally.elsewhere, &tally.missed, slice::from_ref(&tally.unrecorded)] {
                counts.last().unwrap().store(7, Ordering::Relaxed);
            }
            tally.labels[5].store(labels, Ordering::Relaxed);
            tally
        };
        let both = Tally::sum([&one(0.25, 1), &one(2.0, 10)]);
        assert_eq!((both.latency().sum(), both.shadow_latency().sum()), (2.25, 2.25));
        let filled = |bars: &Bars| bars.bars().into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>();
        assert_eq!(filled(both.latency()), [(0.25, 1), (f64::INFINITY, 1)]);
        assert_eq!(filled(both.scores(Task::Binary)), [(f64::INFINITY, 2)]);
        assert_eq!(filled(both.scores(Task::Regression)), [(f64::INFINITY, 2)]);
        assert_eq!(both.violations().last(), Some((Code::Duplicate, 14)));
        assert_eq!(both.missed().last(), Some((Missed::Failed, 14)));
        assert_eq!((both.elsewhere()[1].1, both.unrecorded(), both.labels()[5].1), (14, 14, 11));
    }
}
