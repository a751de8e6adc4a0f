//! The transition table, one test a rule; pure, because the decision is.

use std::collections::BTreeMap;

use super::*;
use crate::drift::{DriftReport, Severity};
use crate::evaluate::{Evaluation, Opponent, Watch};
use crate::ingest::ContractRef;
use crate::performance::{Baseline, PerformanceReport};
use crate::shadow::ShadowReport;
use crate::snapshot::Window;
use crate::train::{Metric, Path, Plan, TrainRules};
use crate::types::{Check, Digest, Measurement, ModelName, Operator, Span, Timestamp, Verdict, Version};

const OLD: Version = Version::new(1, 0, 0);
const NEW: Version = Version::new(1, 1, 0);
const NEXT: Version = Version::new(1, 2, 0);

fn model() -> ModelName {
    "rain".parse().unwrap()
}

fn day(day: i64) -> Timestamp {
    Timestamp::EPOCH + Span::from_days(20_000 + day)
}

fn bundle_of(version: Version) -> Digest {
    Digest::of(version.to_string())
}

fn check(verdict: Verdict) -> Check {
    let check = Check::require(Measurement::new("m", 0.0, 500), Operator::Less, 1.0, 1);
    Check { verdict, ..check }
}

fn metric(name: &str, value: f64) -> Metric {
    Metric { measurement: Measurement::new(name, value, 500), interval: None }
}

fn plan(version: Version) -> Plan {
    Plan {
        format_version: 1,
        model: model(),
        path: Path::Candidate,
        version,
        contract: ContractRef { version: OLD, sha256: Digest::of("contract") },
        datasets: vec![Digest::of("data")],
        seed: 1,
        rules: TrainRules::default(),
        engine: "test".into(),
        attempt: 1,
    }
}

fn baseline(version: Version) -> Baseline {
    Baseline { version, metrics: vec![metric("auc", 0.8), metric("base_rate", 0.3)], threshold: Some(0.5) }
}

fn window(of: i64) -> Window {
    Window { start: day(of), size: Span::from_days(1) }
}

/// A journal in memory, what is seen, and which orders stand.
struct Scene {
    standing: Standing,
    seen: Observation,
    rules: Rules,
    orders: Vec<Override>,
    entries: u64,
}

impl Scene {
    fn new() -> Self {
        Scene {
            standing: Standing::default(),
            seen: Observation {
                data: Data { datasets: vec![Digest::of("data")], rows: 10_000, refused: Vec::new() },
                next: Some(plan(NEXT)),
                ..Observation::nothing(&model())
            },
            rules: Rules::default(),
            orders: Vec::new(),
            entries: 0,
        }
    }

    /// Begin a training as `regent train` does.
    fn training(mut self, version: Version, at: Timestamp) -> Self {
        let training = Training {
            plan: plan(version),
            attempt: 1,
            created_at: at,
            evidence: None,
            matured_until: None,
            rows: 10_000,
        };
        let step = Transition { version, bundle: None, from: None, to: State::Training, reasons: Vec::new() };
        let record = Record { transitions: vec![step], training: Some(training), ..Record::empty(at) };
        self.write(record);
        self
    }

    fn write(&mut self, record: Record) {
        self.entries += 1;
        let entry = Entry {
            format_version: 1,
            seq: self.entries,
            parent: self.standing.head.map(|(_, digest)| digest),
            txn: String::new(),
            actor: "test".into(),
            engine: "test".into(),
            inputs: Vec::new(),
            decision: record,
        };
        let digest = Digest::of(self.entries.to_string());
        self.standing = self.standing.clone().after(&entry, digest).unwrap();
    }

    fn bundle(mut self, version: Version) -> Self {
        self.seen.bundles.push(Bundle {
            version,
            digest: Some(bundle_of(version)),
            verdict: Verdict::Pass,
            note: String::new(),
            baseline: Some(baseline(version)),
            learned_rows: 100_000,
            contract_major: 1,
        });
        self
    }

