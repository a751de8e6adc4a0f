//! Every route with every method and every credential, from the table of routes itself; a test module.

use std::collections::BTreeSet;

use axum::body::Body;
use futures::executor::block_on;
use http::{Method, Request as Asked};
use rstest::rstest;
use tower::ServiceExt;

use axum::response::Response;

use super::super::api::{Front, Routes, Row, guarded, unwired};
use super::super::fixture::{a_wiring, routes_of};
use super::super::keys::{Ending, KEY_FORMAT, KeyRecord, Why};
use super::super::meter::Meter;
use super::*;
use crate::types::{Span, Timestamp};

/// A kind of credential, and what it opens; nothing if its caller is nobody.
struct Credential {
    name: &'static str,
    header: Option<String>,
    opens: Option<BTreeSet<Scope>>,
}

fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn secret(seed: u8) -> Secret {
    Secret::from_random(&[seed; 32])
}

fn bearer(secret: &Secret) -> Option<String> {
    Some(format!("Bearer {}", secret.reveal()))
}

/// Keys of every scope and of all, one that expired, one that was revoked, one that is being rotated; and what is none.
fn a_ring() -> (Ring, Vec<Credential>) {
    let all = BTreeSet::from(Scope::ALL);
    let (mut records, mut endings, mut credentials) = (Vec::new(), Vec::new(), Vec::new());
    let mut key = |name, scopes: &BTreeSet<Scope>, expires, end: Option<(Why, Timestamp)>, live: bool| {
        let secret = secret(records.len() as u8 + 1);
        let record = KeyRecord::of(&secret, "ci".parse().unwrap(), scopes.clone(), now());
        endings.extend(end.map(|(why, at)| Ending { format_version: KEY_FORMAT, id: record.id.clone(), why, at }));
        records.push(KeyRecord { expires, ..record });
        credentials.push(Credential { name, header: bearer(&secret), opens: live.then(|| scopes.clone()) });
    };
    for scope in Scope::ALL {
        key(scope.as_str(), &BTreeSet::from([scope]), None, None, true);
    }
    key("all", &all, Some(now() + Span::from_days(1)), None, true);
    key("rotating", &all, None, Some((Why::Rotated, now() + Span::from_hours(1))), true);
    key("rotated", &all, None, Some((Why::Rotated, now())), false);
    key("expired", &all, Some(now()), None, false);
    key("revoked", &all, None, Some((Why::Revoked, now())), false);
    let nobody = |name, header: Option<String>| Credential { name, header, opens: None };
    let known = secret(5);
    let mut typo = bearer(&known).unwrap();
    typo.pop();
    credentials.extend([
        nobody("none", None),
        nobody("unknown", bearer(&secret(99))),
        nobody("mistyped", Some(typo)),
        nobody("basic", Some(format!("Basic {}", known.reveal()))),
        nobody("bare", Some(known.reveal().to_owned())),
        nobody("empty", Some("Bearer ".to_owned())),
    ]);
    (Ring::of(records, endings), credentials)
}

fn guard(ring: Ring, limits: &Limits) -> (Front, Arc<Guard>) {
    let (wiring, _) = a_wiring(None);
    let guard = Guard::new(wiring.clock.clone(), ring, Hosts::this_machine(["api.example.com".to_owned()]), limits);
    (guarded(routes_of(wiring), &guard, &Arc::new(Meter::new([]))), guard)
}

/// What an SRE is woken by is counted.
#[test]
fn a_handler_that_panics_is_answered_and_counted_as_that() {
    async fn broken() -> &'static str {
        panic!("a defect")
    }
    let (_, guard) = guard(Ring::default(), &Limits::DEFAULTS);
    let meter = Arc::new(Meter::new([]));
    let front = guarded(Routes::new().get("/livez", Access::Open, broken), &guard, &meter);
    assert_eq!(code(&front, &Method::GET, "/livez", None), 500);
    let counted: Vec<(u16, u64)> = meter.requests().map(|(_, _, code, count)| (code, count)).collect();
    assert_eq!(counted, [(500, 1)]);
}

fn send(front: &Front, request: Asked<&'static str>) -> Response {
    block_on(front.clone().oneshot(request.map(Body::from))).unwrap()
}

fn code(front: &Front, method: &Method, path: &str, authorization: Option<&str>) -> u16 {
    let mut request = Asked::builder().method(method).uri(path).header(HOST, "localhost:8080");
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    send(front, request.body("").unwrap()).status().as_u16()
}

/// What the table states.
fn stated(table: &[(Method, String, Access)], method: &Method, path: &str, credential: &Credential) -> Option<u16> {
    let row = table.iter().filter(|(_, row, _)| row == path);
    let mut of_method = row.clone().filter(|(row, ..)| row == method || (row == Method::GET && method == Method::HEAD));
    match (of_method.next(), &credential.opens) {
        (Some((.., Access::Open)), _) => None,
        (_, None) => Some(401),
        (Some((.., Access::Needs(scope))), Some(opens)) => (!opens.contains(scope)).then_some(403),
        (None, Some(_)) if row.count() > 0 => Some(405),
        (None, Some(_)) => Some(404),
    }
}

