//! What a window's scores alone foretell of its performance, before any label is there; pure. An early warning: it raises an
//! alert, and nothing else is ever decided on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PerformanceRules;
use crate::contract::{Bins, Task};
use crate::registry::VerifiedModel;
use crate::snapshot::{Snapshot, Window};
use crate::stats::Interval;
use crate::stats::classification::{Expected, Foretold, ScoreBin};
use crate::train::{Metric, direction};
use crate::types::{Check, Digest, Measurement, ModelName, NotComputable, Operator, Verdict, Version};

/// The ground that an estimate stands on, in the words that go with every one.
pub const ASSUMES: &str =
    "the scores are still calibrated and mean what they meant (no concept drift); what the labels say is not looked at";
/// How it is made.
const METHOD: &str = "CBPE from binned calibrated scores; band: Poisson-binomial, delta method";

/// What one window's scores foretell of the performance of the version that served in it. It has no labels, so it is no
/// [`PerformanceReport`](super::PerformanceReport): neither `policy::retrain` nor any gate takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EstimateReport {
    /// 1: first form.
    pub format_version: u32,
    /// The model.
    pub model: ModelName,
    /// The version that answered.
    pub version: Version,
    /// The digest of that version's manifest.
    pub bundle: Digest,
    /// The window.
    pub window: Window,
    /// The digest of its snapshot, whose counts of scores are all that is looked at.
    pub snapshot: Digest,
    /// Every metric that can be foretold.
    pub metrics: Vec<Estimated>,
    /// How far each has fallen below what the same method foretells for the scores of the version's own profile.
    pub checks: Vec<Check>,
    /// How it was made.
    pub method: String,
    /// What must be so for it to be true.
    pub assumes: String,
    /// `Fail` if a metric is foretold to have fallen by more than `performance.margin`, beyond the band of both.
    pub verdict: Verdict,
}

/// A metric, foretold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimated {
    /// The metric, and the band in which the window's own labels will put it in 95 of 100 cases.
    #[serde(flatten)]
    pub metric: Metric,
    /// Where the value would lie had the scores not been counted in bins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unbinned: Option<Interval>,
}

/// How a version's scores are counted: the ends of each bin, and the score that stands for its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreBins<'a> {
    model: &'a VerifiedModel,
    /// Without rows.
    bins: Vec<ScoreBin>,
}

