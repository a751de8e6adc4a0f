//! `governor`: one tick for every model, then it ends; a door. A scheduler runs it as often as it likes.
#![expect(clippy::disallowed_methods, reason = "a door: it reads the clock once")]

#[path = "governor/alerts.rs"]
mod alerts;
#[path = "regent/edge/mod.rs"]
#[expect(dead_code, reason = "the governor needs less of the edge than the commands do")]
mod edge;

use clap::Parser;
use regent::alert::deliver::{Delivery, deliver};
use regent::alert::{AlertRules, Notice};
use regent::drift;
use regent::govern::{Decision, Entry, Standing, State, overrides};
use regent::log::{self, Adopted};
use regent::promote::{self, Context, Run, Tick, Turn};
use regent::store::{Overlay, Store};
use regent::types::{ModelName, Timestamp, Verdict};
use serde_json::{Value, json};

use edge::{Answer, Exit, Failure, Scene, SceneArguments, Workspace, words};

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
    let adopted = match turn {
        Turn::Real => adopt(&workspace, scene.now),
        Turn::Rehearsal => Vec::new(),
    };
    let runs = promote::run(&contexts, scene.now, turn);
    let rules = &workspace.settings.alerts;
    let see = |(context, run)| Seen::of(context, run, rules, scene.now);
    let seen: Vec<Seen> = contexts.iter().zip(runs).map(see).collect();
    let hold = |(model, failure)| Unread::of(store, model, failure, rules, scene.now);
    let unread: Vec<Unread> = unread.into_iter().map(hold).collect();
    let delivered = match turn {
        Turn::Real => deliver(store, &workspace.root, rules, &models, scene.now).map_err(Failure::from),
        Turn::Rehearsal => Ok(Vec::new()),
    };
    told(&Told { adopted, seen, unread, delivered }, turn, tell)
}

/// What dead replicas left in the spool is sealed first, so that this turn sees it.
fn adopt(workspace: &Workspace, now: Timestamp) -> Vec<Result<Adopted, Failure>> {
    let after = workspace.settings.adopt_after;
    let adopted = log::adopt(&workspace.store, &workspace.spool(), None, after, now);
    adopted.into_iter().map(|one| one.map_err(Failure::from)).collect()
}

/// A model whose policy cannot be read, and why.
struct Unread {
    model: ModelName,
    failure: Failure,
    alerts: Vec<Notice>,
}

impl Unread {
    fn of(store: &dyn Store, model: ModelName, failure: Failure, rules: &AlertRules, now: Timestamp) -> Unread {
        match alerts::of_failure(store, &model, &failure, rules, now) {
            Ok(alerts) => Unread { model, failure, alerts },
            // What is wrong with the policy is the greater worry.
            Err(_) => Unread { model, failure, alerts: Vec::new() },
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}: held", self.model), format!("  held     {}", self.failure.sentence())];
        lines.extend(self.alerts.iter().map(|notice| format!("  alert    {notice}")));
        lines
    }

    fn value(&self) -> Value {
        json!({ "model": self.model, "alerts": self.alerts, "failure": self.failure.to_json() })
    }
}

/// A policy that cannot be read holds its own model and no other.
fn split<'a, T>(
    read: impl Iterator<Item = (&'a ModelName, Result<T, Failure>)>,
) -> (Vec<T>, Vec<(ModelName, Failure)>) {
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
    alerts: Vec<Notice>,
    exit: Exit,
    /// Why it could not be ticked, or not to the end.
    failure: Option<Failure>,
}

impl Seen {
    fn of(context: &Context<'_>, run: Run, rules: &AlertRules, now: Timestamp) -> Seen {
        let Run { ticks, failure } = run;
        let failure = failure.map(Failure::from);
        let mut seen = Seen { model: context.model.clone(), ticks, alerts: Vec::new(), exit: Exit::Done, failure };
        seen.look(context);
        match alerts::of_turn(context, &seen.ticks, seen.failure.as_ref(), rules, now) {
            Ok(alerts) => seen.alerts = alerts,
            Err(failure) => seen.failure = seen.failure.or(Some(failure)),
        }
        if let Some(failure) = &seen.failure {
            seen.exit = failure.exit;
        }
        seen
    }

