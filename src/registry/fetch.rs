//! A version's files become the one model type that may answer; through the store. Every file is hashed before it is parsed,
//! and the very bytes hashed are parsed. Refuses whatever is not whole, not consistent or not of a known form.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::bundle::{
    Bundle, CALIBRATION, CALIBRATION_DATA, CONTRACT, METADATA, METRICS, Metadata, PREPROCESSOR, PROFILE, SELFTEST,
    read_margins,
};
use super::preprocessor::Preprocessor;
use super::signing::{SignatureRules, Signed, demand};
use super::verify::{Opened, open};
use super::{FORMAT_VERSION, RegistryError};
use crate::contract::{Contract, Profile, RawContract};
use crate::scoring::{Calibration, Forest, LinearModel, Model, Scorer};
use crate::store::Store;
use crate::train::{Family, Margin, Metric, Metrics, SelfTest, SliceMetrics};
use crate::types::{Digest, ModelName, Version, read_json};
use crate::yaml;

/// The share of held-out errors that is not clipped.
const CLIPPED_ABOVE: f64 = 0.95;

/// A published version whose files were verified and whose self-test agreed. There is no other way to one.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedModel {
    digest: Digest,
    metadata: Metadata,
    contract: Contract,
    scorer: Scorer,
    profile: Profile,
    metrics: Metrics,
    calibrated_on: Vec<Margin>,
    signed: Signed,
}

impl VerifiedModel {
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

    /// What it answers.
    pub fn scorer(&self) -> &Scorer {
        &self.scorer
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
        verified.metadata.name = contract.name().clone();
        verified.metadata.task = contract.task();
        verified.metadata.version = version;
        verified.digest = Digest::of(version.to_string());
        VerifiedModel { contract, profile, scorer, ..verified }
    }
}

/// Read a version and verify it, for whoever looks at it. Who lets it answer, promotes it or returns to it asks
/// [`fetch_trusted`].
///
/// # Errors
/// `NoSuchVersion`; `Damaged` with every file that is not what the manifest says; `Unreadable` for a file of an unknown form;
/// `Contradiction` for files that do not belong together; `SelfTest` when the model answers otherwise than it did; the store's.
pub fn fetch(store: &dyn Store, model: &ModelName, version: Version) -> Result<VerifiedModel, RegistryError> {
    load(model, version, open(store, model, version, None)?)
}

/// Read a version and verify it, its signature included, before anything but its manifest is parsed. `recorded` is the digest
/// of its manifest as the journal knows it: sound files under another manifest are another version.
///
/// # Errors
/// As [`fetch`]; `Untrusted` where the rules ask for a signature that is not there.
pub fn fetch_trusted(
    store: &dyn Store,
    model: &ModelName,
    version: Version,
    recorded: Option<Digest>,
    rules: &SignatureRules,
) -> Result<VerifiedModel, RegistryError> {
    let opened = open(store, model, version, recorded)?;
    let signed = match (&opened.manifest, opened.damage.is_empty()) {
        (Some(manifest), true) => demand(store, model, version, manifest, (Vec::new(), rules))?,
        // Loading says what is wrong.
        (_, _) => Signed::Unchecked,
    };
    Ok(VerifiedModel { signed, ..load(model, version, opened)? })
}

/// Parse a bundle that was read.
pub(super) fn load(model: &ModelName, version: Version, opened: Opened) -> Result<VerifiedModel, RegistryError> {
    let (Some(manifest), true) = (opened.manifest, opened.damage.is_empty()) else {
        return Err(RegistryError::Damaged { model: model.clone(), version, damage: opened.damage });
    };
    let files = Files { model, version, files: opened.files };
    let metadata: Metadata = files.yaml(METADATA)?;
    files.known_form(METADATA, metadata.format_version)?;
    files.complete(metadata.family)?;
    let raw: RawContract = files.yaml(CONTRACT)?;
    let contract = raw.check_registered().map_err(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        files.unreadable(CONTRACT, faults.join("; "))
    })?;
    let fitted = files.model(metadata.family)?;
    let calibration =
        Calibration::read(files.bytes(CALIBRATION)?).map_err(|why| files.unreadable(CALIBRATION, why.to_string()))?;
    let scorer = Scorer::new(fitted, calibration).map_err(|why| files.contradiction(why.to_string()))?;
    let profile: Profile = files.json(PROFILE)?;
    let metrics: Metrics = files.json(METRICS)?;
    let selftest: SelfTest = files.json(SELFTEST)?;
    let forms =
        [(PROFILE, profile.format_version), (METRICS, metrics.format_version), (SELFTEST, selftest.format_version)];
    forms.into_iter().try_for_each(|(file, form)| files.known_form(file, form))?;
    let calibrated_on =
        read_margins(files.bytes(CALIBRATION_DATA)?).map_err(|why| files.unreadable(CALIBRATION_DATA, why))?;
    let verified = VerifiedModel {
        digest: manifest.digest(),
        metadata,
        contract,
        scorer,
        profile,
        metrics,
        calibrated_on,
        signed: Signed::Unchecked,
    };
    files.consistent(&verified)?;
    if selftest.vectors.is_empty() {
        // Nothing asked is nothing answered (P4).
        return Err(files.contradiction(format!("{SELFTEST} asks nothing")));
    }
    selftest.check(&verified.scorer).map_err(|source| RegistryError::SelfTest {
        model: model.clone(),
        version,
        source,
    })?;
    Ok(verified)
}

