//! `regent performance`: predictions against what came true, and what the champion is held against; a door.

use clap::Subcommand;
use regent::console::{self, Filed, Ledger};
use regent::performance::PerformanceReport;
use regent::types::{ModelName, Timestamp};

use crate::edge::{Answer, Failure, Scene};
use crate::evidence;
use crate::part::Part;

/// Predictions against what came true
#[derive(Debug, Subcommand)]
pub enum Performance {
    /// Show the newest window whose labels were joined
    Show {
        /// The model
        model: Option<ModelName>,
    },
    /// Show every window, and every fuller join of one
    History {
        /// The model
        model: Option<ModelName>,
        #[command(flatten)]
        part: Part,
    },
    /// Show what the champion is held against
    Baseline {
        /// The model
        model: Option<ModelName>,
    },
}

impl Performance {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let (Performance::Show { model } | Performance::History { model, .. } | Performance::Baseline { model }) =
            &self;
        let model = workspace.model(model.clone())?;
        let ledger = Ledger::read(&workspace.store, &model)?;
        match self {
            Performance::Show { .. } => {
                let latest = console::latest(&workspace.store, &ledger, &model)?;
                let text = latest.report.as_ref().map_or_else(|| nothing(&model), text);
                Answer::new(text, &latest)
            }
            Performance::History { part, .. } => {
                let reports = console::performance_history(&workspace.store, &ledger, &model, &part.page())?;
                let texts: Vec<String> =
                    reports.reports.iter().map(text).chain(Part::more(reports.next.as_ref())).collect();
                let text = if texts.is_empty() { nothing(&model) } else { texts.join("\n\n") };
                Answer::new(text, &reports)
            }
            Performance::Baseline { .. } => {
                let told = console::baseline(&ledger, &model);
                let text = match &told.champion {
                    Some(champion) => {
                        let since: Timestamp = champion.since;
                        let mut lines = vec![format!("{model} {} since {since}", champion.version)];
                        let metrics = &champion.baseline.metrics;
                        lines.extend(metrics.iter().map(|metric| format!("  {}", metric.measurement)));
                        lines.join("\n")
                    }
                    None => format!("{model} has no champion yet"),
                };
                Answer::new(text, &told)
            }
        }
    }
}

fn nothing(model: &ModelName) -> String {
    format!("{model}: no labels were joined yet")
}

fn text(filed: &Filed<PerformanceReport>) -> String {
    match &filed.report {
        Some(report) => evidence::lines(&evidence::of_performance(report)).join("\n"),
        None => format!("the report {} of entry {} was archived", filed.sha256.short(), filed.entry),
    }
}
