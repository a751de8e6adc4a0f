//! One window's labelled predictions against the promoted baseline and the floors; pure. An immature window says nothing.

use std::collections::BTreeMap;

use super::collapse::e_value;
use super::residuals::{Promised, residuals};
use super::rules::{Conflicting, PerformanceRules, Slices};
use super::slices::{self, SlicePerformance};
use super::{Baseline, Joined, LabelCounts, Pair, PerformanceReport};
use crate::contract::Task;
use crate::drift::DriftRules;
use crate::log::Sample;
use crate::snapshot::Window;
use crate::train::{Direction, Metric, RANKED, direction, measure, method};
use crate::types::{
    Check, Digest, Measurement, ModelName, NotComputable, Operator, Timestamp, Value, Verdict, Version,
};

/// What is judged: a version's answers in a window.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// What it predicts.
    pub task: Task,
    /// The version that answered.
    pub version: Version,
    /// The digest of its manifest.
    pub bundle: Digest,
    /// The window.
    pub window: Window,
    /// Requests that its snapshot counted when it was sealed.
    pub requests: u64,
    /// When that was.
    pub sealed_at: Timestamp,
    /// Which of its requests were joined.
    pub sample: Sample,
    /// What the PROMOTED entry says it is held against.
    pub baseline: &'a Baseline,
    /// Regression: what it promised of its errors, and when they count as moved.
    pub promised: Option<(&'a Promised, &'a DriftRules)>,
}

/// Judge one window at an instant.
pub fn judge(judged: Judged<'_>, joined: &Joined, rules: &PerformanceRules, now: Timestamp) -> PerformanceReport {
    let mine: Vec<&Pair> = joined.pairs.iter().filter(|pair| pair.version == judged.version).collect();
    let predictions: Vec<f64> = mine.iter().map(|pair| pair.prediction).collect();
    let outcomes: Vec<f64> = mine.iter().map(|pair| pair.label).collect();
    let labelled = outcomes.len() as u64;
    let answered = joined.answered.get(&judged.version).copied().unwrap_or(0);
    let late = joined.pairs.iter().filter(|pair| pair.known_at > judged.sealed_at).count() as u64;
    let labels = LabelCounts { late, ..joined.labels };
    let maturity = maturity((labelled, answered), &labels, &judged, rules, now);
    let mature = Verdict::worst(maturity.iter().map(|check| check.verdict)).is_pass();
    let mut metrics = measure(judged.task, &predictions, &outcomes, judged.baseline.threshold);
    metrics.extend(judged.promised.map(|(promised, _)| {
        let held = promised.coverage(&predictions, &outcomes);
        let interval = held.as_ref().ok().map(|held| held.interval);
        Metric { measurement: Measurement::new("coverage", held.map(|held| held.value), labelled), interval }
    }));
    let hold = |check: Check| if mature { check } else { immature(check) };
    let checks: Vec<Check> = against_baseline(&metrics, judged.baseline, rules).into_iter().map(hold).collect();
    let floors: Vec<Check> = against_floors(&metrics, rules).into_iter().map(hold).collect();
    let slices = slices::judge(judged.task, &mine, judged.baseline, rules);
    let slices: Vec<SlicePerformance> = slices.into_iter().map(|slice| slice.held(hold)).collect();
    let of_the_whole = checks.iter().chain(&floors).map(|check| check.verdict);
    let verdict = Verdict::worst(of_the_whole.chain(lost_slices(&slices, rules)));
    let residuals = judged
        .promised
        .and_then(|(promised, drift)| Some(residuals(promised, (&predictions, &outcomes), drift, rules)?.held(hold)));
    PerformanceReport {
        format_version: 1,
        model: judged.model.clone(),
        version: judged.version,
        bundle: judged.bundle,
        window: judged.window,
        late: joined.events.saturating_sub(judged.requests),
        predictions: answered,
        labelled,
        sampled_share: judged.sample.share(),
        verdict,
        catastrophic: hold(catastrophic(judged.task, &metrics, judged.baseline, rules)),
        collapse: e_value(judged.task, &mine, judged.baseline, rules),
        residuals,
        maturity,
        methods: methods(&metrics),
        labels,
        metrics,
        checks,
        floors,
        slices,
    }
}