    fn evaluated(mut self, version: Version, verdict: Verdict) -> Self {
        self.seen.evaluation = Some(Evaluation {
            format_version: 1,
            model: model(),
            candidate: version,
            candidate_bundle: bundle_of(version),
            against: Opponent::Champion { version: OLD, bundle: bundle_of(OLD) },
            datasets: Vec::new(),
            rows: 500,
            checks: vec![check(verdict)],
            shown: Vec::new(),
            verdict,
        });
        self
    }

    fn shadowed(mut self, verdict: Verdict) -> Self {
        self.seen.shadow = Some(ShadowReport {
            format_version: 1,
            model: model(),
            champion: OLD,
            candidate: NEW,
            candidate_bundle: bundle_of(NEW),
            since: day(0),
            until: day(1),
            pairs: 500,
            labelled_pairs: 500,
            checks: vec![check(verdict)],
            shown: Vec::new(),
            verdict,
        });
        self
    }

    fn judged(mut self, of: i64) -> Self {
        self.seen.judged = vec![Judged {
            window: window(of),
            snapshot: Digest::of("snapshot"),
            sealed_at: window(of).end() + Span::from_mins(10),
        }];
        self
    }

    fn performing(mut self, verdict: Verdict, catastrophic: Verdict) -> Self {
        self.seen.performance = vec![PerformanceReport {
            format_version: 1,
            model: model(),
            version: self.standing.champion_version().unwrap_or(OLD),
            bundle: bundle_of(self.standing.champion_version().unwrap_or(OLD)),
            window: window(0),
            predictions: 500,
            labelled: 500,
            maturity: Vec::new(),
            metrics: vec![metric("auc", 0.3), metric("base_rate", 0.3)],
            checks: vec![check(verdict)],
            catastrophic: check(catastrophic),
            verdict,
        }];
        self
    }

    /// The predecessor beside the champion, on rows that arrived since its promotion.
    fn watched(mut self, verdict: Verdict) -> Self {
        let champion = self.standing.champion.clone().unwrap();
        self.seen.watch = Some(Watch {
            format_version: 1,
            model: model(),
            champion: champion.version,
            champion_bundle: champion.bundle,
            predecessor: OLD,
            predecessor_bundle: bundle_of(OLD),
            since: champion.since,
            datasets: vec![Digest::of("new")],
            left_out: Vec::new(),
            rows: 500,
            checks: vec![check(verdict)],
            shown: Vec::new(),
            verdict,
        });
        self
    }

    fn order(mut self, id: &str, order: Order, version: Option<Version>) -> Self {
        self.orders.push(Override {
            id: id.into(),
            model: model(),
            order,
            version,
            bundle: version.map(bundle_of),
            author: "ana".into(),
            reason: "because".into(),
            expires: day(1_000),
        });
        self
    }

    fn decide(&self, now: Timestamp) -> Decision {
        decide(&self.standing, &self.seen, &self.rules, &self.orders, now).unwrap()
    }

    /// Decide and write what was decided; the steps taken.
    fn run(&mut self, now: Timestamp) -> Vec<(Version, State)> {
        let decision = self.decide(now);
        let steps = decision.record.iter().flat_map(|record| &record.transitions).map(|step| (step.version, step.to));
        let steps = steps.collect();
        if let Some(record) = decision.record {
            self.write(record);
        }
        steps
    }

    /// A champion, promoted at day 0 by the road.
    fn with_champion() -> Self {
        let mut scene = Scene::new().training(OLD, day(-1)).bundle(OLD).evaluated(OLD, Verdict::Pass);
        assert_eq!(scene.run(day(-1)), [(OLD, State::Shadowing), (OLD, State::Promotable)]);
        assert_eq!(scene.run(day(0)), [(OLD, State::Promoted)]);
        scene.seen.evaluation = None;
        scene
    }

