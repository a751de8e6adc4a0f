//! `regent trust`: one number for how far a model may be trusted, and what it is made of; a door.

use clap::Args;
use regent::console::{self, Ledger, Trusted};
use regent::performance::Trust as Score;
use regent::types::{ModelName, Value};

use crate::edge::{Answer, Failure, Scene};

/// How far the model may be trusted now, and by what parts
#[derive(Debug, Args)]
pub struct Trust {
    /// The model
    model: Option<ModelName>,
}

impl Trust {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let model = workspace.model(self.model)?;
        let rules = workspace.governed(&model)?.rules;
        let ledger = Ledger::read(&workspace.store, &model)?;
        let trusted = console::trust(&workspace.store, &ledger, &model, &rules)?;
        Answer::new(text(&trusted), &trusted)
    }
}

fn text(Trusted { model, trust, .. }: &Trusted) -> String {
    let Some(trust) = trust else { return format!("{model}: nothing serves yet") };
    let mut lines = vec![headline(trust)];
    for part in &trust.parts {
        let window = part.window.map(|window| format!(", {window}")).unwrap_or_default();
        let (metric, n) = (&part.measurement.metric, part.measurement.n);
        let value = match &part.measurement.value {
            Value::Number(value) => format!("{value:.3}"),
            Value::NotComputable(why) => why.to_string(),
        };
        lines.push(format!("  {:.2} × {metric:<10} {value} (n {n}{window}): {}", part.weight, part.method));
    }
    lines.join("\n")
}

fn headline(trust: &Score) -> String {
    let Score { model, version, at_least, at_most, .. } = trust;
    match trust.score.number() {
        Some(score) => format!("{model} {version}: trust {score:.3}"),
        None => format!("{model} {version}: no score; between {at_least:.3} and {at_most:.3}, whatever is missing"),
    }
}
