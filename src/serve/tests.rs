//! What every door promises, told to both by a real client; a test module.
#![expect(clippy::disallowed_methods, reason = "a test of doors")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::{Defect, a_model, a_regression, a_request, a_wiring, routes_of, serving};
use super::guard::Access;
use super::*;
use crate::types::Version;

mod neighbours;

#[derive(Debug, Clone, Copy)]
enum Door {
    Hyper,
    Tiny,
}

/// A door that is open until it is dropped.
struct Open {
    address: SocketAddr,
    close: Option<Box<dyn FnOnce()>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(close) = self.close.take() {
            close();
        }
    }
}

const LOOPBACK: &str = "127.0.0.1:0";

impl Door {
    fn open(self, front: Front) -> Open {
        match self {
            Door::Hyper => open_hyper(front, Limits::DEFAULTS),
            Door::Tiny => {
                let door = TinyDoor::open(LOOPBACK.parse().unwrap(), front, Bodies::DEFAULTS).unwrap();
                Open { address: door.address(), close: Some(Box::new(move || door.stop())) }
            }
        }
    }

    fn refuses(self, address: &str) -> String {
        let address = address.parse().unwrap();
        let refused = match self {
            Door::Hyper => HttpDoor::bind(address, Limits::DEFAULTS, Callers::Unknown).err(),
            Door::Tiny => TinyDoor::open(address, axum::Router::new(), Bodies::DEFAULTS).err(),
        };
        refused.unwrap().to_string()
    }
}

fn open_hyper(front: Front, limits: Limits) -> Open {
    let door = HttpDoor::bind(LOOPBACK.parse().unwrap(), limits, Callers::Unknown).unwrap();
    let address = door.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(door.serve(|| front.clone(), async { drop(stopped.await) })).unwrap();
    });
    let close = move || {
        drop(stop);
        server.join().unwrap();
    };
    Open { address, close: Some(Box::new(close)) }
}

impl Open {
    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder().http_status_as_error(false).build().into()
    }

    fn send(&self, path: &str, body: &str) -> (u16, String, Value) {
        let url = format!("http://{}{path}", self.address);
        let mut answer = Open::agent().post(url).header("content-type", "application/json").send(body).unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (answer.status().as_u16(), kind, answer.body_mut().read_json().unwrap())
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut answer = Open::agent().get(format!("http://{}{path}", self.address)).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }
}

fn rain(serving: Option<Arc<Serving>>) -> Front {
    finish(routes_of(a_wiring(serving).0))
}

fn a_champion() -> Option<Arc<Serving>> {
    Some(serving(a_model(Version::FIRST, 1.0), None))
}

#[rstest]
fn a_prediction_is_a_probability_of_a_named_version(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let open = door.open(rain(a_champion()));
    let id = Uuid::from_u128(7);
    let (status, kind, said) = open.send("/api/v1/predict", &a_request(40.0, Some(id)));
    assert_eq!((status, kind.as_str()), (200, "application/json"));
    let expected = json!({"request_id": id.to_string(), "model": "rain", "model_version": "1.0.0", "probability": 0.4});
    assert_eq!(said, expected);

    let (_, _, said) = open.send("/api/v1/predict", &a_request(40.0, None));
    let issued: Uuid = said["request_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(issued.get_version_num(), 7);
    assert_eq!(open.get("/readyz").0, 200);
    assert_eq!(open.get("/livez"), (200, "ok\n".to_owned()));
    let health: Value = serde_json::from_str(&open.get("/health").1).unwrap();
    assert_eq!(health, json!({"status": "serving", "model": "rain", "model_version": "1.0.0"}));
}

#[rstest]
fn a_number_comes_with_its_interval(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let champion = a_regression(Version::FIRST, 1.0);
    let open = door.open(rain(Some(serving(champion, None))));
    let (status, _, said) = open.send("/api/v1/predict", &a_request(40.0, Some(Uuid::from_u128(7))));
    assert_eq!((status, &said["prediction"], &said["interval"]), (200, &json!(21.5), &json!([20.5, 22.5])));
    assert!(said.get("probability").is_none());
}

#[rstest]
fn six_faults_get_one_answer_that_names_all_six(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let open = door.open(rain(a_champion()));
    let body = r#"{"features":{"temperature":1e999,"humidity":100.5,"station":"west","wind":3,"rained_mm":1},
                   "request_id":"018f6b1e-7c1a-7000-8000-000000000001"}"#;
    let (status, kind, said) = open.send("/api/v1/predict", body);
    assert_eq!((status, kind.as_str()), (422, "application/problem+json"));
    assert_eq!(said["type"], "urn:regent:problem:contract-violation");
    assert_eq!((&said["status"], &said["model_version"]), (&json!(422), &json!("1.0.0")));
    let errors = said["errors"].as_array().unwrap();
    let faults: Vec<_> = errors.iter().map(|e| (e["feature"].as_str().unwrap(), e["code"].as_str().unwrap())).collect();
    let expected = [
        ("temperature", "non_finite"),
        ("humidity", "out_of_range"),
        ("station", "unseen"),
        ("windy", "missing"),
        ("wind", "unknown"),
        ("rained_mm", "forbidden"),
    ];
    assert_eq!(faults, expected);
    let mistyped = r#"{"features":{"temperature":"hot","humidity":[],"station":1,"windy":"yes"}}"#;
    let (_, _, said) = open.send("/api/v1/predict", mistyped);
    assert!(said["errors"].as_array().unwrap().iter().all(|error| error["code"] == "mistyped"));
}

