//! Whether alerts arrive: what routes need is where it should be, nobody else can read it, and nothing is overdue; a door.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use regent::alert::{self, Route, deliver};
use regent::types::{ModelName, RouteName, Timestamp};

use super::{Finding, counted};
use crate::edge::{Failure, Workspace};

const CHECK: &str = "alerts";

/// What concerns every route, and what of these models is overdue.
pub(super) fn look(workspace: &Workspace, models: &[ModelName], now: Timestamp) -> Vec<Finding> {
    let rules = &workspace.settings.alerts;
    let letters = match alert::letters(&workspace.store, models) {
        Ok(letters) => letters,
        Err(error) => {
            return vec![Finding::failed(CHECK, &Failure::from(error), "bring the record back from a copy")];
        }
    };
    let routes = rules.routes.iter();
    let mut findings: Vec<Finding> =
        routes.filter_map(|(name, route)| of_route(&workspace.root, name, route)).collect();
    for overdue in alert::overdue(&letters, rules, now) {
        let mend = match overdue.next_at {
            Some(_) => format!("regent alert test --route {}", overdue.route),
            None => format!("name a route `{}` again, or let it be", overdue.route),
        };
        findings.push(Finding::warn(CHECK, overdue.to_string(), mend));
    }
    if findings.is_empty() {
        let what = match rules.routes.len() {
            0 => "there are no routes: nobody hears of alerts who does not look".to_owned(),
            routes => format!("{}, and nothing is overdue", counted(routes, "route")),
        };
        findings.push(Finding::ok(CHECK, what));
    }
    findings
}

/// The environment may be another one than the scheduler's, so what is missing here is a warning.
fn of_route(root: &Path, name: &RouteName, route: &Route) -> Option<Finding> {
    if let Err(what) = deliver::ready(root, route) {
        let mend = format!("put it there, then `regent alert test --route {name}`");
        return Some(Finding::warn(CHECK, format!("{name}: {what}"), mend));
    }
    let open = route.secrets().into_iter().filter_map(|secret| secret.file.as_ref()).find(|file| {
        let mode = fs::metadata(root.join(file)).map_or(0, |metadata| metadata.permissions().mode());
        mode & 0o007 != 0
    })?;
    let what = format!("{name}: everybody on this machine can read {}", open.display());
    Some(Finding::warn(CHECK, what, format!("chmod o= {}", open.display())))
}
