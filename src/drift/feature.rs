//! One feature's counted bins against its profile's: what is measured of them; pure.

use super::FeatureDrift;
use super::judge::{Evidence, Judged, Share, either, psi_line};
use super::rules::DriftRules;
use crate::contract::{Bins, Histogram, Outside};
use crate::stats::Tally;
use crate::stats::distance::{Smoothing, js_divergence_bits, kl_nats, l_infinity, psi, wasserstein_normed};
use crate::stats::histogram::Edges;
use crate::stats::hypothesis::{
    Tested, chi_square_pooled, kolmogorov_smirnov, kolmogorov_smirnov_bound, kolmogorov_smirnov_exact,
};
use crate::types::{Measurement, NotComputable};

/// The exact test of Kolmogorov and Smirnov costs a step for every pair of rows; beyond so many the asymptotic one is as good.
const EXACT_PAIRS: u64 = 1_000_000;

/// One feature as it was counted, then and now.
pub(super) struct Gathered<'a> {
    then: &'a Histogram,
    pub(super) evidence: Evidence,
    shown: Vec<Measurement>,
}

/// Hold counts in a histogram's bins against its own; no counts at all are zero rows, never "no drift".
pub(super) fn gather<'a>(then: &'a Histogram, now: &[u64], rules: &DriftRules) -> Gathered<'a> {
    let bins = &then.bins;
    let mut now = now.to_vec();
    now.resize(bins.len(), 0);
    let n = now.iter().sum();
    let (reference, current) = (bins.inside(&then.counts), bins.inside(&now));
    let (grouped_then, grouped_now) = (bins.grouped(&reference), bins.grouped(&current));
    let smoothing = Smoothing::default();
    let rows = (grouped_then.iter().sum(), grouped_now.iter().sum());
    let (psi_line, critical) = psi_line(rows, grouped_then.len(), rules);
    let mut shown = vec![
        Measurement::new("js_bits", js_divergence_bits(&grouped_then, &grouped_now, smoothing), n),
        Measurement::new("kl_ref_cur_nats", kl_nats(&grouped_then, &grouped_now, smoothing), n),
        Measurement::new("psi_critical", critical, n),
    ];
    if bins.together() > 0 {
        shown.push(Measurement::new("rare_words_together", bins.together() as f64, n));
    }
    let shares = chi_square_pooled(&grouped_then, &grouped_now).ok();
    let (distance, p_value) = match bins {
        Bins::Numeric { edges, .. } => {
            let edges = Edges::new(edges.clone());
            let tally = edges.clone().and_then(|edges| Tally::of_counts(&edges.positions(), &reference, &current));
            let tested = tally.as_ref().map(ordered).map_err(Clone::clone);
            let bound = edges.and_then(|edges| kolmogorov_smirnov_bound(&edges, &reference, &current));
            shown.push(Measurement::new("ks_bound", bound, n));
            shown.push(Measurement::new("wasserstein_normed", tally.and_then(|tally| wasserstein_normed(&tally)), n));
            let distance = tested.clone().map(|tested| tested.statistic);
            (("ks", distance.into()), either(tested.ok(), shares))
        }
        Bins::Categorical { .. } => {
            let largest = l_infinity(&grouped_then, &grouped_now);
            (("l_infinity", largest.into()), shares.map(|tested| tested.p_value))
        }
    };
    shown.push(Measurement::new("p_value", p_value.ok_or_else(|| NotComputable::because("no test")), n));
    let evidence = Evidence {
        n,
        psi: psi(&grouped_then, &grouped_now, smoothing).into(),
        psi_line,
        distance,
        p_value,
        shares: [
            share("missing_share_growth", &[bins.outside(Outside::Missing)], &then.counts, &now),
            share("unseen_share_growth", &unseen(then), &then.counts, &now),
        ],
    };
    Gathered { then, evidence, shown }
}

impl Gathered<'_> {
    /// Its PSI, weighted by its importance; what cannot be computed weighs nothing.
    pub(super) fn weighted_psi(&self) -> f64 {
        self.then.importance * self.evidence.psi.number().unwrap_or(0.0)
    }

    pub(super) fn told(self, Judged { drifted, checks }: Judged) -> FeatureDrift {
        FeatureDrift {
            feature: self.then.name.clone(),
            importance: self.then.importance,
            drifted,
            checks,
            shown: self.shown,
        }
    }
}

/// Kolmogorov and Smirnov, exact where that is cheap.
pub(super) fn ordered(tally: &Tally) -> Tested {
    let cheap = tally.n_reference().saturating_mul(tally.n_current()) <= EXACT_PAIRS;
    let exact = cheap.then(|| kolmogorov_smirnov_exact(tally).ok()).flatten();
    exact.unwrap_or_else(|| kolmogorov_smirnov(tally))
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
    Share::of(metric, hits(reference), hits(current))
}
