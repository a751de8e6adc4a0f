//! What two nominal columns say: the reference's most frequent words, the others together, and what the reference never had; pure.

use super::file::Counts;
use super::judged::Measured;
use super::numeric::{HELLINGER, KL_CUR_REF, KL_REF_CUR, L_INFINITY, PSI};
use super::{Bin, FileCheck};
use crate::drift::judge::{Evidence, Share, psi_line};
use crate::drift::rules::DriftRules;
use crate::stats::distance::{Smoothing, hellinger, js_divergence_bits, kl_nats, l_infinity, psi};
use crate::stats::hypothesis::{Tested, chi_square_pooled, cramers_v};
use crate::types::Value;

/// Words that are told apart: more are no picture, and χ² wants some rows in each.
pub(super) const MOST: usize = 50;
/// How much of a word is shown.
const LONGEST: usize = 40;

/// Counts of both files in the same bins.
struct Sides {
    names: Vec<String>,
    reference: Vec<u64>,
    current: Vec<u64>,
    /// Values that the reference never had.
    unseen: u64,
    /// Words of the reference that are counted together.
    together: usize,
}

/// Measure a nominal column; `rows` are those of either file, whatever their cells.
pub(super) fn measure(reference: &Counts, current: &Counts, rows: (u64, u64), rules: &DriftRules) -> Measured {
    let Sides { names, reference: then, current: now, unseen, together } = sides(reference, current);
    let n = reference.present().min(current.present());
    let smoothing = Smoothing::Laplace;
    let (psi_line, critical) = psi_line((reference.present(), current.present()), then.len(), rules);
    let tested = chi_square_pooled(&then, &now);
    let bins = match together {
        0 => format!("on {} categories, unseen values one of their own", then.len()),
        together => format!(
            "on the {MOST} most frequent categories, {together} others together, unseen values one of their own"
        ),
    };
    let logs = format!("{bins}, natural logarithms, half a row more in each");
    let bits = format!("{bins}, logarithms to base 2, half a row more in each");
    let shown = vec![
        FileCheck::shown(
            "chi2",
            tested.clone().map(|tested| tested.statistic),
            n,
            format!("two-sample, no continuity correction, {bins}, rare ones together"),
        )
        .with_p(tested.as_ref().ok().map(|tested| tested.p_value)),
        FileCheck::shown("cramers_v", cramers_v(&then, &now), n, format!("√(χ² / rows), {bins}")),
        FileCheck::shown(
            "js_bits",
            js_divergence_bits(&then, &now, smoothing),
            n,
            format!("divergence, symmetric, {bits}"),
        ),
        FileCheck::shown("kl_ref_cur_nats", kl_nats(&then, &now, smoothing), n, format!("{KL_REF_CUR}, {logs}")),
        FileCheck::shown("kl_cur_ref_nats", kl_nats(&now, &then, smoothing), n, format!("{KL_CUR_REF}, {logs}")),
        FileCheck::shown("hellinger", hellinger(&then, &now), n, format!("{HELLINGER}, {bins}")),
        FileCheck::shown("psi_critical", critical, n, format!("χ² quantile at {}, scaled by 1/n + 1/m", rules.alpha)),
    ];
    Measured {
        evidence: Evidence {
            n,
            psi: Value::from(psi(&then, &now, smoothing)),
            psi_line,
            distance: ("l_infinity", l_infinity(&then, &now).into()),
            p_value: tested.ok().map(|Tested { p_value, .. }| p_value),
            shares: [
                Share::of("missing_share_growth", (reference.missing(), rows.0), (current.missing(), rows.1)),
                Share::of("unseen_share_growth", (0, rows.0), (unseen, rows.1)),
            ],
        },
        test: format!("χ² two-sample, {bins}, rare ones together"),
        distance: format!("{L_INFINITY}, {bins}"),
        distance_p: None,
        size: format!("{PSI}, {logs}"),
        shown,
        bins: named(names, &then, &now),
    }
}

fn sides(reference: &Counts, current: &Counts) -> Sides {
    // The current file's table begins with the reference's, so a word has one code in both.
    let mut known: Vec<(usize, &str)> = reference.words.iter().filter(|(code, _)| reference.count(*code) > 0).collect();
    known.sort_by(|a, b| reference.count(b.0).cmp(&reference.count(a.0)).then(a.1.cmp(b.1)));
    let (told, rest) = known.split_at(known.len().min(MOST));
    let sum = |counts: &Counts, of: &[(usize, &str)]| of.iter().map(|(code, _)| counts.count(*code)).sum::<u64>();
    let overflowed = reference.other() > 0;
    let mut names: Vec<String> = told.iter().map(|(_, word)| shortened(word)).collect();
    let mut then: Vec<u64> = told.iter().map(|(code, _)| reference.count(*code)).collect();
    let mut now: Vec<u64> = told.iter().map(|(code, _)| current.count(*code)).collect();
    // A word that came when the reference's table was full may be one that the reference had.
    let beyond = if overflowed { current.other() } else { 0 };
    let other = (sum(reference, rest) + reference.other(), sum(current, rest) + beyond);
    let unseen = current.present() - now.iter().sum::<u64>() - other.1;
    if !rest.is_empty() || overflowed {
        names.push("(other)".to_owned());
        then.push(other.0);
        now.push(other.1);
    }
    if unseen > 0 {
        names.push("(unseen)".to_owned());
        then.push(0);
        now.push(unseen);
    }
    Sides { names, reference: then, current: now, unseen, together: rest.len() + usize::from(overflowed) }
}

fn shortened(word: &str) -> String {
    let cut: String = word.chars().take(LONGEST).collect();
    if cut.len() < word.len() { cut + "…" } else { cut }
}

fn named(names: Vec<String>, then: &[u64], now: &[u64]) -> Vec<Bin> {
    let counts = then.iter().zip(now);
    names.into_iter().zip(counts).map(|(bin, (&reference, &current))| Bin { bin, reference, current }).collect()
}