    /// A candidate that shadows beside the champion since day 1.
    fn with_shadow() -> Self {
        let mut scene = Scene::with_champion().training(NEW, day(1)).bundle(NEW).evaluated(NEW, Verdict::Pass);
        assert_eq!(scene.run(day(1)), [(NEW, State::Shadowing)]);
        scene
    }

    /// A candidate that is PROMOTABLE since day 5, past every cooldown.
    fn with_promotable() -> Self {
        let mut scene = Scene::with_shadow().shadowed(Verdict::Pass).judged(4);
        assert_eq!(scene.run(day(5) + Span::from_hours(1)), [(NEW, State::Promotable)]);
        scene
    }

    /// A champion that followed another, promoted at day 6.
    fn with_predecessor() -> Self {
        let mut scene = Scene::with_promotable().judged(5);
        assert_eq!(scene.run(day(6) + Span::from_hours(1)), [(OLD, State::Retired), (NEW, State::Promoted)]);
        scene
    }
}

#[test]
fn the_first_of_a_lineage_is_promoted_at_a_later_tick() {
    let mut scene = Scene::new().training(OLD, day(0)).bundle(OLD).evaluated(OLD, Verdict::Pass);
    assert_eq!(scene.run(day(0)), [(OLD, State::Shadowing), (OLD, State::Promotable)]);
    assert_eq!(scene.run(day(0)), [], "the same instant is not a later tick");
    assert_eq!(scene.run(day(0) + Span::from_secs(1)), [(OLD, State::Promoted)]);
}

#[test]
fn silence_never_promotes() {
    for verdict in [Verdict::Insufficient, Verdict::Error] {
        let mut training = Scene::with_champion().training(NEW, day(1)).bundle(NEW).evaluated(NEW, verdict);
        assert_eq!(training.run(day(9)), []);
        let mut shadowing = Scene::with_shadow().shadowed(verdict).judged(4);
        assert_eq!(shadowing.run(day(9)), []);
        let mut promotable = Scene::with_promotable().shadowed(verdict).judged(5);
        assert_eq!(promotable.run(day(9)), [(NEW, State::Shadowing)]);
    }
    let mut nothing = Scene::with_shadow().judged(4);
    assert_eq!(nothing.run(day(9)), []);
    let mut gone = Scene::with_promotable().judged(5);
    gone.seen.shadow = None;
    assert_eq!(gone.run(day(9)), [(NEW, State::Shadowing)]);
}

#[test]
fn promotable_and_promoted_are_never_in_one_run() {
    let mut scene = Scene::with_shadow().shadowed(Verdict::Pass).judged(4);
    assert_eq!(scene.run(day(9)), [(NEW, State::Promotable)]);
}

#[test]
fn promoted_only_on_a_window_sealed_after_promotable() {
    let mut stale = Scene::with_promotable();
    assert_eq!(stale.run(day(9)), [], "window 4 was sealed before");
    assert!(stale.decide(day(9)).notes.iter().any(|note| note.contains("one more judged window")));
    let mut fresh = Scene::with_promotable().judged(5);
    assert_eq!(fresh.run(day(9)), [(OLD, State::Retired), (NEW, State::Promoted)]);
}

#[test]
fn a_gate_that_fails_rejects() {
    let mut evaluated = Scene::with_champion().training(NEW, day(1)).bundle(NEW).evaluated(NEW, Verdict::Fail);
    assert_eq!(evaluated.run(day(1)), [(NEW, State::Rejected)]);
    let mut shadowed = Scene::with_shadow().shadowed(Verdict::Fail);
    assert_eq!(shadowed.run(day(3)), [(NEW, State::Rejected)]);
    let mut old = Scene::with_shadow().shadowed(Verdict::Insufficient);
    assert_eq!(old.run(day(16)), [(NEW, State::Rejected)], "older than max_age");
}

