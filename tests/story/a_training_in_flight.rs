//! Chapter 7, a candidate being trained: killed, hung, failed, raced and fed with bad files, it ends with the same bytes or not at
//! all, and there are never two.

use std::sync::LazyLock;

use regent::govern::{Order, Override, State};
use regent::promote::{self, Context, Turn};
use regent::types::Span;
use rstest::rstest;
use serde_json::Value;

use super::programs::{GOVERNOR, Programs, REGENT, day, exchanged, later, text, until};
use super::stage::{self, Workspace, noon};

/// When trainings begin in this chapter, in minutes after the champion's promotion.
const AT: i64 = 60;
const MANIFEST: &str = "registry/rain/1.1.0/MANIFEST.sha256";

/// A champion, newer rows, and an order to train on them.
fn about_to_train() -> Programs {
    let programs = Programs::with_champion();
    programs.write("incoming/rain/002000.csv", &stage::weather(2_000..3_000));
    programs.done(&["override", "set", "rain", "retrain", "--for", "30d", "--reason", "newer rows", "--id", "again"]);
    programs
}

/// The manifest of a training that nothing befell.
static UNDISTURBED: LazyLock<String> = LazyLock::new(|| {
    let programs = about_to_train();
    programs.govern(&["--now", &later(AT)]);
    programs.read(MANIFEST)
});

/// Every entry of the journal, as it stands there.
fn journal(programs: &Programs) -> Vec<Value> {
    // What is being written has a name of its own until it is an entry.
    let names = programs.names("governance/rain/journal").into_iter().filter(|name| name.ends_with(".json"));
    let entry =
        |name: String| serde_json::from_str(&programs.read(&format!("governance/rain/journal/{name}"))).unwrap();
    names.map(entry).collect()
}

/// Whether the journal says that the candidate is being trained. (A day that ends meanwhile has an entry of its own.)
fn is_begun(programs: &Programs) -> bool {
    let said: Vec<String> = journal(programs).iter().map(Value::to_string).collect();
    said.iter().any(|entry| entry.contains("1.1.0") && entry.contains("TRAINING"))
}

fn is_trained_once(programs: &Programs) {
    assert_eq!(programs.steps()[4..], ["1.1.0 TRAINING", "1.1.0 SHADOWING"]);
    assert_eq!(programs.read(MANIFEST), *UNDISTURBED, "other bytes");
    assert_eq!(programs.names("registry/rain"), ["1.0.0", "1.1.0", "contracts"]);
    assert!(programs.done(&["registry", "verify", "rain"]).contains("1.1.0 is what was published"));
}

/// P6: `kill -9` while it trains. Nobody trains for it until it has been silent for long enough; then the bytes are the same.
#[test]
fn a_governor_killed_while_it_trains_is_replaced_and_the_bytes_are_the_same() {
    let programs = about_to_train();
    let mut dying = programs.start(GOVERNOR, &["--now", &later(AT)]);
    until("the training is journalled", || is_begun(&programs));
    dying.kill();
    assert!(!programs.path("registry/rain/1.1.0").exists(), "it was killed too late to show anything");
    let told = programs.govern(&["--now", &later(AT + 59)]);
    assert!(told.contains("1.1.0 trains; another governor takes over after"), "{told}");
    assert_eq!(programs.steps()[4..], ["1.1.0 TRAINING"]);
    assert!(programs.govern(&["--now", &later(AT + 61)]).contains("1.1.0 is SHADOWING"));
    assert!(programs.done(&["history"]).contains("attempt 2"));
    is_trained_once(&programs);
}

/// P6: a trainer that hangs gives no sign of life; another takes over, and when the first awakes it finds its work done.
#[test]
fn a_hung_trainer_is_overtaken_and_finds_its_work_done_when_it_awakes() {
    let programs = about_to_train();
    let hung = programs.start(GOVERNOR, &["--now", &later(AT)]);
    until("the training is journalled", || is_begun(&programs));
    hung.signal("STOP");
    assert!(programs.govern(&["--now", &later(AT + 120)]).contains("1.1.0 is SHADOWING"));
    is_trained_once(&programs);
    hung.signal("CONT");
    let (code, told) = hung.ended();
    assert_eq!((code, told.contains("1.1.0 is SHADOWING")), (Some(0), true), "{told}");
    is_trained_once(&programs);
}

