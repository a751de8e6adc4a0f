//! The README and the pages beside it do what they say: every `console` block is typed into one shell, from top to bottom, and what it shows comes out.
//!
//! A line that begins with `$ ` is a command, `> ` continues it, and every command must succeed. The lines below it are what it prints; `…` stands
//! for any text in a line, and for any lines when it stands alone. Where nothing is shown, anything may be printed.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use rstest::rstest;

/// Where the README's server listens; the test takes a free port in its place.
const ADDRESS: &str = "127.0.0.1:8080";
/// Stands before the output of each command; nobody prints it by chance.
const MARK: &str = "\u{1}command ";

struct Typed {
    line: usize,
    command: String,
    shows: Vec<String>,
}

/// The commands of all `console` blocks, in order.
fn typed(readme: &str) -> Vec<Typed> {
    let mut commands: Vec<Typed> = Vec::new();
    let mut inside = false;
    for (index, line) in readme.lines().enumerate() {
        let line = line.trim_end();
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            commands.push(Typed { line: index + 1, command: command.to_owned(), shows: Vec::new() });
        } else if let (true, Some(last)) = (inside, commands.last_mut()) {
            match line.strip_prefix("> ") {
                Some(more) if last.shows.is_empty() => last.command += &format!("\n{more}"),
                Some(_) | None => last.shows.push(line.to_owned()),
            }
        }
    }
    commands
}

/// Whether a printed line is what the README shows, with `…` for any text.
fn line_is(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = printed.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut last = "";
    let mut open = false;
    for part in parts {
        let Some(place) = rest.find(part) else { return false };
        rest = &rest[place + part.len()..];
        (last, open) = (part, true);
    }
    rest.is_empty() || (open && (last.is_empty() || printed.ends_with(last)))
}

/// Whether the printed lines are those that the README shows, with a lone `…` for any lines.
fn lines_are(shown: &[String], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == "…" => (0..=printed.len()).any(|skip| lines_are(rest, &printed[skip..])),
        Some((first, rest)) => {
            printed.split_first().is_some_and(|(line, more)| line_is(first, line) && lines_are(rest, more))
        }
    }
}

/// One shell script of all commands, each announced, that ends at the first one that fails.
fn script(commands: &[Typed], address: &str) -> String {
    let mut script = String::from("set -o pipefail\n");
    for (index, typed) in commands.iter().enumerate() {
        let command = typed.command.replace(ADDRESS, address);
        let _ = writeln!(script, "printf '\\001command {index}\\n'\n{command}\ncode=$?");
        let _ = writeln!(script, "[ $code = 0 ] || {{ printf '\\001command failed with %s\\n' $code; exit 1; }}");
    }
    script
}

/// What a machine without curl is given in its place: just what the README asks of it.
const CURL: &str = r#"#!/usr/bin/env python3
import sys, time, urllib.error, urllib.request
options, url, data, retries = sys.argv[1:], None, None, 0
while options:
    option = options.pop(0)
    if option in ("-d", "--data"): data = options.pop(0)
    elif option == "--retry": retries = int(options.pop(0))
    elif option in ("-H", "--retry-delay"): options.pop(0)
    elif not option.startswith("-"): url = option
if data and data.startswith("@"): data = open(data[1:]).read()
request = urllib.request.Request(url if "://" in url else "http://" + url, data.encode() if data else None)
request.add_header("Content-Type", "application/json")
for attempt in range(retries + 1):
    try:
        print(urllib.request.urlopen(request).read().decode(), end=""); sys.exit(0)
    except urllib.error.HTTPError as error:
        if error.code < 500: print(error.read().decode(), end=""); sys.exit(0)
    except OSError: pass
    time.sleep(1)
sys.exit(7)
"#;

