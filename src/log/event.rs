//! One event per request and one label per outcome; pure. Features are never in either.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::contract::Code;
use crate::types::{ModelName, Span, Timestamp, TraceParent, Version};

/// What is remembered of one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// When it was answered.
    pub ts: Timestamp,
    /// The client's id of the request, or the one that was issued.
    pub request_id: Uuid,
    /// The model asked.
    pub model: ModelName,
    /// The version that answered.
    pub model_version: Version,
    /// The answer: a probability or a number; nothing if the request was invalid.
    pub prediction: Option<f64>,
    /// From the first byte read to the answer made; 0 for a model elsewhere, whose answers nobody timed.
    pub latency_us: u32,
    /// Whether it was answered with a prediction.
    pub status: Status,
    /// The distinct codes of the violations, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// What a candidate said of the same vector, after the answer was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowScore>,
    /// The values of the contract's declared slices, and of nothing else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slices: BTreeMap<String, String>,
    /// The trace that the caller said the request belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
}

/// Whether a request was answered with a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Answered with a prediction.
    Valid,
    /// Refused with its violations.
    Invalid,
}

impl Status {
    /// As it stands in logs and parts.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Valid => "valid",
            Status::Invalid => "invalid",
        }
    }
}

/// A candidate's score of one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowScore {
    /// The candidate.
    pub version: Version,
    /// What it would have answered.
    pub prediction: f64,
    /// How long the scoring took.
    pub latency_us: u32,
}

/// What came true of one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// The request it speaks of.
    pub request_id: Uuid,
    /// 1 or 0 for a binary task, else the number.
    pub label: f64,
    /// When the label became known: when it arrived, or what its file says.
    pub at: Timestamp,
}

impl Label {
    /// By so much the clocks of two machines may differ: what Kerberos allows them, and far more than NTP leaves.
    pub const CLOCKS: Span = Span::from_mins(5);

    /// Whether it was known before its request was answered, beyond what clocks explain: what is known before the question is
    /// not what became of the answer.
    pub fn is_early(&self, answered: Timestamp) -> bool {
        self.at + Label::CLOCKS < answered
    }

    /// Whether it says the same, to the bit.
    pub fn agrees(&self, other: &Label) -> bool {
        self.label.total_cmp(&other.label).is_eq()
    }
}
