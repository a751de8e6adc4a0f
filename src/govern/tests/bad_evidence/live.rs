//! Live traffic that the real judges look at: good by itself, until something is done to it.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::super::scene::{NEW, OLD, bundle_of, day, model, window};
use crate::contract::Task;
use crate::log::{Event, Label, Sample, ShadowScore, Status};
use crate::performance::{self, Baseline, Conflicting, PerformanceReport, PerformanceRules};
use crate::shadow::{self, ShadowReport, ShadowRules, Trial};
use crate::snapshot::VersionCounts;
use crate::stats::histogram::latency;
use crate::train::measure;
use crate::types::{Span, Timestamp};

/// Requests and what came true of them; every second label is 1.
pub struct Live {
    pub events: Vec<Event>,
    pub labels: Vec<Label>,
    /// The candidate's latency, for the counts.
    pub candidate_latency_us: u64,
    /// Requests that the champion answered without a word from the candidate, and without a label.
    pub unmatched: u64,
    pub now: Timestamp,
}

impl Live {
    /// So many requests that NEW has answered better than OLD, in the window of a day.
    fn of(rows: u64, of: i64) -> Live {
        let event = |row: u64| Event {
            ts: day(of) + Span::from_mins(row as i64),
            request_id: Uuid::from_u128(u128::from(row)),
            model: model(),
            model_version: OLD,
            prediction: Some(0.5),
            latency_us: 100,
            status: Status::Valid,
            codes: Vec::new(),
            shadow: Some(ShadowScore { version: NEW, prediction: 0.2 + 0.6 * truth(row), latency_us: 100 }),
            slices: BTreeMap::new(),
            trace: None,
        };
        let label = |row: u64| Label {
            request_id: Uuid::from_u128(u128::from(row)),
            label: truth(row),
            at: day(of) + Span::from_hours(20),
        };
        Live {
            events: (0..rows).map(event).collect(),
            labels: (0..rows).map(label).collect(),
            candidate_latency_us: 100,
            unmatched: 0,
            now: window(of).end() + Span::from_hours(1),
        }
    }

    /// What the shadow's judge says of NEW beside OLD in the window of day 5, after something was done to it.
    pub fn shadow(change: impl Fn(&mut Live)) -> ShadowReport {
        let mut live = Live::of(400, 5);
        change(&mut live);
        let joined = performance::join(&live.events, &live.labels, Conflicting::First);
        let counts = |latency_us| {
            let mut counts = VersionCounts { rows: 400, ..VersionCounts::default() };
            latency::record(&mut counts.latency, latency_us);
            counts
        };
        let trial = Trial {
            model: &model(),
            task: Task::Binary,
            champion: OLD,
            candidate: NEW,
            candidate_bundle: bundle_of(NEW),
            contracts: (OLD, OLD),
            since: day(1),
            until: window(5).end(),
            windows: 5,
            answered: joined.answered.get(&OLD).copied().unwrap_or(0) + live.unmatched,
            paired: joined.paired.get(&NEW).copied().unwrap_or(0),
            sampled_share: 1.0,
            pairs: &joined.pairs,
            clip: 1.0,
            champion_counts: &counts(100),
            candidate_counts: &counts(live.candidate_latency_us),
        };
        shadow::judge(trial, &ShadowRules::DEFAULTS)
    }

    /// What the judge of performance says of NEW, which is wrong throughout in the window of day 9, after something was done.
    pub fn performance(change: impl Fn(&mut Live)) -> PerformanceReport {
        let mut live = Live::of(400, 9);
        for (row, event) in (0..).zip(&mut live.events) {
            (event.model_version, event.shadow) = (NEW, None);
            event.prediction = Some(0.8 - 0.6 * truth(row));
        }
        change(&mut live);
        let truths: Vec<f64> = (0..400).map(truth).collect();
        let answers: Vec<f64> = (0..400).map(|row| if row % 10 == 0 { 0.5 } else { 0.2 + 0.6 * truth(row) }).collect();
        let metrics = measure(Task::Binary, &answers, &truths, Some(0.5));
        let judged = performance::Judged {
            model: &model(),
            task: Task::Binary,
            version: NEW,
            bundle: bundle_of(NEW),
            window: window(9),
            requests: live.events.len() as u64,
            sealed_at: window(9).end(),
            sample: Sample::ALL,
            baseline: &Baseline { version: NEW, metrics, threshold: Some(0.5), slices: BTreeMap::new() },
            promised: None,
        };
        let joined = performance::join(&live.events, &live.labels, Conflicting::First);
        performance::judge(judged, &joined, &PerformanceRules::defaults(), live.now)
    }

    pub fn keep(&mut self, rows: usize) {
        self.events.truncate(rows);
        self.labels.truncate(rows);
    }

    /// What is served, or shadowed, in the place of every answer that is watched.
    pub fn answer(&mut self, value: f64) {
        self.answer_by(|_| value);
    }

    pub fn answer_by(&mut self, value: impl Fn(usize) -> f64) {
        for (row, event) in self.events.iter_mut().enumerate() {
            match &mut event.shadow {
                Some(shadow) => shadow.prediction = value(row),
                None => event.prediction = Some(value(row)),
            }
        }
    }

    pub fn label(&mut self, value: f64) {
        self.labels.iter_mut().for_each(|label| label.label = value);
    }
}

fn truth(row: u64) -> f64 {
    (row % 2) as f64
}
