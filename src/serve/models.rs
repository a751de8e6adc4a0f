//! The models of one server, by name, and the one that is meant where a path names none; pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use super::problem::Problem;
use super::seams::Wiring;
use crate::types::ModelName;

/// Everything the routes need, for each model. There is always one that is meant where none is named.
#[derive(Clone)]
pub struct Models {
    meant: Arc<Wiring>,
    named: BTreeMap<ModelName, Arc<Wiring>>,
}

impl Models {
    /// A server of one model, which is the one that is meant where none is named.
    pub fn new(meant: ModelName, wiring: Wiring) -> Models {
        let wiring = Arc::new(wiring);
        Models { meant: Arc::clone(&wiring), named: BTreeMap::from([(meant, wiring)]) }
    }

    /// With one more, which is answered for where it is named.
    #[must_use]
    pub fn and(mut self, model: ModelName, wiring: Wiring) -> Models {
        self.named.entry(model).or_insert_with(|| Arc::new(wiring));
        self
    }

    /// The model that is meant where none is named.
    pub(super) fn meant(&self) -> &Arc<Wiring> {
        &self.meant
    }

    /// The model of this name.
    fn named(&self, name: &str) -> Result<&Arc<Wiring>, Problem> {
        self.named.get(name).ok_or_else(Problem::model_not_here)
    }
}

/// The model that a path speaks of: the one in the place of `{model}`, or the one that is meant where there is no such place.
pub(super) struct Wired(pub(super) Arc<Wiring>);

impl FromRequestParts<Arc<Models>> for Wired {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, models: &Arc<Models>) -> Result<Self, Problem> {
        let places = RawPathParams::from_request_parts(parts, models).await.map_err(|_| Problem::model_not_here())?;
        let model = match places.iter().find(|(place, _)| *place == "model") {
            Some((_, name)) => models.named(name)?,
            None => models.meant(),
        };
        Ok(Wired(Arc::clone(model)))
    }
}
