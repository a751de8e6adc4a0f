//! Whether what should run does: the governor comes, the clock is believed, orders and policy can be read, and no replica left
//! events behind; a door.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use regent::alert::{self, Lateness};
use regent::backtest::NullReport;
use regent::govern::{self, Orders, Rules, Standing, overrides};
use regent::types::{ModelName, Span, Timestamp};

use super::Finding;
use super::walk::modified;
use crate::edge::{Exit, Failure, Workspace};
use crate::null;

/// What concerns one model.
pub(super) fn look(workspace: &Workspace, model: &ModelName, now: Timestamp) -> Vec<Finding> {
    let rules = match workspace.governed(model) {
        Ok(governed) => governed.rules,
        Err(failure) => {
            let mend = "mend the file: until then the model is held";
            return vec![Finding::failed("policy", &failure, mend)];
        }
    };
    let mut findings = vec![Finding::ok("policy", "its rules do not contradict one another")];
    // A journal that cannot be read is told elsewhere.
    let Ok(standing) = govern::fold(&workspace.store, model) else { return findings };
    findings.push(orders(workspace, model, &standing, now));
    findings.push(clock(&standing, &rules, now));
    findings.push(lateness(&standing, &rules, workspace.settings.alerts.late_after, now));
    findings.extend(false_alarms(workspace, model, &standing, &rules));
    findings
}

fn orders(workspace: &Workspace, model: &ModelName, standing: &Standing, now: Timestamp) -> Finding {
    const CHECK: &str = "overrides";
    let given = match overrides::load(&workspace.store, model) {
        Ok(given) => given,
        Err(error) => {
            let failure = Failure::from(error);
            let finding = Finding::failed(CHECK, &failure, "mend it or take it away: until then the model is held");
            return Finding { exit: Exit::Invalid, ..finding };
        }
    };
    let Orders { in_force, refused, notes } = Orders::of(&given, standing, None, now);
    if !refused.is_empty() {
        return Finding::warn(CHECK, refused.join("; "), "give the order a new id: until then nothing moves by itself");
    }
    if !notes.is_empty() {
        return Finding::warn(CHECK, notes.join("; "), "take the files away; the journal keeps their content");
    }
    let told: Vec<String> = in_force.iter().map(|order| format!("`{}` ({})", order.id, order.order)).collect();
    Finding::ok(CHECK, if told.is_empty() { "none".to_owned() } else { format!("in force: {}", told.join(", ")) })
}

fn clock(standing: &Standing, rules: &Rules, now: Timestamp) -> Finding {
    const CHECK: &str = "clock";
    let Some(last) = standing.last_at else { return Finding::ok(CHECK, format!("it is {now}")) };
    if now < last {
        let what = format!("it is {now}, and the newest entry is of {last}");
        return Finding::warn(CHECK, what, "set the clock; until it has caught up, time stands still for the governor");
    }
    if now.since(last) > rules.promotion.clock_jump {
        let what = format!("it is {now}, {} after the newest entry ({last})", now.since(last));
        return Finding::warn(
            CHECK,
            what,
            "set the clock, or drop a `clock` override: the governor does not believe it",
        );
    }
    Finding::ok(CHECK, format!("it is {now}, after the newest entry ({last})"))
}

/// What `regent drift null` measured of the champion under the rules as they are.
fn false_alarms(workspace: &Workspace, model: &ModelName, standing: &Standing, rules: &Rules) -> Option<Finding> {
    const CHECK: &str = "false alarms";
    let champion = standing.champion.as_ref()?;
    let reports = match null::measured(workspace, model) {
        Ok(reports) => reports,
        Err(failure) => return Some(Finding::failed(CHECK, &failure, "take the file away, and measure again")),
    };
    let of_now = |report: &&NullReport| report.bundle == champion.bundle && report.rules == rules.drift;
    let worst =
        reports.iter().filter(of_now).max_by(|a, b| a.found.confirmed.share.total_cmp(&b.found.confirmed.share));
    let Some(report) = worst else {
        return Some(Finding::ok(CHECK, format!("not measured: `regent drift null --model {model}` does")));
    };
    let share = |share: f64| format!("{:.2} %", 100.0 * share);
    let what = format!(
        "drift is confirmed in {} of windows in which nothing changed; {} allows {}",
        share(report.found.confirmed.share),
        rules.drift.false_alarms,
        share(report.budget())
    );
    Some(if report.exceeds() {
        let mend = "raise drift.psi, drift.ks or drift.confirm in the policy, or the budget, drift.false_alarms";
        Finding::warn(CHECK, what, mend)
    } else {
        Finding::ok(CHECK, what)
    })
}

/// When the governor should have answered for the window after the last one that it did.
fn lateness(standing: &Standing, rules: &Rules, after: Span, now: Timestamp) -> Finding {
    const CHECK: &str = "governor";
    match alert::lateness(standing, rules, after, now) {
        Lateness::Idle => Finding::ok(CHECK, "nothing serves yet, so no window is judged"),
        Lateness::Awaited { window, due } => {
            Finding::ok(CHECK, format!("window {window} is to be judged from {due} on"))
        }
        Lateness::Late { what } => Finding::warn(CHECK, what, "run `governor`, and look why its scheduler did not"),
    }
}

/// What replicas keep until it is sealed; a segment whose replica is gone waits for its next start.
pub(super) fn spool(root: &Path, now: Timestamp) -> Vec<Finding> {
    const CHECK: &str = "spool";
    let failed = |folder: &Path, error: io::Error| {
        let failure = Failure::internal(format!("look into {}", folder.display()), error);
        Finding::failed(CHECK, &failure, "run as the owner")
    };
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return vec![Finding::ok(CHECK, "no replica has served here")];
        }
        Err(error) => return vec![failed(root, error)],
    };
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort_unstable();
    let mut findings: Vec<Finding> = folders
        .iter()
        .filter_map(|folder| replica(folder, now).unwrap_or_else(|error| Some(failed(folder, error))))
        .collect();
    if findings.is_empty() {
        findings.push(Finding::ok(
            CHECK,
            format!("{} replicas, and nothing is left unsealed by one that is gone", folders.len()),
        ));
    }
    findings
}

/// Segments that nobody is there to seal.
fn replica(folder: &Path, now: Timestamp) -> io::Result<Option<Finding>> {
    let (mut segments, mut bytes, mut newest) = (0_usize, 0, None);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        // Sealed since it was listed.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        segments += 1;
        bytes += metadata.len();
        newest = newest.max(modified(&metadata));
    }
    let (Some(newest), false) = (newest, is_held(&folder.join("lock"))?) else { return Ok(None) };
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let what = format!(
        "replica {name} is gone and left {segments} segments ({bytes} bytes), last written {} ago",
        now.since(newest)
    );
    Ok(Some(Finding::warn("spool", what, format!("regent serve --replica {name}, which seals them as it starts"))))
}

/// A replica that lives holds its lock; the system lets it go with the process.
fn is_held(lock: &Path) -> io::Result<bool> {
    match File::open(lock) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(fs::TryLockError::WouldBlock) => Ok(true),
            Err(fs::TryLockError::Error(error)) => Err(error),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
