//! The API told to programs and shown to people: OpenAPI 3.1 from the table of routes, the types of the answers and the contracts of
//! the models, so that it says what the server does. A route that nobody described fails a test.

mod api;
mod document;
mod operations;
mod problems;
mod requests;
mod viewer;

#[cfg(test)]
mod tests;

use crate::contract::Contract;
use crate::types::{ModelName, Version};

pub use api::{Subjects, routes, rows, unwired};
pub use document::document;

/// A model that is served, and what it asks of its callers.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The model.
    pub model: ModelName,
    /// The contract of its champion; none before there is one.
    pub contract: Option<Contract>,
    /// The version of the champion; none before there is one.
    pub version: Option<Version>,
}
