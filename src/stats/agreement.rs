//! Every golden value beside ours, in one table: what agrees, by how much at worst, and what is not computed here and why; tests
//! only.

use std::collections::BTreeMap;

use serde_json::Value;

use super::golden::{self, Side};
use super::tally::Tally;
use super::{calibration, classification, distance, hypothesis};
use crate::stats::calibration::Binning;
use crate::stats::classification::Confusion;
use crate::stats::distance::Smoothing;
use crate::stats::histogram::Edges;
use crate::types::NotComputable;

/// p-values come from other expansions of the same integrals.
const OF_P_VALUES: f64 = 1e-6;
const OF_STATISTICS: f64 = 1e-9;

/// Leaves that Regent does not compute, and why.
const NOT_OFFERED: [(&str, &str); 5] = [
    ("floor1e-4", "a floor makes PSI a matter of the floor"),
    ("mwu_asymp_nocc", "without its correction for continuity the test finds too much"),
    ("ks_kolmogorov_limit_pvalue", "the limit; the asymptotic p-value is of finitely many rows"),
    ("location", "where D is taken is not told"),
    ("sign", "which side is above is not told"),
];

/// The numbers of a branch, by path.
fn leaves(value: &Value, path: &str, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| leaves(value, &format!("{path}/{key}"), into)),
        other => {
            into.insert(path.to_owned(), other.clone());
        }
    }
}

type Computed = Result<f64, NotComputable>;

fn numeric(name: &str, what: &[&str]) -> Option<Computed> {
    let (reference, current) = (golden::column(Side::Reference, name), golden::column(Side::Current, name));
    let tally = Tally::of_samples(&reference, &current).unwrap();
    let rows = 500.0;
    let mean = |xs: &[f64]| Ok(xs.iter().sum::<f64>() / xs.len() as f64);
    let edges = Edges::quantiles(&reference, 10).unwrap();
    let of = |tested: hypothesis::Tested, part: &str| match part {
        "statistic" | "U_ref" => Some(Ok(tested.statistic)),
        "U_cur" => Some(Ok((tally.n_reference() * tally.n_current()) as f64 - tested.statistic)),
        "pvalue" => Some(Ok(tested.p_value)),
        _ => None,
    };
    match what {
        ["n_ref"] => Some(Ok(reference.len() as f64)),
        ["n_cur"] => Some(Ok(current.len() as f64)),
        ["ref_null"] => Some(Ok(rows - reference.len() as f64)),
        ["cur_null"] => Some(Ok(400.0 - current.len() as f64)),
        ["mean_ref"] => Some(mean(&reference)),
        ["mean_cur"] => Some(mean(&current)),
        ["ks_exact", part] => of(hypothesis::kolmogorov_smirnov_exact(&tally).unwrap(), part),
        ["ks_auto", part] => of(hypothesis::kolmogorov_smirnov_auto(&tally), part),
        ["ks_asymp", part] => of(hypothesis::kolmogorov_smirnov(&tally), part),
        ["mwu_asymp_cc", part] => of(hypothesis::mann_whitney(&tally), part),
        ["wasserstein"] => Some(distance::wasserstein(&tally)),
        ["wasserstein_norm"] => Some(distance::wasserstein_normed(&tally)),
        ["std_ref_ddof0"] => {
            Some(distance::wasserstein(&tally).and_then(|far| Ok(far / distance::wasserstein_normed(&tally)?)))
        }
        ["quantile10", how, metric] => {
            divergence(&edges.counts(&reference).unwrap(), &edges.counts(&current).unwrap(), how, metric)
        }
        _ => None,
    }
}

fn divergence(reference: &[u64], current: &[u64], how: &str, metric: &str) -> Option<Computed> {
    let smoothing = match how {
        "plain" => Smoothing::Plain,
        "laplace0.5" => Smoothing::Laplace,
        _ => return None,
    };
    match metric {
        "psi" => Some(distance::psi(reference, current, smoothing)),
        "kl_ref_cur" => Some(distance::kl_nats(reference, current, smoothing)),
        "kl_cur_ref" => Some(distance::kl_nats(current, reference, smoothing)),
        "js_distance_base2" => Some(distance::js_distance(reference, current, smoothing)),
        "js_divergence" => {
            Some(distance::js_divergence_bits(reference, current, smoothing).map(|bits| bits * 2f64.ln()))
        }
        "js_distance" => {
            Some(distance::js_divergence_bits(reference, current, smoothing).map(|bits| (bits * 2f64.ln()).sqrt()))
        }
        _ => None,
    }
}

