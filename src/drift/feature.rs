//! One feature's bins against its profile's; pure. It has drifted only if the change is significant and large.

use super::FeatureDrift;
use super::rules::DriftRules;
use crate::contract::{Bins, Histogram, Outside};
use crate::stats::Tally;
use crate::stats::distance::{
    Smoothing, js_divergence_bits, kl_nats, l_infinity, psi, psi_critical, wasserstein_normed,
};
use crate::stats::histogram::Edges;
use crate::stats::hypothesis::{
    Tested, benjamini_hochberg, chi_square_pooled, kolmogorov_smirnov, kolmogorov_smirnov_bin_error,
    kolmogorov_smirnov_exact, two_shares,
};
use crate::types::{Check, Measurement, NotComputable, Operator, Value, Verdict};

/// The exact test of Kolmogorov and Smirnov costs a step for every pair of rows; beyond so many the asymptotic one is as good.
const EXACT_PAIRS: u64 = 1_000_000;

/// What there is to say of one feature before it is judged among the others.
pub(super) struct Evidence<'a> {
    then: &'a Histogram,
    n: u64,
    moved: Option<f64>,
    sizes: Vec<Size>,
    shares: [Share; 2],
    shown: Vec<Measurement>,
}

/// How large a change is, and from where on it is large.
struct Size {
    metric: &'static str,
    value: Value,
    line: f64,
}

/// The share of missing or of unseen values: is it larger than it was, significantly and by enough?
struct Share {
    metric: &'static str,
    growth: f64,
    p_value: Option<f64>,
}

