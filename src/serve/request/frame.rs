//! Rows as MLflow's clients send them: JSON in four forms, or CSV; pure. As strict as every request: columns are named, and none is
//! left over.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::columns::{Admitted, MOST_COLUMNS, Rows, fit, too_many};
use super::predict::Reading;
use super::stream::{each, members, once, word};
use super::{BatchRequest, Field, Malformed};
use crate::contract::{Admission, Contract};
use crate::ingest::Domain;
use crate::serve::cells::spelled;

const KNOWN: &str = "one of `dataframe_split`, `dataframe_records`, `instances` and `inputs`";

/// How rows lie in a body.
#[derive(Clone, Copy)]
enum Form {
    /// `{"columns": [...], "data": [[...], ...]}`, as pandas writes it with `orient="split"`.
    Split,
    /// A list of objects.
    Records,
    /// A list of objects, or an object of columns, as TensorFlow Serving takes it.
    Either,
}

impl Form {
    fn of(member: &str) -> Option<Form> {
        match member {
            "dataframe_split" => Some(Form::Split),
            "dataframe_records" => Some(Form::Records),
            "instances" | "inputs" => Some(Form::Either),
            _ => None,
        }
    }
}

/// Read the body of `POST /invocations` that is JSON.
pub(in crate::serve) fn read_json(body: &[u8], contract: &Contract) -> Result<Vec<Admitted>, Malformed> {
    let text = str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
    let (mut sent, mut params) = (None, None);
    members(text, "the body", |name, value| match (&*name, Form::of(&name)) {
        (_, Some(_)) if sent.is_some() => Err(Malformed::NotOne { known: KNOWN }),
        (_, Some(form)) => once(&mut sent, &name, (form, value)),
        ("params", None) => once(&mut params, &name, value),
        (_, None) => Err(Malformed::Unknown { member: name.into_owned(), known: KNOWN }),
    })?;
    if let Some(params) = params.filter(|params| params.get() != "null") {
        let known = "no member: the model takes no parameters";
        members(params.get(), "`params`", |name, _| Err(Malformed::Unknown { member: name.into_owned(), known }))?;
    }
    match sent.ok_or(Malformed::NotOne { known: KNOWN })? {
        (Form::Split, rows) => split(rows, contract),
        (Form::Either, rows) if rows.get().starts_with('{') => by_column(rows, contract),
        (Form::Records | Form::Either, rows) => records(rows, contract),
    }
}

fn split(split: &RawValue, contract: &Contract) -> Result<Vec<Admitted>, Malformed> {
    let (mut columns, mut index, mut data) = (None, None, None);
    members(split.get(), "`dataframe_split`", |name, value| match &*name {
        "columns" => once(&mut columns, &name, value),
        "index" => once(&mut index, &name, value),
        "data" => once(&mut data, &name, value),
        _ => Err(Malformed::Unknown { member: name.into_owned(), known: "`columns`, `index` and `data`" }),
    })?;
    let columns = columns.ok_or(Malformed::Absent { member: "columns" })?;
    let data = data.ok_or(Malformed::Absent { member: "data" })?;
    let names = names(columns)?;
    if let Err(refusal) = fit(contract, &names)? {
        return Ok(vec![Err(refusal)]);
    }
    let mut rows = Vec::new();
    each(data, "`data`", |place, cells| {
        if place == BatchRequest::MOST {
            return Err(too_many("`data`"));
        }
        let row = row(cells, &names, contract);
        rows.push(row.map_err(|fault| Malformed::Row { row: place + 1, fault: Box::new(fault) })?);
        Ok(())
    })?;
    if let Some(index) = index.filter(|index| index.get() != "null") {
        let (found, wanted) = (each(index, "`index`", |_, _| Ok(()))?, rows.len());
        if found != wanted {
            return Err(Malformed::Uneven { what: "`index`".to_owned(), found, wanted, of: "rows" });
        }
    }
    Ok(rows)
}

fn names(columns: &RawValue) -> Result<Vec<Cow<'_, str>>, Malformed> {
    let mut names = Vec::new();
    each(columns, "`columns`", |place, name| {
        if place == MOST_COLUMNS {
            return Err(Malformed::TooMany { what: "`columns`", most: MOST_COLUMNS });
        }
        names.push(word(name).ok_or(Malformed::NotNames)?);
        Ok(())
    })?;
    Ok(names)
}

