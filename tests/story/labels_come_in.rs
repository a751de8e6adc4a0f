//! What came true comes in: in time, again, otherwise, for nobody, too early, too late. Each label has one outcome, and it is said
//! from the door to the report. And where there is too much of everything, a sample says the same.

use std::sync::Arc;

use regent::audit::{self, Depth};
use regent::backtest::{self, Comparison, Replay, Setup};
use regent::contract::{RawContract, register};
use regent::govern::{Observation, journal};
use regent::ingest::{RawSchema, Source};
use regent::log::read_events;
use regent::store::{Disk, Durability, Memory, Store};
use regent::types::{Span, Timestamp};
use regent::yaml;
use serde_json::{Value, json};

use super::programs::{Programs, REGENT, Server, day, later, request_id, text};
use super::stage::{raw_contract, weather};

/// The newest observation that the governor rested a decision on.
fn observed(programs: &Programs) -> Value {
    let read =
        |path: String| -> Value { serde_json::from_slice(&std::fs::read(programs.path(&path)).unwrap()).unwrap() };
    let newest = programs.names("governance/rain/journal").pop().unwrap();
    let entry = read(format!("governance/rain/journal/{newest}"));
    let inputs = entry["inputs"][0].as_str().unwrap().to_owned();
    read(format!("governance/rain/inputs/{inputs}.json"))["observation"].clone()
}

fn labels(told: &[(usize, bool)]) -> Value {
    let labels = told.iter().map(|(number, rained)| json!({ "request_id": request_id(*number), "label": rained }));
    json!({ "labels": labels.collect::<Vec<_>>() })
}

#[test]
fn every_label_has_one_outcome_from_the_door_to_the_report() {
    let programs = Programs::with_champion();
    let server = programs.serve(&[]);
    let file = weather(2_000..2_010);
    let (header, rows) = file.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    for (number, row) in rows.iter().enumerate() {
        server.ask(number, header, row);
    }
    let mut blind = Server::question(20, header, rows[0]);
    blind["features"].as_object_mut().unwrap().remove("visibility");
    assert_eq!(server.refusal("/api/v1/predict", &blind).0, 422);

    let send = |told: &[(usize, bool)], outcome: &str| {
        let said = server.post("/api/v1/labels", &labels(told));
        let outcomes: Vec<(&String, u64)> = said["outcomes"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, count)| (name, count.as_u64().unwrap()))
            .filter(|(_, count)| *count > 0)
            .collect();
        assert_eq!(outcomes, [(&outcome.to_owned(), told.len() as u64)], "{said}");
    };
    send(&[(0, true), (1, false), (2, true), (3, false), (4, true), (5, false), (6, true), (7, false)], "new");
    send(&[(0, true), (1, false)], "duplicate");
    send(&[(2, false)], "conflicting");
    send(&[(500, true)], "unknown");
    send(&[(20, true)], "new");
    // Two classes where a third is given: refused whole, and the place is named, never the value.
    let third = json!({ "labels": [
        { "request_id": request_id(8), "label": true },
        { "request_id": request_id(9), "label": "hail" },
    ]});
    let (status, problem) = server.refusal("/api/v1/labels", &third);
    assert_eq!((status, problem["errors"][0]["feature"].as_str()), (422, Some("labels[1].label")), "{problem}");
    assert!(!problem.to_string().contains("hail"), "{problem}");
    server.running.signal("TERM");
    assert_eq!(server.running.ended().0, Some(0));

    let import = |rows: &[String], arguments: &[&str]| {
        programs.write("labels.csv", &format!("request_id,label,at\n{}\n", rows.join("\n")));
        programs.run(REGENT, &[&["-o", "json", "labels", "import", "labels.csv"], arguments].concat())
    };
    let outcomes = |output: std::process::Output| -> Value {
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        said["outcomes"].clone()
    };
    let third = import(&[format!("{},hail,{}", request_id(8), later(5))], &[]);
    assert_eq!(third.status.code(), Some(3), "{third:?}");
    let told = text(&third.stdout) + &text(&third.stderr);
    assert!(told.contains("line 2") && !told.contains("hail"), "{told}");
    let before = later(0).parse::<Timestamp>().unwrap() - Span::from_hours(1);
    let early = outcomes(import(&[format!("{},true,{before}", request_id(8))], &[]));
    assert_eq!(early["early"], 1, "{early}");

    programs.govern(&["--now", &day(1)]);
    let report = observed(&programs);
    let counts =
        json!({ "received": 10, "used": 8, "duplicate": 0, "conflicting": 1, "early": 0, "refused": 1, "late": 0 });
    assert_eq!(report["performance"][0]["labels"], counts);
    let coverage = &report["performance"][0]["maturity"][0];
    assert!(coverage["note"].as_str().unwrap().contains("contradict others: 1, the first counts"), "{coverage}");
    let intake = &report["labels"];
    assert_eq!((&intake["received"], &intake["matched"], &intake["unmatched"]), (&json!(11), &json!(10), &json!(1)));
    assert!(programs.govern(&["--now", &day(1), "--dry-run"]).contains("rain"));
    let explained = programs.done(&["explain", "rain", "--entry", "4", "--now", &day(1)]);
    assert!(explained.contains("1 of no request since") && explained.contains("label_join_rate"), "{explained}");

    // The window is sealed; a label that comes now joins all the same, and is counted. A month later it is overdue.
    let after =
        |days: i64| (day(1).parse::<Timestamp>().unwrap() + Span::from_hours(1) + Span::from_days(days)).to_string();
    let late = outcomes(import(&[format!("{},true,{}", request_id(8), after(0))], &["--now", &after(0)]));
    assert_eq!(late["new"], 1, "{late}");
    programs.govern(&["--now", &day(2)]);
    let report = observed(&programs);
    let of = &report["performance"][0];
    assert_eq!((&of["labels"]["late"], &of["labels"]["used"], &of["labelled"]), (&json!(1), &json!(9), &json!(9)));
    assert_eq!((&report["labels"]["matched"], &report["labels"]["unmatched"]), (&json!(1), &json!(0)));
    let overdue = outcomes(import(&[format!("{},true,{}", request_id(9), after(31))], &["--now", &after(31)]));
    assert_eq!(overdue["overdue"], 1, "{overdue}");
    let replayed = programs.json(REGENT, &["replay", "--deep"]);
    let performance = &replayed["models"][0]["reports"]["performance"];
    assert_eq!((&performance["differs"], &performance["archived"]), (&Value::Null, &Value::Null), "{replayed}");
}

