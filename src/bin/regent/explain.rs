//! `regent explain`: why a version is or is not promoted, in one screen, or one decision with all it rests on; a door.

use clap::Args;
use regent::audit::{self, Seen, Why};
use regent::govern::{Entry, Observation, State, journal};
use regent::promote::{self, Inputs, Turn};
use regent::store::Overlay;
use regent::types::{ModelName, ModelUri, Version};
use serde_json::json;

use crate::edge::{Answer, Failure, Scene, Workspace, words};
use crate::evidence::{self, Detail, Evidence};

/// Why a version is or is not promoted, and what would change that
#[derive(Debug, Args)]
pub struct Explain {
    /// The model, or one of its versions: models:/rain@champion, models:/rain/1.2.0
    model: Option<ModelUri>,
    /// The version [default: the candidate, else the champion]
    version: Option<Version>,
    /// Explain one decision instead, with every check it rests on; the number is as `regent history` prints it
    #[arg(long, value_name = "N", conflicts_with = "version")]
    entry: Option<u64>,
}

/// So many open checks are shown: with what surrounds them they fit a screen of 24 lines.
const SHOWN: usize = 8;

impl Explain {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let model = workspace.model(self.model.as_ref().map(|named| named.model.clone()))?;
        let entries: Vec<Entry> =
            journal::read(&workspace.store, &model)?.into_iter().map(|(entry, _)| entry).collect();
        match self.entry {
            Some(_) if self.model.as_ref().is_some_and(|named| named.which.is_some()) => {
                Err(Failure::usage("an entry is not of one version: name the model alone"))
            }
            Some(seq) => of_entry(&workspace, &model, &entries, seq),
            None => {
                let named = self.model.as_ref().map(|named| workspace.version(named, self.version));
                of_version(scene, &workspace, &model, &entries, named.transpose()?.flatten())
            }
        }
    }
}

fn of_version(
    scene: &Scene,
    workspace: &Workspace,
    model: &ModelName,
    entries: &[Entry],
    version: Option<Version>,
) -> Result<Answer, Failure> {
    let governed = workspace.governed(model)?;
    // The same eyes and the same reasons as the governor's, and no trace.
    let rehearsal = Overlay::over(&workspace.store);
    let tick = promote::tick(&governed.context(&rehearsal, "explain"), scene.now, Turn::Rehearsal)?;
    let standing = &tick.standing;
    let candidate = standing.candidate.as_ref().map(|candidate| candidate.version);
    let asked = version.or(candidate).or(standing.champion_version());
    let asked = asked.or_else(|| standing.versions.keys().next_back().copied());
    let Some(version) = asked else {
        return Err(Failure::usage(format!("{model} has no version yet")).hint(format!("regent status {model}")));
    };
    let last = entries.iter().rev().find(|entry| {
        let mut steps = entry.decision.transitions.iter();
        steps.any(|step| step.version == version)
    });
    let inputs = match last {
        Some(entry) => audit::read_inputs(&workspace.store, model, entry)?,
        None => None,
    };
    let then: Option<&Observation> = inputs.as_ref().map(|inputs| &inputs.observation);
    let seen =
        Seen { entries, standing, now: &tick.observation, decision: &tick.decision, then, rules: &governed.rules };
    let Some(why) = audit::why(model, version, seen) else {
        let known: Vec<String> = standing.versions.keys().map(ToString::to_string).collect();
        let what = format!("the journal of {model} knows no version {version}");
        return Err(Failure::usage(what).hint(format!("it knows {}", known.join(", "))));
    };
    let value = json!({ "format_version": 1, "model": model, "why": why });
    Answer::new(screen(model, &why), &value)
}

fn screen(model: &ModelName, why: &Why) -> String {
    let Why { version, state, since, entry, .. } = why;
    let is = if *state == State::Promoted { "is promoted" } else { "is not promoted" };
    let mut lines = vec![format!("{model} {version} {is}: it is {state} since {since} (entry {entry})")];
    lines.extend(why.because.iter().map(|reason| format!("  because   {reason}")));
    let newest_first = why.open.iter().take(SHOWN);
    lines.extend(newest_first.map(|open| format!("  open      {}: {}", open.about, open.check)));
    if let more @ 1.. = why.open.len().saturating_sub(SHOWN) {
        lines.push(format!("  open      and {more} more: regent explain {model} {version} -o json"));
    }
    if why.passed > 0 {
        lines.push(format!("  passed    {} checks", why.passed));
    }
    lines.extend(why.waits.iter().map(|wait| format!("  note      {wait}")));
    lines.extend(why.would_change.iter().map(|change| format!("  change    {change}")));
    lines.join("\n")
}

fn of_entry(workspace: &Workspace, model: &ModelName, entries: &[Entry], seq: u64) -> Result<Answer, Failure> {
    let Some(entry) = entries.iter().find(|entry| entry.seq == seq) else {
        return Err(Failure::usage(format!("{model} has no entry {seq}; the newest is {}", entries.len()))
            .hint(format!("regent status {model} says what to do next")));
    };
    let inputs: Option<Inputs> = audit::read_inputs(&workspace.store, model, entry)?;
    let mut evidence: Vec<Evidence> = entry.decision.retrain.iter().map(evidence::of_retraining).collect();
    evidence.extend(inputs.iter().flat_map(|inputs| evidence::of(&inputs.observation, Detail::All)));
    let value = json!({ "format_version": 1, "model": model, "entry": entry, "evidence": evidence });
    Answer::new(text(entry, &evidence), &value)
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
