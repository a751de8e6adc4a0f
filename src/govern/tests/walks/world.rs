//! The world of a walk: a journal in a store, two governors, a clock that lies, people, and bundles that break; and what only a
//! memory of the whole way can tell.

use std::collections::BTreeSet;

use super::super::laws::decide_lawfully;
use super::super::scene::{self, against, day, drift, entry, judged, model, performance, plan, shadow};
use super::moves::{Aim, Evidence, Fate, Move, Whose};
use crate::drift::Severity;
use crate::evaluate::Opponent;
use crate::govern::journal::{append, fold};
use crate::govern::*;
use crate::snapshot::Window;
use crate::store::Memory;
use crate::types::{Digest, Span, Timestamp, Verdict, Version};

/// A governor's decision in its hands: the standing it was made on, what was decided, and what the clocks had shown then. A
/// change is as old as the decision, however long its governor hung before it wrote the entry.
type InHand = Option<(Standing, Decision, Span)>;

pub struct World {
    store: Memory,
    pub rules: Rules,
    pub truth: Timestamp,
    /// The wall less the truth, in hours.
    skew: i64,
    /// How much of the time that passed a believing reader of the clock may count: the truth, and what the clock jumped ahead of
    /// all it had shown before.
    credited: Span,
    /// The latest that an entry has shown.
    shown: Timestamp,
    pub orders: Vec<Override>,
    given: usize,
    published: BTreeSet<Version>,
    damaged: Vec<(Version, Verdict)>,
    hands: [InHand; 2],
    pub promoted: BTreeSet<Version>,
    pub taken_back: BTreeSet<Version>,
    /// The credit at the last change that nobody asked for.
    changed: Option<Span>,
    pub obeyed: BTreeSet<String>,
}

impl World {
    pub fn new() -> World {
        let mut rules = Rules::default();
        rules.promotion.cooldown = Span::from_hours(30);
        rules.shadow.max_age = Span::from_days(6);
        rules.promotion.clock_jump = Span::from_days(20);
        rules.retrain.cooldown = Span::from_hours(12);
        (rules.drift.confirm, rules.drift.of) = (1, 1);
        World {
            store: Memory::new(),
            rules,
            truth: day(0),
            skew: 0,
            credited: Span::ZERO,
            shown: day(0),
            orders: Vec::new(),
            given: 0,
            published: BTreeSet::new(),
            damaged: Vec::new(),
            hands: [None, None],
            promoted: BTreeSet::new(),
            taken_back: BTreeSet::new(),
            changed: None,
            obeyed: BTreeSet::new(),
        }
    }

    /// As `regent train` begins a lineage.
    pub fn begin(&mut self) {
        let (version, at) = (Version::FIRST, self.wall());
        let step = Transition { version, bundle: None, from: None, to: State::Training, reasons: Vec::new() };
        let training = Some(scene::training(version, at));
        let record = Record { transitions: vec![step], training, ..Record::empty(at) };
        append(&self.store, &model(), &entry(&self.standing(), record)).unwrap();
        self.published.insert(version);
    }

    pub fn wall(&self) -> Timestamp {
        match self.skew {
            ..0 => self.truth - Span::from_hours(-self.skew),
            _ => self.truth + Span::from_hours(self.skew),
        }
    }

    pub fn standing(&self) -> Standing {
        fold(&self.store, &model()).unwrap()
    }

    pub fn take(&mut self, a_move: Move) -> Result<(), String> {
        match a_move {
            Move::Hours(hours) => {
                self.truth = self.truth + Span::from_hours(hours);
                self.credit(Span::from_hours(hours));
            }
            Move::SetClock(skew) => {
                let before = self.wall().max(self.shown);
                self.skew = skew;
                let ahead = self.wall().since(before);
                self.credit(ahead);
            }
            Move::Order(kind, aim, hours) => self.order(kind, aim, hours),
            Move::TakeOrdersAway => self.orders.clear(),
            Move::Damage(whose, verdict) => self.damage(whose, verdict),
            Move::Decide(governor, evidence) => {
                let standing = self.standing();
                let seen = self.seen(&standing, &evidence);
                let (decision, _) = decide_lawfully(&standing, &seen, &self.rules, &self.orders, self.wall())?;
                self.hands[governor] = Some((standing, decision, self.credited));
            }
            Move::Commit(governor, fate) => return self.commit(governor, fate),
            Move::Turn(evidence, fate) => {
                self.take(Move::Decide(0, evidence))?;
                return self.commit(0, fate);
            }
        }
        Ok(())
    }

