//! `regent drift`: what the drift reports say, every feature, and how often they would say it of nothing; a door.

use clap::Subcommand;
use regent::drift::DriftReport;
use regent::store::{Key, Store};
use regent::types::{Measurement, ModelName, Version};
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene};
use crate::evidence;
use crate::null::Null;

/// Has the world moved? Then against now
#[derive(Debug, Subcommand)]
pub enum Drift {
    /// Show the newest report, every feature
    Show {
        /// The model
        model: Option<ModelName>,
        /// The version whose profile is the reference [default: whichever was last compared]
        #[arg(long)]
        version: Option<Version>,
        /// The newest so many reports
        #[arg(long, default_value_t = 1, value_name = "N")]
        last: usize,
    },
    Null(Null),
}

impl Drift {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let (model, version, last) = match self {
            Drift::Null(command) => return command.run(scene),
            Drift::Show { model, version, last } => (model, version, last),
        };
        let workspace = scene.workspace()?;
        let model = workspace.model(model)?;
        let mut reports = all(&workspace.store, &model)?;
        reports.retain(|report| version.is_none_or(|version| report.version == version));
        let skipped = reports.len().saturating_sub(last);
        let newest = reports.get(skipped..).unwrap_or_default();
        let texts: Vec<String> = newest.iter().map(text).collect();
        let text = if texts.is_empty() { format!("{model}: no window was compared yet") } else { texts.join("\n\n") };
        Answer::new(text, &json!({ "format_version": 1, "model": model, "reports": newest }))
    }
}

fn all(store: &dyn Store, model: &ModelName) -> Result<Vec<DriftReport>, Failure> {
    let keys = store.list(&Key::new(&format!("var/{model}/reports/drift"))?)?;
    let read = |key: Key| {
        let bytes = store.read(&key)?;
        serde_json::from_slice(&bytes).map_err(|error| Failure::because(Exit::Integrity, format!("read {key}"), error))
    };
    let mut reports: Vec<DriftReport> = keys.into_iter().map(read).collect::<Result<_, Failure>>()?;
    reports.sort_by_key(|report| (report.window, report.version));
    Ok(reports)
}

fn text(report: &DriftReport) -> String {
    let mut lines = evidence::lines(&evidence::of_drift(report));
    for feature in &report.features {
        let shown: Vec<String> = feature.shown.iter().map(Measurement::to_string).collect();
        if !shown.is_empty() {
            lines.push(format!("  {} (importance {:.3}): {}", feature.feature, feature.importance, shown.join(", ")));
        }
    }
    lines.join("\n")
}