/// The hashed bytes of a bundle.
struct Files<'a> {
    model: &'a ModelName,
    version: Version,
    files: BTreeMap<String, Vec<u8>>,
}

impl Files<'_> {
    fn unreadable(&self, file: &str, why: String) -> RegistryError {
        RegistryError::Unreadable { model: self.model.clone(), version: self.version, file: file.to_owned(), why }
    }

    fn contradiction(&self, what: String) -> RegistryError {
        RegistryError::Contradiction { model: self.model.clone(), version: self.version, what }
    }

    fn bytes(&self, file: &str) -> Result<&[u8], RegistryError> {
        let bytes = self.files.get(file).map(Vec::as_slice);
        bytes.ok_or_else(|| self.contradiction(format!("its manifest lists no {file}")))
    }

    fn yaml<T: DeserializeOwned + JsonSchema>(&self, file: &str) -> Result<T, RegistryError> {
        yaml::read(file, self.bytes(file)?).map_err(|why| self.unreadable(file, why.to_string()))
    }

    fn json<T: DeserializeOwned>(&self, file: &str) -> Result<T, RegistryError> {
        read_json(self.bytes(file)?).map_err(|why| self.unreadable(file, why.to_string()))
    }

    fn model(&self, family: Family) -> Result<Model, RegistryError> {
        let file = family.file();
        match family {
            Family::Logistic | Family::Linear => {
                let model = LinearModel::read(self.bytes(file)?).map(Model::Linear);
                model.map_err(|why| self.unreadable(file, why.to_string()))
            }
            Family::Gbdt | Family::RandomForest => {
                let text = str::from_utf8(self.bytes(file)?).map_err(|why| self.unreadable(file, why.to_string()))?;
                Forest::parse(text).map(Model::Forest).map_err(|why| self.unreadable(file, why.to_string()))
            }
        }
    }

    /// Readers refuse newer forms.
    fn known_form(&self, file: &str, found: u32) -> Result<(), RegistryError> {
        if found == FORMAT_VERSION {
            return Ok(());
        }
        let why = format!("its format_version is {found}, this program reads {FORMAT_VERSION}");
        Err(self.unreadable(file, why))
    }

    /// A bundle has exactly the files of its form.
    fn complete(&self, family: Family) -> Result<(), RegistryError> {
        let wanted: BTreeSet<&str> = Bundle::names(family).into_iter().collect();
        let listed: BTreeSet<&str> = self.files.keys().map(String::as_str).collect();
        match wanted.symmetric_difference(&listed).next() {
            None => Ok(()),
            Some(file) if wanted.contains(file) => Err(self.contradiction(format!("its manifest lists no {file}"))),
            Some(file) => Err(self.contradiction(format!("{file} is no file of a {family} bundle"))),
        }
    }

    /// Files that are each as published may still be of different bundles.
    fn consistent(&self, verified: &VerifiedModel) -> Result<(), RegistryError> {
        let VerifiedModel { metadata, contract, scorer, profile, .. } = verified;
        let plan = metadata.plan.digest()?;
        let preprocessor: Preprocessor = self.json(PREPROCESSOR)?;
        profile.check(contract).map_err(|why| self.contradiction(why.to_string()))?;
        let is_version = &metadata.name == self.model && metadata.version == self.version;
        let follows_plan = metadata.plan.model == metadata.name && metadata.plan.version == metadata.version;
        let holds = [
            (is_version, "metadata.yaml names another version"),
            (follows_plan && plan == metadata.parents.plan, "metadata.yaml and its plan differ"),
            (contract.name() == self.model, "contract.yaml is of another model"),
            (
                metadata.parents.contract.sha256 == Digest::of(self.bytes(CONTRACT)?),
                "contract.yaml is not the contract that metadata.yaml names",
            ),
            (metadata.task == contract.task(), "metadata.yaml and contract.yaml differ in the task"),
            (
                scorer.model().n_features() == contract.features().len(),
                "the model takes another number of features than contract.yaml",
            ),
            (preprocessor == Preprocessor::of(contract), "preprocessor.json does not follow from contract.yaml"),
        ];
        match holds.into_iter().find(|(holds, _)| !holds) {
            None => Ok(()),
            Some((_, what)) => Err(self.contradiction(what.to_owned())),
        }
    }
}