/// How these metrics were computed.
fn methods(metrics: &[Metric]) -> BTreeMap<String, String> {
    let told = metrics.iter().map(|metric| metric.measurement.metric.as_str());
    told.filter_map(|metric| Some((metric.to_owned(), method(metric)?.to_owned()))).collect()
}

impl PerformanceReport {
    /// What is said against the promoted baseline, by the whole and by slices that are judged.
    pub fn against_baseline(&self, rules: &PerformanceRules) -> Verdict {
        let whole = self.checks.iter().map(|check| check.verdict);
        Verdict::worst(whole.chain(lost_slices(&self.slices, rules)))
    }

    /// What is said against the floors; nothing without floors.
    pub fn against_floors(&self) -> Verdict {
        Verdict::worst(self.floors.iter().map(|check| check.verdict))
    }
}

/// The slices that have lost, if they are judged. One that cannot be told keeps nobody from judging the whole.
fn lost_slices(slices: &[SlicePerformance], rules: &PerformanceRules) -> impl Iterator<Item = Verdict> {
    let lost = slices.iter().map(|slice| slice.check.verdict).filter(|verdict| match rules.slices {
        Slices::Show => false,
        Slices::Judge => *verdict == Verdict::Fail,
    });
    lost.collect::<Vec<_>>().into_iter()
}

/// Labels that contradict one another are said where labels are counted, with what was made of them.
fn said(coverage: Check, labels: &LabelCounts, rules: &PerformanceRules) -> Check {
    if labels.conflicting == 0 {
        return coverage;
    }
    let counts = match rules.conflicting {
        Conflicting::First => "the first",
        Conflicting::Last => "the last",
    };
    let conflict = format!("labels that contradict others: {}, {counts} counts", labels.conflicting);
    let note = if coverage.note.is_empty() { conflict } else { format!("{}; {conflict}", coverage.note) };
    coverage.with_note(note)
}

const COVERAGE: &str = "label_coverage";

fn maturity(
    (labelled, answered): (u64, u64),
    labels: &LabelCounts,
    judged: &Judged<'_>,
    rules: &PerformanceRules,
    now: Timestamp,
) -> Vec<Check> {
    let coverage = match answered {
        0 => Err(NotComputable::because("no predictions")),
        _ => Ok(labelled as f64 / answered as f64),
    };
    // No older than it needs to be: the same evidence gives the same report, whenever it is looked at.
    let age = now.since(judged.window.end()).min(rules.age);
    let wait = |check: Check| match check.verdict {
        // Not there yet is not a failure: labels may still come.
        Verdict::Fail => Check { verdict: Verdict::Insufficient, ..check },
        Verdict::Pass | Verdict::Insufficient | Verdict::Error => check,
    };
    let require = |metric, value: Value, threshold| {
        wait(Check::require(Measurement::new(metric, value, answered), Operator::AtLeast, threshold, 0))
    };
    vec![
        said(require(COVERAGE, coverage.into(), rules.coverage), labels, rules),
        require("labelled_rows", Value::from(labelled as f64), rules.min_rows as f64),
        require("age_secs", Value::from(age.secs()), rules.age.secs()),
    ]
}

fn immature(check: Check) -> Check {
    Check { verdict: Verdict::Insufficient, note: "the window is not mature".to_owned(), ..check }
}

/// The end of the interval that speaks for the model: doubt never condemns.
fn benefit_of_doubt(metric: &Metric, direction: Direction) -> Value {
    match (&metric.interval, direction) {
        (Some(interval), Direction::HigherIsBetter) => interval.upper.into(),
        (Some(interval), Direction::LowerIsBetter) => interval.lower.into(),
        (None, _) => metric.measurement.value.clone(),
    }
}

