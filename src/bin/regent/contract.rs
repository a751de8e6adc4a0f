//! `regent contract`: drafts, checks, registers, compares and shows feature contracts; a door.

use clap::Subcommand;
use regent::contract::{self, Diff, Proposal, RawContract, Registered};
use regent::ingest::{RawSchema, Schema};
use regent::store::Overlay;
use regent::types::{ModelName, Version};
use regent::yaml;
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene, Workspace};

/// Feature contracts: what a model may see, and what it predicts
#[derive(Debug, Subcommand)]
pub enum Contract {
    /// Draft contracts/NAME.yaml from a schema; edit it, then register it
    Infer {
        /// The schema's name: schemas/NAME.yaml
        schema: ModelName,
        /// The column that is predicted
        #[arg(long, value_name = "COLUMN")]
        target: String,
        /// The contract's and the model's name [default: the schema's]
        #[arg(long)]
        name: Option<ModelName>,
        /// Create the files instead of printing the contract
        #[arg(long)]
        write: bool,
    },
    /// Check contracts/MODEL.yaml against its schema and the last registered version; writes nothing
    Check {
        /// The model
        model: ModelName,
    },
    /// Register contracts/MODEL.yaml under the version that its changes demand
    Register {
        /// The model
        model: ModelName,
        /// Say what would be registered
        #[arg(long)]
        dry_run: bool,
    },
    /// What changed between two registered versions, or since the last one, and what it does to the version
    Diff {
        /// The model
        model: ModelName,
        /// The older version [default: the last registered one]
        from: Option<Version>,
        /// The newer version [default: contracts/MODEL.yaml]
        to: Option<Version>,
    },
    /// Print a registered contract
    Show {
        /// The model
        model: ModelName,
        /// Its version [default: the last registered one]
        version: Option<Version>,
    },
}

impl Contract {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        match self {
            Contract::Infer { schema, target, name, write } => infer(&workspace, &schema, &target, name, write),
            Contract::Check { model } => check(&workspace, &model),
            Contract::Register { model, dry_run } => register(&workspace, &model, dry_run),
            Contract::Diff { model, from, to } => diff(&workspace, &model, from, to),
            Contract::Show { model, version } => show(&workspace, &model, version),
        }
    }
}

fn infer(
    workspace: &Workspace,
    schema: &ModelName,
    target: &str,
    name: Option<ModelName>,
    write: bool,
) -> Result<Answer, Failure> {
    let name = name.unwrap_or_else(|| schema.clone());
    let draft = contract::infer_contract(&read_schema(workspace, schema)?, &name, target)?;
    let path = format!("contracts/{name}.yaml");
    let value = json!({ "format_version": 1, "path": path, "written": write, "draft": draft });
    if !write {
        return Ok(Answer::new(draft, &value)?.next(format!("add --write to create {path}")));
    }
    workspace.create_draft(&path, &draft)?;
    let mut lines = vec![format!("created {path}")];
    let policy = format!("governance/{name}/policy.yaml");
    if workspace.text(&policy)?.is_none() {
        workspace.create_draft(&policy, &first_policy(&name))?;
        lines.push(format!("created {policy}"));
    }
    Ok(Answer::new(lines.join("\n"), &value)?.next(format!("edit {path}, then: regent contract register {name}")))
}

/// The shipped policy, for another model.
fn first_policy(model: &ModelName) -> String {
    const SHIPPED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/governance/rain/policy.yaml"));
    SHIPPED.replace("incoming/rain/", &format!("incoming/{model}/"))
}

fn check(workspace: &Workspace, model: &ModelName) -> Result<Answer, Failure> {
    let proposal = propose(workspace, model)?;
    let version = proposal.contract.version();
    let mut lines = vec![match proposal.found {
        Some(_) => format!("{model} {version} is valid, and registered already"),
        None => format!("{model} {version} is valid"),
    }];
    lines.extend(changes(&proposal.diff));
    let value = json!({
        "format_version": 1, "model": model, "version": version,
        "registered": proposal.found, "changes": proposal.diff.changes,
    });
    Ok(Answer::new(lines.join("\n"), &value)?.next(format!("regent contract register {model}")))
}

