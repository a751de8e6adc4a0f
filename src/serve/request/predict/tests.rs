//! Requests as they are sent, and every way in which a body is none.

use proptest::prelude::*;

use super::*;
use crate::contract::{Code, Given, RawContract, admit};
use crate::ingest::RawSchema;
use crate::serve::fixture::a_contract;

const ID: &str = "018f6b1e-7c1a-7000-8000-000000000001";
const GOOD: &str = r#"{"temperature":21.5,"humidity":40,"station":"sou\u0074h","windy":true}"#;

fn read(body: &str) -> Result<PredictRequest, Malformed> {
    PredictRequest::read(body.as_bytes(), &a_contract(true))
}

fn refused(body: &str) -> Malformed {
    read(body).unwrap_err()
}

#[test]
fn a_request_is_read_as_it_was_sent() {
    let request = read(&format!(r#"{{"features":{GOOD},"request_id":"{ID}"}}"#)).unwrap();
    assert_eq!(request.request_id.unwrap().to_string(), ID);
    assert_eq!(&*request.features.unwrap(), [21.5, 40.0, 1.0, 1.0]);
    let any_order = r#"{"features":{"windy":true,"humidity":4e1,"station":"south","temperature":21.5}}"#;
    assert_eq!(&*read(any_order).unwrap().features.unwrap(), [21.5, 40.0, 1.0, 1.0]);
}

#[test]
fn whatever_json_can_say_becomes_what_the_contract_says_of_it() {
    let body = r#"{"features":{"temperature":1e999,"humidity":[1],"station":null,"wind":"x\n","windy":false}}"#;
    let given = [
        ("temperature", Given::Number(f64::INFINITY)),
        ("humidity", Given::Nested),
        ("station", Given::Missing),
        ("wind", Given::Text("x\n")),
        ("windy", Given::Bool(false)),
    ];
    assert_eq!(read(body).unwrap().features, admit(&a_contract(true), given));
}

#[test]
fn a_feature_goes_by_its_name_as_json_spells_it() {
    let schema = r#"{schema: s, columns: [{name: "a\"b\\", type: float}, {name: y, type: boolean}]}"#;
    let contract = r#"{contract: s, version: 1.0.0, schema: s, task: binary, target: {column: y}, features: [{name: "a\"b\\", kind: continuous}]}"#;
    let schema: RawSchema = crate::yaml::read("schemas/s.yaml", schema).unwrap();
    let contract: RawContract = crate::yaml::read("contracts/s.yaml", contract).unwrap();
    let contract = contract.check(&schema.check().unwrap()).unwrap();
    let read = |body: &str| PredictRequest::read(body.as_bytes(), &contract);
    for name in [r#"a\"b\\"#, r"a\u0022b\u005c"] {
        let request = read(&format!(r#"{{"features":{{"{name}":1}}}}"#)).unwrap();
        assert_eq!(&*request.features.unwrap(), [1.0], "{name}");
    }
    assert!(matches!(read(r#"{"features":{"a"b\":1}}"#), Err(Malformed::Syntax { .. })));
}

#[test]
fn whatever_is_not_exactly_a_request_is_refused() {
    let syntax = |body| matches!(refused(body), Malformed::Syntax { .. });
    for body in [
        "",
        "{",
        r#"{"features":{}} x"#,
        r#"{"features":{}}{}"#,
        r#"{"features":{"a":NaN}}"#,
        "{'a':1}",
        r#"{"x":1,"features":{"#,
        r#"{"features":{"humidity":1,"humidity":2},}"#,
    ] {
        assert!(syntax(body), "{body}");
    }
    assert_eq!(refused("[]"), Malformed::NotAnObject { what: "the body" });
    assert_eq!(refused(r#"{"features":[1]}"#), Malformed::NotAnObject { what: "`features`" });
    assert_eq!(refused(r#"{"features":null}"#), Malformed::NotAnObject { what: "`features`" });
    assert_eq!(refused("{}"), Malformed::Absent { member: "features" });
    for body in [
        r#"{"features":{},"features":{}}"#,
        r#"{"features":{"a":1,"\u0061":2}}"#,
        r#"{"features":{"humidity":1,"humid\u0069ty":1}}"#,
        r#"{"features":{"humidity":[],"humidity":1}}"#,
    ] {
        assert!(matches!(refused(body), Malformed::Repeated { .. }), "{body}");
    }
    let twice = format!(r#"{{"features":{{}},"request_id":"{ID}","request_id":"{ID}"}}"#);
    assert_eq!(refused(&twice), Malformed::Repeated { member: "request_id".to_owned() });
    assert!(matches!(refused(r#"{"features":{},"x":1}"#), Malformed::Unknown { .. }));
    let nil = "00000000-0000-0000-0000-000000000000";
    for id in ["null", "1", r#""""#, r#""018f6b1e7c1a70008000000000000001""#, &format!("\"{nil}\"")] {
        let body = format!(r#"{{"features":{{}},"request_id":{id}}}"#);
        assert_eq!(refused(&body), Malformed::NotAnId { member: "request_id" }, "{id}");
    }
    assert!(matches!(refused(r#"{"features":{"a":"\ud800"}}"#), Malformed::NotUnicode { .. }));
    assert_eq!(PredictRequest::read(b"\xff", &a_contract(true)), Err(Malformed::NotUtf8));
}

#[test]
fn no_error_repeats_a_value() {
    for body in [r#""secret""#, r#"{"features":"secret"}"#, r#"{"features":{},"request_id":"secret"}"#] {
        let told = refused(body).to_string();
        assert!(!told.contains("secret"), "{told}");
    }
}

fn batch(body: &str) -> Result<Vec<PredictRequest>, Malformed> {
    BatchRequest::read(body.as_bytes(), &a_contract(true)).map(|batch| batch.0)
}

#[test]
fn a_batch_is_a_list_of_requests() {
    let row = format!(r#"{{"features":{GOOD},"request_id":"{ID}"}}"#);
    let alone = read(&row).unwrap();
    let rows = batch(&format!(r#"{{"rows":[{row},{{"features":{{}}}},{row}]}}"#)).unwrap();
    assert_eq!((&rows[0], &rows[2], rows.len()), (&alone, &alone, 3));
    assert!(rows[1].features.is_err() && rows[1].request_id.is_none());
    assert_eq!(batch(r#"{"rows":[]}"#).unwrap(), []);
}

#[test]
fn whatever_is_not_exactly_a_batch_is_refused() {
    let told = |body: &str| batch(body).unwrap_err().to_string();
    assert_eq!(told("[]"), "the body must be an object");
    assert_eq!(told("{}"), "`rows` is required");
    assert_eq!(told(r#"{"rows":{}}"#), "`rows` must be a list");
    assert_eq!(told(r#"{"rows":[],"rows":[]}"#), "`rows` is given twice");
    assert_eq!(told(r#"{"rows":[1]}"#), "a row must be an object");
    assert_eq!(told(r#"{"rows":[{"features":1}]}"#), "`features` must be an object");
    assert_eq!(told(r#"{"rows":[{"features":{}},{}]}"#), "row 2: `features` is required");
    assert_eq!(told(r#"{"rows":[],"row":1}"#), "`row` is not a member of this request: it has `rows`");
    assert!(matches!(batch(r#"{"rows":[{},{]}"#), Err(Malformed::Syntax { .. })));
    let many = |rows: usize| format!(r#"{{"rows":[{}]}}"#, vec![r#"{"features":{}}"#; rows].join(","));
    assert_eq!(batch(&many(BatchRequest::MOST)).unwrap().len(), BatchRequest::MOST);
    assert!(matches!(batch(&many(BatchRequest::MOST + 1)), Err(Malformed::TooMany { most: 10_000, .. })));
}

/// A value of JSON: numbers in every spelling, words with what they may hold, and what no feature can be.
fn value() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?";
    let word = r#""([a-z]|\\["n]|\\u(0041|d83d\\ude00|d800)){0,5}""#;
    let other =
        prop::sample::select(vec!["null", "true", "false", "south", "{}", "[1,[2]]", r#"{"a":{"b":"\ud800"}}"#]);
    prop_oneof![4 => number, 2 => word, 1 => "\"south\"", 2 => other.prop_map(str::to_owned)]
}

proptest! {
    #[test]
    fn any_bytes_are_a_request_or_none(body in prop::collection::vec(prop::sample::select(br#"{}[]",:\au0183.-e tfn"#.to_vec()), 0..40)) {
        let json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
        let request = PredictRequest::read(&body, &a_contract(true));
        prop_assert!(json || request.is_err());
    }

    /// What is read in the quick way is what the careful one says, to the bit.
    #[test]
    fn two_ways_to_read_say_the_same(values in prop::collection::vec(value(), 4)) {
        let names = ["temperature", "humidity", "station", "windy"];
        let members = names.iter().zip(&values).map(|(name, value)| format!(r#""{name}":{value}"#)).collect::<Vec<_>>();
        let body = format!(r#"{{"features":{{{}}}}}"#, members.join(","));
        let contract = a_contract(true);
        let careful = PredictRequest::read_carefully(&body, &contract);
        if let Some(quick) = Plain::read(&body, |body| plain::request(body, &contract)) {
            prop_assert_eq!(format!("{quick:?}"), format!("{:?}", careful.as_ref().unwrap()));
        }
        prop_assert_eq!(PredictRequest::read(body.as_bytes(), &contract), careful);
    }

    #[test]
    fn the_numbers_of_a_request_are_the_nearest_floats(humidity in 0.0..=100.0) {
        let body = format!(r#"{{"features":{{"humidity":{humidity:e}}}}}"#);
        let Err(refusal) = read(&body).unwrap().features else { panic!("one feature is not all") };
        prop_assert_eq!(refusal.slots[1], crate::contract::Slot::Value(humidity));
        prop_assert!(refusal.violations.iter().all(|violation| violation.code == Code::Missing));
    }
}