/// A row of cells, one for each name.
fn row(cells: &RawValue, names: &[Cow<'_, str>], contract: &Contract) -> Result<Admitted, Malformed> {
    let mut admission = Admission::of(contract);
    let found = each(cells, "a row", |place, cell| {
        let Some(name) = names.get(place) else { return Ok(()) };
        admission.take(name, Field::read(name, cell)?.given());
        Ok(())
    })?;
    let wanted = names.len();
    let uneven = || Malformed::Uneven { what: "it".to_owned(), found, wanted, of: "columns" };
    if found == wanted { Ok(admission.finish()) } else { Err(uneven()) }
}

fn records(list: &RawValue, contract: &Contract) -> Result<Vec<Admitted>, Malformed> {
    let mut rows = Vec::new();
    each(list, "the rows", |place, row| {
        if place == BatchRequest::MOST {
            return Err(too_many("the list"));
        }
        let mut reading = Reading::row(contract);
        let read = members(row.get(), "a row", |name, value| {
            reading.feature(&name, value);
            Ok(())
        });
        let row = read.and_then(|()| reading.finish());
        let row = row.map_err(|fault| Malformed::Row { row: place + 1, fault: Box::new(fault) })?;
        rows.push(row.features);
        Ok(())
    })?;
    Ok(rows)
}

fn by_column(object: &RawValue, contract: &Contract) -> Result<Vec<Admitted>, Malformed> {
    let (mut names, mut columns) = (Vec::new(), Vec::new());
    members(object.get(), "the rows", |name, cells| {
        if names.len() == MOST_COLUMNS {
            return Err(Malformed::TooMany { what: "the object", most: MOST_COLUMNS });
        }
        names.push(name);
        columns.push(cells);
        Ok(())
    })?;
    if let Err(refusal) = fit(contract, &names)? {
        return Ok(vec![Err(refusal)]);
    }
    let mut rows = Rows::of(contract);
    for (name, cells) in names.iter().zip(columns) {
        rows.column(name, cells, |cell| Field::read(name, cell))?;
    }
    Ok(rows.finish())
}

/// Read the body of `POST /invocations` that is CSV, with a header. A first column without a name is the index that pandas writes
/// unless it is told not to, and says nothing.
pub(in crate::serve) fn read_csv(body: &[u8], contract: &Contract) -> Result<Vec<Admitted>, Malformed> {
    str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(body);
    let header = reader.headers().map_err(|_| Malformed::NotUtf8)?.clone();
    let skipped = usize::from(header.get(0) == Some(""));
    let names: Vec<Cow<'_, str>> = header.iter().skip(skipped).take(MOST_COLUMNS).map(Cow::Borrowed).collect();
    if names.len() + skipped < header.len() {
        return Err(Malformed::TooMany { what: "the header", most: MOST_COLUMNS });
    }
    if let Err(refusal) = fit(contract, &names)? {
        return Ok(vec![Err(refusal)]);
    }
    let domain = |name: &str| Some(&contract.features().get(contract.place(name)?)?.domain);
    let columns: Vec<_> = names.iter().map(|name| (name, domain(name))).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        if rows.len() == BatchRequest::MOST {
            return Err(too_many("the table"));
        }
        let record = record.map_err(|_| Malformed::NotUtf8)?;
        let (found, wanted) = (record.len(), header.len());
        if found != wanted {
            let fault = Box::new(Malformed::Uneven { what: "it".to_owned(), found, wanted, of: "columns" });
            return Err(Malformed::Row { row: rows.len() + 1, fault });
        }
        let mut admission = Admission::of(contract);
        for (cell, (name, domain)) in record.iter().skip(skipped).zip(&columns) {
            admission.take(name, spelled(*domain, truth_of_python(*domain, cell)));
        }
        rows.push(admission.finish());
    }
    Ok(rows)
}

