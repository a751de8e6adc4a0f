//! `governor`: one tick for every model, then it ends; a door. A scheduler runs it as often as it likes.
#![expect(clippy::disallowed_methods, reason = "a door: it reads the clock once")]

#[path = "regent/edge/mod.rs"]
#[expect(dead_code, reason = "the governor needs less of the edge than the commands do")]
mod edge;

use clap::Parser;
use regent::alert::{self, Alert};
use regent::drift;
use regent::govern::{Decision, Entry, Standing, State, overrides};
use regent::promote::{self, Context, Tick, Turn};
use regent::store::{Overlay, Store};
use regent::types::{ModelName, Timestamp, Verdict};
use serde_json::{Value, json};

use edge::{Answer, Exit, Failure, Scene, SceneArguments, words};

/// Observe, decide, act: one tick for every model. The default outcome is no change.
#[derive(Debug, Parser)]
#[command(name = "governor", version, after_help = Exit::table())]
struct Governor {
    /// Only this model
    #[arg(long)]
    model: Option<ModelName>,
    /// Write nothing; print the decision that would be taken
    #[arg(long)]
    dry_run: bool,
    /// Tell by the exit code what was found: 10 held, 11 rolled back, 12 drift
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    scene: SceneArguments,
}

fn main() -> Exit {
    let Governor { model, dry_run, exit_code, scene } = Governor::parse();
    let scene = Scene::set(scene);
    let turn = if dry_run { Turn::Rehearsal } else { Turn::Real };
    scene.end(govern(&scene, model.as_ref(), turn, exit_code))
}

fn govern(scene: &Scene, model: Option<&ModelName>, turn: Turn, tell: bool) -> Result<Answer, Failure> {
    let workspace = scene.workspace()?;
    let rehearsal = Overlay::over(&workspace.store);
    let store: &dyn Store = if turn == Turn::Rehearsal { &rehearsal } else { &workspace.store };
    let models = workspace.chosen(model)?;
    let (governed, unread) = split(models.iter().map(|model| (model, workspace.governed(model))));
    let contexts: Vec<Context> = governed.iter().map(|governed| governed.context(store, "governor")).collect();
    let runs = promote::run(&contexts, scene.now, turn)?;
    let seen = contexts.iter().zip(runs).map(|(context, ticks)| Seen::of(context, ticks, scene.now));
    told(&seen.collect::<Result<Vec<_>, _>>()?, &unread, turn, tell)
}

/// A model whose policy cannot be read, and why.
type Unread = (ModelName, Failure);

/// A policy that cannot be read holds its own model and no other.
fn split<'a, T>(read: impl Iterator<Item = (&'a ModelName, Result<T, Failure>)>) -> (Vec<T>, Vec<Unread>) {
    let (mut governed, mut unread) = (Vec::new(), Vec::new());
    for (model, outcome) in read {
        match outcome {
            Ok(read) => governed.push(read),
            Err(failure) => unread.push((model.clone(), failure)),
        }
    }
    (governed, unread)
}

/// What a turn came to for one model: a tick, and one more after each training.
struct Seen {
    model: ModelName,
    ticks: Vec<Tick>,
    alerts: Vec<Alert>,
    exit: Exit,
}

impl Seen {
    /// Raise what a person must know, and find the code that says how the turn ended.
    fn of(context: &Context<'_>, ticks: Vec<Tick>, now: Timestamp) -> Result<Seen, Failure> {
        let mut seen = Seen { model: context.model.clone(), ticks, alerts: Vec::new(), exit: Exit::Done };
        let Some(last) = seen.ticks.last() else { return Ok(seen) };
        let findings = alert::derive(&last.observation, &last.decision, context.rules);
        let steps =
            seen.ticks.iter().filter_map(|tick| tick.decision.record.as_ref()).flat_map(|record| &record.transitions);
        let rolled_back = steps.into_iter().any(|step| step.to == State::RolledBack);
        let drifted = drift::confirm(&last.observation.drift, &context.rules.drift).verdict == Verdict::Fail;
        seen.exit = match (overrides::load(context.store, context.model), &last.decision.held) {
            (Err(_), _) => Exit::Invalid,
            (Ok(_), Some(_)) => Exit::Held,
            (Ok(_), None) if rolled_back => Exit::RolledBack,
            (Ok(_), None) if drifted => Exit::Drift,
            (Ok(_), None) => Exit::Done,
        };
        // A clock that is not believed dates nothing: a record of the year 2106 would stand behind all that follow.
        let jumped = |at: &Timestamp| now.since(*at) > context.rules.promotion.clock_jump;
        let dated = last.standing.last_at.filter(jumped).unwrap_or(now);
        seen.alerts = alert::raise(context.store, context.model, &findings, dated)?;
        Ok(seen)
    }

