//! What a process has served since it began, counted by one addition to an atomic number each; pure. Nothing waits, nothing is
//! allocated, and of a request nothing is kept but that it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

use super::predictor::{Answer, Predictor};
use super::seams::{
    Answered, Counter, Inferred, LabelSink, Labelled, Missed, Outcomes, Seen, Shadowed, SinkError, Truth,
};
use crate::contract::{Code, Task, Violation};
use crate::types::{ModelName, Timestamp};

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
    tallies: Vec<(ModelName, Arc<Tally>)>,
    /// For each model and for none of them, for each role, for each code from 100 to 599.
    requests: Box<[AtomicU64]>,
}

impl Meter {
    /// A meter of these models; the first is meant where a path names none.
    pub fn new(models: impl IntoIterator<Item = ModelName>) -> Meter {
        let tallies: Vec<_> = models.into_iter().map(|model| (model, Arc::new(Tally::default()))).collect();
        let cells = (tallies.len() + 1) * Role::ALL.len() * CODES;
        Meter { tallies, requests: zeros(cells) }
    }

    /// What is counted of each model's answers.
    pub fn tallies(&self) -> impl Iterator<Item = (&ModelName, &Arc<Tally>)> {
        self.tallies.iter().map(|(model, tally)| (model, tally))
    }

    /// What is counted of one model's answers.
    pub fn tally(&self, model: &ModelName) -> Option<&Arc<Tally>> {
        self.tallies().find(|(name, _)| *name == model).map(|(_, tally)| tally)
    }

    /// Every count of requests that is not 0: the model if it was about one, the role, the code, and how many.
    pub fn requests(&self) -> impl Iterator<Item = (Option<&ModelName>, Role, u16, u64)> {
        let counts = self.requests.iter().map(|count| count.load(Ordering::Relaxed)).enumerate();
        counts.filter(|(_, count)| *count > 0).filter_map(|(cell, count)| {
            let (place, code) = (cell / CODES, cell % CODES);
            let model = self.tallies.get(place / Role::ALL.len()).map(|(model, _)| model);
            let role = Role::ALL.get(place % Role::ALL.len())?;
            Some((model, *role, LEAST + u16::try_from(code).ok()?, count))
        })
    }

    /// Where a request for this path is counted.
    pub(crate) fn place(&self, path: &str) -> Place {
        if let Some((name, act)) = path.strip_prefix("/api/v1/models/").and_then(|below| below.split_once('/')) {
            return Place { model: self.named(name), role: Role::below(act) };
        }
        if let Some((name, act)) =
            path.strip_prefix("/v2/models/").map(|below| below.split_once('/').unwrap_or((below, "")))
        {
            let role = if act.ends_with("infer") { Role::Infer } else { Role::Operate };
            return Place { model: self.named(name), role };
        }
        match path.strip_prefix("/api/v1/").unwrap_or(path) {
            "predict" => Place { model: MEANT, role: Role::Predict },
            "predict/batch" => Place { model: MEANT, role: Role::Batch },
            "labels" => Place { model: MEANT, role: Role::Labels },
            "inferences" => Place { model: MEANT, role: Role::Inferences },
            "/invocations" => Place { model: MEANT, role: Role::Invocations },
            "/health" | "/livez" | "/readyz" | "/metrics" | "/openapi.json" | "/docs" | "/ping" | "/version"
            | "/v2" | "/v2/health/live" | "/v2/health/ready" => {
                Place { model: self.tallies.len(), role: Role::Operate }
            }
            other if other.starts_with("/docs/") => Place { model: self.tallies.len(), role: Role::Operate },
            _ => Place { model: self.tallies.len(), role: Role::Other },
        }
    }

    /// The place of a model; one more than there are if there is none of this name.
    fn named(&self, name: &str) -> usize {
        self.tallies.iter().position(|(model, _)| model.as_str() == name).unwrap_or(self.tallies.len())
    }

