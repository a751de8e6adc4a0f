//! One turn of the governor: observe, decide, carry out; every model is ticked before any training starts;
//! through the store.

use super::carry_out::{Receipt, carry_out};
use super::training::{Trained, train};
use super::{Context, PromoteError, gather};
use crate::contract::Registered;
use crate::govern::{
    self, Decision, Effect, Entry, FailedAttempt, GovernError, Observation, Order, Orders, Record, Standing, State,
    Training, decide, overrides,
};
use crate::train::{Path, Plan};
use crate::types::{Digest, Timestamp, Version};

/// What one tick of one model saw, decided and did.
#[derive(Debug, Clone)]
pub struct Tick {
    /// Where everything stands after it.
    pub standing: Standing,
    /// What was seen.
    pub observation: Observation,
    /// What was decided.
    pub decision: Decision,
    /// What was done.
    pub receipt: Receipt,
}

/// Whether a run acts, or only says what it would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Act.
    Real,
    /// Write nothing to the journal and train nothing.
    Rehearsal,
}

/// How often a turn is tried when another governor is faster.
const ROUNDS: u32 = 8;

/// One tick of one model, without its trainings.
///
/// # Errors
/// What could not be read or written; `NotMyTurn` when another governor was always faster.
pub fn tick(context: &Context<'_>, now: Timestamp, turn: Turn) -> Result<Tick, PromoteError> {
    for _ in 0..ROUNDS {
        let standing = govern::fold(context.store, context.model)?;
        let orders = match overrides::load(context.store, context.model) {
            Ok(orders) => orders,
            Err(unreadable) => return hold(standing, context, unreadable),
        };
        let observation = match govern::believes(&standing, context.rules, &orders, now) {
            true => gather::observe(context, &standing, now)?,
            // To look is to seal: under a clock that is a year ahead every window of that year, for ever.
            false => Observation::nothing(context.model),
        };
        let decision = decide(&standing, &observation, context.rules, &orders, now)?;
        if turn == Turn::Rehearsal {
            let receipt = Receipt { entry: None, effects: Vec::new() };
            return Ok(Tick { standing, observation, decision, receipt });
        }
        if let Some(receipt) = carry_out(context, &standing, &observation, &orders, &decision)? {
            let standing = after(standing, receipt.entry.as_ref())?;
            return Ok(Tick { standing, observation, decision, receipt });
        }
    }
    Err(PromoteError::NotMyTurn { rounds: ROUNDS })
}

fn after(standing: Standing, entry: Option<&(Entry, crate::types::Digest)>) -> Result<Standing, GovernError> {
    match entry {
        Some((entry, digest)) => standing.after(entry, *digest),
        None => Ok(standing),
    }
}

