//! A version's files: everything a candidate is, as bytes; pure. Refuses a contract that the plan does not name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::manifest::{MANIFEST, Manifest};
use super::preprocessor::Preprocessor;
use super::{FORMAT_VERSION, RegistryError, card, mlmodel};
use crate::contract::{Contract, Task};
use crate::ingest::ContractRef;
use crate::train::{Candidate, Extent, Family, Margin, Path, Plan, Portrait, TrainingLog};
use crate::types::{Digest, ModelName, Timestamp, Version, canonical_json};
use crate::yaml;

/// The files beside the model's own, which is [`Family::file`].
pub(super) const METADATA: &str = "metadata.yaml";
pub(super) const PREPROCESSOR: &str = "preprocessor.json";
pub(super) const CALIBRATION: &str = "calibration.json";
pub(super) const CALIBRATION_DATA: &str = "calibration_data.csv";
pub(super) const METRICS: &str = "metrics.json";
pub(super) const PROFILE: &str = "profile.json";
pub(super) const CONTRACT: &str = "contract.yaml";
pub(super) const SELFTEST: &str = "selftest.json";
const MODEL_CARD: &str = "MODEL_CARD.md";
const MLMODEL: &str = "MLmodel";

/// `metadata.yaml`: what the version is and where it comes from. It says nothing of its state, which is the journal's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub name: ModelName,
    /// The version.
    pub version: Version,
    /// What it predicts.
    pub task: Task,
    /// Baseline, candidate or monitor-only.
    pub path: Path,
    /// When its training was decided.
    pub created_at: Timestamp,
    /// What it was made from, by SHA-256.
    pub parents: Parents,
    /// How its model was fitted; none for a monitor-only version, which has no model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted: Option<Fitting>,
    /// The whole plan; `parents.plan` is the digest of its canonical JSON.
    pub plan: Plan,
}

/// How a version's model was fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fitting {
    /// The family that won.
    pub family: Family,
    /// Which rows did what.
    pub extent: Extent,
    /// What was tried.
    pub training: TrainingLog,
}

/// What a version was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parents {
    /// The plan.
    pub plan: Digest,
    /// The registered contract.
    pub contract: ContractRef,
    /// The frozen datasets.
    pub datasets: Vec<Digest>,
    /// The program.
    pub engine: String,
    /// The seed of all draws.
    pub seed: u64,
}

/// A version ready to be published: its files and the manifest that seals them.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    pub(super) model: ModelName,
    pub(super) version: Version,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) manifest: Manifest,
}

impl Bundle {
    /// The bundle of a candidate. `registered` are the registered contract's bytes, verbatim; `created_at` is the `at` of the
    /// TRAINING entry, so that whoever trains by one plan makes the same bytes.
    ///
    /// # Errors
    /// `WrongContract` when the contract's bytes are not the ones that the plan names; `Print` when a file cannot be printed.
    pub fn of(
        candidate: &Candidate,
        contract: &Contract,
        registered: &[u8],
        created_at: Timestamp,
    ) -> Result<Bundle, RegistryError> {
        let Candidate { family, extent, log, .. } = candidate;
        let fitting = Fitting { family: *family, extent: extent.clone(), training: log.clone() };
        let metadata = Metadata::of(&candidate.plan, candidate.task, Some(fitting), created_at)?;
        let files = [
            (METADATA, described(&metadata)?),
            (candidate.family.file(), candidate.model.clone()),
            (PREPROCESSOR, json(PREPROCESSOR, &Preprocessor::of(contract))?),
            (CALIBRATION, json(CALIBRATION, candidate.scorer.calibration())?),
            (CALIBRATION_DATA, print_margins(&candidate.calibrated_on).into_bytes()),
            (METRICS, json(METRICS, &candidate.metrics)?),
            (PROFILE, json(PROFILE, &candidate.profile)?),
            (CONTRACT, registered.to_vec()),
            (SELFTEST, json(SELFTEST, &candidate.selftest)?),
            (MODEL_CARD, card::print(&metadata, candidate, contract).into_bytes()),
            (MLMODEL, mlmodel::print(&metadata, candidate.family, contract)?.into_bytes()),
        ];
        Bundle::sealed(&candidate.plan, registered, files)
    }

