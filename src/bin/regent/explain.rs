//! `regent explain`: one decision with everything it rests on, as it was recorded; a door.

use clap::Args;
use regent::govern::{Entry, Observation, Override, Rules, journal};
use regent::store::{Key, Store};
use regent::types::{Digest, ModelName};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene, words};
use crate::evidence::{self, Detail, Evidence};

/// Why: a decision, its reasons, and every check it rests on
#[derive(Debug, Args)]
pub struct Explain {
    /// The model
    model: Option<ModelName>,
    /// The entry's number, as `regent history` prints it [default: the newest]
    #[arg(long, value_name = "N")]
    entry: Option<u64>,
}

/// What a decision was made on: `governance/<model>/inputs/<sha256>.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Inputs {
    rules: Rules,
    overrides: Vec<Override>,
    observation: Observation,
}

impl Explain {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let model = workspace.model(self.model)?;
        let entries = journal::read(&workspace.store, &model)?;
        let newest = entries.len() as u64;
        let seq = self.entry.unwrap_or(newest);
        let Some((entry, _)) = entries.into_iter().find(|(entry, _)| entry.seq == seq) else {
            return Err(Failure::usage(format!("{model} has no entry {seq}; the newest is {newest}"))
                .hint(format!("regent status {model} says what to do next")));
        };
        let inputs = entry.inputs.iter().map(|digest| read(&workspace.store, &model, *digest));
        let inputs: Vec<Inputs> = inputs.collect::<Result<_, _>>()?;
        let mut evidence: Vec<Evidence> = entry.decision.retrain.iter().map(evidence::of_retraining).collect();
        evidence.extend(inputs.iter().flat_map(|inputs| evidence::of(&inputs.observation, Detail::All)));
        let value = json!({ "format_version": 1, "model": model, "entry": entry, "evidence": evidence });
        Answer::new(text(&entry, &evidence), &value)
    }
}

fn text(entry: &Entry, evidence: &[Evidence]) -> String {
    let mut lines = vec![words::entry(entry), format!("      decided by {} (transaction {})", entry.engine, entry.txn)];
    let record = &entry.decision;
    lines.extend(record.transitions.iter().map(|step| format!("  step    {}", words::step(step))));
    lines.extend(record.judged.iter().map(|window| format!("  window  {window}")));
    lines.extend(record.reasons.iter().map(|reason| format!("  because {reason}")));
    let retrain = record.retrain.iter().flat_map(|retrain| &retrain.reasons);
    lines.extend(retrain.map(|reason| format!("  retrain {reason}")));
    for group in evidence {
        lines.push(String::new());
        lines.extend(evidence::lines(group));
    }
    lines.join("\n")
}

/// What was recorded, if it is still what was recorded.
fn read(store: &dyn Store, model: &ModelName, digest: Digest) -> Result<Inputs, Failure> {
    let key = Key::new(&format!("governance/{model}/inputs/{digest}.json"))?;
    let bytes = store.read(&key)?;
    if Digest::of(&bytes) != digest {
        return Err(Failure::plain(Exit::Integrity, format!("{key} is not what was decided on: its digest differs")));
    }
    serde_json::from_slice(&bytes).map_err(|error| Failure::because(Exit::Integrity, format!("read {key}"), error))
}
