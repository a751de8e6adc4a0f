//! Whatever the umask, nothing that Regent makes can be written by anybody but its owner.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::commands::Workspace;

const REGENT: &str = env!("CARGO_BIN_EXE_regent");
const GOVERNOR: &str = env!("CARGO_BIN_EXE_governor");

/// A program under this umask.
fn under(umask: &str, workspace: &Workspace, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("umask {umask}; exec \"$@\""), "sh", program]).args(arguments);
    command.current_dir(workspace.path("")).env_remove("REGENT_WORKSPACE");
    command
}

fn done(umask: &str, workspace: &Workspace, program: &str, arguments: &[&str]) {
    let output = under(umask, workspace, program, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// Every file and folder below this one that others may write.
fn open_to_others(folder: &Path, found: &mut Vec<PathBuf>) -> usize {
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let about = entry.metadata().unwrap();
        seen += 1;
        if !about.is_symlink() && about.mode() & 0o022 != 0 {
            found.push(entry.path());
        }
        if about.is_dir() {
            seen += open_to_others(&entry.path(), found);
        }
    }
    seen
}

/// A server that is told to stop when the test ends, however it ends.
struct Served(Child);

impl Served {
    fn stop(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(told.success() && self.0.wait().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The whole life of a model under `umask 000`: init, ingest, register, train, publish, govern, serve with its spool, labels,
/// sign, export, import.
#[test]
fn umask_000_leaves_nothing_that_others_can_write() {
    let workspace = Workspace::empty();
    let run = |program: &str, arguments: &[&str]| done("000", &workspace, program, arguments);
    run(REGENT, &["init", "--example", "rain"]);
    let all = fs::read_to_string(workspace.path("data/noaa_rain.csv")).unwrap();
    let past: String = all.lines().take(2_001).map(|line| format!("{line}\n")).collect();
    fs::write(workspace.path("past.csv"), past).unwrap();
    fs::set_permissions(workspace.path("past.csv"), fs::Permissions::from_mode(0o644)).unwrap();
    run(REGENT, &["schema", "infer", "past.csv", "--name", "drafted", "--write"]);
    run(REGENT, &["contract", "register", "rain"]);
    run(REGENT, &["ingest", "past.csv", "--contract", "rain"]);
    run(REGENT, &["train", "baseline", "rain"]);
    run(GOVERNOR, &[]);
    run(GOVERNOR, &[]);
    run(REGENT, &["signing", "keygen", "--out", "k.pem"]);
    run(REGENT, &["registry", "sign", "rain", "1.0.0", "--key", "k.pem"]);
    run(REGENT, &["registry", "export", "rain", "1.0.0", "--out", "rain.tar"]);
    run(REGENT, &["--workspace", ".", "registry", "import", "rain.tar"]);
    run(REGENT, &["export-schemas", "--out", "drafts"]);

    let mut serving = under("000", &workspace, REGENT, &["serve", "rain", "--listen", "127.0.0.1:0"]);
    let mut served = Served(serving.stderr(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(served.0.stderr.take().unwrap()).lines().map(|line| line.unwrap());
    let mut addresses = lines.filter_map(|line| Some(line.split_once("listening on ")?.1.to_owned()));
    let url = format!("{}/api/v1/predict", addresses.next().unwrap());
    let features = json!({ "features": {
        "temperature": -0.4, "dew_point": 0.9, "sea_level_pressure": -0.8, "visibility": -1.2,
        "average_wind_speed": 0.6, "max_sustained_wind_speed": 0.5,
        "minimum_temperature": -0.1, "maximum_temperature": -0.5
    }});
    assert_eq!(ureq::post(&url).send_json(&features).unwrap().status(), 200);
    // The spool is open now: the one kind of file that grows.
    let mut found = Vec::new();
    let while_serving = open_to_others(&workspace.path(""), &mut found);
    served.stop();
    let after = open_to_others(&workspace.path(""), &mut found);
    assert_eq!(found, Vec::<PathBuf>::new());
    assert!(while_serving > 50 && after > 50, "{while_serving} and {after} files and folders were looked at");

    for entry in fs::read_dir(workspace.path("registry/rain/1.0.0")).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o777, 0o444, "files of a bundle are read-only");
    }
}

/// What a stricter umask forbids stays forbidden.
#[test]
fn a_stricter_umask_stands() {
    let workspace = Workspace::empty();
    done("077", &workspace, REGENT, &["init", "--example", "rain"]);
    let mode = |path: &str| fs::metadata(workspace.path(path)).unwrap().mode() & 0o777;
    assert_eq!((mode("regent.yaml"), mode("contracts")), (0o600, 0o700));
}
