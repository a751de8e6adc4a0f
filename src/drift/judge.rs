//! Whether features drifted, from what was measured of them; pure. The one rule for a window and for two files: a feature drifts only if
//! the change is significant and large, or if a share of missing or unseen values grew.

use super::rules::DriftRules;
use crate::stats::distance::psi_critical;
use crate::stats::hypothesis::{benjamini_hochberg, two_shares};
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
    /// The Kolmogorov–Smirnov distance, where values have an order.
    pub ks: Option<Value>,
    /// The p-value of the feature's one test.
    pub p_value: Option<f64>,
    /// Shares of cells that hold no value that was known.
    pub shares: Vec<Share>,
}

/// The share of missing or unseen values: is it larger than it was, significantly and by enough?
#[derive(Debug, Clone)]
pub(super) struct Share {
    pub metric: &'static str,
    pub growth: f64,
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
    /// Hits among rows, then and now.
    pub(super) fn of(metric: &'static str, then: (u64, u64), now: (u64, u64)) -> Share {
        let rate = |(hits, rows): (u64, u64)| hits as f64 / rows.max(1) as f64;
        Share {
            metric,
            growth: rate(now) - rate(then),
            n: now.1,
            p_value: two_shares(then, now).ok().map(|tested| tested.p_value),
        }
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

/// Judge every feature among all: p-values are adjusted over the features.
pub(super) fn judge<'a>(evidence: impl Iterator<Item = &'a Evidence> + Clone, rules: &DriftRules) -> Vec<Judged> {
    let p_values: Vec<f64> = evidence.clone().filter_map(|feature| feature.p_value).collect();
    let mut adjusted = benjamini_hochberg(&p_values).unwrap_or_default().into_iter();
    evidence
        .map(|feature| {
            let p_adjusted = feature.p_value.and_then(|_| adjusted.next());
            feature.judge(p_adjusted, rules)
        })
        .collect()
}

impl Evidence {
    /// Judge one feature whose p-value is adjusted already, or stands alone.
    pub(super) fn judge(&self, p_adjusted: Option<f64>, rules: &DriftRules) -> Judged {
        let check = |metric: &str, value: Value, operator, line| {
            Check::require(Measurement::new(metric, value, self.n), operator, line, rules.min_rows)
        };
        let significance =
            p_adjusted.map_or_else(|| Value::NotComputable(NotComputable::because("no test")), Value::from);
        let significance = check("p_adjusted", significance, Operator::AtLeast, rules.alpha);
        let mut sizes = vec![check("psi", self.psi.clone(), Operator::Less, self.psi_line)];
        sizes.extend(self.ks.clone().map(|ks| check("ks", ks, Operator::Less, rules.ks)));
        let large = sizes.iter().any(|size| size.verdict == Verdict::Fail);
        let moved = large && significance.verdict == Verdict::Fail;
        let mut checks = vec![significance];
        checks.append(&mut sizes);
        let mut grown = false;
        for share in &self.shares {
            let significant = share.p_value.is_some_and(|p| p < rules.alpha);
            let growth = if significant { share.growth } else { share.growth.min(0.0) };
            let measured = Measurement::new(share.metric, growth, share.n);
            let check = Check::require(measured, Operator::Less, rules.share, rules.min_rows);
            grown |= check.verdict == Verdict::Fail;
            checks.push(check);
        }
        Judged { drifted: moved || grown, checks }
    }
}
