//! Numbers in, numbers out; pure, knows no model words. What cannot be computed is `NotComputable`, never NaN.

/// Values with their intervals: the mean of rows, a share of rows.
mod estimate;
/// What every function asks of its input before it counts.
mod given;
/// The distribution of Kolmogorov's D of finitely many rows.
mod kolmogorov;
/// Tails and quantiles of the distributions that the tests lean on.
mod special;
/// Two samples side by side, value by value.
mod tally;

/// Uncertainty by drawing the rows again, from a seed.
pub mod bootstrap;
/// Scores against what came true, and the maps (isotonic, Platt) that bring the two together.
pub mod calibration;
/// Scores against two classes: ranking, decisions at a threshold, losses.
pub mod classification;
/// How far two sets of counts, or two samples, lie apart.
pub mod distance;
/// Bins frozen from a reference, counts in them, and the fixed bins of durations.
pub mod histogram;
/// Whether two samples can come from one source.
pub mod hypothesis;
/// Predicted numbers against true ones.
pub mod regression;
/// Bounds on a mean that hold however often one looks.
pub mod sequential;

pub use estimate::{Estimate, Interval, mean, share};
pub use tally::Tally;

#[cfg(test)]
mod agreement;
#[cfg(test)]
pub(crate) mod golden;
