//! Requests of a process since it began, by model, role and code, each counted by one addition to an atomic number; pure. Nothing waits
//! and nothing is allocated.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;

use super::tally::{Tally, zeros};
use crate::types::ModelName;

/// What a request was for, as its path tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// One row.
    Predict,
    /// Many rows.
    Batch,
    /// Rows in MLflow's words.
    Invocations,
    /// Tensors of the Open Inference Protocol.
    Infer,
    /// What came true.
    Labels,
    /// What a model elsewhere has answered.
    Inferences,
    /// What is known of a model.
    Read,
    /// How the server is.
    Operate,
    /// What is not there.
    Other,
}

impl Role {
    /// Every role, in order.
    pub const ALL: [Role; 9] = [
        Role::Predict,
        Role::Batch,
        Role::Invocations,
        Role::Infer,
        Role::Labels,
        Role::Inferences,
        Role::Read,
        Role::Operate,
        Role::Other,
    ];

    /// As it stands in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Predict => "predict",
            Role::Batch => "batch",
            Role::Invocations => "invocations",
            Role::Infer => "infer",
            Role::Labels => "labels",
            Role::Inferences => "inferences",
            Role::Read => "read",
            Role::Operate => "operate",
            Role::Other => "other",
        }
    }

    /// Whether an answer takes no longer than one row does.
    pub(super) fn is_short(self) -> bool {
        match self {
            Role::Predict | Role::Operate | Role::Other => true,
            Role::Batch | Role::Invocations | Role::Infer | Role::Labels | Role::Inferences | Role::Read => false,
        }
    }

    /// What is asked below the place of a model.
    fn below(act: &str) -> Role {
        match act {
            "predict" => Role::Predict,
            "predict/batch" => Role::Batch,
            "invocations" => Role::Invocations,
            "labels" => Role::Labels,
            "inferences" => Role::Inferences,
            "health" => Role::Operate,
            _ => Role::Read,
        }
    }
}

/// Where a request is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which of the models; one more than there are for none of them.
    model: usize,
    pub(crate) role: Role,
}

/// The model that is meant where a path names none.
const MEANT: usize = 0;

const LEAST: u16 = 100;
const CODES: usize = 500;

/// Counts requests by model, role and code.
pub struct Meter {
    models: Vec<(ModelName, Mutex<Vec<Arc<Tally>>>)>,
    /// For each model and for none of them, for each role, for each code from 100 to 599.
    requests: Box<[AtomicU64]>,
}

impl Meter {
    /// A meter of these models; the first is meant where a path names none.
    pub fn new(models: impl IntoIterator<Item = ModelName>) -> Meter {
        let models: Vec<_> = models.into_iter().map(|model| (model, Mutex::default())).collect();
        let cells = (models.len() + 1) * Role::ALL.len() * CODES;
        Meter { models, requests: zeros(cells) }
    }

    /// What has been counted of each model's answers.
    pub fn tallies(&self) -> impl Iterator<Item = (&ModelName, Tally)> {
        self.models.iter().map(|(model, tallies)| (model, Tally::sum(held(tallies).iter().map(Arc::as_ref))))
    }

    /// Where one more thread counts a model's answers; nothing if there is no such model.
    pub fn tally(&self, model: &ModelName) -> Option<Arc<Tally>> {
        let (_, tallies) = self.models.iter().find(|(name, _)| name == model)?;
        let tally = Arc::<Tally>::default();
        held(tallies).push(Arc::clone(&tally));
        Some(tally)
    }

    /// Every count of requests that is not 0: the model if it was about one, the role, the code, and how many.
    pub fn requests(&self) -> impl Iterator<Item = (Option<&ModelName>, Role, u16, u64)> {
        let counts = self.requests.iter().map(|count| count.load(Ordering::Relaxed)).enumerate();
        counts.filter(|(_, count)| *count > 0).filter_map(|(cell, count)| {
            let (place, code) = (cell / CODES, cell % CODES);
            let model = self.models.get(place / Role::ALL.len()).map(|(model, _)| model);
            let role = Role::ALL.get(place % Role::ALL.len())?;
            Some((model, *role, LEAST + u16::try_from(code).ok()?, count))
        })
    }

