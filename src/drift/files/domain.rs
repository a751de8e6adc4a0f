//! Can a classifier tell the rows of two files apart? Pure but for LightGBM, from a seed. The only check that sees a changed
//! correlation with equal marginals.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::file::{Column, File};
use super::plan::Planned;
use super::{FileCheck, Importance, Kind, Role};
use crate::drift::rules::DriftRules;
use crate::ingest::blocks::MISSING;
use crate::scoring::Forest;
use crate::stats::classification::roc_auc;
use crate::stats::hypothesis::{Fold, above_chance};
use crate::train::lightgbm::{self, Fit, Objective, Settings};
use crate::types::{Check, Measurement, NotComputable, Operator, Value, Verdict};

/// Parts of the cross-validation.
const FOLDS: usize = 5;
/// Fewer and faster trees than a model that serves: what it takes to see a difference, not to describe it.
const SETTINGS: Settings = Settings { rounds: 60, learning_rate: 0.1, ..Settings::BOOSTED };
/// Words that the classifier tells apart; all others are one, and a missing one is another.
const WORDS: usize = 50;
/// Stand for a missing and for an unreadable number: beyond all others, so that one split finds them.
const GAPS: (f64, f64) = (-1e300, 1e300);
/// The generator's stream; any constant serves.
const STREAM: u128 = 0x7f3c_a815_0e92_d46b_3a5d_81e4_c70f_29b6;

/// Rows of both files as the classifier sees them.
struct Rows {
    values: Vec<f64>,
    width: usize,
    /// How many come first, from the reference.
    reference: usize,
    rows: usize,
}

/// The check, and the features that tell the files apart, the most telling first.
pub(super) fn tell_apart(
    (then, now): (&File, &File),
    planned: &[Planned],
    rules: &DriftRules,
    seed: u64,
) -> (FileCheck, Vec<Importance>) {
    let features: Vec<usize> = (0..planned.len())
        .filter(|place| {
            planned[*place].role == Role::Feature
                && !matches!(then.columns.get(*place), Some(Column::Absent) | None)
                && !matches!(now.columns.get(*place), Some(Column::Absent) | None)
        })
        .collect();
    let rows = rows((then, now), planned, &features);
    let n = rows.reference.min(rows.rows - rows.reference) as u64;
    // An area of ½ + ks/2 is a Gini coefficient of ks: the line at which one row in so many stands elsewhere.
    let line = 0.5 + rules.ks / 2.0;
    let method = format!("mean area of {FOLDS} folds, LightGBM on {} rows, p one-sided", rows.rows);
    let found = if n < rules.min_rows || features.is_empty() {
        Err(NotComputable::because("too few rows or no features"))
    } else {
        let nominal: Vec<usize> =
            (0..features.len()).filter(|place| planned[features[*place]].kind == Kind::Nominal).collect();
        cross_validated(&rows, &nominal, seed)
    };
    let (folds, gains) = match found {
        Ok(found) => found,
        Err(why) => {
            let measured = Measurement::new("domain_auc", Value::NotComputable(why), n);
            return (
                FileCheck::judged(Check::require(measured, Operator::Less, line, rules.min_rows), method),
                Vec::new(),
            );
        }
    };
    let told = above_chance(&folds);
    let area = told.as_ref().map(|told| told.area).map_err(Clone::clone);
    let measured = Measurement::new("domain_auc", area, n);
    let mut check = Check::require(measured, Operator::Less, line, rules.min_rows);
    // Large and significant, as for a feature.
    if check.verdict == Verdict::Fail && told.as_ref().is_ok_and(|told| told.p_value >= rules.alpha) {
        check.verdict = Verdict::Pass;
        check.note = "not significant".to_owned();
    }
    let sd = told.as_ref().map_or(f64::NAN, |told| told.null_sd);
    let check = FileCheck::judged(check, format!("{method}, null sd {}", Value::from(sd)));
    let check = check.with_p(told.ok().map(|told| told.p_value));
    let total: f64 = gains.iter().sum();
    let mut importances: Vec<Importance> = features
        .iter()
        .zip(gains)
        .filter(|(_, gain)| *gain > 0.0 && total.is_finite())
        .map(|(place, gain)| Importance { feature: planned[*place].name.clone(), share: gain / total })
        .collect();
    importances.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.feature.cmp(&b.feature)));
    (check, importances)
}

