//! What metrics will be if the scores are what they say, before any label is there: confidence-based performance estimation;
//! pure. It knows nothing of the labels, so it cannot see that a score has come to mean something else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::estimate::{Estimate, Interval};
use crate::stats::given;
use crate::stats::special::Z_95;
use crate::types::NotComputable;

/// Rows that are taken for one: their number, the score that stands for them, and the ends between which their scores lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreBin {
    /// How many rows.
    pub rows: u64,
    /// The score that stands for them.
    pub score: f64,
    /// No score is below it.
    pub lower: f64,
    /// No score is above it.
    pub upper: f64,
}

/// A metric as calibrated scores foretell it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Foretold {
    /// The value, and the band in which the rows' own labels will put the metric in 95 of 100 cases.
    #[serde(flatten)]
    pub estimate: Estimate,
    /// Where the value would lie had the scores been counted without bins; the value itself twice where they were.
    pub unbinned: Interval,
}

/// Rows of which only the scores are known, each score p taken as the chance of a positive label.
///
/// Of expected counts, TP = Σ p over rows called positive and so on, metrics are formed as of counts (CBPE, confidence-based
/// performance estimation: NannyML's documentation, "How it works: Estimation of performance"). With labels drawn
/// independently, a metric's sampling variance is Σ p (1 - p)·(∂metric / ∂label)²: exact for accuracy and precision, whose
/// derivatives do not depend on the labels, and by the delta method for recall, F1 and the area.
///
/// Both rest on the same ground: the scores are calibrated on the rows at hand, and labels do not hang together.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// By falling score.
    bins: Vec<ScoreBin>,
    rows: f64,
    positives: f64,
    negatives: f64,
}

impl Expected {
    /// Scores, row by row.
    ///
    /// # Errors
    /// No rows, or a score outside [0, 1].
    pub fn of_scores(scores: &[f64]) -> Result<Expected, NotComputable> {
        given::numbers(scores)?;
        let bin = |&score: &f64| ScoreBin { rows: 1, score, lower: score, upper: score };
        Expected::of_bins(scores.iter().map(bin).collect())
    }

    /// Scores that were counted in bins. Bins without rows are left out.
    ///
    /// # Errors
    /// No rows, a score outside [0, 1], or one that is not between its bin's ends.
    pub fn of_bins(mut bins: Vec<ScoreBin>) -> Result<Expected, NotComputable> {
        bins.retain(|bin| bin.rows > 0);
        if bins.is_empty() {
            return Err(NotComputable::because(given::NO_ROWS));
        }
        let sound =
            |bin: &ScoreBin| 0.0 <= bin.lower && bin.lower <= bin.score && bin.score <= bin.upper && bin.upper <= 1.0;
        if !bins.iter().all(sound) {
            return Err(NotComputable::because("a score is outside 0 to 1"));
        }
        bins.sort_by(|a, b| b.score.total_cmp(&a.score));
        let sum = |of: fn(&ScoreBin) -> f64| bins.iter().map(of).sum::<f64>();
        let rows = sum(|bin| bin.rows as f64);
        let positives = sum(|bin| bin.rows as f64 * bin.score);
        Ok(Expected { rows, positives, negatives: rows - positives, bins })
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows as u64
    }

    /// The mean score: the share of positive labels to expect.
    pub fn base_rate(&self) -> f64 {
        self.positives / self.rows
    }

    /// The mean chance of the likelier class, from ½ to 1: how sure the scores are of themselves.
    pub fn confidence(&self) -> f64 {
        self.bins.iter().map(|bin| bin.rows as f64 * bin.score.max(1.0 - bin.score)).sum::<f64>() / self.rows
    }

    /// The share of rows that will turn out to be called right at a threshold.
    pub fn accuracy(&self, threshold: f64) -> Foretold {
        let right = |bin: &ScoreBin| if bin.score >= threshold { bin.score } else { 1.0 - bin.score };
        let value = self.bins.iter().map(|bin| bin.rows as f64 * right(bin)).sum::<f64>() / self.rows;
        let ends = self.bins.iter().fold((0.0, 0.0), |sums, bin| {
            let (least, most) = match Call::of(bin, threshold) {
                Call::Positive => (bin.lower, bin.upper),
                Call::Negative => (1.0 - bin.upper, 1.0 - bin.lower),
                Call::Either => (threshold.min(1.0 - threshold), bin.upper.max(1.0 - bin.lower)),
            };
            (sums.0 + bin.rows as f64 * least, sums.1 + bin.rows as f64 * most)
        });
        foretold(value, self.variance(|_| 1.0 / self.rows), (ends.0 / self.rows, ends.1 / self.rows))
    }

