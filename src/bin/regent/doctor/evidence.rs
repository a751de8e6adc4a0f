//! What a model's decisions rest on: its journal, bundles, datasets and contracts, each judged by the part of the library that
//! reads it; through the store.

use regent::contract;
use regent::govern::{Standing, journal};
use regent::ingest::{self, Dataset};
use regent::registry;
use regent::store::{Key, Store};
use regent::types::{Digest, ModelName, Version};

use super::{Finding, counted};
use crate::contract::draft;
use crate::edge::{Exit, Failure, Workspace};
use crate::registry::recorded;

const VERIFY: &str = "bring it back from a copy; nothing is decided until then";

pub(super) fn look(workspace: &Workspace, model: &ModelName) -> Vec<Finding> {
    let store = &workspace.store;
    let (chain, standing) = chain(store, model);
    let standing = standing.unwrap_or_default();
    let mut findings = vec![chain, bundles(store, model, &standing), datasets(store, model)];
    findings.push(contracts(store, model, &standing));
    findings.push(drafted(workspace, model));
    findings
}

/// The journal folds, and what each entry was decided on is there, byte for byte.
fn chain(store: &dyn Store, model: &ModelName) -> (Finding, Option<Standing>) {
    const CHECK: &str = "chain";
    let entries = match journal::read(store, model) {
        Ok(entries) => entries,
        Err(error) => return (Finding::failed(CHECK, &error.into(), VERIFY), None),
    };
    let folded =
        entries.iter().try_fold(Standing::default(), |standing, (entry, digest)| standing.after(entry, *digest));
    let standing = match folded {
        Ok(standing) => standing,
        Err(error) => return (Finding::failed(CHECK, &error.into(), VERIFY), None),
    };
    let inputs = entries.iter().flat_map(|(entry, _)| entry.inputs.iter().map(move |input| (entry.seq, *input)));
    let mut looked = 0;
    for (seq, input) in inputs {
        looked += 1;
        if let Err(what) = is_input(store, model, input) {
            let what = format!("entry {seq} was decided on inputs/{input}.json, and {what}");
            return (Finding::fail(CHECK, Exit::Integrity, what, VERIFY), Some(standing));
        }
    }
    let what = match &standing.head {
        Some((seq, digest)) => format!(
            "{seq} entries in a chain whose head is {}, and {} as recorded",
            digest.short(),
            counted(looked, "input")
        ),
        None => "nothing was decided yet".to_owned(),
    };
    (Finding::ok(CHECK, what), Some(standing))
}

fn is_input(store: &dyn Store, model: &ModelName, input: Digest) -> Result<(), String> {
    let key = Key::new(&format!("governance/{model}/inputs/{input}.json")).map_err(|error| error.to_string())?;
    let bytes = store.read(&key).map_err(|error| Failure::from(error).sentence())?;
    if Digest::of(&bytes) == input { Ok(()) } else { Err("its bytes are others".to_owned()) }
}

/// Every version verifies, and is the one that the journal names.
fn bundles(store: &dyn Store, model: &ModelName, standing: &Standing) -> Finding {
    const CHECK: &str = "bundles";
    let versions = match registry::versions(store, model) {
        Ok(versions) => versions,
        Err(error) => return Finding::failed(CHECK, &error.into(), VERIFY),
    };
    let named = standing.champion_version().into_iter().chain(standing.retired.iter().map(|former| former.version));
    let missing: Vec<String> =
        named.filter(|named| !versions.contains(named)).map(|version| format!("{version} is not there")).collect();
    let found = versions.iter().filter_map(|version| damage(store, model, *version, standing));
    let faults: Vec<String> = missing.into_iter().chain(found).collect();
    if faults.is_empty() {
        return Finding::ok(CHECK, format!("{} as published", counted(versions.len(), "version")));
    }
    let what = faults.join("; ");
    Finding::fail(
        CHECK,
        Exit::Integrity,
        what,
        format!("bring it back from a copy, then `regent registry verify {model}`"),
    )
}

