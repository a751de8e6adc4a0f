//! `regent status`: what serves, where the candidate stands, every check, and what to do next; a door that writes nothing.

use clap::Args;
use regent::alert::{self, Alert, Lateness, Overdue};
use regent::contract;
use regent::govern::{Decision, Observation, Override, Standing, journal, overrides};
use regent::ingest;
use regent::promote::{self, Turn};
use regent::snapshot::Window;
use regent::store::{Key, Overlay, Store};
use regent::types::ModelName;
use serde_json::{Value, json};

use crate::edge::{Answer, Exit, Failure, Scene, Workspace, words};
use crate::evidence::{self, Detail, Evidence};
use crate::next::{self, Situation};
use crate::overrides as orders;

/// What serves, who walks, what was seen, and what to do next
#[derive(Debug, Args)]
pub struct Status {
    /// The model [default: all]
    model: Option<ModelName>,
}

impl Status {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        if let Some(model) = &self.model {
            let looked = look(&workspace, model, scene)?;
            return Answer::new(looked.text(), &json!({ "format_version": 1, "models": [looked.value()] }));
        }
        // One that cannot be read hides no other.
        let (mut texts, mut values, mut exit) = (Vec::new(), Vec::new(), Exit::Done);
        for model in workspace.models()? {
            match look(&workspace, &model, scene) {
                Ok(looked) => {
                    texts.push(looked.text());
                    values.push(looked.value());
                }
                Err(failure) => {
                    texts.push(format!("{model}\n  failed    {}", failure.sentence()));
                    values.push(json!({ "model": model, "failure": failure.to_json() }));
                    exit = failure.exit;
                }
            }
        }
        if texts.is_empty() {
            texts.push("there is no model here\n  next      regent init --example rain".to_owned());
        }
        Ok(Answer::new(texts.join("\n\n"), &json!({ "format_version": 1, "models": values }))?.ending(exit))
    }
}

/// A model as the governor would see it now.
struct Looked {
    model: ModelName,
    standing: Standing,
    rows: u64,
    decision: Decision,
    evidence: Vec<Evidence>,
    orders: Vec<Override>,
    alerts: Vec<Alert>,
    /// Notices that were tried and not delivered.
    overdue: Vec<Overdue>,
    /// What waits for the governor for too long.
    late: Option<String>,
    next: String,
}

/// Rehearse a tick over the workspace: the same eyes and the same reasons as the governor's, and no trace.
fn look(workspace: &Workspace, model: &ModelName, scene: &Scene) -> Result<Looked, Failure> {
    let governed = workspace.governed(model)?;
    let rehearsal = Overlay::over(&workspace.store);
    let tick = promote::tick(&governed.context(&rehearsal, "status"), scene.now, Turn::Rehearsal)?;
    let standing = tick.standing;
    let window = Window::holding(scene.now, governed.rules.windows.judge);
    // What came within the last minute is not sealed yet, so it cannot be asked for.
    let running = workspace.has_spooled()?;
    let situation = Situation {
        model,
        drafted: workspace.text(&format!("contracts/{model}.yaml"))?.is_some(),
        registered: !contract::registered(&workspace.store, model)?.is_empty(),
        datasets: ingest::datasets(&workspace.store, model)?.len(),
        standing: &standing,
        served: running || has(&workspace.store, model, "events")?,
        labelled: running || has(&workspace.store, model, "labels")?,
        held: tick.decision.held.is_some(),
        window_ends: window.end() + governed.rules.windows.grace,
    };
    let next = next::step(&situation);
    let alerts = alert::active(&workspace.store, model)?;
    let letters = alert::letters(&workspace.store, std::slice::from_ref(model))?;
    let overdue = alert::overdue(&letters, &workspace.settings.alerts, scene.now);
    let late = match alert::lateness(&standing, &governed.rules, workspace.settings.alerts.late_after, scene.now) {
        Lateness::Late { what } => Some(what),
        Lateness::Idle | Lateness::Awaited { .. } => None,
    };
    let evidence = evidence_of(workspace, model, &tick.observation, &tick.decision)?;
    let rows = tick.observation.data.rows;
    // One that cannot be read holds the model, and is said as that.
    let given = overrides::load(&workspace.store, model).unwrap_or_default();
    let orders = orders::sorted(&given, &standing, scene.now).in_force;
    let decision = tick.decision;
    Ok(Looked { model: model.clone(), standing, rows, decision, evidence, orders, alerts, overdue, late, next })
}

/// What the next decision would rest on; what retraining looked at comes from the newest entry if nothing is new.
fn evidence_of(
    workspace: &Workspace,
    model: &ModelName,
    observation: &Observation,
    decision: &Decision,
) -> Result<Vec<Evidence>, Failure> {
    let mut evidence = evidence::of(observation, Detail::Newest);
    let retrain = match &decision.record {
        Some(record) => record.retrain.clone(),
        None => journal::read(&workspace.store, model)?.pop().and_then(|(entry, _)| entry.decision.retrain),
    };
    evidence.extend(retrain.iter().map(evidence::of_retraining));
    Ok(evidence)
}

fn has(store: &dyn Store, model: &ModelName, what: &str) -> Result<bool, Failure> {
    Ok(!store.list_folder(&Key::new(&format!("var/{model}/{what}"))?)?.is_empty())
}

impl Looked {
    fn text(&self) -> String {
        let mut lines = vec![self.model.to_string()];
        let mut row = |name: &str, text: String| lines.push(format!("  {name:<9} {text}"));
        match &self.standing.champion {
            Some(champion) => row(
                "serves",
                format!("{} since {} (bundle {})", champion.version, champion.since, champion.bundle.short()),
            ),
            None => row("serves", "nothing yet".to_owned()),
        }
        if let Some(candidate) = &self.standing.candidate {
            row("candidate", format!("{} {} since {}", candidate.version, candidate.state, candidate.since));
        }
        row("rows", format!("{} labelled", self.rows));
        self.orders.iter().for_each(|order| row("order", orders::line(order)));
        let due = self.decision.record.iter().flat_map(|record| &record.transitions);
        due.for_each(|step| row("due", words::step(step)));
        self.decision.held.iter().for_each(|why| row("held", why.clone()));
        self.decision.notes.iter().for_each(|note| row("note", note.clone()));
        self.late.iter().for_each(|what| row("late", what.clone()));
        self.alerts.iter().for_each(|alert| row("alert", alert.to_string()));
        self.overdue.iter().for_each(|overdue| row("untold", overdue.to_string()));
        row("next", self.next.clone());
        for evidence in &self.evidence {
            lines.push(String::new());
            lines.extend(evidence::lines(evidence).into_iter().map(|line| format!("  {line}")));
        }
        lines.join("\n")
    }

    fn value(&self) -> Value {
        json!({
            "model": self.model,
            "champion": self.standing.champion,
            "candidate": self.standing.candidate,
            "rows": self.rows,
            "due": self.decision.record.as_ref().map(|record| &record.transitions),
            "held": self.decision.held,
            "notes": self.decision.notes,
            "orders": self.orders,
            "alerts": self.alerts,
            "overdue": self.overdue,
            "late": self.late,
            "evidence": self.evidence,
            "next": self.next,
        })
    }
}