    /// The bundle of a monitor-only version: what it is watched by, and no model.
    ///
    /// # Errors
    /// As [`Bundle::of`].
    pub fn of_portrait(portrait: &Portrait, registered: &[u8], created_at: Timestamp) -> Result<Bundle, RegistryError> {
        let metadata = Metadata::of(&portrait.plan, portrait.task, None, created_at)?;
        let files = [
            (METADATA, described(&metadata)?),
            (METRICS, json(METRICS, &portrait.metrics)?),
            (PROFILE, json(PROFILE, &portrait.profile)?),
            (CONTRACT, registered.to_vec()),
        ];
        Bundle::sealed(&portrait.plan, registered, files)
    }

    fn sealed(
        plan: &Plan,
        registered: &[u8],
        files: impl IntoIterator<Item = (&'static str, Vec<u8>)>,
    ) -> Result<Bundle, RegistryError> {
        let (model, version, given) = (plan.model.clone(), plan.version, Digest::of(registered));
        if given != plan.contract.sha256 {
            return Err(RegistryError::WrongContract { model, version, given, planned: plan.contract.sha256 });
        }
        let files: BTreeMap<String, Vec<u8>> =
            files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        let manifest = Manifest::of(&files);
        Ok(Bundle { model, version, files, manifest })
    }

    /// The manifest that seals it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Every file but the manifest, by name.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// How the files of a bundle with a model of this family are called, or of one without a model.
    pub(super) fn names(family: Option<Family>) -> Vec<&'static str> {
        let mut names = vec![METADATA, METRICS, PROFILE, CONTRACT];
        if let Some(family) = family {
            names.extend([family.file(), PREPROCESSOR, CALIBRATION, CALIBRATION_DATA, SELFTEST, MODEL_CARD, MLMODEL]);
        }
        names
    }
}

impl Metadata {
    fn of(plan: &Plan, task: Task, fitted: Option<Fitting>, created_at: Timestamp) -> Result<Metadata, RegistryError> {
        Ok(Metadata {
            format_version: FORMAT_VERSION,
            name: plan.model.clone(),
            version: plan.version,
            task,
            path: plan.path,
            created_at,
            parents: Parents {
                plan: plan.digest()?,
                contract: plan.contract.clone(),
                datasets: plan.datasets.clone(),
                engine: plan.engine.clone(),
                seed: plan.seed,
            },
            fitted,
            plan: plan.clone(),
        })
    }
}

fn described(metadata: &Metadata) -> Result<Vec<u8>, RegistryError> {
    let text = yaml::print(metadata).map_err(|why| RegistryError::Print { file: METADATA, why: why.to_string() })?;
    Ok(text.into_bytes())
}

fn json<T: Serialize>(file: &'static str, value: &T) -> Result<Vec<u8>, RegistryError> {
    canonical_json(value).map_err(|why| RegistryError::Print { file, why: why.to_string() })
}

/// `score,label`, each number so that it is read back exactly.
fn print_margins(rows: &[Margin]) -> String {
    let lines = rows.iter().map(|Margin { score, label }| format!("{score},{label}\n"));
    std::iter::once("score,label\n".to_owned()).chain(lines).collect()
}

/// Read `calibration_data.csv`.
pub(super) fn read_margins(bytes: &[u8]) -> Result<Vec<Margin>, String> {
    let text = str::from_utf8(bytes).map_err(|why| why.to_string())?;
    let mut lines = text.lines();
    if lines.next() != Some("score,label") {
        return Err("line 1 is not `score,label`".to_owned());
    }
    (2..)
        .zip(lines)
        .map(|(number, line)| {
            let row = line
                .split_once(',')
                .and_then(|(score, label)| Some(Margin { score: score.parse().ok()?, label: label.parse().ok()? }));
            row.filter(|row| row.score.is_finite() && row.label.is_finite())
                .ok_or_else(|| format!("line {number} is not two finite numbers"))
        })
        .collect()
}

/// Where the manifest stands among a bundle's files.
pub(super) fn with_manifest(bundle: &Bundle) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = bundle.files.clone().into_iter().collect();
    files.push((MANIFEST.to_owned(), bundle.manifest.to_string().into_bytes()));
    files
}
