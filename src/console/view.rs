//! The newest sealed windows of one size, side by side: traffic, latency, drift, labels, performance and what scores foretell of
//! it; through the store. Nothing of it is filed, and no decision rests on it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConsoleError, FORMAT_VERSION};
use crate::drift::{self, Then, VOLUME_WINDOWS};
use crate::govern::Rules;
use crate::log::{self, Event, Label, Sample, Sampled, Status};
use crate::performance::{self, Estimated, Pair, Promised, ScoreBins};
use crate::registry::{self, Verified};
use crate::snapshot::{self, Snapshot, VersionCounts};
use crate::stats::histogram::latency;
use crate::store::{Key, Store};
use crate::train::{Metric, measure};
use crate::types::{
    Check, Digest, Measurement, ModelName, NotComputable, Span, Timestamp, Value, Verdict, Version, canonical_json,
};

/// The quantiles of latency that are told.
const QUANTILES: [(&str, f64); 3] = [("latency_p50_us", 0.5), ("latency_p95_us", 0.95), ("latency_p99_us", 0.99)];

/// Windows of one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Windows {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// How long each window is.
    pub size: Span,
    /// The windows, oldest first.
    pub windows: Vec<Window>,
}

/// What there is to say of one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The window.
    pub window: snapshot::Window,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// Requests that had arrived by then, valid or not.
    pub requests: u64,
    /// The share of them whose answers were read and joined with labels: 1, or less above `performance.sample_above`.
    pub sampled_share: f64,
    /// The share of counted requests that were refused.
    pub refused_share: Measurement,
    /// What each version made of them, whoever answered or shadowed.
    pub versions: Vec<Answered>,
}

/// What one version made of a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// The version.
    pub version: Version,
    /// Rows that were counted under it, as champion or as shadow.
    pub rows: u64,
    /// Valid requests that it answered.
    pub answered: u64,
    /// Of these, the share whose label has arrived by now.
    pub labelled_share: Measurement,
    /// The mean of its answers.
    pub score_mean: Measurement,
    /// Upper ends of quantiles of the time it took, in microseconds.
    pub latency: Vec<Measurement>,
    /// Whether its world has moved; none if its profile cannot be read.
    pub drift: Option<Drifted>,
    /// Every metric on the rows that have their labels by now, with its interval.
    pub metrics: Vec<Metric>,
    /// What its scores alone foretell, whatever labels there are: true if they are calibrated still.
    pub estimated: Vec<Estimated>,
    /// Why some of it is missing; empty if nothing is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What a window of this size alone says of drift; nothing is confirmed by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drifted {
    /// `Fail` if the dataset drifted.
    pub verdict: Verdict,
    /// The features that did.
    pub features: Vec<String>,
    /// PSI of all features, weighted by importance.
    pub weighted_psi: Check,
    /// Whether the prediction shifted.
    pub prediction: Verdict,
    /// Whether the mean prediction moved.
    pub prediction_mean: Verdict,
    /// Requests against the median of the windows before.
    pub volume: Check,
}

/// The newest `last` sealed windows of one size, as they are now.
///
/// # Errors
/// A size in which no window is sealed; what cannot be read. A version that does not verify is said in its place.
pub fn windows(
    store: &dyn Store,
    model: &ModelName,
    rules: &Rules,
    size: Span,
    last: usize,
    now: Timestamp,
) -> Result<Windows, ConsoleError> {
    let known = rules.windows.sizes();
    if !known.contains(&size) {
        return Err(ConsoleError::NoSuchSize { size, known });
    }
    let sealed = newest(store, model, size, last.saturating_add(VOLUME_WINDOWS))?;
    let first = sealed.len().saturating_sub(last);
    let mut looking = Looking { store, model, rules, now, versions: BTreeMap::new() };
    let mut told = Vec::new();
    for (place, (snapshot, digest)) in sealed.iter().enumerate().skip(first) {
        let before = &sealed[place.saturating_sub(VOLUME_WINDOWS)..place];
        let volumes: Vec<u64> = before.iter().map(|(snapshot, _)| snapshot.requests).collect();
        told.push(looking.window(snapshot, *digest, &volumes)?);
    }
    Ok(Windows { format_version: FORMAT_VERSION, model: model.clone(), size, windows: told })
}

/// The newest sealed windows of one size with the digests of their snapshots, oldest first.
pub(super) fn newest(
    store: &dyn Store,
    model: &ModelName,
    size: Span,
    last: usize,
) -> Result<Vec<(Snapshot, Digest)>, ConsoleError> {
    let folder = Key::new(&format!("var/{model}/snapshots/{size}"))?;
    let mut names = store.list_folder(&folder)?;
    // A name is the start of its window, so names sort as time does.
    names.sort();
    let mut sealed = Vec::new();
    for name in names.get(names.len().saturating_sub(last)..).unwrap_or_default() {
        let key = folder.join(name)?;
        if let Some(snapshot) = snapshot::read(store, &key)? {
            let bytes = canonical_json(&snapshot).map_err(|source| ConsoleError::Report { key, source })?;
            sealed.push((snapshot, Digest::of(&bytes)));
        }
    }
    Ok(sealed)
}

struct Looking<'a> {
    store: &'a dyn Store,
    model: &'a ModelName,
    rules: &'a Rules,
    now: Timestamp,
    /// Versions that were met, or why they cannot be read.
    versions: BTreeMap<Version, Result<Verified, String>>,
}

