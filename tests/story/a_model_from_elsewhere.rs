//! A model from elsewhere: Regent never serves it, and tells all the same when its world moves and when its answers go wrong.

use std::fmt::Write as _;
use std::fs;
use std::time::SystemTime;

use regent::types::{Span, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};

use super::programs::{GOVERNOR, Programs, REGENT, request_id, text};
use super::stage;

/// A day of weather with what the model elsewhere says of it: a logistic rule that somebody wrote down once.
#[derive(Clone)]
struct Day {
    features: Vec<(String, f64)>,
    rain: bool,
}

fn days(file: &str) -> Vec<Day> {
    let mut lines = file.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let day = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let features = (1..9).map(|place| (names[place].to_owned(), cells[place].parse().unwrap())).collect();
        Day { features, rain: ["1", "true"].contains(&cells[9]) }
    };
    lines.map(day).collect()
}

impl Day {
    fn said(&self) -> f64 {
        let value = |name: &str| self.features.iter().find(|(known, _)| known == name).unwrap().1;
        let moist = value("dew_point") - value("temperature");
        let odds = -0.8 + 1.2 * moist - 0.6 * value("visibility") - 0.5 * value("sea_level_pressure");
        1.0 / (1.0 + (-odds).exp())
    }

    /// The same day as a house sees it whose sensors were exchanged.
    fn exchanged(mut self) -> Day {
        let mut values: Vec<f64> = self.features.iter().map(|(_, value)| *value).collect();
        values.rotate_left(1);
        self.features.iter_mut().zip(values).for_each(|((_, value), other)| *value = other);
        self
    }

    fn told(&self, number: usize, at: Timestamp) -> Value {
        let features: serde_json::Map<String, Value> =
            self.features.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({ "request_id": request_id(number), "at": at, "features": features, "prediction": self.said() })
    }
}

/// Every third of 6,000 days: what the model is shown by.
fn shown() -> String {
    let file = stage::weather(0..6_000);
    file.lines().enumerate().filter(|(line, _)| line % 3 == 0).map(|(_, row)| format!("{row}\n")).collect()
}

/// Five hundred of the other days, from the same years: the part with this number, of eight.
fn part(number: usize) -> Vec<Day> {
    let all = days(&stage::weather(0..6_000)).into_iter().enumerate();
    let others = all.filter(|(place, _)| (place + 1) % 3 != 0).map(|(_, day)| day);
    others.enumerate().filter(|(place, _)| place % 8 == number).map(|(_, day)| day).collect()
}

/// A workspace, and the midnight at which watching began.
struct Watch {
    programs: Programs,
    since: Timestamp,
}

impl Watch {
    /// A week ago somebody entered a model that answers elsewhere, as 2,000 days show it.
    fn begun() -> Watch {
        let programs = Programs::new();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let since = Timestamp::from_micros(now.as_micros() as i64).floor(Span::from_days(1)) - Span::from_days(7);
        let watch = Watch { programs, since };
        let file = shown();
        let mut rows = file
            .lines()
            .zip(std::iter::once("said".to_owned()).chain(days(&file).into_iter().map(|day| day.said().to_string())));
        let mut shown = String::new();
        rows.by_ref().for_each(|(row, said)| writeln!(shown, "{row},{said}").unwrap());
        watch.programs.write("shown.csv", &shown);
        let at = watch.at(0, 0);
        let monitor = ["--now", &at, "registry", "monitor", "rain", "shown.csv", "--prediction", "said"];
        assert!(watch.programs.done(&[&monitor[..], &["--dry-run"]].concat()).contains("would enter rain 1.0.0"));
        assert!(watch.programs.done(&monitor).contains("entered rain 1.0.0 as monitor-only"));
        // Nothing was fitted and nothing can be compared: a person says that this is the one.
        let told = watch.programs.govern(&["--now", &at]);
        assert!(told.contains("a `promote` order"), "{told}");
        let order = ["override", "set", "rain", "promote", "--reason", "it answers in the old house", "--for", "1d"];
        watch.programs.done(&[&["--now", &at], &order[..]].concat());
        assert!(watch.programs.govern(&["--now", &watch.at(0, 1)]).contains("serves 1.0.0"));
        watch
    }

