//! The door of `regent serve`, guarded and metered as there, with an answer that is always the same: what is left is the limit that a model,
//! its contract and its log are measured against (`make bench-serve`). `cargo run --release --example fixed_answer -- 127.0.0.1:8081`
#![expect(clippy::disallowed_methods, reason = "a door of its own")]

use std::error::Error;
use std::future::pending;
use std::sync::Arc;

use axum::body::Bytes;
use http::header::CONTENT_TYPE;
use regent::serve::{Access, Guard, Hosts, HttpDoor, Limits, Meter, Ring, Routes, Scope, SystemClock, guarded};

/// As long as an answer of the door that has a model.
const ANSWER: &str = r#"{"request_id":"019aa5c1-8f6e-7000-8000-000000000001","model":"fixed","model_version":"1.0.0","probability":0.123456789012345}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8081".to_owned());
    // The body is read to its end, as every door must.
    let answer = async |_: Bytes| ([(CONTENT_TYPE, "application/json")], ANSWER);
    let (limits, meter) = (Limits::DEFAULTS, Arc::new(Meter::new(["fixed".parse()?])));
    let guard = Guard::new(Arc::new(SystemClock::new()), Ring::of([], []), Hosts::this_machine([]), &limits);
    let door = HttpDoor::bind(address.parse()?, limits, guard.callers())?.metered(&meter);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let front =
        || guarded(Routes::new().post("/api/v1/predict", Access::Needs(Scope::Predict), answer), &guard, &meter);
    runtime.block_on(door.serve(front, pending()))?;
    Ok(())
}