fn register(workspace: &Workspace, model: &ModelName, dry_run: bool) -> Result<Answer, Failure> {
    let proposal = propose(workspace, model)?;
    let (version, found) = (proposal.contract.version(), proposal.found);
    let mut lines = changes(&proposal.diff);
    let sha256 = if dry_run {
        proposal.register(&Overlay::over(&workspace.store))?.sha256
    } else {
        proposal.register(&workspace.store)?.sha256
    };
    let verb = match (dry_run, found) {
        (_, Some(_)) => "found",
        (true, None) => "would register",
        (false, None) => "registered",
    };
    lines.insert(0, format!("{verb} {model} {version} (SHA-256 {})", sha256.short()));
    let value = json!({
        "format_version": 1, "model": model, "version": version,
        "sha256": sha256, "new": found.is_none(), "dry_run": dry_run,
    });
    Ok(Answer::new(lines.join("\n"), &value)?.next(format!("regent ingest FILE.csv --contract {model}")))
}

fn diff(
    workspace: &Workspace,
    model: &ModelName,
    from: Option<Version>,
    to: Option<Version>,
) -> Result<Answer, Failure> {
    let store = &workspace.store;
    let older = match from {
        Some(version) => registered(workspace, model, version)?,
        None => contract::latest(store, model)?,
    };
    let newer = match to {
        Some(version) => registered(workspace, model, version)?.contract,
        None => drafted(workspace, model)?,
    };
    let diff = contract::diff(&older.contract, &newer);
    let (last, wanted) = (older.contract.version(), diff.required_version(older.contract.version()));
    let mut lines = changes(&diff);
    lines.push(match diff.largest() {
        Some(change) => format!("{last} → {wanted}, because {} is a {} change", change.what, change.bump),
        None => format!("nothing changed since {last}"),
    });
    let value = json!({ "format_version": 1, "from": last, "wanted": wanted, "changes": diff.changes });
    Answer::new(lines.join("\n"), &value)
}

fn show(workspace: &Workspace, model: &ModelName, version: Option<Version>) -> Result<Answer, Failure> {
    let registered = match version {
        Some(version) => registered(workspace, model, version)?,
        None => contract::latest(&workspace.store, model)?,
    };
    let raw = registered.contract.raw();
    Answer::new(yaml::print(raw)?, &json!({ "format_version": 1, "sha256": registered.sha256, "contract": raw }))
}

/// A registered version that somebody named.
fn registered(workspace: &Workspace, model: &ModelName, version: Version) -> Result<Registered, Failure> {
    let there = contract::registered(&workspace.store, model)?;
    if there.contains(&version) {
        return Ok(contract::load_registered(&workspace.store, model, version)?);
    }
    let there: Vec<String> = there.iter().map(ToString::to_string).collect();
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    Err(Failure::usage(format!("{model} has no contract {version}; registered: {there}")))
}

fn changes(diff: &Diff) -> Vec<String> {
    diff.changes.iter().map(|change| format!("  {:<5} {}", change.bump.to_string(), change.what)).collect()
}

fn propose(workspace: &Workspace, model: &ModelName) -> Result<Proposal, Failure> {
    let (raw, schema) = draft(workspace, model)?;
    Ok(contract::propose(&raw, &schema, &workspace.store)?)
}

fn drafted(workspace: &Workspace, model: &ModelName) -> Result<contract::Contract, Failure> {
    let (raw, schema) = draft(workspace, model)?;
    Ok(raw.check(&schema).map_err(contract::ContractError::Faults)?)
}

/// `contracts/MODEL.yaml` and the schema it names.
pub fn draft(workspace: &Workspace, model: &ModelName) -> Result<(RawContract, Schema), Failure> {
    let file = format!("contracts/{model}.yaml");
    let Some(text) = workspace.text(&file)? else {
        let hint = format!("draft one: regent contract infer {model} --target COLUMN --write");
        return Err(Failure::usage(format!("there is no {file}")).hint(hint));
    };
    let raw: RawContract = yaml::read(&file, text)?;
    if &raw.contract != model {
        let what =
            format!("{file} is the contract of `{}`: a contract has its file's and its model's name", raw.contract);
        return Err(Failure::plain(Exit::Invalid, what));
    }
    let schema = read_schema(workspace, &raw.schema)?;
    Ok((raw, schema))
}

fn read_schema(workspace: &Workspace, name: &ModelName) -> Result<Schema, Failure> {
    let file = format!("schemas/{name}.yaml");
    let Some(text) = workspace.text(&file)? else {
        let hint = format!("draft one: regent schema infer FILE.csv --name {name} --write");
        return Err(Failure::usage(format!("there is no {file}")).hint(hint));
    };
    let raw: RawSchema = yaml::read(&file, text)?;
    raw.check().map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Failure::plain(Exit::Invalid, format!("{file} contradicts itself:\n  {}", faults.join("\n  ")))
    })
}
