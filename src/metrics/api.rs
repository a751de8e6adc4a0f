//! `GET /metrics`: everything that is told at one scrape; pure but for what is wired to it. What the journal says is read by the desk
//! that answers the reading routes, so nothing that predicts waits for it; if it cannot be read, the rest is told all the same.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderValue};

use super::exposition::expose;
use super::families::{Seen, Served};
use crate::console::Desk;
use crate::log::Recorder;
use crate::serve::{Access, Champion, Clock, Meter, Problem, Routes, Scope};
use crate::types::ModelName;

/// What a scrape looks at.
pub struct Scrape {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What was served.
    pub meter: Arc<Meter>,
    /// What is not sealed yet.
    pub recorder: Arc<Recorder>,
    /// Who reads the journals.
    pub desk: Arc<Desk>,
    /// Every model, and who knows its champion.
    pub models: Vec<(ModelName, Arc<dyn Champion>)>,
}

/// The route, to be merged with the others.
pub fn routes(scrape: Scrape) -> Routes {
    unwired().wired(Arc::new(scrape))
}

/// The same before there is anything to scrape: a table of what needs which key.
pub fn unwired() -> Routes<Arc<Scrape>> {
    // It names models and versions, and how much is asked of them.
    Routes::new().get("/metrics", Access::Needs(Scope::Read), scrape)
}

async fn scrape(State(scrape): State<Arc<Scrape>>) -> Result<Response, Problem> {
    let mut served = Vec::with_capacity(scrape.models.len());
    for (model, champion) in &scrape.models {
        served.push(look(&scrape, model, champion.as_ref()).await);
    }
    let (backlog, now) = (scrape.recorder.backlog(), scrape.clock.now());
    let seen = Seen { meter: &scrape.meter, served: &served, backlog, now };
    let text = expose(seen.families()).map_err(|_| Problem::unreadable())?;
    let mut response = text.into_response();
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

async fn look(scrape: &Scrape, model: &ModelName, champion: &dyn Champion) -> Served {
    let (current, watched) = (champion.current(), champion.watched());
    let here = current.as_ref().map(|serving| (serving.champion.version(), serving.champion.contract().task()));
    let elsewhere = || watched.map(|watched| (watched.reference.version(), watched.reference.contract().task()));
    Served {
        model: model.clone(),
        champion: here.or_else(elsewhere),
        candidate: current.as_ref().and_then(|serving| Some(serving.candidate.as_ref()?.version())),
        gauges: scrape.desk.gauges(model.clone()).await,
    }
}
