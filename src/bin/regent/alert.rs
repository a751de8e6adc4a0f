//! `regent alert`: what a person must know now, what they had to know before, and whether it reaches them; a door.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets};
use regent::alert::{self, AlertId, Letter, Message, Overdue, deliver};
use regent::console;
use regent::store::{Overlay, Store};
use regent::types::{ModelName, RouteName};
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene};
use crate::part::Part;

/// Alerts that stand, their history, and the routes to people
#[derive(Debug, Subcommand)]
pub enum Alert {
    /// List the alerts that stand, and what of them could not be delivered
    List(List),
    /// Say that you know of an alert: no reminders until it is worse
    Ack(Ack),
    /// Send a test message now and say what came of it
    #[command(after_help = "Exit codes: 0 every route took it, 1 one did not, 2 there is no such route")]
    Test(Test),
}

#[derive(Debug, Args)]
pub struct List {
    /// Only this model's [default: all]
    #[arg(long)]
    model: Option<ModelName>,
    /// Also what was resolved
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    part: Part,
}

#[derive(Debug, Args)]
pub struct Ack {
    /// The alert: MODEL/TYPE, as `regent alert list` shows it
    #[arg(value_name = "ID")]
    id: String,
    /// Who knows
    #[arg(long, env = "USER", hide_env_values = true, value_name = "NAME")]
    by: String,
    /// What you do about it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Test {
    /// Only this route [default: all]
    #[arg(long, value_name = "NAME")]
    route: Option<RouteName>,
    /// Who tries
    #[arg(long, env = "USER", hide_env_values = true, value_name = "NAME", default_value = "somebody")]
    by: String,
    /// Send nothing; look whether secrets and certificates are where they should be
    #[arg(long)]
    dry_run: bool,
}

impl Alert {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        match self {
            Alert::List(list) => list.run(scene),
            Alert::Ack(ack) => ack.run(scene),
            Alert::Test(test) => test.run(scene),
        }
    }
}

impl List {
    fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let models = workspace.chosen(self.model.as_ref())?;
        let (rules, page) = (&workspace.settings.alerts, self.part.page());
        let listed = console::alerts(&workspace.store, &models, self.all, rules, &page, scene.now)?;
        let letters = alert::letters(&workspace.store, &models)?;
        let lines: Vec<String> = [text(&listed.alerts, &letters, &listed.overdue)]
            .into_iter()
            .chain(Part::more(listed.next.as_ref()))
            .collect();
        Answer::new(lines.join("\n"), &listed)
    }
}

fn text(alerts: &[alert::Alert], letters: &[Letter], overdue: &[Overdue]) -> String {
    let mut lines = Vec::new();
    if alerts.is_empty() {
        lines.push("no alert stands".to_owned());
    } else {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["alert", "level", "state", "since", "told", "what"]);
        for alert in alerts {
            table.add_row([
                alert.id.to_string(),
                alert.level.to_string(),
                state(alert),
                alert.since.to_string(),
                told(alert, letters),
                alert.text.clone(),
            ]);
        }
        lines.extend(table.trim_fmt().lines().map(|line| line.trim().to_owned()));
    }
    lines.extend(overdue.iter().map(|overdue| format!("untold  {overdue}")));
    lines.join("\n")
}

/// `fired`, `acknowledged by ana: on it`, `resolved 2026-11-21T12:00:00Z`
fn state(alert: &alert::Alert) -> String {
    match (&alert.resolved_at, &alert.acknowledged) {
        (Some(at), _) => format!("resolved {at}"),
        (None, Some(known)) => {
            let note = known.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            format!("acknowledged by {}{note}", known.by)
        }
        (None, None) if alert.reminders > 0 => format!("fired, {} reminders", alert.reminders),
        (None, None) => "fired".to_owned(),
    }
}

/// `ops, pager`, and which of its routes have not heard of it: `ops, not pager`.
fn told(alert: &alert::Alert, letters: &[Letter]) -> String {
    let mut routes: BTreeMap<&RouteName, bool> = alert.to.iter().map(|route| (route, false)).collect();
    for letter in letters.iter().filter(|letter| letter.notice.alert() == alert.id && letter.notice.at >= alert.since) {
        if letter.delivered_at().is_some() {
            routes.insert(&letter.route, true);
        }
    }
    let words = routes.iter().map(|(route, heard)| if *heard { route.to_string() } else { format!("not {route}") });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "nobody".to_owned() } else { words.join(", ") }
}

impl Ack {
    fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let id: AlertId = self.id.parse()?;
        let rehearsal = Overlay::over(&workspace.store);
        let store: &dyn Store = if self.dry_run { &rehearsal } else { &workspace.store };
        let notice = alert::acknowledge(store, &id, &self.by, self.note.as_deref(), scene.now)?;
        let verb = if self.dry_run { "would acknowledge" } else { "acknowledged" };
        let text = format!("{verb} {id} by {}: no reminders until it is worse", self.by);
        let value = json!({ "format_version": 1, "dry_run": self.dry_run, "notice": notice });
        let answer = Answer::new(text, &value)?;
        let tells = !self.dry_run && !notice.to.is_empty();
        Ok(if tells { answer.next("governor, which tells the routes") } else { answer })
    }
}

impl Test {
    fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let rules = &workspace.settings.alerts;
        let named = |name: &RouteName| self.route.as_ref().is_none_or(|route| route == name);
        let routes: Vec<_> = rules.routes.iter().filter(|(name, _)| named(name)).collect();
        if routes.is_empty() {
            let what = match &self.route {
                Some(route) => format!("regent.yaml names no route `{route}`"),
                None => "regent.yaml names no routes".to_owned(),
            };
            return Err(Failure::usage(what).hint("write it under `alerts: routes:`, as docs/alerts.md shows"));
        }
        let message = Message::test(&rules.source, &self.by, scene.now);
        let (mut lines, mut values, mut exit) = (Vec::new(), Vec::new(), Exit::Done);
        for (name, route) in routes {
            let outcome = match self.dry_run {
                true => deliver::ready(&workspace.root, route).map(|()| "ready; nothing was sent".to_owned()),
                false => deliver::send(&workspace.root, route, &message),
            };
            let (word, said) = match &outcome {
                Ok(said) => ("ok", said),
                Err(why) => {
                    exit = Exit::Internal;
                    ("failed", why)
                }
            };
            lines.push(format!("{name}: {word}: {said}"));
            values.push(json!({ "route": name, "ok": outcome.is_ok(), "said": said }));
        }
        let value = json!({ "format_version": 1, "dry_run": self.dry_run, "routes": values });
        Ok(Answer::new(lines.join("\n"), &value)?.ending(exit))
    }
}