    fn at(&self, day: i64, minutes: i64) -> String {
        let days = Span::from_days(day.abs());
        let midnight = if day < 0 { self.since - days } else { self.since + days };
        (midnight + Span::from_mins(minutes)).to_string()
    }

    /// A file of a day's answers, with what came true.
    fn answers(&self, day: i64, rows: &[Day], from: usize) -> String {
        let mut csv = String::new();
        for (place, row) in rows.iter().enumerate() {
            if place == 0 {
                let names: Vec<&str> = row.features.iter().map(|(name, _)| name.as_str()).collect();
                writeln!(csv, "request_id,at,{},prediction,label", names.join(",")).unwrap();
            }
            let values: Vec<String> = row.features.iter().map(|(_, value)| value.to_string()).collect();
            let at = self.at(day, 30 + place as i64);
            let id = request_id(from + place);
            writeln!(csv, "{id},{at},{},{},{}", values.join(","), row.said(), u8::from(row.rain)).unwrap();
        }
        csv
    }

    /// A day's answers arrive after midnight, and the governor comes.
    fn live(&self, day: i64, rows: &[Day]) -> Value {
        let name = format!("day-{day}.csv");
        self.programs.write(&name, &self.answers(day, rows, day as usize * 500));
        self.programs.done(&["--now", &self.at(day + 1, 1), "log", "import", &name]);
        self.programs.json(GOVERNOR, &["--now", &self.at(day + 1, 15)])
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.programs.json(REGENT, arguments)
    }
}

#[test]
fn its_drift_and_its_losses_are_found_and_nobody_trains() {
    let watch = Watch::begun();
    for day in 0..3 {
        watch.live(day, &part(day as usize));
    }
    let window = &watch.json(&["snapshot", "list", "rain"])["snapshots"][2];
    assert_eq!((&window["requests"], &window["counts"]["counted"]), (&json!(500), &json!(500)));
    let calm = watch.json(&["drift", "show", "rain"])["reports"][0]["report"].clone();
    assert_ne!(calm["verdict"], "Fail", "{}", calm["dataset"]);
    let latest = watch.json(&["performance", "show", "rain"])["report"]["report"].clone();
    assert_eq!((&latest["predictions"], &latest["labelled"], &latest["late"]), (&json!(500), &json!(500), &json!(0)));
    for day in 3..6 {
        let rows: Vec<Day> = part(day as usize).into_iter().map(Day::exchanged).collect();
        watch.live(day, &rows);
    }
    let moved = watch.json(&["drift", "show", "rain"])["reports"][0]["report"].clone();
    assert_eq!(moved["verdict"], "Fail", "{}", moved["dataset"]);
    let latest = watch.json(&["performance", "show", "rain"])["report"]["report"].clone();
    assert_eq!(latest["verdict"], "Fail", "{}", latest["checks"]);
    let retraining = watch.json(&["retraining", "rain"])["decision"].clone();
    assert_eq!((&retraining["action"], &retraining["starts"]), (&json!("RETRAIN_REQUIRED"), &json!(false)));
    assert!(retraining["reasons"].to_string().contains("answers elsewhere"), "{}", retraining["reasons"]);
    let steps = watch.programs.steps();
    assert!(steps.last().unwrap().ends_with("1.0.0 PROMOTED") && !steps.iter().any(|step| step.contains("1.1.0")));
    // The whole of it stands up to whoever looks.
    watch.programs.done(&["verify"]);
    watch.programs.done(&["replay"]);
    watch.programs.done(&["replay", "--deep"]);
    watch.programs.done(&["registry", "verify"]);
    let doctor = watch.json(&["--now", &watch.at(6, 20), "doctor"]);
    assert_eq!(doctor["fail"], 0, "{doctor:#}");
}

