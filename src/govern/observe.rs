//! What was seen at one tick: the evidence a decision rests on; pure. It is recorded whole, so that decisions replay.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::drift::DriftReport;
use crate::evaluate::{Evaluation, Watch};
use crate::performance::{Baseline, EstimateReport, LabelIntake, PerformanceReport};
use crate::shadow::ShadowReport;
use crate::snapshot::Window;
use crate::train::{Path, Plan};
use crate::types::{Digest, ModelName, Timestamp, Verdict, Version};

/// Everything that was seen of one model at one tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// Windows judged since the last entry, oldest first.
    pub judged: Vec<Judged>,
    /// The champion's drift in the last windows that it served, oldest first.
    pub drift: Vec<DriftReport>,
    /// The champion's performance in the last windows that it served, newest revision of each, oldest first.
    pub performance: Vec<PerformanceReport>,
    /// What the scores of the champion's last windows foretell, oldest first: people are told, and nothing is decided on it.
    pub estimated: Vec<EstimateReport>,
    /// What came of the labels that arrived in the newest judged window; shown, and decides nothing.
    pub labels: Option<LabelIntake>,
    /// The candidate's drift against its own profile in the windows since its training, oldest first.
    pub candidate_drift: Vec<DriftReport>,
    /// The candidate head to head, once it has a bundle.
    pub evaluation: Option<Evaluation>,
    /// The candidate on live traffic, once it shadows.
    pub shadow: Option<ShadowReport>,
    /// The champion beside its predecessor on the newest labelled rows, as long as it is watched.
    pub watch: Option<Watch>,
    /// Every bundle that a step may need, verified just now.
    pub bundles: Vec<Bundle>,
    /// The labelled rows there are.
    pub data: Data,
    /// What the next training would be, if there are labelled rows and a contract; the governor fills in nothing else.
    pub next: Option<Plan>,
}

/// A judged window and when it was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// The window.
    pub window: Window,
    /// The digest of its snapshot.
    pub snapshot: Digest,
    /// When it was sealed.
    pub sealed_at: Timestamp,
}

/// A bundle as it lies in the registry now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bundle {
    /// The version.
    pub version: Version,
    /// The digest of its manifest; none if there is no bundle.
    pub digest: Option<Digest>,
    /// `Pass` if every file is what the manifest says and the self-test agrees.
    pub verdict: Verdict,
    /// What is wrong with it, or what is to be said of it though it passes.
    pub note: String,
    /// What it would be held against if it were promoted.
    pub baseline: Option<Baseline>,
    /// How it was made; none if that cannot be read.
    pub path: Option<Path>,
    /// Rows that its model was fitted on.
    pub learned_rows: u64,
    /// The major version of its contract.
    pub contract_major: u64,
}

/// The labelled rows of a model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Data {
    /// Frozen datasets, in the order of time.
    pub datasets: Vec<Digest>,
    /// Rows in all of them.
    pub rows: u64,
    /// Source files that were refused whole, each with its first violation.
    pub refused: Vec<String>,
}

impl Observation {
    /// Nothing was seen: what a decision rests on when a person acts, or when the model is held.
    pub fn nothing(model: &ModelName) -> Observation {
        Observation {
            format_version: 1,
            model: model.clone(),
            judged: Vec::new(),
            drift: Vec::new(),
            performance: Vec::new(),
            estimated: Vec::new(),
            labels: None,
            candidate_drift: Vec::new(),
            evaluation: None,
            shadow: None,
            watch: None,
            bundles: Vec::new(),
            data: Data::default(),
            next: None,
        }
    }

    /// The bundle of a version, as it was seen; none if it was seen twice and differently.
    pub fn bundle(&self, version: Version) -> Option<&Bundle> {
        let mut seen = self.bundles.iter().filter(|bundle| bundle.version == version);
        let first = seen.next()?;
        seen.all(|again| again == first).then_some(first)
    }
}