/// P6: two schedulers by mistake.
#[test]
fn two_governors_at_once_train_one_candidate() {
    let programs = about_to_train();
    let now = later(AT);
    let governors = [(); 3].map(|()| programs.start(GOVERNOR, &["--now", &now]));
    for governor in governors {
        let (code, told) = governor.ended();
        assert_eq!(code, Some(0), "{told}");
    }
    programs.govern(&["--now", &now]);
    is_trained_once(&programs);
}

/// Three attempts, each journalled with its reason, then it is REJECTED, and nobody tries again on the same grounds.
#[rstest]
#[case::under_a_clock_that_is_right(later(AT))]
#[case::under_one_that_went_back("1970-01-01T00:00:00Z".to_owned())]
fn a_training_that_fails_three_times_is_rejected(#[case] now: String) {
    let programs = about_to_train();
    // A world in which it never rains teaches nothing.
    for rows in [0..2_000, 2_000..3_000] {
        let name = format!("incoming/rain/{:06}.csv", rows.start);
        programs.write(&name, &stage::weather(rows).replace(",1\n", ",0\n"));
    }
    programs.govern(&["--now", &now]);
    assert_eq!(programs.steps()[4..], ["1.1.0 TRAINING", "1.1.0 REJECTED"]);
    let history = programs.done(&["history"]);
    assert_eq!(history.matches("training failed").count(), 3, "{history}");
    assert!(history.contains("3 training attempts failed"), "{history}");
    let journal = journal(&programs);
    assert!(journal.is_sorted_by_key(|entry| entry["at"].as_str().unwrap()), "an entry is older than the one before");
    for attempt in 1..=3 {
        let why = format!("attempt {attempt} at training 1.1.0 failed: train on 0 positive and ");
        let said = |entry: &Value| entry["reasons"].to_string().contains(&why);
        assert!(journal.iter().any(said), "{why}: {journal:?}");
    }
    assert!(programs.govern(&["--now", &later(AT + 24 * 60)]).contains("serves 1.0.0\n"));
    assert_eq!(programs.names("registry/rain"), ["1.0.0", "contracts"]);
}

/// Every model has its turn before anybody trains: a long training of one holds up no decision of another.
#[test]
fn every_other_model_is_ticked_before_a_training_starts() {
    let [training, other] = [Workspace::with_champion(), Workspace::new()];
    training.drop_rows(2_000..3_000);
    training.drop_order(&Override {
        id: "again".to_owned(),
        model: training.model().clone(),
        order: Order::Retrain,
        version: None,
        bundle: None,
        author: "ana".to_owned(),
        reason: "newer rows".to_owned(),
        expires: noon() + Span::from_days(1),
    });
    other.drop_rows(0..2_000);
    other.train(noon());
    let bundle = training.path().join("registry/rain/1.1.0");
    let decides = || {
        assert!(!bundle.exists(), "the other model waited for the training");
        "other".to_owned()
    };
    let now = noon() + Span::from_mins(2);
    let runs = training.act(|first| {
        other.act(|second| promote::run(&[*first, Context { txn: &decides, ..*second }], now, Turn::Real))
    });
    assert!(bundle.exists() && runs[1].ticks[0].receipt.entry.is_some());
    assert_eq!(training.standing().candidate.map(|candidate| candidate.state), Some(State::Shadowing));
}

/// While a candidate shadows, its world ends: what it learned is old news, so it gives way to one that learns from the new world.
#[test]
fn a_candidate_that_has_not_passed_gives_way_to_newer_evidence() {
    let programs = about_to_train();
    assert!(programs.govern(&[]).contains("1.1.0 is SHADOWING"));
    programs.serve(&[]).live_through(&exchanged(3_000..3_400));
    programs.write("incoming/rain/003000.csv", &exchanged(3_000..3_400));
    let told = programs.govern(&["--now", &day(1)]);
    assert_eq!(
        programs.steps()[4..],
        ["1.1.0 TRAINING", "1.1.0 SHADOWING", "1.1.0 REJECTED", "1.2.0 TRAINING", "1.2.0 SHADOWING"]
    );
    assert!(told.contains("superseded by newer evidence: performance fell catastrophically"), "{told}");
    assert!(told.contains("serves 1.0.0, 1.2.0 is SHADOWING"), "{told}");
}

