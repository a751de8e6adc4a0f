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

/// All of them, each with what is its own, until they are dropped; what they were doing ends with them.
pub(super) struct Hands<T> {
    each: Vec<(Hand, T)>,
    _aside: Hand,
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

/// The files that are open as long as they are there.
pub(super) fn files() -> usize {
    (cores() + 1) * FILES
}

impl<T> Hands<T> {
    /// One for each core, with what is made for it, and as many aside, where answers are made that take long.
    pub(super) fn start(mut own: impl FnMut(&Handle) -> T) -> io::Result<Hands<T>> {
        let aside = Hand::start(Builder::new_multi_thread())?;
        let hand = |_| Ok((Hand::start(Builder::new_current_thread())?, own(&aside.runtime)));
        let each = (0..cores()).map(hand).collect::<io::Result<_>>()?;
        Ok(Hands { each, _aside: aside })
    }

    /// Give a connection to the one that has the fewest.
    pub(super) fn take<F: Future<Output = ()> + Send + 'static>(&self, connection: impl FnOnce(&T) -> F) {
        if let Some((hand, own)) = self.each.iter().min_by_key(|(hand, _)| Arc::strong_count(&hand.held)) {
            let (held, connection) = (Arc::clone(&hand.held), connection(own));
            hand.runtime.spawn(async move {
                connection.await;
                drop(held);
            });
        }
    }

    /// What each has for its own.
    pub(super) fn own(&mut self) -> impl Iterator<Item = &mut T> {
        self.each.iter_mut().map(|(_, own)| own)
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
