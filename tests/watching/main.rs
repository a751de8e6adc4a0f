//! Quiet when nothing changed, loud in time when something did: windows are drawn from worlds whose truth is known, held against
//! a profile by the very functions that watch a model, and counted.
//!
//! `make test-watching` draws 2,000 windows of every size and prints the tables; `make test` draws a small part of them.

#![cfg(test)] // clippy then takes helpers for what they are: tests, which may unwrap

mod nulls;
mod power;
mod unseen;
mod worlds;

/// A debug build draws what a gate has time for.
const SMALL: bool = cfg!(debug_assertions);
const WINDOWS: u64 = if SMALL { 60 } else { 2_000 };

fn percent(share: f64) -> String {
    format!("{:.2}%", 100.0 * share)
}
