//! `regent doctor`: everything that could be wrong with a workspace, and what to do about it; a door that writes nothing.
//!
//! It judges with the library's own eyes: the journal is folded, bundles and datasets verify themselves. What it adds is the
//! ground they stand on: permissions, room, clocks, leftovers, and whether the governor still comes.

mod alerts;
mod evidence;
mod ground;
mod running;
mod walk;

use std::fmt;

use clap::Args;
use regent::types::ModelName;
use serde::Serialize;
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene};

/// Look for everything that could be wrong, and say what to do; writes nothing
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing that must be mended, 1 no room or no access, 4 a file that people write is not \
                        valid, 5 what is stored is damaged, or open to others"
)]
pub struct Doctor {
    /// The model [default: all]
    model: Option<ModelName>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// As it should be.
    Ok,
    /// Nothing is lost or wrong yet.
    Warn,
    /// It must be mended.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Finding {
    level: Level,
    /// `permissions`, `clock`, `room`, `chain` …
    check: &'static str,
    /// Whose it is; none for the whole workspace.
    model: Option<ModelName>,
    /// What was found.
    what: String,
    /// What to do about it.
    mend: Option<String>,
    /// How the command ends for it.
    #[serde(skip)]
    exit: Exit,
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Finding {
        Finding { level: Level::Ok, check, model: None, what: what.into(), mend: None, exit: Exit::Done }
    }

    fn warn(check: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { level: Level::Warn, mend: Some(mend.into()), ..Finding::ok(check, what) }
    }

    fn fail(check: &'static str, exit: Exit, what: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { level: Level::Fail, exit, ..Finding::warn(check, what, mend) }
    }

    /// A failure of the library: in its own words, under its own code.
    fn failed(check: &'static str, failure: &Failure, mend: impl Into<String>) -> Finding {
        Finding::fail(check, failure.exit, failure.sentence(), mend)
    }

    fn of(self, model: &ModelName) -> Finding {
        Finding { model: Some(model.clone()), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "fail",
        };
        let whose = self.model.as_ref().map(|model| format!("{model}: ")).unwrap_or_default();
        write!(f, "{level:<5} {:<12} {whose}{}", self.check, self.what)?;
        self.mend.iter().try_for_each(|mend| write!(f, "  → {mend}"))
    }
}

impl Doctor {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let models = workspace.chosen(self.model.as_ref())?;
        let mut findings = ground::look(&workspace.root, &models, scene.now);
        findings.extend(running::spool(&workspace.root.join("var/spool"), scene.now));
        findings.extend(alerts::look(&workspace, &models, scene.now));
        for model in &models {
            let mut of_model = evidence::look(&workspace, model);
            of_model.extend(running::look(&workspace, model, scene.now));
            findings.extend(of_model.into_iter().map(|finding| finding.of(model)));
        }
        let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        let value = json!({
            "format_version": 1, "ok": count(Level::Ok), "warn": count(Level::Warn), "fail": count(Level::Fail),
            "findings": findings,
        });
        let exits = findings.iter().map(|finding| finding.exit);
        Ok(Answer::new(text.join("\n"), &value)?.ending(exits.max_by_key(|exit| urgency(*exit)).unwrap_or(Exit::Done)))
    }
}

/// `1 dataset`, `2 datasets`
fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Of several codes the most urgent is the command's: what is damaged, then what people must mend, then the machine.
fn urgency(exit: Exit) -> usize {
    let order = [Exit::Internal, Exit::Invalid, Exit::Integrity];
    // What stored files of another kind say of themselves (a missing version, say) is damage to whoever relies on them.
    if exit == Exit::Done { 0 } else { 1 + order.iter().position(|known| *known == exit).unwrap_or(order.len()) }
}
