//! The candidate scores what the champion has answered, on the same admitted row; pure but for its queue and thread. Never
//! waits, never fails a request: what it cannot do is dropped and counted (P9).

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use crate::serve::{Clock, Counter, EventSink, Mirror, Missed, ShadowJob, Shadowed};

/// So many requests may wait for the candidate; a score takes microseconds, so a queue that is longer only ages.
const WAITING: usize = 1_024;

/// What scoring a candidate needs.
#[derive(Clone)]
pub struct Scoring {
    /// The time, for latencies.
    pub clock: Arc<dyn Clock>,
    /// Where scores go.
    pub events: Arc<dyn EventSink>,
    /// Where counts go.
    pub counter: Arc<dyn Counter>,
}

impl Scoring {
    fn score(&self, job: &ShadowJob) {
        // A candidate that panics is a candidate that gave no score.
        if catch_unwind(AssertUnwindSafe(|| self.try_score(job))).ok().flatten().is_none() {
            self.missed(job, Missed::Failed);
        }
    }

    fn try_score(&self, job: &ShadowJob) -> Option<()> {
        let started_us = self.clock.micros();
        let vector = job.candidate.read_again(&job.vector, &job.champion).ok()?;
        let score = job.candidate.score(&vector).ok()?;
        let latency_us = u32::try_from(self.clock.micros().saturating_sub(started_us)).unwrap_or(u32::MAX);
        let shadowed = Shadowed {
            request_id: job.request_id,
            at: job.at,
            vector: &vector,
            candidate: &job.candidate,
            prediction: score.prediction,
            latency_us,
        };
        self.events.shadowed(&shadowed).ok()?;
        self.counter.shadowed(&shadowed);
        Some(())
    }

    fn missed(&self, job: &ShadowJob, why: Missed) {
        self.counter.missed(job.at, &job.candidate, why);
    }
}

/// Scores in a thread of its own.
pub struct QueuedMirror {
    scoring: Scoring,
    jobs: Option<SyncSender<ShadowJob>>,
    worker: Option<JoinHandle<()>>,
}

impl QueuedMirror {
    /// Start the thread. It ends, with what waits scored, when the mirror is dropped.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(scoring: Scoring) -> io::Result<QueuedMirror> {
        let (jobs, waiting) = sync_channel::<ShadowJob>(WAITING);
        let own = scoring.clone();
        let work = move || waiting.iter().for_each(|job| own.score(&job));
        let worker = thread::Builder::new().name("shadow".to_owned()).spawn(work)?;
        Ok(QueuedMirror { scoring, jobs: Some(jobs), worker: Some(worker) })
    }
}

impl Mirror for QueuedMirror {
    fn offer(&self, job: ShadowJob) {
        let Some(jobs) = &self.jobs else { return };
        if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) = jobs.try_send(job) {
            self.scoring.missed(&job, Missed::Dropped);
        }
    }
}

impl Drop for QueuedMirror {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

/// Scores at once: for backtests, whose answers nobody waits for.
pub struct InlineMirror(
    /// What scoring needs.
    pub Scoring,
);

impl Mirror for InlineMirror {
    fn offer(&self, job: ShadowJob) {
        self.0.score(&job);
    }
}

#[cfg(test)]
mod tests;
