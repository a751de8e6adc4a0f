//! `regent override`: a person's orders as files, written, listed and cleared away; a door. What a person could do with an editor,
//! with the digest filled in and the file read as the governor will read it.

mod clear;
mod set;

use clap::Subcommand;
use regent::govern::{self, Orders, Override, Standing, overrides};
use regent::types::{ModelName, Timestamp};
use serde_json::{Value, json};

use crate::edge::{Answer, Failure, Scene, Workspace};
use clear::Clear;
use set::Set;

/// Overrule the governor: freeze, pin, approve, promote, reject, rollback, retrain, clock
#[derive(Debug, Subcommand)]
pub enum Overrides {
    /// Give an order: write its file, as the governor will read it
    Set(Box<Set>),
    /// List the orders that stand, and what becomes of each
    List {
        /// The model [default: all]
        model: Option<ModelName>,
    },
    /// Take an order back: move its file away from the orders, and keep it
    Clear(Clear),
}

impl Overrides {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        match self {
            Overrides::Set(set) => set.run(scene),
            Overrides::List { model } => list(model.as_ref(), scene),
            Overrides::Clear(clear) => clear.run(scene),
        }
    }
}

/// An order for a model that does not exist would make one.
fn known(workspace: &Workspace, model: &ModelName) -> Result<(), Failure> {
    let models = workspace.models()?;
    if models.contains(model) {
        return Ok(());
    }
    let names: Vec<&str> = models.iter().map(ModelName::as_str).collect();
    Err(Failure::usage(format!("there is no model `{model}` here; there is {}", names.join(", "))))
}

/// `approve 1.1.0 (bundle 6f1c…)`
fn meant(order: &Override) -> String {
    let version = order.version.map(|version| format!(" {version}")).unwrap_or_default();
    let bundle = order.bundle.map(|bundle| format!(" (bundle {})", bundle.short())).unwrap_or_default();
    format!("{}{version}{bundle}", order.order)
}

/// Every order that stands, the strictest first of each model.
fn list(model: Option<&ModelName>, scene: &Scene) -> Result<Answer, Failure> {
    let workspace = scene.workspace()?;
    let (mut lines, mut values): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
    for model in workspace.chosen(model)? {
        known(&workspace, &model)?;
        let standing = govern::fold(&workspace.store, &model)?;
        let mut orders = overrides::load(&workspace.store, &model)?;
        orders.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        for order in &orders {
            let state = state(order, &standing, scene.now);
            lines.push(format!(
                "{model}  {}  {}  {state}  by {}: {}",
                order.id,
                meant(order),
                order.author,
                order.reason
            ));
            values.push(json!({ "override": order, "state": state }));
        }
    }
    let text = if lines.is_empty() { "no order stands".to_owned() } else { lines.join("\n") };
    Answer::new(text, &json!({ "format_version": 1, "overrides": values }))
}

/// The orders in force, and what is said of the others.
pub fn sorted(orders: &[Override], standing: &Standing, now: Timestamp) -> Orders {
    Orders::of(orders, standing, None, now)
}

/// `approve 1.1.0 (bundle 6f1c…) until 2026-11-22T10:00:00Z by ana: the radar is down`
pub fn line(order: &Override) -> String {
    format!("{} until {} by {}: {}", meant(order), order.expires, order.author, order.reason)
}

/// What becomes of an order: in the governor's words, where it has something to say.
fn state(order: &Override, standing: &Standing, now: Timestamp) -> String {
    let Orders { refused, notes, .. } = sorted(std::slice::from_ref(order), standing, now);
    match refused.iter().chain(&notes).next() {
        None => format!("in force until {}", order.expires),
        Some(note) => {
            let said = format!("override `{}` ({})", order.id, order.order);
            note.strip_prefix(&said).unwrap_or(note).trim_start_matches([' ', ':']).to_owned()
        }
    }
}