    /// The share of rows called positive that will turn out to be.
    ///
    /// # Errors
    /// No row is called positive.
    pub fn precision(&self, threshold: f64) -> Result<Foretold, NotComputable> {
        let counts = Counts::of(self, threshold);
        let Counts { called, hits, .. } = counts;
        if called == 0.0 {
            return Err(NotComputable::because("no row is called positive"));
        }
        let variance = self.variance(|bin| if bin.score >= threshold { 1.0 / called } else { 0.0 });
        Ok(foretold(hits / called, variance, counts.ends_of_precision(self, threshold)))
    }

    /// The share of the rows that will turn out positive which are called so.
    ///
    /// # Errors
    /// All scores are 0.
    pub fn recall(&self, threshold: f64) -> Result<Foretold, NotComputable> {
        let Counts { hits, missed, least, most, .. } = Counts::of(self, threshold);
        let all = self.some_positives()?;
        let slope = |bin: &ScoreBin| if bin.score >= threshold { missed / all / all } else { -hits / all / all };
        let share = |hits: f64, missed: f64| if hits + missed > 0.0 { hits / (hits + missed) } else { 0.0 };
        let ends = (share(least.hits, most.missed), share(most.hits, least.missed));
        Ok(foretold(hits / all, self.variance(slope), ends))
    }

    /// F1 = 2 TP / (rows called positive + positives).
    ///
    /// # Errors
    /// All scores are 0.
    pub fn f1(&self, threshold: f64) -> Result<Foretold, NotComputable> {
        let Counts { called, hits, least, most, .. } = Counts::of(self, threshold);
        let either = called + self.some_positives()?;
        let slope = |bin: &ScoreBin| match bin.score >= threshold {
            true => 2.0 * (either - hits) / either / either,
            false => -2.0 * hits / either / either,
        };
        let of = |hits: f64, wrong: f64, missed: f64| 2.0 * hits / (2.0 * hits + wrong + missed).max(f64::MIN_POSITIVE);
        let ends = (of(least.hits, most.wrong, most.missed), of(most.hits, least.wrong, least.missed));
        Ok(foretold(2.0 * hits / either, self.variance(slope), ends))
    }

    /// The area under the ROC curve of expected counts, rows of one bin counting as ties.
    ///
    /// The ends that `unbinned` gives are of first order: each row may be ranked rightly against all other rows of its bin, and
    /// each score may lie at either end of its bin, where that changes the area by its derivative.
    ///
    /// # Errors
    /// All scores are 0, or all are 1.
    pub fn roc_auc(&self) -> Result<Foretold, NotComputable> {
        self.some_positives()?;
        if self.negatives <= 0.0 {
            return Err(NotComputable::because(given::ONE_CLASS));
        }
        let pairs = self.positives * self.negatives;
        let placed = || {
            let (mut positives_above, mut negatives_above) = (0.0, 0.0);
            self.bins.chunk_by(|a, b| a.score == b.score).flat_map(move |tied| {
                let rows = tied.iter().map(|bin| bin.rows as f64).sum::<f64>();
                let score = tied[0].score;
                let (positives, negatives) = (rows * score, rows * (1.0 - score));
                // Of a positive row: the negatives below it. Of a negative one: the positives above it.
                let below = self.negatives - negatives_above - negatives / 2.0;
                let above = positives_above + positives / 2.0;
                positives_above += positives;
                negatives_above += negatives;
                tied.iter().map(move |bin| (bin, above, below))
            })
        };
        let area = placed().map(|(bin, _, below)| bin.rows as f64 * bin.score * below).sum::<f64>() / pairs;
        let slope = |above: f64, below: f64| (below - above - area * (self.negatives - self.positives)) / pairs;
        let (mut variance, mut down, mut up) = (0.0, 0.0, 0.0);
        for (bin, above, below) in placed() {
            let (rows, slope) = (bin.rows as f64, slope(above, below));
            variance += rows * bin.score * (1.0 - bin.score) * slope * slope;
            if bin.lower < bin.upper {
                let moved = [slope * (bin.lower - bin.score), slope * (bin.upper - bin.score)];
                let tied = rows * rows * bin.score * (1.0 - bin.score) / 2.0 / pairs;
                down += rows * moved[0].min(moved[1]);
                // Scores order the rows of a bin at best as they order all others, and never the other way round.
                up += rows * moved[0].max(moved[1]) + tied;
            }
        }
        Ok(foretold(area, variance, (area + down, area + up)))
    }