fn rows(programs: &Programs) -> u64 {
    programs.json(REGENT, &["status", "rain"])["models"][0]["rows"].as_u64().unwrap()
}

/// A bad file is refused whole and said; the rest goes on; mended, it is taken in.
#[test]
fn a_poisoned_source_file_is_refused_whole_until_it_is_mended() {
    let programs = Programs::with_champion();
    let good = stage::weather(2_000..2_100);
    programs.write("incoming/rain/a-poisoned.csv", &good.replacen("\n205", "\n205,NaN", 2));
    std::fs::write(programs.path("incoming/rain/b-binary.csv"), [0xff, 0x00, 0x0a, 0xfe]).unwrap();
    programs.write("incoming/rain/c-empty.csv", "");
    programs.write("incoming/rain/d-good.csv", &stage::weather(2_100..2_200));
    let told = programs.govern(&[]);
    assert!(told.contains("WARNING rain/source"), "{told}");
    for bad in ["a-poisoned", "b-binary", "c-empty"] {
        assert!(told.contains(bad), "{bad}: {told}");
    }
    assert!(told.contains("a-poisoned.csv:52: the line has 11 cells, the header 10, and 1 more; "), "{told}");
    assert!(told.contains("b-binary.csv:1: the line is not UTF-8: save the file as UTF-8; "), "{told}");
    assert_eq!(rows(&programs), 2_100);
    programs.write("incoming/rain/a-poisoned.csv", &good);
    programs.govern(&[]);
    assert_eq!(rows(&programs), 2_200);
    for bad in ["b-binary", "c-empty"] {
        std::fs::remove_file(programs.path(&format!("incoming/rain/{bad}.csv"))).unwrap();
    }
    assert!(programs.govern(&[]).contains("resolved WARNING rain/source"));
    assert_eq!((rows(&programs), programs.names("var/rain/datasets").len()), (2_200, 3));
}

/// The same bytes again are nothing, under whatever name; other bytes under a name replace what it held, and may be taken back.
#[test]
fn a_file_dropped_again_adds_nothing_and_a_replaced_one_replaces() {
    let programs = Programs::with_champion();
    programs.write("incoming/rain/copy.csv", &stage::weather(0..2_000));
    programs.govern(&[]);
    assert_eq!((rows(&programs), programs.names("var/rain/datasets").len()), (2_000, 1));
    let days = [stage::weather(2_000..2_100), stage::weather(2_000..2_250)];
    for (file, expected) in [(&days[0], 2_100), (&days[1], 2_250), (&days[0], 2_100)] {
        programs.write("incoming/rain/today.csv", file);
        programs.govern(&[]);
        assert_eq!(rows(&programs), expected);
        let intakes = programs.names("var/rain/intake").len();
        programs.govern(&[]);
        assert_eq!(programs.names("var/rain/intake").len(), intakes, "it was noted twice");
    }
    assert_eq!(programs.names("var/rain/datasets").len(), 3, "what was frozen once is kept");
    let intakes = programs.names("var/rain/intake").len();
    programs.write("by-hand.csv", &stage::weather(3_000..3_100));
    for _ in 0..2 {
        programs.done(&["ingest", "by-hand.csv", "--contract", "rain"]);
        assert_eq!(programs.names("var/rain/intake").len(), intakes + 1, "what comes by hand is noted, too, and once");
    }
}

