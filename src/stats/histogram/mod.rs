//! Bins frozen from a reference, counts in them, and groups of them; pure. Counts add up, in any order.

mod edges;
mod frozen;
mod grouping;

/// Durations counted in bins that are the same everywhere.
pub mod latency;

pub use edges::{Edges, quantile};
pub(super) use edges::{quantile_of, quantile_of_sorted};
pub use frozen::Frozen;
pub use grouping::Grouping;