#[test]
fn a_file_is_taken_once_and_whole_or_not_at_all() {
    let watch = Watch::begun();
    let programs = &watch.programs;
    let file = watch.answers(0, &part(0), 0);
    programs.write("day.csv", &file);
    let at = watch.at(1, 1);
    let import = |file: &str| programs.run(REGENT, &["--now", &at, "-o", "json", "log", "import", file]);
    let imported = |file: &str| {
        let output = import(file);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        value["imported"].clone()
    };
    let files = || stage_files(programs);
    let before = files();
    programs.done(&["--now", &at, "log", "import", "day.csv", "--dry-run"]);
    programs.write("bad.csv", &file.replacen(",0.", ",1e9,0.", 1).replacen("0190a5b4", "secret", 2));
    let refused = import("bad.csv");
    assert_eq!(refused.status.code(), Some(3));
    let told: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert!(told.to_string().contains("\"line 3: request_id"), "{told:#}");
    assert!(text(&refused.stdout).contains("line 2") && !text(&refused.stdout).contains("secret"), "{refused:?}");
    assert_eq!(before, files(), "a refused file and a rehearsal leave nothing");
    let first = imported("day.csv");
    assert_eq!((&first["already"], &first["new"], &first["labels"]), (&json!(false), &json!(500), &json!(500)));
    let taken = files();
    // P8: of features there are counts of bins, and no value, neither as a number nor as a text.
    let new: Vec<_> = taken.iter().filter(|file| !before.contains(file)).collect();
    assert!(new.len() > 10, "{new:?}");
    let features = part(0)[..20].iter().flat_map(|day| day.features.clone()).collect::<Vec<_>>();
    let leak = |bytes: &[u8]| {
        let holds = |value: f64| {
            let (number, text) = (value.to_le_bytes(), value.to_string());
            bytes.windows(8).any(|found| found == number)
                || bytes.windows(text.len()).any(|found| found == text.as_bytes())
        };
        features.iter().map(|(_, value)| *value).find(|value| value.to_string().len() >= 6 && holds(*value))
    };
    assert!(leak(file.as_bytes()).is_some(), "what is looked for is found where it is");
    for (path, bytes) in new {
        assert_eq!(leak(bytes), None, "{}", path.display());
    }
    assert_eq!(imported("day.csv")["already"], json!(true));
    assert_eq!(taken, files(), "the same bytes again change nothing");
    // A file that overlaps with it counts what is new in it.
    let more = watch.answers(0, &[part(0), part(1).split_off(490)].concat(), 0);
    programs.write("more.csv", &more);
    let second = imported("more.csv");
    assert_eq!((&second["new"], &second["repeated"], &second["late"]), (&json!(10), &json!(500), &json!(0)));
    programs.govern(&["--now", &watch.at(1, 15)]);
    let sealed = |key: &str| watch.json(&["snapshot", "list", "rain"])["snapshots"][0].pointer(key).unwrap().clone();
    assert_eq!((sealed("/requests"), sealed("/counts/counted")), (json!(510), json!(510)));
    // What comes after the seal changes no window, joins its label and is told as late.
    programs.write("late.csv", &watch.answers(0, &part(2)[..20], 700));
    assert_eq!(imported("late.csv")["late"], json!(20));
    programs.write("old.csv", &watch.answers(-3, &part(2)[..10], 900));
    assert_eq!(imported("old.csv")["late"], json!(10), "before the model was watched");
    programs.govern(&["--now", &watch.at(2, 15)]);
    assert_eq!((sealed("/requests"), sealed("/counts/counted")), (json!(510), json!(510)));
    let told = watch.json(&["performance", "history", "rain"])["reports"].clone();
    let late = |report: &&Value| report["report"]["late"] == json!(20);
    assert!(told.as_array().unwrap().iter().any(|report| late(&report)), "{told:#}");
    programs.done(&["verify"]);
}

fn stage_files(programs: &Programs) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![programs.path("var"), programs.path("governance"), programs.path("registry")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push((path.clone(), fs::read(path).unwrap())) }
        }
    }
    files.sort();
    files
}

