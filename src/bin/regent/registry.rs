//! `regent registry`: immutable versions, listed, shown, verified, compared, signed and carried; a door.

mod carry;
mod monitor;
mod sign;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use regent::govern::{self, Standing};
use regent::registry::{self, Change, Metadata, RegistryError, SignatureRules, Signed, Verification};
use regent::types::{Digest, ModelName, ModelUri, Value as Number, Version};
use serde_json::{Value, json};

use crate::edge::{Answer, Exit, Failure, Scene, Workspace};

/// Immutable versions of models
#[derive(Debug, Subcommand)]
pub enum Registry {
    /// List every version, with where it stands
    List {
        /// The model [default: all]
        model: Option<ModelName>,
    },
    /// Show what a version is, where it comes from and how good it was on rows it had not seen
    Show {
        /// The model, or one of its versions: models:/rain@champion, models:/rain/1.2.0
        model: ModelUri,
        /// The version [default: the newest]
        version: Option<Version>,
    },
    /// Hold every byte of every version against its manifest, the journal and the policy's `signature`; writes nothing
    Verify {
        /// The model [default: all]
        model: Option<ModelName>,
        /// Only this version
        version: Option<Version>,
        /// Ask for a signature by this public key, whatever the policy says
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Sign a version, or file a signature of it that was made elsewhere
    Sign(sign::Sign),
    /// Write a version with its signatures into one file; the same version always gives the same bytes
    Export(carry::Export),
    /// Publish the version of such a file, after everything in it was verified
    Import(carry::Import),
    /// Enter a model that answers elsewhere, as a file of rows with its answers shows it: to be watched, never served
    Monitor(monitor::Monitor),
    /// Compare two versions, file by file and metric by metric
    Diff {
        /// The model
        model: ModelName,
        /// The one
        from: Version,
        /// The other
        to: Version,
    },
}

impl Registry {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        match self {
            Registry::Sign(sign) => sign.run(scene),
            Registry::Export(export) => export.run(scene),
            Registry::Import(import) => import.run(scene),
            Registry::Monitor(monitor) => monitor.run(scene),
            Registry::List { model } => list(&workspace, model.as_ref()),
            Registry::Show { model, version } => show(&workspace, &model.model, workspace.version(&model, version)?),
            Registry::Verify { model, version, key } => verify(&workspace, model.as_ref(), version, key.as_deref()),
            Registry::Diff { model, from, to } => diff(&workspace, &model, from, to),
        }
    }
}

fn list(workspace: &Workspace, model: Option<&ModelName>) -> Result<Answer, Failure> {
    let mut lines = Vec::new();
    let mut versions = Vec::new();
    for model in workspace.chosen(model)? {
        let standing = govern::fold(&workspace.store, &model)?;
        for version in registry::versions(&workspace.store, &model)? {
            let summary = registry::show(&workspace.store, &model, version)?;
            let state = standing.versions.get(&version).map_or_else(|| "–".to_owned(), ToString::to_string);
            let made = &summary.metadata;
            lines.push(format!(
                "{model} {version:<8} {state:<11} {}  {}  {}",
                made.created_at,
                family(made),
                summary.digest.short()
            ));
            versions.push(json!({ "model": model, "version": version, "state": state, "summary": summary }));
        }
    }
    let text = if lines.is_empty() { "no version was published yet".to_owned() } else { lines.join("\n") };
    Answer::new(text, &json!({ "format_version": 1, "versions": versions }))
}

fn show(workspace: &Workspace, model: &ModelName, version: Option<Version>) -> Result<Answer, Failure> {
    let version = version.map_or_else(|| newest(workspace, model), Ok)?;
    let summary = registry::show(&workspace.store, model, version)?;
    let made = &summary.metadata;
    let mut lines = vec![
        format!("{model} {version}"),
        format!("  bundle    {}", summary.digest),
        format!("  family    {} ({})", family(made), made.path),
        format!("  made      {} by {}", made.created_at, made.parents.engine),
        format!("  contract  {} {}", made.parents.contract.version, made.parents.contract.sha256),
        format!("  plan      {}", made.parents.plan),
    ];
    lines.extend(made.parents.datasets.iter().map(|dataset| format!("  dataset   {dataset}")));
    lines.extend(summary.threshold.map(|threshold| format!("  threshold {threshold}")));
    lines.push("  on rows it had not seen".to_owned());
    lines.extend(summary.metrics.iter().map(|metric| match &metric.interval {
        Some(interval) => {
            format!("    {} ({} to {})", metric.measurement, Number::from(interval.lower), Number::from(interval.upper))
        }
        None => format!("    {}", metric.measurement),
    }));
    lines.push("  what it leans on".to_owned());
    lines.extend(summary.importance.iter().map(|(feature, share)| format!("    {feature} {}", Number::from(*share))));
    Answer::new(
        lines.join("\n"),
        &json!({ "format_version": 1, "model": model, "version": version, "summary": summary }),
    )
}

