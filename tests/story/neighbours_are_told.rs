//! Neighbours are told: traces are carried on, logs are read by programs, and clients in other languages are understood.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use regent::log::read_events;
use regent::store::{Disk, Durability};
use regent::types::{Span, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};

use super::neighbours::TWO;
use super::programs::{GOVERNOR, Programs, REGENT, Running, request_id, text, until};
use super::stage::weather;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn a_question(number: usize) -> Value {
    let file = weather(9_000 + number..9_001 + number);
    let (header, row) = file.trim_end().split_once('\n').unwrap();
    super::programs::Server::question(number, header, row)
}

/// Post a body with headers.
fn send(url: &str, headers: &[(&str, &str)], body: &Value) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = headers.iter().fold(agent.post(url), |request, (name, value)| request.header(*name, *value));
    request.send_json(body).unwrap().status().as_u16()
}

#[rstest]
fn the_trace_of_a_request_is_in_its_event(#[values("axum", "tiny")] door: &str) {
    let programs = Programs::with_champion();
    let server = programs.serve(&["--door", door]);
    let predict = format!("{}/api/v1/predict", server.url());
    let header = format!("00-{TRACE}-{SPAN}-01");
    let spoilt = header.replace(TRACE, &"0".repeat(32));
    assert_eq!(send(&predict, &[("traceparent", header.as_str())], &a_question(1)), 200);
    assert_eq!(send(&predict, &[], &a_question(2)), 200);
    assert_eq!(send(&predict, &[("traceparent", spoilt.as_str())], &a_question(3)), 200);
    // A request with two parents has none.
    assert_eq!(send(&predict, &[("traceparent", &header), ("traceparent", &header)], &a_question(4)), 200);
    let rows = json!({ "rows": [a_question(5), a_question(6)] });
    assert_eq!(send(&format!("{predict}/batch"), &[("traceparent", &header)], &rows), 200);
    let refused = json!({ "request_id": request_id(7), "features": {} });
    assert_eq!(send(&predict, &[("traceparent", &header)], &refused), 422);
    server.end();
    let store = Disk::open(programs.folder().to_owned(), Durability::Batched).unwrap();
    let (from, to) = (Timestamp::EPOCH, Timestamp::EPOCH + Span::from_days(365).times(100));
    let events = read_events(&store, &"rain".parse().unwrap(), from, to).unwrap();
    let trace_of = |number: usize| {
        let event = events.iter().find(|event| event.request_id.to_string() == request_id(number)).unwrap();
        event.trace.map(|trace| (trace.trace_id.to_string(), trace.parent_id.to_string()))
    };
    let told = Some((TRACE.to_owned(), SPAN.to_owned()));
    let traces: Vec<_> = (1..=7).map(trace_of).collect();
    assert_eq!(traces, [told.clone(), None, None, None, told.clone(), told.clone(), told]);
}

/// Every line of stderr so far, each of which must be a log's.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Value>>>);

impl Log {
    fn of(running: &mut Running) -> Log {
        let log = Log::default();
        let (lines, own) = (BufReader::new(running.stderr()).lines(), log.clone());
        thread::spawn(move || lines.for_each(|line| own.take(&line.unwrap())));
        log
    }

    fn take(&self, line: &str) {
        // What is no object is kept as it came, for the test to see.
        self.0.lock().unwrap().push(serde_json::from_str(line).unwrap_or_else(|_| Value::from(line)));
    }

    fn message(&self, begins: &str) -> Option<String> {
        let lines = self.0.lock().unwrap();
        let mut messages = lines.iter().filter_map(|line| line["message"].as_str());
        messages.find_map(|message| message.strip_prefix(begins).map(str::to_owned))
    }

    fn assert_whole(&self) {
        let lines = self.0.lock().unwrap();
        assert!(!lines.is_empty());
        for line in lines.iter() {
            let level = line["level"].as_str().unwrap_or_else(|| panic!("{line}"));
            assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&level), "{line}");
            assert!(line["target"].is_string() && line["message"].is_string(), "{line}");
            line["timestamp"].as_str().unwrap().parse::<Timestamp>().unwrap();
        }
    }
}

