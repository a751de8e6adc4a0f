//! Rows sorted once by score, and every question that wants them sorted: areas, thresholds, reliability; pure. One class has no
//! ranking.

use super::confusion::Cut;
use super::delong;
use crate::stats::calibration::{Binning, ReliabilityBin, weighted_gap};
use crate::stats::estimate::{Estimate, Interval};
use crate::stats::given;
use crate::stats::histogram::{Edges, quantile_of};
use crate::stats::special::{Z_95, normal_upper_point};
use crate::types::NotComputable;

/// Bisection steps for an interval's end: 2⁻⁵⁰ of [0, 1], finer than anybody reads.
const STEPS: usize = 50;
/// So many pairs of a positive and a negative row are in a block at least. Of few pairs a share is noisy; long blocks are few.
/// A coin among models of 0.8 is told soonest at about sixteen, be positives common or rare.
const PAIRS: f64 = 16.0;

/// Rows in the order of falling scores. Sorting is what these metrics cost, so whoever wants several sorts once.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    scores: Vec<f64>,
    labels: Vec<bool>,
    positives: u64,
    /// Pairs of a positive and a negative row in which the positive scores higher, ties counting half.
    pairs_above: f64,
}

/// The rows of one score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tie {
    pub(super) score: f64,
    /// Of them.
    pub(super) positives: f64,
    pub(super) negatives: f64,
    /// With higher scores.
    pub(super) positives_above: f64,
    pub(super) negatives_above: f64,
}

impl Ranking {
    /// Sort rows.
    ///
    /// # Errors
    /// No rows, lengths that differ, or a score that is not finite.
    pub fn of(scores: &[f64], labels: &[bool]) -> Result<Ranking, NotComputable> {
        given::paired(scores, labels)?;
        let positives = labels.iter().filter(|label| **label).count() as u64;
        let (scores, labels) = falling(scores, labels);
        let mut ranking = Ranking { scores, labels, positives, pairs_above: 0.0 };
        let of_tie = |tie: Tie| tie.negatives * (tie.positives_above + tie.positives / 2.0);
        ranking.pairs_above = ranking.ties().map(of_tie).sum();
        Ok(ranking)
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.scores.len() as u64
    }

    /// The chance that a positive row scores above a negative one, ties counting half: the area under the ROC curve.
    ///
    /// The interval turns the Hanley–McNeil variance into a score interval (Newcombe 2006, Statistics in Medicine 25:559–573,
    /// method 5): all areas that the one found does not contradict. It stays in [0, 1] and does not collapse when a few rows
    /// happen to be ranked perfectly, as DeLong's does.
    ///
    /// # Errors
    /// One class only.
    pub fn roc_auc(&self) -> Result<Estimate, NotComputable> {
        let (positives, negatives) = self.classes()?;
        let value = self.area()?;
        Ok(Estimate { value, interval: roc_auc_interval_at(value, positives, negatives, Z_95) })
    }

    /// The area under the ROC curve with the normal interval of DeLong, DeLong & Clarke-Pearson (1988, Biometrics 44:837–845),
    /// which assumes nothing of the scores, cut to [0, 1].
    ///
    /// It is what most reports give. Where few rows happen to be ranked perfectly it has no width; [`Ranking::roc_auc`]'s
    /// interval has, so that is what verdicts rest on.
    ///
    /// # Errors
    /// Fewer than two rows of a class.
    pub fn roc_auc_delong(&self) -> Result<Estimate, NotComputable> {
        let (positives, negatives) = self.classes()?;
        delong::interval(self.area()?, self.ties(), positives, negatives)
    }

    /// Σ (Rₖ - Rₖ₋₁)·Pₖ over falling thresholds: the area under the precision–recall steps, not interpolated.
    ///
    /// # Errors
    /// One class only.
    pub fn average_precision(&self) -> Result<f64, NotComputable> {
        let (positives, _) = self.classes()?;
        let mut area = 0.0;
        for tie in self.ties() {
            let hits = tie.positives_above + tie.positives;
            area += tie.positives / positives * hits / (hits + tie.negatives_above + tie.negatives);
        }
        Ok(area)
    }

    /// Of all scores that occur, the one with the best F1 when used as threshold; of equals the largest.
    ///
    /// # Errors
    /// One class only.
    pub fn best_f1(&self) -> Result<Cut, NotComputable> {
        let (positives, _) = self.classes()?;
        let mut best = Cut { threshold: f64::MAX, f1: 0.0 };
        for tie in self.ties() {
            let hits = tie.positives_above + tie.positives;
            let f1 = 2.0 * hits / (hits + tie.negatives_above + tie.negatives + positives);
            if f1 > best.f1 {
                best = Cut { threshold: tie.score, f1 };
            }
        }
        Ok(best)
    }

