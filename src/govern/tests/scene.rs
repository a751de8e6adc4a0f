//! A model on a stage: a journal in memory, what is seen, which orders stand; and builders that speak of them.

use std::collections::BTreeMap;

use crate::drift::{DriftReport, Severity};
use crate::evaluate::{Evaluation, Opponent, Watch};
use crate::govern::*;
use crate::ingest::ContractRef;
use crate::performance::{Baseline, EstimateReport, LabelCounts, PerformanceReport, Residuals};
use crate::shadow::ShadowReport;
use crate::snapshot::Window;
use crate::train::{Metric, Path, Plan, TrainRules};
use crate::types::{Check, Digest, Measurement, ModelName, Operator, Span, Timestamp, Value, Verdict, Version};

pub const OLD: Version = Version::new(1, 0, 0);
pub const NEW: Version = Version::new(1, 1, 0);
pub const NEXT: Version = Version::new(1, 2, 0);

pub fn model() -> ModelName {
    "rain".parse().unwrap()
}

pub fn day(day: i64) -> Timestamp {
    Timestamp::EPOCH + Span::from_days(20_000 + day)
}

pub fn bundle_of(version: Version) -> Digest {
    Digest::of(version.to_string())
}

/// A check that says this, and whose number bears it out.
pub fn check(verdict: Verdict) -> Check {
    let (value, n) = match verdict {
        Verdict::Pass | Verdict::Error => (0.0, 500),
        Verdict::Insufficient => (0.0, 0),
        Verdict::Fail => (2.0, 500),
    };
    Check { verdict, ..Check::require(Measurement::new("m", value, n), Operator::Less, 1.0, 1) }
}