#[test]
fn every_route_with_every_method_and_every_credential_answers_as_the_table_states() {
    let (ring, credentials) = a_ring();
    let (front, _) = guard(ring, &Limits::DEFAULTS);
    let path = |row: &Row| row.path.replace("{model}", "rain").replace("{version}", "1.0.0");
    let table: Vec<_> = unwired().table().map(|row| (row.method.clone(), path(row), row.access)).collect();
    let unknown = ["/", "/api", "/api/v1/predict/", "/api/v1/../v1/predict", "/admin", "//health", "/api/v1/models"];
    let paths: BTreeSet<&str> = table.iter().map(|(_, path, _)| path.as_str()).chain(unknown).collect();
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];
    let mut tried = 0;
    for path in &paths {
        for method in methods.map(|method| method.parse::<Method>().unwrap()) {
            for credential in &credentials {
                let found = code(&front, &method, path, credential.header.as_deref());
                let kept_out = matches!(found, 401 | 403 | 404 | 405).then_some(found);
                let said = stated(&table, &method, path, credential);
                assert_eq!(kept_out, said, "{method} {path} with {}: {found}", credential.name);
                tried += 1;
            }
        }
    }
    assert_eq!(tried, paths.len() * methods.len() * credentials.len());
}

#[test]
fn without_keys_nobody_is_asked_and_a_door_that_asks_goes_on_asking() {
    let (front, guard) = guard(Ring::default(), &Limits::DEFAULTS);
    assert_eq!(guard.callers(), Callers::Unknown);
    assert_eq!(code(&front, &Method::GET, "/health", None), 200);
    assert_eq!(code(&front, &Method::GET, "/nowhere", None), 404);
    let (ring, _) = a_ring();
    assert!(guard.renew(ring.clone()) && !guard.renew(ring));
    assert_eq!(code(&front, &Method::GET, "/health", None), 401);
    assert!(!guard.renew(Ring::default()), "keys that vanish open nothing");
    assert_eq!((code(&front, &Method::GET, "/nowhere", None), guard.callers()), (401, Callers::Keyed));
}

#[test]
fn refusals_say_how_and_repeat_no_key() {
    let (ring, credentials) = a_ring();
    let (front, _) = guard(ring, &Limits::DEFAULTS);
    for credential in &credentials {
        let mut request = Asked::post("/api/v1/labels").header(HOST, "localhost");
        if let Some(header) = &credential.header {
            request = request.header(AUTHORIZATION, header);
        }
        let response = send(&front, request.body("{").unwrap());
        let (head, body) = response.into_parts();
        let asks = head.headers.contains_key(http::header::WWW_AUTHENTICATE);
        assert_eq!(asks, head.status == 401, "{}", credential.name);
        let body = block_on(axum::body::to_bytes(body, 4096)).unwrap();
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(!body.contains("regent_") && !body.contains('/'), "{}: {body}", credential.name);
    }
}

#[rstest]
#[case(&["localhost:8080"], 200)]
#[case(&["LOCALHOST"], 200)]
#[case(&["127.0.0.1:1"], 200)]
#[case(&["[::1]:8080"], 200)]
#[case(&["API.example.com"], 200)]
#[case(&["evil.example.com"], 403)]
#[case(&["localhost.evil.example"], 403)]
#[case(&["192.0.2.7"], 403)]
#[case(&["localhost:8080@evil.example"], 403)]
#[case(&[""], 403)]
#[case(&[], 400)]
#[case(&["localhost", "localhost"], 400)]
#[case(&["localhost", "evil.example"], 400)]
fn only_this_servers_names_are_answered(#[case] hosts: &[&str], #[case] status: u16) {
    let (front, _) = guard(Ring::default(), &Limits::DEFAULTS);
    let request = hosts.iter().fold(Asked::get("/livez"), |request, host| request.header(HOST, *host));
    assert_eq!(send(&front, request.body("").unwrap()).status(), status, "{hosts:?}");
}

#[test]
fn what_faces_others_is_known_by_any_address_and_by_no_other_name() {
    let hosts = Hosts::any_address([]);
    assert!(["192.0.2.7:80", "[2001:db8::1]", "localhost"].iter().all(|host| hosts.know(host)));
    assert!(!["evil.example", "1.2.3.4.evil", "", "x.1"].iter().any(|host| hosts.know(host)));
}

#[test]
fn a_page_changes_nothing_and_an_absolute_target_hides_no_name() {
    let (front, _) = guard(Ring::default(), &Limits::DEFAULTS);
    let told = |method: &str, uri: &str, origin: Option<&str>| {
        let mut request = Asked::builder().method(method).uri(uri).header(HOST, "localhost");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        send(&front, request.body("{}").unwrap()).status().as_u16()
    };
    for origin in ["https://evil.example", "http://localhost:8080", "null"] {
        assert_eq!(told("POST", "/api/v1/labels", Some(origin)), 403);
        assert_eq!(told("GET", "/livez", Some(origin)), 200);
    }
    assert_eq!(told("POST", "/api/v1/labels", None), 503);
    assert_eq!(told("GET", "http://evil.example/livez", None), 403);
    assert_eq!(told("GET", "http://localhost/livez", None), 200);
}

#[test]
fn one_caller_asks_as_often_as_it_may_and_leaves_the_others_theirs() {
    let (ring, credentials) = a_ring();
    let (front, _) = guard(ring, &Limits { per_key: 3, ..Limits::DEFAULTS });
    let ask = |credential: &Credential| code(&front, &Method::GET, "/livez", credential.header.as_deref());
    let codes: Vec<u16> = (0..5).map(|_| ask(&credentials[0])).collect();
    assert_eq!(codes, [200, 200, 200, 429, 429]);
    assert_eq!(ask(&credentials[1]), 200);
    let (front, _) = guard(Ring::default(), &Limits { per_address: 2, ..Limits::DEFAULTS });
    let from = |peer| {
        let request = Asked::get("/livez").header(HOST, "localhost").extension(Standing::at(Peer(peer)));
        send(&front, request.body("").unwrap())
    };
    assert_eq!([from(1), from(1)].map(|response| response.status().as_u16()), [200, 200]);
    let refused = from(1);
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"1".parse().unwrap()));
    assert_eq!(from(2).status(), 200);
}
