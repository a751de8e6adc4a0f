//! The ground a workspace stands on: who may write, what a crash left, whether files come from the future, and how much room
//! there is; a door.

use std::path::Path;

use regent::types::{ModelName, Span, Timestamp};

use super::Finding;
use super::walk::{Walked, walk};
use crate::edge::Exit;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// Sealing needs as much again as the segments of a busy replica have that wait for it: some of 3 MiB.
const LEAST_ROOM: u64 = 64 * MIB;
/// A day of parts, counts and windows of a few busy replicas.
const ROOM: u64 = GIB;
/// A replica makes some 3,000 objects a day, and its windows 300: a month of them.
const INODES: u64 = 100_000;
/// What is being written now is not a leftover.
const BEING_WRITTEN: Span = Span::from_hours(1);

pub(super) fn look(root: &Path, models: &[ModelName], now: Timestamp) -> Vec<Finding> {
    let walked = walk(root, models, now);
    let mut findings = permissions(&walked);
    findings.push(leftovers(&walked, now));
    findings.push(times(&walked));
    findings.push(room("the workspace", root));
    findings.push(room("scratch space", &std::env::temp_dir()));
    findings
}

fn permissions(walked: &Walked) -> Vec<Finding> {
    const CHECK: &str = "permissions";
    let Walked { open_to_others, open_to_group, links, unreadable, files, .. } = walked;
    let mut findings = Vec::new();
    if open_to_others.count > 0 {
        let what = format!("others than their owner may change {}", open_to_others.told());
        findings.push(Finding::fail(CHECK, Exit::Integrity, what, "chmod go-w, and `regent verify` what is there"));
    }
    if links.count > 0 {
        let what = format!("the store follows no link, and there is {}", links.told());
        findings.push(Finding::fail(CHECK, Exit::Integrity, what, "put the file or folder itself in its place"));
    }
    if unreadable.count > 0 {
        let what = format!("this user cannot read {}", unreadable.told());
        findings.push(Finding::fail(CHECK, Exit::Internal, what, "run as the owner, or chmod u+rX"));
    }
    if open_to_group.count > 0 {
        let what = format!("the group may change {}", open_to_group.told());
        findings.push(Finding::warn(CHECK, what, "chmod g-w, unless that group may promote models"));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, format!("{files} files are written by their owner alone")));
    }
    findings
}

fn leftovers(walked: &Walked, now: Timestamp) -> Finding {
    const CHECK: &str = "leftovers";
    let what = match walked.unfinished.count {
        0 => return Finding::ok(CHECK, "no crash left an unfinished file"),
        1 => format!("1 unfinished file, which nobody reads: {}", walked.unfinished.told()),
        count => format!("{count} unfinished files, which nobody reads: {}", walked.unfinished.told()),
    };
    match walked.oldest_unfinished {
        Some(oldest) if now.since(oldest) < BEING_WRITTEN => {
            Finding::warn(CHECK, what, "nothing, if they are being written now; otherwise remove them in an hour")
        }
        Some(_) | None => Finding::warn(CHECK, what, "a crash left them: remove those that are older than an hour"),
    }
}

fn times(walked: &Walked) -> Finding {
    const CHECK: &str = "clock";
    match walked.from_the_future.count {
        0 => Finding::ok(CHECK, "no file is from the future"),
        _ => {
            let what = format!("newer than now: {}", walked.from_the_future.told());
            Finding::warn(CHECK, what, "hold the clocks of this machine and of the file system together")
        }
    }
}

fn room(whose: &str, folder: &Path) -> Finding {
    const CHECK: &str = "room";
    let named = format!("{whose} ({})", folder.display());
    let found = match rustix::fs::statvfs(folder) {
        Ok(found) => found,
        Err(errno) => {
            let what = format!("{named} cannot be measured: {}", std::io::Error::from(errno));
            return Finding::fail(CHECK, Exit::Internal, what, "mount it");
        }
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let mib = free / MIB;
    // Some file systems make inodes as they need them and say that there are none.
    if found.f_files > 0 && found.f_favail < INODES {
        let what = format!("{named} has room for {} more files", found.f_favail);
        let mend = "archive old parts of var/, or give it a file system with more inodes";
        return match found.f_favail {
            0..1_000 => Finding::fail(CHECK, Exit::Internal, what, mend),
            _ => Finding::warn(CHECK, what, mend),
        };
    }
    let mend = "archive old parts of var/, or give it a larger disk";
    match free {
        0..LEAST_ROOM => Finding::fail(CHECK, Exit::Internal, format!("{named} has {mib} MiB left"), mend),
        LEAST_ROOM..ROOM => Finding::warn(CHECK, format!("{named} has {mib} MiB left"), mend),
        ROOM.. => Finding::ok(CHECK, format!("{named} has {} GiB left", free / GIB)),
    }
}
