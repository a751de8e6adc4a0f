//! The program under attack or under load, and how it is looked at: by its answers, by its end, and by what `/proc` says of it.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A promise of 100 ms is held to ten times that where this is compiled without optimisation or other work goes on: what is looked
/// for is an answer that comes, not how fast.
pub(crate) const SLOW: u32 = 10;
const HEALTH_WITHIN: Duration = Duration::from_millis(100);
/// How long an answer is waited for where none may come.
const QUIET: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Hyper,
    Tiny,
}

impl Door {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Door::Hyper => "hyper",
            Door::Tiny => "tiny_http",
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Door::Hyper => "axum",
            Door::Tiny => "tiny",
        }
    }
}

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    said: Arc<Mutex<String>>,
}

/// What it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) threads: usize,
    pub(crate) descriptors: usize,
    pub(crate) rss_kib: usize,
}

impl Server {
    /// Start it, and wait until it listens; nothing if it ends before.
    pub(crate) fn of(mut command: Command) -> Option<Server> {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let (say, heard) = channel();
        let said = Arc::new(Mutex::new(String::new()));
        let all = Arc::clone(&said);
        thread::spawn(move || {
            for line in lines {
                if let Some((_, address)) = line.split_once("listening on http://") {
                    let _ = say.send(address.parse().unwrap());
                }
                *all.lock().unwrap() += &(line + "\n");
            }
        });
        match heard.recv_timeout(PATIENCE) {
            Ok(address) => Some(Server { child, address, said }),
            Err(_) => {
                child.wait().unwrap();
                None
            }
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(QUIET)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn tell(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Wait until it has ended; how, and how long that took.
    pub(crate) fn end(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && !self.has_ended() {
            thread::sleep(Duration::from_millis(2));
        }
        // Whoever outlives all patience is killed, and has ended so.
        let _ = self.child.kill();
        (self.child.wait().unwrap(), begun.elapsed())
    }

    /// What it has said on stderr so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// The first status of what it answers on a connection of its own, and 0 for a connection that is closed or left silent.
    pub(crate) fn ask(&self, request: &[u8]) -> u16 {
        let Ok(mut stream) = TcpStream::connect(self.address) else { return 0 };
        stream.set_read_timeout(Some(HEALTH_WITHIN * SLOW)).unwrap();
        if stream.write_all(request).is_err() {
            return 0;
        }
        statuses(&read_quietly(&mut stream, true)).first().copied().unwrap_or(0)
    }

    /// Health within its time, on a new connection.
    pub(crate) fn is_healthy(&self) -> bool {
        let begun = Instant::now();
        let status = self.ask(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        status == 200 && begun.elapsed() <= HEALTH_WITHIN * SLOW
    }

    pub(crate) fn held(&self) -> Held {
        let pid = self.child.id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
            line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        Held { threads: number("Threads:"), descriptors, rss_kib: number("VmRSS:") }
    }

    /// How long it has used a processor so far.
    pub(crate) fn worked(&self) -> Duration {
        /// What `/proc` counts in, on every Linux.
        const TICK: Duration = Duration::from_millis(10);
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let ticks = stat.rsplit(") ").next().into_iter().flat_map(str::split_whitespace).skip(11).take(2);
        TICK * ticks.filter_map(|ticks| ticks.parse::<u32>().ok()).sum()
    }

    /// Whether it comes back to what it held, once connections that have ended are put away. Its housekeeping opens a file now and
    /// then, and its runtime may start a thread once, so it is looked at until it holds no more.
    pub(crate) fn settles_at(&self, before: Held) -> Result<(), Held> {
        let begun = Instant::now();
        loop {
            let now = self.held();
            if now.threads <= before.threads && now.descriptors <= before.descriptors {
                return Ok(());
            }
            if begun.elapsed() > Duration::from_secs(20) {
                return Err(now);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn panics(&self) -> usize {
        self.said.lock().unwrap().matches("panicked").count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What comes until the connection ends or falls silent; only the first bytes if that is enough.
pub(crate) fn read_quietly(stream: &mut TcpStream, first: bool) -> Vec<u8> {
    let (mut told, mut piece) = (Vec::new(), [0; 16 * 1024]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return told,
            Ok(length) => told.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return told,
        }
        if told.len() > 1_000_000 || (first && told.len() > 12) {
            return told;
        }
    }
}

/// The status of every answer in what was read.
pub(crate) fn statuses(told: &[u8]) -> Vec<u16> {
    let told = String::from_utf8_lossy(told);
    let lines = told.split("HTTP/1.").skip(1);
    lines.filter_map(|line| line.get(2..5)?.parse().ok()).collect()
}
