//! The commands as a person and a scheduler meet them: what is printed, what is left on disk, and with which code they end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A workspace in a folder that vanishes, and the programs run in it.
pub(crate) struct Workspace(TempDir);

impl Workspace {
    pub(crate) fn empty() -> Self {
        Workspace(tempfile::tempdir().unwrap())
    }

    fn with(examples: &[&str]) -> Self {
        let workspace = Workspace::empty();
        for example in examples {
            workspace.done(&["init", "--example", example]);
            workspace.done(&["contract", "register", example]);
        }
        workspace
    }

    /// A workspace whose first model is trained on the first days of the weather.
    pub(crate) fn trained() -> Self {
        let workspace = Workspace::with(&["rain"]);
        let all = fs::read_to_string(workspace.path("data/noaa_rain.csv")).unwrap();
        let past: String = all.lines().take(2_001).map(|line| format!("{line}\n")).collect();
        fs::write(workspace.path("past.csv"), past).unwrap();
        workspace.done(&["ingest", "past.csv", "--contract", "rain"]);
        workspace.done(&["train", "baseline", "rain"]);
        workspace
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.0.path()).env_remove("REGENT_WORKSPACE");
        command.output().unwrap()
    }

    pub(crate) fn regent(&self, arguments: &[&str]) -> Output {
        self.run(env!("CARGO_BIN_EXE_regent"), arguments)
    }

    pub(crate) fn governor(&self, arguments: &[&str]) -> Output {
        self.run(env!("CARGO_BIN_EXE_governor"), arguments)
    }

    /// What a command that must succeed prints.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.regent(arguments);
        assert_eq!(output.status.code(), Some(0), "regent {arguments:?}: {output:?}");
        text(&output.stdout)
    }

    pub(crate) fn govern(&self) -> String {
        let output = self.governor(&[]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        text(&output.stdout)
    }

    fn next(&self) -> String {
        let json: Value = serde_json::from_str(&self.done(&["status", "-o", "json"])).unwrap();
        json["models"][0]["next"].as_str().unwrap().to_owned()
    }

    /// Every file with its content's length.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, u64> {
        let mut files = BTreeMap::new();
        walk(self.0.path(), &mut files);
        files
    }
}

fn walk(folder: &Path, files: &mut BTreeMap<PathBuf, u64>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), files);
        } else {
            files.insert(entry.path(), entry.metadata().unwrap().len());
        }
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn status_says_at_every_point_what_to_do_next() {
    let workspace = Workspace::empty();
    assert!(workspace.done(&["status"]).contains("regent init --example rain"));
    workspace.done(&["init", "--example", "rain"]);
    assert!(workspace.next().contains("regent contract register rain"));
    let workspace = Workspace::with(&["rain"]);
    assert!(workspace.next().contains("regent ingest FILE.csv --contract rain"));
    let workspace = Workspace::trained();
    assert!(workspace.next().contains("governor"), "{}", workspace.next());
    workspace.govern();
    assert!(workspace.next().contains("governor"), "{}", workspace.next());
    assert!(workspace.govern().contains("PROMOTABLE → PROMOTED"));
    assert!(workspace.next().contains("regent serve"), "{}", workspace.next());
}

#[test]
fn a_run_with_nothing_new_changes_nothing() {
    let workspace = Workspace::trained();
    workspace.govern();
    workspace.govern();
    let before = workspace.files();
    assert!(workspace.govern().contains("nothing is new"));
    let governance = |files: BTreeMap<PathBuf, u64>| {
        files.into_keys().filter(|path| path.to_string_lossy().contains("governance")).collect::<Vec<_>>()
    };
    assert_eq!(governance(before), governance(workspace.files()));
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let workspace = Workspace::trained();
    fs::create_dir_all(workspace.path("incoming/rain")).unwrap();
    fs::copy(workspace.path("past.csv"), workspace.path("incoming/rain/again.csv")).unwrap();
    let before = workspace.files();
    let told = text(&workspace.governor(&["--dry-run"]).stdout);
    assert!(told.contains("would") && told.contains("TRAINING → SHADOWING"), "{told}");
    workspace.done(&["status"]);
    workspace.done(&["init", "--example", "churn", "--dry-run"]);
    workspace.done(&["ingest", "past.csv", "--contract", "rain", "--dry-run"]);
    workspace.done(&["contract", "register", "rain", "--dry-run"]);
    workspace.done(&["export-schemas", "--dry-run"]);
    workspace.done(&["keys", "create", "ci", "--scope", "predict", "--dry-run"]);
    assert_eq!(before, workspace.files());
}

