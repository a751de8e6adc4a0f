//! How good the predictions of either file are, where what came true stands beside them; pure. Shown, and judged by nobody: a file
//! does not say what was promised.

use super::{FilePerformance, ShownMetric};
use crate::stats::calibration::Binning;
use crate::stats::classification::{Confusion, Ranking, brier, log_loss};
use crate::stats::{Estimate, Interval, regression};
use crate::types::{Measurement, NotComputable, Value};

/// Rows of a file that are held for it: every row up to here, every second, fourth … of longer files, so that memory does not
/// grow. A million give the area to a thousandth.
const HELD: usize = 1_000_000;
/// Where rows are called positive: a file does not say what its model's owner calls one.
const THRESHOLD: f64 = 0.5;

/// Predictions of a file and what came true, evenly spaced over it.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    predictions: Vec<f64>,
    targets: Vec<f64>,
    /// One row of so many is held.
    stride: usize,
    seen: usize,
}

impl Default for Pairs {
    fn default() -> Self {
        Pairs { predictions: Vec::new(), targets: Vec::new(), stride: 1, seen: 0 }
    }
}

impl Pairs {
    /// Take a block's rows; a pair of which either is missing or cannot be read is none.
    pub(super) fn take(&mut self, targets: &[f64], predictions: &[f64]) {
        for (target, prediction) in targets.iter().zip(predictions) {
            if !(target.is_finite() && prediction.is_finite()) {
                continue;
            }
            if self.seen.is_multiple_of(self.stride) {
                self.targets.push(*target);
                self.predictions.push(*prediction);
            }
            self.seen += 1;
            if self.targets.len() > HELD {
                thin(&mut self.targets);
                thin(&mut self.predictions);
                self.stride *= 2;
            }
        }
    }
}

/// Every second value, from the first on.
fn thin(values: &mut Vec<f64>) {
    let mut place = 0;
    values.retain(|_| {
        place += 1;
        place % 2 == 1
    });
}

/// What either file says; nothing where there are no pairs. A target that is always 0 or 1 is a class, and any other a number, by
/// both files together.
pub(super) fn performance(then: &Pairs, now: &Pairs) -> Option<FilePerformance> {
    if then.targets.is_empty() && now.targets.is_empty() {
        return None;
    }
    let classes = then.targets.iter().chain(&now.targets).all(|target| *target == 0.0 || *target == 1.0);
    let of = if classes { of_classes } else { of_numbers };
    Some(FilePerformance { reference: of(then), current: of(now) })
}

type Told = (&'static str, Result<Estimate, NotComputable>, &'static str);

fn of_classes(pairs: &Pairs) -> Vec<ShownMetric> {
    let scores = &pairs.predictions;
    let labels: Vec<bool> = pairs.targets.iter().map(|target| *target > 0.5).collect();
    let ranking = Ranking::of(scores, &labels);
    let ranking = || ranking.as_ref().map_err(Clone::clone);
    let confusion = Confusion::at(THRESHOLD, scores, &labels);
    let called =
        |ask: fn(&Confusion) -> Result<Estimate, NotComputable>| confusion.as_ref().map_err(Clone::clone).and_then(ask);
    let told: [Told; 7] = [
        ("auc", ranking().and_then(Ranking::roc_auc_delong), "area under the ROC curve; interval: DeLong"),
        ("log_loss", log_loss(scores, &labels), "nats, natural logarithms; interval: normal, of a mean"),
        ("brier", brier(scores, &labels), "interval: normal, of a mean"),
        ("accuracy", called(Confusion::accuracy), "called positive from 0.5 on; interval: Wilson"),
        ("precision", called(Confusion::precision), "called positive from 0.5 on; interval: Wilson"),
        ("recall", called(Confusion::recall), "called positive from 0.5 on; interval: Wilson"),
        ("f1", called(Confusion::f1), "called positive from 0.5 on; interval: Wilson, of TP / (TP + FP + FN)"),
    ];
    let plain = [
        (
            "average_precision",
            ranking().and_then(Ranking::average_precision),
            "area of precision–recall steps, not interpolated",
        ),
        ("ece", ranking().and_then(|ranking| ranking.ece(Binning::EqualMass(10))), "10 bins of equal mass"),
    ];
    let mut shown: Vec<ShownMetric> = told.into_iter().map(|told| shown(pairs, told)).collect();
    let bare =
        |(name, value, method): (&str, Result<f64, NotComputable>, &str)| one(pairs, name, value.into(), None, method);
    shown.extend(plain.into_iter().map(bare));
    shown
}

