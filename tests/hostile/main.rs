//! What strangers send: raw bytes and crowds of connections against each door, and after each the server is looked at: it lives, it
//! answers, it holds nothing back. `make test-hostile` runs all of it against a release build and prints a table.
//!
//! The times that are looked at are promises of behaviour, not claims of speed. A build for tests on a machine that does other
//! things is slow, so each has a stated grace (`server::SLOW`).
#![cfg(test)] // clippy then takes helpers for what they are: tests, which may unwrap
#![expect(clippy::disallowed_methods, reason = "tests talk to programs from outside")]

mod cases;
mod house;
#[expect(dead_code, reason = "strangers cannot tell a server to end; who looks at what it keeps does")]
mod server;
mod table;

mod alone;
mod crowds;
