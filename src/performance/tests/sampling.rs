//! A window of too many requests is judged by a sample, and says the same up to its interval.

use super::*;

const ROWS: u64 = 40_000;

#[test]
fn a_sampled_window_says_what_the_whole_window_says() {
    let events: Vec<Event> = (0..ROWS).map(event).collect();
    // Every tenth answer is wrong, and every sixth waits for its label.
    let told = (0..ROWS).filter(|row| row % 6 != 3);
    let labels: Vec<Label> = told.map(|row| Label { at: event(row).ts, ..label(row, RIGHT(row)) }).collect();
    let truths: Vec<f64> = labels.iter().map(|label| label.label).collect();
    let told = (0..ROWS).filter(|row| row % 6 != 3);
    let predictions: Vec<f64> = told.filter_map(|row| event(row).prediction).collect();
    let metrics = measure(Task::Binary, &predictions, &truths, Some(0.5));
    let baseline = Baseline { version: Version::FIRST, metrics, threshold: Some(0.5), slices: BTreeMap::new() };
    let model = "rain".parse().unwrap();
    let window = Window { start: Timestamp::EPOCH, size: Span::from_days(28) };
    let report = |sample: Sample| {
        let taken: Vec<Event> = events.iter().filter(|event| sample.takes(event.request_id)).cloned().collect();
        let joined = Joined { events: ROWS, ..join(&taken, &labels, Conflicting::First) };
        let judged = Judged {
            model: &model,
            task: Task::Binary,
            version: Version::FIRST,
            bundle: Digest::of("bundle"),
            window,
            requests: ROWS - 5,
            sealed_at: window.end(),
            sample,
            baseline: &baseline,
            promised: None,
        };
        judge(judged, &joined, &PerformanceRules::defaults(), window.end())
    };
    let (whole, part) = (report(Sample::ALL), report(Sample::of(ROWS, 5_000)));
    assert_eq!((whole.sampled_share, part.sampled_share), (1.0, 0.125));
    assert_eq!((whole.late, part.late), (5, 5), "what arrived late is counted among all");
    assert!((4_700..5_300).contains(&part.predictions), "{}", part.predictions);
    assert_eq!(part.labels.received, part.labelled, "labels of what is not sampled are not looked at");
    let coverage = |report: &PerformanceReport| report.maturity[0].measurement.value.number().unwrap();
    assert!((coverage(&whole) - coverage(&part)).abs() < 0.025, "{} {}", coverage(&whole), coverage(&part));
    assert_eq!((whole.verdict, part.verdict), (Verdict::Pass, Verdict::Pass));
    for (all, some) in whole.metrics.iter().zip(&part.metrics) {
        let value = |metric: &Metric| metric.measurement.value.number().unwrap();
        // Four standard errors.
        let allowed = some.interval.map_or(0.05, |interval| interval.width());
        let (all, found) = (value(all), value(some));
        assert!((all - found).abs() <= allowed, "{}: {all} {found}", some.measurement.metric);
        assert_eq!(some.measurement.n, part.labelled);
    }
}

#[test]
fn a_sample_too_small_to_be_judged_is_refused() {
    let rules = PerformanceRules { sample_above: 199, ..PerformanceRules::defaults() };
    assert_eq!(rules.faults()[0].0, "sample_above");
    assert_eq!(PerformanceRules { sample_above: 200, ..rules }.faults(), []);
}
