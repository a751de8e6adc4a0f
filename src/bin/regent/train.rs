//! `regent train`: a person begins a training; a door. The same road as the governor's, with the person as actor.

use clap::{Args, Subcommand};
use regent::contract;
use regent::govern::{self, Standing};
use regent::promote::{self, Context, Turn};
use regent::store::Overlay;
use regent::types::ModelName;
use serde_json::json;

use crate::edge::{Answer, Failure, Scene, Workspace};

/// Train a model by hand; the governor walks it from there
#[derive(Debug, Subcommand)]
pub enum Train {
    /// The first model of a lineage: learns from all rows, and is what later models are held against
    Baseline(Order),
    /// A later model: learns from as much of the newest rows as helps
    Candidate(Order),
}

/// Whom to train, and who says so
#[derive(Debug, Args)]
pub struct Order {
    /// The model
    model: ModelName,
    /// Who asks for it
    #[arg(long, env = "USER", default_value = "somebody", hide_env_values = true)]
    author: String,
    /// Why
    #[arg(long, default_value = "asked for by hand")]
    reason: String,
    /// Say what would be trained
    #[arg(long)]
    dry_run: bool,
}

impl Train {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        match self {
            Train::Baseline(order) => {
                refuse_a_second_baseline(&workspace, &order.model)?;
                order.carry_out("baseline", &workspace, scene)
            }
            Train::Candidate(order) => {
                if standing(&workspace, &order.model)?.champion.is_none() {
                    let what = format!("{} has no champion to be a candidate beside", order.model);
                    return Err(Failure::usage(what).hint(format!("regent train baseline {}", order.model)));
                }
                order.carry_out("candidate", &workspace, scene)
            }
        }
    }
}

fn standing(workspace: &Workspace, model: &ModelName) -> Result<Standing, Failure> {
    Ok(govern::fold(&workspace.store, model)?)
}

/// There is one baseline in a lineage; a new major version of the contract begins another lineage.
fn refuse_a_second_baseline(workspace: &Workspace, model: &ModelName) -> Result<(), Failure> {
    let Some(champion) = standing(workspace, model)?.champion else {
        return Ok(());
    };
    let contract = contract::latest(&workspace.store, model)?.contract.version();
    if champion.version.major < contract.major {
        return Ok(());
    }
    let what = format!("{model} {} serves already: the lineage has its baseline", champion.version);
    Err(Failure::usage(what).hint(format!("regent train candidate {model}")))
}

impl Order {
    fn carry_out(&self, path: &str, workspace: &Workspace, scene: &Scene) -> Result<Answer, Failure> {
        let model = &self.model;
        let governed = workspace.governed(model)?;
        if self.dry_run {
            return rehearse(&governed.context(&Overlay::over(&workspace.store), &self.author), path, scene);
        }
        let context = governed.context(&workspace.store, &self.author);
        scene.say(&format!("training a {path} of {model} …"));
        let version = promote::begin(&context, &self.reason, scene.now)?;
        let value = json!({ "format_version": 1, "model": model, "version": version, "path": path });
        let text = format!("trained {model} {version}, filed as registry/{model}/{version}");
        Ok(Answer::new(text, &value)?.next("governor"))
    }
}

/// The plan that would be pinned.
fn rehearse(context: &Context<'_>, path: &str, scene: &Scene) -> Result<Answer, Failure> {
    let model = context.model;
    let observation = promote::tick(context, scene.now, Turn::Rehearsal)?.observation;
    let Some(plan) = observation.next else {
        return Err(Failure::usage(format!("{model} has no labelled rows to train on"))
            .hint(format!("regent ingest FILE.csv --contract {model}")));
    };
    let (rows, datasets) = (observation.data.rows, plan.datasets.len());
    let text = format!("would train a {path} {model} {} on {rows} rows of {datasets} datasets", plan.version);
    Answer::new(
        text,
        &json!({ "format_version": 1, "model": model, "path": path, "rows": rows, "plan": plan, "dry_run": true }),
    )
}