    /// The largest difference of the shares of positive and of negative rows at or above any one threshold: Kolmogorov and
    /// Smirnov's distance of the two classes' scores, from 0 to 1.
    ///
    /// # Errors
    /// One class only.
    pub fn separation(&self) -> Result<f64, NotComputable> {
        let (positives, negatives) = self.classes()?;
        let apart = |tie: Tie| {
            let (hits, misses) = (tie.positives_above + tie.positives, tie.negatives_above + tie.negatives);
            (hits / positives - misses / negatives).abs()
        };
        Ok(self.ties().map(apart).fold(0.0, f64::max))
    }

    /// Mean score and event rate per bin, from the lowest scores up; bins without rows are left out.
    ///
    /// # Errors
    /// Bins that cannot be cut.
    pub fn reliability(&self, binning: Binning) -> Result<Vec<ReliabilityBin>, NotComputable> {
        let edges = match binning {
            Binning::EqualMass(bins) => {
                let last = self.scores.len() - 1;
                let share = |k: usize| k as f64 / bins as f64;
                let cuts = (1..bins).map(|k| quantile_of(self.scores.len(), |rank| self.scores[last - rank], share(k)));
                let mut edges: Vec<f64> = cuts.collect();
                edges.dedup_by(|later, earlier| *later <= *earlier);
                Edges::new(edges)?
            }
            Binning::EqualWidth(bins) => Edges::even(0.0, 1.0, bins)?,
        };
        let mut sums = vec![(0.0, 0.0, 0.0); edges.bins()];
        // Scores fall, so bins are left one by one.
        let (mut bin, mut lower) = (edges.bins(), f64::INFINITY);
        for tie in self.ties() {
            while tie.score <= lower && bin > 0 {
                bin -= 1;
                let below = bin.checked_sub(1).and_then(|below| edges.as_slice().get(below));
                lower = below.copied().unwrap_or(f64::NEG_INFINITY);
            }
            if let Some((count, total, events)) = sums.get_mut(bin) {
                let rows = tie.positives + tie.negatives;
                *count += rows;
                *total += rows * tie.score;
                *events += tie.positives;
            }
        }
        let filled = sums.into_iter().filter(|&(count, ..)| count > 0.0);
        let bin = |(count, total, events)| ReliabilityBin {
            count: count as u64,
            mean_score: total / count,
            event_rate: events / count,
        };
        Ok(filled.map(bin).collect())
    }

    /// Expected calibration error: the mean of |mean score - event rate| over the bins, weighted by their rows (Naeini, Cooper &
    /// Hauskrecht 2015), from 0 to 1. Noise alone makes it larger the fewer rows a bin has.
    ///
    /// # Errors
    /// Bins that cannot be cut.
    pub fn ece(&self, binning: Binning) -> Result<f64, NotComputable> {
        weighted_gap(&self.reliability(binning)?)
    }

    /// Pairs in which the positive scores higher as a share of all.
    fn area(&self) -> Result<f64, NotComputable> {
        let (positives, negatives) = self.classes()?;
        Ok((self.pairs_above / (positives * negatives)).clamp(0.0, 1.0))
    }

    /// The distinct scores, from the largest down.
    fn ties(&self) -> impl Iterator<Item = Tie> {
        let mut rows = self.scores.iter().zip(&self.labels).peekable();
        let (mut positives_above, mut negatives_above) = (0.0, 0.0);
        std::iter::from_fn(move || {
            let &(&score, _) = rows.peek()?;
            let (mut positives, mut negatives) = (0.0, 0.0);
            while let Some((_, label)) = rows.next_if(|(next, _)| **next == score) {
                let positive = f64::from(u8::from(*label));
                positives += positive;
                negatives += 1.0 - positive;
            }
            let tie = Tie { score, positives, negatives, positives_above, negatives_above };
            positives_above += positives;
            negatives_above += negatives;
            Some(tie)
        })
    }

    /// How many rows are of the positive and of the negative class; both must occur.
    fn classes(&self) -> Result<(f64, f64), NotComputable> {
        let negatives = self.rows() - self.positives;
        if self.positives == 0 || negatives == 0 {
            return Err(NotComputable::because(given::ONE_CLASS));
        }
        Ok((self.positives as f64, negatives as f64))
    }
}

