//! Reports in, one of four decisions out; pure. Nothing unconfirmed and nothing unknown ever trains.

use std::collections::BTreeSet;

use serde::Serialize;

use super::rules::RetrainRules;
use super::{Action, Priority, RetrainDecision};
use crate::drift::{ConfirmedDrift, Severity};
use crate::performance::ConfirmedLoss;
use crate::train::Path;
use crate::types::{Check, Digest, Measurement, Operator, Timestamp, Verdict, digest_json};

/// What happened before.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// When the last training was pinned; none if there was none.
    pub trained_at: Option<Timestamp>,
    /// The end of the newest window whose labels were mature at that time.
    pub trained_until: Option<Timestamp>,
    /// The evidence of every training so far.
    pub trained_on: &'a BTreeSet<Digest>,
    /// Labelled rows that the last training did not have.
    pub new_rows: u64,
    /// Rows that the champion was fitted on.
    pub learned_rows: u64,
    /// How the champion was made; none if that cannot be read.
    pub path: Option<Path>,
}

/// One condition: what it says, and what follows from its failing.
struct Condition {
    check: Check,
    action: Action,
    priority: Priority,
    reason: &'static str,
}

/// Decide what should become of the model's training.
pub fn retrain(
    drift: &ConfirmedDrift,
    loss: &ConfirmedLoss,
    history: &History<'_>,
    rules: &RetrainRules,
    now: Timestamp,
) -> RetrainDecision {
    let conditions = conditions(drift, loss, history, rules, now);
    let met = || conditions.iter().filter(|condition| condition.check.verdict == Verdict::Fail);
    let unknown = conditions.iter().any(|condition| condition.check.verdict != Verdict::Pass);
    let calmest = if unknown { Action::Monitor } else { Action::NoAction };
    let action = met().map(|condition| condition.action).max().unwrap_or(calmest).max(calmest);
    let priority = met().map(|condition| condition.priority).max().unwrap_or(Priority::Low);
    let mut reasons: Vec<String> =
        met().map(|condition| format!("{}: {}", condition.reason, condition.check)).collect();
    let id = evidence(drift, loss, history, action);
    let obstacles = obstacles(loss, history, rules, id, now);
    let wants = action >= rules.on;
    if wants {
        reasons.extend(obstacles.iter().map(|obstacle| format!("not now: {obstacle}")));
    }
    RetrainDecision {
        id,
        action,
        priority,
        starts: wants && obstacles.is_empty(),
        conditions: conditions.into_iter().map(|condition| condition.check).collect(),
        reasons,
    }
}

fn conditions(
    drift: &ConfirmedDrift,
    loss: &ConfirmedLoss,
    history: &History<'_>,
    rules: &RetrainRules,
    now: Timestamp,
) -> Vec<Condition> {
    let severe = drift.severity == Severity::Severe;
    let mut conditions = vec![
        Condition {
            check: drift.check.clone(),
            action: if severe { Action::RetrainRequired } else { Action::RetrainRecommended },
            priority: if severe { Priority::High } else { Priority::Medium },
            reason: if severe { "severe drift is confirmed" } else { "drift is confirmed" },
        },
        Condition {
            check: loss.check.clone(),
            action: Action::RetrainRequired,
            priority: Priority::High,
            reason: "a performance loss is confirmed",
        },
        Condition {
            check: catastrophe(loss),
            action: Action::RetrainRequired,
            priority: Priority::Critical,
            reason: "performance fell catastrophically",
        },
    ];
    if rules.outgrown > 0.0 {
        let line = rules.outgrown * history.learned_rows as f64;
        let new = Measurement::new("new_rows", history.new_rows as f64, history.new_rows);
        conditions.push(Condition {
            check: Check::require(new, Operator::Less, line.max(1.0), 0),
            action: Action::RetrainRequired,
            priority: Priority::Low,
            reason: "the champion has been outgrown",
        });
    }
    if let (Some(every), Some(at)) = (rules.every, history.trained_at) {
        let age = Measurement::new("secs_since_training", now.since(at).secs(), 1);
        conditions.push(Condition {
            check: Check::require(age, Operator::Less, every.secs(), 0),
            action: Action::RetrainRecommended,
            priority: Priority::Low,
            reason: "the schedule is due",
        });
    }
    conditions
}

fn catastrophe(loss: &ConfirmedLoss) -> Check {
    let lost = f64::from(u8::from(loss.catastrophic == Verdict::Fail));
    let check = Check::require(Measurement::new("catastrophic_windows", lost, 1), Operator::Less, 1.0, 0);
    match loss.catastrophic {
        Verdict::Insufficient | Verdict::Error => Check { verdict: loss.catastrophic, ..check },
        Verdict::Pass | Verdict::Fail => check,
    }
}

/// Why a training that is wanted does not start now.
fn obstacles(
    loss: &ConfirmedLoss,
    history: &History<'_>,
    rules: &RetrainRules,
    id: Digest,
    now: Timestamp,
) -> Vec<String> {
    let mut obstacles = Vec::new();
    // Whoever serves elsewhere is not replaced by what is trained here, so nobody trains for nothing.
    if history.path == Some(Path::MonitorOnly) {
        let what = "the champion answers elsewhere, where it is retrained; a `retrain` override has Regent train one of its own";
        obstacles.push(what.to_owned());
    }
    if history.trained_on.contains(&id) {
        obstacles.push("this evidence has trained already".to_owned());
    }
    if history.new_rows < rules.min_new_rows {
        obstacles.push(format!("{} new labelled rows, needs {}", history.new_rows, rules.min_new_rows));
    }
    let newer = loss.catastrophic == Verdict::Fail && loss.onset >= history.trained_until && loss.onset.is_some();
    if let Some(at) = history.trained_at
        && !newer
        && now.since(at) < rules.cooldown
    {
        obstacles.push(format!("cooldown of {} until {}", rules.cooldown, at + rules.cooldown));
    }
    obstacles
}

/// The SHA-256 of what a decision rests on.
fn evidence(drift: &ConfirmedDrift, loss: &ConfirmedLoss, history: &History<'_>, action: Action) -> Digest {
    #[derive(Serialize)]
    struct Evidence<'a> {
        drift: &'a ConfirmedDrift,
        loss: &'a ConfirmedLoss,
        trained_at: Option<Timestamp>,
        new_rows: u64,
        action: Action,
    }
    let evidence = Evidence { drift, loss, trained_at: history.trained_at, new_rows: history.new_rows, action };
    // Nothing in it can fail to become JSON; were it so, the same decision would still have the same id.
    digest_json(&evidence).unwrap_or_else(|error| Digest::of(error.to_string()))
}