    fn some_positives(&self) -> Result<f64, NotComputable> {
        if self.positives > 0.0 { Ok(self.positives) } else { Err(NotComputable::because(given::ONE_CLASS)) }
    }

    /// Σ p (1 - p)·slope² over the rows.
    fn variance(&self, slope: impl Fn(&ScoreBin) -> f64) -> f64 {
        let of = |bin: &ScoreBin| bin.rows as f64 * bin.score * (1.0 - bin.score) * slope(bin).powi(2);
        self.bins.iter().map(of).sum()
    }
}

fn foretold(value: f64, variance: f64, (lower, upper): (f64, f64)) -> Foretold {
    let within = |end: f64| end.clamp(0.0, 1.0);
    let (value, reach) = (within(value), Z_95 * variance.sqrt());
    Foretold {
        estimate: Estimate { value, interval: Interval { lower: within(value - reach), upper: within(value + reach) } },
        unbinned: Interval { lower: within(lower).min(value), upper: within(upper).max(value) },
    }
}

/// How a bin's rows are called at a threshold.
enum Call {
    Positive,
    Negative,
    /// The threshold lies within the bin.
    Either,
}

impl Call {
    fn of(bin: &ScoreBin, threshold: f64) -> Call {
        match (bin.lower >= threshold, bin.upper >= threshold) {
            (true, _) => Call::Positive,
            (false, false) => Call::Negative,
            (false, true) => Call::Either,
        }
    }
}

/// Expected counts at a threshold, and the least and the most that bins leave possible.
struct Counts {
    called: f64,
    hits: f64,
    missed: f64,
    least: Parts,
    most: Parts,
}

/// Expected true positives, false positives and false negatives.
#[derive(Clone, Copy, Default)]
struct Parts {
    hits: f64,
    wrong: f64,
    missed: f64,
}

impl Counts {
    fn of(expected: &Expected, threshold: f64) -> Counts {
        let (mut called, mut hits) = (0.0, 0.0);
        let (mut least, mut most) = (Parts::default(), Parts::default());
        for bin in &expected.bins {
            let rows = bin.rows as f64;
            if bin.score >= threshold {
                called += rows;
                hits += rows * bin.score;
            }
            match Call::of(bin, threshold) {
                Call::Positive => {
                    least.hits += rows * bin.lower;
                    most.hits += rows * bin.upper;
                    least.wrong += rows * (1.0 - bin.upper);
                    most.wrong += rows * (1.0 - bin.lower);
                }
                Call::Negative => {
                    least.missed += rows * bin.lower;
                    most.missed += rows * bin.upper;
                }
                Call::Either => {
                    most.hits += rows * bin.upper;
                    most.wrong += rows * (1.0 - threshold);
                    most.missed += rows * threshold;
                }
            }
        }
        Counts { called, hits, missed: expected.positives - hits, least, most }
    }

    /// The mean score of the rows called positive, whichever rows of a bin that holds the threshold are.
    fn ends_of_precision(&self, expected: &Expected, threshold: f64) -> (f64, f64) {
        let sure = expected.bins.iter().filter(|bin| matches!(Call::of(bin, threshold), Call::Positive));
        let unsure = expected.bins.iter().filter(|bin| matches!(Call::of(bin, threshold), Call::Either));
        let surely: f64 = sure.map(|bin| bin.rows as f64).sum();
        let (perhaps, highest) =
            unsure.fold((0.0, 0.0), |(rows, sum), bin| (rows + bin.rows as f64, sum + bin.rows as f64 * bin.upper));
        let mean = |sum: f64, rows: f64| if rows > 0.0 { Some(sum / rows) } else { None };
        let lower = [mean(self.least.hits, surely), mean(self.least.hits + perhaps * threshold, surely + perhaps)];
        let upper = [mean(self.most.hits - highest, surely), mean(self.most.hits, surely + perhaps)];
        (lower.into_iter().flatten().fold(1.0, f64::min), upper.into_iter().flatten().fold(0.0, f64::max))
    }
}

#[cfg(test)]
mod tests;