/// Rows in the order of falling scores. A number from 0 to below 2, as every probability is, leaves the highest bit but one of
/// its form unused: there is room for its label, and what is sorted is one list of integers.
fn falling(scores: &[f64], labels: &[bool]) -> (Vec<f64>, Vec<bool>) {
    let rows = scores.iter().zip(labels);
    if scores.iter().all(|score| (0.0..2.0).contains(score)) {
        // Adding 0.0 turns -0.0 into 0.0.
        let mut packed: Vec<u64> =
            rows.map(|(score, label)| (score + 0.0).to_bits() << 1 | u64::from(*label)).collect();
        packed.sort_unstable();
        let scores = packed.iter().rev().map(|row| f64::from_bits(row >> 1)).collect();
        return (scores, packed.iter().rev().map(|row| row & 1 == 1).collect());
    }
    let mut rows: Vec<(f64, bool)> = rows.map(|(score, label)| (*score, *label)).collect();
    rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    rows.into_iter().unzip()
}

/// [`Ranking::roc_auc`] of rows that nothing else is asked of.
///
/// # Errors
/// No rows, lengths that differ, a score that is not finite, or one class only.
pub fn roc_auc(scores: &[f64], labels: &[bool]) -> Result<Estimate, NotComputable> {
    Ranking::of(scores, labels)?.roc_auc()
}

/// [`Ranking::roc_auc_delong`] of rows that nothing else is asked of.
///
/// # Errors
/// No rows, lengths that differ, a score that is not finite, or fewer than two rows of a class.
pub fn roc_auc_delong(scores: &[f64], labels: &[bool]) -> Result<Estimate, NotComputable> {
    Ranking::of(scores, labels)?.roc_auc_delong()
}

/// [`Ranking::average_precision`] of rows that nothing else is asked of.
///
/// # Errors
/// No rows, lengths that differ, a score that is not finite, or one class only.
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Result<f64, NotComputable> {
    Ranking::of(scores, labels)?.average_precision()
}

/// [`roc_auc`]'s interval of an area that was found, with ends that are each wrong with probability `level` (there 0.025).
///
/// # Errors
/// An area outside [0, 1], a class without rows, or a level outside (0, 0.5].
pub fn roc_auc_interval(area: f64, positives: f64, negatives: f64, level: f64) -> Result<Interval, NotComputable> {
    if !((0.0..=1.0).contains(&area) && positives >= 1.0 && negatives >= 1.0) {
        return Err(NotComputable::because(given::ONE_CLASS));
    }
    Ok(roc_auc_interval_at(area, positives, negatives, normal_upper_point(level)?))
}

fn roc_auc_interval_at(area: f64, positives: f64, negatives: f64, reach: f64) -> Interval {
    let end = |limit| furthest(area, limit, reach, |candidate| variance(candidate, positives, negatives));
    Interval { lower: end(0.0), upper: end(1.0) }
}

/// Rows cut, one after the other, into blocks as soon as they hold sixteen pairs of a positive and a negative row, and of each
/// block the share of pairs in which the positive scores higher, ties counting half.
///
/// For rows that are drawn independently each share has the area under the ROC curve as its mean, whatever came before it:
/// where a block ends depends on classes alone. So they are what a confidence sequence for that area is made of. Rows at the end
/// that fill no block are left out; one class only makes none.
///
/// # Errors
/// No rows, lengths that differ, or a score that is not finite.
pub fn roc_auc_blocks(scores: &[f64], labels: &[bool]) -> Result<Vec<f64>, NotComputable> {
    given::paired(scores, labels)?;
    let (mut blocks, mut start) = (Vec::new(), 0);
    let (mut positives, mut negatives) = (0.0, 0.0);
    for (end, label) in (1..).zip(labels) {
        let class = if *label { &mut positives } else { &mut negatives };
        *class += 1.0;
        if positives * negatives >= PAIRS {
            blocks.push(Ranking::of(&scores[start..end], &labels[start..end])?.area()?);
            (start, positives, negatives) = (end, 0.0, 0.0);
        }
    }
    Ok(blocks)
}

/// The Hanley–McNeil variance of an area, with both class sizes replaced by their mean as in Newcombe's method 5.
fn variance(area: f64, positives: f64, negatives: f64) -> f64 {
    let others = (positives + negatives) / 2.0 - 1.0;
    let spread = 1.0 + others * ((1.0 - area) / (2.0 - area) + area / (1.0 + area));
    area * (1.0 - area) * spread / (positives * negatives)
}

/// The area furthest from the one found, towards `limit`, that lies within so many of its own standard deviations.
fn furthest(found: f64, limit: f64, reach: f64, variance: impl Fn(f64) -> f64) -> f64 {
    let agrees = |candidate: f64| (found - candidate).abs() <= reach * variance(candidate).sqrt();
    let (mut agreeing, mut beyond) = (found, limit);
    for _ in 0..STEPS {
        let middle = 0.5 * (agreeing + beyond);
        if agrees(middle) {
            agreeing = middle;
        } else {
            beyond = middle;
        }
    }
    agreeing
}

#[cfg(test)]
mod tests;
