//! The decision of one tick: standing, observation, rules and orders in, one record and its effects out; pure. It acts on
//! nothing, and it takes no step on evidence that is not `Pass`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::journal::{Record, Training};
use super::observe::Observation;
use super::orders::{Orders, pinned};
use super::overrides::{Order, Override};
use super::rules::Rules;
use super::standing::{OffTheRoad, Standing};
use super::state::{State, Transition};
use super::{refuse, start, walk};
use crate::drift::{self, ConfirmedDrift};
use crate::performance::{self, ConfirmedLoss};
use crate::policy::{self, History, RetrainDecision};
use crate::types::{Digest, Timestamp, Verdict, Version};

/// What should be, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The entry that would be written; none if nothing is new.
    pub record: Option<Record>,
    /// What is to be done once it is written, in order.
    pub effects: Vec<Effect>,
    /// Set if the model is held, and why.
    pub held: Option<String>,
    /// What the model waits for, and what is said of orders that are not in force.
    pub notes: Vec<String>,
}

/// One act of `promote::carry_out`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Train what is pinned and publish its bundle.
    Train(Box<Training>),
}

/// A decision in the making: the record so far, and where everything would stand after it.
pub(super) struct Draft<'a> {
    pub(super) standing: Standing,
    pub(super) observation: &'a Observation,
    pub(super) rules: &'a Rules,
    pub(super) orders: &'a Orders,
    pub(super) evidence: &'a Evidence,
    pub(super) drift: &'a ConfirmedDrift,
    pub(super) loss: &'a ConfirmedLoss,
    pub(super) now: Timestamp,
    pub(super) record: Record,
    pub(super) effects: Vec<Effect>,
    pub(super) notes: Vec<String>,
}

/// Decide what should be.
///
/// # Errors
/// Never while the steps of `walk` are steps of the road; were one not, nothing is decided.
pub fn decide(
    standing: &Standing,
    observation: &Observation,
    rules: &Rules,
    overrides: &[Override],
    now: Timestamp,
) -> Result<Decision, OffTheRoad> {
    // A clock that goes backwards shortens nothing: no entry is older than the one before it.
    let now = standing.last_at.map_or(now, |last| now.max(last));
    let seen = standing.candidate.as_ref().and_then(|candidate| observation.bundle(candidate.version)?.digest);
    let orders = Orders::of(overrides, standing, seen, now);
    if let Some(why) = implausible(standing, rules, &orders, now) {
        let notes = [orders.refused, orders.notes].concat();
        return Ok(Decision { record: None, effects: Vec::new(), held: Some(why), notes });
    }
    let evidence = Evidence::of(observation, standing, rules, now);
    let drift = drift::confirm(&evidence.drift, &rules.drift);
    let loss = performance::confirm(&evidence.performance, &rules.performance);
    let mut draft = Draft {
        standing: standing.clone(),
        observation,
        rules,
        orders: &orders,
        evidence: &evidence,
        drift: &drift,
        loss: &loss,
        now,
        record: Record::empty(now),
        effects: Vec::new(),
        notes: [orders.refused.as_slice(), &orders.notes, &evidence.set_aside].concat(),
    };
    draft.answer_for_windows();
    draft.tell_of_bundles();
    draft.hear();
    walk::roll_back(&mut draft)?;
    refuse::reject(&mut draft)?;
    walk::shadow(&mut draft)?;
    walk::promotable(&mut draft)?;
    walk::promote(&mut draft)?;
    let retrain = draft.retrain();
    refuse::supersede(&mut draft, retrain.as_ref())?;
    start::train(&mut draft, retrain)?;
    Ok(draft.finish())
}

/// Whether the clock is believed: not further ahead of the newest entry than the rules allow, or vouched for by a `clock`
/// override. Where it is not, nothing may be looked at either: what is sealed is sealed for ever.
pub fn believes(standing: &Standing, rules: &Rules, overrides: &[Override], now: Timestamp) -> bool {
    implausible(standing, rules, &Orders::of(overrides, standing, None, now), now).is_none()
}

/// A clock that jumped forward further than the rules believe holds the model until a person says that it is right.
fn implausible(standing: &Standing, rules: &Rules, orders: &Orders, now: Timestamp) -> Option<String> {
    let last = standing.last_at?;
    let jump = now.since(last);
    if jump <= rules.promotion.clock_jump || orders.get(Order::Clock).is_some() {
        return None;
    }
    Some(format!(
        "the clock says {now}, {jump} after the newest entry ({last}): more than promotion.clock_jump {}; if it is right, \
         drop a `clock` override",
        rules.promotion.clock_jump
    ))
}

