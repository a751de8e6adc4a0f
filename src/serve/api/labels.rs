//! `POST /api/v1/labels`: what came true, one label or a list; pure but for what is wired to it. All are taken or none.

use axum::Json;
use axum::extract::Request;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::{Contract, Violation};
use crate::serve::models::Wired;
use crate::serve::predictor::truth;
use crate::serve::problem::Problem;
use crate::serve::request::LabelsRequest;
use crate::serve::seams::{Outcomes, Truth};

/// The body of an answer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LabelsTaken")]
pub(crate) struct Taken {
    outcomes: Outcomes,
}

pub(super) async fn labels(Wired(wiring): Wired, request: Request) -> Result<Json<Taken>, Problem> {
    let body = super::body(request).await?;
    let (model, labels) =
        wiring.reference(|champion| (champion.name().clone(), checked(&body, champion.contract())))?;
    let labelled = wiring.labels.labelled(&model, &labels?, wiring.clock.now()).map_err(|_| Problem::unrecorded())?;
    labelled.on_disk.await.map_err(|_| Problem::unrecorded())?;
    Ok(Json(Taken { outcomes: labelled.outcomes }))
}

fn checked(body: &[u8], contract: &Contract) -> Result<Vec<Truth>, Problem> {
    let LabelsRequest(sent) =
        LabelsRequest::read(body).map_err(|malformed| Problem::malformed(malformed.to_string()))?;
    let (mut truths, mut violations) = (Vec::with_capacity(sent.len()), Vec::new());
    for (index, (request_id, field)) in sent.iter().enumerate() {
        match truth(contract, field.given()) {
            Ok(label) => truths.push(Truth { request_id: *request_id, label }),
            Err(violation) => {
                let feature = format!("labels[{index}].label");
                violations.push(Violation { feature, ..violation });
            }
        }
    }
    if violations.is_empty() { Ok(truths) } else { Err(Problem::labels(violations)) }
}
