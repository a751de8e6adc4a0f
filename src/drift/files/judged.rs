//! What was measured of every column, judged among the others, and what that says of the files as a whole; pure.

use std::iter;

use super::file::{Column, File};
use super::plan::Planned;
use super::{Bin, FeatureReport, FileCheck, Role, nominal, numeric};
use crate::drift::judge::{Evidence, Judged, judge};
use crate::drift::rules::DriftRules;
use crate::types::{Check, Measurement, NotComputable, Operator, Value, Verdict};

/// A column, measured and not yet judged.
pub(super) struct Measured {
    pub evidence: Evidence,
    /// How the one test was made that decides.
    pub test: String,
    /// How PSI was computed.
    pub size: String,
    /// How the distance was.
    pub distance: String,
    /// Its own p-value, if it has one.
    pub distance_p: Option<f64>,
    pub shown: Vec<FileCheck>,
    pub bins: Vec<Bin>,
}

/// Every column that both files have, the drifted first, then as in the file.
pub(super) fn features(planned: &[Planned], then: &File, now: &File, rules: &DriftRules) -> Vec<FeatureReport> {
    let rows = (then.rows, now.rows);
    let sides = then.columns.iter().zip(&now.columns);
    let measured: Vec<(&Planned, (u64, u64), Measured)> = planned
        .iter()
        .zip(sides)
        .filter_map(|(column, sides)| match sides {
            (Column::Numbers(then), Column::Numbers(now)) => {
                Some((column, (then.present, now.present), numeric::measure(then, now, rows, rules)))
            }
            (Column::Words(then), Column::Words(now)) => {
                Some((column, (then.present(), now.present()), nominal::measure(then, now, rows, rules)))
            }
            (_, _) => None,
        })
        .collect();
    let is_feature = |column: &Planned| column.role == Role::Feature;
    let counted = measured.iter().filter(|(column, ..)| is_feature(column)).map(|(.., measured)| &measured.evidence);
    // What is beside the features is a question of its own and is not adjusted for theirs.
    let mut judged = judge(counted, rules).into_iter();
    let mut features: Vec<FeatureReport> = measured
        .into_iter()
        .filter_map(|(column, present, measured)| {
            let alone = || judge(iter::once(&measured.evidence), rules).pop();
            let own = if is_feature(column) { judged.next() } else { alone() };
            own.map(|own| told(column, present, measured, own))
        })
        .collect();
    features.sort_by_key(|feature| feature.verdict != Verdict::Fail);
    features
}

fn told(column: &Planned, (n_reference, n_current): (u64, u64), measured: Measured, judged: Judged) -> FeatureReport {
    let Measured { evidence, test, size, distance, distance_p, shown, bins } = measured;
    let of = |metric: &str| judged.checks.iter().find(|check| check.measurement.metric == metric);
    let decides = ["p_adjusted", "psi"].map(|metric| of(metric).map_or(Verdict::Insufficient, |check| check.verdict));
    let verdict = match (judged.drifted, Verdict::worst(decides)) {
        (true, _) => Verdict::Fail,
        // Significant or large alone is no drift.
        (false, Verdict::Pass | Verdict::Fail) => Verdict::Pass,
        (false, undecided @ (Verdict::Insufficient | Verdict::Error)) => undecided,
    };
    let share =
        |metric: &str| evidence.shares.iter().find(|share| share.metric == metric).and_then(|share| share.p_value);
    let how = |check: Check| match check.measurement.metric.as_str() {
        "p_adjusted" => FileCheck::judged(check, format!("{test}; Benjamini–Hochberg over all tests of the features"))
            .with_p(evidence.p_value),
        "psi" => FileCheck::judged(check, &*size),
        "ks" | "l_infinity" => FileCheck::judged(check, &*distance).with_p(distance_p),
        metric => {
            let p_value = share(metric);
            FileCheck::judged(check, "two shares, pooled z; growth counts only where it is significant").with_p(p_value)
        }
    };
    let checks = judged.checks.into_iter().map(how).chain(shown).collect();
    FeatureReport {
        feature: column.name.clone(),
        role: column.role,
        kind: column.kind,
        n_reference,
        n_current,
        verdict,
        checks,
        bins,
    }
}

pub(super) fn drifted_features(features: &[FeatureReport], n: u64, rules: &DriftRules) -> FileCheck {
    let features: Vec<&FeatureReport> = features.iter().filter(|feature| feature.role == Role::Feature).collect();
    let drifted = features.iter().filter(|feature| feature.verdict == Verdict::Fail).count();
    let is_judged = features.iter().any(|feature| feature.verdict.is_judged());
    let value = match features.len() {
        0 => Value::NotComputable(NotComputable::because("no feature is in both files")),
        _ if !is_judged => Value::NotComputable(NotComputable::because("no feature has rows enough")),
        _ => Value::from(drifted as f64),
    };
    let line = rules.min_features.min(features.len() as u64) as f64;
    let check = Check::require(Measurement::new("drifted_features", value, n), Operator::Less, line, rules.min_rows);
    FileCheck::judged(check, format!("of {} features", features.len()))
}

pub(super) fn absent_columns(absent: &[&str], n: u64) -> FileCheck {
    let measured = Measurement::new("absent_columns", absent.len() as f64, n);
    let check = Check::require(measured, Operator::AtMost, 0.0, 0);
    let note = if absent.is_empty() { String::new() } else { absent.join(", ") };
    FileCheck::judged(check.with_note(note), "columns of the reference that the current file does not have")
}

/// What was named beside the features, as a check of the whole.
pub(super) fn beside(named: &FeatureReport, features: &[FeatureReport]) -> FileCheck {
    let metric = match named.role {
        Role::Target | Role::Feature => "drifted_target",
        Role::Prediction => "drifted_prediction",
        Role::Error => "drifted_error",
    };
    let value = match named.verdict {
        Verdict::Fail => Value::from(1.0),
        Verdict::Pass => Value::from(0.0),
        Verdict::Insufficient | Verdict::Error => Value::NotComputable(NotComputable::because("rows are too few")),
    };
    let n = named.n_reference.min(named.n_current);
    let mut check = Check::require(Measurement::new(metric, value, n), Operator::Less, 1.0, 0);
    let moved = |role| features.iter().any(|feature| feature.role == role && feature.verdict == Verdict::Fail);
    if check.verdict == Verdict::Fail && !moved(Role::Feature) {
        check = check.with_note("while no feature drifted: what belongs to what has changed, not what comes in");
    }
    FileCheck::judged(check, format!("the verdict of `{}`", named.feature))
}
