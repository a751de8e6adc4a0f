//! Whole trainings on small made-up worlds.

use super::worlds::World;
use super::*;
use crate::contract::{Encoded, Slice};
use crate::scoring::Calibration;
use crate::types::Version;

fn metric(candidate: &Candidate, name: &str) -> f64 {
    let metrics = &candidate.metrics.metrics;
    let found = metrics.iter().find(|metric| metric.measurement.metric == name);
    found.and_then(|metric| metric.measurement.value.number()).unwrap()
}

fn only(families: &'static [Family], mut plan: Plan) -> Plan {
    plan.rules.families = families.into();
    plan
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    for world in [World::rain(), World::amount()] {
        let (plan, rows) = (world.plan(Path::Candidate), world.rows(700, 1));
        let one = train(&plan, &rows, &world.contract).unwrap();
        let other = train(&plan, &rows, &world.contract).unwrap();
        assert_eq!(one.model, other.model);
        assert_eq!(one, other);
    }
}

#[test]
fn every_family_learns_and_is_written_down() {
    let world = World::rain();
    let candidate = train(&world.plan(Path::Baseline), &world.rows(1_500, 1), &world.contract).unwrap();
    let tried: Vec<Family> = candidate.log.families.iter().map(|trial| trial.family).collect();
    assert_eq!(tried, [Family::Logistic, Family::Gbdt, Family::RandomForest]);
    for trial in &candidate.log.families {
        let loss = trial.loss.number().unwrap();
        assert!(loss < 0.62, "{}: {loss}", trial.family);
    }
    assert_eq!(candidate.family, Family::Logistic, "the world is logistic");
    assert!(candidate.log.lead.number().unwrap() > 0.0);
    assert!(metric(&candidate, "auc") > 0.8 && metric(&candidate, "ece") < 0.1);
    let named: f64 = candidate.profile.features.iter().map(|feature| feature.importance).sum();
    assert!((named - 1.0).abs() < 1e-9);
    assert!(candidate.profile.features[0].importance > 0.3, "the wind decides");
    assert!(candidate.profile.features[1].importance < 0.05, "the heat says nothing");
}

#[test]
fn every_value_of_a_slice_is_measured_by_itself() {
    let world = World::rain();
    let mut rows = world.rows(700, 1);
    let words = ["north", "south", "east", "west", "sea", "hills"].map(str::to_owned).to_vec();
    // The third feature is the place.
    let codes = rows.vectors.iter().map(|vector| vector[2] as u32).collect();
    let plain = train(&only(&[Family::Logistic], world.plan(Path::Baseline)), &rows, &world.contract).unwrap();
    assert!(plain.metrics.slices.is_empty());
    rows.slices = vec![Slice { feature: "place".to_owned(), words, codes }];
    let sliced = train(&only(&[Family::Logistic], world.plan(Path::Baseline)), &rows, &world.contract).unwrap();
    assert_eq!((&sliced.model, &sliced.metrics.metrics), (&plain.model, &plain.metrics.metrics));
    let of = |metrics: &[Metric], name: &str| {
        let found = metrics.iter().find(|metric| metric.measurement.metric == name).unwrap();
        (found.measurement.value.number().unwrap(), found.measurement.n as f64)
    };
    let places = &sliced.metrics.slices["place"];
    let (losses, rows): (Vec<f64>, Vec<f64>) = places.values().map(|place| of(place, "brier")).unzip();
    assert_eq!((places.len(), rows.iter().sum::<f64>()), (6, sliced.metrics.rows as f64));
    let whole = losses.iter().zip(&rows).map(|(loss, rows)| loss * rows).sum::<f64>() / sliced.metrics.rows as f64;
    assert!((whole - of(&sliced.metrics.metrics, "brier").0).abs() < 1e-12, "the parts make the whole");
}

#[test]
fn a_nominal_feature_gives_categorical_splits() {
    let world = World::rain();
    let plan = only(&[Family::Gbdt], world.plan(Path::Baseline));
    let candidate = train(&plan, &world.rows(600, 3), &world.contract).unwrap();
    let text = String::from_utf8(candidate.model.clone()).unwrap();
    assert!(text.lines().any(|line| line.starts_with("cat_threshold=")), "no split on a set of categories");
    // Places 1, 3 and 5 are wet, 0, 2 and 4 dry: as a number, no single threshold says so.
    let rain = |place: f64| candidate.scorer.score(&[0.0, 0.0, place, 1.0]).prediction;
    let (wet, dry) = ([1.0, 3.0, 5.0].map(rain), [0.0, 2.0, 4.0].map(rain));
    assert!(wet.iter().all(|wet| dry.iter().all(|dry| wet > dry)), "{wet:?} {dry:?}");
}

