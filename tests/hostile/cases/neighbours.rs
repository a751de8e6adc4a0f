//! Bodies in the words of others, tables of many rows, and models by name: what does not fit together, and what is not there.

use super::Allowed::{Only, Refused};
use super::{Case, SOUND};

const BATCH: &str = "/api/v1/predict/batch";
const INVOCATIONS: &str = "/invocations";
const INFER: &str = "/v2/models/rain/infer";
const JSON: &str = "application/json";
const FEATURES: [&str; 8] = [
    "temperature",
    "dew_point",
    "sea_level_pressure",
    "visibility",
    "average_wind_speed",
    "max_sustained_wind_speed",
    "minimum_temperature",
    "maximum_temperature",
];

pub(super) fn all() -> Vec<Case> {
    [batches(), frames(), csvs(), tensors(), models()].into_iter().flatten().collect()
}

fn post(path: &str, kind: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Bodies that this route refuses, each by the name it has here.
fn refused<const N: usize>(path: &str, kind: &str, bodies: [(&str, String); N]) -> Vec<Case> {
    bodies
        .into_iter()
        .map(|(name, body)| Case::raw(format!("{path}: {name}"), Refused, post(path, kind, body)))
        .collect()
}

fn sound(path: &str, kind: &str, body: String) -> Case {
    Case::raw(format!("{path}: a sound one, {kind}"), Only(&[200]), post(path, kind, body))
}

/// So many of them, with commas between.
fn list(one: &str, many: usize) -> String {
    vec![one; many].join(",")
}

fn batches() -> Vec<Case> {
    let rows = |rows: &str| format!("{{\"rows\":[{rows}]}}");
    let mut cases = refused(
        BATCH,
        JSON,
        [
            ("no rows", "{}".to_owned()),
            ("rows that are none", r#"{"rows":7}"#.to_owned()),
            ("a row that is none", rows("7")),
            ("a row without features", rows("{}")),
            ("rows twice", r#"{"rows":[],"rows":[]}"#.to_owned()),
            ("a stranger beside rows", r#"{"rows":[],"admin":true}"#.to_owned()),
            ("10,001 rows", rows(&list(r#"{"features":{}}"#, 10_001))),
            ("a million rows", rows(&list("{}", 1_000_000))),
            ("a list that does not end", format!("{{\"rows\":[{}", list(SOUND, 100))),
            ("rows 100,000 deep", format!("{{\"rows\":{}", "[".repeat(100_000))),
            ("a key twice in the last row", rows(&format!("{SOUND},{{\"features\":{{}},\"features\":{{}}}}"))),
            ("9 MiB", rows(&format!("{SOUND},{}", " ".repeat(9 << 20)))),
        ],
    );
    cases.push(sound(BATCH, JSON, rows(&list(SOUND, 100))));
    // Each row has an answer of its own, so what is wrong in one row is no fault of the body.
    let mixed = rows(&format!("{SOUND},{{\"features\":{{\"temperature\":1e999,\"evil\":[]}}}}"));
    cases.push(Case::raw(
        "a row that the contract refuses beside one it does not",
        Only(&[200]),
        post(BATCH, JSON, mixed),
    ));
    cases
}

fn frames() -> Vec<Case> {
    let names = FEATURES.map(|name| format!("\"{name}\"")).join(",");
    let row = list("0.5", FEATURES.len());
    let split =
        |columns: &str, data: &str| format!(r#"{{"dataframe_split":{{"columns":[{columns}],"data":[{data}]}}}}"#);
    let mut cases = refused(
        INVOCATIONS,
        JSON,
        [
            ("nothing of what it may be", r#"{"rows":[]}"#.to_owned()),
            ("two of what it may be", r#"{"inputs":[],"instances":[]}"#.to_owned()),
            ("columns that are no words", split("1,2", "[1,2]")),
            ("a column twice", split(&format!("{names},\"temperature\""), &format!("[{row},1]"))),
            ("a row that is too short", split(&names, "[1]")),
            ("a row that is too long", split(&names, &format!("[{row},1,2,3]"))),
            ("a cell that is a list", split(&names, &format!("[{}]", row.replacen("0.5", "[[[]]]", 1)))),
            ("1,000,000 columns", split(&list("\"x\"", 1_000_000), "[]")),
            ("10,001 records", format!(r#"{{"dataframe_records":[{}]}}"#, list("{}", 10_001))),
            ("records that are lists", r#"{"dataframe_records":[[1]]}"#.to_owned()),
            ("columns of several lengths", r#"{"inputs":{"temperature":[1,2],"dew_point":[1]}}"#.to_owned()),
            ("a bare NaN", split(&names, &format!("[{}]", row.replacen("0.5", "NaN", 1)))),
            ("no column and 100,000 rows", split("", &list("[]", 100_000))),
        ],
    );
    cases.push(sound(INVOCATIONS, JSON, split(&names, &format!("[{row}]"))));
    cases
}

fn csvs() -> Vec<Case> {
    let (names, row) = (FEATURES.join(","), list("0.5", FEATURES.len()));
    let mut cases = refused(
        INVOCATIONS,
        "text/csv",
        [
            ("nothing", String::new()),
            ("a quote that does not end", format!("{names}\n\"{}", "x".repeat(1_000_000))),
            ("a row that is too wide", format!("{names}\n{row},1\n")),
            ("100,000 columns", format!("{}\n", list("x", 100_000))),
            ("10,001 lines", format!("{names}\n{}", format!("{row}\n").repeat(10_001))),
            ("a head with a name twice", format!("{names},temperature\n{row},1\n")),
            ("a formula", format!("{names}\n{}\n", row.replacen("0.5", "=1+1", 1))),
            ("zeros", "\0".repeat(1_000)),
            ("nothing but line ends", "\r\n".repeat(500_000)),
        ],
    );
    let invalid = [format!("{names}\n").as_bytes(), b"\xff\xfe,1\n"].concat();
    cases.push(Case::raw("a table that is no UTF-8", Refused, post(INVOCATIONS, "text/csv", invalid)));
    cases.push(sound(INVOCATIONS, "text/csv", format!("{names}\n{row}\n")));
    cases.push(Case::raw("a table of no row", Only(&[200]), post(INVOCATIONS, "text/csv", format!("{names}\n"))));
    cases
}

fn tensors() -> Vec<Case> {
    let tensor = |name: &str, shape: &str, kind: &str, data: &str| {
        format!(r#"{{"name":"{name}","shape":[{shape}],"datatype":"{kind}","data":[{data}]}}"#)
    };
    let inputs = |inputs: &str| format!("{{\"inputs\":[{inputs}]}}");
    let each = |shape: &str, data: &str| inputs(&FEATURES.map(|name| tensor(name, shape, "FP64", data)).join(","));
    let mut cases = refused(
        INFER,
        JSON,
        [
            ("no inputs", "{}".to_owned()),
            ("inputs that are none", r#"{"inputs":{}}"#.to_owned()),
            ("a shape that promises 2^64 values", each("18446744073709551615", "1")),
            ("a shape that overflows", each("4294967296,4294967296", "1")),
            ("a shape below zero", each("-1", "1")),
            ("a shape of 10,000 numbers", each(&list("1", 10_000), "1")),
            ("fewer values than told", each("2", "1")),
            ("more values than told", each("1", &list("1", 1_000))),
            ("an input twice", inputs(&list(&tensor("temperature", "1", "FP64", "1"), 2))),
            ("a datatype that is none", inputs(&tensor("temperature", "1", "FP1024", "1"))),
            ("words for numbers", inputs(&tensor("temperature", "1", "FP64", "\"x\""))),
            ("100,000 inputs", inputs(&list(&tensor("x", "1", "FP64", "1"), 100_000))),
            ("data 100,000 deep", format!("{{\"inputs\":[{{\"data\":{}", "[".repeat(100_000))),
            (
                "binary data",
                r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP64","parameters":{"binary_data_size":8}}]}"#
                    .to_owned(),
            ),
        ],
    );
    cases.push(sound(INFER, JSON, each("1", "0.5")));
    cases.push(Case::raw("tensors of no row", Only(&[200]), post(INFER, JSON, each("0", ""))));
    cases
}

/// Names that are no models, in the place of a model.
fn models() -> Vec<Case> {
    let names = [
        "snow",
        "RAIN",
        "rain%00",
        "..",
        "%2e%2e",
        "%2e%2e%2f%2e%2e",
        "rain%2f..%2frain",
        "rain%0d%0ax",
        "%ff",
        "*",
        "rain%20",
    ];
    let mut cases = Vec::new();
    for name in names {
        for path in [format!("/api/v1/models/{name}/predict"), format!("/v2/models/{name}/infer")] {
            cases.push(Case::raw(format!("a model that is none: {path}"), Refused, post(&path, JSON, SOUND)));
        }
    }
    for version in ["9.9.9", "latest", "-1", "%2e%2e"] {
        let path = format!("/v2/models/rain/versions/{version}/infer");
        cases.push(Case::raw(format!("a version that is none: {path}"), Refused, post(&path, JSON, "{}")));
    }
    let long = format!("/api/v1/models/{}/predict", "r".repeat(10_000));
    cases.push(Case::raw("a model of 10,000 letters", Refused, post(&long, JSON, SOUND)));
    cases.push(sound("/api/v1/models/rain/predict", JSON, SOUND.to_owned()));
    cases
}
