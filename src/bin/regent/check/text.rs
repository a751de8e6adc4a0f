//! The comparison of two files as lines for a terminal; pure.

use regent::drift::files::{FeatureReport, FileCheck, FilesReport, Kind, Role, ShownMetric};
use regent::types::{Value, Verdict};

/// How many telling features are named.
const TELLING: usize = 5;

/// The verdict, the whole, a line for each feature, and what was left out.
pub fn of(report: &FilesReport) -> String {
    let (then, now) = (&report.dataset.reference, &report.dataset.current);
    let mut lines = vec![format!(
        "{} ({} rows) against {} ({} rows) → {}",
        now.file, now.rows, then.file, then.rows, report.verdict
    )];
    lines.extend(report.dataset.checks.iter().map(|check| format!("  {}", line(check))));
    if let Some(performance) = &report.dataset.performance {
        lines.push(format!("  then {}", metrics(&performance.reference)));
        lines.push(format!("  now  {}", metrics(&performance.current)));
    }
    if !report.dataset.importances.is_empty() {
        let telling = report.dataset.importances.iter().take(TELLING);
        let telling: Vec<String> = telling.map(|one| format!("{} {:.2}", one.feature, one.share)).collect();
        lines.push(format!("  told apart by {}", telling.join(", ")));
    }
    let width = report.features.iter().map(|feature| feature.feature.chars().count()).max().unwrap_or(0).min(32);
    lines.extend(report.features.iter().map(|feature| format!("{:width$}  {}", feature.feature, told(feature))));
    lines.extend(report.dataset.left_out.iter().map(|left| format!("left out: {}: {}", left.column, left.why)));
    if !report.dataset.new_columns.is_empty() {
        lines.push(format!("new, and not compared: {}", report.dataset.new_columns.join(", ")));
    }
    lines.join("\n")
}

/// `numeric  psi 0.31  ks 0.24  p 1.2e-9 → Fail (n 9079 and 9080)`, and the share of cells that made it drift.
fn told(feature: &FeatureReport) -> String {
    let kind = match feature.kind {
        Kind::Numeric => "numeric",
        Kind::Nominal => "nominal",
    };
    let sizes = ["psi", "ks", "cramers_v"].into_iter().filter_map(|metric| {
        let value = &feature.check(metric)?.measurement.value;
        Some(format!("{metric} {}", number(value)))
    });
    let p = feature.check("p_adjusted").map(|check| format!("p {}", number(&check.measurement.value)));
    let grown = feature
        .checks
        .iter()
        .filter(|check| check.measurement.metric.ends_with("_share_growth") && check.verdict == Some(Verdict::Fail));
    let grown = grown.map(|check| format!("{} {}", check.measurement.metric, number(&check.measurement.value)));
    let measured: Vec<String> = sizes.chain(p).chain(grown).collect();
    let role = match feature.role {
        Role::Feature => "",
        Role::Prediction => ", prediction",
        Role::Target => ", target",
        Role::Error => ", error",
    };
    let (verdict, n, m) = (feature.verdict, feature.n_reference, feature.n_current);
    format!("{kind}{role}  {} → {verdict} (n {n} and {m})", measured.join("  "))
}

/// `auc 0.8031 [0.7652, 0.8411]  log_loss 0.5304 … (n 500)`
fn metrics(metrics: &[ShownMetric]) -> String {
    let one = |metric: &ShownMetric| {
        let within =
            metric.interval.map(|within| format!(" [{}, {}]", Value::from(within.lower), Value::from(within.upper)));
        format!("{} {}{}", metric.measurement.metric, number(&metric.measurement.value), within.unwrap_or_default())
    };
    let n = metrics.first().map_or(0, |metric| metric.measurement.n);
    format!("{} (n {n})", metrics.iter().map(one).collect::<Vec<_>>().join("  "))
}

fn number(value: &Value) -> String {
    match value {
        Value::Number(_) => value.to_string(),
        Value::NotComputable(_) => "–".to_owned(),
    }
}

fn line(check: &FileCheck) -> String {
    let p = check.p_value.map(|p| format!(", p {}", Value::from(p))).unwrap_or_default();
    match check.rule() {
        Some(rule) => format!("{rule}{p}"),
        None => format!("{}{p}", check.measurement),
    }
}