fn log_of(output: &Output) -> Log {
    let log = Log::default();
    text(&output.stderr).lines().for_each(|line| log.take(line));
    log
}

#[rstest]
fn every_line_that_a_server_logs_is_an_object(#[values("axum", "tiny")] door: &str) {
    let programs = Programs::with_champion();
    let arguments = ["serve", "rain", "--listen", "127.0.0.1:0", "--door", door, "--log-format", "json", "-vv"];
    let mut running = programs.start(REGENT, &arguments);
    let log = Log::of(&mut running);
    until("it listens", || log.message("listening on ").is_some());
    assert_eq!(log.message("rain 1.0.0 answers"), Some(String::new()), "the greeting");
    let url = log.message("listening on ").unwrap();
    assert_eq!(send(&format!("{url}/api/v1/predict"), &[], &a_question(1)), 200);
    assert_eq!(send(&format!("{url}/api/v1/predict"), &[], &json!({"features": {"colour": "secret"}})), 422);
    let key = programs.done(&["keys", "create", "ci", "--scope", "read"]);
    until("it has heard of the key", || log.message("the keys have changed").is_some());
    std::fs::write(programs.path("governance/rain/policy.yaml"), "drift: [\n").unwrap();
    std::fs::write(programs.path("keys/nonsense.json"), "no key\n").unwrap();
    until("it complains", || log.message("failed to ").is_some());
    running.signal("TERM");
    assert_eq!(running.ended().0, Some(0));
    log.assert_whole();
    let lines = format!("{:?}", log.0.lock().unwrap());
    assert!(!lines.contains("secret") && !lines.contains(key.trim()), "{lines}");
}

#[test]
fn why_a_program_ended_is_an_object_too() {
    let programs = Programs::with_champion();
    let failed = |program: &str, arguments: &[&str], code: i32| {
        let output = programs.command(program, arguments).env("REGENT_LOG_FORMAT", "json").output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        log_of(&output)
    };
    for form in ["text", "json"] {
        let log = failed(REGENT, &["-o", form, "serve", "rain", "--listen", "nonsense"], 2);
        log.assert_whole();
        assert!(log.message("failed to `nonsense` is no address").is_some(), "{:?}", log.0);
        assert_eq!(log.0.lock().unwrap()[0]["exit"], 2);
        assert!(log.0.lock().unwrap()[0]["hint"].is_string());
    }
    failed(GOVERNOR, &["--workspace", "nowhere"], 2).assert_whole();
    failed(REGENT, &["-q", "serve", "rain", "--listen", "nonsense"], 2).assert_whole();
    // The answer stays what it was.
    let told = programs.command(REGENT, &["status", "--log-format", "json"]).output().unwrap();
    assert!(text(&told.stdout).contains("rain") && serde_json::from_slice::<Value>(&told.stdout).is_err(), "{told:?}");
    let turn = programs.command(GOVERNOR, &["--log-format", "json"]).output().unwrap();
    assert!(text(&turn.stdout).contains("rain: serves 1.0.0"), "{turn:?}");
    assert!(text(&turn.stderr).lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{turn:?}");
}

fn example(name: &str, program: &str, url: &str, key: &str) -> String {
    let path = format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(program).args([&path, url]).env("REGENT_KEY", key).output().unwrap();
    assert!(output.status.success(), "{name}: {output:?}");
    text(&output.stdout)
}

#[test]
fn the_clients_in_examples_are_understood() {
    let programs = Programs::with_champion();
    let scopes = ["--scope", "predict", "--scope", "label", "--scope", "read"];
    let key = programs.done(&[&["keys", "create", "client"], &scopes[..]].concat());
    let server = programs.serve(&[]);
    let said = example("client.py", "python3", server.url(), key.trim());
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "rain 1.0.0 is serving");
    assert!(lines[1].starts_with("rain with a probability of 0."), "{said}");
    assert_eq!(lines[2..4], ["of 3 rows 2 are answered, 1 refused", "the label is new"]);
    assert!(lines[4].starts_with("422 contract-violation: ") && lines[4].contains("temperature: "), "{said}");
    // The script needs curl, as the pages do; a machine that has none is told so by the pages' own test.
    if Command::new("curl").arg("--version").output().is_ok() {
        let said = example("client.sh", "bash", server.url(), key.trim());
        let told: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&told[0]["status"], &told[1]["model"]), (&json!("serving"), &json!("rain")));
        assert_eq!((&told[2]["answered"], &told[2]["refused"]), (&json!(1), &json!(1)));
        assert_eq!(told[3]["outcomes"]["new"], 1);
    }
    server.end();
}

