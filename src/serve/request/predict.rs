//! Requests for predictions, read straight into the places of the contract's features; pure. No field is kept on the way, and
//! no error repeats a value. A body that is spelled plainly is read in one go; what stands here reads any other, and says what is wrong.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Field, Malformed, Text, broken, plain, request_id};
use crate::contract::{Admission, Contract, FeatureVector, Refusal, Taken};
use crate::types::Plain;

/// `POST /api/v1/predict`
#[derive(Debug, PartialEq)]
pub(in crate::serve) struct PredictRequest {
    pub(in crate::serve) request_id: Option<Uuid>,
    /// What the contract says of the features.
    pub(in crate::serve) features: Result<FeatureVector, Refusal>,
}

impl PredictRequest {
    pub(in crate::serve) fn read(body: &[u8], contract: &Contract) -> Result<Self, Malformed> {
        let text = str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
        let plain = Plain::read(text, |body| plain::request(body, contract));
        plain.map_or_else(|| Self::read_carefully(text, contract), Ok)
    }

    fn read_carefully(body: &str, contract: &Contract) -> Result<Self, Malformed> {
        let mut reading = Reading::of(contract, "the body");
        match read(body, Members(&mut reading)) {
            Ok(()) => reading.finish(),
            Err(unread) => Err(reading.part.broken(&unread)),
        }
    }
}

/// `POST /api/v1/predict/batch`: `{"rows": [...]}`, each row as a request of its own would be.
#[derive(Debug, PartialEq)]
pub(in crate::serve) struct BatchRequest(pub(in crate::serve) Vec<PredictRequest>);

impl BatchRequest {
    /// So many rows a body has at most; more are a file.
    pub(in crate::serve) const MOST: usize = 10_000;

    pub(in crate::serve) fn read(body: &[u8], contract: &Contract) -> Result<Self, Malformed> {
        let text = str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
        let plain = Plain::read(text, |body| plain::batch(body, contract));
        plain.map_or_else(|| Self::read_carefully(text, contract), Ok)
    }

    fn read_carefully(body: &str, contract: &Contract) -> Result<Self, Malformed> {
        let mut batch = Batch { contract, part: Part::Object("the body"), rows: None, fault: Fault::default() };
        if let Err(unread) = read(body, Table(&mut batch)) {
            return Err(batch.part.broken(&unread));
        }
        let rows = batch.fault.or(batch.rows.ok_or(Malformed::Absent { member: "rows" }))?;
        Ok(BatchRequest(rows))
    }
}

/// A part of the body, and what it must be.
#[derive(Debug, Clone, Copy)]
enum Part {
    Object(&'static str),
    List(&'static str),
}

impl Part {
    /// Why a body could not be read to its end while this part of it was.
    fn broken(self, error: &serde_json::Error) -> Malformed {
        match self {
            Part::Object(what) => broken(error, Malformed::NotAnObject { what }),
            Part::List(what) => broken(error, Malformed::NotAList { what }),
        }
    }
}

/// Read all of a body.
fn read<'a>(body: &'a str, seed: impl DeserializeSeed<'a, Value = ()>) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(body);
    seed.deserialize(&mut json).and_then(|()| json.end())
}

/// The first fault of a body that is JSON; what is not JSON at all is told before it.
#[derive(Debug, Default)]
struct Fault(Option<Malformed>);

impl Fault {
    fn found(&mut self, fault: Malformed) {
        self.0.get_or_insert(fault);
    }

    fn or<T>(self, outcome: Result<T, Malformed>) -> Result<T, Malformed> {
        self.0.map_or(outcome, Err)
    }
}

/// A request that is being read.
pub(super) struct Reading<'c> {
    part: Part,
    admission: Admission<'c>,
    /// The names that are no features: none may come twice.
    strangers: BTreeSet<String>,
    seen: bool,
    request_id: Option<Uuid>,
    identified: bool,
    fault: Fault,
}

impl<'c> Reading<'c> {
    fn of(contract: &'c Contract, whole: &'static str) -> Self {
        Reading {
            part: Part::Object(whole),
            admission: Admission::of(contract),
            strangers: BTreeSet::new(),
            seen: false,
            request_id: None,
            identified: false,
            fault: Fault::default(),
        }
    }