impl Looking<'_> {
    fn window(&mut self, snapshot: &Snapshot, digest: Digest, volumes: &[u64]) -> Result<Window, ConsoleError> {
        let (counts, window, rules) = (&snapshot.counts, snapshot.window, self.rules);
        let (from, to) = (window.start, window.end());
        let sample = Sample::of(snapshot.requests, rules.performance.sample_above);
        let Sampled { events, .. } = log::read_sample(self.store, self.model, from, to, sample)?;
        let asked: BTreeSet<Uuid> = events.iter().map(|event| event.request_id).collect();
        let is_asked = |request_id| asked.contains(&request_id);
        let labels = log::read_labels_of(self.store, self.model, from - Label::CLOCKS, self.now, is_asked)?;
        let joined = performance::join(&events, &labels, rules.performance.conflicting);
        let answered = |version: &Version| joined.answered.get(version).copied().unwrap_or(0);
        let mut versions = Vec::new();
        for (version, counted) in &counts.versions {
            let model = self.fetched(*version);
            let pairs: Vec<&Pair> = joined.pairs.iter().filter(|pair| pair.version == *version).collect();
            let (answered, requests) = (answered(version), snapshot.requests);
            let told = Told { version: *version, counted, answered, pairs, events: &events, requests };
            let told = match model {
                Ok(model) => told.by(model, Some(moved(model, snapshot, digest, volumes, rules))),
                Err(why) => Answered { note: why.clone(), ..told.alone() },
            };
            versions.push(told);
        }
        let refused = match counts.counted {
            0 => Err(NotComputable::because("no requests")),
            counted => Ok((counted - counts.valid) as f64 / counted as f64),
        };
        Ok(Window {
            window,
            sealed_at: snapshot.sealed_at,
            requests: snapshot.requests,
            sampled_share: sample.share(),
            refused_share: Measurement::new("refused_share", refused, counts.counted),
            versions,
        })
    }

    fn fetched(&mut self, version: Version) -> &Result<Verified, String> {
        let (store, model) = (self.store, self.model);
        let fetch = || registry::fetch(store, model, version).map_err(|error| format!("failed to {error}"));
        self.versions.entry(version).or_insert_with(fetch)
    }
}

fn moved(model: &Verified, snapshot: &Snapshot, digest: Digest, volumes: &[u64], rules: &Rules) -> Drifted {
    let then = Then { version: model.version(), bundle: model.digest(), profile: model.profile(), volumes };
    let report = drift::detect(then, snapshot, digest, &rules.drift);
    let drifted = report.features.iter().filter(|feature| feature.drifted);
    Drifted {
        verdict: report.verdict,
        features: drifted.map(|feature| feature.feature.clone()).collect(),
        prediction: report.prediction_shifted(),
        prediction_mean: report.prediction_mean_moved(),
        weighted_psi: report.weighted_psi,
        volume: report.volume,
    }
}

/// What was counted and joined of one version in one window.
struct Told<'a> {
    version: Version,
    counted: &'a VersionCounts,
    answered: u64,
    pairs: Vec<&'a Pair>,
    events: &'a [Event],
    /// That had arrived when the window was sealed.
    requests: u64,
}

impl Told<'_> {
    /// What can be said without the version's own files.
    fn alone(&self) -> Answered {
        let nothing = || {
            let archived = self.requests > 0 && self.events.is_empty();
            NotComputable::because(if archived { "the window's events were archived" } else { "it answered nothing" })
        };
        let labelled = match self.answered {
            0 => Err(nothing()),
            answered => Ok(self.pairs.len() as f64 / answered as f64),
        };
        let mine =
            self.events.iter().filter(|event| event.model_version == self.version && event.status == Status::Valid);
        let scores: Vec<f64> = mine.filter_map(|event| event.prediction).collect();
        let mean = match scores.len() {
            0 => Err(nothing()),
            rows => Ok(scores.iter().sum::<f64>() / rows as f64),
        };
        let timed = self.counted.latency.iter().sum();
        let quantile = |(name, q): (&str, f64)| {
            let found = latency::quantile_us(&self.counted.latency, q).map(|longest_us| longest_us as f64);
            Measurement::new(name, Value::from(found), timed)
        };
        Answered {
            version: self.version,
            rows: self.counted.rows,
            answered: self.answered,
            labelled_share: Measurement::new("labelled_share", labelled, self.answered),
            score_mean: Measurement::new("score_mean", mean, scores.len() as u64),
            latency: QUANTILES.into_iter().map(quantile).collect(),
            drift: None,
            metrics: Vec::new(),
            estimated: Vec::new(),
            note: String::new(),
        }
    }

    fn by(&self, model: &Verified, drift: Option<Drifted>) -> Answered {
        let predictions: Vec<f64> = self.pairs.iter().map(|pair| pair.prediction).collect();
        let labels: Vec<f64> = self.pairs.iter().map(|pair| pair.label).collect();
        let mut metrics = measure(model.contract().task(), &predictions, &labels, model.threshold());
        metrics.extend(model.model().and_then(Promised::by).map(|promised| {
            let held = promised.coverage(&predictions, &labels);
            let interval = held.as_ref().ok().map(|held| held.interval);
            let held = held.map(|held| held.value);
            Metric { measurement: Measurement::new("coverage", held, labels.len() as u64), interval }
        }));
        // Only scores that were calibrated here foretell anything.
        let bins = model.model().and_then(|model| ScoreBins::of(model).ok());
        let estimated = bins.and_then(|bins| bins.foretell(&self.counted.prediction).ok()).unwrap_or_default();
        Answered { drift, metrics, estimated, ..self.alone() }
    }
}
