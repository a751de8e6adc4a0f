//! Verified versions: what every one is watched by, and the one type that may answer; pure. Only [`super::fetch()`] makes them.

use std::ops::Deref;

use super::RegistryError;
use super::bundle::{Fitting, Metadata};
use super::signing::Signed;
use crate::contract::{Contract, Profile};
use crate::scoring::{Calibration, Scorer};
use crate::train::{Extent, Margin, Metric, Metrics, SliceMetrics};
use crate::types::{Digest, ModelName, Version};

/// The share of held-out errors that is not clipped.
const CLIPPED_ABOVE: f64 = 0.95;

/// A published version whose files were verified: what it is watched by, wherever it answers. There is no other way to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    pub(super) digest: Digest,
    pub(super) metadata: Metadata,
    pub(super) contract: Contract,
    pub(super) profile: Profile,
    pub(super) metrics: Metrics,
    pub(super) signed: Signed,
}

/// A verified version that can answer: it has a model, whose self-test agreed. There is no other way to one.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedModel {
    pub(super) reference: Reference,
    pub(super) fitting: Fitting,
    pub(super) scorer: Scorer,
    pub(super) calibrated_on: Vec<Margin>,
}

/// A verified version, and whether it can answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Verified {
    /// It has a model.
    Here(Box<VerifiedModel>),
    /// It is monitor-only: its model answers elsewhere.
    Elsewhere(Box<Reference>),
}

/// A version that answers is watched like any other.
impl Deref for VerifiedModel {
    type Target = Reference;

    fn deref(&self) -> &Reference {
        &self.reference
    }
}

impl Deref for Verified {
    type Target = Reference;

    fn deref(&self) -> &Reference {
        match self {
            Verified::Here(model) => &model.reference,
            Verified::Elsewhere(reference) => reference,
        }
    }
}

impl Verified {
    /// The model, if there is one here.
    pub fn model(&self) -> Option<&VerifiedModel> {
        match self {
            Verified::Here(model) => Some(model),
            Verified::Elsewhere(_) => None,
        }
    }

    /// The model.
    ///
    /// # Errors
    /// `MonitorOnly` if there is none here.
    pub fn into_model(self) -> Result<VerifiedModel, RegistryError> {
        match self {
            Verified::Here(model) => Ok(*model),
            Verified::Elsewhere(reference) => {
                Err(RegistryError::MonitorOnly { model: reference.name().clone(), version: reference.version() })
            }
        }
    }

    pub(super) fn signed_as(mut self, signed: Signed) -> Verified {
        match &mut self {
            Verified::Here(model) => model.reference.signed = signed,
            Verified::Elsewhere(reference) => reference.signed = signed,
        }
        self
    }
}

impl Reference {
    /// The model's name.
    pub fn name(&self) -> &ModelName {
        &self.metadata.name
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.metadata.version
    }

    /// The digest of its manifest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What rows it takes.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// What features and scores looked like at training.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What it is and where it comes from.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What it is held against as long as it serves.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics.metrics
    }

    /// The same metrics within each value of each declared slice.
    pub fn slices(&self) -> &SliceMetrics {
        &self.metrics.slices
    }

    /// The probability from which on F1 and accuracy call a row positive; none for regression.
    pub fn threshold(&self) -> Option<f64> {
        self.metrics.threshold
    }

    /// Whose signature stands for it, as far as somebody asked.
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    /// Rows that it was made from: what its model was fitted on or, if it answers elsewhere, what shows it.
    pub fn learned_rows(&self) -> u64 {
        self.metadata.fitted.as_ref().map_or(self.profile.rows, |fitting| fitting.extent.look_back)
    }
}

impl VerifiedModel {
    /// What it answers.
    pub fn scorer(&self) -> &Scorer {
        &self.scorer
    }

    /// Which rows did what.
    pub fn extent(&self) -> &Extent {
        &self.fitting.extent
    }

    /// The rows that its calibration was fitted on.
    pub fn calibrated_on(&self) -> &[Margin] {
        &self.calibrated_on
    }

    /// Where absolute errors are clipped when two versions are compared: the 95 % quantile of this one's on rows it had not
    /// seen, in the target's unit, so that one outlier cannot decide; 1 for a probability, whose errors are bounded anyhow.
    pub fn error_clip(&self) -> f64 {
        match self.scorer.calibration() {
            Calibration::Isotonic(_) | Calibration::Platt(_) => 1.0,
            Calibration::Conformal(map) => {
                let wide = map.quantiles().iter().rev().find(|quantile| quantile.level <= CLIPPED_ABOVE);
                wide.or(map.quantiles().last()).map_or(f64::INFINITY, |quantile| quantile.residual)
            }
        }
    }

    /// Its calibrated answers on the rows that its calibration was fitted on.
    pub fn calibration_answers(&self) -> Vec<f64> {
        let calibration = self.scorer.calibration();
        self.calibrated_on.iter().map(|row| calibration.apply(row.score)).collect()
    }
}

#[cfg(test)]
impl VerifiedModel {
    /// A version that was never published, for tests of later stages that need one with a known arithmetic.
    pub(crate) fn stand_in(contract: Contract, profile: Profile, version: Version, scorer: Scorer) -> VerifiedModel {
        use crate::train::worlds::World;
        let mut verified = super::testing::verified(&World::rain());
        let reference = &mut verified.reference;
        reference.metadata.name = contract.name().clone();
        reference.metadata.task = contract.task();
        reference.metadata.version = version;
        reference.digest = Digest::of(version.to_string());
        (reference.contract, reference.profile) = (contract, profile);
        VerifiedModel { scorer, ..verified }
    }
}