#[test]
fn a_bundle_that_does_not_verify_stops_the_walk() {
    let mut scene = Scene::with_promotable().judged(5);
    for bundle in &mut scene.seen.bundles {
        bundle.verdict = Verdict::Fail;
    }
    assert_eq!(scene.run(day(9)), []);
    let mut swapped = Scene::with_promotable().judged(5);
    for bundle in &mut swapped.seen.bundles {
        bundle.digest = Some(Digest::of("another"));
    }
    assert_eq!(swapped.run(day(9)), []);
}

#[test]
fn a_frozen_model_does_not_move() {
    let mut scene = Scene::with_promotable().judged(5).order("f", Order::Freeze, None);
    assert_eq!(scene.run(day(9)), []);
    let mut shadowing = Scene::with_shadow().shadowed(Verdict::Pass).order("f", Order::Freeze, None);
    assert_eq!(shadowing.run(day(9)), []);
}

#[test]
fn a_manual_model_waits_for_an_approve_of_this_very_bundle() {
    let mut scene = Scene::with_promotable().judged(5);
    scene.rules.promotion.mode = Mode::Manual;
    assert_eq!(scene.run(day(9)), []);
    let mut other = scene.orders.clone();
    scene = scene.order("a", Order::Approve, Some(NEW));
    other.push(Override { bundle: Some(Digest::of("another")), ..scene.orders[0].clone() });
    let wrong = decide(&scene.standing, &scene.seen, &scene.rules, &other, day(9)).unwrap();
    assert!(wrong.record.is_none_or(|record| record.transitions.is_empty()));
    scene = scene.judged(6);
    assert_eq!(scene.run(day(9)), [(OLD, State::Retired), (NEW, State::Promoted)]);
}

#[test]
fn a_promote_order_forces_the_road_but_not_verification() {
    let mut scene = Scene::with_shadow().order("p", Order::Promote, Some(NEW));
    let decision = scene.decide(day(2));
    assert_eq!(decision.record.unwrap().applied[0].author, "ana");
    assert_eq!(scene.run(day(2)), [(NEW, State::Promotable), (OLD, State::Retired), (NEW, State::Promoted)]);
    assert_eq!(scene.run(day(3)), [], "an order is obeyed once");
    assert!(scene.decide(day(3)).notes.iter().any(|note| note.contains("already applied at entry")));
    let mut broken = Scene::with_shadow().order("p", Order::Promote, Some(NEW));
    broken.seen.bundles.last_mut().unwrap().verdict = Verdict::Fail;
    assert_eq!(broken.run(day(2)), []);
}

#[test]
fn the_stricter_order_wins() {
    for stricter in [Order::Freeze, Order::Pin] {
        let version = (stricter == Order::Pin).then_some(OLD);
        let mut scene = Scene::with_shadow().order("p", Order::Promote, Some(NEW)).order("s", stricter, version);
        assert_eq!(scene.run(day(2)), [], "{stricter}");
        assert!(scene.decide(day(2)).notes.iter().any(|note| note.contains("stricter")));
    }
}

#[test]
fn a_reject_order_works_while_frozen() {
    let mut scene = Scene::with_shadow().order("r", Order::Reject, Some(NEW)).order("f", Order::Freeze, None);
    assert_eq!(scene.run(day(2)), [(NEW, State::Rejected)]);
}