/// Python spells truth with a capital.
fn truth_of_python<'a>(domain: Option<&Domain>, cell: &'a str) -> &'a str {
    match (domain, cell) {
        (Some(Domain::Boolean), "True") => "true",
        (Some(Domain::Boolean), "False") => "false",
        (_, cell) => cell,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::serve::fixture::a_contract;

    const ROW: [&str; 4] = ["temperature", "humidity", "station", "windy"];

    fn admitted(body: &str) -> Vec<Vec<f64>> {
        let rows = read_json(body.as_bytes(), &a_contract(true)).unwrap();
        rows.into_iter().map(|row| row.unwrap().to_vec()).collect()
    }

    fn codes(rows: Vec<Admitted>) -> Vec<Vec<(String, &'static str)>> {
        let told = |refusal: crate::contract::Refusal| {
            refusal.violations.into_iter().map(|one| (one.feature, one.code.as_str())).collect()
        };
        rows.into_iter().map(|row| row.map(drop).map_err(told).err().unwrap_or_default()).collect()
    }

    /// Two rows in each form there is.
    #[rstest]
    #[case(r#"{"dataframe_split":{"columns":["temperature","humidity","station","windy"],"data":[[1,2,"south",true],[3,4,"north",false]]}}"#)]
    #[case(r#"{"dataframe_split":{"data":[["south",1,true,2],["north",3,false,4]],"index":[7,"x"],"columns":["station","temperature","windy","humidity"]}}"#)]
    #[case(r#"{"params":{},"dataframe_records":[{"temperature":1,"humidity":2,"station":"south","windy":true},{"windy":false,"temperature":3,"humidity":4,"station":"north"}]}"#)]
    #[case(r#"{"instances":[{"temperature":1,"humidity":2,"station":"south","windy":true},{"temperature":3,"humidity":4,"station":"north","windy":false}],"params":null}"#)]
    #[case(r#"{"inputs":{"humidity":[2,4],"temperature":[1.0,3],"station":["south","north"],"windy":[true,false]}}"#)]
    fn the_forms_of_mlflow_give_the_same_rows(#[case] body: &str) {
        assert_eq!(admitted(body), [[1.0, 2.0, 1.0, 1.0], [3.0, 4.0, 0.0, 0.0]]);
    }

    #[test]
    fn csv_gives_the_same_rows_with_the_index_of_pandas_and_without() {
        for body in [
            "temperature,humidity,station,windy\n1,2,south,True\n3,4,north,false\n",
            ",humidity,temperature,windy,station\r\n0,2,1,true,\"south\"\r\n1,4,3,False,north\r\n",
        ] {
            let rows = read_csv(body.as_bytes(), &a_contract(true)).unwrap();
            let rows: Vec<Vec<f64>> = rows.into_iter().map(|row| row.unwrap().to_vec()).collect();
            assert_eq!(rows, [[1.0, 2.0, 1.0, 1.0], [3.0, 4.0, 0.0, 0.0]], "{body}");
        }
        let missing = read_csv(b"temperature,humidity,station,windy\nNaN,,south,\n", &a_contract(true)).unwrap();
        assert_eq!(
            codes(missing)[0].iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            [ROW[0], ROW[1], ROW[3]]
        );
    }

    #[test]
    fn columns_that_are_not_the_contracts_are_told_once_and_nulls_in_each_row() {
        let contract = a_contract(true);
        let split = r#"{"dataframe_split":{"columns":["humidity","rained_mm","x"],"data":[[1,2,3],[1,2,3]]}}"#;
        let told = |code: &'static str, names: &[&str]| -> Vec<_> {
            names.iter().map(|name| ((*name).to_owned(), code)).collect()
        };
        let missing = told("missing", &["temperature", "station", "windy"]);
        let expected = [missing, told("forbidden", &["rained_mm"]), told("unknown", &["x"])].concat();
        assert_eq!(codes(read_json(split.as_bytes(), &contract).unwrap()), std::slice::from_ref(&expected));
        let columns = r#"{"inputs":{"humidity":[1,1],"rained_mm":[2,2],"x":[3,3]}}"#;
        assert_eq!(codes(read_json(columns.as_bytes(), &contract).unwrap()), std::slice::from_ref(&expected));
        let csv = read_csv(b"humidity,rained_mm,x\n1,2,3\n1,2,3\n", &contract).unwrap();
        assert_eq!(codes(csv), [expected]);
        let nulls =
            r#"{"inputs":{"humidity":[null,1],"temperature":[1,null],"station":["south","west"],"windy":[true,1]}}"#;
        let rows = codes(read_json(nulls.as_bytes(), &contract).unwrap());
        let second = [told("missing", &["temperature"]), told("unseen", &["station"]), told("mistyped", &["windy"])];
        assert_eq!(rows, [told("missing", &["humidity"]), second.concat()]);
    }

    #[rstest]
    #[case("[]", "the body must be an object")]
    #[case("{", "the body is not JSON: line 1, column 1")]
    #[case("{}", "the body must have exactly one of `dataframe_split`, `dataframe_records`, `instances` and `inputs`")]
    #[case(
        r#"{"inputs":[],"instances":[]}"#,
        "the body must have exactly one of `dataframe_split`, `dataframe_records`, `instances` and `inputs`"
    )]
    #[case(
        r#"{"messages":[]}"#,
        "`messages` is not a member of this request: it has one of `dataframe_split`, `dataframe_records`, `instances` and `inputs`"
    )]
    #[case(
        r#"{"inputs":[],"params":{"t":1}}"#,
        "`t` is not a member of this request: it has no member: the model takes no parameters"
    )]
    #[case(r#"{"inputs":7}"#, "the rows must be a list")]
    #[case(r#"{"inputs":[[1,2]]}"#, "row 1: a row must be an object")]
    #[case(r#"{"inputs":[{"humidity":1,"humidity":1}]}"#, "row 1: `humidity` is given twice")]
    #[case(r#"{"inputs":{"humidity":[1],"humidity":[1]}}"#, "`humidity` is given twice")]
    #[case(r#"{"dataframe_records":{"humidity":[1]}}"#, "the rows must be a list")]
    #[case(r#"{"dataframe_split":{"data":[]}}"#, "`columns` is required")]
    #[case(r#"{"dataframe_split":{"columns":[1],"data":[]}}"#, "`columns` must hold names")]
    #[case(r#"{"dataframe_split":{"columns":["x"],"columns":["x"],"data":[]}}"#, "`columns` is given twice")]
    #[case(
        r#"{"inputs":{"temperature":[1,2],"humidity":[1],"station":[],"windy":[]}}"#,
        "`humidity` has 1 values, and there are 2 rows"
    )]
    #[case(r#"{"dataframe_split":{"columns":["temperature","humidity","station","windy"],"data":[[1,2,"south",true],[1]]}}"#, "row 2: it has 1 values, and there are 4 columns")]
    #[case(
        r#"{"dataframe_split":{"columns":["temperature","humidity","station","windy"],"index":[1],"data":[]}}"#,
        "`index` has 1 values, and there are 0 rows"
    )]
    fn what_is_no_frame_is_told_as_that(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(read_json(body.as_bytes(), &a_contract(true)).unwrap_err().to_string(), expected);
    }

    #[test]
    fn more_rows_than_a_batch_has_are_refused_in_every_form() {
        let contract = a_contract(true);
        let (cells, records) = (vec!["1"; 10_001].join(","), vec!["{}"; 10_001].join(","));
        let names = r#""columns":["temperature","humidity","station","windy"]"#;
        let rows = vec!["[1,1,\"south\",true]"; 10_001].join(",");
        for body in [
            format!(r#"{{"inputs":{{"temperature":[{cells}],"humidity":[],"station":[],"windy":[]}}}}"#),
            format!(r#"{{"dataframe_records":[{records}]}}"#),
            format!(r#"{{"dataframe_split":{{{names},"data":[{rows}]}}}}"#),
        ] {
            let told = read_json(body.as_bytes(), &contract).unwrap_err();
            assert!(matches!(told, Malformed::TooMany { most: 10_000, .. }), "{told}");
        }
        let csv = format!("temperature,humidity,station,windy\n{}", "1,2,south,true\n".repeat(10_001));
        assert!(matches!(read_csv(csv.as_bytes(), &contract), Err(Malformed::TooMany { .. })));
    }
}
