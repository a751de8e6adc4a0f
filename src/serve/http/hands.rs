//! The threads that answer; a door. Each has connections of its own, and a runtime of its own: a connection stays where it was given to,
//! so that what is known of it stays in the caches of one core and nobody else is asked about it. What would keep all connections of a
//! thread waiting is done aside, on threads that have none.

use std::future::Future;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// All of them, until they are dropped; what they were doing ends with them.
pub(super) struct Hands {
    each: Vec<Hand>,
    aside: Hand,
}

/// A runtime on threads that end with it.
struct Hand {
    runtime: Handle,
    /// Shared with each of its connections.
    held: Arc<()>,
    /// Dropped to tell the thread to end.
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A runtime's own files: what it waits with, what wakes it, and what tells it of signals.
const FILES: usize = 4;

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

impl Hands {
    /// The files that are open as long as they are there.
    pub(super) fn files() -> usize {
        (cores() + 1) * FILES
    }

    /// One for each core, and as many aside.
    pub(super) fn start() -> io::Result<Hands> {
        let each = (0..cores()).map(|_| Hand::start(Builder::new_current_thread())).collect::<io::Result<_>>()?;
        Ok(Hands { each, aside: Hand::start(Builder::new_multi_thread())? })
    }

    /// Give a connection to the one that has the fewest.
    pub(super) fn take(&self, connection: impl Future<Output = ()> + Send + 'static) {
        if let Some(hand) = self.each.iter().min_by_key(|hand| Arc::strong_count(&hand.held)) {
            let held = Arc::clone(&hand.held);
            hand.runtime.spawn(async move {
                connection.await;
                drop(held);
            });
        }
    }

    /// Where answers are made that take long.
    pub(super) fn aside(&self) -> Handle {
        self.aside.runtime.clone()
    }
}

impl Hand {
    fn start(mut runtime: Builder) -> io::Result<Hand> {
        let runtime = runtime.enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        // It ends by being dropped, so nothing is ever received.
        let work = move || drop(runtime.block_on(ended));
        let thread = thread::Builder::new().name("answers".to_owned()).spawn(work)?;
        Ok(Hand { runtime: handle, held: Arc::default(), end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
