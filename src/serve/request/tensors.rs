//! Requests of the Open Inference Protocol v2, a tensor for each feature; pure. Shapes, datatypes and values must agree before the
//! contract is asked.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::columns::{Admitted, MOST_COLUMNS, Rows, fit, too_many};
use super::stream::{each, members, once, word};
use super::{BatchRequest, Field, Malformed};
use crate::contract::Contract;
use crate::ingest::Domain;

/// `POST /v2/models/{model}/infer`
#[derive(Debug, PartialEq)]
pub(in crate::serve) struct InferRequest {
    /// What the caller calls the request.
    pub(in crate::serve) id: Option<String>,
    /// The outputs that are wanted; all of them if nobody says.
    pub(in crate::serve) outputs: Option<Vec<String>>,
    pub(in crate::serve) rows: Vec<Admitted>,
}

/// What kind of value a tensor has, by the protocol's name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Truth,
    Unsigned,
    Signed,
    Float,
    Word,
}

impl Kind {
    fn of(datatype: &str) -> Option<Kind> {
        match datatype {
            "BOOL" => Some(Kind::Truth),
            "UINT8" | "UINT16" | "UINT32" | "UINT64" => Some(Kind::Unsigned),
            "INT8" | "INT16" | "INT32" | "INT64" => Some(Kind::Signed),
            "FP16" | "FP32" | "FP64" => Some(Kind::Float),
            "BYTES" => Some(Kind::Word),
            _ => None,
        }
    }

    /// Whether values of this kind are what a feature may be; any number will do for a number.
    fn suits(self, domain: &Domain) -> bool {
        match domain {
            Domain::Boolean => self == Kind::Truth,
            Domain::Float(_) | Domain::Integer(_) => matches!(self, Kind::Unsigned | Kind::Signed | Kind::Float),
            Domain::Category(_) | Domain::Date | Domain::Timestamp | Domain::Id => self == Kind::Word,
        }
    }

    /// Whether a value is of this kind. What is not there is the contract's affair.
    fn has(self, value: &Field<'_>) -> bool {
        match (self, value) {
            (_, Field::Missing) | (Kind::Truth, Field::Bool(_)) | (Kind::Word, Field::Text(_)) => true,
            (Kind::Float, Field::Number(_)) => true,
            (Kind::Signed, Field::Number(number)) => number.fract() == 0.0,
            (Kind::Unsigned, Field::Number(number)) => number.fract() == 0.0 && *number >= 0.0,
            (_, Field::Bool(_) | Field::Number(_) | Field::Text(_) | Field::Nested) => false,
        }
    }
}

/// The datatype of a feature as the metadata names it.
pub(crate) fn datatype(domain: &Domain) -> &'static str {
    match domain {
        Domain::Boolean => "BOOL",
        Domain::Integer(_) => "INT64",
        Domain::Float(_) => "FP64",
        Domain::Category(_) | Domain::Date | Domain::Timestamp | Domain::Id => "BYTES",
    }
}

/// An input as it was sent.
struct Tensor<'a> {
    kind: Kind,
    /// The length of a column.
    rows: usize,
    /// Whether each value lies in a list of its own, or may.
    nested: bool,
    data: &'a RawValue,
}

impl InferRequest {
    pub(in crate::serve) fn read(body: &[u8], contract: &Contract) -> Result<Self, Malformed> {
        let text = str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
        let (mut id, mut parameters, mut inputs, mut outputs) = (None, None, None, None);
        members(text, "the body", |name, value| match &*name {
            "id" => once(&mut id, &name, word(value).ok_or(Malformed::NotText { member: "id" })?.into_owned()),
            "parameters" => once(&mut parameters, &name, are_parameters(value)?),
            "inputs" => once(&mut inputs, &name, value),
            "outputs" => once(&mut outputs, &name, wanted(value)?),
            _ => Err(unknown(name, "`id`, `parameters`, `inputs` and `outputs`")),
        })?;
        let rows = rows(inputs.ok_or(Malformed::Absent { member: "inputs" })?, contract)?;
        Ok(InferRequest { id, outputs, rows })
    }
}

fn unknown(member: Cow<'_, str>, known: &'static str) -> Malformed {
    Malformed::Unknown { member: member.into_owned(), known }
}

/// Hints for servers of other kinds; that they are an object is all that is asked.
fn are_parameters(value: &RawValue) -> Result<(), Malformed> {
    members(value.get(), "`parameters`", |_, _| Ok(()))
}

