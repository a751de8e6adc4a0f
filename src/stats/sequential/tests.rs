//! Bounds that hold at every look, and what is lost when they are those of a fixed sample.

use proptest::prelude::*;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::*;

/// Even draws from [0, 1] raised to a power, so that their mean is 1 / (1 + power).
fn rows(seed: u64, n: usize, power: i32) -> Vec<f64> {
    let mut generator = Pcg64::new(u128::from(seed), 1);
    (0..n).map(|_| (generator.next_u64() as f64 / 2f64.powi(64)).powi(power)).collect()
}

/// How many of `worlds` have the mean outside their bounds at any look.
fn misses(worlds: u64, power: i32, bounds: impl Fn(&[f64]) -> Result<Interval, NotComputable>) -> usize {
    let mean = 1.0 / f64::from(1 + power);
    let holds = |seed| bounds(&rows(seed, 400, power)).is_ok_and(|interval| interval.contains(mean));
    (0..worlds).filter(|&seed| !holds(seed)).count()
}

#[test]
fn the_mean_is_within_at_every_look_as_often_as_promised() {
    // 300 worlds at alpha = 0.1 may miss 30 times on average; 45 is three standard deviations more.
    for power in [1, 5] {
        assert!(misses(300, power, |xs| confidence_sequence(xs, 0.0, 1.0, 0.1)) <= 45);
        assert!(misses(300, power, |xs| empirical_bernstein_sequence(xs, 0.0, 1.0, 0.1)) <= 45);
    }
}

#[test]
fn looking_often_breaks_a_fixed_sample_interval() {
    // The simulation above can fail: a 95 % interval of the mean, taken at each look, breaks even a 90 % promise.
    let naive = |xs: &[f64]| {
        let looks = (20..xs.len()).map(|n| crate::stats::mean(&xs[..n]).unwrap().interval);
        let all =
            looks.reduce(|all, one| Interval { lower: all.lower.max(one.lower), upper: all.upper.min(one.upper) });
        Ok(all.unwrap())
    };
    assert!(misses(300, 1, naive) > 45);
}

#[test]
fn betting_is_narrower_than_empirical_bernstein() {
    for power in [1, 3, 20] {
        let xs = rows(1, 1_000, power);
        let betting = confidence_sequence(&xs, 0.0, 1.0, 0.05).unwrap().width();
        let bernstein = empirical_bernstein_sequence(&xs, 0.0, 1.0, 0.05).unwrap().width();
        assert!(betting < bernstein && bernstein < 0.25, "{betting} {bernstein}");
    }
}

#[test]
fn a_mean_that_moved_far_leaves_no_single_mean() {
    let moved: Vec<f64> = [vec![0.0; 300], vec![1.0; 300]].concat();
    assert_eq!(confidence_sequence(&moved, 0.0, 1.0, 0.05), Err(NotComputable::because("the mean has moved")));
}

#[test]
fn what_is_not_bounded_is_refused() {
    assert_eq!(confidence_sequence(&[], 0.0, 1.0, 0.05), Err(NotComputable::because("no rows")));
    for (xs, lo, hi, alpha) in
        [(2.0, 0.0, 1.0, 0.05), (f64::NAN, 0.0, 1.0, 0.05), (1.0, 1.0, 1.0, 0.05), (0.5, 0.0, 1.0, 0.0)]
    {
        assert!(confidence_sequence(&[xs], lo, hi, alpha).is_err());
        assert!(empirical_bernstein_sequence(&[xs], lo, hi, alpha).is_err());
    }
}

#[test]
fn a_mean_that_rose_late_is_found_by_a_stake_in_parts() {
    // 2,000 rows of -0.1, then 300 of +0.2: laid out at once, the stake is lost by then.
    let rows: Vec<f64> = (0..2_300).map(|row| if row < 2_000 { -0.1 } else { 0.2 }).collect();
    assert!(lower_confidence_sequence(&rows, -1.0, 1.0, 0.01).unwrap() <= 0.0);
    assert!(newest_lower_bound(&rows, -1.0, 1.0, 0.01, 100).unwrap() > 0.0);
    // And what newer rows take back is gone, which a confidence sequence never forgets.
    let taken_back: Vec<f64> = (0..1_000).map(|row| if row < 400 { 0.1 } else { -0.1 }).collect();
    assert!(lower_confidence_sequence(&taken_back, -1.0, 1.0, 0.01).unwrap() > 0.0);
    assert!(newest_lower_bound(&taken_back, -1.0, 1.0, 0.01, 100).unwrap() <= 0.0);
}

