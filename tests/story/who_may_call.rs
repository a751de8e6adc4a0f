//! Who may call: keys are made, shown once, rotated and ended, and a server that runs hears of it.

use serde_json::Value;

use super::programs::{Programs, REGENT, text, until};

fn made(programs: &Programs, arguments: &[&str]) -> String {
    let key = programs.done(&[&["keys"], arguments].concat());
    key.trim_end().to_owned()
}

fn id(programs: &Programs, state: &str) -> String {
    let keys = programs.json(REGENT, &["keys", "list"]);
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["state"] == state).unwrap();
    key["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_is_shown_once_rotated_and_ended_while_the_server_runs() {
    let programs = Programs::with_champion();
    let server = programs.serve(&[]);
    assert_eq!(server.code("GET", "/health", None), 200, "without a key nobody is asked");
    let first = made(&programs, &["create", "ci", "--scope", "read"]);
    until("the server asks for keys", || server.code("GET", "/health", None) == 401);
    assert_eq!(server.code("GET", "/health", Some(&first)), 200);
    let second = made(&programs, &["rotate", "ci"]);
    until("the second key opens", || server.code("GET", "/health", Some(&second)) == 200);
    assert_eq!(server.code("GET", "/health", Some(&first)), 200, "both open for a day");
    // A third would be one too many.
    assert_eq!(programs.run(REGENT, &["keys", "rotate", "ci"]).status.code(), Some(2));
    assert_eq!(programs.run(REGENT, &["keys", "create", "ci", "--scope", "read"]).status.code(), Some(2));
    programs.done(&["keys", "revoke", &id(&programs, "rotating")]);
    until("the first key is ended", || server.code("GET", "/health", Some(&first)) == 401);
    assert_eq!(server.code("GET", "/health", Some(&second)), 200);
    programs.done(&["keys", "revoke", &id(&programs, "live")]);
    until("the last key is ended", || server.code("GET", "/health", Some(&second)) == 401);
    assert_eq!(server.code("GET", "/nowhere", Some(&second)), 401, "ended keys do not make the door an open one");
    server.end();
    let told = programs.done(&["-o", "json", "keys", "list"]) + &programs.done(&["keys", "list"]);
    assert!(!told.contains(&first[7..]) && !told.contains("regent_"), "{told}");
}

/// The whole table of the server, with the reading routes: each opens to its own scope and to no other.
#[test]
fn every_route_of_the_server_opens_to_its_scope_alone() {
    let programs = Programs::with_champion();
    let scopes = ["predict", "ingest", "label", "read"];
    let keys: Vec<String> = scopes.iter().map(|scope| made(&programs, &["create", scope, "--scope", scope])).collect();
    let routes = programs.json(REGENT, &["keys", "scopes"]);
    let server = programs.serve(&[]);
    for route in routes["routes"].as_array().unwrap() {
        let (method, needs) = (route["method"].as_str().unwrap(), route["scope"].as_str());
        let path = route["path"].as_str().unwrap().replace("{model}", "rain").replace("{version}", "1.0.0");
        let kept_out = |key: Option<&str>| {
            let code = server.code(method, &path, key);
            matches!(code, 401 | 403 | 404 | 405).then_some(code)
        };
        assert_eq!(kept_out(None), needs.map(|_| 401), "{method} {path}");
        for (scope, key) in scopes.iter().zip(&keys) {
            let expected = needs.filter(|needed| needed != scope).map(|_| 403);
            assert_eq!(kept_out(Some(key)), expected, "{method} {path} with {scope}");
        }
    }
    server.end();
}

#[test]
fn others_are_let_near_only_where_there_are_keys_and_only_to_what_regent_wrote() {
    let programs = Programs::with_champion();
    let refused = programs.run(REGENT, &["serve", "rain", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("regent keys create"), "{refused:?}");
    made(&programs, &["create", "ci", "--scope", "predict"]);
    let small = programs.run(REGENT, &["serve", "rain", "--listen", "0.0.0.0:0", "--door", "tiny"]);
    assert_eq!(small.status.code(), Some(2), "the small door is for this machine, keys or not");
    let file = programs.path("keys").join(format!("{}.json", id(&programs, "live")));
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    for arguments in [vec!["keys", "list"], vec!["serve", "rain", "--listen", "127.0.0.1:0"]] {
        let output = programs.run(REGENT, &[&["-o", "json"], arguments.as_slice()].concat());
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(5), "{said}");
        assert!(said["error"].as_str().unwrap().contains("chmod 600"), "{said}");
    }
}
