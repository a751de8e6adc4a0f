//! One window's labelled predictions against the promoted baseline and the floors; pure. An immature window says nothing.

use std::collections::BTreeMap;

use super::collapse::e_value;
use super::residuals::{Promised, residuals};
use super::rules::PerformanceRules;
use super::{Baseline, Joined, Pair, PerformanceReport};
use crate::contract::Task;
use crate::drift::DriftRules;
use crate::snapshot::Window;
use crate::train::{Direction, Metric, direction, measure, method};
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
    /// What the PROMOTED entry says it is held against.
    pub baseline: &'a Baseline,
    /// Regression: what it promised of its errors, and when they count as moved.
    pub promised: Option<(&'a Promised, &'a DriftRules)>,
}

/// Judge one window at an instant.
pub fn judge(judged: Judged<'_>, joined: &Joined, rules: &PerformanceRules, now: Timestamp) -> PerformanceReport {
    let mine: Vec<&Pair> = joined.pairs.iter().filter(|pair| pair.version == judged.version).collect();
    let predictions: Vec<f64> = mine.iter().map(|pair| pair.prediction).collect();
    let labels: Vec<f64> = mine.iter().map(|pair| pair.label).collect();
    let labelled = labels.len() as u64;
    let answered = joined.answered.get(&judged.version).copied().unwrap_or(0);
    let maturity = maturity(labelled, answered, &judged, rules, now);
    let mature = Verdict::worst(maturity.iter().map(|check| check.verdict)).is_pass();
    let mut metrics = measure(judged.task, &predictions, &labels, judged.baseline.threshold);
    metrics.extend(judged.promised.map(|(promised, _)| {
        let held = promised.coverage(&predictions, &labels);
        let interval = held.as_ref().ok().map(|held| held.interval);
        Metric { measurement: Measurement::new("coverage", held.map(|held| held.value), labelled), interval }
    }));
    let hold = |check: Check| if mature { check } else { immature(check) };
    let checks: Vec<Check> = against_baseline(&metrics, judged.baseline, rules)
        .into_iter()
        .chain(against_floors(&metrics, rules))
        .map(hold)
        .collect();
    let residuals = judged
        .promised
        .and_then(|(promised, drift)| Some(residuals(promised, (&predictions, &labels), drift, rules)?.held(hold)));
    PerformanceReport {
        format_version: 1,
        model: judged.model.clone(),
        version: judged.version,
        bundle: judged.bundle,
        window: judged.window,
        late: joined.events.saturating_sub(judged.requests),
        predictions: answered,
        labelled,
        verdict: Verdict::worst(checks.iter().map(|check| check.verdict)),
        catastrophic: hold(catastrophic(judged.task, &metrics, judged.baseline, rules)),
        collapse: e_value(judged.task, &mine, judged.baseline, rules),
        residuals,
        maturity,
        methods: methods(&metrics),
        metrics,
        checks,
    }
}

/// How these metrics were computed.
fn methods(metrics: &[Metric]) -> BTreeMap<String, String> {
    let told = metrics.iter().map(|metric| metric.measurement.metric.as_str());
    told.filter_map(|metric| Some((metric.to_owned(), method(metric)?.to_owned()))).collect()
}

fn maturity(labelled: u64, answered: u64, judged: &Judged<'_>, rules: &PerformanceRules, now: Timestamp) -> Vec<Check> {
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
        require("label_coverage", coverage.into(), rules.coverage),
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

fn against_floors(metrics: &[Metric], rules: &PerformanceRules) -> Vec<Check> {
    let floor = |(name, floor): (&String, &f64)| {
        let metric = metrics.iter().find(|metric| &metric.measurement.metric == name);
        let measured = metric.map_or_else(
            || Measurement::new(name.clone(), Value::NotComputable(NotComputable::because("no such metric")), 0),
            |metric| metric.measurement.clone(),
        );
        let operator = match direction(name) {
            Some(Direction::LowerIsBetter) => Operator::AtMost,
            Some(Direction::HigherIsBetter) | None => Operator::AtLeast,
        };
        Check::require(measured, operator, *floor, rules.min_rows).with_note("floor")
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
