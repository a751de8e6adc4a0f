//! Confidence sequences: bounds on the mean of bounded rows that hold at every look at once; pure. Refuses rows out of bounds.

mod bettor;

use super::estimate::Interval;
use super::given;
use crate::types::NotComputable;

pub use bettor::{Bettor, Stake};

/// Bisection steps for a bound: 2⁻²⁴ of the range, rounded to the safe side; nobody reads further than the fourth decimal. The
/// first step asks about the middle, so that for a symmetric range "is the mean above 0?" costs one pass.
const STEPS: usize = 24;

/// The interval that contains the mean of rows in [`lo`, `hi`] with probability 1 - `alpha`, **at every look**: one may look
/// after each row, and stop when one likes.
///
/// Rows come in the order in which they were seen. If the mean moves on the way, `lower` is still below the largest and
/// `upper` above the smallest of the means passed, with the same probability.
///
/// By betting: for each candidate m a [`Bettor`] plays against "the mean is at most m", a fair game if it is m, and m is ruled
/// out once the wealth has ever reached 2/alpha (Ville's inequality); likewise from above. Waudby-Smith & Ramdas 2023,
/// "Estimating means of bounded random variables by betting", JRSS B 86:1–27. Uses no logarithm, so it is the same on every
/// machine. Costs rows × 24 × 8 multiplications a side at most.
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

/// A lower bound for the newest rows, which stands or falls with them: at every look at once, with probability 1 - `alpha`, it
/// is below the largest of the means passed.
///
/// Two things set it apart from `lower_confidence_sequence`. The bettor's stake is laid out in parts, one every `every` rows
/// ([`Stake::InParts`]), so that a mean which rose late is seen as soon as one that was high from the start. And what counts
/// is the wealth after the last row, so that evidence which newer rows take back is gone.
///
/// # Errors
/// As `confidence_sequence`.
pub fn newest_lower_bound(xs: &[f64], lo: f64, hi: f64, alpha: f64, every: u64) -> Result<f64, NotComputable> {
    let xs = scaled(xs, lo, hi, alpha)?;
    let out = bisect(|candidate| {
        let mut bettor = Bettor::unscaled(candidate, Stake::InParts { every });
        xs.iter().for_each(|x| bettor.play(*x));
        bettor.wealth() >= 1.0 / alpha
    });
    Ok(lo + (hi - lo) * out)
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

/// The highest candidate mean in [0, 1] that is ruled out at any row, 0 if none is.
fn highest_ruled_out(xs: &[f64], alpha: f64) -> f64 {
    bisect(|candidate| {
        let mut bettor = Bettor::unscaled(candidate, Stake::AtOnce);
        xs.iter().any(|x| {
            bettor.play(*x);
            bettor.wealth() >= 1.0 / alpha
        })
    })
}

/// The border of what is ruled out: wealth falls as the candidate rises, because each factor 1 - f + f·x/m does.
fn bisect(ruled_out: impl Fn(f64) -> bool) -> f64 {
    let (mut out, mut still_in) = (0.0, 1.0);
    for _ in 0..STEPS {
        let middle = 0.5 * (out + still_in);
        if ruled_out(middle) {
            out = middle;
        } else {
            still_in = middle;
        }
    }
    out
}

/// The rows as shares of the range.
fn scaled(xs: &[f64], lo: f64, hi: f64, alpha: f64) -> Result<Vec<f64>, NotComputable> {
    given::numbers(xs)?;
    let width = width(lo, hi)?;
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(NotComputable::because(format!("alpha {alpha} is outside 0 to 1")));
    }
    if xs.iter().any(|x| !(lo..=hi).contains(x)) {
        return Err(NotComputable::because(format!("a row is outside {lo} to {hi}")));
    }
    Ok(xs.iter().map(|x| ((x - lo) / width).clamp(0.0, 1.0)).collect())
}

fn width(lo: f64, hi: f64) -> Result<f64, NotComputable> {
    let width = given::finite(hi - lo)?;
    if width > 0.0 { Ok(width) } else { Err(NotComputable::because(format!("the range {lo} to {hi} is empty"))) }
}

fn ordered(bounds: Interval) -> Result<Interval, NotComputable> {
    if bounds.lower > bounds.upper {
        return Err(NotComputable::because("the mean has moved"));
    }
    Ok(bounds)
}

#[cfg(test)]
mod tests;
