//! A version's files become a verified version; through the store. Every file is hashed before it is parsed,
//! and the very bytes hashed are parsed. Refuses whatever is not whole, not consistent or not of a known form.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::bundle::{
    Bundle, CALIBRATION, CALIBRATION_DATA, CONTRACT, Fitting, METADATA, METRICS, Metadata, PREPROCESSOR, PROFILE,
    SELFTEST, read_margins,
};
use super::preprocessor::Preprocessor;
use super::signing::{SignatureRules, Signed, demand};
use super::verified::{Reference, Verified, VerifiedModel};
use super::verify::{Opened, open};
use super::{FORMAT_VERSION, RegistryError};
use crate::contract::{Profile, RawContract};
use crate::scoring::{Calibration, Forest, LinearModel, Model, Scorer};
use crate::store::Store;
use crate::train::{Family, Metrics, Path, SelfTest};
use crate::types::{Digest, ModelName, Version, read_json};
use crate::yaml;

/// Read a version and verify it, for whoever looks at it. Who lets it answer, promotes it or returns to it asks
/// [`fetch_trusted`].
///
/// # Errors
/// `NoSuchVersion`; `Damaged` with every file that is not what the manifest says; `Unreadable` for a file of an unknown form;
/// `Contradiction` for files that do not belong together; `SelfTest` when the model answers otherwise than it did; the store's.
pub fn fetch(store: &dyn Store, model: &ModelName, version: Version) -> Result<Verified, RegistryError> {
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
) -> Result<Verified, RegistryError> {
    let opened = open(store, model, version, recorded)?;
    let signed = match (&opened.manifest, opened.damage.is_empty()) {
        (Some(manifest), true) => demand(store, model, version, manifest, (Vec::new(), rules))?,
        // Loading says what is wrong.
        (_, _) => Signed::Unchecked,
    };
    Ok(load(model, version, opened)?.signed_as(signed))
}

/// Parse a bundle that was read.
pub(super) fn load(model: &ModelName, version: Version, opened: Opened) -> Result<Verified, RegistryError> {
    let (Some(manifest), true) = (opened.manifest, opened.damage.is_empty()) else {
        return Err(RegistryError::Damaged { model: model.clone(), version, damage: opened.damage });
    };
    let files = Files { model, version, files: opened.files };
    let metadata: Metadata = files.yaml(METADATA)?;
    files.known_form(METADATA, metadata.format_version)?;
    let fitting = match (metadata.path, metadata.fitted.clone()) {
        (Path::MonitorOnly, None) => None,
        (Path::Baseline | Path::Candidate, Some(fitting)) => Some(fitting),
        (path, _) => return Err(files.contradiction(format!("{METADATA} says {path}, and of a model the contrary"))),
    };
    files.complete(fitting.as_ref().map(|fitting| fitting.family))?;
    let raw: RawContract = files.yaml(CONTRACT)?;
    let contract = raw.check_registered().map_err(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        files.unreadable(CONTRACT, faults.join("; "))
    })?;
    let profile: Profile = files.json(PROFILE)?;
    let metrics: Metrics = files.json(METRICS)?;
    files.known_form(PROFILE, profile.format_version)?;
    files.known_form(METRICS, metrics.format_version)?;
    let digest = manifest.digest();
    let reference = Reference { digest, metadata, contract, profile, metrics, signed: Signed::Unchecked };
    files.consistent(&reference)?;
    match fitting {
        Some(fitting) => files.answering(reference, fitting).map(|model| Verified::Here(Box::new(model))),
        None => Ok(Verified::Elsewhere(Box::new(reference))),
    }
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

    /// The model of a version that answers, whose self-test agrees.
    fn answering(&self, reference: Reference, fitting: Fitting) -> Result<VerifiedModel, RegistryError> {
        let contract = &reference.contract;
        let fitted = self.model(fitting.family)?;
        let calibration =
            Calibration::read(self.bytes(CALIBRATION)?).map_err(|why| self.unreadable(CALIBRATION, why.to_string()))?;
        let scorer = Scorer::new(fitted, calibration).map_err(|why| self.contradiction(why.to_string()))?;
        let selftest: SelfTest = self.json(SELFTEST)?;
        self.known_form(SELFTEST, selftest.format_version)?;
        let calibrated_on =
            read_margins(self.bytes(CALIBRATION_DATA)?).map_err(|why| self.unreadable(CALIBRATION_DATA, why))?;
        if scorer.model().n_features() != contract.features().len() {
            let what = "the model takes another number of features than contract.yaml";
            return Err(self.contradiction(what.to_owned()));
        }
        if self.json::<Preprocessor>(PREPROCESSOR)? != Preprocessor::of(contract) {
            return Err(self.contradiction("preprocessor.json does not follow from contract.yaml".to_owned()));
        }
        if selftest.vectors.is_empty() {
            // Nothing asked is nothing answered (P4).
            return Err(self.contradiction(format!("{SELFTEST} asks nothing")));
        }
        let (model, version) = (self.model.clone(), self.version);
        selftest.check(&scorer).map_err(|source| RegistryError::SelfTest { model, version, source })?;
        Ok(VerifiedModel { reference, fitting, scorer, calibrated_on })
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
    fn complete(&self, family: Option<Family>) -> Result<(), RegistryError> {
        let wanted: BTreeSet<&str> = Bundle::names(family).into_iter().collect();
        let listed: BTreeSet<&str> = self.files.keys().map(String::as_str).collect();
        match wanted.symmetric_difference(&listed).next() {
            None => Ok(()),
            Some(file) if wanted.contains(file) => Err(self.contradiction(format!("its manifest lists no {file}"))),
            Some(file) => {
                let kind = family.map_or_else(|| "monitor-only".to_owned(), |family| family.to_string());
                Err(self.contradiction(format!("{file} is no file of a {kind} bundle")))
            }
        }
    }

    /// Files that are each as published may still be of different bundles.
    fn consistent(&self, verified: &Reference) -> Result<(), RegistryError> {
        let Reference { metadata, contract, profile, .. } = verified;
        let plan = metadata.plan.digest()?;
        profile.check(contract).map_err(|why| self.contradiction(why.to_string()))?;
        let is_version = &metadata.name == self.model && metadata.version == self.version;
        let follows_plan = metadata.plan.model == metadata.name
            && metadata.plan.version == metadata.version
            && metadata.plan.path == metadata.path;
        let holds = [
            (is_version, "metadata.yaml names another version"),
            (follows_plan && plan == metadata.parents.plan, "metadata.yaml and its plan differ"),
            (contract.name() == self.model, "contract.yaml is of another model"),
            (
                metadata.parents.contract.sha256 == Digest::of(self.bytes(CONTRACT)?),
                "contract.yaml is not the contract that metadata.yaml names",
            ),
            (metadata.task == contract.task(), "metadata.yaml and contract.yaml differ in the task"),
        ];
        match holds.into_iter().find(|(holds, _)| !holds) {
            None => Ok(()),
            Some((_, what)) => Err(self.contradiction(what.to_owned())),
        }
    }
}