#[test]
fn a_rollback_order_works_while_frozen_and_returns_to_the_predecessor() {
    let mut scene = Scene::with_predecessor().order("r", Order::Rollback, None).order("f", Order::Freeze, None);
    assert_eq!(scene.run(day(7)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
    assert_eq!(scene.standing.champion_version(), Some(OLD));
    let mut nobody = Scene::with_champion().order("r", Order::Rollback, None);
    assert_eq!(nobody.run(day(7)), [], "there is nobody to return to");
}

#[test]
fn a_fallen_champion_is_rolled_back_unless_the_world_moved() {
    let fallen = || {
        let mut scene = Scene::with_predecessor().performing(Verdict::Fail, Verdict::Fail).judged(9);
        scene.seen.next = None;
        scene
    };
    assert_eq!(fallen().run(day(10)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
    assert_eq!(fallen().run(day(30)), [], "the watch is over");
    let mut moved = fallen();
    moved.seen.drift = vec![severe_drift()];
    assert_eq!(moved.run(day(10)), []);
    let mut nowhere = fallen().watched(Verdict::Fail);
    assert_eq!(nowhere.run(day(10)), [], "the predecessor is broken too");
    let mut unproven = fallen().watched(Verdict::Insufficient);
    assert_eq!(unproven.run(day(10)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
    let mut silent = Scene::with_predecessor().performing(Verdict::Insufficient, Verdict::Insufficient).judged(9);
    assert_eq!(silent.run(day(10)), [], "absence of evidence never rolls back");
}

#[test]
fn a_champion_whose_predecessor_is_better_is_rolled_back_whatever_moved() {
    let outdone = || {
        let mut scene = Scene::with_predecessor().watched(Verdict::Pass).judged(9);
        scene.seen.next = None;
        scene
    };
    assert_eq!(outdone().run(day(10)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
    let decision = outdone().decide(day(10));
    assert!(decision.record.unwrap().reasons[0].contains("1.0.0 is better than 1.1.0 on the newest labelled rows"));
    // The champion's inputs are far from its own profile, and the predecessor is at home among them: an incident was mended.
    let mut mended = outdone();
    mended.seen.drift = vec![severe_drift()];
    assert_eq!(mended.run(day(10)), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
    assert_eq!(outdone().run(day(30)), [], "the watch is over");
    assert_eq!(outdone().run(day(7)), [], "promoted at day 6: the cooldown is not over");
    assert_eq!(outdone().order("f", Order::Freeze, None).run(day(10)), []);
    assert_eq!(outdone().order("p", Order::Pin, Some(NEW)).run(day(10)), []);
}

#[test]
fn a_watch_that_is_not_pass_or_not_of_this_champion_rolls_nobody_back() {
    let mut scenes = Vec::new();
    for verdict in [Verdict::Insufficient, Verdict::Error, Verdict::Fail] {
        scenes.push(Scene::with_predecessor().watched(verdict));
    }
    let faults: [fn(&mut Watch); 7] = [
        |watch| watch.champion = NEXT,
        |watch| watch.champion_bundle = Digest::of("another"),
        |watch| watch.predecessor_bundle = Digest::of("another"),
        |watch| watch.since = day(0),
        |watch| watch.model = "sun".parse().unwrap(),
        |watch| watch.checks.clear(),
        |watch| watch.checks = vec![check(Verdict::Insufficient)],
    ];
    for fault in faults {
        let mut scene = Scene::with_predecessor().watched(Verdict::Pass);
        fault(scene.seen.watch.as_mut().unwrap());
        scenes.push(scene);
    }
    let mut unverified = Scene::with_predecessor().watched(Verdict::Pass);
    unverified.seen.bundles.iter_mut().for_each(|bundle| bundle.verdict = Verdict::Fail);
    scenes.push(unverified);
    for (number, mut scene) in scenes.into_iter().enumerate() {
        scene.seen.next = None;
        assert_eq!(scene.run(day(10)), [], "scene {number}");
    }
}

#[test]
fn a_catastrophe_that_only_one_look_in_forty_believes_trains_and_does_not_roll_back() {
    // A drop from 0.8 to 0.55 on 500 rows is more than 0.15 by a 95 % interval, and may be less by a bound that all looks share.
    let fallen = |area: f64| {
        let mut scene = Scene::with_predecessor().performing(Verdict::Fail, Verdict::Fail).judged(9);
        scene.seen.performance[0].metrics = vec![metric("auc", area), metric("base_rate", 0.3)];
        scene.seen.data.rows = 11_000;
        scene.run(day(10))
    };
    assert_eq!(fallen(0.55), [(NEXT, State::Training)]);
    assert_eq!(fallen(0.3), [(NEW, State::RolledBack), (OLD, State::Promoted)]);
}

fn severe_drift() -> DriftReport {
    DriftReport {
        format_version: 1,
        model: model(),
        version: NEW,
        bundle: bundle_of(NEW),
        window: window(9),
        snapshot: Digest::of("snapshot"),
        features: Vec::new(),
        prediction: Vec::new(),
        volume: check(Verdict::Pass),
        invalid: check(Verdict::Pass),
        dataset: check(Verdict::Fail),
        weighted_psi: check(Verdict::Fail),
        severity: Severity::Severe,
        verdict: Verdict::Fail,
    }
}

#[test]
fn no_second_automatic_change_within_the_cooldown() {
    let mut scene = Scene::with_predecessor().performing(Verdict::Fail, Verdict::Fail).judged(6);
    scene.seen.next = None;
    assert_eq!(scene.run(day(7)), [], "promoted at day 6");
}

#[test]
fn a_catastrophe_starts_a_training_and_pins_it() {
    let mut scene = Scene::with_champion().performing(Verdict::Fail, Verdict::Fail).judged(4);
    scene.seen.data.rows = 11_000;
    let decision = scene.decide(day(5));
    assert!(matches!(&decision.effects[..], [Effect::Train(training)] if training.plan.version == NEXT));
    assert_eq!(scene.run(day(5)), [(NEXT, State::Training)]);
    assert_eq!(scene.run(day(5)), [], "one candidate at a time");
}

#[test]
fn a_silent_training_is_taken_over_and_a_failing_one_is_rejected() {
    let mut scene = Scene::with_champion().training(NEW, day(1));
    assert!(scene.decide(day(1) + Span::from_mins(5)).effects.is_empty());
    assert_eq!(scene.decide(day(1) + Span::from_hours(1)).effects.len(), 1);
    scene.standing.candidate.as_mut().unwrap().failures = vec!["no".into(); 3];
    assert_eq!(scene.run(day(2)), [(NEW, State::Rejected)]);
}

#[test]
fn every_judged_window_is_answered_for_once() {
    let mut scene = Scene::with_champion().judged(4);
    assert_eq!(scene.decide(day(5)).record.unwrap().judged, [window(4)]);
    scene.run(day(5));
    assert!(scene.decide(day(5)).record.is_none(), "a run with nothing new adds no entry");
}

#[test]
fn a_clock_that_goes_backwards_shortens_nothing_and_one_that_jumps_holds() {
    let scene = Scene::with_champion().judged(4);
    assert_eq!(scene.decide(day(-300)).record.unwrap().at, day(0));
    assert!(scene.decide(day(400)).held.unwrap().contains("clock"));
    let believed = Scene::with_champion().judged(4).order("c", Order::Clock, None);
    assert!(believed.decide(day(400)).held.is_none());
}

#[test]
fn an_expired_order_is_ignored_and_said() {
    let mut scene = Scene::with_promotable().judged(5).order("f", Order::Freeze, None);
    scene.orders[0].expires = day(8);
    let decision = scene.decide(day(9));
    assert!(decision.notes.iter().any(|note| note.contains("expired")));
    assert_eq!(decision.record.unwrap().transitions.len(), 2);
}

#[test]
fn the_road_has_no_other_steps() {
    let road: BTreeMap<_, Vec<_>> = ROAD.iter().fold(BTreeMap::new(), |mut road, (from, to)| {
        road.entry(*from).or_insert_with(Vec::new).push(*to);
        road
    });
    assert_eq!(road[&Some(State::Promotable)], [State::Shadowing, State::Promoted, State::Rejected]);
    assert!(!road.contains_key(&Some(State::Rejected)) && !road.contains_key(&Some(State::RolledBack)));
    let promoted_from: Vec<_> = ROAD.iter().filter(|(_, to)| *to == State::Promoted).map(|(from, _)| *from).collect();
    assert_eq!(promoted_from, [Some(State::Promotable), Some(State::Retired)]);
}
