//! The programs as an operator runs them: in the background, killed, stopped and started again, in a workspace that vanishes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use regent::types::{Span, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::estate::LIFE;
use super::stage;

pub(crate) const REGENT: &str = env!("CARGO_BIN_EXE_regent");
pub(crate) const GOVERNOR: &str = env!("CARGO_BIN_EXE_governor");

/// A workspace with a champion, and when it was promoted.
static BORN: LazyLock<(Programs, Timestamp)> = LazyLock::new(|| {
    let programs = Programs::first_champion();
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    (programs, Timestamp::from_micros(since.as_micros() as i64))
});

/// An instant so many minutes after the first champion's promotion, as `--now` takes it.
pub(crate) fn later(minutes: i64) -> String {
    (BORN.1 + Span::from_mins(minutes)).to_string()
}

/// A quarter of an hour into the n-th day after the promotion: the day before is over, and so is the grace.
pub(crate) fn day(number: i64) -> String {
    let day = Span::from_days(1);
    (BORN.1.floor(day) + day.times(number) + Span::from_mins(15)).to_string()
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Days of weather whose sensors were exchanged: every feature's column holds the next one's values.
pub(crate) fn exchanged(rows: std::ops::Range<usize>) -> String {
    let file = stage::weather(rows);
    let (header, rows) = file.split_once('\n').unwrap();
    let turned = rows.lines().map(|row| {
        let mut cells: Vec<&str> = row.split(',').collect();
        cells[1..9].rotate_left(1);
        cells.join(",")
    });
    format!("{header}\n{}\n", turned.collect::<Vec<_>>().join("\n"))
}

/// A workspace with the rain example, and programs run in it.
pub(crate) struct Programs(TempDir);

impl Programs {
    pub(crate) fn new() -> Programs {
        let programs = Programs(tempfile::tempdir().unwrap());
        programs.done(&["init", "--example", "rain"]);
        programs.done(&["contract", "register", "rain"]);
        programs
    }

    /// A copy of this one, to be spoilt.
    pub(crate) fn copy(&self) -> Programs {
        let programs = Programs(tempfile::tempdir().unwrap());
        copy(self.folder(), programs.folder());
        programs
    }

    /// With a champion that learned from the first 2,000 days and was promoted just now: a copy of one that is made once.
    pub(crate) fn with_champion() -> Programs {
        BORN.0.copy()
    }

    fn first_champion() -> Programs {
        let programs = Programs::new();
        programs.write("incoming/rain/000000.csv", &stage::weather(0..2_000));
        programs.done(&["train", "baseline", "rain"]);
        programs.govern(&[]);
        assert!(programs.govern(&[]).contains("serves 1.0.0"));
        programs
    }

    /// With the model of the estate, whose life was long.
    pub(crate) fn lived() -> Programs {
        let programs = Programs(tempfile::tempdir().unwrap());
        for (path, bytes) in LIFE.iter() {
            fs::create_dir_all(programs.folder().join(path).parent().unwrap()).unwrap();
            fs::write(programs.folder().join(path), bytes).unwrap();
        }
        programs
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.0.path()).env_remove("REGENT_WORKSPACE").env("USER", "ana");
        command
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        self.command(program, arguments).output().unwrap()
    }

    /// What `regent` prints when it must succeed.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(REGENT, arguments);
        assert_eq!(output.status.code(), Some(0), "regent {arguments:?}: {output:?}");
        text(&output.stdout)
    }

    /// What `governor` prints when it must succeed.
    pub(crate) fn govern(&self, arguments: &[&str]) -> String {
        let output = self.run(GOVERNOR, arguments);
        assert_eq!(output.status.code(), Some(0), "governor {arguments:?}: {output:?}");
        text(&output.stdout)
    }

    /// The answer of a command as JSON, whatever its code.
    pub(crate) fn json(&self, program: &str, arguments: &[&str]) -> Value {
        let output = self.run(program, &[&["-o", "json"], arguments].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{program} {arguments:?}: {output:?}"))
    }

    /// What a file holds.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// The names in a folder, sorted; none if there is no such folder.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    /// Every step of the journal: `1.1.0 SHADOWING`.
    pub(crate) fn steps(&self) -> Vec<String> {
        let history = self.json(REGENT, &["history", "rain"]);
        let entries = history["entries"].as_array().unwrap().iter();
        let steps = entries.flat_map(|entry| entry["transitions"].as_array().unwrap().clone());
        steps.map(|step| format!("{} {}", step["version"].as_str().unwrap(), step["to"].as_str().unwrap())).collect()
    }

    /// Start a program and let it run.
    pub(crate) fn start(&self, program: &str, arguments: &[&str]) -> Running {
        let mut command = self.command(program, arguments);
        Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Start a server of `rain` and wait until it answers.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Server {
        self.serve_all(&[&["rain"], arguments].concat())
    }

    /// Start a server of whatever models the arguments name and wait until it answers.
    pub(crate) fn serve_all(&self, arguments: &[&str]) -> Server {
        let mut running = self.start(REGENT, &[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        let mut lines = BufReader::new(running.0.stderr.take().unwrap()).lines();
        let mut greetings = Vec::new();
        let url = loop {
            let line = lines.next().unwrap().unwrap();
            match line.strip_prefix("listening on ") {
                Some(url) => break url.to_owned(),
                None => greetings.push(line),
            }
        };
        // What it says later has a reader, too: a full pipe would stop it.
        thread::spawn(move || lines.for_each(drop));
        Server { running, url, greetings }
    }
}

/// A program that runs, and is killed with the test.
pub(crate) struct Running(Child);

impl Running {
    /// TERM, STOP or CONT.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// What it says, to be read by whoever takes it.
    pub(crate) fn stderr(&mut self) -> ChildStderr {
        self.0.stderr.take().unwrap()
    }

    /// Wait for its end; its exit code and what it printed.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let mut printed = String::new();
        std::io::Read::read_to_string(&mut self.0.stdout.take().unwrap(), &mut printed).unwrap();
        (self.0.wait().unwrap().code(), printed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that answers.
pub(crate) struct Server {
    pub(crate) running: Running,
    url: String,
    /// What it said before it listened.
    pub(crate) greetings: Vec<String>,
}

impl Server {
    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let mut answer = ureq::post(format!("{}{path}", self.url)).send_json(body).unwrap();
        answer.body_mut().read_json().unwrap()
    }

    /// What a body is answered: the code, and the JSON.
    pub(crate) fn send(&self, path: &str, body: &Value) -> (u16, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.post(format!("{}{path}", self.url)).send_json(body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
    }

    /// What a body of another kind is answered: the code, and the text.
    pub(crate) fn send_text(&self, path: &str, kind: &str, body: &str) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.post(format!("{}{path}", self.url)).header("content-type", kind).send(body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    /// What a request with this key is answered: the code alone.
    pub(crate) fn code(&self, method: &str, path: &str, key: Option<&str>) -> u16 {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        agent.run(request.body("{}").unwrap()).unwrap().status().as_u16()
    }

    /// Stop it, and wait for its end.
    pub(crate) fn end(self) {
        self.running.signal("TERM");
        assert_eq!(self.running.ended().0, Some(0));
    }

    /// What a path answers to a method: its code, its `link`, and its body if that is JSON.
    pub(crate) fn call(&self, method: &str, path: &str) -> (u16, Option<String>, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url)).body(()).unwrap();
        let mut answer = agent.run(request).unwrap();
        let link = answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let body = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), link, serde_json::from_str(&body).unwrap_or_default())
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Option<String>, Value) {
        self.call("GET", path)
    }

    /// Answer about every row of a file, then hear what came true of each, and end in peace.
    pub(crate) fn live_through(self, file: &str) {
        let (header, rows) = file.split_once('\n').unwrap();
        let mut labels = Vec::new();
        for (number, row) in rows.lines().enumerate() {
            assert!(self.ask(number, header, row)["probability"].is_f64());
            let rained = row.ends_with('1') || row.ends_with("true");
            labels.push(json!({ "request_id": request_id(number), "label": rained }));
        }
        let said = self.post("/api/v1/labels", &json!({ "labels": labels }));
        assert_eq!(said["outcomes"]["new"].as_u64(), Some(labels.len() as u64), "{said}");
        self.end();
    }

    /// The status and the problem of a request that must be refused.
    pub(crate) fn refusal(&self, path: &str, body: &Value) -> (u16, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.post(format!("{}{path}", self.url)).send_json(body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
    }

    /// Ask about a row of a CSV file, by its header; the row's number is the request's id.
    pub(crate) fn ask(&self, number: usize, header: &str, row: &str) -> Value {
        self.post("/api/v1/predict", &Server::question(number, header, row))
    }

    /// What is asked about a row.
    pub(crate) fn question(number: usize, header: &str, row: &str) -> Value {
        let forbidden = ["day_index", "rain"];
        let features: serde_json::Map<String, Value> = header
            .split(',')
            .zip(row.split(','))
            .filter(|(name, _)| !forbidden.contains(name))
            .map(|(name, cell)| (name.to_owned(), json!(cell.parse::<f64>().unwrap())))
            .collect();
        json!({ "request_id": request_id(number), "features": features })
    }
}

pub(crate) fn request_id(number: usize) -> String {
    format!("0190a5b4-7c3e-7b1a-8f00-{:012}", number + 1)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Wait until something is so; a minute at most.
pub(crate) fn until(what: &str, so: impl Fn() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