/// A contract whose next minor moves a feature and widens a domain: every row is there once, both versions are asked about it by
/// their own contracts, and the evaluation is not of garbage.
#[test]
fn a_candidate_under_a_later_minor_of_the_contract_is_compared_fairly() {
    let programs = Programs::with_champion();
    let contract = programs.read("contracts/rain.yaml");
    let visibility = "- name: visibility\n  kind: continuous\n";
    let moved = contract.replace("version: 1.0.0", "version: 1.1.0").replace(visibility, "");
    let moved = moved.replace("features:\n", &format!("features:\n{visibility}"));
    let by_hand = ["ingest", "by-hand.csv", "--contract", "rain"];
    programs.write("by-hand.csv", &stage::weather(3_000..3_100));
    programs.done(&by_hand);
    programs.write("contracts/rain.yaml", &moved);
    programs.done(&["contract", "register", "rain"]);
    programs.done(&by_hand);
    programs.write("incoming/rain/002000.csv", &stage::weather(2_000..3_000));
    programs.done(&["train", "candidate", "rain"]);
    assert_eq!(rows(&programs), 3_100, "a file that was frozen under both is there twice");
    let candidate = programs.read("registry/rain/1.1.0/metadata.yaml");
    for dataset in programs.names("var/rain/datasets") {
        let newest = programs.read(&format!("var/rain/datasets/{dataset}/dataset.yaml")).contains("version: 1.1.0");
        assert_eq!(
            candidate.contains(&dataset),
            newest,
            "of a file that was frozen under both the newer freeze is meant"
        );
    }
    let evaluation = programs.json(REGENT, &["status"]);
    let evidence = evaluation["models"][0]["evidence"].as_array().unwrap().clone();
    let checks = evidence.iter().find(|group| group["about"].as_str().unwrap().starts_with("evaluation")).unwrap();
    // Two models of the same weather are about as good; one that is asked about exchanged columns is far worse.
    let brier = checks["checks"].as_array().unwrap().iter().find(|check| check["metric"] == "brier_change_lower95");
    let change = brier.unwrap()["value"].as_f64().unwrap();
    assert!((-0.2..0.2).contains(&change), "{change}");
}

/// A clock that jumps a year ahead is not believed, and nothing is done on its word; when it comes back all goes on.
#[test]
fn a_clock_that_jumps_a_year_ahead_holds_the_model_and_leaves_no_trace() {
    let programs = about_to_train();
    let snapshots = programs.names("var/rain/snapshots");
    let jumped = later(400 * 24 * 60);
    let output = programs.run(GOVERNOR, &["--exit-code", "--now", &jumped]);
    assert_eq!(output.status.code(), Some(10), "{output:?}");
    assert!(text(&output.stdout).contains("more than promotion.clock_jump"), "{output:?}");
    assert_eq!((journal(&programs).len(), programs.names("var/rain/snapshots")), (3, snapshots));
    assert!(programs.govern(&["--now", &later(AT)]).contains("1.1.0 is SHADOWING"));
    assert_eq!(programs.steps()[4..], ["1.1.0 TRAINING", "1.1.0 SHADOWING"]);
    // Backwards: nothing is shortened, and no entry is older than the one before.
    assert!(programs.govern(&["--now", "1970-01-01T00:00:00Z"]).contains("1.1.0 is SHADOWING"));
}

/// Who says that a clock is right that nobody else believes stands in the journal with what was done on its word.
#[test]
fn a_person_vouches_for_the_clock_and_it_is_journalled() {
    let programs = Programs::with_champion();
    programs.write("incoming/rain/002000.csv", &stage::weather(2_000..3_000));
    let policy = programs.read("governance/rain/policy.yaml");
    programs.write("governance/rain/policy.yaml", &format!("{policy}\npromotion: {{clock_jump: 1d}}\n"));
    let jumped = later(2 * 24 * 60);
    let refused = programs.run(REGENT, &["--now", &jumped, "train", "candidate", "rain"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("too far after"), "{refused:?}");
    let asleep =
        ["override", "set", "rain", "clock", "--for", "24h", "--reason", "it was off for two days", "--id", "asleep"];
    programs.done(&[&["--now", &jumped][..], &asleep].concat());
    programs.done(&["--now", &jumped, "train", "candidate", "rain"]);
    let entry = journal(&programs).pop().unwrap();
    assert_eq!(
        (&entry["training"]["plan"]["version"], &entry["applied"][0]["id"]),
        (&"1.1.0".into(), &"asleep".into())
    );
}
