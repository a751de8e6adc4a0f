//! Floors are the owner's word: held with the benefit of doubt, confirmed like a loss, and refused where they mean nothing.

use super::super::judge::against_floors;
use super::*;

fn with(floors: &[(&str, f64)]) -> PerformanceRules {
    let floors = floors.iter().map(|(metric, floor)| ((*metric).to_owned(), *floor)).collect();
    PerformanceRules { floors, ..PerformanceRules::defaults() }
}

fn value(report: &PerformanceReport, metric: &str) -> f64 {
    let found = report.metrics.iter().find(|found| found.measurement.metric == metric);
    found.unwrap().measurement.value.number().unwrap()
}

#[test]
fn every_metric_with_a_better_end_may_have_a_floor() {
    let report = judged(&all(RIGHT, 0..300), 300);
    for metric in ["auc", "accuracy", "precision", "recall", "f1", "log_loss", "brier", "ece"] {
        let errs = ["log_loss", "brier", "ece"].contains(&metric);
        // Far on the bad side of what was measured, and far on the good side.
        for (shift, verdict) in [(0.3, Verdict::Fail), (-0.3, Verdict::Pass)] {
            let floor = value(&report, metric) + if errs { -shift } else { shift };
            let rules = with(&[(metric, floor)]);
            assert_eq!(rules.faults(), [], "{metric}");
            let judged = judged_under(&rules, &all(RIGHT, 0..300), 300);
            assert_eq!(judged.against_floors(), verdict, "{metric}: {:?}", judged.floors);
            assert_eq!(judged.verdict, verdict);
            assert_eq!(judged.against_baseline(&rules), Verdict::Pass, "a floor is not the baseline");
        }
    }
}

#[test]
fn doubt_speaks_for_the_model() {
    let accuracy = value(&judged(&all(RIGHT, 0..300), 300), "accuracy");
    let report = judged_under(&with(&[("accuracy", accuracy + 0.01)]), &all(RIGHT, 0..300), 300);
    let floor = &report.floors[0];
    assert_eq!((floor.verdict, floor.measurement.metric.as_str()), (Verdict::Pass, "accuracy_upper95"));
    assert_eq!(floor.note, "0.9; a floor");
}

#[test]
fn an_error_has_a_ceiling() {
    let targets: Vec<f64> = (0..300).map(|row| f64::from(row % 17)).collect();
    let off: Vec<f64> = targets.iter().zip(0..).map(|(target, row)| target + f64::from(row % 5)).collect();
    let metrics = measure(Task::Regression, &off, &targets, None);
    let verdict = |ceiling| against_floors(&metrics, &with(&[("mae", ceiling)]))[0].verdict;
    assert_eq!((verdict(1.0), verdict(3.0)), (Verdict::Fail, Verdict::Pass));
}

#[test]
fn one_window_below_a_floor_is_chance_and_two_are_not() {
    let rules = with(&[("accuracy", 0.97)]);
    let below = judged_under(&rules, &all(RIGHT, 0..300), 300);
    let above = judged_under(&with(&[("accuracy", 0.5)]), &all(RIGHT, 0..300), 300);
    let young = judged_under(&rules, &all(RIGHT, 0..50), 300);
    let says = |reports: &[&PerformanceReport]| {
        let reports: Vec<PerformanceReport> = reports.iter().copied().cloned().collect();
        confirmed(&reports, "windows_below_a_floor", PerformanceReport::against_floors, &rules).verdict
    };
    assert_eq!(says(&[&above, &above, &below]), Verdict::Pass);
    assert_eq!(says(&[&above, &below, &below]), Verdict::Fail);
    assert_eq!(says(&[&below, &young, &below, &young]), Verdict::Fail, "immature windows are passed over");
    assert_eq!(says(&[&below, &below, &above]), Verdict::Pass, "what is over is over");
    let untold = PerformanceReport { floors: Vec::new(), ..below.clone() };
    assert_eq!(says(&[&below, &below, &untold]), Verdict::Fail, "a floor that cannot be told is not held");
    assert_eq!(says(&[&below]), Verdict::Insufficient);
    assert_eq!(says(&[]), Verdict::Insufficient);
}

#[test]
fn a_floor_of_what_is_not_measured_is_refused_with_what_is() {
    let (key, what) = with(&[("acuracy", 0.9)]).faults().remove(0);
    assert_eq!(key, "floors");
    assert!(what.contains("`acuracy`") && what.contains("auc, accuracy") && what.contains("r2, mae, rmse"), "{what}");
    assert_eq!(with(&[("base_rate", 0.1)]).faults().len(), 1, "it has no better end");
    assert_eq!(with(&[("auc", f64::NAN)]).faults().len(), 1);
    let (_, what) = with(&[("mae", 3.0)]).misfits(Task::Binary).remove(0);
    assert!(what.contains("`mae`") && what.contains("auc"), "{what}");
    assert_eq!(with(&[("mae", 3.0)]).misfits(Task::Regression), []);
}
