//! Whether features drifted, from what was measured of them; pure. The one rule for a window and for two files: a feature
//! drifts only if the change is significant and large, or if a share of missing or unseen values grew by both.

use super::rules::DriftRules;
use crate::stats::distance::psi_critical;
use crate::stats::hypothesis::{Tested, benjamini_hochberg, two_shares};
use crate::types::{Check, Measurement, NotComputable, Operator, Value, Verdict};

/// One feature's evidence before it is judged among the others.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// How many rows it rests on.
    pub n: u64,
    /// The population stability index …
    pub psi: Value,
    /// … and the line it is held against.
    pub psi_line: f64,
    /// The largest distance, by name: `ks` where values have an order, else `l_infinity`.
    pub distance: (&'static str, Value),
    /// The p-value of the feature's one question: did its values move?
    pub p_value: Option<f64>,
    /// Shares of cells that hold no value that was known.
    pub shares: [Share; 2],
}

/// The share of missing or unseen values: is it larger than it was, significantly and by enough?
#[derive(Debug, Clone)]
pub(super) struct Share {
    pub metric: &'static str,
    pub growth: f64,
    /// How many rows it is a share of now: those without a value are among them.
    pub n: u64,
    pub p_value: Option<f64>,
}

/// What follows for one feature.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub drifted: bool,
    pub checks: Vec<Check>,
}

impl Share {
    /// Hits among rows, then and now. Where neither side has any there is nothing to test, and nothing to adjust others for.
    pub(super) fn of(metric: &'static str, then: (u64, u64), now: (u64, u64)) -> Share {
        let rate = |(hits, rows): (u64, u64)| hits as f64 / rows.max(1) as f64;
        let tested = if then.0 + now.0 > 0 { two_shares(then, now).ok() } else { None };
        Share { metric, growth: rate(now) - rate(then), n: now.1, p_value: tested.map(|tested| tested.p_value) }
    }
}

/// The line for PSI, and the critical value that is part of it: what two samples of one distribution reach by chance is no drift.
pub(super) fn psi_line(
    (n_then, n_now): (u64, u64),
    bins: usize,
    rules: &DriftRules,
) -> (f64, Result<f64, NotComputable>) {
    let critical = psi_critical(n_then, n_now, bins, rules.alpha);
    (critical.as_ref().map_or(rules.psi, |critical| critical.max(rules.psi)), critical)
}

/// The smaller p-value of two tests of one question, twofold because there were two (Bonferroni): the order of values shows a
/// mean that moved, their shares a spread that did.
pub(super) fn either(order: Option<Tested>, shares: Option<Tested>) -> Option<f64> {
    match (order, shares) {
        (Some(order), Some(shares)) => Some((2.0 * order.p_value.min(shares.p_value)).min(1.0)),
        (one, other) => one.or(other).map(|tested| tested.p_value),
    }
}

/// Judge features among each other: p-values are adjusted over all tests of all of them. One by itself is judged alone.
pub(super) fn judge<'a>(evidence: impl Iterator<Item = &'a Evidence> + Clone, rules: &DriftRules) -> Vec<Judged> {
    let p_values: Vec<f64> = evidence.clone().flat_map(Evidence::p_values).flatten().collect();
    let mut adjusted = benjamini_hochberg(&p_values).unwrap_or_default().into_iter();
    let judged = evidence.map(|feature| {
        let own = feature.p_values().map(|p| p.and_then(|_| adjusted.next()));
        feature.judge(own, rules)
    });
    judged.collect()
}

impl Evidence {
    /// Of its three questions: values that moved, more of them missing, more of them unseen.
    fn p_values(&self) -> [Option<f64>; 3] {
        let [missing, unseen] = &self.shares;
        [self.p_value, missing.p_value, unseen.p_value]
    }

    fn judge(&self, [moved, missing, unseen]: [Option<f64>; 3], rules: &DriftRules) -> Judged {
        let on = |n, metric: &str, value: Value, operator, line| {
            Check::require(Measurement::new(metric, value, n), operator, line, rules.min_rows)
        };
        let check = |metric: &str, value: Value, operator, line| on(self.n, metric, value, operator, line);
        let fails = |check: &Check| check.verdict == Verdict::Fail;
        let adjusted: Value = moved.ok_or_else(|| NotComputable::because("no test")).into();
        let significance = check("p_adjusted", adjusted, Operator::AtLeast, rules.alpha);
        let (metric, distance) = self.distance.clone();
        let sizes = [
            check("psi", self.psi.clone(), Operator::Less, self.psi_line),
            check(metric, distance, Operator::Less, rules.ks),
        ];
        let mut drifted = fails(&significance) && sizes.iter().any(fails);
        let mut checks = vec![significance];
        checks.extend(sizes);
        for (share, adjusted) in self.shares.iter().zip([missing, unseen]) {
            // What may be chance has not grown.
            let chance = adjusted.is_none_or(|p| p >= rules.alpha);
            let growth = if chance { share.growth.min(0.0) } else { share.growth };
            let grown = on(share.n, share.metric, growth.into(), Operator::Less, rules.share);
            drifted |= fails(&grown);
            checks.push(grown);
        }
        Judged { drifted, checks }
    }
}
