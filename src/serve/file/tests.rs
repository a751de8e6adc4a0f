//! Files that are answered as requests are, whatever their form.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use super::*;
use crate::contract::Task;
use crate::serve::fixture::{a_model, a_regression};
use crate::types::Version;

/// Rows of (temperature, humidity, station, windy); the third is out of range, the fourth has no humidity.
const HUMIDITY: [Option<f64>; 5] = [Some(40.0), Some(25.0), Some(400.0), None, Some(0.1)];

fn csv_file() -> String {
    let row =
        |humidity: &Option<f64>| format!("21.5,{},south,true\n", humidity.map_or("".to_owned(), |h| h.to_string()));
    format!("temperature,humidity,station,windy\n{}", HUMIDITY.iter().map(row).collect::<String>())
}

fn lines_file() -> String {
    let row = |humidity: &Option<f64>| {
        let humidity = humidity.map_or("null".to_owned(), |h| h.to_string());
        format!(r#"{{"features":{{"humidity":{humidity},"windy":true,"station":"south","temperature":21.5}}}}"#) + "\n"
    };
    HUMIDITY.iter().map(row).collect()
}

fn parquet_file() -> Vec<u8> {
    let many = HUMIDITY.len();
    let columns: [(&str, ArrayRef); 4] = [
        ("humidity", Arc::new(Float64Array::from(HUMIDITY.to_vec()))),
        ("temperature", Arc::new(Float64Array::from(vec![21.5; many]))),
        ("station", Arc::new(StringArray::from(vec!["south"; many]))),
        ("windy", Arc::new(BooleanArray::from(vec![true; many]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn answer(predictor: &Predictor, file: impl Into<Bytes>, hands: usize) -> Result<Vec<Said>, ServeError> {
    let mut all = Vec::new();
    let file = RowsFile::open(predictor.contract(), file.into(), &["id".to_owned()])?;
    let rows = file.answer(
        predictor,
        hands,
        |first, rows: Vec<Said>| (first, rows),
        |(first, rows)| {
            assert_eq!(first, all.len() as u64 + 1);
            all.extend(rows);
            Ok(())
        },
    )?;
    assert_eq!(rows, all.len() as u64);
    Ok(all)
}

fn fault(file: &str) -> String {
    answer(&a_model(Version::FIRST, 1.0), file.to_owned(), 1).unwrap_err().to_string()
}

#[test]
fn every_form_of_a_file_is_answered_as_requests_are() {
    let model = a_model(Version::FIRST, 1.0);
    let one = |humidity: &Option<f64>| {
        let humidity = humidity.map_or(Given::Missing, Given::Number);
        let station = ("station", Given::Text("south"));
        let fields =
            [("temperature", Given::Number(21.5)), ("humidity", humidity), station, ("windy", Given::Bool(true))];
        match model.answer(fields).unwrap() {
            Answer::Scored { score, .. } => Ok(score),
            Answer::Refused(refusal) => Err(refusal.violations),
        }
    };
    let expected: Vec<Said> = HUMIDITY.iter().map(one).collect();
    assert_eq!(expected.iter().filter(|said| said.is_err()).count(), 2);
    for file in [Bytes::from(csv_file()), Bytes::from(lines_file()), Bytes::from(parquet_file())] {
        assert_eq!(answer(&model, file.clone(), 1).unwrap(), expected);
        assert_eq!(answer(&model, file, 3).unwrap(), expected);
    }
}

#[test]
fn many_blocks_come_in_the_order_of_the_file() {
    let model = a_model(Version::FIRST, 1.0);
    let share = |row: usize| (row % 1_000) as f64 / 10.0;
    let rows: String = (0..3 * BLOCK + 5).map(|row| format!("1,{},north,0,{row}\n", share(row))).collect();
    let said = answer(&model, format!("temperature,humidity,station,windy,id\n{rows}"), 2).unwrap();
    assert_eq!(said.len(), 3 * BLOCK + 5);
    let wrong = said.iter().enumerate().find(|(row, said)| said.as_ref().unwrap().prediction != share(*row) / 100.0);
    assert_eq!(wrong, None);
}

#[test]
fn a_row_that_is_none_is_refused_by_itself() {
    let model = a_model(Version::FIRST, 1.0);
    let lines = format!("{}not json\n{{\"features\":1}}\n\n{}", lines_file(), lines_file());
    let said = answer(&model, lines, 1).unwrap();
    assert_eq!(said.len(), 2 * HUMIDITY.len() + 2);
    let told = |said: &Said| said.as_ref().unwrap_err()[0].to_string();
    assert_eq!(told(&said[5]), "row: the body is not JSON: line 1, column 2");
    assert_eq!(told(&said[6]), "row: `features` must be an object");
    let short = format!("{}21.5,40\n", csv_file());
    assert_eq!(told(&answer(&model, short, 1).unwrap()[5]), "row: has another number of cells than the header");
}

#[test]
fn a_file_whose_columns_are_not_the_contracts_is_refused_whole() {
    assert_eq!(
        fault("temperature,humidity,humidity,windy,wind,rained_mm\n1,2,3,4,5,6\n"),
        "answer the file: humidity: is given twice; station: is not among the columns; \
         wind: is not a feature of the contract; rained_mm: must not be sent: known only after the event"
    );
    assert_eq!(fault("temperature,humidity,station,windy\n"), "answer the file: the file has no rows");
    assert_eq!(fault("PAR1 secret"), "answer the file: the file is not Parquet, or is cut");
    assert!(answer(&a_model(Version::FIRST, 1.0), parquet_file()[..200].to_vec(), 1).is_err());
}

fn written(model: &Predictor, form: Form, file: String) -> (u64, Vec<u8>) {
    let (task, mut refused) = (model.contract().task(), 0);
    let mut pages = Pages::begin(form, task, Vec::new()).unwrap();
    let open = RowsFile::open(model.contract(), file.into(), &[]).unwrap();
    let page = |first, rows: Vec<Said>| Page::of(form, task, first, &rows).unwrap();
    open.answer(model, 2, page, |page| {
        refused += page.refused;
        pages.add(&page)
    })
    .unwrap();
    (refused, pages.finish().unwrap())
}

#[test]
fn answers_are_written_in_every_form() {
    let model = a_model(Version::FIRST, 1.0);
    let (refused, csv) = written(&model, Form::Csv, csv_file());
    let csv = String::from_utf8(csv).unwrap();
    let out = "humidity: must be a finite number from 0 to 100";
    let table: Vec<&str> = csv.lines().collect();
    assert_eq!((refused, &table[..4]), (2, &["row,probability,errors", "1,0.4,", "2,0.25,", &format!("3,,{out}")][..]));

    let (_, lines) = written(&model, Form::Lines, lines_file());
    let lines: Vec<Value> =
        String::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[1], serde_json::json!({"row": 2, "probability": 0.25}));
    assert_eq!((&lines[2]["row"], &lines[2]["errors"][0]["code"]), (&3.into(), &"out_of_range".into()));

    let (_, bytes) = written(&model, Form::Parquet, csv_file());
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap().build().unwrap();
    let batch = reader.next().unwrap().unwrap();
    let column = |name: &str| Column::of(batch.column_by_name(name).unwrap());
    assert_eq!((column("row").given(4), column("probability").given(1)), (Given::Number(5.0), Given::Number(0.25)));
    assert_eq!((column("probability").given(2), column("errors").given(2)), (Given::Missing, Given::Text(out)));
}

#[test]
fn a_number_is_written_with_its_interval() {
    let model = a_regression(Version::FIRST, 1.0);
    assert_eq!(model.contract().task(), Task::Regression);
    let (_, csv) = written(&model, Form::Csv, csv_file());
    assert!(String::from_utf8(csv).unwrap().starts_with("row,prediction,lower,upper,errors\n1,21.5,20.5,22.5,\n"));
}