/// The family of a version's model; a monitor-only one has none that anybody here knows.
fn family(made: &Metadata) -> String {
    made.fitted.as_ref().map_or_else(|| "elsewhere".to_owned(), |fitting| fitting.family.to_string())
}

fn newest(workspace: &Workspace, model: &ModelName) -> Result<Version, Failure> {
    registry::versions(&workspace.store, model)?.pop().ok_or_else(|| {
        Failure::usage(format!("{model} has no version yet")).hint(format!("regent train baseline {model}"))
    })
}

fn verify(
    workspace: &Workspace,
    model: Option<&ModelName>,
    version: Option<Version>,
    key: Option<&Path>,
) -> Result<Answer, Failure> {
    let mut lines = Vec::new();
    let mut values = Vec::new();
    let mut exit = Exit::Done;
    for model in workspace.chosen(model)? {
        let standing = govern::fold(&workspace.store, &model)?;
        let rules = sign::rules(workspace, &model, key)?;
        let versions = match version {
            Some(version) => vec![version],
            None => registry::versions(&workspace.store, &model)?,
        };
        for version in versions {
            let (mut faults, digest) = look(workspace, &model, version, &standing)?;
            let signed = match faults.as_slice() {
                [] => signature(workspace, &model, version, &rules, &mut faults)?,
                _ => Signed::Unchecked,
            };
            match (faults.as_slice(), &signed) {
                ([], Signed::Unchecked) => lines.push(format!("{model} {version} is what was published")),
                ([], known) => lines.push(format!("{model} {version} is what was published, {}", sign::told(known))),
                _ => {
                    exit = Exit::Integrity;
                    lines.extend(faults.iter().map(|fault| format!("{model} {version}: {fault}")));
                }
            }
            values.push(json!({
                "model": model,
                "version": version,
                "digest": digest,
                "damage": faults,
                "signed": sign::value(&signed),
            }));
        }
    }
    let text = if lines.is_empty() { "no version was published yet".to_owned() } else { lines.join("\n") };
    Ok(Answer::new(text, &json!({ "format_version": 1, "versions": values }))?.ending(exit))
}

/// What is wrong with a version, in words, and the digest that was found.
fn look(
    workspace: &Workspace,
    model: &ModelName,
    version: Version,
    standing: &Standing,
) -> Result<(Vec<String>, Option<Digest>), Failure> {
    match registry::verify(&workspace.store, model, version, recorded(standing, version)) {
        Ok(Verification { damage, digest, .. }) => Ok((damage.iter().map(ToString::to_string).collect(), digest)),
        Err(error) => {
            let failure = Failure::from(error);
            if failure.exit == Exit::Integrity { Ok((vec![failure.sentence()], None)) } else { Err(failure) }
        }
    }
}

/// Whose signature stands for a whole version; one that the rules ask for and is not there is one more fault.
fn signature(
    workspace: &Workspace,
    model: &ModelName,
    version: Version,
    rules: &SignatureRules,
    faults: &mut Vec<String>,
) -> Result<Signed, Failure> {
    match registry::signed(&workspace.store, model, version, rules) {
        Ok(signed) => Ok(signed),
        Err(RegistryError::Untrusted { why, .. }) => {
            faults.push(why.to_string());
            Ok(Signed::Not(why))
        }
        Err(error) => Err(error.into()),
    }
}

/// The manifest's digest as the journal knows it.
pub fn recorded(standing: &Standing, version: Version) -> Option<Digest> {
    let champions =
        standing.champion.iter().chain(&standing.retired).map(|champion| (champion.version, Some(champion.bundle)));
    let candidate = standing.candidate.iter().map(|candidate| (candidate.version, candidate.bundle));
    champions.chain(candidate).find(|(known, _)| *known == version).and_then(|(_, digest)| digest)
}

fn diff(workspace: &Workspace, model: &ModelName, from: Version, to: Version) -> Result<Answer, Failure> {
    let difference = registry::diff(&workspace.store, model, from, to)?;
    let mut lines: Vec<String> = difference
        .files
        .iter()
        .map(|(name, change)| match change {
            Change::Added => format!("  + {name}"),
            Change::Removed => format!("  - {name}"),
            Change::Changed => format!("  ~ {name}"),
        })
        .collect();
    let told = |value: &Option<Number>| value.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string);
    lines.extend(
        difference.metrics.iter().map(|(name, one, other)| format!("  {name} {} → {}", told(one), told(other))),
    );
    lines.insert(0, format!("{model} {from} → {to}"));
    let value: Value = json!({ "format_version": 1, "model": model, "from": from, "to": to, "difference": difference });
    Answer::new(lines.join("\n"), &value)
}
