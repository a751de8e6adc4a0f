//! The small door: tiny_http and no runtime, for this machine only; a door. The routes are the same tower service.

#![expect(clippy::disallowed_methods, reason = "a door: it listens")]

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use futures::executor::block_on;
use http::{Request, Version};
use tower::ServiceExt;

use super::ServeError;
use super::api::Answering;
use super::http::peer;
use super::limits::Bodies;
use super::problem::Problem;

/// Enough for this machine's own callers; a request takes microseconds.
const WORKERS: usize = 4;

/// A small server that runs until it is stopped.
pub struct TinyDoor {
    server: Arc<tiny_http::Server>,
    address: SocketAddr,
    workers: Vec<JoinHandle<()>>,
}

impl TinyDoor {
    /// Bind a loopback address and serve; port 0 takes a free one.
    ///
    /// # Errors
    /// The address is not a loopback one, or cannot be had; no thread can be started.
    pub fn open(address: SocketAddr, service: impl Answering, bodies: Bodies) -> Result<TinyDoor, ServeError> {
        if !address.ip().is_loopback() {
            let reason =
                "tiny_http 0.12 aborts the process on a huge Content-Length, so this door is for this machine only";
            return Err(ServeError::NotLoopback { address: address.to_string(), reason });
        }
        let failed = |source| ServeError::Bind { address: address.to_string(), source };
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let server = tiny_http::Server::from_listener(listener, None);
        let server = Arc::new(server.map_err(|error| failed(std::io::Error::other(error)))?);
        let mut door = TinyDoor { server, address: bound, workers: Vec::new() };
        for _ in 0..WORKERS {
            let (server, service) = (Arc::clone(&door.server), service.clone());
            let work = move || {
                while let Ok(request) = server.recv() {
                    answer(&service, bodies.largest(), request);
                }
            };
            let worker = thread::Builder::new().name("tiny door".to_owned()).spawn(work);
            door.workers.push(worker.map_err(ServeError::Thread)?);
        }
        Ok(door)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answer what is under way and end.
    pub fn stop(mut self) {
        self.unblock();
        for worker in self.workers.drain(..) {
            // A worker only ends by returning: panics of handlers are caught by the routes.
            let _ = worker.join();
        }
    }

    fn unblock(&self) {
        self.workers.iter().for_each(|_| self.server.unblock());
    }
}

impl Drop for TinyDoor {
    fn drop(&mut self) {
        self.unblock();
    }
}

fn answer(service: &impl Answering, most: usize, mut asked: tiny_http::Request) {
    let response = match read(&mut asked, most) {
        Ok(request) => block_on(service.clone().oneshot(request)).into_response(),
        Err(problem) => problem.into_response(),
    };
    // A client that has gone away does not get its answer; nobody is left to be told.
    let _ = asked.respond(written(response));
}

fn read(asked: &mut tiny_http::Request, most: usize) -> Result<Request<Body>, Problem> {
    if asked.body_length().is_some_and(|length| length > most) {
        return Err(Problem::too_large(most));
    }
    let mut body = Vec::new();
    let limit = (most as u64).saturating_add(1);
    let read = asked.as_reader().take(limit).read_to_end(&mut body);
    read.map_err(|_| Problem::malformed("the body ended early"))?;
    let mut request = Request::builder().method(asked.method().as_str()).uri(asked.url());
    if *asked.http_version() < (1, 1) {
        request = request.version(Version::HTTP_10);
    }
    if let Some(from) = asked.remote_addr() {
        request = request.extension(peer(from.ip()));
    }
    for header in asked.headers() {
        request = request.header(header.field.as_str().as_str(), header.value.as_str());
    }
    request.body(Body::from(body)).map_err(|_| Problem::malformed("the head of the request is not HTTP"))
}

fn written(response: Response) -> tiny_http::Response<std::io::Cursor<Vec<u8>>> {
    let (head, body) = response.into_parts();
    let bytes = block_on(to_bytes(body, usize::MAX)).unwrap_or_default();
    let mut written = tiny_http::Response::from_data(bytes.to_vec()).with_status_code(head.status.as_u16());
    for (name, value) in &head.headers {
        if let Ok(header) = tiny_http::Header::from_bytes(name.as_str(), value.as_bytes()) {
            written.add_header(header);
        }
    }
    written
}