#[rstest]
fn every_row_of_a_batch_is_answered_or_refused_by_itself(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let (wiring, memo) =
        a_wiring(Some(serving(a_model(Version::FIRST, 1.0), Some(a_model(Version::new(1, 0, 1), 1.0)))));
    let open = door.open(finish(routes_of(wiring)));
    let (good, bad) = (a_request(40.0, Some(Uuid::from_u128(7))), a_request(400.0, Some(Uuid::from_u128(8))));
    let body = format!(r#"{{"rows":[{good},{bad},{}]}}"#, a_request(25.0, Some(Uuid::from_u128(9))));
    let (status, kind, said) = open.send("/api/v1/predict/batch", &body);
    assert_eq!((status, kind.as_str()), (200, "application/json"));
    assert_eq!((&said["model"], &said["model_version"]), (&json!("rain"), &json!("1.0.0")));
    assert_eq!((&said["answered"], &said["refused"]), (&json!(2), &json!(1)));
    let row =
        |number: u128, probability: f64| json!({"request_id": Uuid::from_u128(number), "probability": probability});
    assert_eq!((&said["rows"][0], &said["rows"][2]), (&row(7, 0.4), &row(9, 0.25)));
    let refused = &said["rows"][1];
    assert_eq!(
        (&refused["errors"][0]["feature"], &refused["errors"][0]["code"]),
        (&json!("humidity"), &json!("out_of_range"))
    );
    // Nothing is counted before all is remembered.
    let events = ["event scored", "event refused", "event scored"];
    let counts = ["count scored", "count refused", "count scored", "mirror 1.0.1", "mirror 1.0.1"];
    assert_eq!(memo.all(), [&events[..], &counts].concat());

    let (status, _, said) = open.send("/api/v1/predict/batch", &format!(r#"{{"rows":[{good},{{}}]}}"#));
    assert_eq!((status, said["detail"].as_str().unwrap()), (400, "row 2: `features` is required"));
    assert_eq!(memo.all().len(), 8, "nothing of a body that is no batch is answered");
    // Larger than one row may be.
    let many = format!(r#"{{"rows":[{}]}}"#, vec![good; 10_000].join(","));
    let (status, _, said) = open.send("/api/v1/predict/batch", &many);
    assert_eq!((status, &said["answered"]), (200, &json!(10_000)));
}

#[rstest]
fn what_is_not_a_request_is_a_problem(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let open = door.open(rain(a_champion()));
    for body in ["{", r#"{"features":{}} x"#, "[]"] {
        let (status, kind, said) = open.send("/api/v1/predict", body);
        assert_eq!((status, kind.as_str()), (400, "application/problem+json"), "{body}: {said}");
    }
    let (status, _, said) = open.send("/api/v1/predict", r#"{"features":{"humidity":1,"humidity":2}}"#);
    assert_eq!((status, said["detail"].as_str().unwrap()), (400, "`humidity` is given twice"));
    let large = format!(r#"{{"features":{{"{}":1}}}}"#, "x".repeat(1024 * 1024));
    assert_eq!(open.send("/api/v1/predict", &large).0, 413);
    assert_eq!(open.get("/api/v1/predict").0, 405);
    assert_eq!(open.get("/nowhere").0, 404);
    let url = format!("http://{}/api/v1/predict", open.address);
    let form = Open::agent().post(url).header("content-type", "text/plain").send("{}").unwrap();
    assert_eq!(form.status(), 415);
}

#[rstest]
fn without_a_champion_nobody_answers(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let open = door.open(rain(None));
    let (status, _, said) = open.send("/api/v1/predict", &a_request(40.0, None));
    assert_eq!((status, &said["type"]), (503, &json!("urn:regent:problem:no-champion")));
    assert_eq!((open.get("/readyz").0, open.get("/livez").0, open.get("/health").0), (503, 200, 200));
}

#[rstest]
fn labels_are_taken_all_or_none(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let (wiring, memo) = a_wiring(a_champion());
    let open = door.open(finish(routes_of(wiring)));
    let [a, b] = [1, 2].map(Uuid::from_u128);
    let both = json!({"labels": [{"request_id": a, "label": true}, {"request_id": b, "label": 2}]});
    let (status, _, said) = open.send("/api/v1/labels", &both.to_string());
    assert_eq!((status, &said["errors"][0]["feature"]), (422, &json!("labels[1].label")));
    assert!(memo.labels.lock().unwrap().is_empty());
    let one = json!({"request_id": a, "label": 1});
    let (status, _, said) = open.send("/api/v1/labels", &one.to_string());
    assert_eq!((status, &said["outcomes"]["new"]), (200, &json!(1)));
    assert_eq!(memo.labels.lock().unwrap()[&a], 1.0);
}

#[rstest]
fn a_panic_costs_one_request_only(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let (wiring, _) = a_wiring(None);
    let champion = Arc::new(Defect { serving: a_champion().unwrap(), looks: Default::default() });
    let open = door.open(finish(routes_of(Wiring { champion, ..wiring })));
    let (status, kind, said) = open.send("/api/v1/predict", &a_request(13.0, None));
    assert_eq!((status, kind.as_str()), (500, "application/problem+json"));
    assert!(!said.to_string().contains("secret"));
    assert_eq!(open.send("/api/v1/predict", &a_request(14.0, None)).0, 200);
}

#[rstest]
fn what_is_not_finite_is_no_prediction(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let (wiring, memo) = a_wiring(Some(serving(a_regression(Version::FIRST, 1e308), None)));
    let open = door.open(finish(routes_of(wiring)));
    let (status, _, said) = open.send("/api/v1/predict", &a_request(13.0, None));
    assert_eq!((status, &said["type"]), (500, &json!("urn:regent:problem:not-finite")));
    assert!(memo.all().is_empty());
}

#[rstest]
fn only_this_machine_is_served(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    for address in ["0.0.0.0:0", "192.0.2.1:80", "[::]:0"] {
        let said = door.refuses(address);
        assert!(said.contains("only this machine") || said.contains("this machine only"), "{said}");
    }
}

#[rstest]
fn the_candidate_scores_after_the_answer_is_made(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let candidate = a_model(Version::new(1, 1, 0), 0.5);
    let (wiring, memo) = a_wiring(Some(serving(a_model(Version::FIRST, 1.0), Some(candidate))));
    let open = door.open(finish(routes_of(wiring)));
    open.send("/api/v1/predict", &a_request(40.0, None));
    assert_eq!(memo.all(), ["event scored", "count scored", "mirror 1.1.0"]);
    open.send("/api/v1/predict", &a_request(400.0, None));
    assert_eq!(memo.all()[3..], ["event refused", "count refused"]);
}

/// A raw connection, for what no well-behaved client does.
fn raw(open: &Open, text: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(open.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut said = vec![0; 4096];
    let length = stream.read(&mut said).unwrap();
    (stream, String::from_utf8_lossy(&said[..length]).into_owned())
}

fn head(length: usize) -> String {
    format!("POST /api/v1/predict HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n")
}

#[test]
fn a_body_that_trickles_is_cut() {
    let limits = Limits { request: Duration::from_millis(100), ..Limits::DEFAULTS };
    let open = open_hyper(rain(a_champion()), limits);
    let (_, said) = raw(&open, &head(100));
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
}

#[test]
fn a_head_that_trickles_is_cut() {
    let limits = Limits { head: Duration::from_millis(100), ..Limits::DEFAULTS };
    let open = open_hyper(rain(a_champion()), limits);
    let (mut stream, said) = raw(&open, "POST /api/v1/predict HTTP/1.1\r\n");
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "the connection is still open");
}

/// A connection that says nothing between two requests is kept for as long as `idle` says, and a head has its own time then.
#[test]
fn a_silent_connection_is_cut_and_a_busy_one_is_not() {
    let (head, idle) = (Duration::from_millis(200), Duration::from_millis(600));
    let open = open_hyper(rain(a_champion()), Limits { head, idle, ..Limits::DEFAULTS });
    let (mut stream, said) = raw(&open, "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    for _ in 0..4 {
        thread::sleep(Duration::from_millis(250));
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0, "a connection in use was cut");
    }
    assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0, "the connection is still open");
}

/// Answers that nobody reads are not kept for ever.
#[test]
fn a_reader_that_does_not_read_is_cut() {
    let open = open_hyper(rain(a_champion()), Limits { request: Duration::from_millis(200), ..Limits::DEFAULTS });
    let mut stream = TcpStream::connect(open.address).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    let asked = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1_000);
    let cut = (0..20_000).find_map(|_| stream.write_all(asked.as_bytes()).err());
    let kind = cut.unwrap().kind();
    assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind:?}");
}

#[test]
fn a_head_has_a_size() {
    let open = open_hyper(rain(a_champion()), Limits::DEFAULTS);
    let many = (0..101).map(|number| format!("x-{number}: 1\r\n")).collect::<String>();
    for headers in [many, format!("x: {}\r\n", "1".repeat(17 * 1024))] {
        let (_, said) = raw(&open, &format!("GET /livez HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n"));
        assert!(said.starts_with("HTTP/1.1 431"), "{said}");
    }
}

/// Whoever sends a megabyte of names is not told all of them again.
#[rstest]
fn what_a_refusal_weighs_has_an_end(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let open = door.open(rain(a_champion()));
    let names: Vec<String> = (0..20_000).map(|number| format!("\"a_name_of_its_own_{number}\":1")).collect();
    let (status, _, said) = open.send("/api/v1/predict", &format!(r#"{{"features":{{{}}}}}"#, names.join(",")));
    let told = said["errors"].as_array().unwrap().len();
    assert_eq!(status, 422);
    assert_eq!(said["detail"], format!("20004 violations of the contract; the first {told} are told"));
    assert!((300..2_000).contains(&told) && said.to_string().len() < 128 * 1024, "{told}");
}

/// Depth is a limit of its own: lists that are closed again are not deep.
#[rstest]
fn a_body_has_a_depth(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let open = door.open(rain(a_champion()));
    let deep = format!(r#"{{"features":{}1{}}}"#, "[".repeat(64), "]".repeat(64));
    let (status, _, said) = open.send("/api/v1/predict", &deep);
    assert_eq!((status, said["detail"].as_str().unwrap()), (400, "the body is nested deeper than 64 levels"));
}

/// A connection whose request is being served, and whose body is awaited: the server has asked for it.
fn under_way(open: &Open, body: &str) -> TcpStream {
    let mut waiting = TcpStream::connect(open.address).unwrap();
    let head = head(body.len()).replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
    waiting.write_all(head.as_bytes()).unwrap();
    let mut said = [0; 25];
    waiting.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HTTP/1.1 100 Continue\r\n\r\n");
    waiting
}

#[test]
fn more_than_the_door_lets_in_is_shed_at_once() {
    let limits = Limits { requests: 1, ..Limits::DEFAULTS };
    let open = open_hyper(rain(a_champion()), limits);
    let body = a_request(40.0, None);
    let mut waiting = under_way(&open, &body);
    let (status, _, said) = open.send("/api/v1/predict", &body);
    assert_eq!((status, &said["type"]), (503, &json!("urn:regent:problem:overloaded")));
    waiting.write_all(body.as_bytes()).unwrap();
    let mut said = [0; 12];
    waiting.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
}

#[test]
fn a_shutdown_answers_what_is_under_way() {
    let open = open_hyper(rain(a_champion()), Limits::DEFAULTS);
    let body = a_request(40.0, None);
    let mut waiting = under_way(&open, &body);
    let late = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        waiting.write_all(body.as_bytes()).unwrap();
        let mut said = String::new();
        waiting.read_to_string(&mut said).unwrap();
        said
    });
    drop(open);
    assert!(late.join().unwrap().starts_with("HTTP/1.1 200"));
}

/// Long answers are made elsewhere than on the threads that connections live on.
#[test]
fn who_asks_for_much_keeps_nobody_waiting_who_asks_for_one_row() {
    let (release, held) = mpsc::channel::<()>();
    let (begun, held) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(held)));
    let at_work = Arc::clone(&begun);
    let page = async move || {
        at_work.fetch_add(1, Ordering::Relaxed);
        held.lock().unwrap().recv().unwrap_err();
    };
    let routes = routes_of(a_wiring(a_champion()).0).get("/api/v1/models/{model}/history", Access::Open, page);
    let open = Door::Hyper.open(finish(routes));
    thread::scope(|scope| {
        // Whatever comes of what follows, they are let go then.
        let release = release;
        let address = open.address;
        let ask = move || Open { address, close: None }.get("/api/v1/models/rain/history").0;
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        // As many at once as there are threads for that.
        let most = thread::available_parallelism().unwrap().get().min(8);
        while begun.load(Ordering::Relaxed) < most {
            thread::yield_now();
        }
        let one = a_request(40.0, None);
        let one =
            format!("POST /api/v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{one}", one.len());
        let mut connections = [(); 4].map(|()| TcpStream::connect(open.address).unwrap());
        for connection in &mut connections {
            connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            connection.write_all(one.as_bytes()).unwrap();
            let mut said = [0; 12];
            connection.read_exact(&mut said).expect("one row waits for what others ask");
            assert_eq!(&said, b"HTTP/1.1 200");
        }
        drop(release);
        assert!(waiting.into_iter().all(|one| one.join().unwrap() == 200));
    });
}
