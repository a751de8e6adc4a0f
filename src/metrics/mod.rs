//! What Prometheus scrapes: `GET /metrics` in OpenMetrics text, from the meter of the process, its spool, and what the journal says.
//! docs/metrics.md lists every name; a test holds the two together.

mod api;
mod exposition;
mod families;

#[cfg(test)]
mod tests;

pub use api::{Scrape, routes, unwired};