/// What a path answers without a key: the code, the type of its content, its policy, and the body as its coding says.
fn page(url: &str, path: &str) -> (u16, String, String, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent.get(format!("{url}{path}")).call().unwrap();
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (kind, policy, coding) =
        (header("content-type").unwrap(), header("content-security-policy"), header("content-encoding"));
    let bytes = answer.body_mut().read_to_vec().unwrap();
    let body = match coding.as_deref() {
        Some("gzip") => unpacked(&bytes),
        _ => text(&bytes),
    };
    (answer.status().as_u16(), kind, policy.unwrap_or_default(), body)
}

fn unpacked(gzip: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), gzip).unwrap();
    let program = "import gzip, sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())";
    let output = Command::new("python3").args(["-c", program]).arg(file.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout)
}

#[rstest]
fn the_api_describes_itself_and_loads_nothing_from_elsewhere(#[values("axum", "tiny")] door: &str) {
    let programs = Programs::with_champion();
    let server = programs.serve(&["--door", door]);
    let (status, kind, _, body) = page(server.url(), "/openapi.json");
    assert_eq!((status, kind.as_str()), (200, "application/json"));
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&told["openapi"], &told["info"]["title"]), (&json!("3.1.0"), &json!("Regent")));
    let request = &told["components"]["schemas"]["rain.PredictRequest"]["properties"]["features"];
    assert_eq!(request["required"].as_array().unwrap().len(), 8);
    let printed = programs.json(REGENT, &["openapi"]);
    assert_eq!(printed, told, "the command prints what the server answers");
    assert_eq!(serde_json::from_str::<Value>(&programs.done(&["openapi", "rain"])).unwrap(), told);

    // A server with keys shows the viewer, and nothing of itself.
    programs.done(&["keys", "create", "ci", "--scope", "predict"]);
    until("the server asks for keys", || server.code("GET", "/openapi.json", None) == 401);
    let (status, kind, policy, html) = page(server.url(), "/docs");
    assert_eq!((status, kind.as_str()), (200, "text/html; charset=utf-8"));
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
    let loaded: Vec<&str> = html.split(['"', '\'']).filter(|word| word.starts_with("docs/")).collect();
    assert_eq!(loaded, ["docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/start.js"]);
    assert!(!html.contains("://") && !html.contains("rain"), "{html}");
    for path in loaded {
        let (status, kind, file_policy, file) = page(server.url(), &format!("/{path}"));
        assert_eq!((status, &file_policy), (200, &policy), "{path}");
        assert!(kind.starts_with(if path.ends_with("css") { "text/css" } else { "text/javascript" }), "{path}: {kind}");
        // A style may load what it names; a script may name what the policy forbids it to reach.
        assert!(!path.ends_with(".css") || (!file.contains("@import") && !file.contains("url(http")), "{path}");
        assert!(path != "docs/start.js" || !file.contains("://"), "{file}");
        assert!(file.len() > 1_000, "{path}");
    }
    assert_eq!(page(server.url(), "/docs/nothing").0, 401);
    server.end();
}

