//! Drift is found when it is there, is not found when it is not, and is never denied on silence.

use std::collections::BTreeMap;

use super::*;
use crate::contract::{Bins, Histogram, Profile};
use crate::snapshot::{Counts, Snapshot, VersionCounts};
use crate::types::{Span, Timestamp};

/// Ten bins, ten groups, a thousand reference rows each; then the four bins outside.
fn histogram(name: &str) -> Histogram {
    let edges = (1..10).map(f64::from).collect();
    let mut counts = vec![1_000; 10];
    counts.extend([0; 4]);
    Histogram {
        name: name.to_owned(),
        bins: Bins::Numeric { edges, groups: (0..10).collect() },
        counts,
        importance: 0.25,
    }
}

fn profile() -> Profile {
    Profile {
        format_version: 1,
        rows: 10_000,
        features: ["a", "b", "c", "d"].map(histogram).to_vec(),
        score: histogram("score"),
    }
}

fn even() -> Vec<u64> {
    let mut counts = vec![25; 10];
    counts.extend([0; 4]);
    counts
}

fn moved() -> Vec<u64> {
    let mut counts = vec![0, 0, 0, 0, 0, 50, 50, 50, 50, 50];
    counts.extend([0; 4]);
    counts
}

fn a_window(features: [Vec<u64>; 4]) -> Snapshot {
    let rows = features[0].iter().sum();
    let seen = VersionCounts {
        rows,
        features: features.to_vec(),
        prediction: features[0].clone(),
        ..VersionCounts::default()
    };
    Snapshot {
        format_version: 1,
        model: "rain".parse().unwrap(),
        window: Window { start: Timestamp::EPOCH, size: Span::from_days(1) },
        requests: rows,
        counts: Counts {
            counted: rows,
            valid: rows,
            versions: BTreeMap::from([(Version::FIRST, seen)]),
            ..Counts::default()
        },
        silent_replicas: Vec::new(),
        merged: Vec::new(),
        sealed_at: Timestamp::EPOCH + Span::from_days(1),
    }
}

fn detected(snapshot: &Snapshot) -> DriftReport {
    let profile = profile();
    let then = Then { version: Version::FIRST, bundle: Digest::of("bundle"), profile: &profile, volumes: &[250] };
    detect(then, snapshot, Digest::of("snapshot"), &DriftRules::DEFAULTS)
}

#[test]
fn a_window_like_the_reference_has_not_drifted() {
    let report = detected(&a_window([even(), even(), even(), even()]));
    assert_eq!((report.verdict, report.severity), (Verdict::Pass, Severity::None));
    assert!(report.features.iter().all(|feature| !feature.drifted));
}

#[test]
fn one_moved_feature_is_named_and_is_not_the_world() {
    let report = detected(&a_window([even(), moved(), even(), even()]));
    assert_eq!(report.features[0].feature, "b");
    assert!(report.features[0].drifted && report.verdict == Verdict::Pass);
}

#[test]
fn moved_features_that_matter_are_severe() {
    let report = detected(&a_window([moved(), moved(), moved(), even()]));
    assert_eq!((report.verdict, report.severity), (Verdict::Fail, Severity::Severe));
}

#[test]
fn no_data_is_never_no_drift() {
    let silent = detected(&a_window([vec![], vec![], vec![], vec![]]));
    assert_eq!(silent.verdict, Verdict::Insufficient);
    assert!(silent.prediction.iter().all(|check| !check.verdict.is_pass()), "{:?}", silent.prediction);
    let reports = vec![silent.clone(), silent.clone(), silent];
    assert_eq!(confirm(&reports, &DriftRules::DEFAULTS).verdict, Verdict::Insufficient);
    assert_eq!(confirm(&[], &DriftRules::DEFAULTS).verdict, Verdict::Insufficient);
}

#[test]
fn missing_values_are_drift_of_their_own() {
    let mut with_gaps = even();
    with_gaps[12] = 100;
    let report = detected(&a_window([with_gaps, even(), even(), even()]));
    assert!(report.features[0].drifted && report.features[0].feature == "a");
}

