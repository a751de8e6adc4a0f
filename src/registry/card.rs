//! `MODEL_CARD.md`: a version in words for people; pure.

use std::fmt::Write;

use super::bundle::Metadata;
use crate::contract::{Contract, Task};
use crate::scoring::Calibration;
use crate::train::Candidate;

/// How many features are named by importance.
const FEATURES: usize = 20;

/// The text of the card.
pub fn print(metadata: &Metadata, candidate: &Candidate, contract: &Contract) -> String {
    let mut card = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut card, metadata, candidate, contract);
    card
}

fn write(card: &mut String, metadata: &Metadata, candidate: &Candidate, contract: &Contract) -> std::fmt::Result {
    let Metadata { name, version, path, parents, .. } = metadata;
    let Candidate { family, extent, .. } = candidate;
    let answer = match metadata.task {
        Task::Binary => "the probability of",
        Task::Regression => "the value of",
    };
    writeln!(card, "# {name} {version}\n")?;
    writeln!(card, "Answers with {answer} `{}`. A {family} model, trained as a {path}.\n", contract.target())?;
    let description = contract.raw().description.trim();
    if !description.is_empty() {
        writeln!(card, "{description}\n")?;
    }
    writeln!(card, "## What it learned from\n")?;
    writeln!(
        card,
        "Of {} rows the newest {}: fitted on {}, calibrated on the next {}, fitted once more on both, measured on the newest {}.\n",
        extent.rows, extent.look_back, extent.fit, extent.calibrate, extent.report
    )?;
    for (what, digest) in [("Plan", &parents.plan), ("Contract", &parents.contract.sha256)] {
        writeln!(card, "- {what}: `{digest}`")?;
    }
    for dataset in &parents.datasets {
        writeln!(card, "- Dataset: `{dataset}`")?;
    }
    writeln!(card, "- Program: {}, seed {}\n", parents.engine, parents.seed)?;
    writeln!(card, "## How good it is\n")?;
    writeln!(card, "| metric | value | 95 % interval | n |\n|---|---:|---|---:|")?;
    for metric in &candidate.metrics.metrics {
        let measured = &metric.measurement;
        let interval =
            metric.interval.map_or_else(String::new, |ends| format!("{:.4} to {:.4}", ends.lower, ends.upper));
        writeln!(card, "| {} | {} | {interval} | {} |", measured.metric, measured.value, measured.n)?;
    }
    if let Some(threshold) = candidate.metrics.threshold {
        writeln!(
            card,
            "\nF1 and accuracy call a row positive from {threshold:.4} on. The model itself never decides."
        )?;
    }
    writeln!(card, "\n{}\n", calibration(candidate))?;
    writeln!(card, "## What it looks at\n")?;
    writeln!(card, "| feature | importance |\n|---|---:|")?;
    let mut features: Vec<_> = candidate.profile.features.iter().collect();
    features.sort_by(|a, b| b.importance.total_cmp(&a.importance));
    for feature in features.iter().take(FEATURES) {
        writeln!(card, "| {} | {:.3} |", feature.name, feature.importance)?;
    }
    let forbidden = &contract.raw().forbidden;
    if !forbidden.is_empty() {
        writeln!(card, "\n## What it must not see\n")?;
        for column in forbidden {
            writeln!(card, "- `{}`: {}", column.column, column.reason)?;
        }
    }
    tried(card, candidate)
}

fn calibration(candidate: &Candidate) -> String {
    let rows = candidate.calibrated_on.len();
    match candidate.scorer.calibration() {
        Calibration::Platt(map) => {
            format!("Calibrated by Platt's map, slope {:.3}, offset {:.3}, on {rows} rows.", map.a(), map.b())
        }
        Calibration::Isotonic(map) => {
            format!("Calibrated by an isotonic map of {} knots on {rows} rows.", map.x().len())
        }
        Calibration::Conformal(map) => format!(
            "Intervals should hold {:.0} % of what comes true; their width was measured on {rows} rows.",
            map.served_level() * 100.0
        ),
    }
}

fn tried(card: &mut String, candidate: &Candidate) -> std::fmt::Result {
    let log = &candidate.log;
    writeln!(card, "\n## What was tried\n")?;
    for step in &log.steps {
        let taken = if step.taken { "taken" } else { "not taken" };
        writeln!(
            card,
            "- {} rows instead of {}: {} changes by {} on {} newer rows; {taken}.",
            step.to, step.from, log.loss, step.change, step.validated
        )?;
    }
    for trial in &log.families {
        writeln!(
            card,
            "- {} on {} rows: {} {} on {} newer rows.",
            trial.family, trial.fitted, log.loss, trial.loss, trial.validated
        )?;
    }
    if !log.steps.is_empty() {
        writeln!(
            card,
            "\nThe look-back was chosen on rows that partly are among the rows reported on; model, calibration and threshold were not."
        )?;
    }
    Ok(())
}
