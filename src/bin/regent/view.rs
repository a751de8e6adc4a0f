//! `regent view`: the newest windows of one size side by side; a door.

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use regent::console::{self, Answered, Window, Windows};
use regent::train::Metric;
use regent::types::{Measurement, ModelName, Span, Value};

use crate::edge::{Answer, Failure, Scene};

/// Traffic, latency, drift and performance, window by window
#[derive(Debug, Args)]
pub struct View {
    /// The model
    model: Option<ModelName>,
    /// The size of the windows: 5m, 1h, 24h [default: the judged one]
    #[arg(long, value_name = "SIZE")]
    window: Option<Span>,
    /// The newest so many windows
    #[arg(long, default_value_t = 12, value_name = "N")]
    last: usize,
}

impl View {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let model = workspace.model(self.model)?;
        let rules = workspace.governed(&model)?.rules;
        let size = self.window.unwrap_or(rules.windows.judge);
        let windows = console::windows(&workspace.store, &model, &rules, size, self.last, scene.now)?;
        Answer::new(text(&windows), &windows)
    }
}

const HEADER: [&str; 12] = [
    "window",
    "version",
    "requests",
    "refused",
    "score",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "drift",
    "labelled",
    "measured",
    "estimated",
];

fn text(windows: &Windows) -> String {
    if windows.windows.is_empty() {
        return format!("{}: no window of {} is sealed yet", windows.model, windows.size);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(HEADER);
    for window in &windows.windows {
        if window.versions.is_empty() {
            table.add_row(row(window, None));
        }
        for answered in &window.versions {
            table.add_row(row(window, Some(answered)));
        }
    }
    let mut lines: Vec<String> = table.trim_fmt().lines().map(|line| line.trim().to_owned()).collect();
    let notes = windows.windows.iter().flat_map(|window| &window.versions).filter(|version| !version.note.is_empty());
    let mut notes: Vec<String> = notes.map(|version| format!("{}: {}", version.version, version.note)).collect();
    notes.dedup();
    lines.extend(notes);
    lines.join("\n")
}

fn row(window: &Window, answered: Option<&Answered>) -> Vec<String> {
    let none = || "–".to_owned();
    let mut cells = vec![
        window.window.start.to_string(),
        answered.map_or_else(none, |answered| answered.version.to_string()),
        window.requests.to_string(),
        share(&window.refused_share),
    ];
    let Some(answered) = answered else {
        cells.resize(HEADER.len(), none());
        return cells;
    };
    let drift = answered.drift.as_ref().map_or_else(none, |moved| match moved.features.len() {
        0 => moved.verdict.to_string(),
        _ => format!("{}: {}", moved.verdict, moved.features.join(" ")),
    });
    cells.push(number(&answered.score_mean));
    cells.extend(answered.latency.iter().map(millis));
    cells.push(drift);
    cells.push(share(&answered.labelled_share));
    cells.push(leading(answered.metrics.iter()));
    cells.push(leading(answered.estimated.iter().map(|estimated| &estimated.metric)));
    cells
}

/// The metric that verdicts lean on, with its interval: `auc 0.81 [0.76, 0.85]`.
fn leading<'a>(mut metrics: impl Iterator<Item = &'a Metric>) -> String {
    let leads = |metric: &&Metric| ["auc", "r2"].contains(&metric.measurement.metric.as_str());
    let Some(metric) = metrics.find(leads) else { return "–".to_owned() };
    match (&metric.measurement.value, metric.interval) {
        (Value::Number(value), Some(within)) => {
            format!("{} {value:.3} [{:.3}, {:.3}]", metric.measurement.metric, within.lower, within.upper)
        }
        (Value::Number(_) | Value::NotComputable(_), _) => "–".to_owned(),
    }
}

fn number(measured: &Measurement) -> String {
    measured.value.number().map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

fn share(measured: &Measurement) -> String {
    measured.value.number().map_or_else(|| "–".to_owned(), |share| format!("{:.1}%", 100.0 * share))
}

fn millis(measured: &Measurement) -> String {
    measured.value.number().map_or_else(|| "–".to_owned(), |us| format!("{:.1}", us / 1_000.0))
}