fn wanted(outputs: &RawValue) -> Result<Vec<String>, Malformed> {
    let mut names = Vec::new();
    each(outputs, "`outputs`", |place, output| {
        if place == MOST_OUTPUTS {
            return Err(Malformed::TooMany { what: "`outputs`", most: MOST_OUTPUTS });
        }
        let mut named = None;
        members(output.get(), "an output", |name, value| match &*name {
            "name" => once(&mut named, &name, word(value).ok_or(Malformed::NotText { member: "name" })?.into_owned()),
            "parameters" => are_parameters(value),
            _ => Err(unknown(name, "`name` and `parameters`")),
        })?;
        names.push(named.ok_or(Malformed::Absent { member: "name" })?);
        Ok(())
    })?;
    Ok(names)
}

/// A model has three outputs; whoever asks for each a few times is still heard.
const MOST_OUTPUTS: usize = 16;

fn rows(inputs: &RawValue, contract: &Contract) -> Result<Vec<Admitted>, Malformed> {
    let (mut names, mut tensors) = (Vec::new(), Vec::new());
    each(inputs, "`inputs`", |place, input| {
        if place == MOST_COLUMNS {
            return Err(Malformed::TooMany { what: "`inputs`", most: MOST_COLUMNS });
        }
        let (name, tensor) = tensor(input)?;
        names.push(name);
        tensors.push(tensor);
        Ok(())
    })?;
    if let Err(refusal) = fit(contract, &names)? {
        return Ok(vec![Err(refusal)]);
    }
    let mut rows = Rows::of(contract);
    for (name, Tensor { kind, rows: length, nested, data }) in names.iter().zip(tensors) {
        let of = |what| Malformed::Tensor { input: name.to_string(), what };
        let domain = contract.place(name).and_then(|place| contract.features().get(place)).map(|one| &one.domain);
        if let Some(domain) = domain.filter(|domain| !kind.suits(domain)) {
            return Err(of(Wants::Datatype(datatype(domain))));
        }
        let (mut found, row) = (0, |cell| {
            let value = Field::read(name, cell)?;
            if kind.has(&value) { Ok(value) } else { Err(of(Wants::Values)) }
        });
        let column = rows.column(name, data, |cell| {
            found += 1;
            match only(cell).filter(|_| nested) {
                Some(cell) => row(cell),
                None => row(cell),
            }
        });
        column?;
        if found != length {
            return Err(of(Wants::Length));
        }
    }
    Ok(rows.finish())
}

/// The one value of a list of one.
fn only(cell: &RawValue) -> Option<&RawValue> {
    if !cell.get().starts_with('[') {
        return None;
    }
    let mut value = None;
    let count = each(cell, "a value", |_, one| {
        value.get_or_insert(one);
        Ok(())
    });
    value.filter(|_| count == Ok(1))
}

fn tensor(input: &RawValue) -> Result<(Cow<'_, str>, Tensor<'_>), Malformed> {
    let (mut named, mut kind, mut shape, mut data) = (None, None, None, None);
    members(input.get(), "an input", |name, value| match &*name {
        "name" => once(&mut named, &name, word(value).ok_or(Malformed::NotText { member: "name" })?),
        "datatype" => once(&mut kind, &name, value),
        "shape" => once(&mut shape, &name, value),
        "data" => once(&mut data, &name, value),
        "parameters" => are_parameters(value),
        _ => Err(unknown(name, "`name`, `shape`, `datatype`, `parameters` and `data`")),
    })?;
    let name = named.ok_or(Malformed::Absent { member: "name" })?;
    let of = |what| Malformed::Tensor { input: name.to_string(), what };
    let kind = kind.ok_or(Malformed::Absent { member: "datatype" })?;
    let kind = word(kind).and_then(|word| Kind::of(&word)).ok_or_else(|| of(Wants::Protocol))?;
    let shape = shape.ok_or(Malformed::Absent { member: "shape" })?;
    let (rows, nested) = length(shape)?.ok_or_else(|| of(Wants::Shape))?;
    if rows > BatchRequest::MOST {
        return Err(too_many("an input"));
    }
    let data = data.ok_or(Malformed::Absent { member: "data" })?;
    Ok((name, Tensor { kind, rows, nested, data }))
}

/// The rows of `[n]` or `[n, 1]`, and whether it is the latter.
fn length(shape: &RawValue) -> Result<Option<(usize, bool)>, Malformed> {
    let mut sides = Vec::new();
    let count = each(shape, "`shape`", |place, side| {
        if place < 2 {
            sides.push(side.get().parse::<usize>().ok());
        }
        Ok(())
    })?;
    Ok(match (sides.as_slice(), count) {
        ([Some(rows)], 1) => Some((*rows, false)),
        ([Some(rows), Some(1)], 2) => Some((*rows, true)),
        (_, _) => None,
    })
}

