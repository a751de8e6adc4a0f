//! Group commit: while one fsync runs, lines gather for the next; a door, of the spool's files only.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use futures::channel::oneshot;

use crate::log::LogError;
use crate::serve::{Acknowledged, SinkError};
use crate::store::Durability;

/// What is to be on disk, and whom to tell.
struct Pending {
    file: Arc<File>,
    broken: Arc<AtomicBool>,
    done: oneshot::Sender<Result<(), SinkError>>,
}

/// Tells those who wait when their lines are on disk.
pub(super) struct Committer {
    /// Nothing when events are batched: they are acknowledged as soon as the system has them.
    pending: Option<Sender<Pending>>,
    worker: Option<JoinHandle<()>>,
}

impl Committer {
    pub(super) fn start(durability: Durability) -> Result<Committer, LogError> {
        match durability {
            Durability::Batched => Ok(Committer { pending: None, worker: None }),
            Durability::Durable => {
                let (pending, waiting) = channel();
                let worker = thread::Builder::new().name("spool".to_owned()).spawn(move || commit(&waiting));
                Ok(Committer { pending: Some(pending), worker: Some(worker.map_err(LogError::Thread)?) })
            }
        }
    }

    pub(super) fn durability(&self) -> Durability {
        if self.pending.is_some() { Durability::Durable } else { Durability::Batched }
    }

    pub(super) fn acknowledge(&self, written: Option<(Arc<File>, Arc<AtomicBool>)>) -> Acknowledged {
        let (Some(pending), Some((file, broken))) = (&self.pending, written) else {
            return Box::pin(std::future::ready(Ok(())));
        };
        let (done, told) = oneshot::channel();
        // Should the thread be gone, `done` goes with it and the one who waits is told.
        let _ = pending.send(Pending { file, broken, done });
        Box::pin(async { told.await.unwrap_or_else(|_| Err(lost("the spool is closed"))) })
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.pending = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

fn lost(reason: &str) -> SinkError {
    SinkError { reason: reason.to_owned() }
}

fn commit(waiting: &Receiver<Pending>) {
    while let Ok(first) = waiting.recv() {
        let batch: Vec<Pending> = [first].into_iter().chain(waiting.try_iter()).collect();
        let mut synced: Option<(&Arc<File>, Result<(), SinkError>)> = None;
        let mut outcomes = Vec::with_capacity(batch.len());
        for one in &batch {
            let outcome = match &synced {
                Some((file, outcome)) if Arc::ptr_eq(file, &one.file) => outcome.clone(),
                Some(_) | None => one.file.sync_data().map_err(|error| lost(&error.to_string())),
            };
            // A failed fsync is final: nothing may be appended after what may not be there.
            if outcome.is_err() {
                one.broken.store(true, Ordering::Relaxed);
            }
            synced = Some((&one.file, outcome.clone()));
            outcomes.push(outcome);
        }
        for (one, outcome) in batch.into_iter().zip(outcomes) {
            // Who does not wait any more need not be told.
            let _ = one.done.send(outcome);
        }
    }
}