impl<'a> Draft<'a> {
    fn answer_for_windows(&mut self) {
        let seen = self.standing.judged_until;
        let judged = self.evidence.judged.iter().map(|judged| judged.window);
        self.record.judged = judged.filter(|window| seen.is_none_or(|until| window.end() > until)).collect();
    }

    /// Note the orders that hold for as long as they stand, and say which order wins where two conflict.
    fn hear(&mut self) {
        let orders = self.orders;
        for order in [Order::Clock, Order::Freeze, Order::Pin].into_iter().flat_map(|order| orders.all(order)) {
            let known = self.standing.applied.get(&order.id);
            if known.is_none_or(|applied| applied.order != *order) {
                self.apply(order);
            }
        }
        for order in orders.all(Order::Pin) {
            self.note(pinned(order, &self.standing));
        }
        for conflict in orders.conflicts() {
            self.note(conflict.to_string());
        }
    }

    /// Say at every run what is not as it should be with a bundle that is there; of a candidate the steps say it themselves.
    fn tell_of_bundles(&mut self) {
        let candidate = self.standing.candidate.as_ref().map(|candidate| candidate.version);
        for bundle in &self.observation.bundles {
            let is_told = bundle.verdict.is_pass() || Some(bundle.version) != candidate;
            let is_there = bundle.digest.is_some() || bundle.verdict == Verdict::Fail;
            if !bundle.note.is_empty() && is_there && is_told {
                self.note(format!("{}: {}", bundle.version, bundle.note));
            }
        }
    }

    /// Note an order as applied, with its content.
    pub(super) fn apply(&mut self, order: &Override) {
        if !self.record.applied.contains(order) {
            self.record.applied.push(order.clone());
        }
    }

    /// Nothing moves by itself while a `freeze` stands, or an order that cannot be told from another.
    pub(super) fn frozen(&mut self) -> bool {
        if let Some(order) = self.orders.get(Order::Freeze) {
            self.note(format!("frozen by `{}` until {}: {}", order.id, order.expires, order.reason));
            return true;
        }
        !self.orders.refused.is_empty()
    }

    /// The champion changes once a run at most: what was seen is of the one before.
    pub(super) fn changed(&self) -> bool {
        self.record.transitions.iter().any(|step| step.to == State::Promoted)
    }

    pub(super) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Take one step, here and in the standing that later steps see.
    pub(super) fn step(
        &mut self,
        version: Version,
        bundle: Option<Digest>,
        to: State,
        reasons: Vec<String>,
    ) -> Result<(), OffTheRoad> {
        let from = self.standing.versions.get(&version).copied();
        let step = Transition { version, bundle, from, to, reasons };
        self.standing.take(&step, &self.record, self.now)?;
        self.record.transitions.push(step);
        Ok(())
    }

    /// What retraining should become; nothing before there is a champion to be watched.
    fn retrain(&mut self) -> Option<RetrainDecision> {
        let champion = self.standing.champion.as_ref()?;
        // A change of champion restarts every count.
        if self.changed() {
            return None;
        }
        let last = self.standing.last_training.as_ref();
        let bundle = self.observation.bundle(champion.version);
        let history = History {
            trained_at: last.map(|training| training.created_at),
            trained_until: last.and_then(|training| training.matured_until),
            trained_on: &self.standing.trained_on,
            new_rows: self.observation.data.rows.saturating_sub(last.map_or(0, |training| training.rows)),
            learned_rows: bundle.map_or(0, |bundle| bundle.learned_rows),
            path: bundle.and_then(|bundle| bundle.path),
        };
        Some(policy::retrain(self.drift, self.loss, &history, &self.rules.retrain, self.now))
    }

    /// An entry for every judged window, step, attempt and applied order; none for a run with nothing new.
    fn finish(mut self) -> Decision {
        let record = &mut self.record;
        let new = !record.judged.is_empty()
            || !record.transitions.is_empty()
            || record.training.is_some()
            || !record.applied.is_empty();
        // Whoever reads the journal sees which order an applied one overruled.
        let overruled = self.orders.conflicts().into_iter().filter(|conflict| record.applied.contains(conflict.winner));
        let overruled: Vec<String> = overruled.map(|conflict| conflict.to_string()).collect();
        record.reasons.extend(overruled);
        if let Some(retrain) = &record.retrain {
            record.action = retrain.action;
        }
        Decision { record: new.then_some(self.record), effects: self.effects, held: None, notes: self.notes }
    }
}
