//! A server that dies or meets a failing disk: what it acknowledged is in the log, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use regent::log::{read_events, read_labels};
use regent::types::Span;
use serde_json::json;

use super::room::{Point, REGENT, Room, a_day_later, at, model};
use super::state::{self, Tree};
use super::strace::{self, Call, Fault, REFUSED};
use super::table::{Row, chosen, in_full};

const SERVE: [&str; 4] = ["serve", "rain", "--listen", "127.0.0.1:0"];
/// A server that does not end by itself is not waited for any longer.
const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    child: Child,
    /// None if it died before it said where it listens, or could not say it.
    url: Option<String>,
}

impl Server {
    fn start(room: &Room) -> Server {
        Server::of(room.command(REGENT, &SERVE))
    }

    fn of(mut command: Command) -> Server {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let (say, said) = channel();
        // Whatever else it says is of no interest, but it must be able to say it.
        thread::spawn(move || {
            let urls = lines.filter_map(|line| Some(line.split_once("listening on ")?.1.to_owned()));
            urls.for_each(|url| drop(say.send(url)));
        });
        Server { child, url: said.recv_timeout(PATIENCE).ok() }
    }

    /// Ask once; whether it was answered with 200.
    fn ask(&self, number: usize) -> bool {
        let Some(url) = &self.url else { return false };
        let body = json!({ "request_id": id(number), "features": {
            "temperature": -0.4, "dew_point": 0.9, "sea_level_pressure": -0.8, "visibility": -1.2,
            "average_wind_speed": 0.6, "max_sustained_wind_speed": 0.5,
            "minimum_temperature": -0.1, "maximum_temperature": -0.5
        }});
        post(&format!("{url}/api/v1/predict"), &body)
    }

    fn label(&self, number: usize) -> bool {
        let Some(url) = &self.url else { return false };
        post(&format!("{url}/api/v1/labels"), &json!({ "request_id": id(number), "label": number.is_multiple_of(2) }))
    }

