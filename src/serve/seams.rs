//! What serving needs from elsewhere, as small traits that a binary wires; pure.

use std::sync::Arc;

use arc_swap::Guard;
use futures::future::{BoxFuture, Either, Ready, ready};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::predictor::{Answer, Predictor};
use super::problem::Problem;
use crate::contract::{FeatureVector, Refusal};
use crate::registry::Reference;
use crate::types::{ModelName, Timestamp, TraceParent};

/// The time, as a door or a backtest has it.
pub trait Clock: Send + Sync {
    /// The instant.
    fn now(&self) -> Timestamp;
    /// Microseconds since any fixed point; never goes back. Latencies are differences of it.
    fn micros(&self) -> u64;
}

/// Who serves, and who shadows.
#[derive(Clone)]
pub struct Serving {
    /// The champion.
    pub champion: Arc<Predictor>,
    /// The candidate that shadows, if there is one that can be shown what the champion answers.
    pub candidate: Option<Arc<Predictor>>,
    /// A candidate that cannot: its contract has another major version, so no request can be put to both.
    pub apart: Option<Arc<Predictor>>,
}

impl Serving {
    /// Why the candidate does not shadow, in a sentence; nothing if it does, or if there is none.
    pub fn why_apart(&self) -> Option<String> {
        let (apart, serves) = (self.apart.as_ref()?, &self.champion);
        Some(format!(
            "{} does not shadow: its contract {} is another major version than {} of {}, so no request can be put to both",
            apart.version(),
            apart.contract().version(),
            serves.contract().version(),
            serves.version()
        ))
    }
}

/// A champion that answers elsewhere, and what it is watched by.
pub struct Watched {
    /// The version.
    pub reference: Reference,
    /// Every window that ended by then is sealed, or began before the model was watched: what is told of it is late.
    pub sealed_until: Timestamp,
}

/// Who serves at a moment, held without being counted: a request looks at it and lets it go.
pub type Current = Guard<Option<Arc<Serving>>>;

/// Knows who is champion.
pub trait Champion: Send + Sync {
    /// Who serves now; nothing until there is a first champion, and while it answers elsewhere.
    fn current(&self) -> Current;

    /// Who answers elsewhere; nothing while somebody serves here.
    fn watched(&self) -> Option<Arc<Watched>> {
        None
    }
}

/// Why something could not be recorded; reads after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record: {reason}")]
pub struct SinkError {
    /// In words, without any value of a request.
    pub reason: String,
}

/// Done when what was recorded is as safe as its durability says.
pub type Acknowledged = Either<Ready<Result<(), SinkError>>, BoxFuture<'static, Result<(), SinkError>>>;

/// Nothing is waited for.
pub fn acknowledged() -> Acknowledged {
    Either::Left(ready(Ok(())))
}

/// An event was taken.
pub struct Recorded {
    /// The instant it is recorded under: the event's own, or the start of the segment if that is later.
    pub at: Timestamp,
    /// To be awaited before the answer is sent.
    pub on_disk: Acknowledged,
}

/// One answer, valid or not.
#[derive(Clone, Copy)]
pub struct Answered<'a> {
    /// The request.
    pub request_id: Uuid,
    /// When it was answered; from the counter on, the instant it is recorded under.
    pub at: Timestamp,
    /// What was answered.
    pub answer: &'a Answer,
    /// From the first byte read to the answer made.
    pub latency_us: u32,
    /// By whom.
    pub serving: &'a Serving,
    /// The trace that the caller said the request belongs to.
    pub trace: Option<TraceParent>,
}

/// What a candidate said of a request.
#[derive(Clone, Copy)]
pub struct Shadowed<'a> {
    /// The request.
    pub request_id: Uuid,
    /// The instant the request is recorded under.
    pub at: Timestamp,
    /// What was scored.
    pub vector: &'a FeatureVector,
    /// By whom.
    pub candidate: &'a Predictor,
    /// What it would have answered.
    pub prediction: f64,
    /// How long the scoring took.
    pub latency_us: u32,
}

/// What a model elsewhere said of one request, or why the contract refuses that request.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// The contract admits its features.
    Valid {
        /// The admitted features.
        vector: FeatureVector,
        /// What the model said; finite.
        prediction: f64,
    },
    /// The contract, or the task, refuses it.
    Refused(Refusal),
}

/// One answer of a model elsewhere.
#[derive(Clone, Copy)]
pub struct Inferred<'a> {
    /// The request.
    pub request_id: Uuid,
    /// When it was answered there; it is recorded under this very instant, however long past.
    pub at: Timestamp,
    /// What was said.
    pub seen: &'a Seen,
    /// By whom.
    pub reference: &'a Reference,
}

