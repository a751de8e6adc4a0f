//! `regent drift`: what the drift reports say, every feature, and how often they would say it of nothing; a door.

use clap::Subcommand;
use regent::console::{self, Concept, Filed, Ledger};
use regent::drift::DriftReport;
use regent::store::Store;
use regent::types::{Measurement, ModelName, Version};

use crate::edge::{Answer, Failure, Scene};
use crate::evidence;
use crate::null::Null;
use crate::part::Part;

/// Has the world moved? Then against now
#[derive(Debug, Subcommand)]
pub enum Drift {
    /// Show the newest window compared, every feature
    Show {
        /// The model
        model: Option<ModelName>,
        /// The version whose profile is the reference [default: each that was compared]
        #[arg(long)]
        version: Option<Version>,
        /// The newest so many reports
        #[arg(long, value_name = "N")]
        last: Option<usize>,
    },
    /// Show every window compared
    History {
        /// The model
        model: Option<ModelName>,
        #[command(flatten)]
        part: Part,
    },
    /// Show whether the prediction moved while no feature did
    Concept {
        /// The model
        model: Option<ModelName>,
    },
    Null(Null),
}

impl Drift {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        match self {
            Drift::Show { model, version, last } => look(scene, model, |store, ledger, model| {
                let newest = console::drift(store, ledger, model, version, last)?;
                Answer::new(texts(model, &newest.reports, None), &newest)
            }),
            Drift::History { model, part } => look(scene, model, |store, ledger, model| {
                let reports = console::drift_history(store, ledger, model, &part.page())?;
                Answer::new(texts(model, &reports.reports, reports.next.as_ref()), &reports)
            }),
            Drift::Concept { model } => look(scene, model, |store, ledger, model| {
                let concept = console::concept(store, ledger, model)?;
                Answer::new(of_concept(&concept), &concept)
            }),
            Drift::Null(command) => command.run(scene),
        }
    }
}

/// Look at a model's ledger.
fn look(
    scene: &Scene,
    model: Option<ModelName>,
    at: impl FnOnce(&dyn Store, &Ledger, &ModelName) -> Result<Answer, Failure>,
) -> Result<Answer, Failure> {
    let workspace = scene.workspace()?;
    let model = workspace.model(model)?;
    at(&workspace.store, &Ledger::read(&workspace.store, &model)?, &model)
}

fn texts(model: &ModelName, reports: &[Filed<DriftReport>], next: Option<&String>) -> String {
    let texts: Vec<String> = reports.iter().map(text).chain(Part::more(next)).collect();
    if texts.is_empty() { format!("{model}: no window was compared yet") } else { texts.join("\n\n") }
}

fn text(filed: &Filed<DriftReport>) -> String {
    let Some(report) = &filed.report else {
        return format!("the report {} of entry {} was archived", filed.sha256.short(), filed.entry);
    };
    let mut lines = evidence::lines(&evidence::of_drift(report));
    for feature in &report.features {
        let shown: Vec<String> = feature.shown.iter().map(Measurement::to_string).collect();
        if !shown.is_empty() {
            lines.push(format!("  {} (importance {:.3}): {}", feature.feature, feature.importance, shown.join(", ")));
        }
    }
    lines.join("\n")
}

fn of_concept(concept: &Concept) -> String {
    let mut lines = vec![format!("concept drift of {}: {}", concept.model, concept.verdict)];
    for moved in &concept.windows {
        lines.push(format!("  {} {}: {}", moved.window, moved.version, moved.concept_drifted));
        lines.extend(moved.prediction.iter().map(|check| format!("    {check}")));
    }
    lines.join("\n")
}
