//! Profiles that fit, and profiles that do not.

use rstest::rstest;

use super::*;
use crate::contract::shipped::{CHURN, RAIN};
use crate::contract::{Given, admit};

/// Days whose every feature rises evenly from 0 to 1.
fn days(count: u32) -> Vec<FeatureVector> {
    let contract = RAIN.contract();
    let day = |day: u32| {
        let value = Given::Number(f64::from(day) / f64::from(count));
        admit(&contract, contract.features().iter().map(|feature| (feature.name.as_str(), value))).unwrap()
    };
    (0..count).map(day).collect()
}

fn profile() -> Profile {
    let scores: Vec<f64> = (0..1280).map(|score| f64::from(score % 5) / 5.0).collect();
    Profile::build(&RAIN.contract(), &days(1280), &[0.125; 8], &scores).unwrap()
}

#[test]
fn a_profile_has_128_bins_of_equal_mass_in_about_ten_groups() {
    let profile = profile();
    let feature = &profile.features[0];
    let Bins::Numeric { edges, groups } = &feature.bins else { panic!("{:?}", feature.bins) };
    assert_eq!((edges.len(), groups.len(), groups[127]), (127, 128, 9));
    assert!(feature.counts[..128].iter().all(|count| *count == 10), "{:?}", feature.counts);
    assert_eq!(feature.counts[128..], [0, 0, 0, 0]);
    let Bins::Numeric { edges, .. } = &profile.score.bins else { panic!() };
    assert!(edges.len() < 10, "ties make fewer bins: {edges:?}");
    profile.check(&RAIN.contract()).unwrap();
}

#[test]
fn a_profile_is_read_as_it_was_written() {
    let text = serde_json::to_string(&profile()).unwrap();
    assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile());
}

#[test]
fn words_are_counted_by_word() {
    let words = CHURN.contract().features().iter().find(|feature| feature.name == "contract").and_then(Feature::words);
    let bins = Bins::of(words, &[]).unwrap();
    let histogram = Histogram::count("contract", bins, &[0.0, 2.0, 2.0], 0.5);
    assert_eq!(histogram.counts, [1, 0, 2, 0, 0, 0, 0]);
    assert_eq!(histogram.bins.place(Slot::Value(3.0)), histogram.bins.outside(Outside::Unseen));
}

#[test]
fn rare_words_are_counted_together_and_a_few_words_are_not() {
    let bins = |words: usize| {
        let words: Vec<String> = (0..words).map(|word| format!("w{word}")).collect();
        Bins::of(Some(words), &[0.0, 0.0, 1.0]).unwrap()
    };
    assert_eq!([3, 30, 31, 40].map(|words| bins(words).together()), [0, 0, 2, 11]);
    assert_eq!(Bins::of(None, &[1.0, 2.0]).unwrap().together(), 0);
}

#[test]
fn nothing_cannot_be_profiled() {
    let contract = RAIN.contract();
    assert!(Profile::build(&contract, &[], &[0.125; 8], &[0.5]).is_err());
    assert!(Profile::build(&contract, &days(10), &[0.125; 8], &[]).is_err());
    assert!(Profile::build(&contract, &days(10), &[1.0], &[0.5]).is_err());
}

#[rstest]
#[case(|profile: &mut Profile| profile.format_version = 2)]
#[case(|profile: &mut Profile| profile.rows += 1)]
#[case(|profile: &mut Profile| profile.features.swap(0, 1))]
#[case(|profile: &mut Profile| profile.features[3].importance = f64::NAN)]
#[case(|profile: &mut Profile| profile.features[3].counts.truncate(5))]
#[case(|profile: &mut Profile| profile.features[3].counts[0] = u64::MAX)]
#[case(|profile: &mut Profile| profile.features[3].bins = Bins::Categorical { values: vec!["a".into()], groups: vec![0] })]
#[case(|profile: &mut Profile| profile.score.bins = Bins::Numeric { edges: vec![1.0, 1.0], groups: vec![0, 1, 2] })]
#[case(|profile: &mut Profile| profile.score.bins = Bins::Numeric { edges: vec![f64::NAN], groups: vec![0, 1] })]
#[case(|profile: &mut Profile| profile.score.bins = Bins::Numeric { edges: vec![0.5], groups: vec![0, 2] })]
#[case(|profile: &mut Profile| profile.score.counts.fill(0))]
fn a_profile_that_does_not_fit_is_refused(#[case] broken: fn(&mut Profile)) {
    let mut profile = profile();
    broken(&mut profile);
    assert!(matches!(profile.check(&RAIN.contract()), Err(ContractError::BrokenProfile { .. })));
}