impl<'a> Evidence<'a> {
    /// Hold counts in a histogram's bins against its own; no counts at all are zero rows.
    pub(super) fn gather(then: &'a Histogram, now: &[u64], rules: &DriftRules) -> Evidence<'a> {
        let bins = &then.bins;
        // A version that saw nothing has no counts: zero rows, never "no drift".
        let mut now = now.to_vec();
        now.resize(bins.len(), 0);
        let n = now.iter().sum();
        let (reference, current) = (bins.inside(&then.counts), bins.inside(&now));
        let (grouped_then, grouped_now) = (bins.grouped(&reference), bins.grouped(&current));
        let smoothing = Smoothing::default();
        let critical =
            psi_critical(grouped_then.iter().sum(), grouped_now.iter().sum(), grouped_then.len(), rules.alpha);
        let divergence = psi(&grouped_then, &grouped_now, smoothing);
        let line = critical.clone().unwrap_or(rules.psi).max(rules.psi);
        let mut sizes = vec![Size { metric: "psi", value: divergence.into(), line }];
        let mut shown = vec![
            Measurement::new("js_bits", js_divergence_bits(&grouped_then, &grouped_now, smoothing), n),
            Measurement::new("kl_ref_cur_nats", kl_nats(&grouped_then, &grouped_now, smoothing), n),
            Measurement::new("psi_critical", critical, n),
        ];
        let shares = chi_square_pooled(&grouped_then, &grouped_now).ok();
        let moved = match bins {
            Bins::Numeric { edges, .. } => {
                let tally = Edges::new(edges.clone())
                    .and_then(|edges| Tally::of_counts(&edges.positions(), &reference, &current));
                let order = tally.as_ref().map(ordered).map_err(Clone::clone);
                let distance = order.clone().map(|tested| tested.statistic);
                sizes.push(Size { metric: "ks", value: distance.into(), line: rules.ks });
                let error = kolmogorov_smirnov_bin_error(&reference, &current);
                shown.push(Measurement::new("ks_bin_error", error, n));
                let normed = tally.as_ref().map_err(Clone::clone).and_then(wasserstein_normed);
                shown.push(Measurement::new("wasserstein_normed", normed, n));
                either(order.ok(), shares)
            }
            Bins::Categorical { .. } => {
                let largest = l_infinity(&grouped_then, &grouped_now);
                sizes.push(Size { metric: "l_infinity", value: largest.into(), line: rules.ks });
                shares.map(|tested| tested.p_value)
            }
        };
        let shares = [
            share("missing_share_growth", &[bins.outside(Outside::Missing)], &then.counts, &now),
            share("unseen_share_growth", &unseen(then), &then.counts, &now),
        ];
        let p_value = moved.ok_or_else(no_test);
        shown.push(Measurement::new("p_value", p_value, n));
        Evidence { then, n, moved, sizes, shares, shown }
    }

    /// Its PSI, weighted by its importance; what cannot be computed weighs nothing.
    pub(super) fn weighted_psi(&self) -> f64 {
        let psi = self.sizes.iter().find(|size| size.metric == "psi").and_then(|size| size.value.number());
        self.then.importance * psi.unwrap_or(0.0)
    }

    /// The p-values of its three tests: of the values, of the missing and of the unseen ones.
    fn p_values(&self) -> [Option<f64>; 3] {
        let [missing, unseen] = &self.shares;
        [self.moved, missing.p_value, unseen.p_value]
    }

    fn judge(self, [moved, missing, unseen]: [Option<f64>; 3], rules: &DriftRules) -> FeatureDrift {
        let check = |metric: &str, value: Value, operator, line| {
            Check::require(Measurement::new(metric, value, self.n), operator, line, rules.min_rows)
        };
        let adjusted: Value = moved.ok_or_else(no_test).into();
        let significance = check("p_adjusted", adjusted, Operator::AtLeast, rules.alpha);
        let significant = significance.verdict == Verdict::Fail;
        let mut checks = vec![significance];
        checks.extend(self.sizes.into_iter().map(|size| check(size.metric, size.value, Operator::Less, size.line)));
        let mut drifted = significant && checks[1..].iter().any(|size| size.verdict == Verdict::Fail);
        for (share, adjusted) in self.shares.into_iter().zip([missing, unseen]) {
            // What may be chance has not grown.
            let chance = adjusted.is_none_or(|p| p >= rules.alpha);
            let growth = if chance { share.growth.min(0.0) } else { share.growth };
            let grown = check(share.metric, growth.into(), Operator::Less, rules.share);
            drifted |= grown.verdict == Verdict::Fail;
            checks.push(grown);
        }
        FeatureDrift {
            feature: self.then.name.clone(),
            importance: self.then.importance,
            drifted,
            checks,
            shown: self.shown,
        }
    }
}

/// Judge features among each other: Benjamini and Hochberg's adjustment is over all tests of all of them.
pub(super) fn judge(evidence: Vec<Evidence<'_>>, rules: &DriftRules) -> Vec<FeatureDrift> {
    let p_values: Vec<f64> = evidence.iter().flat_map(Evidence::p_values).flatten().collect();
    let mut adjusted = benjamini_hochberg(&p_values).unwrap_or_default().into_iter();
    let judged = evidence.into_iter().map(|feature| {
        let own = feature.p_values().map(|p| p.and_then(|_| adjusted.next()));
        feature.judge(own, rules)
    });
    judged.collect()
}

fn no_test() -> NotComputable {
    NotComputable::because("no test")
}

/// Kolmogorov and Smirnov, exact where that is cheap.
fn ordered(tally: &Tally) -> Tested {
    let cheap = tally.n_reference().saturating_mul(tally.n_current()) <= EXACT_PAIRS;
    let exact = cheap.then(|| kolmogorov_smirnov_exact(tally).ok()).flatten();
    exact.unwrap_or_else(|| kolmogorov_smirnov(tally))
}

/// The smaller p-value of two tests of one question, twofold because there were two (Bonferroni): order sees a mean that
/// moved, shares a spread that did.
fn either(order: Option<Tested>, shares: Option<Tested>) -> Option<f64> {
    match (order, shares) {
        (Some(order), Some(shares)) => Some((2.0 * order.p_value.min(shares.p_value)).min(1.0)),
        (one, other) => one.or(other).map(|tested| tested.p_value),
    }
}

/// Where values fall that the reference never had: outside the table, and words of it that did not occur.
fn unseen(then: &Histogram) -> Vec<usize> {
    let mut places = vec![then.bins.outside(Outside::Unseen)];
    if let Bins::Categorical { values, .. } = &then.bins {
        places.extend((0..values.len()).filter(|place| then.counts.get(*place) == Some(&0)));
    }
    places
}

fn share(metric: &'static str, places: &[usize], reference: &[u64], current: &[u64]) -> Share {
    let hits = |counts: &[u64]| {
        let hits: u64 = places.iter().filter_map(|place| counts.get(*place)).sum();
        (hits, counts.iter().sum::<u64>())
    };
    let (then, now) = (hits(reference), hits(current));
    let rate = |(hits, rows): (u64, u64)| hits as f64 / rows.max(1) as f64;
    // Where neither side has any there is nothing to test, and nothing to adjust the other tests for.
    let tested = if then.0 + now.0 > 0 { two_shares(then, now).ok() } else { None };
    Share { metric, growth: rate(now) - rate(then), p_value: tested.map(|tested| tested.p_value) }
}
