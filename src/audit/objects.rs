//! What lies in a model's folders against what names it: inputs, bundles, datasets, contracts, reports; through the store.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::examiner::Examiner;
use super::named::Named;
use super::{AuditError, Fault};
use crate::govern::{Cited, ReportKind};
use crate::ingest::{DatasetMeta, FEATURES, SEAL, dataset_key, datasets_key};
use crate::promote::Inputs;
use crate::registry::{self, Damage, Lineage, MANIFEST, RegistryError};
use crate::store::Key;
use crate::types::{Digest, Version};
use crate::yaml;

/// Files called `<sha256>.json`, and whether each is what its name says; returns the digests of those that are there.
fn by_digest(
    examiner: &mut Examiner<'_>,
    folder: &Key,
    entry_of: impl Fn(Digest) -> Option<u64>,
    mut sound: impl FnMut(&mut Examiner<'_>, &Key, Digest, &[u8]),
) -> Result<BTreeSet<Digest>, AuditError> {
    let mut there = BTreeSet::new();
    for name in examiner.names(folder)? {
        let key = folder.join(&name)?;
        let Some(digest) = name.strip_suffix(".json").and_then(|digest| Digest::from_str(digest).ok()) else {
            examiner.find(key, None, Fault::Stranger, "its name is no SHA-256");
            continue;
        };
        there.insert(digest);
        if let Some(bytes) = examiner.sealed(&key, digest, entry_of(digest))? {
            sound(examiner, &key, digest, &bytes);
        }
    }
    Ok(there)
}

/// Everything that decisions rest on; what it names is named from here on.
pub(super) fn inputs(examiner: &mut Examiner<'_>, named: &mut Named) -> Result<u64, AuditError> {
    let folder = examiner.key("governance", "inputs")?;
    let cited = named.inputs.clone();
    let there = by_digest(
        examiner,
        &folder,
        |digest| cited.get(&digest).copied(),
        |examiner, key, digest, bytes| {
            // What a crash left before its entry was written is nobody's evidence.
            let Some(seq) = cited.get(&digest) else { return };
            match serde_json::from_slice::<Inputs>(bytes) {
                Ok(inputs) => named.by_observation(&inputs.observation, *seq),
                Err(why) => {
                    examiner.find(key, Some(*seq), Fault::Unreadable, format!("it is no decision's inputs: {why}"));
                }
            }
        },
    )?;
    for (digest, seq) in cited.iter().filter(|(digest, _)| !there.contains(digest)) {
        examiner.bytes(&folder.join(&format!("{digest}.json"))?, Some(*seq))?;
    }
    Ok(there.len() as u64)
}

/// Every report that is filed, and every one that is cited.
pub(super) fn reports(examiner: &mut Examiner<'_>, named: &Named) -> Result<u64, AuditError> {
    let mut count = 0;
    for kind in ReportKind::ALL {
        let folder = examiner.key("var", &format!("reports/{kind}"))?;
        let entry_of = |sha256| named.reports.get(&Cited { kind, sha256 }).copied();
        let there = by_digest(examiner, &folder, entry_of, |_, _, _, _| {})?;
        count += there.len() as u64;
        let cited = named.reports.iter().filter(|(cited, _)| cited.kind == kind && !there.contains(&cited.sha256));
        for (cited, seq) in cited {
            examiner.bytes(&folder.join(&format!("{}.json", cited.sha256))?, Some(*seq))?;
        }
    }
    Ok(count)
}

/// Every bundle against its manifest, the manifest against the journal, and its parents against the TRAINING entry.
pub(super) fn bundles(
    examiner: &mut Examiner<'_>,
    named: &mut Named,
) -> Result<BTreeMap<Version, Lineage>, AuditError> {
    let folder = Key::new(&format!("registry/{}", examiner.model))?;
    let mut versions: BTreeSet<Version> = named.bundles.keys().map(|(version, _)| *version).collect();
    for name in examiner.names(&folder)? {
        match Version::from_str(&name) {
            Ok(version) => drop(versions.insert(version)),
            Err(_) if name == "contracts" => {}
            Err(_) => {
                examiner.find(folder.join(&name)?, None, Fault::Stranger, "it is neither a version nor contracts");
            }
        }
    }
    let mut bundles = BTreeMap::new();
    for version in versions {
        let (entry, place) = (named.bundle_entry(version), folder.join(&version.to_string())?);
        match registry::lineage(examiner.store, examiner.model, version) {
            Ok(lineage) => {
                examiner.bytes += lineage.bytes;
                for damage in &lineage.damage {
                    let file = format!("{place}/{}", file_of(damage));
                    examiner.find(file, entry, fault_of(damage), damage.to_string());
                }
                recorded(examiner, named, version, &lineage, &place);
                parents(examiner, named, version, &lineage, &place);
                bundles.insert(version, lineage);
            }
            Err(RegistryError::NoSuchVersion { .. }) => examiner.find(place, entry, Fault::Missing, "it is missing"),
            Err(RegistryError::Store(crate::store::StoreError::NotAFolder { .. })) => {
                examiner.find(place, entry, Fault::Stranger, "it is not a folder");
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(bundles)
}

/// Every manifest that an entry names is the one that is there.
fn recorded(examiner: &mut Examiner<'_>, named: &Named, version: Version, lineage: &Lineage, place: &Key) {
    let Some(found) = lineage.digest else { return };
    for ((_, recorded), seq) in named.bundles.iter().filter(|((named, _), _)| *named == version) {
        if *recorded != found {
            let what = format!("its SHA-256 is {}, entry {seq} names {}", found.short(), recorded.short());
            examiner.find(format!("{place}/{MANIFEST}"), Some(*seq), Fault::Altered, what);
        }
    }
}

/// Bundle → {dataset, contract, plan}: what `metadata.yaml` names is what the TRAINING entry pinned.
fn parents(examiner: &mut Examiner<'_>, named: &mut Named, version: Version, lineage: &Lineage, place: &Key) {
    let Some(metadata) = &lineage.metadata else { return };
    let (file, entry) = (format!("{place}/metadata.yaml"), named.bundle_entry(version));
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(why) => return examiner.find(file, entry, Fault::Unreadable, why.clone()),
    };
    let made = &metadata.parents;
    let plan = metadata.plan.digest().ok();
    let pinned = named.plans.get(&version);
    let holds = [
        (metadata.version == version && &metadata.name == examiner.model, "it is of another version"),
        (plan == Some(made.plan), "its plan is not the plan that it names"),
        (
            made.contract == metadata.plan.contract && made.datasets == metadata.plan.datasets,
            "it has other parents than its plan",
        ),
        (lineage.contract == Some(made.contract.sha256), "contract.yaml is not the contract that it names"),
        (
            pinned.is_none_or(|(plan, _, _)| *plan == metadata.plan),
            "its plan is not the one that the TRAINING entry pins",
        ),
        (
            pinned.is_none_or(|(_, at, _)| *at == metadata.created_at),
            "it was made at another instant than the TRAINING entry",
        ),
    ];
    for (_, what) in holds.into_iter().filter(|(holds, _)| !holds) {
        examiner.find(&file, entry, Fault::Contradiction, what);
    }
    named.contract(made.contract.version, made.contract.sha256, entry);
    for dataset in &made.datasets {
        if let Some(entry) = entry {
            named.datasets.entry(*dataset).or_insert(entry);
        }
    }
}

/// Every dataset against its digest: its description, then its rows.
pub(super) fn datasets(
    examiner: &mut Examiner<'_>,
    named: &mut Named,
) -> Result<BTreeMap<Digest, DatasetMeta>, AuditError> {
    let folder = datasets_key(examiner.model)?;
    let mut digests: BTreeSet<Digest> = named.datasets.keys().copied().collect();
    for name in examiner.names(&folder)? {
        match Digest::from_str(&name) {
            Ok(digest) => drop(digests.insert(digest)),
            Err(_) => examiner.find(folder.join(&name)?, None, Fault::Stranger, "its name is no SHA-256"),
        }
    }
    let mut found = BTreeMap::new();
    for digest in digests {
        let entry = named.datasets.get(&digest).copied();
        if let Some(meta) = dataset(examiner, digest, entry)? {
            named.contract(meta.contract.version, meta.contract.sha256, entry);
            found.insert(digest, meta);
        }
    }
    Ok(found)
}

fn dataset(examiner: &mut Examiner<'_>, digest: Digest, entry: Option<u64>) -> Result<Option<DatasetMeta>, AuditError> {
    let place = dataset_key(examiner.model, digest)?;
    for name in examiner.names(&place)? {
        if ![FEATURES, SEAL].contains(&name.as_str()) {
            examiner.find(place.join(&name)?, entry, Fault::Stranger, "it is no file of a dataset");
        }
    }
    let seal = place.join(SEAL)?;
    let Some(bytes) = examiner.sealed(&seal, digest, entry)? else { return Ok(None) };
    let meta: DatasetMeta = match yaml::read(seal.as_str(), bytes) {
        Ok(meta) => meta,
        Err(why) => {
            examiner.find(seal, entry, Fault::Unreadable, why.to_string());
            return Ok(None);
        }
    };
    if &meta.model != examiner.model {
        examiner.find(seal, entry, Fault::Contradiction, format!("it is of the model `{}`", meta.model));
    }
    examiner.sealed_pieces(&place.join(FEATURES)?, meta.features_sha256, entry)?;
    Ok(Some(meta))
}

/// Every contract that something names, and whatever else lies beside them.
pub(super) fn contracts(examiner: &mut Examiner<'_>, named: &Named) -> Result<u64, AuditError> {
    let folder = Key::new(&format!("registry/{}/contracts", examiner.model))?;
    let mut count = 0;
    for name in examiner.names(&folder)? {
        match name.strip_suffix(".yaml").and_then(|version| Version::from_str(version).ok()) {
            Some(_) => count += 1,
            None => examiner.find(folder.join(&name)?, None, Fault::Stranger, "it is no registered contract"),
        }
    }
    for ((version, sha256), entry) in &named.contracts {
        examiner.sealed(&folder.join(&format!("{version}.yaml"))?, *sha256, *entry)?;
    }
    Ok(count)
}

fn file_of(damage: &Damage) -> &str {
    match damage {
        Damage::Manifest { .. } | Damage::OtherManifest { .. } => MANIFEST,
        Damage::Missing { file }
        | Damage::Extra { file }
        | Damage::Altered { file, .. }
        | Damage::Swapped { file, .. }
        | Damage::NotAFile { file } => file,
    }
}

fn fault_of(damage: &Damage) -> Fault {
    match damage {
        Damage::Missing { .. } => Fault::Missing,
        Damage::Extra { .. } | Damage::NotAFile { .. } => Fault::Stranger,
        Damage::Manifest { .. } | Damage::OtherManifest { .. } | Damage::Altered { .. } | Damage::Swapped { .. } => {
            Fault::Altered
        }
    }
}
