//! Scores against what came true: reliability, calibration error, and fits of the two maps; pure.

mod isotonic;
mod platt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use isotonic::isotonic;
pub use platt::platt;

use super::classification::Ranking;
use super::given;
use crate::types::NotComputable;

/// How scores are put into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binning {
    /// So many bins of about as many rows each; ties make fewer.
    EqualMass(usize),
    /// So many bins of the same width over [0, 1].
    EqualWidth(usize),
}

/// One bin of a reliability table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReliabilityBin {
    /// How many rows, at least one.
    pub count: u64,
    /// Their mean score.
    pub mean_score: f64,
    /// The share of them that is positive.
    pub event_rate: f64,
}

/// Mean score and event rate per bin, from the lowest scores up; bins without rows are left out.
///
/// # Errors
/// No rows, lengths that differ, or a score that is not finite.
pub fn reliability(scores: &[f64], labels: &[bool], binning: Binning) -> Result<Vec<ReliabilityBin>, NotComputable> {
    Ranking::of(scores, labels)?.reliability(binning)
}

/// [`Ranking::ece`] of rows that nothing else is asked of.
///
/// # Errors
/// No rows, lengths that differ, or a score that is not finite.
pub fn ece(scores: &[f64], labels: &[bool], binning: Binning) -> Result<f64, NotComputable> {
    weighted_gap(&reliability(scores, labels, binning)?)
}

/// The mean of |mean score - event rate| over the bins, weighted by their rows.
pub(super) fn weighted_gap(bins: &[ReliabilityBin]) -> Result<f64, NotComputable> {
    let weighted = bins.iter().map(|bin| bin.count as f64 * (bin.mean_score - bin.event_rate).abs());
    let rows: u64 = bins.iter().map(|bin| bin.count).sum();
    given::finite(weighted.sum::<f64>() / rows as f64)
}

/// Maximum calibration error: the largest |mean score - event rate| of any bin, from 0 to 1. One bin of few rows makes it.
///
/// # Errors
/// No rows, lengths that differ, or a score that is not finite.
pub fn mce(scores: &[f64], labels: &[bool], binning: Binning) -> Result<f64, NotComputable> {
    let gaps = reliability(scores, labels, binning)?;
    Ok(gaps.iter().map(|bin| (bin.mean_score - bin.event_rate).abs()).fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden::{self, Side, assert_close};

    #[test]
    fn calibration_error_agrees_with_the_golden_values() {
        let golden = golden::golden();
        for (side, name) in [(Side::Reference, "ref"), (Side::Current, "cur")] {
            let (scores, labels) = golden::scored(side);
            for (how, binning) in [("equal_width", Binning::EqualWidth(10)), ("quantile", Binning::EqualMass(10))] {
                let at = format!("/performance/{name}/ece10_{how}");
                let expected = golden::number(&golden, &format!("{at}/ece"));
                assert_close(ece(&scores, &labels, binning).unwrap(), expected, 1e-9);
                let expected = golden::number(&golden, &format!("{at}/mce"));
                assert_close(mce(&scores, &labels, binning).unwrap(), expected, 1e-9);
                let table = golden.pointer(&at).unwrap()["bins_[index,count,mean_score,event_rate]"].clone();
                let table: Vec<[f64; 4]> = serde_json::from_value(table).unwrap();
                let bins = reliability(&scores, &labels, binning).unwrap();
                assert_eq!(bins.len(), table.len());
                for (bin, [_, count, mean_score, event_rate]) in bins.iter().zip(table) {
                    assert_eq!(bin.count as f64, count);
                    assert_close(bin.mean_score, mean_score, 1e-9);
                    assert_close(bin.event_rate, event_rate, 1e-9);
                }
            }
        }
    }

    #[test]
    fn no_rows_have_no_calibration() {
        assert_eq!(ece(&[], &[], Binning::EqualMass(10)), Err(NotComputable::because("no rows")));
    }
}