#[test]
fn the_report_is_on_rows_newer_than_any_learned_from() {
    let world = World::rain();
    let candidate = train(&world.plan(Path::Candidate), &world.rows(260, 1), &world.contract).unwrap();
    let Extent { rows, look_back, fit, calibrate, report, trained_from, trained_until, report_from, report_until } =
        candidate.extent;
    assert_eq!((rows, look_back, fit, calibrate, report), (260, 250, 150, 50, 50));
    assert_eq!((trained_from, trained_until, report_from, report_until), (10, 209, 210, 259));
    assert_eq!(candidate.metrics.rows, 50);
    assert_eq!(candidate.calibrated_on.len(), 50);
    assert_eq!(candidate.profile.rows, 250);
}

#[test]
fn rows_from_before_a_change_are_left_out() {
    let world = World::rain();
    let plan = only(&[Family::Logistic], world.plan(Path::Candidate));
    let turned = train(&plan, &world.rows_that_turn(2_500, 2_200, 5), &world.contract).unwrap();
    assert_eq!(turned.extent.look_back, 250);
    assert!(turned.log.steps.last().is_some_and(|step| !step.taken));
    assert!(metric(&turned, "auc") > 0.75);
    let steady = train(&plan, &world.rows(2_500, 5), &world.contract).unwrap();
    assert!(steady.extent.look_back > turned.extent.look_back, "{:?}", steady.log.steps);
}

#[test]
fn a_regression_comes_with_intervals_that_hold() {
    let world = World::amount();
    let candidate = train(&world.plan(Path::Baseline), &world.rows(1_500, 2), &world.contract).unwrap();
    assert_eq!(candidate.metrics.threshold, None);
    let Calibration::Conformal(map) = candidate.scorer.calibration() else { panic!("no intervals") };
    assert_eq!(map.served_level(), 0.9);
    assert!((metric(&candidate, "coverage") - 0.9).abs() < 0.06);
    assert!(metric(&candidate, "r2") > 0.85);
    assert_eq!(candidate.log.loss, "mae");
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    let world = World::rain();
    let plan = world.plan(Path::Candidate);
    let error = |rows: &Encoded| train(&plan, rows, &world.contract).unwrap_err();
    assert!(matches!(error(&world.rows(150, 1)), TrainError::TooFewRows { has: 150, needs: 200 }));
    let mut dry = world.rows(400, 1);
    dry.target.fill(0.0);
    assert_eq!(error(&dry).to_string(), "train on 0 positive and 150 negative rows: at least 5 of each are needed");
    let mut torn = world.rows(400, 1);
    torn.target.pop();
    assert_eq!(error(&torn).to_string(), "train on 400 vectors, 399 labels and 400 order keys");
    let mut unordered = world.rows(400, 1);
    unordered.order.reverse();
    assert_eq!(error(&unordered).to_string(), "train on rows that are not in the order of time");
    let mut odd = world.rows(400, 1);
    odd.target[7] = 0.5;
    assert_eq!(error(&odd).to_string(), "train on a label that is not 0 or 1, or not finite");
    let mut at_once = world.rows(400, 1);
    at_once.order.fill(7);
    assert!(matches!(error(&at_once), TrainError::TooFewRows { .. }), "nothing is newer than anything");
}

#[test]
fn a_plan_that_is_not_for_this_program_is_not_followed() {
    let world = World::rain();
    let rows = world.rows(400, 1);
    let error = |change: fn(&mut Plan)| {
        let mut plan = world.plan(Path::Candidate);
        change(&mut plan);
        train(&plan, &rows, &world.contract).unwrap_err()
    };
    assert!(matches!(error(|plan| plan.engine = "regent 9.9.9".into()), TrainError::Engine { .. }));
    assert!(matches!(error(|plan| plan.format_version = 2), TrainError::NewerPlan { found: 2, known: 1 }));
    assert!(matches!(error(|plan| plan.rules.ridge = -1.0), TrainError::Rules { key: "ridge", .. }));
    assert!(matches!(
        error(|plan| plan.contract.version = Version::new(2, 0, 0)),
        TrainError::WrongContract { planned: Version { major: 2, .. }, .. }
    ));
    assert!(matches!(error(|plan| plan.rules.families = (&[Family::Linear]).into()), TrainError::NoFamily { .. }));
}

#[test]
fn a_plan_is_its_digest() {
    let world = World::rain();
    let plan = world.plan(Path::Baseline);
    let again: Plan = serde_json::from_slice(&plan.canonical().unwrap()).unwrap();
    assert_eq!(again, plan);
    assert_eq!(again.digest().unwrap(), plan.digest().unwrap());
    let other = Plan { attempt: 2, ..plan.clone() };
    assert_ne!(other.digest().unwrap(), plan.digest().unwrap());
}

#[test]
fn a_self_test_knows_its_model() {
    let world = World::rain();
    let (plan, other) = (world.plan(Path::Baseline), world.plan(Path::Candidate));
    let one = train(&plan, &world.rows(400, 1), &world.contract).unwrap();
    let two = train(&other, &world.rows(400, 2), &world.contract).unwrap();
    assert_eq!(one.selftest.check(&one.scorer), Ok(()));
    assert!(one.selftest.check(&two.scorer).is_err());
}