    fn lines(&self, turn: Turn) -> Vec<String> {
        let Some(last) = self.ticks.last() else { return Vec::new() };
        let mut lines = vec![format!("{}: {}", self.model, standing(&last.standing))];
        for Tick { decision, receipt, .. } in &self.ticks {
            match (&receipt.entry, &decision.record, turn) {
                (Some((entry, _)), _, _) => lines.push(format!("  decided  {}", words::entry(entry).trim_start())),
                (None, Some(record), Turn::Rehearsal) => lines.push(format!("  would    {}", words::record(record))),
                (None, Some(_), Turn::Real) | (None, None, _) => {}
            }
        }
        lines.extend(last.decision.held.iter().map(|why| format!("  held     {why}")));
        lines.extend(last.decision.notes.iter().map(|note| format!("  note     {note}")));
        lines.extend(self.alerts.iter().map(|alert| format!("  alert    {alert}")));
        if lines.len() == 1 {
            lines.push("  nothing is new".to_owned());
        }
        lines
    }

    fn value(&self) -> Value {
        let stands = self.ticks.last().map(|tick| &tick.standing);
        let entries: Vec<&Entry> =
            self.ticks.iter().filter_map(|tick| tick.receipt.entry.as_ref()).map(|(entry, _)| entry).collect();
        let decisions: Vec<&Decision> = self.ticks.iter().map(|tick| &tick.decision).collect();
        json!({
            "model": self.model,
            "champion": stands.map(|standing| &standing.champion),
            "candidate": stands.map(|standing| &standing.candidate),
            "entries": entries,
            "decisions": decisions,
            "alerts": self.alerts,
        })
    }
}

/// `serves 1.0.0, 1.1.0 is SHADOWING`
fn standing(standing: &Standing) -> String {
    let champion = match &standing.champion {
        Some(champion) => format!("serves {}", champion.version),
        None => "serves nothing yet".to_owned(),
    };
    match &standing.candidate {
        Some(candidate) => format!("{champion}, {} is {}", candidate.version, candidate.state),
        None => champion,
    }
}

fn told(seen: &[Seen], unread: &[Unread], turn: Turn, tell: bool) -> Result<Answer, Failure> {
    let mut lines: Vec<String> = seen.iter().flat_map(|seen| seen.lines(turn)).collect();
    lines.extend(unread.iter().map(|(model, failure)| format!("{model}: held\n  held     {}", failure.sentence())));
    let text = if lines.is_empty() { "there is no model here".to_owned() } else { lines.join("\n") };
    let mut models: Vec<Value> = seen.iter().map(Seen::value).collect();
    models.extend(unread.iter().map(|(model, failure)| json!({ "model": model, "failure": failure.to_json() })));
    let answer =
        Answer::new(text, &json!({ "format_version": 1, "dry_run": turn == Turn::Rehearsal, "models": models }))?;
    // A file that cannot be read is a fault, whoever asks; the other codes are for those who want them.
    let exits = seen.iter().map(|seen| seen.exit).filter(|exit| tell || *exit == Exit::Invalid);
    let exits = exits.chain(unread.iter().map(|(_, failure)| failure.exit));
    Ok(answer.ending(exits.min_by_key(|exit| urgency(*exit)).unwrap_or(Exit::Done)))
}

/// Of several models the most urgent code is the program's.
fn urgency(exit: Exit) -> usize {
    let order = [Exit::Invalid, Exit::Held, Exit::RolledBack, Exit::Drift];
    order.iter().position(|urgent| *urgent == exit).unwrap_or(order.len())
}
