//! Answers read from every form of file, and refused with every fault; a test module.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float32Array, Int64Array, StringArray, TimestampMillisecondArray};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;

use super::*;
use crate::serve::fixture::a_contract;

const HEADER: &str = "request_id,at,temperature,humidity,station,windy,prediction,label\n";

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn read(file: impl AsRef<[u8]>) -> Result<Vec<Inference>, Vec<String>> {
    let mut taken = Vec::new();
    match read_inferences(&a_contract(true), file.as_ref(), now(), |one| taken.push(one)) {
        Ok(rows) => {
            assert_eq!(rows, taken.len() as u64);
            Ok(taken)
        }
        Err(LogError::Inferences { total, faults, .. }) => {
            assert!(total >= faults.len() as u64);
            Err(faults.iter().map(ToString::to_string).collect())
        }
        Err(other) => panic!("{other}"),
    }
}

fn parquet() -> Vec<u8> {
    let at: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("request_id", Arc::new(StringArray::from(vec![id(1).to_string(), id(2).to_string()]))),
        ("at", Arc::new(TimestampMillisecondArray::from(vec![at.micros() / 1_000; 2]))),
        ("temperature", Arc::new(Float32Array::from(vec![9.5, 8.5]))),
        ("humidity", Arc::new(Int64Array::from(vec![50, 60]))),
        ("station", Arc::new(StringArray::from(vec!["south", "north"]))),
        ("windy", Arc::new(BooleanArray::from(vec![true, false]))),
        ("prediction", Arc::new(Float32Array::from(vec![0.25, 0.75]))),
        ("label", Arc::new(Int64Array::from(vec![Some(1), None]))),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let (batch, mut bytes) = (batch.unwrap(), Vec::new());
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// P7: the form of a file changes nothing of what its rows are.
#[test]
fn the_same_rows_are_read_from_every_form() {
    let (one, two) = (id(1), id(2));
    let at = "2026-11-20T09:00:00Z";
    let csv = format!("{HEADER}{one},{at},9.5,50,south,true,0.25,1\n{two},{at},8.5,60,north,0,0.75,\n");
    let features = |temperature: f64, humidity: u8, station: &str, windy: bool| {
        format!(r#"{{"temperature":{temperature},"humidity":{humidity},"station":"{station}","windy":{windy}}}"#)
    };
    let lines = format!(
        "{{\"request_id\":\"{one}\",\"at\":\"{at}\",\"features\":{},\"prediction\":0.25,\"label\":1}}\n\
         {{\"request_id\":\"{two}\",\"at\":\"{at}\",\"features\":{},\"prediction\":0.75}}\n",
        features(9.5, 50, "south", true),
        features(8.5, 60, "north", false),
    );
    let rows = read(csv).unwrap();
    assert_eq!(rows, read(lines).unwrap());
    assert_eq!(rows, read(parquet()).unwrap());
    assert_eq!((rows[0].request_id, rows[0].label, rows[1].label), (one, Some(1.0), None));
    assert_eq!(rows[0].at.to_string(), at);
}

#[test]
fn every_fault_of_every_row_is_named_and_no_value_is() {
    let csv =
        format!("{HEADER}{},,9,500,secret,true,secret,0\nsecret,secret,9,50,south,true,0.5,\n{},,9,50\n", id(1), id(2));
    let faults = read(csv).unwrap_err();
    assert_eq!(faults.len(), 6, "{faults:?}");
    assert!(faults[0].starts_with("line 2: humidity:") && faults[1].starts_with("line 2: station:"), "{faults:?}");
    assert!(faults[2].starts_with("line 2: prediction:") && faults[3].starts_with("line 3: request_id:"), "{faults:?}");
    assert!(faults[4].starts_with("line 3: at:") && faults[5].starts_with("line 4: it has another"), "{faults:?}");
    assert!(!faults.concat().contains("secret"), "{faults:?}");
    let lines = read("{\"request_id\":\"secret\",\"features\":{},\"secret\":1}\n{\n").unwrap_err();
    assert!(lines[0].contains("line 1: `secret` is not a member") && lines[1].contains("line 2"), "{lines:?}");
    let twice = format!("{HEADER}{0},,9,50,south,true,0.5,\n{0},,9,50,south,true,0.5,\n", id(1));
    assert_eq!(read(twice), Err(vec!["line 3: request_id: stands in an earlier row too".to_owned()]));
}

#[test]
fn what_is_no_table_of_answers_is_refused() {
    for (file, says) in [
        (&b""[..], "no column `request_id`"),
        (b"request_id,humidity\n", "no column `prediction`"),
        (b"request_id,prediction,request_id\n", "twice"),
        (b"request_id,prediction\n", "no rows"),
        (b"PAR1 and nothing else", "not Parquet"),
    ] {
        let faults = read(file).unwrap_err();
        assert!(faults[0].contains(says), "{faults:?}");
    }
    let whole = parquet();
    assert!(read(&whole[..whole.len() - 9]).is_err());
}

#[test]
fn of_many_faults_the_first_are_named_and_all_are_counted() {
    let rows: String = (1..=50).map(|number| format!("{},,9,500,south,true,0.5,\n", id(number))).collect();
    let refused = read_inferences(&a_contract(true), format!("{HEADER}{rows}").as_bytes(), now(), |_| panic!());
    assert!(matches!(refused, Err(LogError::Inferences { rows: 50, total: 50, faults }) if faults.len() == SHOWN));
}
