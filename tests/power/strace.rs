//! Programs under strace: what they ask of the system, and what happens when it refuses, or when they die while asking.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Output};
use std::sync::LazyLock;

use super::room::Room;
use super::table::in_full;

/// Every kind of call by which the programs could change a disk. Those that a machine does not have are left out by strace.
const WRITING: [&str; 22] = [
    "open",
    "openat",
    "creat",
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "fchmod",
    "ftruncate",
    "copy_file_range",
];

/// By which a server answers: no change of a disk, but what must come after one.
const TELLING: [&str; 2] = ["sendto", "sendmsg"];

/// Which of them are refused: a disk that fails or is full says so here.
pub(crate) const REFUSED: [&str; 14] = [
    "open",
    "openat",
    "write",
    "writev",
    "pwrite64",
    "fsync",
    "fdatasync",
    "rename",
    "renameat2",
    "link",
    "linkat",
    "mkdir",
    "mkdirat",
    "ftruncate",
];

static USABLE: LazyLock<Result<(), String>> = LazyLock::new(|| {
    let tried = Command::new("strace").args(["-f", "-qq", "-o", "/dev/null", "true"]).output();
    match tried {
        Err(error) => Err(format!("strace cannot be started ({error}): install the package `strace`")),
        Ok(output) if !output.status.success() => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(format!("strace may not trace here ({said}): allow ptrace, in a container with --cap-add=SYS_PTRACE"))
        }
        Ok(_) => Ok(()),
    }
});

/// Whether faults can be injected here. The full suite stops where they cannot; the small one goes on without, and says so.
pub(crate) fn is_usable() -> bool {
    match &*USABLE {
        Ok(()) => true,
        Err(why) if in_full() => panic!("{why}"),
        Err(why) => {
            eprintln!("skipped: {why}");
            false
        }
    }
}

/// One call of a program: the n-th of its kind, in whichever of its threads comes to it first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub(crate) kind: String,
    pub(crate) number: usize,
}

/// What befalls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies before the call is carried out.
    Kill,
    /// The call is not carried out and returns this error.
    Refuse(&'static str),
}

/// How a traced program is to be run.
pub(crate) fn command(room: &Room, program: &str, arguments: &[&str], fault: Option<(&Call, Fault)>) -> Command {
    let kinds: Vec<String> = WRITING.iter().chain(&TELLING).map(|kind| format!("?{kind}")).collect();
    let log = log(room);
    let mut all = vec!["-f".to_owned(), "-qq".to_owned(), "-y".to_owned(), "-s".to_owned(), "64".to_owned()];
    // Not with --seccomp-bpf: strace 6.1 then delivers no signals.
    all.extend(["-o".to_owned(), log.to_str().unwrap().to_owned()]);
    all.extend(["-e".to_owned(), format!("trace={}", kinds.join(","))]);
    if let Some((Call { kind, number }, fault)) = fault {
        let what = match fault {
            Fault::Kill => "signal=SIGKILL".to_owned(),
            Fault::Refuse(error) => format!("error={error}"),
        };
        all.extend(["-e".to_owned(), format!("inject={kind}:{what}:when={number}")]);
    }
    all.push(program.to_owned());
    let all: Vec<&str> = all.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
    room.command("strace", &all)
}

/// Beside the workspace, not in it.
fn log(room: &Room) -> std::path::PathBuf {
    room.root().with_extension("strace")
}

/// What was asked, a line for each call; the log is taken away.
pub(crate) fn take_log(room: &Room) -> String {
    let log = log(room);
    let text = fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let _ = fs::remove_file(log);
    text
}

pub(crate) fn run(room: &Room, program: &str, arguments: &[&str], fault: Option<(&Call, Fault)>) -> (Output, String) {
    let output = command(room, program, arguments, fault).output().unwrap();
    (output, take_log(room))
}

/// Every call in a log that could change a disk, one kind after the other.
pub(crate) fn calls(log: &str) -> Vec<Call> {
    calls_about(log, "")
}

/// Those of them in whose line these words stand: a path, say.
pub(crate) fn calls_about(log: &str, words: &str) -> Vec<Call> {
    let mut asked: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut calls = BTreeSet::new();
    for line in log.lines() {
        let Some((thread, rest)) = line.split_once(char::is_whitespace) else { continue };
        let Some((kind, given)) = rest.trim_start().split_once('(') else { continue };
        if !WRITING.contains(&kind) {
            continue;
        }
        let number = asked.entry((thread, kind)).or_default();
        *number += 1;
        // Opening a file that is there changes nothing, but counts.
        let opens = matches!(kind, "open" | "openat");
        let changes = !opens || given.contains("O_CREAT") || given.contains("O_TMPFILE");
        if changes && given.contains(words) {
            calls.insert(Call { kind: kind.to_owned(), number: *number });
        }
    }
    calls.into_iter().collect()
}
