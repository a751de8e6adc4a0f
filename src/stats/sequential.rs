//! Confidence sequences: bounds on the mean of bounded rows that hold at every look at once; pure. Refuses rows out of bounds.

use super::estimate::Interval;
use super::given;
use crate::types::NotComputable;

/// How many fixed fractions of its wealth the bettor spreads over, evenly from 1/21 to 20/21. A grid needs no guess of
/// variance or horizon: the best fraction is soon near one of them, and the others cost at most ln 20 nats of wealth.
const BETS: usize = 20;
/// Bisection steps for a bound: 2⁻⁴⁰ of the range, rounded to the safe side.
const STEPS: usize = 40;

/// The interval that contains the mean of rows in [`lo`, `hi`] with probability 1 - `alpha`, **at every look**: one may look
/// after each row, and stop when one likes.
///
/// Rows come in the order in which they were seen. If the mean moves on the way, `lower` is still below the largest and
/// `upper` above the smallest of the means passed, with the same probability.
///
/// By betting: for each candidate m a bettor plays against "the mean is at most m", a fair game if it is m, and m is ruled
/// out once the wealth has ever reached 2/alpha (Ville's inequality); likewise from above. Waudby-Smith & Ramdas 2023,
/// "Estimating means of bounded random variables by betting", JRSS B 86:1–27, the grid-Kelly strategy. Uses no logarithm, so it
/// is the same on every machine. Costs rows × 40 × 20 multiplications a side at most.
///
/// # Errors
/// No rows, a row outside [lo, hi], an empty range, alpha outside (0, 1), or rows whose mean moved so far that no single
/// mean is left.
pub fn confidence_sequence(xs: &[f64], lo: f64, hi: f64, alpha: f64) -> Result<Interval, NotComputable> {
    ordered(Interval {
        lower: lower_confidence_sequence(xs, lo, hi, alpha / 2.0)?,
        upper: upper_confidence_sequence(xs, lo, hi, alpha / 2.0)?,
    })
}

/// The lower bound alone, which the mean is above with probability 1 - `alpha` at every look; see `confidence_sequence`.
///
/// # Errors
/// As `confidence_sequence`.
pub fn lower_confidence_sequence(xs: &[f64], lo: f64, hi: f64, alpha: f64) -> Result<f64, NotComputable> {
    Ok(lo + (hi - lo) * highest_ruled_out(&scaled(xs, lo, hi, alpha)?, alpha))
}

/// The upper bound alone, which the mean is below with probability 1 - `alpha` at every look; see `confidence_sequence`.
///
/// # Errors
/// As `confidence_sequence`.
pub fn upper_confidence_sequence(xs: &[f64], lo: f64, hi: f64, alpha: f64) -> Result<f64, NotComputable> {
    let mut turned = scaled(xs, lo, hi, alpha)?;
    turned.iter_mut().for_each(|x| *x = 1.0 - *x);
    Ok(hi - (hi - lo) * highest_ruled_out(&turned, alpha))
}

/// The same promise in closed form and one pass: wider, for more rows than betting has time for.
///
/// The predictable plug-in empirical-Bernstein sequence (Waudby-Smith & Ramdas 2023, theorem 2, with c = 1/2), intersected
/// over all looks.
///
/// # Errors
/// As `confidence_sequence`.
pub fn empirical_bernstein_sequence(xs: &[f64], lo: f64, hi: f64, alpha: f64) -> Result<Interval, NotComputable> {
    let log_odds = (2.0 / alpha).ln();
    let (mut bets, mut bet_on_x, mut cost) = (0.0, 0.0, 0.0);
    // Before the first row: half a row at 1/2, with the largest variance there is.
    let (mut mean, mut variance, mut sum, mut squares) = (0.5, 0.25, 0.5, 0.25);
    let mut bounds = Interval { lower: 0.0, upper: 1.0 };
    for (seen, x) in scaled(xs, lo, hi, alpha)?.into_iter().enumerate() {
        let t = (seen + 1) as f64;
        let bet = (2.0 * log_odds / (variance * t * (t + 1.0).ln())).sqrt().min(0.5);
        bets += bet;
        bet_on_x += bet * x;
        cost += (x - mean).powi(2) * (-(-bet).ln_1p() - bet);
        let (centre, reach) = (bet_on_x / bets, (log_odds + cost) / bets);
        bounds.lower = bounds.lower.max(centre - reach);
        bounds.upper = bounds.upper.min(centre + reach);
        sum += x;
        mean = sum / (t + 1.0);
        squares += (x - mean).powi(2);
        variance = squares / (t + 1.0);
    }
    ordered(bounds.map(|bound| lo + (hi - lo) * bound))
}

/// The highest candidate mean in [0, 1] that is ruled out, 0 if none is.
///
/// Wealth falls as the candidate rises (each factor 1 - f + f·x/m does), so bisection finds the border.
fn highest_ruled_out(xs: &[f64], alpha: f64) -> f64 {
    let (mut out, mut still_in) = (0.0, 1.0);
    for _ in 0..STEPS {
        let middle = 0.5 * (out + still_in);
        if bettor_ever_reaches(xs, middle, BETS as f64 / alpha) {
            out = middle;
        } else {
            still_in = middle;
        }
    }
    out
}

/// Whether the wealth of all bets together, one unit in each, ever reaches `wanted` when the fair mean is `candidate` > 0.
///
/// A bet that falls below what a number can hold stays at nothing, which only makes the bettor more cautious.
fn bettor_ever_reaches(xs: &[f64], candidate: f64, wanted: f64) -> bool {
    let fractions: [f64; BETS] = std::array::from_fn(|bet| (bet + 1) as f64 / (BETS + 1) as f64);
    let mut wealth = [1.0; BETS];
    xs.iter().any(|x| {
        let gain = x / candidate - 1.0;
        for (held, fraction) in wealth.iter_mut().zip(fractions) {
            *held *= 1.0 + fraction * gain;
        }
        wealth.iter().sum::<f64>() >= wanted
    })
}

/// The rows as shares of the range.
fn scaled(xs: &[f64], lo: f64, hi: f64, alpha: f64) -> Result<Vec<f64>, NotComputable> {
    given::numbers(xs)?;
    let width = given::finite(hi - lo)?;
    if width <= 0.0 {
        return Err(NotComputable::because(format!("the range {lo} to {hi} is empty")));
    }
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(NotComputable::because(format!("alpha {alpha} is outside 0 to 1")));
    }
    if xs.iter().any(|x| !(lo..=hi).contains(x)) {
        return Err(NotComputable::because(format!("a row is outside {lo} to {hi}")));
    }
    Ok(xs.iter().map(|x| ((x - lo) / width).clamp(0.0, 1.0)).collect())
}

fn ordered(bounds: Interval) -> Result<Interval, NotComputable> {
    if bounds.lower > bounds.upper {
        return Err(NotComputable::because("the mean has moved"));
    }
    Ok(bounds)
}

#[cfg(test)]
mod tests {
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

    proptest! {
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
            prop_assert!((lower + upper).abs() < 1e-9);
        }
    }
}
