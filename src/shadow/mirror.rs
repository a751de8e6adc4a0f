//! The candidate scores what the champion has answered, on the same admitted row; pure but for its queue and thread. Never
//! waits, never fails a request: what it cannot do is dropped and counted (P9).

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use crate::serve::{Clock, Counter, EventSink, Mirror, ShadowJob, Shadowed};

/// So many requests may wait for the candidate; a score takes microseconds, so a queue that is longer only ages.
const WAITING: usize = 1_024;

/// What waits when the mirror ends is scored for so long at most: a server that is told to stop has ten seconds, and a candidate
/// must not take them. The rest is dropped and counted.
const ENDS_WITHIN_US: u64 = 2_000_000;

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
            self.dropped(job);
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

    fn dropped(&self, job: &ShadowJob) {
        self.counter.dropped(job.at, &job.candidate);
    }
}

/// Scores in a thread of its own.
pub struct QueuedMirror {
    scoring: Scoring,
    jobs: Option<SyncSender<ShadowJob>>,
    /// When scoring ends, by the clock's microseconds.
    until_us: Arc<AtomicU64>,
    worker: Option<JoinHandle<()>>,
}

impl QueuedMirror {
    /// Start the thread. It ends when the mirror is dropped, with what waits scored, or dropped if that would take long.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(scoring: Scoring) -> io::Result<QueuedMirror> {
        let (jobs, waiting) = sync_channel::<ShadowJob>(WAITING);
        let until_us = Arc::new(AtomicU64::new(u64::MAX));
        let (own, until) = (scoring.clone(), Arc::clone(&until_us));
        let work = move || {
            for job in waiting {
                if own.clock.micros() < until.load(Ordering::Relaxed) { own.score(&job) } else { own.dropped(&job) }
            }
        };
        let worker = thread::Builder::new().name("shadow".to_owned()).spawn(work)?;
        Ok(QueuedMirror { scoring, jobs: Some(jobs), until_us, worker: Some(worker) })
    }
}

impl Mirror for QueuedMirror {
    fn offer(&self, job: ShadowJob) {
        let Some(jobs) = &self.jobs else { return };
        if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) = jobs.try_send(job) {
            self.scoring.dropped(&job);
        }
    }
}

impl Drop for QueuedMirror {
    fn drop(&mut self) {
        let until_us = self.scoring.clock.micros().saturating_add(ENDS_WITHIN_US);
        self.until_us.store(until_us, Ordering::Relaxed);
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