/// Remembers requests.
pub trait EventSink: Send + Sync {
    /// Remember one answer, valid or not.
    ///
    /// # Errors
    /// It cannot be written; the request must then not be answered with a prediction.
    fn answered(&self, answered: &Answered<'_>) -> Result<Recorded, SinkError>;

    /// Remember what the candidate said of a request.
    ///
    /// # Errors
    /// It cannot be written, or the request's segment is already sealed.
    fn shadowed(&self, shadowed: &Shadowed<'_>) -> Result<(), SinkError>;

    /// Remember an answer of a model elsewhere, to be awaited before its sender is told; nothing if the request is known
    /// already, and then nothing is remembered: whoever tells it again counts once.
    ///
    /// # Errors
    /// It cannot be written.
    fn inferred(&self, inferred: &Inferred<'_>, now: Timestamp) -> Result<Option<Acknowledged>, SinkError>;
}

/// Counts features, predictions and latencies; never keeps a row.
pub trait Counter: Send + Sync {
    /// Count an answer under the champion; a refused one also under a candidate of the same contract, which will not see it
    /// otherwise. (Under another contract nobody knows what would have become of it.)
    fn answered(&self, answered: &Answered<'_>);
    /// Count a shadow score under the candidate.
    fn shadowed(&self, shadowed: &Shadowed<'_>);
    /// Count an answer of a model elsewhere. Nobody measured how long it took.
    fn inferred(&self, inferred: &Inferred<'_>);
    /// Count a request that was answered although its event could not be written.
    fn unrecorded(&self, at: Timestamp);
    /// Count a request that the candidate should have scored and did not.
    fn missed(&self, at: Timestamp, candidate: &Predictor, why: Missed);
}

/// Why a candidate has not scored a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// Too many waited already.
    Dropped,
    /// It refused the row, gave no finite number, or broke; or its score could not be recorded.
    Failed,
}

impl Missed {
    /// Every reason, in order.
    pub const ALL: [Missed; 2] = [Missed::Dropped, Missed::Failed];

    /// As it stands in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Missed::Dropped => "dropped",
            Missed::Failed => "failed",
        }
    }
}

/// A request for the candidate, made after the champion's answer.
pub struct ShadowJob {
    /// The request.
    pub request_id: Uuid,
    /// The instant it is recorded under.
    pub at: Timestamp,
    /// The features as the champion's contract has admitted them.
    pub vector: FeatureVector,
    /// Whose vector it is.
    pub champion: Arc<Predictor>,
    /// Who shall score them.
    pub candidate: Arc<Predictor>,
}

/// Scores candidates on live traffic (P9).
pub trait Mirror: Send + Sync {
    /// Take a job, and count what becomes of it; never waits.
    ///
    /// # Errors
    /// It is not taken, and whoever offered it counts that.
    fn offer(&self, job: ShadowJob) -> Result<(), Missed>;
}

/// A mirror for servers without shadows.
pub struct NoMirror;

impl Mirror for NoMirror {
    fn offer(&self, _: ShadowJob) -> Result<(), Missed> {
        Ok(())
    }
}

/// What became of labels that were sent: each is one of these. All but duplicates and early ones are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outcomes {
    /// The first label of a request that is known: joined.
    pub new: u64,
    /// It says what the label before it says: a retry.
    pub duplicate: u64,
    /// It contradicts the label before it: both are kept, and `performance.conflicting` says which one counts.
    pub conflicting: u64,
    /// No such request is known here: kept, and joined should the request turn up.
    pub unknown: u64,
    /// Known more than five minutes before its request was answered: not used, because what is known before the question is not
    /// what became of the answer.
    pub early: u64,
    /// Of a request that is so old that its window is judged no more: kept, and not judged.
    pub overdue: u64,
}

/// Labels were taken.
pub struct Labelled {
    /// What became of them.
    pub outcomes: Outcomes,
    /// To be awaited before the sender is told.
    pub on_disk: Acknowledged,
}

/// What came true of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// The request.
    pub request_id: Uuid,
    /// 1 or 0 for a binary task, else the number.
    pub label: f64,
}

/// Remembers labels.
pub trait LabelSink: Send + Sync {
    /// Remember labels that arrive `at` this instant.
    ///
    /// # Errors
    /// They cannot be written.
    fn labelled(&self, model: &ModelName, truths: &[Truth], at: Timestamp) -> Result<Labelled, SinkError>;
}

impl Wiring {
    /// Why nobody answers here.
    pub(super) fn nobody(&self) -> Problem {
        match self.champion.watched() {
            Some(_) => Problem::served_elsewhere(),
            None => Problem::no_champion(),
        }
    }

    /// The champion, wherever it answers.
    pub(super) fn reference<T>(&self, look: impl FnOnce(&Reference) -> T) -> Result<T, Problem> {
        match (self.champion.current().as_deref(), self.champion.watched()) {
            (Some(serving), _) => Ok(look(serving.champion.model())),
            (None, Some(watched)) => Ok(look(&watched.reference)),
            (None, None) => Err(Problem::no_champion()),
        }
    }
}

/// Everything the routes need.
#[derive(Clone)]
pub struct Wiring {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who serves.
    pub champion: Arc<dyn Champion>,
    /// Where events go.
    pub events: Arc<dyn EventSink>,
    /// Where counts go.
    pub counter: Arc<dyn Counter>,
    /// Where labels go.
    pub labels: Arc<dyn LabelSink>,
    /// Where candidates score.
    pub mirror: Arc<dyn Mirror>,
}
