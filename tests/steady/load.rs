//! Callers that ask and ask, each on a connection of its own, and remember what each request came to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use regent::log::read_events;
use serde_json::Value;
use uuid::Uuid;

use super::room::{REGENT, Room, a_day_later, at, model};
use super::server::Server;
use super::table::in_full;

/// What the champion answers.
const FEATURES: &str = r#"{"temperature":-0.4,"dew_point":0.9,"sea_level_pressure":-0.8,"visibility":-1.2,"average_wind_speed":0.6,"max_sustained_wind_speed":0.5,"minimum_temperature":-0.1,"maximum_temperature":-0.5}"#;

/// No answer takes so long, on whatever machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often something is done.
pub(crate) fn turns(all: usize, few: usize) -> usize {
    if in_full() { all } else { few }
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    Answer {
        version: String,
        probability: f64,
    },
    /// Another status than 200.
    Refused(u16),
    /// The connection ended, or could not be had, before a byte of an answer.
    Nothing,
    /// It ended within an answer, or the answer is another one's.
    Half(String),
}

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) id: Uuid,
    pub(crate) sent: Instant,
    pub(crate) came: Instant,
    pub(crate) said: Said,
}

impl Asked {
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.said, Said::Answer { .. })
    }
}

/// Callers at work.
pub(crate) struct Load {
    callers: Vec<JoinHandle<Vec<Asked>>>,
    over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
}

impl Load {
    /// So many callers, each of which rests so long after an answer.
    pub(crate) fn begin(server: &Server, callers: usize, rest: Duration) -> Load {
        let (over, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let call = |_| {
            let caller = Caller { address: server.address, stream: None };
            let (over, answered) = (Arc::clone(&over), Arc::clone(&answered));
            thread::spawn(move || caller.call(rest, &over, &answered))
        };
        Load { callers: (0..callers).map(call).collect(), over, answered }
    }

    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Wait until so many more requests are answered.
    pub(crate) fn await_more(&self, more: u64) {
        let (begun, wanted) = (Instant::now(), self.answered() + more);
        while self.answered() < wanted {
            assert!(begun.elapsed() < PATIENCE, "nobody is answered");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Everything that was asked.
    pub(crate) fn end(self) -> Vec<Asked> {
        self.over.store(true, Ordering::Relaxed);
        let callers = self.callers.into_iter();
        callers.flat_map(|caller| caller.join().unwrap()).collect()
    }
}

struct Caller {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Caller {
    fn call(mut self, rest: Duration, over: &AtomicBool, answered: &AtomicU64) -> Vec<Asked> {
        let mut all = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let (id, sent) = (an_id(), Instant::now());
            let said = self.ask(id);
            let asked = Asked { id, sent, came: Instant::now(), said };
            answered.fetch_add(u64::from(asked.is_answered()), Ordering::Relaxed);
            if matches!(asked.said, Said::Nothing | Said::Half(_)) {
                self.stream = None;
                thread::sleep(Duration::from_millis(1));
            }
            all.push(asked);
            thread::sleep(rest);
        }
        all
    }

    fn ask(&mut self, id: Uuid) -> Said {
        let body = format!(r#"{{"request_id":"{id}","features":{FEATURES}}}"#);
        let head =
            format!("POST /api/v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
        let Ok(stream) = self.stream() else { return Said::Nothing };
        if stream.get_mut().write_all((head + &body).as_bytes()).is_err() {
            return Said::Nothing;
        }
        match stream.fill_buf() {
            Ok([]) => Said::Nothing,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Said::Nothing,
            Err(error) => Said::Half(error.to_string()),
            Ok(_) => read(stream).map_or_else(Said::Half, |(status, body)| said(id, status, &body)),
        }
    }

    fn stream(&mut self) -> std::io::Result<&mut BufReader<TcpStream>> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_nodelay(true)?;
            self.stream = Some(BufReader::new(stream));
        }
        self.stream.as_mut().ok_or_else(|| ErrorKind::NotConnected.into())
    }
}

/// A whole answer: its status and its body.
fn read(stream: &mut BufReader<TcpStream>) -> Result<(u16, Vec<u8>), String> {
    let line = |stream: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        match stream.read_line(&mut line) {
            Ok(_) if line.ends_with("\r\n") => Ok(line.trim_end().to_lowercase()),
            other => Err(format!("{other:?} after {line:?}")),
        }
    };
    let first = line(stream)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(first)?;
    let mut length = 0;
    loop {
        let header = line(stream)?;
        if header.is_empty() {
            break;
        }
        if let Some(stated) = header.strip_prefix("content-length: ") {
            length = stated.parse().map_err(|_| header)?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).map_err(|error| error.to_string())?;
    Ok((status, body))
}

fn said(id: Uuid, status: u16, body: &[u8]) -> Said {
    if status != 200 {
        return Said::Refused(status);
    }
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    match (&told["request_id"], &told["model_version"], told["probability"].as_f64()) {
        (Value::String(of), Value::String(version), Some(probability)) if *of == id.to_string() => {
            Said::Answer { version: version.clone(), probability }
        }
        _ => Said::Half(String::from_utf8_lossy(body).into_owned()),
    }
}

/// Never the same twice.
pub(crate) fn an_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Uuid::from_u128(0x0190_a5b4_7c3e_7b1a_8f00_0000_0000_0000 | u128::from(NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// A server of this workspace.
pub(crate) fn serve(room: &Room, arguments: &[&str]) -> Server {
    let serve = ["-v", "serve", "rain", "--listen", "127.0.0.1:0"];
    Server::of(room.command(REGENT, &[&serve, arguments].concat())).expect("it serves")
}

/// How often each request is in the log.
pub(crate) fn logged(room: &Room) -> BTreeMap<Uuid, usize> {
    let mut events = BTreeMap::new();
    for event in read_events(&room.store(), &model(), at(0), a_day_later()).unwrap() {
        *events.entry(event.request_id).or_default() += 1;
    }
    events
}

/// That no answer was half, and that those that must be in the log are there once, and no other twice.
#[track_caller]
pub(crate) fn assert_logged(asked: &[Asked], events: &BTreeMap<Uuid, usize>, must: impl Fn(&Asked) -> bool) {
    let half: Vec<_> = asked.iter().filter(|one| matches!(one.said, Said::Half(_))).collect();
    assert!(half.is_empty(), "{half:?}");
    let times = |one: &Asked| events.get(&one.id).copied().unwrap_or_default();
    let missing: Vec<_> = asked.iter().filter(|one| must(one) && times(one) == 0).collect();
    assert!(missing.is_empty(), "{} of {} are not in the log: {:?}", missing.len(), asked.len(), missing[0]);
    let twice = asked.iter().filter(|one| times(one) > 1).count();
    assert_eq!(twice, 0, "are there more than once");
}

/// The sum over every judged window.
pub(crate) fn in_windows(room: &Room, of: impl Fn(&Value) -> Option<u64>) -> u64 {
    let output = room.run(REGENT, &["-o", "json", "snapshot", "list", "rain"]);
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    listed["snapshots"].as_array().unwrap().iter().filter_map(of).sum()
}