#[rstest]
fn what_is_served_can_be_scraped(#[values("axum", "tiny")] door: &str) {
    let programs = Programs::with_champion();
    let server = programs.serve(&["--door", door]);
    let predict = format!("{}/api/v1/predict", server.url());
    (1..=3).for_each(|number| assert_eq!(send(&predict, &[], &a_question(number)), 200));
    assert_eq!(send(&predict, &[], &json!({ "features": {} })), 422);
    assert_eq!(server.code("GET", "/nowhere", None), 404);
    let label = json!({ "request_id": request_id(1), "label": true });
    assert_eq!(send(&format!("{}/api/v1/labels", server.url()), &[], &label), 200);
    let (status, kind, _, told) = page(server.url(), "/metrics");
    assert_eq!((status, kind.as_str()), (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"));
    for line in [
        r#"regent_requests_total{model="rain",code="200",role="predict"} 3"#,
        r#"regent_requests_total{model="rain",code="422",role="predict"} 1"#,
        r#"regent_requests_total{model="",code="404",role="other"} 1"#,
        r#"regent_answer_latency_seconds_count{model="rain"} 4"#,
        r#"regent_score_count{model="rain"} 3"#,
        r#"regent_violations_total{model="rain",reason="missing"} 8"#,
        r#"regent_labels_total{model="rain",outcome="new"} 1"#,
        r#"regent_serving_info{model="rain",version="1.0.0",role="champion"} 1"#,
        r#"regent_records_readable{model="rain"} 1.0"#,
        r#"regent_version_state_info{model="rain",version="1.0.0",state="PROMOTED"} 1"#,
        r#"regent_report_verdict{model="rain",about="evaluation"} 0.0"#,
    ] {
        assert!(told.lines().any(|said| said == line), "{line}\n{told}");
    }
    let value = |name: &str| {
        let line = told.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}\n{told}"));
        line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()
    };
    assert!(value("regent_spool_bytes") > 500.0 && value("regent_spool_oldest_seconds") < 60.0);
    assert!(value("regent_journal_head{") >= 2.0 && value("regent_journal_last_timestamp_seconds{") > 1.7e9);
    assert!(value("regent_gate_threshold{").is_finite());
    server.end();
}

#[test]
fn each_model_is_counted_and_described_under_its_name() {
    let programs = TWO.copy();
    let server = programs.serve_all(&["--model", "rain", "--model", "ridership"]);
    let predict = |model: &str| format!("{}/api/v1/models/{model}/predict", server.url());
    assert_eq!(send(&predict("rain"), &[], &a_question(1)), 200);
    assert_eq!(send(&predict("ridership"), &[], &a_question(2)), 422);
    assert_eq!(send(&predict("snow"), &[], &a_question(3)), 404);
    let (_, _, _, told) = page(server.url(), "/metrics");
    for line in [
        r#"regent_requests_total{model="rain",code="200",role="predict"} 1"#,
        r#"regent_requests_total{model="ridership",code="422",role="predict"} 1"#,
        r#"regent_requests_total{model="",code="404",role="predict"} 1"#,
        r#"regent_score_count{model="rain"} 1"#,
        r#"regent_score_count{model="ridership"} 0"#,
        r#"regent_serving_info{model="ridership",version="1.0.0",role="champion"} 1"#,
        r#"regent_records_readable{model="ridership"} 1.0"#,
    ] {
        assert!(told.lines().any(|said| said == line), "{line}\n{told}");
    }
    let told: Value = serde_json::from_str(&page(server.url(), "/openapi.json").3).unwrap();
    let asks = |path: &str| {
        let body = &told["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        body.as_str().unwrap_or_else(|| panic!("{path}")).rsplit_once('/').unwrap().1.to_owned()
    };
    assert_eq!(asks("/api/v1/predict"), "rain.PredictRequest", "the one that is meant where a path names none");
    assert_eq!(asks("/api/v1/models/ridership/predict"), "ridership.PredictRequest");
    assert_eq!(asks("/v2/models/ridership/infer"), "ridership.InferRequest");
    server.end();
}