fn against_baseline(metrics: &[Metric], baseline: &Baseline, rules: &PerformanceRules) -> Vec<Check> {
    let mut checks = Vec::new();
    for metric in metrics {
        let name = &metric.measurement.metric;
        let (Some(direction), Some(line)) = (direction(name), baseline.value(name)) else {
            continue;
        };
        let (operator, threshold, end) = match direction {
            Direction::HigherIsBetter => (Operator::AtLeast, line - rules.margin, "upper"),
            Direction::LowerIsBetter => (Operator::AtMost, line * (1.0 + rules.relative_margin), "lower"),
        };
        let value = benefit_of_doubt(metric, direction);
        let measured = Measurement::new(format!("{name}_{end}95"), value, metric.measurement.n);
        let check = Check::require(measured, operator, threshold, rules.min_rows);
        checks.push(match check.verdict {
            Verdict::Pass => {
                check.with_note(format!("{}; promoted with {}", metric.measurement.value, Value::from(line)))
            }
            Verdict::Insufficient | Verdict::Error | Verdict::Fail => check,
        });
    }
    checks
}

/// A floor is held against the end of the interval that speaks for the model, as the baseline is: who is well above it must not
/// be below it because a window was small.
pub(super) fn against_floors(metrics: &[Metric], rules: &PerformanceRules) -> Vec<Check> {
    let floor = |(name, floor): (&String, &f64)| {
        let direction = RANKED.iter().find(|(ranked, ..)| ranked == name).map(|(.., direction)| *direction);
        let (operator, end) = match direction {
            Some(Direction::LowerIsBetter) => (Operator::AtMost, "lower"),
            Some(Direction::HigherIsBetter) | None => (Operator::AtLeast, "upper"),
        };
        let Some(metric) = metrics.iter().find(|metric| &metric.measurement.metric == name) else {
            let none = Value::NotComputable(NotComputable::because("no such metric"));
            return Check::require(Measurement::new(name.clone(), none, 0), operator, *floor, rules.min_rows);
        };
        let Measurement { value, n, .. } = &metric.measurement;
        let (name, at_best) = match (&metric.interval, direction) {
            (Some(_), Some(direction)) => (format!("{name}_{end}95"), benefit_of_doubt(metric, direction)),
            (None, _) | (_, None) => (name.clone(), value.clone()),
        };
        let check = Check::require(Measurement::new(name, at_best, *n), operator, *floor, rules.min_rows);
        match check.verdict {
            Verdict::Pass | Verdict::Fail => check.with_note(format!("{value}; a floor")),
            Verdict::Insufficient | Verdict::Error => check,
        }
    };
    rules.floors.iter().map(floor).collect()
}

/// AUC (regression: R²) against a line so far below the baseline that no noise explains it.
pub fn catastrophic(task: Task, metrics: &[Metric], baseline: &Baseline, rules: &PerformanceRules) -> Check {
    let name = match task {
        Task::Binary => "auc",
        Task::Regression => "r2",
    };
    let metric = metrics.iter().find(|metric| metric.measurement.metric == name);
    let (Some(metric), Some(line)) = (metric, baseline.value(name)) else {
        let none = Measurement::new(name, Value::NotComputable(NotComputable::because("no baseline")), 0);
        return Check::require(none, Operator::AtLeast, 0.0, rules.min_rows);
    };
    let value = benefit_of_doubt(metric, Direction::HigherIsBetter);
    let measured = Measurement::new(format!("{name}_upper95"), value, metric.measurement.n);
    Check::require(measured, Operator::AtLeast, line - rules.drop(task), rules.min_rows)
}

impl Baseline {
    /// The promoted value of a metric, if it could be computed.
    pub fn value(&self, metric: &str) -> Option<f64> {
        let found = self.metrics.iter().find(|promoted| promoted.measurement.metric == metric)?;
        found.measurement.value.number()
    }
}
