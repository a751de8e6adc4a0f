//! Scores against two classes: ranking, decisions at a threshold, losses; pure. Recall or rank of one class is not computable.

mod confusion;
mod delong;
mod losses;
mod ranking;

pub use confusion::{Confusion, Cut, best_f1_threshold};
pub use delong::roc_auc_delong;
pub use losses::{brier, brier_losses, log_loss, log_losses};
pub use ranking::{average_precision, roc_auc, roc_auc_blocks, roc_auc_interval};

use super::given;
use crate::types::NotComputable;

/// How many rows are of the positive and of the negative class; both must occur.
pub(super) fn both_classes(labels: &[bool]) -> Result<(f64, f64), NotComputable> {
    let positives = labels.iter().filter(|&&label| label).count();
    let negatives = labels.len() - positives;
    if positives == 0 || negatives == 0 {
        return Err(NotComputable::because(given::ONE_CLASS));
    }
    Ok((positives as f64, negatives as f64))
}

/// How many positive and negative rows share a score, for each distinct score from the largest down.
fn by_falling_score(scores: &[f64], labels: &[bool]) -> Vec<(f64, u64, u64)> {
    let mut rows: Vec<(f64, u64, u64)> =
        scores.iter().zip(labels).map(|(&score, &label)| (score, u64::from(label), u64::from(!label))).collect();
    rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    rows.dedup_by(|later, kept| {
        let tied = later.0 == kept.0;
        if tied {
            (kept.1, kept.2) = (kept.1 + later.1, kept.2 + later.2);
        }
        tied
    });
    rows
}