    pub(crate) fn count(&self, place: Place, code: StatusCode) {
        let code = usize::from(code.as_u16().saturating_sub(LEAST)).min(CODES - 1);
        let cell = (place.model * Role::ALL.len() + place.role as usize) * CODES + code;
        if let Some(count) = self.requests.get(cell) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn zeros(count: usize) -> Box<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

/// Values in bars whose edges are fixed.
#[derive(Debug)]
pub struct Bars {
    edges: &'static [f64],
    counts: Box<[AtomicU64]>,
    /// The bits of a float.
    sum: AtomicU64,
}

impl Bars {
    fn new(edges: &'static [f64]) -> Bars {
        Bars { edges, counts: zeros(edges.len() + 1), sum: AtomicU64::new(0) }
    }

    fn add(&self, value: f64) {
        let bar = self.edges.partition_point(|edge| *edge < value);
        if let Some(count) = self.counts.get(bar) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let more = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // It is never told not to.
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// The sum of all values.
    pub fn sum(&self) -> f64 {
        f64::from_bits(self.sum.load(Ordering::Relaxed))
    }

    /// Each bar's upper edge, which belongs to it, and how many values are in it; the last has no edge.
    pub fn bars(&self) -> Vec<(f64, u64)> {
        let edges = self.edges.iter().copied().chain([f64::INFINITY]);
        edges.zip(self.counts.iter().map(|count| count.load(Ordering::Relaxed))).collect()
    }
}

/// In seconds, from what a table look-up takes to what a caller gives up at.
const LATENCIES: &[f64] =
    &[0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];
/// Twentieths of a probability.
const PROBABILITIES: &[f64] =
    &[0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/// What is counted of one model's answers.
#[derive(Debug)]
pub struct Tally {
    latency: Bars,
    probability: Bars,
    /// Numbers have a unit of their own each, so they have no bars.
    number: Bars,
    violations: [AtomicU64; Code::ALL.len()],
    elsewhere: [AtomicU64; 2],
    shadow_latency: Bars,
    missed: [AtomicU64; Missed::ALL.len()],
    unrecorded: AtomicU64,
    labels: [AtomicU64; 6],
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            latency: Bars::new(LATENCIES),
            probability: Bars::new(PROBABILITIES),
            number: Bars::new(&[]),
            violations: Default::default(),
            elsewhere: Default::default(),
            shadow_latency: Bars::new(LATENCIES),
            missed: Default::default(),
            unrecorded: AtomicU64::new(0),
            labels: Default::default(),
        }
    }
}

/// Loads of a row of counts.
fn loaded<const N: usize>(counts: &[AtomicU64; N]) -> [u64; N] {
    std::array::from_fn(|place| counts.get(place).map_or(0, |count| count.load(Ordering::Relaxed)))
}

impl Tally {
    /// Seconds from the first byte of a request to its answer made, refused ones included.
    pub fn latency(&self) -> &Bars {
        &self.latency
    }

    /// What was answered to valid requests: probabilities, or numbers.
    pub fn scores(&self, task: Task) -> &Bars {
        match task {
            Task::Binary => &self.probability,
            Task::Regression => &self.number,
        }
    }

    /// How often each rule of the contract was broken.
    pub fn violations(&self) -> impl Iterator<Item = (Code, u64)> {
        Code::ALL.into_iter().zip(loaded(&self.violations))
    }

    /// Answers told of a model elsewhere: valid, and refused.
    pub fn elsewhere(&self) -> [(&'static str, u64); 2] {
        let [valid, invalid] = loaded(&self.elsewhere);
        [("valid", valid), ("invalid", invalid)]
    }

    /// Seconds that each score of a candidate took.
    pub fn shadow_latency(&self) -> &Bars {
        &self.shadow_latency
    }

    /// Requests that a candidate should have scored and did not.
    pub fn missed(&self) -> impl Iterator<Item = (Missed, u64)> {
        Missed::ALL.into_iter().zip(loaded(&self.missed))
    }

    /// Answers that were given although their events could not be written.
    pub fn unrecorded(&self) -> u64 {
        self.unrecorded.load(Ordering::Relaxed)
    }

    /// What became of labels.
    pub fn labels(&self) -> [(&'static str, u64); 6] {
        let [new, duplicate, conflicting, unknown, early, overdue] = loaded(&self.labels);
        [
            ("new", new),
            ("duplicate", duplicate),
            ("conflicting", conflicting),
            ("unknown", unknown),
            ("early", early),
            ("overdue", overdue),
        ]
    }

    fn refused(&self, violations: &[Violation]) {
        for violation in violations {
            if let Some(count) = self.violations.get(violation.code as usize) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn labelled(&self, outcomes: &Outcomes) {
        let Outcomes { new, duplicate, conflicting, unknown, early, overdue } = *outcomes;
        for (count, more) in self.labels.iter().zip([new, duplicate, conflicting, unknown, early, overdue]) {
            count.fetch_add(more, Ordering::Relaxed);
        }
    }
}

/// Counts for [`Tally`] what goes on to where it was counted and remembered before.
pub struct Metered {
    tally: Arc<Tally>,
    counter: Arc<dyn Counter>,
    labels: Arc<dyn LabelSink>,
}

impl Metered {
    /// In front of these.
    pub fn new(tally: Arc<Tally>, counter: Arc<dyn Counter>, labels: Arc<dyn LabelSink>) -> Metered {
        Metered { tally, counter, labels }
    }
}

fn seconds(micros: u32) -> f64 {
    f64::from(micros) / 1e6
}

impl Counter for Metered {
    fn answered(&self, answered: &Answered<'_>) {
        self.tally.latency.add(seconds(answered.latency_us));
        match answered.answer {
            Answer::Scored { score, .. } => {
                self.tally.scores(answered.serving.champion.contract().task()).add(score.prediction);
            }
            Answer::Refused(refusal) => self.tally.refused(&refusal.violations),
        }
        self.counter.answered(answered);
    }

    fn shadowed(&self, shadowed: &Shadowed<'_>) {
        self.tally.shadow_latency.add(seconds(shadowed.latency_us));
        self.counter.shadowed(shadowed);
    }

    fn inferred(&self, inferred: &Inferred<'_>) {
        let [valid, invalid] = &self.tally.elsewhere;
        let count = match inferred.seen {
            Seen::Valid { prediction, .. } => {
                self.tally.scores(inferred.reference.contract().task()).add(*prediction);
                valid
            }
            Seen::Refused(refusal) => {
                self.tally.refused(&refusal.violations);
                invalid
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.counter.inferred(inferred);
    }

    fn unrecorded(&self, at: Timestamp) {
        self.tally.unrecorded.fetch_add(1, Ordering::Relaxed);
        self.counter.unrecorded(at);
    }

    fn missed(&self, at: Timestamp, candidate: &Predictor, why: Missed) {
        if let Some(count) = self.tally.missed.get(why as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.counter.missed(at, candidate, why);
    }
}

impl LabelSink for Metered {
    fn labelled(&self, model: &ModelName, truths: &[Truth], at: Timestamp) -> Result<Labelled, SinkError> {
        let labelled = self.labels.labelled(model, truths, at)?;
        self.tally.labelled(&labelled.outcomes);
        Ok(labelled)
    }
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

    #[test]
    fn an_edge_belongs_to_the_bar_below_it() {
        let bars = Bars::new(&[1.0, 2.0]);
        [0.5, 1.0, 1.5, 2.0, 7.0].into_iter().for_each(|value| bars.add(value));
        assert_eq!(bars.bars(), [(1.0, 2), (2.0, 2), (f64::INFINITY, 1)]);
        assert_eq!(bars.sum(), 12.0);
    }
}
