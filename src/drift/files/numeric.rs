//! What two numeric columns say: of the rows themselves where both are held, else of counts in bins frozen from the reference; pure.

use super::file::{Held, Numbers};
use super::judged::Measured;
use super::{Bin, FileCheck};
use crate::drift::judge::{Evidence, Share, either, psi_line};
use crate::drift::rules::DriftRules;
use crate::stats::Tally;
use crate::stats::distance::{
    Smoothing, hellinger, js_divergence_bits, kl_nats, l_infinity, psi, wasserstein, wasserstein_normed,
};
use crate::stats::histogram::{Edges, Frozen, Grouping};
use crate::stats::hypothesis::{
    EXACT_UP_TO, Tested, chi_square_pooled, kolmogorov_smirnov, kolmogorov_smirnov_bound, kolmogorov_smirnov_exact,
    mann_whitney, mann_whitney_exact,
};
use crate::types::{NotComputable, Value};

/// Groups for PSI: deciles, as its customary thresholds assume.
pub(super) const GROUPS: u32 = 10;

/// Which way each goes, in the words that go with it.
pub(super) const PSI: &str = "symmetric, Σ (q - p)·ln(q / p)";
pub(super) const KL_REF_CUR: &str = "of the reference from the current file, Σ p·ln(p / q)";
pub(super) const KL_CUR_REF: &str = "of the current file from the reference, Σ q·ln(q / p)";
pub(super) const HELLINGER: &str = "distance, symmetric, no smoothing";
pub(super) const L_INFINITY: &str = "the largest difference of a share, no smoothing";

/// A statistic of the counts of two files.
type OfCounts<'a> = &'a dyn Fn(&[u64], &[u64]) -> Result<f64, NotComputable>;

/// Both columns in the two forms that everything is computed from.
struct Sides {
    /// Rows or bins side by side, in order.
    tally: Result<Tally, NotComputable>,
    /// About ten groups of equal reference mass.
    groups: Result<Groups, NotComputable>,
    /// How much larger the rows' own distance can be; nothing where the tally is of rows.
    bound: Option<Result<f64, NotComputable>>,
    /// How the groups were made.
    grouped: String,
    /// What the tally is of, if not of rows: ` on 255 bins`.
    binned: String,
}

struct Groups {
    reference: Vec<u64>,
    current: Vec<u64>,
    names: Vec<String>,
}

/// Measure a numeric column; `rows` are those of either file, whatever their cells.
pub(super) fn measure(reference: &Numbers, current: &Numbers, rows: (u64, u64), rules: &DriftRules) -> Measured {
    let sides = match (&reference.held, &current.held) {
        (Held::Values(then), Held::Values(now)) => of_rows(then, now),
        (Held::Counts { bins, counts }, Held::Counts { counts: now, .. }) => of_counts(bins, counts, now),
        (Held::Values(_), Held::Counts { .. }) | (Held::Counts { .. }, Held::Values(_)) => {
            of_counts(&Frozen::default(), &[], &[])
        }
    };
    let n = reference.present.min(current.present);
    let smoothing = Smoothing::Laplace;
    let grouped = |of: OfCounts<'_>| {
        let groups = sides.groups.as_ref().map_err(Clone::clone)?;
        of(&groups.reference, &groups.current)
    };
    let tallied = |of: &dyn Fn(&Tally) -> Result<f64, NotComputable>| of(sides.tally.as_ref().map_err(Clone::clone)?);
    let bins = sides.groups.as_ref().map_or(1, |groups| groups.reference.len());
    let (psi_line, critical) = psi_line((reference.present, current.present), bins, rules);
    let (tested, how) = test(&sides.tally);
    let shares = [
        Share::of("missing_share_growth", (reference.missing, rows.0), (current.missing, rows.1)),
        Share::of("unseen_share_growth", (reference.unreadable, rows.0), (current.unreadable, rows.1)),
    ];
    let logs = format!("{}, natural logarithms, half a row more in each bin", sides.grouped);
    let (ranks, ranked_how) = ranked(&sides.tally);
    let from = format!("rows{}", sides.binned);
    let shared = sides.groups.as_ref().map_err(Clone::clone);
    let shared = shared.and_then(|groups| chi_square_pooled(&groups.reference, &groups.current));
    let mut shown = vec![
        FileCheck::shown(
            "chi2",
            shared.clone().map(|tested| tested.statistic),
            n,
            format!("two-sample, no continuity correction, {}, rare groups together", sides.grouped),
        )
        .with_p(shared.as_ref().ok().map(|tested| tested.p_value)),
        FileCheck::shown(
            "mann_whitney",
            ranks.clone().map(|tested| tested.statistic),
            n,
            format!("U of the reference, two-sided, {ranked_how}{}", sides.binned),
        )
        .with_p(ranks.ok().map(|tested| tested.p_value)),
        FileCheck::shown("wasserstein", tallied(&wasserstein), n, format!("in the column's unit, of {from}")),
        FileCheck::shown(
            "wasserstein_normed",
            tallied(&wasserstein_normed),
            n,
            format!("in standard deviations of the reference, of {from}"),
        ),
        FileCheck::shown("psi_critical", critical, n, format!("χ² quantile at {}, scaled by 1/n + 1/m", rules.alpha)),
    ];
    shown.extend(distances(&sides.groups, &sides.grouped, n));
    if let Some(bound) = &sides.bound {
        let method = "what the rows' own D can be above ks, from the widths of the bins";
        shown.push(FileCheck::shown("ks_bound", bound.clone(), n, method));
    }
    Measured {
        evidence: Evidence {
            n,
            psi: grouped(&|p, q| psi(p, q, smoothing)).into(),
            psi_line,
            distance: ("ks", tested.clone().map(|tested| tested.statistic).into()),
            p_value: either(tested.clone().ok(), shared.clone().ok()),
            shares,
        },
        test: format!("twice the smaller p of ks and chi2{}", sides.binned),
        distance: format!("Kolmogorov–Smirnov, {how}{}", sides.binned),
        distance_p: tested.ok().map(|tested| tested.p_value),
        size: format!("{PSI}, {logs}"),
        shown,
        bins: sides.groups.map_or_else(|_| Vec::new(), Groups::bins),
    }
}