    /// Ask it to end, and wait until it has.
    fn stop(mut self) -> ExitStatus {
        // Under strace it is the child of the process that was started.
        let pid = self.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let pid = children.split_whitespace().next().map_or_else(|| pid.to_string(), str::to_owned);
        let begun = Instant::now();
        let _ = Command::new("kill").args(["-TERM", &pid]).stderr(Stdio::null()).status();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if begun.elapsed() > PATIENCE {
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
                return self.child.wait().unwrap();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kill it when so many lines are in its spool: nobody has waited for them.
    fn die_with(self, room: &Room, lines: usize) {
        let begun = Instant::now();
        let spooled = || {
            let files = fs::read_dir(room.path("var/spool/local")).unwrap().map(|file| file.unwrap().path());
            files.map(|file| fs::read_to_string(file).unwrap().lines().count()).sum::<usize>()
        };
        while spooled() < lines && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(spooled(), lines);
        self.kill();
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn id(number: usize) -> String {
    format!("0190a5b4-7c3e-7b1a-8f00-{number:012}")
}

fn post(url: &str, body: &serde_json::Value) -> bool {
    let request = ureq::post(url).config().timeout_global(Some(Duration::from_secs(5))).build();
    request.send_json(body).is_ok_and(|answer| answer.status() == 200)
}

/// So many requests, the first half with labels, and a server that is told to stop.
pub(crate) fn answer_and_stop(room: &Room, requests: usize) {
    let server = Server::start(room);
    assert!((0..requests).all(|number| server.ask(number)));
    assert!((0..requests / 2).all(|number| server.label(number)));
    assert!(server.stop().success());
}

/// The same, and a server that is killed once all of it is in the spool.
pub(crate) fn answer_and_die(room: &Room, requests: usize) {
    let server = Server::start(room);
    assert!((0..requests).all(|number| server.ask(number)));
    assert!((0..requests / 2).all(|number| server.label(number)));
    server.die_with(room, requests + requests / 2);
}

/// A server that anybody's umask let write, killed: its spool is left.
pub(crate) fn answer_and_die_under_an_open_umask(room: &Room) {
    let words = format!("umask 000; exec {REGENT} {}", SERVE.join(" "));
    let server = Server::of(room.command("sh", &["-c", &words]));
    assert!((0..3).all(|number| server.ask(number)));
    server.kill();
}

/// What a server asks of the system while it answers so many requests.
pub(crate) fn log_of(room: &Room, requests: usize) -> String {
    let server = Server::of(strace::command(room, REGENT, &SERVE, None));
    assert!((0..requests).all(|number| server.ask(number)));
    assert!(server.stop().success());
    strace::take_log(room)
}

/// How often each request and each label is in the log.
fn logged(room: &Room) -> (BTreeMap<String, usize>, usize) {
    let (store, from, to) = (room.store(), at(0), a_day_later());
    let mut events = BTreeMap::new();
    for event in read_events(&store, &model(), from, to).unwrap() {
        *events.entry(event.request_id.to_string()).or_default() += 1;
    }
    (events, read_labels(&store, &model(), from, to + Span::from_days(1)).unwrap().len())
}

/// Parts of events and labels, which are made of what one replica kept and of nothing else.
fn parts(room: &Room) -> Tree {
    let mut tree = state::read(room);
    tree.retain(|path, _| path.starts_with("var/rain/events/") || path.starts_with("var/rain/labels/"));
    tree
}

/// A server that starts, seals what a dead one left, and is told to stop.
fn seal(room: &Room, fault: Option<(&Call, Fault)>) -> (ExitStatus, String) {
    let server = Server::of(strace::command(room, REGENT, &SERVE, fault));
    let status = server.stop();
    (status, strace::take_log(room))
}

fn is_sealed_whatever_happens(fault: &'static str, faults: &[Fault], kinds: impl Fn(&Call) -> bool) {
    if !strace::is_usable() {
        return;
    }
    let row = Row::begin(fault);
    let before = Room::at(Point::Champion);
    answer_and_die(&before, 12);
    let whole = before.copy();
    let (status, log) = seal(&whole, None);
    assert!(status.success(), "{status}");
    let calls = strace::calls_about(&log, whole.root().to_str().unwrap());
    let wanted = parts(&whole);
    assert_eq!(logged(&whole).0.len(), 12);
    assert!(calls.len() > 20, "{log}");
    let calls: Vec<Call> = chosen(&calls.into_iter().filter(kinds).collect::<Vec<_>>(), 5);
    let tried: Vec<_> = faults.iter().flat_map(|fault| calls.iter().map(move |call| (call, *fault))).collect();
    for (call, fault) in &tried {
        let room = before.copy();
        let (status, _) = seal(&room, Some((call, *fault)));
        let place = format!("{fault:?} at {call:?}, {status}");
        let found = parts(&room);
        assert!(found.iter().all(|(path, part)| wanted.get(path) == Some(part)), "{place}: a part is another");
        assert_eq!(room.is_healthy(a_day_later()), Ok(()), "{place}");
        assert!(seal(&room, None).0.success(), "{place}");
        assert_eq!(state::difference(&wanted, &parts(&room)), "", "{place}");
        let (events, labels) = logged(&room);
        assert!(events.len() == 12 && events.values().all(|times| *times == 1), "{place}: {events:?}");
        assert_eq!(labels, 6, "{place}");
    }
    row.end("seal the spool", tried.len(), "every event and label in its part, once");
}

#[test]
fn a_spool_is_sealed_once_wherever_the_server_is_killed() {
    is_sealed_whatever_happens("SIGKILL", &[Fault::Kill], |_| true);
}

#[test]
fn a_spool_is_sealed_once_whatever_the_disk_refuses() {
    let faults = [Fault::Refuse("ENOSPC"), Fault::Refuse("EIO")];
    let faults = if in_full() { &faults[..] } else { &faults[..1] };
    is_sealed_whatever_happens("EIO, ENOSPC", faults, |call| REFUSED.contains(&call.kind.as_str()));
}

/// P14: with `events: durable`, an answer was given only if its event is on disk.
fn what_was_acknowledged_is_there(fault: &'static str, faults: &[Fault]) {
    const REQUESTS: usize = 8;
    /// Until one is struck.
    const RUNS: usize = 10;
    if !strace::is_usable() {
        return;
    }
    let row = Row::begin(fault);
    let before = Room::at(Point::Champion);
    before.write("regent.yaml", "events: durable\n");
    let whole = before.copy();
    let calls = strace::calls_about(&log_of(&whole, REQUESTS), whole.path("var").to_str().unwrap());
    assert!(calls.iter().filter(|call| call.kind == "fdatasync").count() >= REQUESTS, "{calls:?}");
    let calls = chosen(&calls, 5);
    let tried: Vec<_> = faults.iter().flat_map(|fault| calls.iter().map(move |call| (call, *fault))).collect();
    let run = |call: &Call, fault: Fault| {
        let room = before.copy();
        let server = Server::of(strace::command(&room, REGENT, &SERVE, Some((call, fault))));
        let answered: BTreeSet<String> = (0..REQUESTS).filter(|number| server.ask(*number)).map(id).collect();
        let status = server.stop();
        strace::take_log(&room);
        assert!(Server::start(&room).stop().success(), "{fault:?} at {call:?}");
        let (events, _) = logged(&room);
        let lost: Vec<_> = answered.iter().filter(|id| events.get(*id) != Some(&1)).collect();
        assert!(lost.is_empty(), "{fault:?} at {call:?}: acknowledged and not there, or twice: {lost:?}");
        assert!(events.values().all(|times| *times == 1), "{fault:?} at {call:?}: {events:?}");
        (status, answered.len())
    };
    let mut acknowledged = 0;
    for (call, fault) in &tried {
        // Threads write as they are scheduled. A run with fewer such calls than the one that was watched is not struck: it must keep
        // the promise as well, and another is made.
        let struck = |(status, _): &(ExitStatus, usize)| *fault != Fault::Kill || status.signal() == Some(9);
        let struck = (0..RUNS).map(|_| run(call, *fault)).find(struck);
        acknowledged += struck.unwrap_or_else(|| panic!("{call:?}: no kill of {RUNS} struck")).1;
    }
    let outcome = format!("{acknowledged} of {} acknowledged, each in the log once", tried.len() * REQUESTS);
    row.end("answer, durable", tried.len(), &outcome);
}

#[test]
fn what_was_acknowledged_is_there_wherever_the_server_is_killed() {
    what_was_acknowledged_is_there("SIGKILL", &[Fault::Kill]);
}

#[test]
fn what_was_acknowledged_is_there_whatever_the_disk_refuses() {
    let faults = [Fault::Refuse("EIO"), Fault::Refuse("ENOSPC")];
    what_was_acknowledged_is_there("EIO, ENOSPC", if in_full() { &faults } else { &faults[..1] });
}
