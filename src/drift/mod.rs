//! Stage 8: has the world moved? A version's profile (then) against a snapshot (now).

mod confirm;
mod detect;
mod feature;
pub mod files;
mod judge;
mod methods;
mod rules;
mod samples;
#[cfg(test)]
mod tests;
mod volume;

pub use confirm::{confirm, confirm_windows, confirmed};
pub use detect::{Moved, Then, detect, moved};
pub use rules::DriftRules;
pub use samples::samples;
pub use volume::VOLUME_WINDOWS;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::snapshot::Window;
use crate::types::{Check, Digest, Measurement, ModelName, Verdict, Version};

/// What one window says of drift against one version's own profile.
///
/// `Fail` means drift was found, `Pass` that enough rows were seen and none was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DriftReport {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The version whose profile is the reference.
    pub version: Version,
    /// The digest of that version's manifest.
    pub bundle: Digest,
    /// The window compared.
    pub window: Window,
    /// The digest of its snapshot.
    pub snapshot: Digest,
    /// One entry a feature, drifted first, then by importance.
    pub features: Vec<FeatureDrift>,
    /// The served prediction against the profile's.
    pub prediction: Vec<Check>,
    /// The mean prediction against the profile's: `mean_p_value` of a z test, and `mean_shift_sds`, in standard deviations of the
    /// profile's scores.
    pub prediction_mean: Vec<Check>,
    /// Requests against the median of recent windows.
    pub volume: Check,
    /// The share of refused requests.
    pub invalid: Check,
    /// The number of drifted features against `min_features`.
    pub dataset: Check,
    /// PSI of all features, each weighted by its share of the model's gain, against the line to severe.
    pub weighted_psi: Check,
    /// How each was computed: test, bins, smoothing, direction, by the metric's name.
    pub methods: BTreeMap<String, String>,
    /// How bad it is in this window alone; what counts is confirmed over several.
    pub severity: Severity,
    /// `Fail` if dataset drift was found; `Insufficient` if too few rows were seen.
    pub verdict: Verdict,
}

impl DriftReport {
    /// Whether the served prediction moved, as a feature does: significantly and far.
    pub fn prediction_shifted(&self) -> Verdict {
        moved_far(&self.prediction)
    }

    /// Whether the mean prediction lies significantly and far from the profile's.
    pub fn prediction_mean_moved(&self) -> Verdict {
        moved_far(&self.prediction_mean)
    }

    /// Whether the prediction moved while no feature did: what the model makes of the world has changed, not the world's features
    /// one by one.
    pub fn concept_drifted(&self) -> Verdict {
        let quiet = self.features.iter().all(|feature| !feature.drifted);
        match self.prediction_shifted() {
            Verdict::Fail if !quiet => Verdict::Pass,
            other => other,
        }
    }
}

/// What a check of significance and checks of size say together: `Fail` if it is significant and one of them is large.
pub fn moved_far(checks: &[Check]) -> Verdict {
    let [significance, sizes @ ..] = checks else { return Verdict::Insufficient };
    let large = sizes.iter().any(|size| size.verdict == Verdict::Fail);
    match significance.verdict {
        Verdict::Fail if large => Verdict::Fail,
        Verdict::Fail => Verdict::Pass,
        other => other,
    }
}

/// What one window says of one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureDrift {
    /// The feature.
    pub feature: String,
    /// Its share of the model's gain.
    pub importance: f64,
    /// Whether it drifted: significant and large, or a share of missing or unseen values that is.
    pub drifted: bool,
    /// What decides: significance (`p_adjusted`), size (`psi`; `ks` of numbers, `l_infinity` of categories),
    /// `missing_share_growth`, `unseen_share_growth`.
    pub checks: Vec<Check>,
    /// What is shown beside it: `js_bits`, `kl_ref_cur_nats`, `psi_critical`, `p_value`; of numbers `wasserstein_normed` and
    /// `ks_bound`, by which the rows' own `ks` may be larger; of categories with many words `rare_words_together`, how many of them
    /// are counted as one, as the version's profile decided at training.
    pub shown: Vec<Measurement>,
}

/// How bad drift is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No dataset drift.
    None,
    /// Dataset drift.
    Moderate,
    /// Dataset drift of features that matter to the model.
    Severe,
}

/// Drift over the last windows: what policy looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfirmedDrift {
    /// Drifted windows against k of m.
    pub check: Check,
    /// The worst severity that k of the last m windows reach.
    pub severity: Severity,
    /// `Fail` if confirmed, `Pass` if m windows were judged and fewer than k drifted, else `Insufficient`.
    pub verdict: Verdict,
}