#[test]
fn parts_of_a_stake_never_add_up_to_more_than_one() {
    // Rows at the candidate itself change nothing, so the wealth is what was laid out.
    for (stake, laid_out) in [(Stake::AtOnce, 1.0), (Stake::InParts { every: 10 }, 0.9900990099009901)] {
        let mut bettor = Bettor::against(0.0, -1.0, 1.0, stake).unwrap();
        (0..1_000).for_each(|_| bettor.see(0.0).unwrap());
        assert!((bettor.wealth() - laid_out).abs() < 1e-12, "{stake:?} {}", bettor.wealth());
    }
}

#[test]
fn a_fair_game_is_fair_for_every_bet_and_part() {
    // Over all 2¹² equally likely sequences of -1 and 1 the mean wealth is what was laid out: nothing is made of nothing.
    for stake in [Stake::AtOnce, Stake::InParts { every: 3 }] {
        let ends = (0..1u32 << 12).map(|world| {
            let mut bettor = Bettor::against(0.0, -1.0, 1.0, stake).unwrap();
            (0..12).for_each(|row| bettor.see(if world >> row & 1 == 1 { 1.0 } else { -1.0 }).unwrap());
            bettor.wealth()
        });
        let mean = ends.sum::<f64>() / 4_096.0;
        let laid_out = if stake == Stake::AtOnce { 1.0 } else { 0.8 };
        assert!((mean - laid_out).abs() < 1e-9, "{stake:?} {mean}");
    }
}

#[test]
fn a_row_that_is_not_bounded_leaves_the_bettor_as_it_was() {
    let mut bettor = Bettor::against(0.0, -1.0, 1.0, Stake::AtOnce).unwrap();
    bettor.see(0.5).unwrap();
    let before = bettor.clone();
    assert!(bettor.see(1.5).is_err() && bettor.see(f64::NAN).is_err());
    assert_eq!(bettor, before);
    assert!(Bettor::against(1.0, -1.0, 1.0, Stake::AtOnce).is_err());
    assert!(Bettor::against(0.0, 1.0, 1.0, Stake::AtOnce).is_err());
}

proptest! {
    #[test]
    fn the_bound_is_where_the_bettor_stands(xs in prop::collection::vec(-1.0f64..=1.0, 1..200)) {
        let mut bettor = Bettor::against(0.0, -1.0, 1.0, Stake::AtOnce).unwrap();
        let reached = xs.iter().fold(false, |reached, x| {
            bettor.see(*x).unwrap();
            reached || bettor.wealth() >= 10.0
        });
        prop_assert_eq!(lower_confidence_sequence(&xs, -1.0, 1.0, 0.1).unwrap() >= 0.0, reached);
    }

    #[test]
    fn bounds_only_tighten_as_rows_come_in(xs in prop::collection::vec(-1.0f64..=1.0, 2..60)) {
        let (before, after) = (&xs[..xs.len() - 1], &xs[..]);
        let lower = |xs: &[f64]| lower_confidence_sequence(xs, -1.0, 1.0, 0.1).unwrap();
        let upper = |xs: &[f64]| upper_confidence_sequence(xs, -1.0, 1.0, 0.1).unwrap();
        prop_assert!(lower(after) >= lower(before) && upper(after) <= upper(before));
        prop_assert!(lower(after) >= -1.0 && upper(after) <= 1.0);
    }

    #[test]
    fn turning_the_rows_turns_the_bounds(xs in prop::collection::vec(-1.0f64..=1.0, 1..60)) {
        let turned: Vec<f64> = xs.iter().map(|x| -x).collect();
        let (lower, upper) = (
            lower_confidence_sequence(&xs, -1.0, 1.0, 0.1).unwrap(),
            upper_confidence_sequence(&turned, -1.0, 1.0, 0.1).unwrap(),
        );
        prop_assert!((lower + upper).abs() < 1e-6);
    }
}