/// What an input should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::serve) enum Wants {
    #[error("`shape` must be [n] or [n, 1]: a tensor for each feature, a value for each row")]
    Shape,
    #[error("`datatype` must be a name of the protocol, such as FP64")]
    Protocol,
    #[error("`datatype` must be {0}")]
    Datatype(&'static str),
    #[error("a value in `data` is not of its `datatype`")]
    Values,
    #[error("`data` must have as many values as `shape` says")]
    Length,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::serve::fixture::a_contract;

    fn a_request() -> Value {
        json!({"id": "a", "inputs": [
            {"name": "windy", "datatype": "BOOL", "shape": [2, 1], "data": [[true], [false]]},
            {"name": "temperature", "datatype": "FP32", "shape": [2], "data": [1.5, 3], "parameters": {"content_type": "np"}},
            {"name": "humidity", "datatype": "UINT8", "shape": [2, 1], "data": [2, 4]},
            {"name": "station", "datatype": "BYTES", "shape": [2], "data": ["south", "north"]},
        ]})
    }

    fn read(request: &Value) -> Result<InferRequest, Malformed> {
        InferRequest::read(request.to_string().as_bytes(), &a_contract(true))
    }

    #[test]
    fn a_tensor_is_a_column_flat_or_nested_in_any_order() {
        let mut request = a_request();
        request["outputs"] = json!([{"name": "probability", "parameters": {"binary_data": false}}]);
        let read = read(&request).unwrap();
        assert_eq!((read.id.as_deref(), read.outputs), (Some("a"), Some(vec!["probability".to_owned()])));
        let rows: Vec<Vec<f64>> = read.rows.into_iter().map(|row| row.unwrap().to_vec()).collect();
        assert_eq!(rows, [[1.5, 2.0, 1.0, 1.0], [3.0, 4.0, 0.0, 0.0]]);
    }

    #[rstest]
    #[case("/inputs/1/shape", json!([3]), "input `temperature`: `data` must have as many values as `shape` says")]
    #[case("/inputs/1/shape", json!([1, 2]), "input `temperature`: `shape` must be [n] or [n, 1]: a tensor for each feature, a value for each row")]
    #[case("/inputs/1/shape", json!([-2]), "input `temperature`: `shape` must be [n] or [n, 1]: a tensor for each feature, a value for each row")]
    #[case("/inputs/1/shape", json!(2), "`shape` must be a list")]
    #[case("/inputs/1/shape", json!([10_001]), "an input has at most 10000 members: send the rest in another request, or as a file")]
    #[case("/inputs/1/datatype", json!("FLOAT"), "input `temperature`: `datatype` must be a name of the protocol, such as FP64")]
    #[case("/inputs/1/datatype", json!("BYTES"), "input `temperature`: `datatype` must be FP64")]
    #[case("/inputs/1/datatype", json!("INT32"), "input `temperature`: a value in `data` is not of its `datatype`")]
    #[case("/inputs/1/data", json!(["1.5", "3"]), "input `temperature`: a value in `data` is not of its `datatype`")]
    #[case("/inputs/1/data", json!([[1.5], [3]]), "input `temperature`: a value in `data` is not of its `datatype`")]
    #[case("/inputs/0/data", json!([[true, false]]), "input `windy`: a value in `data` is not of its `datatype`")]
    #[case("/inputs/2/data", json!([2, -4]), "input `humidity`: a value in `data` is not of its `datatype`")]
    #[case("/inputs/1/data", json!([1]), "`temperature` has 1 values, and there are 2 rows")]
    #[case("/inputs/1/data", json!({}), "a column must be a list")]
    #[case("/inputs/1/name", json!("windy"), "`windy` is given twice")]
    #[case("/inputs/1/name", json!(7), "`name` must be text")]
    #[case("/inputs", json!({}), "`inputs` must be a list")]
    #[case("/id", json!(7), "`id` must be text")]
    fn what_does_not_agree_is_told(#[case] place: &str, #[case] value: Value, #[case] expected: &str) {
        let mut request = a_request();
        *request.pointer_mut(place).unwrap() = value;
        assert_eq!(read(&request).unwrap_err().to_string(), expected);
    }

    #[test]
    fn members_are_known_and_inputs_are_the_contracts() {
        let mut request = a_request();
        request["inputs"][1]["binary"] = json!(1);
        assert!(matches!(read(&request), Err(Malformed::Unknown { .. })));
        request["inputs"][1] = json!({"name": "x", "datatype": "FP64", "shape": [2], "data": [1, 2]});
        let refused = read(&request).unwrap().rows.remove(0).unwrap_err();
        let told: Vec<&str> = refused.violations.iter().map(|one| one.feature.as_str()).collect();
        assert_eq!(told, ["temperature", "x"]);
        let nothing = InferRequest::read(b"{}", &a_contract(true)).unwrap_err();
        assert_eq!(nothing, Malformed::Absent { member: "inputs" });
    }
}
