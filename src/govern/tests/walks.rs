//! Long random walks: two governors whose turns interleave, a clock that lies, orders that come and go, bundles that break. Every
//! decision is held against every law; what no single decision shows is kept in mind on the way.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::laws::decide_lawfully;
use super::scene::{self, against, day, drift, entry, judged, model, performance, plan, shadow, steps};
use crate::drift::Severity;
use crate::evaluate::Opponent;
use crate::govern::journal::{append, fold};
use crate::govern::*;
use crate::snapshot::Window;
use crate::store::Memory;
use crate::types::{Digest, Span, Timestamp, Verdict, Version};

/// What a person, the world or a governor does next.
#[derive(Debug, Clone)]
enum Move {
    Hours(i64),
    /// The clock on the wall is set: so many hours from the truth.
    SetClock(i64),
    Order(Order, Aim, i64),
    TakeOrdersAway,
    /// The bundle of the champion, the candidate or the newest former champion.
    Damage(Whose, Verdict),
    /// One governor folds, looks and decides …
    Decide(usize, Box<Evidence>),
    /// … writes its entry and trains; it may crash instead, or the training may fail.
    Commit(usize, Fate),
    /// Both, with nobody between.
    Turn(Box<Evidence>, Fate),
}

#[derive(Debug, Clone, Copy)]
enum Aim {
    Right,
    AnotherBundle,
    AnotherVersion,
}

#[derive(Debug, Clone, Copy)]
enum Whose {
    Champion,
    Candidate,
    Former,
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Goes,
    Fails,
    Crashes,
}

/// What is seen, as far as it can be chosen.
#[derive(Debug, Clone)]
struct Evidence {
    gate: Option<Verdict>,
    of_another: bool,
    own: Severity,
    loss: Verdict,
    catastrophic: Verdict,
    world: Option<Severity>,
    outdone: Option<Verdict>,
    window: bool,
    rows: u64,
    major: u64,
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        14 => Just(Verdict::Pass),
        1 => Just(Verdict::Insufficient),
        1 => Just(Verdict::Error),
        2 => Just(Verdict::Fail),
    ]
}

fn severity() -> impl Strategy<Value = Severity> {
    prop_oneof![6 => Just(Severity::None), 1 => Just(Severity::Moderate), 1 => Just(Severity::Severe)]
}

prop_compose! {
    fn evidence()(
        gate in prop::option::weighted(0.9, verdict()),
        of_another in prop::bool::weighted(0.05),
        own in severity(),
        (loss, catastrophic) in (verdict(), verdict()),
        world in prop::option::weighted(0.9, severity()),
        outdone in prop::option::weighted(0.1, verdict()),
        window in prop::bool::weighted(0.8),
        rows in 10_000u64..300_000,
        major in prop_oneof![8 => Just(1u64), 1 => Just(2)],
    ) -> Evidence {
        Evidence { gate, of_another, own, loss, catastrophic, world, outdone, window, rows, major }
    }
}

fn a_move() -> impl Strategy<Value = Move> {
    let kind = prop::sample::select(super::model::KINDS.to_vec());
    let aim = prop_oneof![5 => Just(Aim::Right), 1 => Just(Aim::AnotherBundle), 1 => Just(Aim::AnotherVersion)];
    let whose = prop_oneof![Just(Whose::Champion), Just(Whose::Candidate), Just(Whose::Former)];
    let fate = prop_oneof![8 => Just(Fate::Goes), 1 => Just(Fate::Fails), 1 => Just(Fate::Crashes)];
    let skew = prop_oneof![8 => Just(0i64), 3 => -200i64..200, 1 => -20_000i64..20_000];
    prop_oneof![
        8 => (0i64..40).prop_map(Move::Hours),
        1 => skew.prop_map(Move::SetClock),
        2 => (kind, aim, 1i64..60).prop_map(|(kind, aim, hours)| Move::Order(kind, aim, hours)),
        1 => Just(Move::TakeOrdersAway),
        1 => (whose, verdict()).prop_map(|(whose, verdict)| Move::Damage(whose, verdict)),
        5 => (0usize..2, evidence()).prop_map(|(governor, evidence)| Move::Decide(governor, Box::new(evidence))),
        5 => (0usize..2, fate.clone()).prop_map(|(governor, fate)| Move::Commit(governor, fate)),
        12 => (evidence(), fate).prop_map(|(evidence, fate)| Move::Turn(Box::new(evidence), fate)),
    ]
}

