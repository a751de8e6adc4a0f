//! Alerts as people and programs list them; through the store.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use super::{ConsoleError, FORMAT_VERSION, Page};
use crate::alert::{self, Alert, AlertId, AlertRules, Overdue};
use crate::store::Store;
use crate::types::{ModelName, Timestamp};

/// `alerts`: what stands, or everything there was.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Alerts {
    /// 1: first form.
    pub format_version: u32,
    /// The alerts, in the order in which they were fired.
    pub alerts: Vec<Alert>,
    /// What of them could not be delivered yet.
    pub overdue: Vec<Overdue>,
    /// The alert to go on after, if there are more.
    pub next: Option<String>,
}

/// An alert's place in the list: `2026-11-21T10:00:00Z/rain/volume`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    since: Timestamp,
    id: String,
}

impl Place {
    fn of(alert: &Alert) -> Place {
        Place { since: alert.since, id: alert.id.to_string() }
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(given: &str) -> Result<Self, ()> {
        let (since, id) = given.split_once('/').ok_or(())?;
        let id: AlertId = id.parse().map_err(|_| ())?;
        Ok(Place { since: since.parse().map_err(|_| ())?, id: id.to_string() })
    }
}

/// The alerts of a page: those that stand or, with `resolved`, all there were.
///
/// # Errors
/// A record that cannot be read.
pub fn alerts(
    store: &dyn Store,
    models: &[ModelName],
    resolved: bool,
    rules: &AlertRules,
    page: &Page,
    now: Timestamp,
) -> Result<Alerts, ConsoleError> {
    let after: Option<Place> = page.cursor("an alert with the instant it was fired at")?;
    let mut alerts = Vec::new();
    for model in models {
        alerts.extend(if resolved { alert::history(store, model)? } else { alert::active(store, model)? });
    }
    alerts.sort_by_key(Place::of);
    alerts.retain(|alert| after.as_ref().is_none_or(|after| Place::of(alert) > *after));
    let name = |alert: &Alert| format!("{}/{}", alert.since, alert.id);
    let (alerts, next) = page.cut(alerts, name);
    let overdue = alert::overdue(&alert::letters(store, models)?, rules, now);
    Ok(Alerts { format_version: FORMAT_VERSION, alerts, overdue, next })
}