    /// Find the code that says how the turn ended.
    fn look(&mut self, context: &Context<'_>) {
        let Some(last) = self.ticks.last() else { return };
        let steps =
            self.ticks.iter().filter_map(|tick| tick.decision.record.as_ref()).flat_map(|record| &record.transitions);
        let rolled_back = steps.into_iter().any(|step| step.to == State::RolledBack);
        let drifted = drift::confirm(&last.observation.drift, &context.rules.drift).verdict == Verdict::Fail;
        self.exit = match (overrides::load(context.store, context.model), &last.decision.held) {
            (Err(_), _) => Exit::Invalid,
            (Ok(_), Some(_)) => Exit::Held,
            (Ok(_), None) if rolled_back => Exit::RolledBack,
            (Ok(_), None) if drifted => Exit::Drift,
            (Ok(_), None) => Exit::Done,
        };
    }

    fn lines(&self, turn: Turn) -> Vec<String> {
        let stands = self.ticks.last().map_or_else(|| "not ticked".to_owned(), |last| standing(&last.standing));
        let mut lines = vec![format!("{}: {stands}", self.model)];
        for Tick { decision, receipt, .. } in &self.ticks {
            match (&receipt.entry, &decision.record, turn) {
                (Some((entry, _)), _, _) => lines.push(format!("  decided  {}", words::entry(entry).trim_start())),
                (None, Some(record), Turn::Rehearsal) => lines.push(format!("  would    {}", words::record(record))),
                (None, Some(_), Turn::Real) | (None, None, _) => {}
            }
        }
        let last = self.ticks.last().map(|tick| &tick.decision);
        lines.extend(last.iter().flat_map(|last| &last.held).map(|why| format!("  held     {why}")));
        lines.extend(last.iter().flat_map(|last| &last.notes).map(|note| format!("  note     {note}")));
        lines.extend(self.failure.iter().map(|failure| format!("  failed   {}", failure.sentence())));
        lines.extend(self.alerts.iter().map(|notice| format!("  alert    {notice}")));
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
            "failure": self.failure.as_ref().map(Failure::to_json),
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

/// All that a turn has to tell.
struct Told {
    adopted: Vec<Result<Adopted, Failure>>,
    seen: Vec<Seen>,
    unread: Vec<Unread>,
    delivered: Result<Vec<Delivery>, Failure>,
}

fn told(Told { adopted, seen, unread, delivered }: &Told, turn: Turn, tell: bool) -> Result<Answer, Failure> {
    let mut lines: Vec<String> = adopted.iter().map(words::adopted).collect();
    lines.extend(seen.iter().flat_map(|seen| seen.lines(turn)));
    lines.extend(unread.iter().flat_map(Unread::lines));
    let (deliveries, undelivered) = match delivered {
        Ok(deliveries) => (deliveries.as_slice(), None),
        Err(failure) => (&[][..], Some(failure)),
    };
    lines.extend(deliveries.iter().map(|delivery| format!("told {delivery}")));
    lines.extend(undelivered.iter().map(|failure| failure.sentence()));
    let text = if lines.is_empty() { "there is no model here".to_owned() } else { lines.join("\n") };
    let mut models: Vec<Value> = seen.iter().map(Seen::value).collect();
    models.extend(unread.iter().map(Unread::value));
    let (whole, broken): (Vec<_>, Vec<_>) = adopted.iter().partition(|one| one.is_ok());
    let whole: Vec<&Adopted> = whole.into_iter().flatten().collect();
    let broken: Vec<&Failure> = broken.into_iter().filter_map(|one| one.as_ref().err()).collect();
    let value = json!({
        "format_version": 1,
        "dry_run": turn == Turn::Rehearsal,
        "adopted": whole,
        "spool_failures": broken.iter().map(|failure| failure.to_json()).collect::<Vec<_>>(),
        "models": models,
        "deliveries": deliveries,
        "delivery_failure": undelivered.map(Failure::to_json),
    });
    // A fault is told to whoever asks; the other codes are for those who want them.
    let told = |seen: &&Seen| tell || seen.failure.is_some() || seen.exit == Exit::Invalid;
    let exits = seen.iter().filter(told).map(|seen| seen.exit);
    let failures = unread.iter().map(|unread| &unread.failure).chain(broken).chain(undelivered);
    let exits = exits.chain(failures.map(|failure| failure.exit));
    Ok(Answer::new(text, &value)?.ending(exits.min_by_key(|exit| urgency(*exit)).unwrap_or(Exit::Done)))
}

/// Of several codes the most urgent is the program's: what is damaged, what a person must mend, what may mend itself, news.
fn urgency(exit: Exit) -> usize {
    let order = [
        Exit::Integrity,
        Exit::Invalid,
        Exit::DataRejected,
        Exit::Internal,
        Exit::Usage,
        Exit::TryAgain,
        Exit::NotMyTurn,
        Exit::Held,
        Exit::RolledBack,
        Exit::Drift,
    ];
    order.iter().position(|urgent| *urgent == exit).unwrap_or(order.len())
}
