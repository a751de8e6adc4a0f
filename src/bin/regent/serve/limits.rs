//! The limits of a door, as they are typed; a door. What is left out has the library's default, and `--help` says which.

use std::time::Duration;

use clap::Args;
use regent::serve::{Bodies, Limits};
use regent::types::Span;

use crate::edge::Failure;

const DEFAULTS: Limits = Limits::DEFAULTS;

/// How much one caller, and all of them, may ask.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArguments {
    /// Bytes of a body
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULTS.bodies.bytes)]
    max_body: usize,
    /// Bytes of the body of a batch
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULTS.bodies.batch_bytes)]
    max_batch: usize,
    /// Levels of lists and objects in a body
    #[arg(long, value_name = "N", default_value_t = DEFAULTS.bodies.depth)]
    max_depth: usize,
    /// Bytes of a head: request line and headers
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULTS.head_bytes)]
    max_head: usize,
    /// Headers of a request
    #[arg(long, value_name = "N", default_value_t = DEFAULTS.headers)]
    max_headers: usize,
    /// Connections at a time; fewer if the limit of open files leaves fewer
    #[arg(long, value_name = "N", default_value_t = DEFAULTS.connections)]
    max_connections: usize,
    /// Requests at a time; the next is told to come back (503)
    #[arg(long, value_name = "N", default_value_t = DEFAULTS.requests)]
    max_requests: usize,
    /// How long a head may take
    #[arg(long, value_name = "SPAN", default_value_t = span(DEFAULTS.head))]
    head_within: Span,
    /// How long a body may take
    #[arg(long, value_name = "SPAN", default_value_t = span(DEFAULTS.body))]
    body_within: Span,
    /// How long a whole request may take, and how long a client may then take for its answer
    #[arg(long, value_name = "SPAN", default_value_t = span(DEFAULTS.request))]
    request_within: Span,
    /// How long a kept connection may be silent
    #[arg(long, value_name = "SPAN", default_value_t = span(DEFAULTS.idle))]
    idle_within: Span,
    /// Requests a second of one key; the next is told to come back (429); 0 is any number
    #[arg(long, value_name = "N", default_value_t = DEFAULTS.per_key)]
    rate_per_key: u32,
    /// Requests a second of one address, or of one /64 of IPv6; 0 is any number
    #[arg(long, value_name = "N", default_value_t = DEFAULTS.per_address)]
    rate_per_address: u32,
}

impl LimitArguments {
    /// The limits that were typed.
    ///
    /// # Errors
    /// One of them would let nobody in.
    pub fn limits(&self) -> Result<Limits, Failure> {
        let within = |name: &str, span: Span| match u64::try_from(span.micros()) {
            Ok(micros) if micros > 0 => Ok(Duration::from_micros(micros)),
            Ok(_) | Err(_) => Err(Failure::usage(format!("--{name} must be longer than nothing"))),
        };
        let some = |name: &str, count: usize| match count {
            0 => Err(Failure::usage(format!("--{name} must be more than 0: nobody would get in"))),
            count => Ok(count),
        };
        Ok(Limits {
            bodies: Bodies {
                bytes: some("max-body", self.max_body)?,
                batch_bytes: some("max-batch", self.max_batch)?,
                depth: some("max-depth", self.max_depth)?,
            },
            head_bytes: some("max-head", self.max_head)?,
            headers: some("max-headers", self.max_headers)?,
            connections: some("max-connections", self.max_connections)?,
            requests: some("max-requests", self.max_requests)?,
            head: within("head-within", self.head_within)?,
            body: within("body-within", self.body_within)?,
            request: within("request-within", self.request_within)?,
            idle: within("idle-within", self.idle_within)?,
            per_key: self.rate_per_key,
            per_address: self.rate_per_address,
            drain: DEFAULTS.drain,
        })
    }
}

fn span(duration: Duration) -> Span {
    Span::from_micros(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}
