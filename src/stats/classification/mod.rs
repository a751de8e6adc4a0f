//! Scores against two classes: ranking, decisions at a threshold, losses; pure. Recall or rank of one class is not computable.

mod confusion;
mod delong;
mod expected;
mod losses;
mod ranking;

pub use confusion::{Confusion, Cut, best_f1_threshold};
pub use expected::{Expected, Foretold, ScoreBin};
pub use losses::{brier, brier_losses, log_loss, log_losses};
pub use ranking::{Ranking, average_precision, roc_auc, roc_auc_blocks, roc_auc_delong, roc_auc_interval};

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