fn categorical(golden: &Value, name: &str, what: &[&str]) -> Option<Computed> {
    let counts = |side: &str| golden::counts(golden, &format!("/categorical/{name}/divergences/{side}_counts"));
    let (reference, current) = (counts("ref"), counts("cur"));
    let of = |tested: Result<hypothesis::Tested, NotComputable>, part: &str| match part {
        "statistic" => Some(tested.map(|tested| tested.statistic)),
        "pvalue" => Some(tested.map(|tested| tested.p_value)),
        "dof" => Some(Ok(reference.len() as f64 - 1.0)),
        _ => None,
    };
    match what {
        ["chi2_contingency", part] => of(hypothesis::chi_square(&reference, &current), part),
        ["chisquare_gof_cur_vs_ref_freq", part] => of(hypothesis::chi_square_expected(&reference, &current), part),
        ["chisquare_gof_cur_vs_ref_freq"] => of(hypothesis::chi_square_expected(&reference, &current), "statistic"),
        ["cramers_v"] => Some(hypothesis::cramers_v(&reference, &current)),
        ["divergences", how, metric] => divergence(&reference, &current, how, metric),
        _ => None,
    }
}

fn performance(side: Side, what: &[&str]) -> Option<Computed> {
    let (scores, labels) = golden::scored(side);
    let cut = Confusion::at(0.5, &scores, &labels).unwrap();
    let binning = |name: &str| match name {
        "ece10_equal_width" => Some(Binning::EqualWidth(10)),
        "ece10_quantile" => Some(Binning::EqualMass(10)),
        _ => None,
    };
    let value = |estimate: Result<crate::stats::Estimate, NotComputable>| Some(estimate.map(|found| found.value));
    match what {
        ["n"] => Some(Ok(labels.len() as f64)),
        ["positives"] => Some(Ok((cut.true_positives + cut.false_negatives) as f64)),
        ["tn"] => Some(Ok(cut.true_negatives as f64)),
        ["fp"] => Some(Ok(cut.false_positives as f64)),
        ["fn"] => Some(Ok(cut.false_negatives as f64)),
        ["tp"] => Some(Ok(cut.true_positives as f64)),
        ["accuracy"] => value(cut.accuracy()),
        ["balanced_accuracy"] => Some(cut.balanced_accuracy()),
        ["precision"] => value(cut.precision()),
        ["recall"] => value(cut.recall()),
        ["f1"] => value(cut.f1()),
        ["f1_macro"] => Some(cut.f1_macro()),
        ["mcc"] => Some(cut.mcc()),
        ["roc_auc"] => value(classification::roc_auc(&scores, &labels)),
        ["average_precision"] => Some(classification::average_precision(&scores, &labels)),
        ["log_loss"] => value(classification::log_loss(&scores, &labels)),
        ["brier"] => value(classification::brier(&scores, &labels)),
        [how, "ece"] => Some(calibration::ece(&scores, &labels, binning(how)?)),
        [how, "mce"] => Some(calibration::mce(&scores, &labels, binning(how)?)),
        _ => None,
    }
}

#[test]
fn all_golden_values_agree() {
    let golden = golden::golden();
    let mut all = BTreeMap::new();
    for branch in ["numeric", "categorical", "performance"] {
        leaves(&golden[branch], branch, &mut all);
    }
    let (mut agree, mut worst) = (0, ["none"; 2].map(|none| (none.to_owned(), 0.0)));
    for (path, expected) in &all {
        let parts: Vec<&str> = path.split('/').collect();
        let found = match parts.as_slice() {
            // Lists of edges, counts and bins are held by the tests of histograms and of calibration.
            _ if expected.is_array() || path.ends_with("/threshold") || path.contains("ddof1") => continue,
            _ if NOT_OFFERED.iter().any(|(what, _)| parts.contains(what)) => continue,
            ["numeric", name, what @ ..] => numeric(name, what),
            ["categorical", name, what @ ..] => categorical(&golden, name, what),
            ["performance", "ref", what @ ..] => performance(Side::Reference, what),
            ["performance", "cur", what @ ..] => performance(Side::Current, what),
            _ => None,
        };
        let found = found.unwrap_or_else(|| panic!("{path} is neither computed nor said not to be"));
        // What is infinite or undefined there is not computable here.
        let Some(expected) = expected.as_f64() else {
            assert!(found.is_err(), "{path}: {found:?}");
            continue;
        };
        let (group, tolerance) = if path.ends_with("pvalue") { (1, OF_P_VALUES) } else { (0, OF_STATISTICS) };
        let deviation = (found.unwrap() - expected).abs() / expected.abs().max(1e-300);
        assert!(deviation <= tolerance, "{path}: off by {deviation:e}");
        agree += 1;
        if deviation > worst[group].1 {
            worst[group] = (path.clone(), deviation);
        }
    }
    println!("{agree} golden values agree; at worst by");
    for ((path, deviation), of) in worst.iter().zip(["statistics", "p-values"]) {
        println!("  {deviation:.1e} of {of}: {path}");
    }
    for (what, why) in NOT_OFFERED {
        println!("  not offered: {what} ({why})");
    }
    assert!(agree > 150, "{agree}");
}