pub fn plan(version: Version) -> Plan {
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

pub fn training(version: Version, at: Timestamp) -> Training {
    Training { plan: plan(version), attempt: 1, created_at: at, evidence: None, matured_until: None, rows: 10_000 }
}

pub fn metric(name: &str, value: impl Into<Value>) -> Metric {
    Metric { measurement: Measurement::new(name, value, 500), interval: None }
}

pub fn baseline(version: Version) -> Baseline {
    Baseline {
        version,
        metrics: vec![metric("auc", 0.8), metric("base_rate", 0.3)],
        threshold: Some(0.5),
        slices: BTreeMap::new(),
    }
}

pub fn window(of: i64) -> Window {
    Window { start: day(of), size: Span::from_days(1) }
}

pub fn bundle(version: Version) -> Bundle {
    Bundle {
        path: Some(Path::Candidate),
        version,
        digest: Some(bundle_of(version)),
        verdict: Verdict::Pass,
        note: String::new(),
        baseline: Some(baseline(version)),
        learned_rows: 100_000,
        contract_major: version.major,
    }
}

pub fn judged(window: Window) -> Judged {
    Judged { window, snapshot: Digest::of("snapshot"), sealed_at: window.end() }
}

pub fn evaluation(candidate: Version, against: Opponent, verdict: Verdict) -> Evaluation {
    Evaluation {
        format_version: 1,
        model: model(),
        candidate,
        candidate_bundle: bundle_of(candidate),
        against,
        datasets: Vec::new(),
        rows: 500,
        checks: vec![check(verdict)],
        shown: Vec::new(),
        verdict,
    }
}

pub fn against(version: Version) -> Opponent {
    Opponent::Champion { version, bundle: bundle_of(version) }
}

pub fn shadow(
    champion: Version,
    candidate: Version,
    since: Timestamp,
    until: Timestamp,
    verdict: Verdict,
) -> ShadowReport {
    ShadowReport {
        format_version: 1,
        model: model(),
        champion,
        candidate,
        candidate_bundle: bundle_of(candidate),
        since,
        until,
        sampled_share: 1.0,
        pairs: 500,
        labelled_pairs: 500,
        checks: vec![check(verdict)],
        shown: Vec::new(),
        verdict,
    }
}

/// An area under the curve that says this against a line of 0.65.
fn area(verdict: Verdict) -> Check {
    let (value, n) = match verdict {
        Verdict::Pass | Verdict::Error => (0.9, 500),
        Verdict::Insufficient => (0.9, 0),
        Verdict::Fail => (0.3, 500),
    };
    Check { verdict, ..Check::require(Measurement::new("auc_upper95", value, n), Operator::AtLeast, 0.65, 1) }
}

/// What one window says of a version's performance; mature if it says anything.
pub fn performance(version: Version, window: Window, verdict: Verdict, catastrophic: Verdict) -> PerformanceReport {
    let area = area(catastrophic);
    let won = if catastrophic == Verdict::Fail { 1e9 } else { 0.1 };
    PerformanceReport {
        format_version: 1,
        model: model(),
        version,
        bundle: bundle_of(version),
        window,
        late: 0,
        predictions: 500,
        labelled: 500,
        sampled_share: 1.0,
        labels: LabelCounts { received: 500, used: 500, ..LabelCounts::default() },
        maturity: vec![check(if verdict.is_judged() { Verdict::Pass } else { Verdict::Insufficient })],
        metrics: vec![metric("auc", area.measurement.value.clone()), metric("base_rate", 0.3)],
        checks: vec![check(verdict)],
        floors: Vec::new(),
        slices: Vec::new(),
        catastrophic: area,
        collapse: Measurement::new("collapse_e_value", won, 500),
        residuals: None,
        methods: BTreeMap::new(),
        verdict,
    }
}

/// What the scores of one window foretell.
pub fn estimated(version: Version, window: Window, verdict: Verdict) -> EstimateReport {
    EstimateReport {
        format_version: 1,
        model: model(),
        version,
        bundle: bundle_of(version),
        window,
        snapshot: Digest::of("snapshot"),
        metrics: Vec::new(),
        checks: vec![check(verdict)],
        method: String::new(),
        assumes: String::new(),
        verdict,
    }
}

/// Everything that people are told and nothing is decided on, at its worst, in every window of what was seen.
pub fn hearsay(seen: &Observation) -> Observation {
    let mut loud = seen.clone();
    let windows = seen.drift.iter().map(|report| (report.version, report.window));
    loud.estimated = windows.map(|(version, window)| estimated(version, window, Verdict::Fail)).collect();
    for report in loud.drift.iter_mut().chain(&mut loud.candidate_drift) {
        (report.prediction, report.prediction_mean) = (vec![check(Verdict::Fail); 2], vec![check(Verdict::Fail); 2]);
    }
    for report in &mut loud.performance {
        let (edges, none, failed) = (Vec::new(), Vec::new(), check(Verdict::Fail));
        let checks = vec![failed.clone(); 2];
        report.residuals = Some(Residuals { edges, reference: none.clone(), current: none, checks, coverage: failed });
    }
    loud
}

/// A predecessor beside who serves, on rows that arrived since its promotion.
pub fn watch(champion: Version, since: Timestamp, predecessor: Version, verdict: Verdict) -> Watch {
    Watch {
        format_version: 1,
        model: model(),
        champion,
        champion_bundle: bundle_of(champion),
        predecessor,
        predecessor_bundle: bundle_of(predecessor),
        since,
        datasets: vec![Digest::of("new")],
        left_out: Vec::new(),
        rows: 500,
        checks: vec![check(verdict)],
        shown: Vec::new(),
        verdict,
    }
}

/// What one window says of drift against a version's profile.
pub fn drift(version: Version, window: Window, severity: Severity, verdict: Verdict) -> DriftReport {
    DriftReport {
        format_version: 1,
        model: model(),
        version,
        bundle: bundle_of(version),
        window,
        snapshot: Digest::of("snapshot"),
        features: Vec::new(),
        prediction: Vec::new(),
        prediction_mean: Vec::new(),
        volume: check(Verdict::Pass),
        invalid: check(Verdict::Pass),
        dataset: check(verdict),
        weighted_psi: check(verdict),
        methods: BTreeMap::new(),
        severity,
        verdict,
    }
}

pub fn order(id: &str, order: Order, version: Option<Version>) -> Override {
    Override {
        id: id.into(),
        model: model(),
        order,
        version,
        bundle: version.map(bundle_of),
        author: "ana".into(),
        reason: "because".into(),
        expires: day(1_000),
    }
}

/// The entry that follows where everything stands.
pub fn entry(standing: &Standing, record: Record) -> Entry {
    Entry {
        format_version: 1,
        seq: standing.head.map_or(1, |(seq, _)| seq + 1),
        parent: standing.head.map(|(_, digest)| digest),
        txn: String::new(),
        actor: "test".into(),
        engine: "test".into(),
        inputs: Vec::new(),
        reports: Vec::new(),
        decision: record,
    }
}

pub fn steps(decision: &Decision) -> Vec<(Version, State)> {
    let steps = decision.record.iter().flat_map(|record| &record.transitions);
    steps.map(|step| (step.version, step.to)).collect()
}

pub struct Scene {
    pub standing: Standing,
    pub seen: Observation,
    pub rules: Rules,
    pub orders: Vec<Override>,
}

impl Scene {
    pub fn new() -> Self {
        Scene {
            standing: Standing::default(),
            seen: Observation {
                data: Data { datasets: vec![Digest::of("data")], rows: 10_000, refused: Vec::new() },
                next: Some(plan(NEXT)),
                ..Observation::nothing(&model())
            },
            rules: Rules::default(),
            orders: Vec::new(),
        }
    }

    /// Begin a training as `regent train` does.
    pub fn training(mut self, version: Version, at: Timestamp) -> Self {
        let step = Transition { version, bundle: None, from: None, to: State::Training, reasons: Vec::new() };
        let record = Record { transitions: vec![step], training: Some(training(version, at)), ..Record::empty(at) };
        self.write(record);
        self
    }

    pub fn write(&mut self, record: Record) {
        let entry = entry(&self.standing, record);
        let digest = Digest::of(entry.seq.to_string());
        self.standing = self.standing.clone().after(&entry, digest).unwrap();
    }

    pub fn bundle(mut self, version: Version) -> Self {
        self.seen.bundles.push(bundle(version));
        self
    }

    pub fn evaluated(mut self, version: Version, verdict: Verdict) -> Self {
        let first = self.standing.first_of_lineage(version);
        let serving = self.standing.champion_version().filter(|_| !first);
        self.seen.evaluation = Some(evaluation(version, serving.map_or(Opponent::FirstOfLineage, against), verdict));
        self
    }

    /// NEW beside OLD since day 1, up to the newest judged window.
    pub fn shadowed(mut self, verdict: Verdict) -> Self {
        let until = self.seen.judged.last().map_or(day(2), |judged| judged.window.end());
        self.seen.shadow = Some(shadow(OLD, NEW, day(1), until, verdict));
        self
    }

    pub fn judged(mut self, of: i64) -> Self {
        let sealed_at = window(of).end() + Span::from_mins(10);
        self.seen.judged = vec![Judged { sealed_at, ..judged(window(of)) }];
        if let Some(shadow) = &mut self.seen.shadow {
            shadow.until = window(of).end();
        }
        self
    }

    /// How the version that serves did in the window of a day.
    pub fn performing(mut self, of: i64, verdict: Verdict, catastrophic: Verdict) -> Self {
        let serving = self.standing.champion_version().unwrap();
        self.seen.performance = vec![performance(serving, window(of), verdict, catastrophic)];
        self.seen.drift = vec![drift(serving, window(of), Severity::None, Verdict::Pass)];
        self
    }

    /// The predecessor beside the champion, on rows that arrived since its promotion.
    pub fn watched(mut self, verdict: Verdict) -> Self {
        let champion = self.standing.champion.as_ref().unwrap();
        self.seen.watch = Some(watch(champion.version, champion.since, OLD, verdict));
        self
    }

    pub fn order(mut self, id: &str, kind: Order, version: Option<Version>) -> Self {
        self.orders.push(order(id, kind, version));
        self
    }

    pub fn decide(&self, now: Timestamp) -> Decision {
        decide(&self.standing, &self.seen, &self.rules, &self.orders, now).unwrap()
    }

    /// Decide and write what was decided; the steps taken.
    pub fn run(&mut self, now: Timestamp) -> Vec<(Version, State)> {
        let decision = self.decide(now);
        let steps = steps(&decision);
        if let Some(record) = decision.record {
            self.write(record);
        }
        steps
    }

    /// Whether something like this is said.
    #[track_caller]
    pub fn says(&self, now: Timestamp, words: &str) {
        let decision = self.decide(now);
        let said = decision.notes.iter().chain(&decision.held);
        let reasons = decision.record.iter().flat_map(|record| &record.reasons);
        let found = said.chain(reasons).any(|line| line.contains(words));
        assert!(
            found,
            "nothing says `{words}`: {:?} {:?}",
            decision.notes,
            decision.record.map(|record| record.reasons)
        );
    }

    /// A champion, promoted at day 0 by the road.
    pub fn with_champion() -> Self {
        let mut scene = Scene::new().training(OLD, day(-1)).bundle(OLD).evaluated(OLD, Verdict::Pass);
        assert_eq!(scene.run(day(-1)), [(OLD, State::Shadowing), (OLD, State::Promotable)]);
        assert_eq!(scene.run(day(0)), [(OLD, State::Promoted)]);
        scene.seen.evaluation = None;
        scene
    }

    /// A candidate that shadows beside the champion since day 1.
    pub fn with_shadow() -> Self {
        let mut scene = Scene::with_champion().training(NEW, day(1)).bundle(NEW).evaluated(NEW, Verdict::Pass);
        assert_eq!(scene.run(day(1)), [(NEW, State::Shadowing)]);
        scene.seen.evaluation = None;
        scene
    }

    /// A candidate that is PROMOTABLE since day 5, past every cooldown.
    pub fn with_promotable() -> Self {
        let mut scene = Scene::with_shadow().shadowed(Verdict::Pass).judged(4);
        assert_eq!(scene.run(day(5) + Span::from_hours(1)), [(NEW, State::Promotable)]);
        scene
    }

    /// A champion that followed another, promoted at day 6.
    pub fn with_predecessor() -> Self {
        let mut scene = Scene::with_promotable().judged(5);
        assert_eq!(scene.run(day(6) + Span::from_hours(1)), [(OLD, State::Retired), (NEW, State::Promoted)]);
        scene.seen.shadow = None;
        scene
    }
    /// NEXT, promoted at day 11 after NEW, which followed OLD.
    pub fn with_two_predecessors() -> Self {
        let mut scene = Scene::with_predecessor().training(NEXT, day(7)).bundle(NEXT).evaluated(NEXT, Verdict::Pass);
        assert_eq!(scene.run(day(7)), [(NEXT, State::Shadowing)]);
        (scene.seen.evaluation, scene.seen.next) = (None, None);
        for (of, steps) in
            [(9, &[(NEXT, State::Promotable)][..]), (10, &[(NEW, State::Retired), (NEXT, State::Promoted)])]
        {
            scene.seen.judged = vec![judged(window(of))];
            scene.seen.shadow = Some(shadow(NEW, NEXT, day(7), day(of + 1), Verdict::Pass));
            assert_eq!(scene.run(day(of + 1)), steps);
        }
        scene.seen.shadow = None;
        scene
    }
}
