//! A score is the sum of its parts, and without one of them it is none.

use std::collections::BTreeMap;

use super::*;
use crate::drift::{Then, detect};
use crate::performance::{Baseline, Joined, Judged, Pair, PerformanceRules, Promised, judge};
use crate::registry::testing::verified;
use crate::snapshot::{Counts, VersionCounts};
use crate::train::worlds::World;
use crate::types::{Digest, Span, Timestamp};
use uuid::Uuid;

const RULES: DriftRules = DriftRules::DEFAULTS;

fn window() -> Window {
    Window { start: Timestamp::EPOCH, size: Span::from_days(1) }
}

/// A window in which everything is as it was at training, answered within 200 ms.
fn sealed(model: &Verified) -> Snapshot {
    let mut latency = Vec::new();
    (0..500).for_each(|_| latency::record(&mut latency, 200_000));
    let profile = model.profile();
    let seen = VersionCounts {
        rows: profile.rows,
        features: profile.features.iter().map(|feature| feature.counts.clone()).collect(),
        prediction: profile.score.counts.clone(),
        latency,
        dropped: 0,
    };
    let versions = BTreeMap::from([(model.version(), seen)]);
    Snapshot {
        format_version: 1,
        model: model.name().clone(),
        window: window(),
        requests: profile.rows,
        counts: Counts { counted: profile.rows, valid: profile.rows, versions, ..Counts::default() },
        silent_replicas: Vec::new(),
        merged: Vec::new(),
        sealed_at: window().end(),
    }
}

/// A mature window in which three of four answers are right, or off by as much as the intervals hold.
fn matured(model: &Verified) -> PerformanceReport {
    let promised = model.model().and_then(Promised::by);
    let pair = |row: u32| {
        let (prediction, right) = (f64::from(row % 2), row % 8 > 1);
        let label = match &promised {
            None => {
                if right {
                    prediction
                } else {
                    1.0 - prediction
                }
            }
            Some(promised) => prediction + if right { 0.0 } else { 2.0 * promised.half_width },
        };
        Pair {
            request_id: Uuid::from_u128(u128::from(row)),
            ts: Timestamp::EPOCH,
            version: model.version(),
            prediction,
            shadow: None,
            label,
            first_label: label,
            known_at: Timestamp::EPOCH,
            slices: BTreeMap::new(),
        }
    };
    let joined = Joined {
        answered: BTreeMap::from([(model.version(), 400)]),
        pairs: (0..400).map(pair).collect(),
        ..Joined::default()
    };
    let baseline = Baseline {
        version: model.version(),
        metrics: Vec::new(),
        threshold: model.threshold(),
        slices: BTreeMap::new(),
    };
    let judged = Judged {
        model: model.name(),
        task: model.contract().task(),
        version: model.version(),
        bundle: model.digest(),
        window: window(),
        requests: 400,
        sealed_at: window().end(),
        sample: crate::log::Sample::ALL,
        baseline: &baseline,
        promised: promised.as_ref().map(|promised| (promised, &RULES)),
    };
    judge(judged, &joined, &PerformanceRules::defaults(), window().end())
}

fn drifted(model: &Verified, snapshot: &Snapshot) -> DriftReport {
    let then = Then { version: model.version(), bundle: model.digest(), profile: model.profile(), volumes: &[] };
    detect(then, snapshot, Digest::of("snapshot"), &RULES)
}

fn value(trust: &Trust, name: &str) -> Option<f64> {
    trust.parts.iter().find(|part| part.measurement.metric == name)?.measurement.value.number()
}

#[test]
fn a_score_is_the_weighted_sum_of_its_five_parts() {
    let model = Verified::Here(Box::new(verified(&World::rain())));
    let (snapshot, performance) = (sealed(&model), matured(&model));
    let drift = drifted(&model, &snapshot);
    let known =
        Known { model: &model, performance: Some(&performance), drift: Some(&drift), snapshot: Some(&snapshot) };
    let trust = trust(known, &RULES);
    let part = |name| value(&trust, name).unwrap();
    assert!((part("f1") - 0.75).abs() < 1e-12, "{trust:?}");
    assert_eq!((part("accuracy"), part("drift")), (0.75, 1.0));
    // The bin of 200 ms ends a sixteenth further at most.
    assert!(part("latency") > 0.46 && part("latency") <= 0.5);
    assert!(part("confidence") > 0.0 && part("confidence") < 1.0);
    let sum = 0.30 * 0.75 + 0.25 * 0.75 + 0.20 + 0.15 * part("confidence") + 0.10 * part("latency");
    assert!((trust.score.number().unwrap() - sum).abs() < 1e-12, "{trust:?}");
    assert_eq!(trust.at_least, trust.at_most);
    assert!((trust.parts.iter().map(|part| part.weight).sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn without_a_part_there_is_no_score_but_the_ends_it_lies_between() {
    let model = Verified::Here(Box::new(verified(&World::rain())));
    let snapshot = sealed(&model);
    let drift = drifted(&model, &snapshot);
    let unlabelled =
        trust(Known { model: &model, performance: None, drift: Some(&drift), snapshot: Some(&snapshot) }, &RULES);
    let Value::NotComputable(why) = &unlabelled.score else { panic!("{unlabelled:?}") };
    assert!(why.reason.contains("accuracy (0.3 of the score): not computable: no window is mature"), "{why}");
    assert!((unlabelled.at_most - unlabelled.at_least - 0.55).abs() < 1e-12, "{unlabelled:?}");
    let nothing = trust(Known { model: &model, performance: None, drift: None, snapshot: None }, &RULES);
    assert_eq!((nothing.at_least, nothing.at_most), (0.0, 1.0));
    // Drift that was not judged is not an absence of drift.
    let silent = Snapshot { counts: Counts::default(), ..snapshot.clone() };
    let unseen = drifted(&model, &silent);
    let quiet = trust(Known { model: &model, performance: None, drift: Some(&unseen), snapshot: None }, &RULES);
    assert_eq!(value(&quiet, "drift"), None);
}

#[test]
fn a_regression_says_what_stands_for_what() {
    let model = Verified::Here(Box::new(verified(&World::amount())));
    let (snapshot, performance) = (sealed(&model), matured(&model));
    let drift = drifted(&model, &snapshot);
    let known =
        Known { model: &model, performance: Some(&performance), drift: Some(&drift), snapshot: Some(&snapshot) };
    let trust = trust(known, &RULES);
    let kept = 0.75 / model.model().and_then(Promised::by).unwrap().level;
    assert_eq!(value(&trust, "f1"), Some(kept));
    for name in ["accuracy", "f1", "confidence"] {
        let part = trust.parts.iter().find(|part| part.measurement.metric == name).unwrap();
        assert!(part.method.starts_with("in its place"), "{part:?}");
    }
    assert!(trust.score.number().is_some(), "{trust:?}");
}