/// A folder with the programs of the README, to be put first in PATH.
fn programs(folder: &Path) {
    for (name, program) in [("regent", env!("CARGO_BIN_EXE_regent")), ("governor", env!("CARGO_BIN_EXE_governor"))] {
        std::os::unix::fs::symlink(program, folder.join(name)).unwrap();
    }
    if Command::new("curl").arg("--version").output().is_err() {
        use std::os::unix::fs::PermissionsExt as _;
        fs::write(folder.join("curl"), CURL).unwrap();
        fs::set_permissions(folder.join("curl"), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[rstest]
#[case("README.md", 20)]
#[case("docs/api.md", 12)]
#[case("docs/inference-from-elsewhere.md", 14)]
#[case("docs/neighbours.md", 12)]
#[case("docs/security.md", 12)]
fn every_command_of_a_page_does_what_it_shows(#[case] page: &str, #[case] at_least: usize) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let commands = typed(&text);
    assert!(commands.len() > at_least, "{page} has {} commands", commands.len());
    let place = tempfile::tempdir().unwrap();
    let bin = place.path().join("bin");
    let work = place.path().join("work");
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(&work).unwrap();
    programs(&bin);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    // A file and not a pipe: a server that outlives a failing script must not keep the test waiting.
    let output = place.path().join("output");
    let written = File::create(&output).unwrap();
    Command::new("bash")
        .args(["-c", &script(&commands, &free)])
        .current_dir(&work)
        .env("PATH", path)
        .env("REGENT_LISTEN", &free)
        .env("USER", "you")
        .env_remove("REGENT_WORKSPACE")
        .stdout(written.try_clone().unwrap())
        .stderr(written)
        .status()
        .unwrap();
    let printed = fs::read_to_string(&output).unwrap().replace(&free, ADDRESS);
    compare(page, &commands, &printed);
}

fn compare(page: &str, commands: &[Typed], printed: &str) {
    let mut outputs = printed.split(MARK).skip(1);
    for typed in commands {
        let at = format!("{page}:{}: $ {}", typed.line, typed.command);
        let Some((_, output)) = outputs.next().and_then(|output| output.split_once('\n')) else {
            panic!("{at}\nwas not reached; all that was printed:\n{printed}");
        };
        let failed = outputs.clone().next().is_some_and(|next| next.starts_with("failed"));
        assert!(!failed, "{at}\nfailed and printed:\n{output}");
        let lines: Vec<&str> = output.trim_end().lines().collect();
        let shows = typed.shows.join("\n");
        let as_shown = typed.shows.is_empty() || lines_are(&typed.shows, &lines);
        assert!(as_shown, "{at}\nshows:\n{shows}\nbut printed:\n{output}");
    }
}

#[test]
fn dots_stand_for_any_text_and_any_lines() {
    assert!(line_is("froze … rows", "froze 6000 rows") && line_is("a…", "abc") && line_is("a", "a"));
    assert!(!line_is("a", "ab") && !line_is("froze … rows", "froze 6000 rows more") && !line_is("a…b", "ac"));
    let shown = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    assert!(lines_are(&shown(&["a", "…", "d"]), &["a", "b", "c", "d"]));
    assert!(!lines_are(&shown(&["a", "…", "d"]), &["a", "b", "c"]));
    assert!(!lines_are(&shown(&["a"]), &["a", "b"]));
}

/// The text of every source file.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_promise_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let mut code = String::new();
    sources(&root.join("src"), &mut code);
    sources(&root.join("tests"), &mut code);
    for promise in 1..=14 {
        let row = page.lines().find(|line| line.starts_with(&format!("| P{promise} |")));
        let row = row.unwrap_or_else(|| panic!("docs/architecture.md has no row for P{promise}"));
        let tests: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "P{promise} names no test");
        for test in tests {
            let name = test.rsplit("::").next().unwrap_or(test);
            let there = code.contains(&format!("fn {name}(")) || code.contains(&format!("    {name}\n"));
            assert!(there, "P{promise} names `{test}`, and there is no such test");
        }
    }
}
