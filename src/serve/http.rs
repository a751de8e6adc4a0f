//! The default door: HTTP/1.1 by hyper with limits on headers, bodies, time, connections and requests; a door. Refuses
//! addresses that others can reach while nobody is asked for a key.
#![expect(clippy::disallowed_methods, reason = "a door: it reads the machine's clock")]

mod hands;
mod patient;

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::BoxError;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures::future::join_all;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::hands::Hands;
use self::patient::{Pace, Patient, Prompt, Serving, within};
use super::ServeError;
use super::api::Answering;
use super::guard::{Callers, Peer, Standing};
use super::limits::Limits;
use super::meter::Meter;
use super::problem::Problem;
use super::seams::Clock;
use crate::types::Timestamp;

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose microseconds begin now.
    #[expect(clippy::new_without_default, reason = "a default that reads the clock would hide that it does")]
    pub fn new() -> Self {
        SystemClock { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(unix.as_micros()).unwrap_or(i64::MAX))
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// A bound address that does not serve yet.
pub struct HttpDoor {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
    /// Counts those who are told to come back before any route sees them.
    meter: Arc<Meter>,
}

impl HttpDoor {
    /// Bind an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Others can reach the address and nobody is asked for a key; it cannot be had.
    pub fn bind(address: SocketAddr, limits: Limits, callers: Callers) -> Result<HttpDoor, ServeError> {
        if !address.ip().is_loopback() && callers == Callers::Unknown {
            let reason = "there is no key, so only this machine may call: make one with `regent keys create NAME --scope \
                          predict`, or listen on 127.0.0.1";
            return Err(ServeError::NotLoopback { address: address.to_string(), reason });
        }
        let failed = |source| ServeError::Bind { address: address.to_string(), source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        // More may knock at once than the library's own 128; whom the system turns away tries again a second later.
        SockRef::from(&listener).listen(KNOCKING).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let limits = Limits { connections: room_for(limits.connections), ..limits };
        Ok(HttpDoor { listener, address, limits, meter: Arc::new(Meter::new([])) })
    }

    /// With a meter that counts those, too, whom no route sees.
    #[must_use]
    pub fn metered(self, meter: &Arc<Meter>) -> HttpDoor {
        HttpDoor { meter: Arc::clone(meter), ..self }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serve until `shutdown`, then answer what is under way and return. Whoever knocks is heard on the
    /// runtime that this is called in, which needs time and network; connections and answers have threads of their own, and each of
    /// these a service.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub async fn serve<S: Answering>(
        self,
        mut service: impl FnMut() -> S,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let failed = |source| ServeError::Bind { address: self.address.to_string(), source };
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(failed)?;
        let limits = self.limits;
        let (connections, requests) =
            (Arc::new(Semaphore::new(limits.connections)), Arc::new(Semaphore::new(limits.requests)));
        let room = |aside: &Handle| {
            let (requests, meter) = (Arc::clone(&requests), Arc::clone(&self.meter));
            let admission = Arc::new(Admission { requests, limits, meter, aside: aside.clone() });
            Room { service: service(), admission, drain: GracefulShutdown::new() }
        };
        let mut hands = Hands::start(room).map_err(failed)?;
        let mut shutdown = pin!(shutdown);
        loop {
            let next = async {
                let place = Arc::clone(&connections).acquire_owned().await.ok();
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                () = &mut shutdown => break,
                next = next => next,
            };
            let Ok((stream, from)) = accepted.and_then(|(stream, from)| Ok((stream.into_std()?, from))) else {
                // Out of descriptors, or the client left: neither is a reason to stop, the first one to breathe.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            hands.take(|Room { service, admission, drain }| {
                let conversation = converse(service.clone(), stream, from.ip(), Arc::clone(admission), drain.watcher());
                async move {
                    // A connection that breaks is its client's affair.
                    let _ = conversation.await;
                    drop(place);
                }
            });
        }
        drop(listener);
        let drained = hands.own().map(|room| std::mem::take(&mut room.drain).shutdown());
        let _ = tokio::time::timeout(limits.drain, join_all(drained)).await;
        Ok(())
    }
}

/// What a connection may hold of requests and answers under way; a thousand slow ones are then some tens of megabytes.
const BUFFER: usize = 64 * 1024;

/// Connections that wait to be accepted; the system's own limit may be lower.
const KNOCKING: i32 = 4_096;

/// Files that are open besides connections and the threads that answer: the spool, the runtime, the store that a reading route
/// looks into.
const OWN_FILES: usize = 40;

/// So many connections, or fewer if the system lends fewer files; the limit that a shell has set is raised as far as it may be.
fn room_for(connections: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let files = if raised.is_ok() { maximum } else { current };
    let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    connections.min(files.saturating_sub(OWN_FILES + hands::files()).max(1))
}

/// The address as buckets know it.
pub(super) fn peer(address: IpAddr) -> Peer {
    match address.to_canonical() {
        IpAddr::V4(address) => Peer(u64::from(address.to_bits())),
        // Networks that may be reached begin with other bits than zeros, so none is taken for an address of the other kind.
        IpAddr::V6(address) => Peer((address.to_bits() >> 64) as u64),
    }
}

/// Answer the requests of one connection until it ends or is told to.
async fn converse(
    service: impl Answering,
    stream: std::net::TcpStream,
    from: IpAddr,
    admission: Arc<Admission>,
    drain: Watcher,
) -> Result<(), BoxError> {
    let (limits, pace) = (admission.limits, Arc::new(Pace::default()));
    let stream = Patient::new(TcpStream::from_std(stream)?, limits, Arc::clone(&pace));
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Standing::at(peer(from)));
        Arc::clone(&admission).answer(service.clone(), pace.serve(), request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The stream is patient as long as it may be, and knows a silent connection from a head that trickles.
        .header_read_timeout(None)
        .max_headers(limits.headers)
        .max_header_size(limits.head_bytes)
        .max_buf_size(BUFFER.max(2 * limits.head_bytes))
        .serve_connection(TokioIo::new(stream), answer);
    Ok(drain.watch(connection).await?)
}

/// What the connections of one thread share, and no other thread counts its references to: cores that count in the same place wait for
/// each other.
struct Room<S> {
    service: S,
    admission: Arc<Admission>,
    drain: GracefulShutdown,
}

/// What decides whether a request is let in, and where its answer is made.
struct Admission {
    requests: Arc<Semaphore>,
    limits: Limits,
    meter: Arc<Meter>,
    /// Where answers are made that would keep all others of their thread waiting.
    aside: Handle,
}

impl Admission {
    /// One request: let in or told to come back, and never longer than the limit.
    async fn answer(
        self: Arc<Self>,
        mut service: impl Answering,
        _serving: Serving,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let Admission { requests, limits, meter, aside } = &*self;
        let place = meter.place(request.uri().path());
        let refuse = |problem: Problem| {
            let response = problem.into_response();
            meter.count(place, response.status());
            Ok(response)
        };
        let Ok(_place) = requests.try_acquire() else {
            return refuse(Problem::overloaded());
        };
        let request = request.map(|body| Body::new(Prompt::new(body, limits.body)));
        let answer = service.call(request);
        let answered = if place.role.is_short() {
            within(limits.request, answer).await
        } else {
            // Whoever stops waiting stops the answer.
            let mut answers = JoinSet::new();
            answers.spawn_on(answer, aside);
            within(limits.request, answers.join_next()).await.map(|answered| match answered {
                Some(Ok(answered)) => answered,
                Some(Err(_)) | None => Ok(Problem::internal().into_response()),
            })
        };
        answered.unwrap_or_else(|| refuse(Problem::too_slow()))
    }
}