    fn credit(&mut self, time: Span) {
        self.credited = Span::from_micros(self.credited.micros() + time.micros());
    }

    fn order(&mut self, kind: Order, aim: Aim, hours: i64) {
        let standing = self.standing();
        let walks = standing.candidate.as_ref().map(|candidate| candidate.version);
        let version = match kind {
            Order::Pin => standing.champion_version(),
            Order::Approve | Order::Promote | Order::Reject => walks,
            Order::Rollback | Order::Freeze | Order::Retrain | Order::Clock => None,
        };
        let version = match aim {
            Aim::AnotherVersion => Some(Version::new(9, 0, 0)),
            Aim::Right | Aim::AnotherBundle => version,
        };
        // Now and then an id is used again.
        self.given += 1;
        let id = format!("order-{}", if self.given.is_multiple_of(19) { self.given / 19 } else { self.given });
        let order = scene::order(&id, kind, version);
        let bundle = if matches!(aim, Aim::AnotherBundle) { Some(Digest::of("another")) } else { order.bundle };
        let expires = self.wall() + Span::from_hours(hours);
        self.orders.retain(|known| known.id != id);
        self.orders.push(Override { bundle, expires, ..order });
    }

    fn damage(&mut self, whose: Whose, verdict: Verdict) {
        let standing = self.standing();
        let version = match whose {
            Whose::Champion => standing.champion_version(),
            Whose::Candidate => standing.candidate.as_ref().map(|candidate| candidate.version),
            Whose::Former => standing.retired.last().map(|former| former.version),
        };
        self.damaged.extend(version.map(|version| (version, verdict)));
    }

    /// What is seen of where everything stands, as far as it can be chosen.
    pub fn seen(&self, standing: &Standing, evidence: &Evidence) -> Observation {
        let now = standing.last_at.map_or(self.wall(), |last| last.max(self.wall()));
        let last = Window {
            start: Window::holding(now, Span::from_days(1)).start - Span::from_days(1),
            size: Span::from_days(1),
        };
        let minor = standing.versions.keys().filter(|version| version.major == evidence.major).count() as u64;
        let mut seen = Observation::nothing(&model());
        seen.next = Some(plan(Version::new(evidence.major, minor, 0)));
        seen.data = Data { datasets: vec![Digest::of("data")], rows: evidence.rows, refused: Vec::new() };
        if evidence.window && standing.judged_until.is_none_or(|until| last.end() > until) {
            seen.judged.push(Judged { sealed_at: now, ..judged(last) });
        }
        for version in &self.published {
            let damage = self.damaged.iter().rev().find(|(damaged, _)| damaged == version);
            let verdict = damage.map_or(Verdict::Pass, |(_, verdict)| *verdict);
            seen.bundles.push(Bundle { verdict, ..scene::bundle(*version) });
        }
        let of = |version: Version| if evidence.of_another { Version::new(8, 0, 0) } else { version };
        if let Some(champion) = standing.champion_version() {
            let failed = |severity| if severity == Severity::None { Verdict::Pass } else { Verdict::Fail };
            seen.drift.extend(evidence.world.map(|severity| drift(champion, last, severity, failed(severity))));
            let catastrophic = if evidence.loss.is_judged() { evidence.catastrophic } else { Verdict::Insufficient };
            seen.performance.push(performance(champion, last, evidence.loss, catastrophic));
        }
        if let (Some(serving), Some(former)) = (&standing.champion, standing.retired.last()) {
            let watched = |verdict| scene::watch(serving.version, serving.since, former.version, verdict);
            seen.watch = evidence.outdone.map(watched);
        }
        let Some(candidate) = &standing.candidate else { return seen };
        let opponent = match standing.champion_version() {
            Some(champion) if !standing.first_of_lineage(candidate.version) => against(of(champion)),
            Some(_) | None => Opponent::FirstOfLineage,
        };
        let since = candidate.shadowing_since.unwrap_or(candidate.since);
        match (candidate.state, evidence.gate, standing.champion_version()) {
            (State::Training, Some(verdict), _) => {
                seen.evaluation = Some(scene::evaluation(candidate.version, opponent, verdict));
            }
            (_, Some(verdict), Some(champion)) => {
                let until = standing.judged_until.max(Some(last.end())).unwrap_or(since).max(since);
                seen.shadow = Some(shadow(of(champion), candidate.version, since, until, verdict));
            }
            (_, _, _) => {}
        }
        if evidence.own == Severity::Severe {
            seen.candidate_drift = vec![drift(candidate.version, last, evidence.own, Verdict::Fail)];
        }
        seen
    }

