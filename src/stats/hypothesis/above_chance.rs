//! Whether a classifier, tried on rows it has not seen, ranks better than chance; pure. Refuses a fold of one class.

use crate::stats::given;
use crate::stats::special::normal_two_sided;
use crate::types::NotComputable;

/// One fold: the area under the ROC curve on its held-out rows, and how many rows of either class these are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fold {
    /// The area, from 0 to 1.
    pub area: f64,
    /// Rows of the one class.
    pub reference: u64,
    /// Rows of the other.
    pub current: u64,
}

/// What the folds say together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AboveChance {
    /// The mean of the folds' areas.
    pub area: f64,
    /// Its standard deviation when the classes cannot be told apart.
    pub null_sd: f64,
    /// The chance of a mean as large or larger then; one-sided, since a classifier that ranks worse than chance found nothing.
    pub p_value: f64,
}

/// The mean area of a cross-validation against ½. Under the null an area is Mann–Whitney's U / (n·m), whose variance is
/// (n + m + 1) / (12·n·m); folds share no held-out row.
///
/// # Errors
/// No folds, a fold without rows of both classes, or an area outside [0, 1].
pub fn above_chance(folds: &[Fold]) -> Result<AboveChance, NotComputable> {
    if folds.is_empty() {
        return Err(NotComputable::because(given::NO_ROWS));
    }
    let (mut sum, mut variance) = (0.0, 0.0);
    for Fold { area, reference, current } in folds {
        if *reference == 0 || *current == 0 {
            return Err(NotComputable::because(given::ONE_CLASS));
        }
        if !(0.0..=1.0).contains(area) {
            return Err(NotComputable::because(format!("area {area} is outside 0 to 1")));
        }
        let (n, m) = (*reference as f64, *current as f64);
        sum += area;
        variance += (n + m + 1.0) / (12.0 * n * m);
    }
    let count = folds.len() as f64;
    let (area, null_sd) = (sum / count, variance.sqrt() / count);
    let z = (area - 0.5) / null_sd;
    let tail = normal_two_sided(z) / 2.0;
    Ok(AboveChance { area, null_sd, p_value: if z >= 0.0 { tail } else { 1.0 - tail } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden::assert_close;

    #[test]
    fn a_classifier_worse_than_chance_has_found_nothing() {
        let fold = |area| Fold { area, reference: 100, current: 100 };
        let better = above_chance(&[fold(0.6), fold(0.62)]).unwrap();
        // sd = sqrt(2 · 201 / 120000) / 2, scipy.stats.norm.sf(0.11 / sd)
        assert_close(better.null_sd, 0.028939592256975562, 1e-12);
        assert_close(better.p_value, 7.204e-5, 1e-3);
        assert!(above_chance(&[fold(0.4)]).unwrap().p_value > 0.99);
        assert!(above_chance(&[]).is_err() && above_chance(&[Fold { area: 0.5, reference: 0, current: 3 }]).is_err());
        assert!(above_chance(&[fold(f64::NAN)]).is_err());
    }
}
