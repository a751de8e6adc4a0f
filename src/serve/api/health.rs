//! `/livez`, `/readyz` and `/health`: whether the process runs, whether it can answer, and who answers; pure.

use axum::Json;
use schemars::JsonSchema;
use serde::Serialize;

use crate::serve::models::Wired;
use crate::serve::problem::Problem;
use crate::types::{ModelName, Version};

/// The body of `/health`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    /// `serving`, `watching` a champion that answers elsewhere, or `waiting` for a first one.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<ModelName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_version: Option<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow_version: Option<Version>,
    /// Why the candidate does not shadow, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    unshadowed: Option<String>,
}

pub(super) async fn health(Wired(wiring): Wired) -> Json<Health> {
    let serving = wiring.champion.current();
    if let Some(watched) = wiring.champion.watched() {
        return Json(Health {
            status: "watching",
            model: Some(watched.reference.name().clone()),
            model_version: Some(watched.reference.version()),
            shadow_version: None,
            unshadowed: None,
        });
    }
    let champion = serving.as_ref().map(|serving| &serving.champion);
    let candidate = serving.as_ref().and_then(|serving| serving.candidate.as_ref());
    Json(Health {
        status: if champion.is_some() { "serving" } else { "waiting" },
        model: champion.map(|champion| champion.name().clone()),
        model_version: champion.map(|champion| champion.version()),
        shadow_version: candidate.map(|candidate| candidate.version()),
        unshadowed: serving.as_ref().and_then(|serving| serving.why_apart()),
    })
}

pub(super) async fn livez() -> &'static str {
    "ok\n"
}

pub(super) async fn readyz(Wired(wiring): Wired) -> Result<&'static str, Problem> {
    wiring.reference(|_| "ok\n")
}
