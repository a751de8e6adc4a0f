//! Regent: machine learning that knows when not to change.

// ── ground floor: words and tools, no stage ──
pub mod types;

pub mod stats;

pub mod scoring;

pub mod store;

pub mod yaml;

// ── a model is born ──
pub mod ingest;

pub mod contract;

pub mod train;

pub mod registry;

// ── a model works ──
pub mod serve;

pub mod log;

pub mod snapshot;

// ── a model is watched ──
pub mod drift;

pub mod performance;

pub mod policy;

pub mod evaluate;

pub mod shadow;

// ── a model is governed ──
pub mod govern;

pub mod promote;

// ── windows onto the house ──
pub mod alert;

pub mod audit;

pub mod console;

pub mod metrics;

pub mod openapi;

pub mod backtest;

pub mod config;
