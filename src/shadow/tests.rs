//! The judge promotes what is better, rejects what is worse, and waits when it cannot tell.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::contract::Task;
use crate::performance::Pair;
use crate::snapshot::VersionCounts;
use crate::types::{Span, Version};

const CANDIDATE: Version = Version::new(1, 1, 0);

/// So many pairs in which the champion answers one number and the candidate another; every second label is 1.
fn pairs(count: u64, champion: impl Fn(f64) -> f64, candidate: impl Fn(f64) -> f64) -> Vec<Pair> {
    (0..count)
        .map(|row| {
            let label = (row % 2) as f64;
            Pair {
                request_id: Uuid::from_u128(u128::from(row)),
                ts: Timestamp::EPOCH + Span::from_mins(row as i64),
                version: Version::FIRST,
                prediction: champion(label),
                shadow: Some((CANDIDATE, candidate(label))),
                label,
                first_label: label,
                known_at: Timestamp::EPOCH + Span::from_days(1),
                slices: std::collections::BTreeMap::new(),
            }
        })
        .collect()
}

fn judged(pairs: &[Pair]) -> ShadowReport {
    judged_under(Version::FIRST, pairs)
}

fn judged_under(contract: Version, pairs: &[Pair]) -> ShadowReport {
    let mut latency = VersionCounts { rows: 10, ..VersionCounts::default() };
    crate::stats::histogram::latency::record(&mut latency.latency, 100);
    let model = "rain".parse().unwrap();
    let n = pairs.len() as u64;
    let trial = Trial {
        model: &model,
        task: Task::Binary,
        champion: Version::FIRST,
        candidate: CANDIDATE,
        contracts: (Version::FIRST, contract),
        candidate_bundle: Digest::of("bundle"),
        since: Timestamp::EPOCH,
        until: Timestamp::EPOCH + Span::from_days(2),
        windows: 2,
        answered: n,
        paired: n,
        sampled_share: 1.0,
        pairs,
        clip: 1.0,
        champion_counts: &latency,
        candidate_counts: &latency,
    };
    judge(trial, &ShadowRules::DEFAULTS)
}

const GOOD: fn(f64) -> f64 = |label| 0.2 + 0.6 * label;
const POOR: fn(f64) -> f64 = |_| 0.5;

#[test]
fn a_better_candidate_passes() {
    let report = judged(&pairs(400, POOR, GOOD));
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.checks);
}

#[test]
fn a_worse_candidate_fails() {
    assert_eq!(judged(&pairs(400, GOOD, POOR)).verdict, Verdict::Fail);
}

#[test]
fn one_class_alone_neither_promotes_nor_rejects() {
    let all = |label: f64, champion: fn(f64) -> f64, candidate: fn(f64) -> f64| {
        let mut pairs = pairs(400, champion, candidate);
        pairs.iter_mut().for_each(|pair| pair.label = label);
        judged(&pairs).verdict
    };
    let wrong: fn(f64) -> f64 = |label| 0.8 - 0.1 * label;
    let right: fn(f64) -> f64 = |label| 0.2 - 0.1 * label;
    assert_eq!(all(0.0, wrong, right), Verdict::Insufficient, "a feed of zeros is stuck, or the world is: who knows");
    assert_eq!(all(0.0, right, wrong), Verdict::Insufficient);
    assert_eq!(judged(&pairs(400, |label| 1.0 - label, |_| 0.5)).verdict, Verdict::Insufficient, "one answer to all");
}

#[test]
fn an_equal_candidate_waits() {
    assert_eq!(judged(&pairs(400, GOOD, GOOD)).verdict, Verdict::Insufficient);
}

#[test]
fn one_pair_short_of_the_minimum_waits() {
    let minimum = ShadowRules::DEFAULTS.min_pairs;
    assert_eq!(judged(&pairs(minimum, POOR, GOOD)).verdict, Verdict::Pass);
    assert_eq!(judged(&pairs(minimum - 1, POOR, GOOD)).verdict, Verdict::Insufficient);
}

#[test]
fn silence_never_promotes() {
    assert_eq!(judged(&[]).verdict, Verdict::Insufficient);
    let mut unshadowed = pairs(400, POOR, GOOD);
    unshadowed.iter_mut().for_each(|pair| pair.shadow = None);
    assert!(!judged(&unshadowed).verdict.is_pass());
}

proptest! {
    #[test]
    fn taking_evidence_away_never_makes_a_pass(kept in 0u64..200) {
        prop_assert!(!judged(&pairs(kept, POOR, GOOD)).verdict.is_pass());
    }
}

#[test]
fn a_candidate_under_another_major_contract_has_no_pairs_and_it_is_said_why() {
    let told = |contract| judged_under(contract, &[]).checks[0].to_string();
    let why = "no pairs because its contract differs: 2.0.0 beside 1.0.0";
    assert!(told(Version::new(2, 0, 0)).contains(why), "{}", told(Version::new(2, 0, 0)));
    assert!(!told(Version::new(1, 1, 0)).contains("differs"));
}