#[test]
fn init_overwrites_nothing() {
    let workspace = Workspace::with(&["rain"]);
    assert!(workspace.done(&["init", "--example", "rain"]).contains("everything is there already"));
    fs::write(workspace.path("schemas/rain.yaml"), "mine").unwrap();
    let output = workspace.regent(&["init", "--example", "rain"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("schemas/rain.yaml"));
    assert_eq!(fs::read_to_string(workspace.path("schemas/rain.yaml")).unwrap(), "mine");
}

#[test]
fn every_failure_ends_with_its_documented_code() {
    let workspace = Workspace::trained();
    fs::write(workspace.path("bad.csv"), "day_index\n1\n").unwrap();
    let bundle = workspace.path("registry/rain/1.0.0/metrics.json");
    for (code, arguments) in [
        (2, vec!["nonsense"]),
        (2, vec!["ingest", "nowhere.csv", "--contract", "rain"]),
        (2, vec!["train", "candidate", "rain"]),
        (2, vec!["contract", "show", "rain", "9.9.9"]),
        (2, vec!["--workspace", "nowhere", "status"]),
        (2, vec!["serve", "--listen", "0.0.0.0:0"]),
        (2, vec!["serve", "--max-requests", "0"]),
        (2, vec!["keys", "revoke", "000000000000"]),
        (2, vec!["keys", "rotate", "nobody"]),
        (3, vec!["ingest", "bad.csv", "--contract", "rain"]),
        (0, vec!["registry", "verify"]),
    ] {
        let output = workspace.regent(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    }
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[0] ^= 1;
    fs::remove_file(&bundle).unwrap();
    fs::write(&bundle, bytes).unwrap();
    let output = workspace.regent(&["registry", "verify"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(text(&output.stdout).contains("metrics.json"), "{output:?}");
}

#[test]
fn the_rows_of_a_file_are_answered_and_nothing_is_recorded() {
    let workspace = Workspace::trained();
    let rows: String = fs::read_to_string(workspace.path("past.csv"))
        .unwrap()
        .lines()
        .take(11)
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(workspace.path("rows.csv"), &rows).unwrap();
    assert_eq!(workspace.regent(&["predict", "rows.csv"]).status.code(), Some(2), "nobody answers yet");
    workspace.govern();
    workspace.govern();
    let labelled = workspace.regent(&["predict", "rows.csv"]);
    assert_eq!(labelled.status.code(), Some(3));
    assert!(text(&labelled.stderr).contains("it is what the model predicts"), "{labelled:?}");

    let ignoring = ["--ignore", "day_index", "--ignore", "rain"];
    let predict = |more: &[&str]| workspace.regent(&[&["predict", "rows.csv"][..], more, &ignoring].concat());
    let before = workspace.files();
    let told = predict(&[]);
    let lines = text(&told.stdout);
    assert_eq!((told.status.code(), lines.lines().count()), (Some(0), 11), "{told:?}");
    assert!(lines.starts_with("row,probability,errors\n1,0."), "{lines}");
    assert!(text(&told.stderr).contains("10 of 10 rows answered by rain 1.0.0"));
    assert_eq!(before, workspace.files());

    assert_eq!(predict(&["-o", "json"]).status.code(), Some(2), "two answers on one stdout");
    let told = predict(&["-o", "json", "--out", "said.jsonl"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let expected = serde_json::json!({
        "format_version": 1, "model": "rain", "version": "1.0.0", "rows": 10, "answered": 10, "refused": 0,
        "out": "said.jsonl",
    });
    assert_eq!(told, expected);
    let said = fs::read_to_string(workspace.path("said.jsonl")).unwrap();
    assert!(said.lines().count() == 10 && said.starts_with(r#"{"row":1,"probability":0."#), "{said}");
    assert_eq!(predict(&["--out", "said.jsonl"]).status.code(), Some(2), "nothing is overwritten");
    let there = workspace.regent(&["predict", "nowhere.csv", "--out", "said.jsonl"]);
    let told = text(&there.stderr);
    assert!(there.status.code() == Some(2) && told.contains("said.jsonl is there already"), "{told}");

    fs::write(
        workspace.path("rows.csv"),
        format!("{rows}{}\n", ",".repeat(rows.lines().next().unwrap().matches(',').count())),
    )
    .unwrap();
    let told = predict(&[]);
    assert_eq!((told.status.code(), text(&told.stdout).lines().count()), (Some(3), 12));
    assert!(text(&told.stderr).contains("10 of 11 rows answered by rain 1.0.0, 1 refused"));
}

/// P13: a dataset leads back to its source file, which is its owner's to change or take away.
#[test]
fn verify_follows_a_dataset_to_its_source_file() {
    let workspace = Workspace::trained();
    let source = || {
        let json: Value = serde_json::from_str(&workspace.done(&["-o", "json", "verify"])).unwrap();
        let source = &json["models"][0]["sources"][0];
        assert_eq!(source["name"], "past.csv");
        source["found"].as_str().unwrap().to_owned()
    };
    assert_eq!(source(), "here");
    fs::write(workspace.path("past.csv"), "day_index\n").unwrap();
    assert_eq!(source(), "replaced");
    fs::remove_file(workspace.path("past.csv")).unwrap();
    assert_eq!(source(), "archived");
    assert!(workspace.done(&["verify"]).contains("1 archived"));
    workspace.govern();
    assert!(workspace.done(&["replay"]).contains("1 the same, 1 begun by hand"));
    assert!(workspace.done(&["explain"]).contains("rain 1.0.0 is not promoted: it is PROMOTABLE"));
}

#[test]
fn a_refused_file_is_told_line_by_line_and_as_json() {
    let workspace = Workspace::with(&["churn"]);
    let refused = workspace.regent(&["ingest", "data/wa_churn.csv", "--contract", "churn"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("data/wa_churn.csv:490: column `total_charges`"));
    let refused = workspace.regent(&["-o", "json", "ingest", "data/wa_churn.csv", "--contract", "churn"]);
    let json: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!((json["exit"].as_u64(), json["details"]["counts"]["missing"].as_u64()), (Some(3), Some(11)));
    assert_eq!(json["details"]["violations"][0]["line"], 490);
}

#[test]
fn a_policy_that_cannot_be_read_holds_its_own_model_and_no_other() {
    let workspace = Workspace::trained();
    workspace.done(&["init", "--example", "churn"]);
    fs::write(workspace.path("governance/churn/policy.yaml"), "drfit:\n  psi: 0.3\n").unwrap();
    let output = workspace.governor(&[]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4));
    assert!(told.contains("rain: serves nothing yet, 1.0.0 is PROMOTABLE"), "{told}");
    assert!(told.contains("churn: held") && told.contains("drfit"), "{told}");
}

#[test]
fn a_model_that_cannot_be_ticked_keeps_no_other_from_its_turn() {
    let workspace = Workspace::trained();
    workspace.done(&["init", "--example", "churn"]);
    fs::create_dir_all(workspace.path("governance/churn/journal")).unwrap();
    fs::write(workspace.path("governance/churn/journal/00000000000000000001.json"), "{").unwrap();
    let output = workspace.governor(&["-o", "json"]);
    assert_eq!(output.status.code(), Some(5));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let failure = &json["models"][0]["failure"];
    assert_eq!((json["models"][0]["model"].as_str(), failure["exit"].as_u64()), (Some("churn"), Some(5)));
    assert_eq!(json["models"][1]["candidate"]["state"], "PROMOTABLE");
    let told = text(&workspace.governor(&[]).stdout);
    assert!(told.contains("churn: not ticked\n  failed   failed to read journal entry 1"), "{told}");
    assert!(told.contains("rain: serves 1.0.0"), "{told}");
    let status = workspace.regent(&["status"]);
    let told = text(&status.stdout);
    assert_eq!(status.status.code(), Some(5));
    assert!(
        told.contains("churn\n  failed    failed to read journal entry 1") && told.contains("serves    1.0.0"),
        "{told}"
    );
}

#[test]
fn an_order_that_cannot_be_read_holds_the_model() {
    let workspace = Workspace::trained();
    fs::create_dir_all(workspace.path("governance/rain/overrides")).unwrap();
    fs::write(workspace.path("governance/rain/overrides/stop.yaml"), "order: freeze\n").unwrap();
    let output = workspace.governor(&[]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stdout).contains("held"), "{output:?}");
    assert!(workspace.next().contains("mend"));
}

#[test]
fn the_shapes_of_json_answers_are_an_interface() {
    let workspace = Workspace::trained();
    workspace.govern();
    let keys = |arguments: &[&str], path: &str| {
        let json: Value = serde_json::from_str(&workspace.done(arguments)).unwrap();
        let object = json.pointer(path).and_then(Value::as_object).unwrap().clone();
        object.keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys(&["-o", "json", "status"], ""), "format_version models");
    assert_eq!(
        keys(&["-o", "json", "status"], "/models/0"),
        "alerts candidate champion due evidence held late model next notes orders overdue rows"
    );
    assert_eq!(keys(&["-o", "json", "history"], ""), "entries format_version model next");
    assert_eq!(keys(&["-o", "json", "alert", "list"], ""), "alerts format_version next overdue");
    assert_eq!(keys(&["-o", "json", "snapshot", "list"], ""), "format_version model next size snapshots");
    assert_eq!(keys(&["-o", "json", "performance", "baseline"], ""), "champion format_version model");
    assert_eq!(keys(&["-o", "json", "performance", "show"], ""), "format_version model report");
    assert_eq!(keys(&["-o", "json", "performance", "history"], ""), "format_version model next reports");
    assert_eq!(keys(&["-o", "json", "drift", "show"], ""), "format_version model reports");
    assert_eq!(keys(&["-o", "json", "drift", "history"], ""), "format_version model next reports");
    assert_eq!(keys(&["-o", "json", "drift", "concept"], ""), "entry format_version model verdict windows");
    assert_eq!(keys(&["-o", "json", "retraining"], ""), "at decision entry format_version model");
    assert_eq!(
        keys(&["-o", "json", "state"], ""),
        "applied candidate champion format_version head judged_until last_at last_automatic_change last_training model \
         retired served_since trained_on versions"
    );
    let entry = ["-o", "json", "explain", "--entry", "2"];
    assert_eq!(keys(&entry, ""), "entry evidence format_version model");
    assert_eq!(keys(&entry, "/entry/reports/0"), "kind sha256");
    assert_eq!(keys(&entry, "/evidence/0"), "about checks verdict");
    assert_eq!(keys(&entry, "/evidence/0/checks/0"), "metric n operator threshold value verdict");
    assert_eq!(keys(&["-o", "json", "trust"], ""), "format_version model trust");
    assert_eq!(keys(&["-o", "json", "view", "--window", "1h"], ""), "format_version model size windows");
    assert_eq!(keys(&["-o", "json", "registry", "list"], "/versions/0"), "model state summary version");
    let made = ["-o", "json", "keys", "create", "ci", "--scope", "read"];
    assert_eq!(keys(&made, ""), "created_at dry_run expires format_version id key name scopes");
    assert_eq!(keys(&["-o", "json", "keys", "list"], ""), "format_version keys");
    assert_eq!(keys(&["-o", "json", "keys", "list"], "/keys/0"), "created_at expires id name scopes state until");
    assert_eq!(
        keys(&["-o", "json", "keys", "rotate", "ci"], ""),
        "created_at dry_run expires format_version id key name rotated scopes until"
    );
    assert_eq!(keys(&["-o", "json", "keys", "scopes"], "/routes/0"), "method path scope");
    assert_eq!(keys(&["-o", "json", "openapi"], ""), "components info openapi paths tags");
    assert_eq!(keys(&["openapi", "rain"], "/components"), "responses schemas securitySchemes");
    assert_eq!(workspace.regent(&["openapi", "snow"]).status.code(), Some(2));
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let workspace = Workspace::trained();
    assert!(!workspace.done(&["history"]).contains('\u{1b}'));
    assert!(workspace.done(&["--color", "always", "history"]).contains('\u{1b}'));
    assert!(workspace.done(&["-q", "status"]).contains("next"));
}
