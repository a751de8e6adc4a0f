//! What every function of `stats` asks of its input; pure. Refuses no rows, uneven lengths and numbers that are not finite.

use crate::types::NotComputable;

/// There is nothing to compute on.
pub(super) const NO_ROWS: &str = "no rows";
/// Ranking and recall need rows of both classes.
pub(super) const ONE_CLASS: &str = "one class only";

/// At least one number, all finite.
pub(super) fn numbers(xs: &[f64]) -> Result<(), NotComputable> {
    if xs.is_empty() {
        return Err(NotComputable::because(NO_ROWS));
    }
    if !xs.iter().all(|x| x.is_finite()) {
        return Err(NotComputable::because("a value is not a finite number"));
    }
    Ok(())
}

/// At least one number, all finite, each with its partner.
pub(super) fn paired<T>(xs: &[f64], partners: &[T]) -> Result<(), NotComputable> {
    same_length(xs, partners)?;
    numbers(xs)
}

/// As many of one as of the other.
pub(super) fn same_length<A, B>(left: &[A], right: &[B]) -> Result<(), NotComputable> {
    if left.len() != right.len() {
        let reason = format!("lengths differ: {} and {}", left.len(), right.len());
        return Err(NotComputable::because(reason));
    }
    Ok(())
}

/// Counts of the same bins on both sides, neither side empty; returns both totals.
pub(super) fn counts(reference: &[u64], current: &[u64]) -> Result<(f64, f64), NotComputable> {
    same_length(reference, current)?;
    let totals = (total(reference), total(current));
    if totals.0 == 0.0 || totals.1 == 0.0 {
        return Err(NotComputable::because(NO_ROWS));
    }
    Ok(totals)
}

/// How many rows the counts stand for.
pub(super) fn total(counts: &[u64]) -> f64 {
    counts.iter().map(|&count| count as f64).sum()
}

/// A result, unless the arithmetic has left the finite numbers.
pub(super) fn finite(value: f64) -> Result<f64, NotComputable> {
    if value.is_finite() { Ok(value) } else { Err(NotComputable::because("not a finite number")) }
}