/// An override that cannot be read holds the model: nothing is observed, nothing moves, and the reason is said.
fn hold(standing: Standing, context: &Context<'_>, unreadable: GovernError) -> Result<Tick, PromoteError> {
    let held = std::iter::successors(Some(&unreadable as &dyn std::error::Error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ");
    Ok(Tick {
        standing,
        observation: Observation::nothing(context.model),
        decision: Decision { record: None, effects: Vec::new(), held: Some(held), notes: Vec::new() },
        receipt: Receipt { entry: None, effects: Vec::new() },
    })
}

/// What one turn came to for one model.
#[derive(Debug)]
pub struct Run {
    /// Its ticks, in order: one, and one more after each training.
    pub ticks: Vec<Tick>,
    /// Why it could not be ticked, or not to the end; a training that fails is journalled and is none.
    pub failure: Option<PromoteError>,
}

impl Run {
    /// The ticks of a turn that went to its end.
    ///
    /// # Errors
    /// Why it did not.
    pub fn whole(self) -> Result<Vec<Tick>, PromoteError> {
        self.failure.map_or(Ok(self.ticks), Err)
    }

    fn begin(first: Result<Tick, PromoteError>) -> Run {
        match first {
            Ok(tick) => Run { ticks: vec![tick], failure: None },
            Err(failure) => Run { ticks: Vec::new(), failure: Some(failure) },
        }
    }

    /// Train what the last tick asked for and tick again, until nothing is asked for.
    fn go_on(&mut self, context: &Context<'_>, now: Timestamp, turn: Turn) -> Result<(), PromoteError> {
        while let Some(last) = self.ticks.last()
            && carry_out_effects(context, &last.receipt.effects, now)?
        {
            self.ticks.push(tick(context, now, turn)?);
        }
        Ok(())
    }
}

/// One turn for several models, in their order: tick all, then train what is due. A model that cannot be ticked keeps no
/// other from its turn.
pub fn run(contexts: &[Context<'_>], now: Timestamp, turn: Turn) -> Vec<Run> {
    let mut runs: Vec<Run> = contexts.iter().map(|context| Run::begin(tick(context, now, turn))).collect();
    for (context, run) in contexts.iter().zip(&mut runs) {
        if let Err(failure) = run.go_on(context, now, turn) {
            run.failure = Some(failure);
        }
    }
    runs
}

/// Carry out what an entry asked for; whether anything was done.
fn carry_out_effects(context: &Context<'_>, effects: &[Effect], now: Timestamp) -> Result<bool, PromoteError> {
    for Effect::Train(training) in effects {
        if let Trained::Failed(why) = train(context, training)? {
            journal_failure(context, training, why, now)?;
        }
    }
    Ok(!effects.is_empty())
}

fn journal_failure(
    context: &Context<'_>,
    training: &Training,
    why: String,
    now: Timestamp,
) -> Result<(), PromoteError> {
    let failed = FailedAttempt { version: training.plan.version, attempt: training.attempt, why };
    append_record(context, now, |standing| {
        // Another governor may have journalled it, or have begun something else since.
        let news = standing.candidate.as_ref().is_some_and(|candidate| candidate.awaits(&failed));
        let FailedAttempt { version, attempt, why } = &failed;
        Ok(news.then(|| Record {
            reasons: vec![format!("attempt {attempt} at training {version} failed: {why}")],
            failed_attempt: Some(failed.clone()),
            ..Record::empty(now)
        }))
    })
}

/// Append what is to be said of where everything stands now, if there is something to say.
fn append_record(
    context: &Context<'_>,
    now: Timestamp,
    record: impl Fn(&Standing) -> Result<Option<Record>, PromoteError>,
) -> Result<(), PromoteError> {
    for _ in 0..ROUNDS {
        let standing = govern::fold(context.store, context.model)?;
        let Some(record) = record(&standing)? else { return Ok(()) };
        // A clock that goes backwards shortens nothing: no entry is older than the one before it.
        let at = standing.last_at.map_or(now, |last| now.max(last));
        let record = Some(Record { at, ..record });
        let observation = Observation::nothing(context.model);
        let decision = Decision { record, effects: Vec::new(), held: None, notes: Vec::new() };
        if carry_out(context, &standing, &observation, &[], &decision)?.is_some() {
            return Ok(());
        }
    }
    Err(PromoteError::NotMyTurn { rounds: ROUNDS })
}

/// `regent train`: a person begins a training. The same road as the governor's, with the person as actor.
///
/// # Errors
/// A candidate that walks already, a `freeze`; nothing to train on; a training that fails; an override that cannot be read; a
/// clock that is not believed.
pub fn begin(context: &Context<'_>, reason: &str, now: Timestamp) -> Result<Version, PromoteError> {
    begin_by(context, reason, now, |_, observation| {
        observation.next.clone().ok_or_else(|| PromoteError::NothingToTrain {
            model: context.model.clone(),
            what: "there are no labelled rows: run `regent ingest FILE --contract NAME`, or add files to `sources:`"
                .to_owned(),
        })
    })
}

/// `regent registry monitor`: a person enters a model that answers elsewhere, as the rows of a dataset show it. The same road,
/// and nothing is fitted.
///
/// # Errors
/// As [`begin`].
pub fn monitor(
    context: &Context<'_>,
    registered: &Registered,
    dataset: Digest,
    reason: &str,
    now: Timestamp,
) -> Result<Version, PromoteError> {
    begin_by(context, reason, now, |standing, _| {
        let version = gather::next_version(context, standing, registered)?;
        let (model, rules) = (context.model.clone(), &context.rules.train);
        Ok(Plan::new(model, Path::MonitorOnly, version, registered, vec![dataset], rules))
    })
}

fn begin_by(
    context: &Context<'_>,
    reason: &str,
    now: Timestamp,
    plan: impl FnOnce(&Standing, &Observation) -> Result<Plan, PromoteError>,
) -> Result<Version, PromoteError> {
    let standing = govern::fold(context.store, context.model)?;
    let nothing = |what: String| PromoteError::NothingToTrain { model: context.model.clone(), what };
    let single = |standing: &Standing| match &standing.candidate {
        None => Ok(()),
        Some(candidate) => Err(nothing(format!(
            "{} is {} already: run `governor`, or reject it by an override",
            candidate.version, candidate.state
        ))),
    };
    single(&standing)?;
    let files = overrides::load(context.store, context.model)?;
    if !govern::believes(&standing, context.rules, &files, now) {
        return Err(PromoteError::Clock { model: context.model.clone(), now, last: standing.last_at });
    }
    let now = standing.last_at.map_or(now, |last| now.max(last));
    let orders = Orders::of(&files, &standing, None, now);
    if let Some(freeze) = orders.get(Order::Freeze) {
        return Err(nothing(format!("frozen by `{}` until {}: {}", freeze.id, freeze.expires, freeze.reason)));
    }
    let observation = gather::observe(context, &standing, now)?;
    let plan = plan(&standing, &observation)?;
    let version = plan.version;
    let rows = observation.data.rows;
    let training = Training { plan, attempt: 1, created_at: now, evidence: None, matured_until: None, rows };
    let reasons = vec![reason.to_owned()];
    let step = govern::Transition { version, bundle: None, from: None, to: State::Training, reasons };
    append_record(context, now, |standing| {
        // A governor may have begun one since.
        single(standing)?;
        Ok(Some(Record {
            transitions: vec![step.clone()],
            training: Some(training.clone()),
            applied: orders.all(Order::Clock).cloned().collect(),
            reasons: vec![format!("training {version}: {reason}")],
            ..Record::empty(now)
        }))
    })?;
    match train(context, &training)? {
        Trained::Published(_) => Ok(version),
        Trained::Failed(why) => {
            journal_failure(context, &training, why.clone(), now)?;
            Err(nothing(why))
        }
    }
}
