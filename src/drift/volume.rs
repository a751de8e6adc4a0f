//! What a window says before any value is looked at: how many requests came, and how many were refused; pure.

use super::rules::DriftRules;
use crate::snapshot::Snapshot;
use crate::types::{Check, Measurement, NotComputable, Operator};

/// How many earlier windows the usual volume is the median of.
pub const VOLUME_WINDOWS: usize = 14;
/// The median of fewer windows is one day's chance, and the first one is often cut short.
const USUAL_WINDOWS: usize = 3;

/// Requests against what is usual; few against few says nothing, however many times more or less it is.
pub(super) fn volume(recent: &[u64], requests: u64, rules: &DriftRules) -> Check {
    let mut sorted = recent.to_vec();
    sorted.sort_unstable();
    let usual = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
    let ratio = match usual {
        _ if recent.len() < USUAL_WINDOWS => Err(NotComputable::because("fewer than 3 earlier windows")),
        0 => Err(NotComputable::because("no usual traffic")),
        usual => Ok(requests as f64 / usual as f64),
    };
    // Twice as much and half as much are equally unusual.
    let distance = ratio.map(|ratio| if ratio > 1.0 { 1.0 / ratio } else { ratio });
    let n = usual.max(requests);
    Check::require(Measurement::new("volume_ratio", distance, n), Operator::AtLeast, rules.volume, rules.min_rows)
}

/// Refused requests as a share of all.
pub(super) fn invalid(snapshot: &Snapshot, rules: &DriftRules) -> Check {
    let counts = &snapshot.counts;
    let share = if counts.counted == 0 {
        Err(NotComputable::because("no requests"))
    } else {
        Ok((counts.counted - counts.valid) as f64 / counts.counted as f64)
    };
    let measured = Measurement::new("invalid_share", share, counts.counted);
    Check::require(measured, Operator::AtMost, rules.invalid, rules.min_rows)
}