    fn commit(&mut self, governor: usize, fate: Fate) -> Result<(), String> {
        let Some((standing, decision, decided)) = self.hands[governor].take() else { return Ok(()) };
        let Some(record) = decision.record.clone().filter(|_| !matches!(fate, Fate::Crashes)) else { return Ok(()) };
        let entry = Entry { txn: format!("{governor}-{}", self.given), ..entry(&standing, record.clone()) };
        match append(&self.store, &model(), &entry).map_err(|error| error.to_string())? {
            Appended::Lost => return Ok(()),
            Appended::Won(_) => self.given += 1,
        }
        self.remember(&standing, &record, decided)?;
        for Effect::Train(training) in &decision.effects {
            match fate {
                Fate::Goes => drop(self.published.insert(training.plan.version)),
                Fate::Fails | Fate::Crashes => self.fail(training)?,
            }
        }
        Ok(())
    }

    /// As `promote` journals it: only if it is news.
    fn fail(&mut self, training: &Training) -> Result<(), String> {
        let standing = self.standing();
        let failed = FailedAttempt { version: training.plan.version, attempt: training.attempt, why: "no".into() };
        if standing.candidate.as_ref().is_some_and(|candidate| candidate.awaits(&failed)) {
            let at = standing.last_at.map_or(self.wall(), |last| last.max(self.wall()));
            let entry = entry(&standing, Record { failed_attempt: Some(failed), ..Record::empty(at) });
            append(&self.store, &model(), &entry).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// What only a memory of the whole walk can tell.
    fn remember(&mut self, before: &Standing, record: &Record, decided: Span) -> Result<(), String> {
        self.shown = self.shown.max(record.at);
        for order in record.applied.iter().filter(|order| order.order.is_one_shot()) {
            if !self.obeyed.insert(order.id.clone()) {
                return Err(format!("`{}` was obeyed twice", order.id));
            }
        }
        for step in &record.transitions {
            if step.from == Some(State::Retired) {
                let served = self.promoted.contains(&step.version) && !self.taken_back.contains(&step.version);
                if !served {
                    return Err(format!("{} comes back, and never served or was taken back", step.version));
                }
            }
            match step.to {
                State::Promoted => drop(self.promoted.insert(step.version)),
                State::RolledBack => drop(self.taken_back.insert(step.version)),
                State::Training | State::Shadowing | State::Promotable | State::Rejected | State::Retired => {}
            }
        }
        let asked = |order: &Override| matches!(order.order, Order::Rollback | Order::Approve | Order::Promote);
        let changes = record.transitions.iter().any(|step| step.to == State::Promoted);
        if changes && !record.applied.iter().any(asked) {
            let since = self.changed.map(|changed| Span::from_micros(decided.micros() - changed.micros()));
            if before.champion.is_some() && since.is_some_and(|since| since < self.rules.promotion.cooldown) {
                return Err(format!("a change {since:?} after the last one, as no clock has shown"));
            }
            self.changed = Some(decided);
        }
        Ok(())
    }
}
