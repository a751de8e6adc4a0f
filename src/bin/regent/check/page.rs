//! The comparison of two files as one page that needs nothing else: no script, no font, no address; pure. Everything that comes from
//! a file is escaped.

use regent::drift::files::{Bin, FeatureReport, FileCheck, FilePerformance, FilesReport, Kind, Role, ShownMetric};
use regent::types::{Timestamp, Value, Verdict};

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --then: #8899aa; --now: #d9822b; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.Pass { color: #2a8a3e; } .Fail { color: #c62828; font-weight: 600; } .Insufficient, .Error { color: #b26a00; }
.then { fill: var(--then); } .now { fill: var(--now); } small { opacity: .75; } svg { vertical-align: middle; }
details { margin: .3rem 0; } summary { cursor: pointer; }
";
/// A drawing's size, in pixels.
const WIDTH: usize = 180;
const HEIGHT: usize = 36;

/// The page.
pub fn of(report: &FilesReport, now: Timestamp) -> String {
    let (then, current) = (&report.dataset.reference, &report.dataset.current);
    let verdict = report.verdict;
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{verdict}: {}</title><style>{STYLE}</style></head><body>\n",
        escaped(&current.file)
    );
    page += &format!("<h1>Has it drifted? <span class=\"{verdict}\">{verdict}</span></h1>\n");
    page += &format!(
        "<p>{} ({} rows) against {} ({} rows). <small>{now}</small></p>\n",
        escaped(&current.file),
        current.rows,
        escaped(&then.file),
        then.rows
    );
    page += "<h2>The files as a whole</h2>\n";
    page += &checks(&report.dataset.checks);
    page += &report.dataset.performance.as_ref().map(performance).unwrap_or_default();
    if !report.dataset.importances.is_empty() {
        let rows =
            report.dataset.importances.iter().map(|one| {
                format!("<tr><td>{}</td><td class=\"n\">{:.3}</td></tr>\n", escaped(&one.feature), one.share)
            });
        page += "<h2>What tells the files apart</h2>\n<table><tr><th>feature</th><th class=\"n\">share</th></tr>\n";
        page += &rows.collect::<String>();
        page += "</table>\n";
    }
    page += "<h2>Columns</h2>\n<p><small>Bars: the share of values in each bin, \
             grey in the reference, orange in the current file.</small></p>\n";
    page += "<table><tr><th>column</th><th>read as</th><th></th><th class=\"n\">psi</th><th class=\"n\">ks · V</th>\
             <th class=\"n\">p adjusted</th><th class=\"n\">n</th><th>verdict</th></tr>\n";
    page += &report.features.iter().map(row).collect::<String>();
    page += "</table>\n<h2>Every measurement</h2>\n";
    for feature in &report.features {
        page += &format!(
            "<details><summary>{}</summary>\n{}</details>\n",
            escaped(&feature.feature),
            checks(&feature.checks)
        );
    }
    let left = report
        .dataset
        .left_out
        .iter()
        .map(|left| format!("<li>{}: {}</li>\n", escaped(&left.column), escaped(&left.why)));
    let new = report
        .dataset
        .new_columns
        .iter()
        .map(|column| format!("<li>{}: new, and not compared</li>\n", escaped(column)));
    let list: String = left.chain(new).collect();
    if !list.is_empty() {
        page += &format!("<h2>Not compared</h2>\n<ul>\n{list}</ul>\n");
    }
    page + "</body></html>\n"
}

/// How good the predictions of either file are, metric by metric.
fn performance(performance: &FilePerformance) -> String {
    let cell = |metric: Option<&ShownMetric>| {
        let Some(metric) = metric else { return "<td></td>".to_owned() };
        let within = metric.interval.map(|within| {
            format!(" <small>{} to {}</small>", number(&within.lower.into()), number(&within.upper.into()))
        });
        format!("<td class=\"n\">{}{}</td>", number(&metric.measurement.value), within.unwrap_or_default())
    };
    let row = |(place, then): (usize, &ShownMetric)| {
        let (name, method) = (escaped(&then.measurement.metric), escaped(&then.method));
        let (then, now) = (cell(Some(then)), cell(performance.current.get(place)));
        format!("<tr><td>{name}</td>{then}{now}<td><small>{method}</small></td></tr>\n")
    };
    let rows: String = performance.reference.iter().enumerate().map(row).collect();
    let head = "<tr><th>metric</th><th class=\"n\">then</th><th class=\"n\">now</th><th>how</th></tr>";
    format!("<h2>Predictions against what came true</h2>\n<table>{head}\n{rows}</table>\n")
}