fn damage(store: &dyn Store, model: &ModelName, version: Version, standing: &Standing) -> Option<String> {
    match registry::verify(store, model, version, recorded(standing, version)) {
        Ok(found) if found.damage.is_empty() => None,
        Ok(found) => {
            let damage: Vec<String> = found.damage.iter().map(ToString::to_string).collect();
            Some(format!("{version}: {}", damage.join(", ")))
        }
        Err(error) => Some(Failure::from(error).sentence()),
    }
}

/// Every dataset is what was frozen, and can be read.
fn datasets(store: &dyn Store, model: &ModelName) -> Finding {
    const CHECK: &str = "datasets";
    let mend = "bring it back from a copy, or ingest its file again into an empty workspace";
    let described = match ingest::datasets(store, model) {
        Ok(described) => described,
        Err(error) => return Finding::failed(CHECK, &error.into(), mend),
    };
    for (digest, _) in &described {
        if let Err(error) = Dataset::load(store, model, *digest) {
            return Finding::failed(CHECK, &error.into(), mend);
        }
    }
    let rows: u64 = described.iter().map(|(_, meta)| meta.rows).sum();
    Finding::ok(CHECK, format!("{} with {rows} rows as frozen", counted(described.len(), "dataset")))
}

/// The contracts of the champion and the candidate are registered, with the bytes that the bundles hold.
fn contracts(store: &dyn Store, model: &ModelName, standing: &Standing) -> Finding {
    const CHECK: &str = "contracts";
    let mend = "bring the registered contract back from a copy; the bundle holds one";
    let registered = match contract::registered(store, model) {
        Ok(registered) => registered,
        Err(error) => return Finding::failed(CHECK, &error.into(), mend),
    };
    let candidate = standing.candidate.iter().filter(|candidate| candidate.bundle.is_some());
    let working = standing.champion_version().into_iter().chain(candidate.map(|candidate| candidate.version));
    for version in working {
        // A bundle that does not verify is told above.
        let Ok(bundle) = registry::fetch(store, model, version) else { continue };
        let made_under = &bundle.metadata().parents.contract;
        match contract::load_registered(store, model, made_under.version) {
            Ok(found) if found.sha256 == made_under.sha256 => {}
            Ok(found) => {
                let what = format!(
                    "{version} was made under contract {} ({}), and the registered one is {}",
                    made_under.version,
                    made_under.sha256.short(),
                    found.sha256.short()
                );
                return Finding::fail(CHECK, Exit::Integrity, what, mend);
            }
            Err(error) => return Finding::failed(CHECK, &error.into(), mend),
        }
    }
    Finding::ok(
        CHECK,
        format!("{} registered, among them those that the models at work were made under", registered.len()),
    )
}

/// The contract that people write is valid, and registered as it stands.
fn drafted(workspace: &Workspace, model: &ModelName) -> Finding {
    const CHECK: &str = "draft";
    let mend = format!("regent contract check {model}");
    let failed = |failure: &Failure| match failure.exit {
        // There is none: a workspace that only serves needs none.
        Exit::Usage => Finding::ok(CHECK, format!("there is no contracts/{model}.yaml to be registered")),
        _ => Finding::failed(CHECK, failure, mend.clone()),
    };
    let (raw, schema) = match draft(workspace, model) {
        Ok(draft) => draft,
        Err(failure) => return failed(&failure),
    };
    match contract::propose(&raw, &schema, &workspace.store) {
        Ok(proposal) if proposal.found.is_some() => {
            Finding::ok(CHECK, format!("contracts/{model}.yaml is registered as {}", proposal.contract.version()))
        }
        Ok(proposal) => {
            let what = format!("contracts/{model}.yaml ({}) is not registered", proposal.contract.version());
            Finding::warn(CHECK, what, format!("regent contract register {model}"))
        }
        Err(error) => failed(&error.into()),
    }
}