    /// Where a request for this path is counted.
    pub(crate) fn place(&self, path: &str) -> Place {
        if let Some((name, act)) = path.strip_prefix("/api/v1/models/").and_then(|below| below.split_once('/')) {
            return Place { model: self.named(name), role: Role::below(act) };
        }
        if let Some(below) = path.strip_prefix("/v2/models/") {
            let (name, act) = below.split_once('/').unwrap_or((below, ""));
            let role = if act.ends_with("infer") { Role::Infer } else { Role::Operate };
            return Place { model: self.named(name), role };
        }
        let nobody = self.models.len();
        let (model, role) = match path {
            "/api/v1/predict" => (MEANT, Role::Predict),
            "/api/v1/predict/batch" => (MEANT, Role::Batch),
            "/api/v1/labels" => (MEANT, Role::Labels),
            "/api/v1/inferences" => (MEANT, Role::Inferences),
            "/invocations" => (MEANT, Role::Invocations),
            "/health" | "/livez" | "/readyz" | "/metrics" | "/openapi.json" | "/docs" | "/ping" | "/version"
            | "/v2" | "/v2/health/live" | "/v2/health/ready" => (nobody, Role::Operate),
            file if file.starts_with("/docs/") => (nobody, Role::Operate),
            _ => (nobody, Role::Other),
        };
        Place { model, role }
    }

    /// The place of a model; one more than there are if there is none of this name.
    fn named(&self, name: &str) -> usize {
        self.models.iter().position(|(model, _)| model.as_str() == name).unwrap_or(self.models.len())
    }

    pub(crate) fn count(&self, place: Place, code: StatusCode) {
        let code = usize::from(code.as_u16().saturating_sub(LEAST)).min(CODES - 1);
        let cell = (place.model * Role::ALL.len() + place.role as usize) * CODES + code;
        if let Some(count) = self.requests.get(cell) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A list is whole at every moment, whoever panicked.
fn held<T>(list: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> Meter {
        Meter::new(["rain", "snow"].map(|name| name.parse().unwrap()))
    }

    #[test]
    fn a_request_is_counted_by_what_its_path_says() {
        let meter = meter();
        for (path, code) in [
            ("/api/v1/predict", StatusCode::OK),
            ("/api/v1/predict", StatusCode::OK),
            ("/api/v1/models/rain/predict", StatusCode::OK),
            ("/api/v1/models/snow/predict/batch", StatusCode::UNPROCESSABLE_ENTITY),
            ("/api/v1/models/hail/predict", StatusCode::NOT_FOUND),
            ("/api/v1/models/snow/state", StatusCode::OK),
            ("/v2/models/snow/versions/1.0.0/infer", StatusCode::OK),
            ("/invocations", StatusCode::OK),
            ("/livez", StatusCode::OK),
            ("/api/v1/nothing", StatusCode::NOT_FOUND),
            ("/", StatusCode::UNAUTHORIZED),
        ] {
            meter.count(meter.place(path), code);
        }
        let said = |(model, role, code, count): (Option<&ModelName>, Role, u16, u64)| {
            format!("{} {} {code} {count}", model.map_or("-", ModelName::as_str), role.as_str())
        };
        let expected = [
            "rain predict 200 3",
            "rain invocations 200 1",
            "snow batch 422 1",
            "snow infer 200 1",
            "snow read 200 1",
            "- predict 404 1",
            "- operate 200 1",
            "- other 401 1",
            "- other 404 1",
        ];
        assert_eq!(meter.requests().map(said).collect::<Vec<_>>(), expected);
    }
}