#[rstest]
fn its_answers_come_by_http_and_predict_says_who_answers(#[values("axum", "tiny")] door: &str) {
    let watch = Watch::begun();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let today = Timestamp::from_micros(now.as_micros() as i64);
    let weather = part(0);
    let server = watch.programs.serve(&["--door", door]);
    let (status, told) = server.send("/api/v1/predict", &json!({ "features": {} }));
    assert_eq!((status, told["type"].as_str()), (409, Some("urn:regent:problem:served-elsewhere")));
    assert_eq!(server.get("/health").2["status"], "watching");
    assert_eq!(server.get("/readyz").0, 200);
    let list: Vec<Value> = weather[..40].iter().enumerate().map(|(place, day)| day.told(place, today)).collect();
    let outcome = |body: Value| server.send("/api/v1/inferences", &body).1["taken"].clone();
    assert_eq!(outcome(json!({ "inferences": list })), json!({ "new": 40 }));
    assert_eq!(outcome(list[0].clone()), json!({ "repeated": 1 }), "a retry counts once");
    let mut bad = weather[50].told(50, today);
    bad["features"]["temperature"] = json!("secret");
    bad["prediction"] = json!(7);
    let (_, told) = server.send("/api/v1/inferences", &bad);
    let named: Vec<&str> = told["outcomes"][0]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["feature"].as_str().unwrap())
        .collect();
    assert_eq!((told["taken"].clone(), named), (json!({ "invalid": 1 }), vec!["temperature", "prediction"]));
    assert!(!told.to_string().contains("secret"));
    let past = weather[60].told(60, watch.since - Span::from_days(1));
    assert_eq!(outcome(past), json!({ "late": 1 }));
    assert_eq!(outcome(weather[61].told(61, today + Span::from_hours(1))), json!({ "refused": 1 }));
    let many: Vec<Value> = (0..1_001).map(|number| json!({ "request_id": request_id(number) })).collect();
    for (body, kind) in
        [(json!({ "inferences": many }), "malformed-request"), (json!({ "secret": 1 }), "malformed-request")]
    {
        let (status, told) = server.send("/api/v1/inferences", &body);
        assert_eq!((status, told["type"].clone()), (400, json!(format!("urn:regent:problem:{kind}"))));
    }
    let labels: Vec<Value> =
        (0..40).map(|place| json!({ "request_id": request_id(place), "label": weather[place].rain })).collect();
    assert_eq!(server.post("/api/v1/labels", &json!({ "labels": labels }))["outcomes"]["new"], 40);
    server.end();
    watch.programs.govern(&["--now", &watch.at(8, 15)]);
    let windows = watch.json(&["snapshot", "list", "rain"])["snapshots"].clone();
    let sum = |key: &str| -> u64 {
        windows.as_array().unwrap().iter().map(|window| window.pointer(key).unwrap().as_u64().unwrap()).sum()
    };
    assert_eq!((sum("/requests"), sum("/counts/counted"), sum("/counts/valid")), (41, 41, 40));
    let latest = watch.json(&["performance", "history", "rain"])["reports"].clone();
    assert!(latest.as_array().unwrap().iter().any(|filed| filed["report"]["labelled"] == json!(40)), "{latest:#}");
    watch.programs.done(&["verify"]);
}

/// A model that is served here records its answers itself.
#[test]
fn nobody_tells_answers_of_a_model_that_is_served_here() {
    let programs = Programs::with_champion();
    let server = programs.serve(&[]);
    let (status, told) = server.send("/api/v1/inferences", &json!({}));
    assert_eq!((status, told["type"].as_str()), (409, Some("urn:regent:problem:served-here")));
    programs.write("day.csv", "request_id,prediction\n");
    assert_eq!(programs.run(REGENT, &["log", "import", "day.csv"]).status.code(), Some(2));
    assert_eq!(Programs::new().run(REGENT, &["log", "import", "day.csv"]).status.code(), Some(2));
}
