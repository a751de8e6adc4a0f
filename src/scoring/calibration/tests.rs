//! What a calibration map promises: monotone, within bounds, and only checked maps are loaded.

use super::*;
use proptest::prelude::*;
use rstest::rstest;

fn isotonic() -> Isotonic {
    Isotonic::new(vec![-1.0, 0.0, 2.0], vec![0.25, 0.5, 1.0]).unwrap()
}

fn conformal() -> Conformal {
    let quantile = |(level, residual)| Quantile { level, residual };
    Conformal::new(0.9, [(0.5, 1.0), (0.8, 2.0), (0.9, 4.0)].map(quantile).to_vec()).unwrap()
}

#[rstest]
#[case::below(-7.0, 0.25)]
#[case::at_the_first(-1.0, 0.25)]
#[case::between(-0.5, 0.375)]
#[case::at_a_knot(0.0, 0.5)]
#[case::between_far(1.0, 0.75)]
#[case::at_the_last(2.0, 1.0)]
#[case::above(f64::INFINITY, 1.0)]
#[case::far_below(f64::NEG_INFINITY, 0.25)]
fn isotonic_interpolates_and_clamps(#[case] margin: f64, #[case] probability: f64) {
    assert_eq!(isotonic().apply(margin), probability);
}

#[test]
fn one_knot_is_a_constant() {
    let constant = Calibration::Isotonic(Isotonic::new(vec![3.0], vec![0.25]).unwrap());
    assert_eq!([-9.0, 3.0, 9.0].map(|margin| constant.apply(margin)), [0.25; 3]);
}

#[test]
fn platt_with_slope_one_leaves_log_odds_as_they_are() {
    let platt = Calibration::Platt(Platt::new(1.0, 0.0).unwrap());
    assert!((platt.apply(3.0_f64.ln()) - 0.75).abs() < 1e-15);
    assert_eq!(platt.apply(-1e4), 0.0);
    assert_eq!(platt.apply(1e4), 1.0);
}

#[test]
fn conformal_serves_its_level_and_knows_the_others() {
    let calibration = Calibration::Conformal(conformal());
    assert_eq!(calibration.apply(10.0), 10.0);
    assert_eq!(calibration.interval(10.0), Some((6.0, 14.0)));
    assert_eq!(conformal().interval(10.0, 0.5), Some((9.0, 11.0)));
    assert_eq!(conformal().interval(10.0, 0.7), None);
}

#[test]
fn not_a_number_stays_not_a_number() {
    let maps = [
        Calibration::Isotonic(isotonic()),
        Calibration::Platt(Platt::new(2.0, 1.0).unwrap()),
        Calibration::Conformal(conformal()),
    ];
    assert!(maps.iter().all(|map| map.apply(f64::NAN).is_nan()));
}

#[rstest]
#[case::none(vec![], vec![], CalibrationError::Knots { x: 0, y: 0 })]
#[case::lengths(vec![1.0, 2.0], vec![0.5], CalibrationError::Knots { x: 2, y: 1 })]
#[case::tie(vec![1.0, 1.0], vec![0.5, 0.5], CalibrationError::NotMonotone { key: "x", at: 1 })]
#[case::falls(vec![1.0, 2.0], vec![0.5, 0.4], CalibrationError::NotMonotone { key: "y", at: 1 })]
#[case::nan_x(vec![f64::NAN], vec![0.5], CalibrationError::NotFinite { key: "x" })]
#[case::span(vec![-1e308, 1e308], vec![0.5, 0.5], CalibrationError::NotFinite { key: "x" })]
#[case::nan_y(vec![1.0], vec![f64::NAN], CalibrationError::NotFinite { key: "y" })]
#[case::above(vec![1.0], vec![1.5], CalibrationError::OutOfRange { key: "y", found: 1.5, expected: "in [0, 1]" })]
fn a_broken_isotonic_map_is_refused(#[case] x: Vec<f64>, #[case] y: Vec<f64>, #[case] error: CalibrationError) {
    assert_eq!(Isotonic::new(x, y), Err(error));
}