    /// A row that is nothing but its features.
    pub(super) fn row(contract: &'c Contract) -> Self {
        Reading { seen: true, ..Reading::of(contract, "a row") }
    }

    pub(super) fn feature(&mut self, name: &str, value: &RawValue) {
        let field = match Field::read(name, value) {
            Ok(field) => field,
            Err(fault) => return self.fault.found(fault),
        };
        let again = match self.admission.take(name, field.given()) {
            Taken::Feature => false,
            Taken::Again => true,
            Taken::Stranger => !self.strangers.insert(name.to_owned()),
        };
        if again {
            self.fault.found(Malformed::Repeated { member: name.to_owned() });
        }
    }

    fn identify(&mut self, value: &RawValue) {
        self.identified = true;
        match request_id(value) {
            Ok(id) => self.request_id = Some(id),
            Err(fault) => self.fault.found(fault),
        }
    }

    pub(super) fn finish(self) -> Result<PredictRequest, Malformed> {
        let there = if self.seen { Ok(()) } else { Err(Malformed::Absent { member: "features" }) };
        self.fault.or(there)?;
        Ok(PredictRequest { request_id: self.request_id, features: self.admission.finish() })
    }
}

/// The members of a request.
struct Members<'r, 'c>(&'r mut Reading<'c>);

impl<'de> DeserializeSeed<'de> for Members<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Members(reading) = self;
        while let Some(Text(name)) = map.next_key()? {
            match &*name {
                "features" if !reading.seen => {
                    reading.seen = true;
                    let whole = std::mem::replace(&mut reading.part, Part::Object("`features`"));
                    map.next_value_seed(Features(reading))?;
                    reading.part = whole;
                }
                "request_id" if !reading.identified => reading.identify(map.next_value()?),
                "features" | "request_id" => {
                    map.next_value::<IgnoredAny>()?;
                    reading.fault.found(Malformed::Repeated { member: name.into_owned() });
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    let known = "`features` and `request_id`";
                    reading.fault.found(Malformed::Unknown { member: name.into_owned(), known });
                }
            }
        }
        Ok(())
    }
}

/// The features of a request.
struct Features<'r, 'c>(&'r mut Reading<'c>);

impl<'de> DeserializeSeed<'de> for Features<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Features<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((Text(name), value)) = map.next_entry()? {
            self.0.feature(&name, value);
        }
        Ok(())
    }
}

/// Many rows that are being read.
struct Batch<'c> {
    contract: &'c Contract,
    part: Part,
    rows: Option<Vec<PredictRequest>>,
    fault: Fault,
}

/// The one member of a batch.
struct Table<'r, 'c>(&'r mut Batch<'c>);

impl<'de> DeserializeSeed<'de> for Table<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Table<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Table(batch) = self;
        while let Some(Text(name)) = map.next_key()? {
            match (&*name, &batch.rows) {
                ("rows", None) => {
                    let whole = std::mem::replace(&mut batch.part, Part::List("`rows`"));
                    map.next_value_seed(Rows(batch))?;
                    batch.part = whole;
                }
                ("rows", Some(_)) => {
                    map.next_value::<IgnoredAny>()?;
                    batch.fault.found(Malformed::Repeated { member: name.into_owned() });
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    batch.fault.found(Malformed::Unknown { member: name.into_owned(), known: "`rows`" });
                }
            }
        }
        Ok(())
    }
}

/// The rows of a batch.
struct Rows<'r, 'c>(&'r mut Batch<'c>);

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Rows(batch) = self;
        let mut rows = Vec::new();
        while rows.len() < BatchRequest::MOST {
            let mut reading = Reading::of(batch.contract, "a row");
            let read = list.next_element_seed(Members(&mut reading));
            if read.is_err() {
                batch.part = reading.part;
            }
            if read?.is_none() {
                break;
            }
            match reading.finish() {
                Ok(row) => rows.push(row),
                Err(fault) => {
                    batch.fault.found(Malformed::Row { row: rows.len() + 1, fault: Box::new(fault) });
                    break;
                }
            }
        }
        // What is left is read to its end all the same, so that what is not JSON is told as that.
        if list.next_element::<IgnoredAny>()?.is_some() {
            batch.fault.found(Malformed::TooMany { what: "`rows`", most: BatchRequest::MOST });
            while list.next_element::<IgnoredAny>()?.is_some() {}
        }
        batch.rows = Some(rows);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
