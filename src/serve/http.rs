//! The default door: HTTP/1.1 by hyper with limits on headers, bodies, time, connections and requests; a door. Refuses
//! addresses that others can reach.
#![expect(clippy::disallowed_methods, reason = "a door: it reads the machine's clock")]

use std::convert::Infallible;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::ServeError;
use super::problem::Problem;
use super::seams::Clock;
use crate::types::Timestamp;

/// How much one client, and all of them, may ask of the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long the head of a request may take, and how long a kept connection may be silent.
    pub head: Duration,
    /// How long a whole request may take.
    pub request: Duration,
    /// Connections at a time; further ones wait to be accepted.
    pub connections: usize,
    /// Requests at a time; further ones get a 503 at once.
    pub requests: usize,
    /// How long a shutdown waits for requests that are being served.
    pub drain: Duration,
}

impl Limits {
    /// - `head` 10 s: a phone on a bad line sends its head in less; a slow-loris holds a connection no longer.
    /// - `request` 10 s: an answer takes microseconds, so only a body that trickles is cut.
    /// - `connections` 1,024: below the usual limit of open files.
    /// - `requests` 256: what waits behind so many is better told to come back.
    /// - `drain` 10 s: less than the 30 s after which Kubernetes kills.
    pub const DEFAULTS: Limits = Limits {
        head: Duration::from_secs(10),
        request: Duration::from_secs(10),
        connections: 1_024,
        requests: 256,
        drain: Duration::from_secs(10),
    };
}

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
}

impl HttpDoor {
    /// Bind an address; port 0 takes a free one.
    ///
    /// # Errors
    /// The address is not a loopback one, or cannot be had.
    pub fn bind(address: SocketAddr, limits: Limits) -> Result<HttpDoor, ServeError> {
        if !address.ip().is_loopback() {
            let reason = "callers are not asked for keys yet, so only this machine may call: use 127.0.0.1 or a proxy";
            return Err(ServeError::NotLoopback { address: address.to_string(), reason });
        }
        let failed = |source| ServeError::Bind { address: address.to_string(), source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(HttpDoor { listener, address, limits })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serve until `shutdown`, then answer what is under way and return. Needs a tokio runtime with time and network.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub async fn serve(self, router: Router, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let failed = |source| ServeError::Bind { address: self.address.to_string(), source };
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(failed)?;
        let limits = self.limits;
        let connections = Arc::new(Semaphore::new(limits.connections));
        let requests = Arc::new(Semaphore::new(limits.requests));
        let drain = GracefulShutdown::new();
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
            let Ok((stream, _)) = accepted else {
                // Out of descriptors, or the client left: neither is a reason to stop, the first one to breathe.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (router, requests) = (router.clone(), Arc::clone(&requests));
            let service = service_fn(move |request| admit(router.clone(), Arc::clone(&requests), limits, request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head)
                .serve_connection(TokioIo::new(stream), service);
            let connection = drain.watch(connection);
            tokio::spawn(async move {
                // A connection that breaks is its client's affair.
                let _ = connection.await;
                drop(place);
            });
        }
        drop(listener);
        let _ = tokio::time::timeout(limits.drain, drain.shutdown()).await;
        Ok(())
    }
}

/// One request: let in or told to come back, and never longer than the limit.
async fn admit(
    router: Router,
    requests: Arc<Semaphore>,
    limits: Limits,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let Ok(_place) = requests.try_acquire() else {
        return Ok(Problem::overloaded().into_response());
    };
    match tokio::time::timeout(limits.request, router.oneshot(request.map(Body::new))).await {
        Ok(answered) => answered,
        Err(_) => Ok(Problem::too_slow().into_response()),
    }
}