impl<'a> ScoreBins<'a> {
    /// The bins of a version's score histogram, each standing at the mean of the answers on calibration rows that fall in it; at
    /// its middle if none does.
    ///
    /// # Errors
    /// A version that predicts no probability.
    pub fn of(model: &'a VerifiedModel) -> Result<ScoreBins<'a>, NotComputable> {
        let (Task::Binary, Bins::Numeric { edges, .. }) = (model.contract().task(), &model.profile().score.bins) else {
            return Err(NotComputable::because("no probability is predicted"));
        };
        let mut sums = vec![(0u64, 0.0); edges.len() + 1];
        for answer in model.calibration_answers() {
            if let Some((rows, sum)) = sums.get_mut(edges.partition_point(|edge| *edge < answer)) {
                (*rows, *sum) = (*rows + 1, *sum + answer);
            }
        }
        let within = |edge: &f64| edge.clamp(0.0, 1.0);
        let lower = std::iter::once(0.0).chain(edges.iter().map(within));
        let upper = edges.iter().map(within).chain(std::iter::once(1.0));
        let bins = sums.into_iter().zip(lower.zip(upper)).map(|((rows, sum), (lower, upper))| {
            let score = if rows > 0 { sum / rows as f64 } else { lower + (upper - lower) / 2.0 };
            ScoreBin { rows: 0, score: score.clamp(lower, upper), lower, upper }
        });
        Ok(ScoreBins { model, bins: bins.collect() })
    }

    /// Scores that were counted in these bins.
    ///
    /// # Errors
    /// Nothing was counted.
    pub fn expected(&self, counts: &[u64]) -> Result<Expected, NotComputable> {
        let counted = self.bins.iter().zip(counts).map(|(bin, rows)| ScoreBin { rows: *rows, ..*bin });
        Expected::of_bins(counted.collect())
    }

    /// What these scores foretell; metrics at a threshold are left out if the version has none.
    ///
    /// # Errors
    /// Nothing was counted.
    pub fn foretell(&self, counts: &[u64]) -> Result<Vec<Estimated>, NotComputable> {
        let expected = self.expected(counts)?;
        let n = expected.rows();
        let mut metrics = vec![estimated("auc", expected.roc_auc(), n)];
        if let Some(threshold) = self.model.threshold() {
            metrics.extend([
                estimated("accuracy", Ok(expected.accuracy(threshold)), n),
                estimated("precision", expected.precision(threshold), n),
                estimated("recall", expected.recall(threshold), n),
                estimated("f1", expected.f1(threshold), n),
            ]);
        }
        metrics.push(Estimated {
            metric: Metric { measurement: Measurement::new("base_rate", expected.base_rate(), n), interval: None },
            unbinned: None,
        });
        Ok(metrics)
    }
}

fn estimated(name: &str, foretold: Result<Foretold, NotComputable>, n: u64) -> Estimated {
    Estimated {
        unbinned: foretold.as_ref().ok().map(|foretold| foretold.unbinned),
        metric: Metric {
            interval: foretold.as_ref().ok().map(|foretold| foretold.estimate.interval),
            measurement: Measurement::new(name, foretold.map(|foretold| foretold.estimate.value), n),
        },
    }
}

/// Foretell the performance of a version in a window; none for a model that predicts no probability.
pub fn estimate(
    model: &VerifiedModel,
    snapshot: &Snapshot,
    digest: Digest,
    rules: &PerformanceRules,
) -> Option<EstimateReport> {
    let bins = ScoreBins::of(model).ok()?;
    let counts = snapshot.counts.versions.get(&model.version()).map_or(&[][..], |counts| &counts.prediction);
    let then = bins.foretell(&model.profile().score.counts).unwrap_or_default();
    let now = bins.foretell(counts).unwrap_or_default();
    let checks: Vec<Check> = then.iter().filter_map(|then| fallen(then, &now, rules)).collect();
    Some(EstimateReport {
        format_version: 1,
        model: model.name().clone(),
        version: model.version(),
        bundle: model.digest(),
        window: snapshot.window,
        snapshot: digest,
        metrics: now,
        method: METHOD.to_owned(),
        assumes: ASSUMES.to_owned(),
        verdict: Verdict::worst(checks.iter().map(|check| check.verdict)),
        checks,
    })
}

/// How far a metric has fallen at least: the lower end of then - now, whose band joins both (Newcombe 1998, method 10). Like is
/// held against like: both err by the same bins, and neither has seen a label.
fn fallen(then: &Estimated, now: &[Estimated], rules: &PerformanceRules) -> Option<Check> {
    let name = &then.metric.measurement.metric;
    direction(name)?;
    let now = now.iter().find(|now| &now.metric.measurement.metric == name);
    let ends = |of: &Estimated| Some((of.metric.measurement.value.number()?, of.metric.interval?));
    let drop = match (ends(then), now.and_then(ends)) {
        (Some((before, band)), Some((after, own))) => {
            let reach = (before - band.lower).hypot(own.upper - after);
            Ok(before - after - reach)
        }
        (_, _) => Err(NotComputable::because("nothing to compare")),
    };
    let n = now.map_or(0, |now| now.metric.measurement.n);
    let measured = Measurement::new(format!("{name}_estimated_drop_lower95"), drop, n);
    let check = Check::require(measured, Operator::AtMost, rules.margin, rules.min_rows);
    Some(match (check.verdict, now) {
        (Verdict::Pass | Verdict::Fail, Some(now)) => {
            let (now, then) = (&now.metric.measurement.value, &then.metric.measurement.value);
            check.with_note(format!("estimated {now}; the profile's scores: {then}"))
        }
        (_, _) => check,
    })
}

/// Whether so many of the last windows foretell a loss: k of m, as losses are confirmed.
pub fn foreseen(reports: &[EstimateReport], rules: &PerformanceRules) -> Verdict {
    Verdict::confirmed(reports.iter().map(|report| report.verdict), rules.confirm, rules.of)
}

#[cfg(test)]
mod tests;
