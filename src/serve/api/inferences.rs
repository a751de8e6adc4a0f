//! `POST /api/v1/inferences`: what a model elsewhere has answered, one or a list; pure but for what is wired to it. Each answer
//! is taken or refused by itself, and told so.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Request;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::contract::Violation;
use crate::serve::inference::{Inference, inference};
use crate::serve::models::Wired;
use crate::serve::problem::Problem;
use crate::serve::request::{InferencesRequest, ToldInference};
use crate::serve::seams::{Acknowledged, Inferred, Seen, Truth, Watched, Wiring};
use crate::types::{ModelName, Timestamp, Version};

/// The body of an answer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "InferencesTaken")]
pub(crate) struct Taken {
    model: ModelName,
    model_version: Version,
    /// How many had which outcome.
    taken: BTreeMap<Outcome, u64>,
    /// What became of each, in the order of the request.
    outcomes: Vec<Told>,
}

/// What became of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "InferenceOutcome")]
enum Outcome {
    /// It is recorded, and its features are counted.
    New,
    /// It is recorded and joins its label; its window is sealed, so no window counts its features.
    Late,
    /// Its request is known: nothing was recorded again.
    Repeated,
    /// The contract refuses it: recorded and counted as that.
    Invalid,
    /// It has no id or no instant to be recorded under: nothing was.
    Refused,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "InferenceTaken")]
struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Uuid>,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Violation>,
}

pub(super) async fn inferences(Wired(wiring): Wired, request: Request) -> Result<Json<Taken>, Problem> {
    let body = super::body(request).await?;
    let watched = match (wiring.champion.watched(), wiring.champion.current().as_ref()) {
        (Some(watched), _) => watched,
        (None, Some(_)) => return Err(Problem::served_here()),
        (None, None) => return Err(Problem::no_champion()),
    };
    let sent = InferencesRequest::read(&body).map_err(|malformed| Problem::malformed(malformed.to_string()))?.0;
    let now = wiring.clock.now();
    let (mut outcomes, mut written) = (Vec::with_capacity(sent.len()), Vec::new());
    for one in &sent {
        outcomes.push(take(&wiring, &watched, one, now, &mut written)?);
    }
    // What was acknowledged is on disk (P14).
    try_join_all(written).await.map_err(|_| Problem::unrecorded())?;
    let mut taken = BTreeMap::new();
    outcomes.iter().for_each(|told| *taken.entry(told.outcome).or_default() += 1);
    let reference = &watched.reference;
    Ok(Json(Taken { model: reference.name().clone(), model_version: reference.version(), taken, outcomes }))
}

fn take(
    wiring: &Wiring,
    watched: &Watched,
    told: &ToldInference<'_>,
    now: Timestamp,
    written: &mut Vec<Acknowledged>,
) -> Result<Told, Problem> {
    let reference = &watched.reference;
    let Inference { request_id, at, seen, label } = match inference(reference.contract(), told.sent(), now) {
        Ok(inference) => inference,
        Err(errors) => return Ok(Told { request_id: told.request_id, outcome: Outcome::Refused, errors }),
    };
    let inferred = Inferred { request_id, at, seen: &seen, reference };
    let recorded = wiring.events.inferred(&inferred, now).map_err(|_| Problem::unrecorded())?;
    let outcome = match (&recorded, &seen) {
        (None, _) => Outcome::Repeated,
        (Some(_), _) if at < watched.sealed_until => Outcome::Late,
        (Some(_), Seen::Valid { .. }) => Outcome::New,
        (Some(_), Seen::Refused(_)) => Outcome::Invalid,
    };
    if matches!(outcome, Outcome::New | Outcome::Invalid) {
        wiring.counter.inferred(&inferred);
    }
    written.extend(recorded);
    if let Some(label) = label {
        let truths = [Truth { request_id, label }];
        let labelled = wiring.labels.labelled(reference.name(), &truths, now).map_err(|_| Problem::unrecorded())?;
        written.push(labelled.on_disk);
    }
    let errors = match seen {
        Seen::Valid { .. } => Vec::new(),
        Seen::Refused(refusal) => refusal.violations,
    };
    Ok(Told { request_id: Some(request_id), outcome, errors })
}
