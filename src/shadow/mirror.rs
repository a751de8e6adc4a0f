//! The candidate scores what the champion has answered, on the same admitted row; pure but for its queue and thread. Never
//! waits, never fails a request: what it cannot do is dropped and counted (P9).

use std::borrow::Cow;
use std::io;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::contract::FeatureVector;
use crate::serve::{Clock, Counter, EventSink, Mirror, Missed, ShadowJob, Shadowed};

/// So many requests may wait for the candidate; a score takes microseconds, so a queue that is longer only ages.
const WAITING: usize = 1_024;

/// So many of them are handed to the candidate at once. Their scores are remembered one after the other by a thread that does not
/// stand back, and an answer that waits for its processor waits for all of them.
const AT_ONCE: usize = 32;

/// The candidate's scores have this part of one processor at most: an eighth.
const PART: u64 = 8;

/// It makes up for so much time in which it had less, and for no more.
const SAVED_US: u64 = 400;

/// A shorter rest is put off: to go to sleep and to wake up takes longer.
const SHORTEST_REST_US: u64 = 100;

/// No rest is longer, however long a single score took: who ends the mirror waits for it.
const LONGEST_REST_US: u64 = 1_000_000;

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

/// What a candidate said of a request.
struct Said {
    /// The row by its own contract, where that is another than the champion's.
    again: Option<FeatureVector>,
    prediction: f64,
    latency_us: u32,
}

impl Scoring {
    fn score(&self, job: &ShadowJob) -> Result<Said, Missed> {
        // A candidate that panics is a candidate that gave no score.
        catch_unwind(AssertUnwindSafe(|| self.try_score(job))).ok().flatten().ok_or(Missed::Failed)
    }

    fn try_score(&self, job: &ShadowJob) -> Option<Said> {
        let started_us = self.clock.micros();
        let vector = job.candidate.read_again(&job.vector, &job.champion).ok()?;
        let score = job.candidate.score(&vector).ok()?;
        let latency_us = u32::try_from(self.clock.micros().saturating_sub(started_us)).unwrap_or(u32::MAX);
        let again = if let Cow::Owned(again) = vector { Some(again) } else { None };
        Some(Said { again, prediction: score.prediction, latency_us })
    }

    /// Remember what was said, or why nothing was.
    fn record(&self, job: &ShadowJob, said: Result<Said, Missed>) {
        if let Err(why) = said.and_then(|said| self.try_record(job, &said)) {
            self.counter.missed(job.at, &job.candidate, why);
        }
    }

    fn try_record(&self, job: &ShadowJob, said: &Said) -> Result<(), Missed> {
        let shadowed = Shadowed {
            request_id: job.request_id,
            at: job.at,
            vector: said.again.as_ref().unwrap_or(&job.vector),
            candidate: &job.candidate,
            prediction: said.prediction,
            latency_us: said.latency_us,
        };
        self.events.shadowed(&shadowed).map_err(|_| Missed::Failed)?;
        self.counter.shadowed(&shadowed);
        Ok(())
    }
}

/// How the thread that scores keeps out of the way of those who answer.
#[derive(Clone, Copy)]
pub struct Manners {
    /// Called in that thread before anything else, for it to run only where nobody else would.
    pub stand_back: fn(),
    /// So many microseconds has the calling thread had a processor.
    pub worked_us: fn() -> u64,
    /// Wait so long.
    pub rest: fn(Duration),
}

/// The part of a processor that a candidate has. Standing back is not enough: a processor that is never idle does not take over what
/// waits in line for another one.
#[derive(Default)]
struct Share {
    /// When, by the clock, what the candidate has had will have been its part.
    due_us: u64,
}

impl Share {
    /// How long it must rest after it has scored for so long.
    fn rest(&mut self, now_us: u64, scored_us: u64) -> Option<Duration> {
        self.due_us = self.due_us.max(now_us.saturating_sub(SAVED_US)) + scored_us * PART;
        let ahead_us = self.due_us.saturating_sub(now_us);
        (ahead_us >= SHORTEST_REST_US).then(|| Duration::from_micros(ahead_us.min(LONGEST_REST_US)))
    }
}

/// Scores in a thread that stands back and rests. Whoever stands back may be kept waiting at any moment and must then hold nothing that
/// those who answer wait for, not even a place in their queue: another thread takes the jobs from there, hands them over and remembers
/// the scores.
pub struct QueuedMirror {
    clock: Arc<dyn Clock>,
    jobs: Option<SyncSender<ShadowJob>>,
    /// When scoring ends, by the clock's microseconds.
    until_us: Arc<AtomicU64>,
    workers: Vec<JoinHandle<()>>,
}

impl QueuedMirror {
    /// Start the threads; the one that scores has manners. They end when the mirror is dropped, with what waits scored, or dropped if
    /// that would take long.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(scoring: Scoring, manners: Manners) -> io::Result<QueuedMirror> {
        let (jobs, offered) = sync_channel::<ShadowJob>(WAITING);
        let (handed, taken) = sync_channel::<Vec<ShadowJob>>(1);
        let (scored, told) = sync_channel::<Vec<(ShadowJob, Result<Said, Missed>)>>(1);
        let until_us = Arc::new(AtomicU64::new(u64::MAX));
        let (own, until) = (scoring.clone(), Arc::clone(&until_us));
        let score = move || {
            (manners.stand_back)();
            let mut share = Share::default();
            for jobs in taken {
                let said = |job: ShadowJob| {
                    if own.clock.micros() >= until.load(Ordering::Relaxed) {
                        return (job, Err(Missed::Dropped));
                    }
                    let before_us = (manners.worked_us)();
                    let said = own.score(&job);
                    let scored_us = (manners.worked_us)().saturating_sub(before_us);
                    if let Some(rest) = share.rest(own.clock.micros(), scored_us) {
                        (manners.rest)(rest);
                    }
                    (job, said)
                };
                if scored.send(jobs.into_iter().map(said).collect()).is_err() {
                    break;
                }
            }
        };
        let clock = Arc::clone(&scoring.clock);
        let record = move || {
            while let Ok(first) = offered.recv() {
                let jobs = iter::once(first).chain(offered.try_iter()).take(AT_ONCE).collect();
                let Some(said) = handed.send(jobs).ok().and_then(|()| told.recv().ok()) else { break };
                said.into_iter().for_each(|(job, said)| scoring.record(&job, said));
            }
        };
        let start = |name: &str| thread::Builder::new().name(name.to_owned());
        // Should the second thread not start, the first ends with its channel.
        let workers = vec![start("shadow").spawn(score)?, start("shadow-log").spawn(record)?];
        Ok(QueuedMirror { clock, jobs: Some(jobs), until_us, workers })
    }
}

impl Mirror for QueuedMirror {
    fn offer(&self, job: ShadowJob) -> Result<(), Missed> {
        let jobs = self.jobs.as_ref().ok_or(Missed::Dropped)?;
        jobs.try_send(job).map_err(|_| Missed::Dropped)
    }
}

impl Drop for QueuedMirror {
    fn drop(&mut self) {
        let until_us = self.clock.micros().saturating_add(ENDS_WITHIN_US);
        self.until_us.store(until_us, Ordering::Relaxed);
        self.jobs = None;
        for worker in self.workers.drain(..) {
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
    fn offer(&self, job: ShadowJob) -> Result<(), Missed> {
        let said = self.0.score(&job);
        self.0.record(&job, said);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