#[test]
fn one_odd_window_confirms_nothing() {
    let (quiet, odd) = (
        detected(&a_window([even(), even(), even(), even()])),
        detected(&a_window([moved(), moved(), moved(), even()])),
    );
    let confirmed = |reports: &[&DriftReport]| {
        let reports: Vec<DriftReport> = reports.iter().copied().cloned().collect();
        let found = confirm(&reports, &DriftRules::DEFAULTS);
        (found.verdict, found.severity)
    };
    assert_eq!(confirmed(&[&quiet, &odd, &quiet]), (Verdict::Pass, Severity::None));
    assert_eq!(confirmed(&[&quiet, &odd, &odd]), (Verdict::Fail, Severity::Severe));
    assert_eq!(confirmed(&[&odd]), (Verdict::Insufficient, Severity::None));
}

#[test]
fn a_prediction_that_moves_alone_is_a_concept_that_drifted() {
    let window = |features: [Vec<u64>; 4], prediction: Vec<u64>| {
        let mut snapshot = a_window(features);
        if let Some(seen) = snapshot.counts.versions.get_mut(&Version::FIRST) {
            seen.prediction = prediction;
        }
        detected(&snapshot)
    };
    let quiet = window([even(), even(), even(), even()], even());
    let alone = window([even(), even(), even(), even()], moved());
    let together = window([moved(), even(), even(), even()], moved());
    let said = |report: &DriftReport| (report.prediction_shifted(), report.concept_drifted());
    assert_eq!(said(&quiet), (Verdict::Pass, Verdict::Pass));
    assert_eq!(said(&alone), (Verdict::Fail, Verdict::Fail));
    assert_eq!(said(&together), (Verdict::Fail, Verdict::Pass));
    assert_eq!(said(&window([vec![], vec![], vec![], vec![]], vec![])), (Verdict::Insufficient, Verdict::Insufficient));
    let confirmed = |reports: &[&DriftReport]| {
        let reports: Vec<DriftReport> = reports.iter().copied().cloned().collect();
        confirmed(&reports, DriftReport::concept_drifted, &DriftRules::DEFAULTS)
    };
    assert_eq!(confirmed(&[&alone, &quiet, &quiet]), Verdict::Pass);
    assert_eq!(confirmed(&[&alone, &quiet, &alone]), Verdict::Fail);
    assert_eq!(confirmed(&[&alone, &quiet]), Verdict::Insufficient);
}

#[test]
fn volume_is_judged_against_a_usual_one_and_never_on_a_handful() {
    let (profile, rules) = (profile(), DriftRules::DEFAULTS);
    let found = |volumes: &[u64], requests: u64| {
        let then = Then { version: Version::FIRST, bundle: Digest::of("bundle"), profile: &profile, volumes };
        let snapshot = Snapshot { requests, ..a_window([even(), even(), even(), even()]) };
        let volume = detect(then, &snapshot, Digest::of("snapshot"), &rules).volume;
        (volume.verdict, volume.measurement.n)
    };
    assert_eq!(found(&[1], 0), (Verdict::Insufficient, 1));
    assert_eq!(found(&[1, 1, 1], 0), (Verdict::Insufficient, 1));
    assert_eq!(found(&[20, 1_000], 1_000), (Verdict::Insufficient, 1_000), "one day that was cut short is not usual");
    assert_eq!(found(&[], 1_000), (Verdict::Insufficient, 1_000));
    assert_eq!(found(&[0, 0, 0], 1_000), (Verdict::Insufficient, 1_000));
    assert_eq!(found(&[900, 1_000, 1_100], 0), (Verdict::Fail, 1_000));
    assert_eq!(found(&[9, 10, 11], 1_000), (Verdict::Fail, 1_000));
    assert_eq!(found(&[900, 1_000, 1_100], 800), (Verdict::Pass, 1_000));
}

