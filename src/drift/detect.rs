//! One window against one version's own profile; pure. What is said of a feature, a prediction and the whole.

use super::feature::{Gathered, gather};
use super::judge::judge;
use super::methods::methods;
use super::rules::DriftRules;
use super::volume::{invalid, volume};
use super::{DriftReport, FeatureDrift, Severity};
use crate::contract::{Bins, Histogram, Profile};
use crate::snapshot::{Snapshot, VersionCounts};
use crate::stats::histogram::Edges;
use crate::stats::hypothesis::mean_shift;
use crate::types::{Check, Digest, Measurement, NotComputable, Operator, Verdict, Version};

/// What a window is compared with: a version's profile, and recent volume.
#[derive(Debug, Clone, Copy)]
pub struct Then<'a> {
    /// The version.
    pub version: Version,
    /// The digest of its manifest.
    pub bundle: Digest,
    /// Its reference histograms.
    pub profile: &'a Profile,
    /// Requests in recent windows of the same size, oldest first; may be empty.
    pub volumes: &'a [u64],
}

/// Compare a sealed window with a version's profile.
pub fn detect(then: Then<'_>, snapshot: &Snapshot, digest: Digest, rules: &DriftRules) -> DriftReport {
    let silent = VersionCounts::default();
    let now = snapshot.counts.versions.get(&then.version).unwrap_or(&silent);
    let Moved { features, dataset, weighted_psi, severity } = moved(then.profile, now, rules);
    DriftReport {
        format_version: 1,
        model: snapshot.model.clone(),
        version: then.version,
        bundle: then.bundle,
        window: snapshot.window,
        snapshot: digest,
        verdict: dataset.verdict,
        severity,
        prediction: prediction(&then.profile.score, now, rules),
        prediction_mean: prediction_mean(&then.profile.score, now, rules),
        volume: volume(then.volumes, snapshot.requests, rules),
        invalid: invalid(snapshot, rules),
        features,
        dataset,
        weighted_psi,
        methods: methods(),
    }
}

/// How far counted rows lie from a profile; a window's are told in its [`DriftReport`].
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// One entry a feature, drifted first, then by importance.
    pub features: Vec<FeatureDrift>,
    /// The number of drifted features against `min_features`.
    pub dataset: Check,
    /// PSI of all features, each weighted by its importance, against the line to severe.
    pub weighted_psi: Check,
    /// Both together.
    pub severity: Severity,
}

/// Compare rows, counted in the bins of a profile, with the profile.
pub fn moved(profile: &Profile, now: &VersionCounts, rules: &DriftRules) -> Moved {
    let gathered: Vec<Gathered<'_>> = profile
        .features
        .iter()
        .enumerate()
        .map(|(place, histogram)| gather(histogram, now.features.get(place).map_or(&[], Vec::as_slice), rules))
        .collect();
    let weighted: f64 = gathered.iter().map(Gathered::weighted_psi).sum();
    let judged = judge(gathered.iter().map(|feature| &feature.evidence), rules);
    let mut features: Vec<FeatureDrift> =
        gathered.into_iter().zip(judged).map(|(feature, judged)| feature.told(judged)).collect();
    features.sort_by(|a, b| {
        let by_weight = b.importance.total_cmp(&a.importance);
        b.drifted.cmp(&a.drifted).then(by_weight).then(a.feature.cmp(&b.feature))
    });
    let drifted = features.iter().filter(|feature| feature.drifted).count();
    let dataset = Check::require(
        Measurement::new("drifted_features", drifted as f64, now.rows),
        Operator::Less,
        rules.min_features.min(features.len() as u64) as f64,
        rules.min_rows,
    );
    let weighted_psi = Check::require(
        Measurement::new("weighted_psi", weighted, now.rows),
        Operator::Less,
        rules.severe,
        rules.min_rows,
    );
    let severity = match (dataset.verdict, weighted_psi.verdict) {
        (Verdict::Fail, Verdict::Fail) => Severity::Severe,
        (Verdict::Fail, _) => Severity::Moderate,
        (Verdict::Pass | Verdict::Insufficient | Verdict::Error, _) => Severity::None,
    };
    Moved { features, dataset, weighted_psi, severity }
}

/// The served prediction against the profile's, by the same two questions: is it significant, is it large?
fn prediction(then: &Histogram, now: &VersionCounts, rules: &DriftRules) -> Vec<Check> {
    let score = gather(then, &now.prediction, rules).evidence;
    judge(std::iter::once(&score), rules).into_iter().flat_map(|judged| judged.checks).collect()
}

/// From this shift of the mean prediction on, in standard deviations of the profile's scores, it is large: of a normal score as
/// much as `ks`'s 0.08 is, a fifth of a deviation, and a little more.
const MEAN_SHIFT_SDS: f64 = 0.25;

/// The mean prediction against the profile's: is it significant, is it large?
fn prediction_mean(then: &Histogram, now: &VersionCounts, rules: &DriftRules) -> Vec<Check> {
    let Bins::Numeric { edges, .. } = &then.bins else { return Vec::new() };
    let mut counts = now.prediction.clone();
    counts.resize(then.bins.len(), 0);
    let (reference, current) = (then.bins.inside(&then.counts), then.bins.inside(&counts));
    let n = current.iter().sum();
    let found = Edges::new(edges.clone()).and_then(|edges| mean_shift(&edges.positions(), &reference, &current));
    let check = |metric, value: Result<f64, NotComputable>, operator, line| {
        Check::require(Measurement::new(metric, value, n), operator, line, rules.min_rows)
    };
    let p_value = found.clone().map(|found| found.tested.p_value);
    let size = found.map(|found| found.shift_sds.abs());
    vec![
        check("mean_p_value", p_value, Operator::AtLeast, rules.alpha),
        check("mean_shift_sds", size, Operator::Less, MEAN_SHIFT_SDS),
    ]
}