/// Above the stated volume every window and every trial is judged by a sample, and every decision on it replays to the byte.
#[test]
fn a_sample_is_the_same_at_every_look_and_in_every_replay() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Disk::open(folder.path().to_owned(), Durability::Batched).unwrap());
    let (contract, schema) = raw_contract();
    let registered = register(&contract, &schema.check().unwrap(), &*store).unwrap();
    let rows = weather(8_000..14_500);
    let replay = Replay::read(Source::new("weather", rows.as_bytes()), &registered.contract).unwrap();
    let mut rules = super::estate::rules();
    rules.performance.sample_above = 400;
    let setup = Setup {
        store: store.clone(),
        root: folder.path(),
        registered: &registered,
        rules: &rules,
        baseline_rows: 3_000,
        rows_per_window: 500,
        compare: Comparison::Alone,
    };
    backtest::replay(&setup, &replay, |_| {}).unwrap();
    let model = registered.contract.name();
    let (mut reports, mut trials) = (0, 0);
    for (entry, _) in journal::read(&*store, model).unwrap() {
        let Some(inputs) = audit::read_inputs(&*store, model, &entry).unwrap() else { continue };
        let Observation { performance, shadow, .. } = inputs.observation;
        for report in performance.iter().filter(|report| report.predictions > 0) {
            assert_eq!(report.sampled_share, 0.5);
            // 250 of 500 are expected, with a standard deviation of 11.
            assert!((195..305).contains(&report.predictions), "{} answers", report.predictions);
            reports += 1;
        }
        for trial in shadow.iter().filter(|trial| trial.pairs > 0) {
            assert!(trial.sampled_share < 0.35, "{}", trial.sampled_share);
            trials += 1;
        }
    }
    assert!(reports > 5 && trials > 0, "{reports} reports, {trials} trials");
    let replayed = audit::replay(&*store, model, Depth::Reports).unwrap();
    assert_eq!(replayed.findings, []);
}

/// A contract declares one feature a slice: its words stand with the answers and no other's do, and each is held against itself.
#[test]
fn a_declared_slice_is_held_against_itself() {
    let read = |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let schema: RawSchema = yaml::read("schemas/churn.yaml", read("schemas/churn.yaml")).unwrap();
    let contract: RawContract = yaml::read("contracts/churn.yaml", read("contracts/churn.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let registered = register(&contract, &schema.check().unwrap(), &*store).unwrap();
    let whole = |line: &&str| line.split(',').all(|cell| !cell.trim().is_empty());
    let rows: String =
        read("data/wa_churn.csv").lines().filter(whole).take(4_001).map(|line| format!("{line}\n")).collect();
    let replay = Replay::read(Source::new("churn", rows.as_bytes()), &registered.contract).unwrap();
    let rules = super::estate::rules();
    let setup = Setup {
        store: store.clone(),
        root: folder.path(),
        registered: &registered,
        rules: &rules,
        baseline_rows: 2_500,
        rows_per_window: 500,
        compare: Comparison::Alone,
    };
    backtest::replay(&setup, &replay, |_| {}).unwrap();
    let model = registered.contract.name();
    let mut judged = 0;
    for (entry, _) in journal::read(&*store, model).unwrap() {
        let Some(inputs) = audit::read_inputs(&*store, model, &entry).unwrap() else { continue };
        for report in inputs.observation.performance.iter().filter(|report| report.labelled > 0) {
            let values: Vec<&str> = report.slices.iter().map(|slice| slice.value.as_str()).collect();
            assert_eq!(values, ["Month-to-month", "One year", "Two year"]);
            assert_eq!(report.slices.iter().map(|slice| slice.labelled).sum::<u64>(), report.labelled);
            judged += report.slices.iter().filter(|slice| slice.check.verdict.is_judged()).count();
        }
    }
    assert!(judged > 3, "{judged} slices were judged");
    let (from, to) = (Timestamp::EPOCH, Timestamp::EPOCH + Span::from_days(365 * 200));
    for event in read_events(&*store, model, from, to).unwrap() {
        assert_eq!(event.slices.keys().collect::<Vec<_>>(), ["contract"], "P8: no other feature is kept");
    }
}