/// A governor's decision in its hands: the standing it was made on, what was decided, and what the clocks had shown then. A
/// change is as old as the decision, however long its governor hung before it wrote the entry.
type InHand = Option<(Standing, Decision, Span)>;

struct World {
    store: Memory,
    rules: Rules,
    truth: Timestamp,
    /// The wall less the truth, in hours.
    skew: i64,
    /// How much of the time that passed a believing reader of the clock may count: the truth, and what the clock jumped ahead of
    /// all it had shown before.
    credited: Span,
    /// The latest that an entry has shown.
    shown: Timestamp,
    orders: Vec<Override>,
    given: usize,
    published: BTreeSet<Version>,
    damaged: Vec<(Version, Verdict)>,
    hands: [InHand; 2],
    promoted: BTreeSet<Version>,
    taken_back: BTreeSet<Version>,
    /// The credit at the last change that nobody asked for.
    changed: Option<Span>,
    obeyed: BTreeSet<String>,
}

impl World {
    fn new() -> World {
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
    fn begin(&mut self) {
        let (version, at) = (Version::FIRST, self.wall());
        let step = Transition { version, bundle: None, from: None, to: State::Training, reasons: Vec::new() };
        let training = Some(scene::training(version, at));
        let record = Record { transitions: vec![step], training, ..Record::empty(at) };
        append(&self.store, &model(), &entry(&self.standing(), record)).unwrap();
        self.published.insert(version);
    }

    fn wall(&self) -> Timestamp {
        match self.skew {
            ..0 => self.truth - Span::from_hours(-self.skew),
            _ => self.truth + Span::from_hours(self.skew),
        }
    }

    fn standing(&self) -> Standing {
        fold(&self.store, &model()).unwrap()
    }

    fn take(&mut self, a_move: Move) -> Result<(), String> {
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
    fn seen(&self, standing: &Standing, evidence: &Evidence) -> Observation {
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

fn walk(moves: Vec<Move>) -> Result<World, String> {
    let mut world = World::new();
    world.begin();
    for (number, a_move) in moves.into_iter().enumerate() {
        world.take(a_move).map_err(|broken| format!("move {number}: {broken}"))?;
    }
    Ok(world)
}

/// Everything that can be taken away from what was seen, or be made to say less.
fn less(seen: &Observation) -> Vec<(String, Observation)> {
    let mut all = Vec::new();
    let mut with = |name: &str, weaken: &dyn Fn(&mut Observation)| {
        let mut weaker = seen.clone();
        weaken(&mut weaker);
        all.push((name.to_owned(), weaker));
    };
    with("no window", &|seen| seen.judged.clear());
    with("no drift", &|seen| seen.drift.clear());
    with("no performance", &|seen| seen.performance.clear());
    with("no drift of the candidate", &|seen| seen.candidate_drift.clear());
    with("no evaluation", &|seen| seen.evaluation = None);
    with("no shadow", &|seen| seen.shadow = None);
    with("no watch", &|seen| seen.watch = None);
    with("no bundles", &|seen| seen.bundles.clear());
    with("no rows", &|seen| (seen.data.rows, seen.next) = (0, None));
    with("nothing", &|seen| *seen = Observation::nothing(&model()));
    for weaker in [Verdict::Insufficient, Verdict::Error] {
        with(&format!("the evaluation says {weaker}"), &|seen| {
            seen.evaluation.iter_mut().for_each(|report| report.verdict = weaker);
        });
        with(&format!("the shadow says {weaker}"), &|seen| {
            seen.shadow.iter_mut().for_each(|report| report.verdict = weaker);
        });
        with(&format!("the bundles are {weaker}"), &|seen| {
            seen.bundles.iter_mut().for_each(|bundle| bundle.verdict = weaker);
        });
        with(&format!("the windows are {weaker}"), &|seen| {
            seen.performance
                .iter_mut()
                .for_each(|report| (report.verdict, report.catastrophic.verdict) = (weaker, weaker));
        });
        with(&format!("drift is {weaker}"), &|seen| {
            seen.drift
                .iter_mut()
                .for_each(|report| (report.verdict, report.severity) = (Verdict::Insufficient, Severity::None));
        });
    }
    with("no checks", &|seen| {
        seen.evaluation.iter_mut().for_each(|report| report.checks.clear());
        seen.shadow.iter_mut().for_each(|report| report.checks.clear());
        seen.performance.iter_mut().for_each(|report| report.maturity.clear());
    });
    for place in 0..seen.bundles.len() {
        with(&format!("without bundle {place}"), &|seen| drop(seen.bundles.remove(place)));
        with(&format!("without the metrics of bundle {place}"), &|seen| seen.bundles[place].baseline = None);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_law_is_kept_on_long_walks(moves in prop::collection::vec(a_move(), 1..220)) {
        if let Err(broken) = walk(moves) {
            return Err(TestCaseError::fail(broken));
        }
    }

    /// A step up that weaker evidence takes was taken on the whole of it, unless the whole took back or rejected first: what is
    /// stricter comes first, and an alarm that falls silent no longer does. A rollback needs all that it rests on.
    #[test]
    fn taking_evidence_away_never_promotes_and_never_rolls_back(
        moves in prop::collection::vec(a_move(), 1..120),
        evidence in evidence(),
        later in 0i64..60,
    ) {
        let mut world = walk(moves).map_err(TestCaseError::fail)?;
        world.truth = world.truth + Span::from_hours(later);
        let standing = world.standing();
        let seen = world.seen(&standing, &evidence);
        let decided = |seen: &Observation| {
            let decision = decide(&standing, seen, &world.rules, &world.orders, world.wall()).unwrap();
            steps(&decision)
        };
        let whole = decided(&seen);
        let stricter = whole.iter().any(|(_, to)| matches!(to, State::RolledBack | State::Rejected));
        for (name, weaker) in less(&seen) {
            let less = decided(&weaker);
            for (version, to) in &less {
                let up = matches!(to, State::Shadowing | State::Promotable | State::Promoted);
                let down = whole.contains(&(*version, State::Promoted)) || standing.candidate.as_ref().is_some_and(|candidate| candidate.state == State::Promotable && *to == State::Shadowing);
                prop_assert!(!up || down || stricter || whole.contains(&(*version, *to)), "{name}: {less:?} of {whole:?}");
                // A way back that is known to be broken holds for as long as that is known.
                let held = seen.watch.as_ref().is_some_and(|watch| watch.verdict == Verdict::Fail);
                prop_assert!(*to != State::RolledBack || held || whole.contains(&(*version, *to)), "{name}: {less:?} of {whole:?}");
            }
        }
    }
}

/// The walks go somewhere: all that the laws speak of happens on them.
#[test]
fn walks_promote_roll_back_reject_and_lose_races() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let moves = prop::collection::vec(a_move(), 220);
    let (mut promoted, mut taken_back, mut rejected, mut obeyed) = (0, 0, 0, 0);
    for _ in 0..40 {
        let world = walk(moves.new_tree(&mut runner).unwrap().current()).unwrap();
        promoted += world.promoted.len();
        taken_back += world.taken_back.len();
        obeyed += world.obeyed.len();
        rejected += world.standing().versions.values().filter(|state| **state == State::Rejected).count();
    }
    println!(
        "40 walks: {promoted} promoted, {taken_back} rolled back, {rejected} rejected, {obeyed} orders obeyed once"
    );
    assert!(
        promoted > 40 && taken_back > 5 && rejected > 20 && obeyed > 40,
        "{promoted} {taken_back} {rejected} {obeyed}"
    );
}