fn rows((then, now): (&File, &File), planned: &[Planned], features: &[usize]) -> Rows {
    let most_frequent: Vec<Vec<usize>> = features.iter().map(|place| frequent(then.columns.get(*place))).collect();
    let mut values = Vec::new();
    for file in [then, now] {
        for row in file.sample.values.chunks_exact(file.sample.width.max(1)) {
            for (place, frequent) in features.iter().zip(&most_frequent) {
                let value = row.get(*place).copied().unwrap_or(f64::NAN);
                values.push(match planned[*place].kind {
                    Kind::Numeric if value.is_nan() => GAPS.0,
                    Kind::Numeric => value.clamp(GAPS.0, GAPS.1),
                    Kind::Nominal if value == f64::from(MISSING) => WORDS as f64 + 1.0,
                    Kind::Nominal => frequent
                        .iter()
                        .position(|code| *code as f64 == value)
                        .map_or(WORDS as f64, |place| place as f64),
                });
            }
        }
    }
    let (reference, current) = (then.sample.rows(), now.sample.rows());
    Rows { values, width: features.len(), reference, rows: reference + current }
}

fn frequent(column: Option<&Column>) -> Vec<usize> {
    let Some(Column::Words(counts)) = column else { return Vec::new() };
    let mut codes: Vec<usize> = counts.words.iter().map(|(code, _)| code).collect();
    codes.sort_by_key(|code| std::cmp::Reverse(counts.count(*code)));
    codes.truncate(WORDS);
    codes
}

/// The folds' areas, and the gain of each feature in all of them.
fn cross_validated(rows: &Rows, nominal: &[usize], seed: u64) -> Result<(Vec<Fold>, Vec<f64>), NotComputable> {
    let names: Vec<String> = (0..rows.width).map(|place| format!("f{place}")).collect();
    let fold_of = deal(rows, seed);
    let mut gains = vec![0.0; rows.width];
    let mut folds = Vec::with_capacity(FOLDS);
    for fold in 0..FOLDS {
        let (mut features, mut labels) = (Vec::new(), Vec::new());
        for (row, _) in fold_of.iter().enumerate().filter(|(_, of)| **of != fold) {
            features.extend_from_slice(rows.row(row));
            labels.push(if row < rows.reference { 0.0 } else { 1.0 });
        }
        let fit = Fit {
            features: &features,
            names: &names,
            categorical: nominal,
            labels: &labels,
            objective: Objective::Binary,
            settings: &SETTINGS,
            seed,
        };
        let failed = |why: &dyn std::fmt::Display| NotComputable::because(why.to_string());
        let text = lightgbm::fit(&fit).map_err(|error| failed(&error))?;
        let forest = Forest::parse(&text).map_err(|error| failed(&error))?;
        gains.iter_mut().zip(forest.importance()).for_each(|(sum, gain)| *sum += gain);
        let held: Vec<usize> = (0..rows.rows).filter(|row| fold_of[*row] == fold).collect();
        let scores = forest.raw_all(&held.iter().map(|row| rows.row(*row)).collect::<Vec<_>>());
        let is_current: Vec<bool> = held.iter().map(|row| *row >= rows.reference).collect();
        let current = is_current.iter().filter(|is| **is).count() as u64;
        let area = roc_auc(&scores, &is_current)?.value;
        folds.push(Fold { area, reference: held.len() as u64 - current, current });
    }
    Ok((folds, gains))
}

/// A fold for each row, equally many of either file in each.
fn deal(rows: &Rows, seed: u64) -> Vec<usize> {
    let mut generator = Pcg64::new(u128::from(seed), STREAM);
    let mut folds = vec![0; rows.rows];
    for class in [0..rows.reference, rows.reference..rows.rows] {
        let mut order: Vec<usize> = class.collect();
        for last in (1..order.len()).rev() {
            let place = (u128::from(generator.next_u64()) * (last as u128 + 1)) >> 64;
            order.swap(last, place as usize);
        }
        order.into_iter().enumerate().for_each(|(place, row)| folds[row] = place % FOLDS);
    }
    folds
}

impl Rows {
    fn row(&self, row: usize) -> &[f64] {
        self.values.get(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }
}
