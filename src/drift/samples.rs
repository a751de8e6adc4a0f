//! Two samples of one number, then and now, judged by the rule that a feature is judged by; pure.

use super::feature::ordered;
use super::judge::{Evidence, Share, either, judge, psi_line};
use super::rules::DriftRules;
use crate::stats::Tally;
use crate::stats::distance::{Smoothing, psi};
use crate::stats::histogram::Edges;
use crate::stats::hypothesis::chi_square_pooled;
use crate::types::Check;

/// Whether a number moved: significance (`p_adjusted`, twice the smaller p of Kolmogorov–Smirnov and of χ² on the bins), then size
/// (`psi` on the bins, `ks`). [`moved_far`](super::moved_far) says what follows.
pub fn samples(then: &[f64], now: &[f64], bins: &Edges, rules: &DriftRules) -> Vec<Check> {
    let counts = bins.counts(then).and_then(|then| Ok((then, bins.counts(now)?)));
    let tested = Tally::of_samples(then, now).map(|tally| ordered(&tally));
    let rows = (then.len() as u64, now.len() as u64);
    let (psi_line, _) = psi_line(rows, bins.bins(), rules);
    let size = counts.clone().and_then(|(then, now)| psi(&then, &now, Smoothing::default()));
    let shares = counts.and_then(|(then, now)| chi_square_pooled(&then, &now));
    let none = |metric| Share::of(metric, (0, rows.0), (0, rows.1));
    let evidence = Evidence {
        n: rows.1,
        psi: size.into(),
        psi_line,
        distance: ("ks", tested.clone().map(|tested| tested.statistic).into()),
        p_value: either(tested.ok(), shares.ok()),
        shares: [none("missing_share_growth"), none("unseen_share_growth")],
    };
    // A number that was computed is neither missing nor unseen.
    let shares = |check: &Check| check.measurement.metric.ends_with("_share_growth");
    let judged = judge(std::iter::once(&evidence), rules).into_iter().flat_map(|judged| judged.checks);
    judged.filter(|check| !shares(check)).collect()
}
