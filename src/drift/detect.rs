//! One window against one version's own profile; pure. A feature drifts only if the change is significant and large.

use super::judge::{Evidence, Judged, Share, judge, psi_line};
use super::rules::DriftRules;
use super::{DriftReport, FeatureDrift, Severity};
use crate::contract::{Bins, Histogram, Outside, Profile};
use crate::snapshot::{Snapshot, VersionCounts};
use crate::stats::Tally;
use crate::stats::distance::{Smoothing, js_divergence_bits, kl_nats, psi, wasserstein_normed};
use crate::stats::histogram::Edges;
use crate::stats::hypothesis::{Tested, chi_square, kolmogorov_smirnov};
use crate::types::{Check, Digest, Measurement, NotComputable, Operator, Value, Verdict, Version};

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

/// One feature as it was counted, then and now.
struct Gathered<'a> {
    then: &'a Histogram,
    evidence: Evidence,
    shown: Vec<Measurement>,
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
        volume: volume(then.volumes, snapshot.requests, rules),
        invalid: invalid(snapshot, rules),
        features,
        dataset,
        weighted_psi,
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
    let weighted: f64 =
        gathered.iter().map(|feature| feature.then.importance * feature.evidence.psi.number().unwrap_or(0.0)).sum();
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

fn gather<'a>(then: &'a Histogram, now: &[u64], rules: &DriftRules) -> Gathered<'a> {
    let bins = &then.bins;
    // A version that saw nothing has no counts: zero rows, never "no drift".
    let mut counts = now.to_vec();
    counts.resize(bins.len(), 0);
    let (reference, current) = (regular(bins, &then.counts), regular(bins, &counts));
    let n: u64 = counts.iter().sum();
    let (grouped_then, grouped_now) = (grouped(bins, &reference), grouped(bins, &current));
    let smoothing = Smoothing::default();
    let rows = (grouped_then.iter().sum(), grouped_now.iter().sum());
    let (psi_line, critical) = psi_line(rows, grouped_then.len(), rules);
    let (ks, tested) = match bins {
        Bins::Numeric { edges, .. } => {
            let tally = tally(edges, &reference, &current);
            let tested = tally.as_ref().map(kolmogorov_smirnov).map_err(Clone::clone);
            let distance = tested.clone().map(|tested| tested.statistic);
            (Some(Value::from(distance)), tested)
        }
        Bins::Categorical { .. } => (None, chi_square(&reference, &current)),
    };
    let mut shown = vec![
        Measurement::new("js_bits", js_divergence_bits(&grouped_then, &grouped_now, smoothing), n),
        Measurement::new("kl_ref_cur_nats", kl_nats(&grouped_then, &grouped_now, smoothing), n),
        Measurement::new("psi_critical", critical, n),
    ];
    if let Bins::Numeric { edges, .. } = bins {
        let normed = tally(edges, &reference, &current).and_then(|tally| wasserstein_normed(&tally));
        shown.push(Measurement::new("wasserstein_normed", normed, n));
    }
    let evidence = Evidence {
        n,
        psi: psi(&grouped_then, &grouped_now, smoothing).into(),
        psi_line,
        ks,
        p_value: tested.ok().map(|Tested { p_value, .. }| p_value),
        shares: vec![
            share("missing_share_growth", bins, Outside::Missing, &then.counts, &counts),
            share("unseen_share_growth", bins, Outside::Unseen, &then.counts, &counts),
        ],
    };
    Gathered { then, evidence, shown }
}

/// The bins that values fall in, with what lies outside a range put into the first and the last.
fn regular(bins: &Bins, counts: &[u64]) -> Vec<u64> {
    let at = |place: usize| counts.get(place).copied().unwrap_or(0);
    let mut regular: Vec<u64> = (0..bins.regular()).map(at).collect();
    if let Some(first) = regular.first_mut() {
        *first += at(bins.outside(Outside::Below));
    }
    if let Some(last) = regular.last_mut() {
        *last += at(bins.outside(Outside::Above));
    }
    regular
}

fn grouped(bins: &Bins, counts: &[u64]) -> Vec<u64> {
    match bins {
        Bins::Categorical { .. } => counts.to_vec(),
        Bins::Numeric { groups, .. } => {
            let last = groups.iter().copied().max().unwrap_or(0) as usize;
            let mut grouped = vec![0; last + 1];
            for (group, count) in groups.iter().zip(counts) {
                grouped[*group as usize] += count;
            }
            grouped
        }
    }
}

fn tally(edges: &[f64], reference: &[u64], current: &[u64]) -> Result<Tally, NotComputable> {
    let positions = Edges::new(edges.to_vec())?.positions();
    Tally::of_counts(&positions, reference, current)
}

fn share(metric: &'static str, bins: &Bins, outside: Outside, reference: &[u64], current: &[u64]) -> Share {
    let place = bins.outside(outside);
    let hits = |counts: &[u64]| (counts.get(place).copied().unwrap_or(0), counts.iter().sum::<u64>());
    Share::of(metric, hits(reference), hits(current))
}

impl Gathered<'_> {
    fn told(self, Judged { drifted, checks }: Judged) -> FeatureDrift {
        FeatureDrift {
            feature: self.then.name.clone(),
            importance: self.then.importance,
            drifted,
            checks,
            shown: self.shown,
        }
    }
}

/// The served prediction against the profile's, by the same two questions: is it significant, is it large?
fn prediction(then: &Histogram, now: &VersionCounts, rules: &DriftRules) -> Vec<Check> {
    let score = gather(then, &now.prediction, rules).evidence;
    score.judge(score.p_value, rules).checks
}

/// The median of fewer windows is one day's chance, and the first one is often cut short.
const USUAL_WINDOWS: usize = 3;

/// Requests against what is usual; few against few says nothing, however many times more or less it is.
fn volume(recent: &[u64], requests: u64, rules: &DriftRules) -> Check {
    let mut sorted = recent.to_vec();
    sorted.sort_unstable();
    let usual = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
    let ratio = match usual {
        _ if recent.len() < USUAL_WINDOWS => Err(NotComputable::because("fewer than 3 earlier windows")),
        0 => Err(NotComputable::because("no usual traffic")),
        usual => Ok(requests as f64 / usual as f64),
    };
    // Twice as much and half as much are equally unusual.
    let distance = ratio.map(|ratio| if ratio > 1.0 { 1.0 / ratio } else { ratio });
    let n = usual.max(requests);
    Check::require(Measurement::new("volume_ratio", distance, n), Operator::AtLeast, rules.volume, rules.min_rows)
}

fn invalid(snapshot: &Snapshot, rules: &DriftRules) -> Check {
    let counts = &snapshot.counts;
    let share = if counts.counted == 0 {
        Err(NotComputable::because("no requests"))
    } else {
        Ok((counts.counted - counts.valid) as f64 / counts.counted as f64)
    };
    let measured = Measurement::new("invalid_share", share, counts.counted);
    Check::require(measured, Operator::AtMost, rules.invalid, rules.min_rows)
}