#[test]
fn a_mean_prediction_is_far_off_only_if_that_is_no_chance() {
    let window = |prediction: Vec<u64>| {
        let mut snapshot = a_window([even(), even(), even(), even()]);
        if let Some(seen) = snapshot.counts.versions.get_mut(&Version::FIRST) {
            seen.prediction = prediction;
        }
        detected(&snapshot).prediction_mean_moved()
    };
    assert_eq!(window(even()), Verdict::Pass);
    assert_eq!(window(moved()), Verdict::Fail);
    assert_eq!(window(vec![50; 5]), Verdict::Fail, "downwards too");
    assert_eq!(window(vec![]), Verdict::Insufficient);
    assert_eq!(window(vec![10; 9]), Verdict::Insufficient, "too few rows");
    // A mean that stays though everything else moves is no anomaly of the mean; `prediction_shifted` sees it.
    assert_eq!(window(vec![125, 0, 0, 0, 0, 0, 0, 0, 0, 125]), Verdict::Pass);
    // Half a percent of a deviation is nothing, however many rows say so.
    let mut many = vec![1_000_000; 10];
    many[0] -= 30_000;
    many[9] += 30_000;
    assert_eq!(window(many), Verdict::Pass);
}

#[test]
fn a_mean_prediction_that_stays_is_hardly_ever_called_off() {
    use rand_pcg::rand_core::Rng;
    let mut generator = rand_pcg::Pcg64::new(20_261_121, 3);
    let windows = 1_000;
    for rows in [100, 500] {
        let mut snapshot = a_window([even(), even(), even(), even()]);
        let failed = (0..windows).filter(|_| {
            let mut prediction = vec![0; 14];
            (0..rows).for_each(|_| prediction[(generator.next_u64() % 10) as usize] += 1);
            if let Some(seen) = snapshot.counts.versions.get_mut(&Version::FIRST) {
                seen.prediction = prediction;
            }
            detected(&snapshot).prediction_mean_moved() == Verdict::Fail
        });
        let failed = failed.count();
        println!("unchanged windows of {rows} rows whose mean prediction is called off: {failed} of {windows}");
        // Two of three such windows confirm: at 2 % of windows that is once in 800.
        assert!(failed <= windows / 50, "{failed} at {rows}");
    }
}

#[test]
fn a_feature_of_many_words_says_how_many_are_counted_as_one() {
    let words = |words: usize| {
        let groups = (0..words as u32).map(|word| word.min(29)).collect();
        let bins = Bins::Categorical { values: (0..words).map(|word| format!("w{word}")).collect(), groups };
        let mut counts = vec![25; words];
        counts.extend([0; 4]);
        Histogram { name: "city".to_owned(), bins, counts, importance: 1.0 }
    };
    let told = |histogram: &Histogram| {
        let moved = moved_from(histogram);
        let told = moved.features[0].shown.iter().find(|shown| shown.metric == "rare_words_together");
        told.and_then(|told| told.value.number())
    };
    assert_eq!((told(&words(30)), told(&words(40))), (None, Some(11.0)));
}

/// The same rows again, held against a profile of this one feature.
fn moved_from(histogram: &Histogram) -> Moved {
    let rows = histogram.counts.iter().sum();
    let profile = Profile { format_version: 1, rows, features: vec![histogram.clone()], score: histogram.clone() };
    let now = VersionCounts { rows, features: vec![histogram.counts.clone()], ..VersionCounts::default() };
    super::moved(&profile, &now, &DriftRules::DEFAULTS)
}

#[test]
fn every_number_of_a_report_says_how_it_was_made() {
    let report = detected(&a_window([even(), moved(), even(), even()]));
    let checks = report.features.iter().flat_map(|feature| &feature.checks).chain(&report.prediction);
    let whole = [&report.volume, &report.invalid, &report.dataset, &report.weighted_psi];
    let named = checks.chain(&report.prediction_mean).chain(whole).map(|check| &check.measurement);
    for measured in named.chain(report.features.iter().flat_map(|feature| &feature.shown)) {
        assert!(report.methods.contains_key(&measured.metric), "{}", measured.metric);
    }
}