#[rstest]
#[case::reverses(-0.5, 0.0, "calibration: `a` is -0.5, which is not at least 0")]
#[case::infinite(1.0, f64::INFINITY, "calibration: `b` is not finite")]
fn a_broken_platt_map_is_refused(#[case] a: f64, #[case] b: f64, #[case] says: &str) {
    assert_eq!(Platt::new(a, b).unwrap_err().to_string(), says);
}

#[rstest]
#[case::no_level(&[(0.5, 1.0)], "calibration: `served_level` 0.9 is not among the quantiles' levels")]
#[case::narrower(&[(0.8, 2.0), (0.9, 1.0)], "calibration: `residual` falls (or, where it must rise strictly, stays) at position 1")]
#[case::twice(&[(0.9, 1.0), (0.9, 1.0)], "calibration: `level` falls (or, where it must rise strictly, stays) at position 1")]
#[case::certain(&[(0.9, 1.0), (1.0, 2.0)], "calibration: `level` is 1, which is not between 0 and 1")]
#[case::negative(&[(0.9, -1.0)], "calibration: `residual` is -1, which is not at least 0")]
#[case::endless(&[(0.9, f64::INFINITY)], "calibration: `residual` is not finite")]
fn a_broken_conformal_map_is_refused(#[case] pairs: &[(f64, f64)], #[case] says: &str) {
    let quantiles = pairs.iter().map(|&(level, residual)| Quantile { level, residual }).collect();
    assert_eq!(Conformal::new(0.9, quantiles).unwrap_err().to_string(), says);
}

#[rstest]
#[case(
    Calibration::Isotonic(isotonic()),
    r#"{"format_version":1,"map":{"kind":"isotonic","x":[-1.0,0.0,2.0],"y":[0.25,0.5,1.0]}}"#
)]
#[case(Calibration::Platt(Platt::new(1.5, -0.5).unwrap()), r#"{"format_version":1,"map":{"kind":"platt","a":1.5,"b":-0.5}}"#)]
#[case(
    Calibration::Conformal(conformal()),
    r#"{"format_version":1,"map":{"kind":"conformal","served_level":0.9,"quantiles":[{"level":0.5,"residual":1.0},{"level":0.8,"residual":2.0},{"level":0.9,"residual":4.0}]}}"#
)]
fn a_stored_map_comes_back_the_same(#[case] map: Calibration, #[case] json: &str) {
    assert_eq!(serde_json::to_string(&map).unwrap(), json);
    assert_eq!(serde_json::from_str::<Calibration>(json).unwrap(), map);
}

#[rstest]
#[case::newer(r#"{"format_version":2,"map":{"kind":"platt","a":1.0,"b":0.0}}"#, "format_version 2")]
#[case::falling(r#"{"format_version":1,"map":{"kind":"isotonic","x":[1,0],"y":[0,1]}}"#, "`x` falls")]
#[case::unknown(r#"{"format_version":1,"map":{"kind":"platt","a":1.0,"b":0.0,"c":0.0}}"#, "unknown field `c`")]
#[case::null(r#"{"format_version":1,"map":{"kind":"platt","a":null,"b":0.0}}"#, "null")]
fn a_broken_map_is_refused_when_loaded(#[case] json: &str, #[case] says: &str) {
    let error = serde_json::from_str::<Calibration>(json).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

proptest! {
    #[test]
    fn isotonic_is_monotone_and_stays_between_its_ends(
        mut x in prop::collection::vec(-1e3..1e3, 2..20),
        mut y in prop::collection::vec(0.0..=1.0, 20),
        low in -2e3..2e3,
        step in 0.0..10.0,
    ) {
        x.sort_by(f64::total_cmp);
        x.dedup();
        y.truncate(x.len());
        y.sort_by(f64::total_cmp);
        let ends = y[0]..=y[y.len() - 1];
        let map = Isotonic::new(x, y).unwrap();
        let (at_low, at_high) = (map.apply(low), map.apply(low + step));
        prop_assert!(at_low <= at_high);
        prop_assert!(ends.contains(&at_low) && ends.contains(&at_high));
    }
}
