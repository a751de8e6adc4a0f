//! Rows cut by time, never shuffled: fit on the oldest, calibrate on the next, report on the newest; pure.

use std::ops::Range;

use super::TrainError;
use super::plan::Path;
use super::rules::{Part, TrainRules};

/// The parts of a look-back, as ranges of rows in the order of time; each begins where the one before ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Families are fitted here.
    pub fit: Range<usize>,
    /// The best family, its calibration and its threshold are chosen here; then it is fitted once more with these rows too.
    pub calibrate: Range<usize>,
    /// The finished model is measured here. Every row is newer than any it was fitted on.
    pub report: Range<usize>,
}

impl Split {
    /// Cut the newest `look_back` rows. `order` rises (or stays) from row to row.
    ///
    /// # Errors
    /// `TooFewRows` when what is left to fit on is less than the other parts' least.
    pub fn of(order: &[i64], look_back: usize, path: Path, rules: &TrainRules) -> Result<Split, TrainError> {
        let (report, calibrate) = match path {
            Path::Baseline | Path::MonitorOnly => (rules.baseline.report, rules.baseline.calibrate),
            Path::Candidate => (rules.report, rules.calibrate),
        };
        let rows = order.len();
        let first = rows.saturating_sub(look_back);
        let report_from = newest(order, rows_of(report, rows - first));
        let calibrate_from = report_from.saturating_sub(rows_of(calibrate, rows - first));
        let least = rows_of(calibrate, 0) + rows_of(report, 0);
        if calibrate_from < first + least {
            let needs = 2 * least as u64;
            return Err(TrainError::TooFewRows { has: (rows - first) as u64, needs: needs.max(rules.min_rows) });
        }
        Ok(Split { fit: first..calibrate_from, calibrate: calibrate_from..report_from, report: report_from..rows })
    }

    /// All rows that the finished model is fitted on.
    pub fn learn(&self) -> Range<usize> {
        self.fit.start..self.calibrate.end
    }

    /// All rows of the look-back.
    pub fn all(&self) -> Range<usize> {
        self.fit.start..self.report.end
    }
}

/// How many rows a part has of so many.
pub fn rows_of(part: Part, rows: usize) -> usize {
    usize::try_from(part.of(rows as u64)).unwrap_or(usize::MAX)
}

/// Where the newest `wanted` rows begin, and a little earlier if rows of the same time would be torn apart: nothing held out
/// may be as old as something learned.
pub fn newest(order: &[i64], wanted: usize) -> usize {
    match order.get(order.len().saturating_sub(wanted)) {
        Some(at) => order.partition_point(|earlier| earlier < at),
        None => order.len(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_look_back_is_cut_in_three() {
        let order: Vec<i64> = (0..1_000).collect();
        let split = Split::of(&order, 250, Path::Candidate, &TrainRules::DEFAULTS).unwrap();
        assert_eq!(split, Split { fit: 750..900, calibrate: 900..950, report: 950..1_000 });
        assert_eq!((split.learn(), split.all()), (750..950, 750..1_000));
    }

    #[test]
    fn too_few_rows_say_how_many_are_needed() {
        let order: Vec<i64> = (0..150).collect();
        let error = Split::of(&order, 150, Path::Baseline, &TrainRules::DEFAULTS).unwrap_err();
        assert!(matches!(error, TrainError::TooFewRows { has: 150, needs: 200 }), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_reported_on_is_newer_than_what_is_learned(
            steps in prop::collection::vec(0i64..3, 200..600),
            look_back in 200usize..600,
        ) {
            let order: Vec<i64> = steps.iter().scan(0, |at, step| { *at += step; Some(*at) }).collect();
            if let Ok(split) = Split::of(&order, look_back, Path::Candidate, &TrainRules::DEFAULTS) {
                prop_assert!(split.fit.end == split.calibrate.start && split.calibrate.end == split.report.start);
                prop_assert!(order[split.report.start] > order[split.calibrate.end - 1]);
                prop_assert_eq!(split.report.end, order.len());
            }
        }
    }
}