fn row(feature: &FeatureReport) -> String {
    let value = |metric: &str| feature.check(metric).map(|check| number(&check.measurement.value));
    let size = value("ks").or_else(|| value("cramers_v")).unwrap_or_default();
    let kind = match feature.kind {
        Kind::Numeric => "numeric",
        Kind::Nominal => "nominal",
    };
    let role = match feature.role {
        Role::Feature => "",
        Role::Prediction => ", prediction",
        Role::Target => ", target",
        Role::Error => ", error",
    };
    format!(
        "<tr><td>{}</td><td>{kind}{role}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{size}</td>\
         <td class=\"n\">{}</td><td class=\"n\">{} · {}</td><td class=\"{v}\">{v}</td></tr>\n",
        escaped(&feature.feature),
        drawing(&feature.bins),
        value("psi").unwrap_or_default(),
        value("p_adjusted").unwrap_or_default(),
        feature.n_reference,
        feature.n_current,
        v = feature.verdict
    )
}

fn checks(checks: &[FileCheck]) -> String {
    let rows: String = checks.iter().map(measured).collect();
    format!(
        "<table><tr><th>metric</th><th class=\"n\">value</th><th>wanted</th><th class=\"n\">p</th><th class=\"n\">n</th>\
         <th>verdict</th><th>how</th></tr>\n{rows}</table>\n"
    )
}

fn measured(check: &FileCheck) -> String {
    let wanted = match (check.operator, check.threshold) {
        (Some(operator), Some(threshold)) => format!("{operator} {}", Value::from(threshold)),
        (_, _) => String::new(),
    };
    let verdict = check.verdict.map_or(String::new(), |verdict: Verdict| verdict.to_string());
    let why = match &check.measurement.value {
        Value::NotComputable(why) => why.reason.clone(),
        Value::Number(_) => check.note.clone(),
    };
    let how = if why.is_empty() { check.method.clone() } else { format!("{} · {why}", check.method) };
    format!(
        "<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
         <td class=\"{verdict}\">{verdict}</td><td><small>{}</small></td></tr>\n",
        escaped(&check.measurement.metric),
        number(&check.measurement.value),
        escaped(&wanted),
        check.p_value.map(|p| Value::from(p).to_string()).unwrap_or_default(),
        check.measurement.n,
        escaped(&how)
    )
}

fn number(value: &Value) -> String {
    match value {
        Value::Number(_) => value.to_string(),
        Value::NotComputable(_) => "–".to_owned(),
    }
}

/// Two bars a bin, then beside now.
fn drawing(bins: &[Bin]) -> String {
    let sum = |of: fn(&Bin) -> u64| bins.iter().map(of).sum::<u64>().max(1) as f64;
    let (n, m) = (sum(|bin| bin.reference), sum(|bin| bin.current));
    let shares: Vec<(f64, f64)> = bins.iter().map(|bin| (bin.reference as f64 / n, bin.current as f64 / m)).collect();
    let most = shares.iter().fold(0.0_f64, |most, (then, now)| most.max(*then).max(*now));
    if most == 0.0 {
        return String::new();
    }
    let step = WIDTH as f64 / bins.len() as f64;
    let bar = |class: &str, at: f64, share: f64| {
        let height = share / most * HEIGHT as f64;
        let (top, wide) = (HEIGHT as f64 - height, step * 0.42);
        format!("<rect class=\"{class}\" x=\"{at:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{height:.1}\"/>")
    };
    let bars = shares.iter().zip(bins).enumerate().map(|(place, ((then, now), bin))| {
        let at = place as f64 * step;
        let title = format!("{}: {} then, {} now", bin.bin, bin.reference, bin.current);
        format!(
            "<g><title>{}</title>{}{}</g>",
            escaped(&title),
            bar("then", at, *then),
            bar("now", at + step * 0.45, *now)
        )
    });
    format!("<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">{}</svg>", bars.collect::<String>())
}

/// Text as HTML shows it, in an attribute too.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(char::REPLACEMENT_CHARACTER),
            c => safe.push(c),
        }
    }
    safe
}