/// How far apart the groups' shares lie, by every distance that decides nothing.
fn distances(groups: &Result<Groups, NotComputable>, on: &str, n: u64) -> [FileCheck; 5] {
    let of = |of: OfCounts<'_>| {
        let groups = groups.as_ref().map_err(Clone::clone)?;
        of(&groups.reference, &groups.current)
    };
    let smoothing = Smoothing::Laplace;
    let kl = |direction: &str| format!("{direction}, {on}, natural logarithms, half a row more in each bin");
    let js = format!("divergence, symmetric, {on}, logarithms to base 2, half a row more in each bin");
    [
        FileCheck::shown("js_bits", of(&|p, q| js_divergence_bits(p, q, smoothing)), n, js),
        FileCheck::shown("kl_ref_cur_nats", of(&|p, q| kl_nats(p, q, smoothing)), n, kl(KL_REF_CUR)),
        FileCheck::shown("kl_cur_ref_nats", of(&|p, q| kl_nats(q, p, smoothing)), n, kl(KL_CUR_REF)),
        FileCheck::shown("hellinger", of(&hellinger), n, format!("{HELLINGER}, {on}")),
        FileCheck::shown("l_infinity", of(&l_infinity), n, format!("{L_INFINITY}, {on}")),
    ]
}

/// Mann and Whitney's test, exact where SciPy's is, and which of the two it was.
fn ranked(tally: &Result<Tally, NotComputable>) -> (Result<Tested, NotComputable>, &'static str) {
    match tally {
        Ok(tally) => match mann_whitney_exact(tally) {
            Ok(exact) => (Ok(exact), "exact p"),
            Err(_) => (Ok(mann_whitney(tally)), "normal p, corrected for ties and continuity"),
        },
        Err(why) => (Err(why.clone()), "not tested"),
    }
}

fn test(tally: &Result<Tally, NotComputable>) -> (Result<Tested, NotComputable>, &'static str) {
    match tally {
        Ok(tally) if tally.n_reference().max(tally.n_current()) <= EXACT_UP_TO => {
            (kolmogorov_smirnov_exact(tally), "two-sided, exact p")
        }
        Ok(tally) => (Ok(kolmogorov_smirnov(tally)), "two-sided, asymptotic p"),
        Err(why) => (Err(why.clone()), "two-sided"),
    }
}

fn of_rows(then: &[f64], now: &[f64]) -> Sides {
    let groups = || {
        let edges = Edges::quantiles(then, GROUPS as usize)?;
        let cuts = edges.as_slice();
        let names = (0..edges.bins()).map(|bin| interval(bin.checked_sub(1).map(|below| cuts[below]), cuts.get(bin)));
        Ok(Groups { reference: edges.counts(then)?, current: edges.counts(now)?, names: names.collect() })
    };
    Sides {
        tally: Tally::of_samples(then, now),
        groups: groups(),
        bound: None,
        grouped: "on deciles of the reference".to_owned(),
        binned: String::new(),
    }
}

fn of_counts(bins: &Frozen, then: &[u64], now: &[u64]) -> Sides {
    let counted = |counts: &[u64]| counts.get(..bins.bins()).unwrap_or_default().to_vec();
    let (then, now) = (counted(then), counted(now));
    let groups = || {
        let grouping = Grouping::of(&then, GROUPS)?;
        let group_of = Vec::from(grouping.clone());
        let edges = bins.edges().as_slice();
        let names = (0..grouping.groups() as u32).map(|group| {
            let first = group_of.iter().position(|of| *of == group).unwrap_or(0);
            let last = group_of.iter().rposition(|of| *of == group).unwrap_or(0);
            interval(first.checked_sub(1).map(|below| edges[below]), edges.get(last))
        });
        let names = names.collect();
        Ok(Groups { reference: grouping.apply(&then)?, current: grouping.apply(&now)?, names })
    };
    Sides {
        tally: Tally::of_counts(&bins.edges().positions(), &then, &now),
        groups: groups(),
        bound: Some(kolmogorov_smirnov_bound(bins.edges(), &then, &now)),
        grouped: "on about ten groups of bins that hold equal shares of the reference".to_owned(),
        binned: format!(" on {} bins frozen from the reference", bins.bins()),
    }
}

/// `above 1 to 2.5`, `to 1`, `above 2.5`.
fn interval(above: Option<f64>, to: Option<&f64>) -> String {
    let short = |edge: f64| Value::from(edge).to_string();
    match (above, to) {
        (None, None) => "all".to_owned(),
        (None, Some(to)) => format!("to {}", short(*to)),
        (Some(above), None) => format!("above {}", short(above)),
        (Some(above), Some(to)) => format!("above {} to {}", short(above), short(*to)),
    }
}

impl Groups {
    fn bins(self) -> Vec<Bin> {
        let counts = self.reference.into_iter().zip(self.current);
        self.names.into_iter().zip(counts).map(|(bin, (reference, current))| Bin { bin, reference, current }).collect()
    }
}