fn of_numbers(pairs: &Pairs) -> Vec<ShownMetric> {
    let (predictions, targets) = (&pairs.predictions, &pairs.targets);
    let told: [Told; 4] = [
        ("mae", regression::mae(predictions, targets), "interval: normal, of a mean"),
        ("rmse", regression::rmse(predictions, targets), "interval: the root of the squared error's normal one"),
        ("r2", regression::r2(predictions, targets), "interval: normal, delta method"),
        ("bias", regression::bias(predictions, targets), "prediction - target; interval: normal, of a mean"),
    ];
    told.into_iter().map(|told| shown(pairs, told)).collect()
}

fn shown(pairs: &Pairs, (name, estimate, method): Told) -> ShownMetric {
    let interval = estimate.as_ref().ok().map(|estimate| estimate.interval);
    one(pairs, name, estimate.map(|estimate| estimate.value).into(), interval, method)
}

fn one(pairs: &Pairs, name: &str, value: Value, interval: Option<Interval>, method: &str) -> ShownMetric {
    let method = match pairs.stride {
        1 => method.to_owned(),
        stride => format!("{method}; of one row in {stride}"),
    };
    ShownMetric { measurement: Measurement::new(name, value, pairs.targets.len() as u64), interval, method }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden::{self, Side, assert_close};

    fn golden_pairs(side: Side) -> Pairs {
        let mut pairs = Pairs::default();
        pairs.take(&golden::column(side, "y_true"), &golden::column(side, "y_score"));
        pairs
    }

    #[test]
    fn either_file_says_what_scikit_learn_says() {
        let golden = golden::golden();
        let found = performance(&golden_pairs(Side::Reference), &golden_pairs(Side::Current)).unwrap();
        for (metrics, side) in [(found.reference, "ref"), (found.current, "cur")] {
            for (name, golden_name) in [
                ("auc", "roc_auc"),
                ("average_precision", "average_precision"),
                ("log_loss", "log_loss"),
                ("brier", "brier"),
                ("accuracy", "accuracy"),
                ("precision", "precision"),
                ("recall", "recall"),
                ("f1", "f1"),
                ("ece", "ece10_quantile/ece"),
            ] {
                let metric = metrics.iter().find(|metric| metric.measurement.metric == name).unwrap();
                let expected = golden::number(&golden, &format!("/performance/{side}/{golden_name}"));
                assert_close(metric.measurement.value.number().unwrap(), expected, 1e-9);
                assert!(!metric.method.is_empty());
            }
        }
    }

    #[test]
    fn long_files_are_thinned_evenly_and_that_is_said() {
        let mut pairs = Pairs::default();
        let rows: Vec<f64> = (0..2_500_000).map(f64::from).collect();
        rows.chunks(1_000).for_each(|rows| pairs.take(rows, rows));
        assert_eq!((pairs.stride, pairs.targets.len()), (4, 625_000));
        assert!(pairs.targets.iter().zip(0u32..).all(|(row, place)| *row == f64::from(4 * place)));
        assert!(of_numbers(&pairs)[0].method.ends_with("of one row in 4"));
    }

    #[test]
    fn without_pairs_nothing_is_said() {
        let mut gaps = Pairs::default();
        gaps.take(&[f64::NAN, 1.0], &[0.5, f64::INFINITY]);
        assert!(performance(&gaps, &Pairs::default()).is_none());
    }
}
