//! How long a connection is waited for: a stream and a body that end themselves; a door, for time is what it is about. A timer is
//! set only while somebody is waited for.
#![expect(clippy::disallowed_methods, reason = "a door: it reads the machine's clock")]

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::serve::limits::{Late, Limits};

/// What the stream of a connection has to know of its requests.
#[derive(Debug, Default)]
pub(super) struct Pace {
    serving: AtomicBool,
    begun: AtomicU64,
}

/// A request is being served, until this is dropped.
pub(super) struct Serving(Arc<Pace>);

impl Pace {
    pub(super) fn serve(self: &Arc<Pace>) -> Serving {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.serving.store(true, Ordering::Relaxed);
        Serving(Arc::clone(self))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.serving.store(false, Ordering::Relaxed);
    }
}

/// How long something is waited for, from the first time that it was not there. Most of what is waited for is there: no clock is read
/// for that, and no timer set.
#[derive(Default)]
struct Deadline {
    wait: Duration,
    at: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    fn after(wait: Duration) -> Deadline {
        Deadline { wait, ..Deadline::default() }
    }

    /// Wait for something else from now on.
    fn begin(&mut self, wait: Duration) {
        self.wait = wait;
        self.at = None;
    }

    /// Ready once it has passed.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let at = *self.at.get_or_insert_with(|| Instant::now() + self.wait);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if alarm.deadline() > at {
            alarm.as_mut().reset(at);
        }
        loop {
            ready!(alarm.as_mut().poll(context));
            if alarm.deadline() >= at {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(at);
        }
    }
}

/// What this future comes to, unless it is waited for longer than this.
pub(super) async fn within<F: Future>(wait: Duration, future: F) -> Option<F::Output> {
    let (mut future, mut late) = (pin!(future), Deadline::after(wait));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => late.poll(context).map(|()| None),
    })
    .await
}

/// What a connection is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// The first byte of a request.
    Request,
    /// The rest of its head.
    Head,
}

/// A stream that ends with an error when its client is waited for too long.
pub(super) struct Patient {
    stream: TcpStream,
    limits: Limits,
    pace: Arc<Pace>,
    /// How many requests had begun when `awaited` was last decided.
    begun: u64,
    awaited: Awaited,
    reading: Deadline,
    writing: Deadline,
    /// How many requests had begun when `writing` was set.
    answering: u64,
}

impl Patient {
    /// A stream whose first request is awaited from now on, no longer than a head may take.
    pub(super) fn new(stream: TcpStream, limits: Limits, pace: Arc<Pace>) -> Patient {
        let reading = Deadline::after(limits.head);
        let (awaited, writing) = (Awaited::Request, Deadline::after(limits.request));
        Patient { stream, limits, pace, begun: 0, awaited, reading, writing, answering: 0 }
    }

    /// Whether a request has begun since this was last asked: then the next one is awaited anew.
    fn has_moved_on(&mut self) -> bool {
        let begun = self.pace.begun.load(Ordering::Relaxed);
        let moved = begun != self.begun;
        self.begun = begun;
        moved
    }

    /// An answer has its time as a whole: whoever takes a few bytes of it now and then has taken nothing yet.
    fn written<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            return outcome;
        }
        let begun = self.pace.begun.load(Ordering::Relaxed);
        if begun != self.answering {
            self.answering = begun;
            let request = self.limits.request;
            self.writing.begin(request);
        }
        self.writing.poll(context).map(|()| Err(ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        // While a request is being served, its body and the whole of it have their own times.
        if self.pace.serving.load(Ordering::Relaxed) {
            return outcome;
        }
        let moved_on = self.has_moved_on();
        if outcome.is_ready() {
            if moved_on || self.awaited == Awaited::Request {
                self.awaited = Awaited::Head;
                let head = self.limits.head;
                self.reading.begin(head);
            }
            return outcome;
        }
        if moved_on {
            self.awaited = Awaited::Request;
            let idle = self.limits.idle;
            self.reading.begin(idle);
        }
        self.reading.poll(context).map(|()| Err(ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.written(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A body that ends with [`Late`] when its rest is waited for too long.
pub(super) struct Prompt {
    body: Incoming,
    late: Deadline,
}

impl Prompt {
    /// A body that is awaited from now on.
    pub(super) fn new(body: Incoming, wait: Duration) -> Prompt {
        Prompt { body, late: Deadline::after(wait) }
    }
}

impl Body for Prompt {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => Poll::Ready(frame.map(|frame| frame.map_err(Into::into))),
            Poll::Pending => self.late.poll(context).map(|()| Some(Err(Late.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
