//! Requests read strictly: no repeated or unknown member, no trailing byte; pure. Its errors name members, never values.

mod columns;
mod frame;
mod plain;
mod predict;
mod stream;
mod tensors;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::inference::{Sent, When};
use crate::contract::Given;

pub(super) use columns::Admitted;
pub(super) use frame::{read_csv, read_json};
pub(super) use predict::{BatchRequest, PredictRequest};
pub(super) use tensors::InferRequest;
pub(crate) use tensors::datatype;

/// So many rows a batch has at most.
pub(crate) const MOST_ROWS: usize = BatchRequest::MOST;
/// So many answers of a model elsewhere a body has at most.
pub(crate) const MOST_INFERENCES: usize = InferencesRequest::MOST;

/// Why a body is not a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body is not JSON: line {line}, column {column}")]
    Syntax { line: usize, column: usize },
    #[error("{what} must be an object")]
    NotAnObject { what: &'static str },
    #[error("{what} must be a list")]
    NotAList { what: &'static str },
    #[error("{what} has at most {most} members: send the rest in another request, or as a file")]
    TooMany { what: &'static str, most: usize },
    #[error("`{member}` is given twice")]
    Repeated { member: String },
    #[error("`{member}` is not a member of this request: it has {known}")]
    Unknown { member: String, known: &'static str },
    #[error("`{member}` is required")]
    Absent { member: &'static str },
    #[error("`{member}` must be a UUID in its hyphenated form, and not the nil one")]
    NotAnId { member: &'static str },
    #[error("`{member}` holds text that is not Unicode")]
    NotUnicode { member: String },
    #[error("`{member}` must be text")]
    NotText { member: &'static str },
    #[error("`columns` must hold names")]
    NotNames,
    #[error("the body must have exactly {known}")]
    NotOne { known: &'static str },
    #[error("{what} has {found} values, and there are {wanted} {of}")]
    Uneven { what: String, found: usize, wanted: usize, of: &'static str },
    #[error("input `{input}`: {what}")]
    Tensor { input: String, what: tensors::Wants },
    #[error("row {row}: {fault}")]
    Row { row: usize, fault: Box<Malformed> },
}

/// The members of a JSON object in the order they came, no name twice.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl<'a> Members<'a> {
    fn read(text: &'a str, what: &'static str) -> Result<Self, Malformed> {
        let members: Members<'a> =
            serde_json::from_str(text).map_err(|error| broken(&error, Malformed::NotAnObject { what }))?;
        let mut seen = BTreeSet::new();
        match members.0.iter().find(|(name, _)| !seen.insert(name)) {
            Some((name, _)) => Err(Malformed::Repeated { member: name.to_string() }),
            None => Ok(members),
        }
    }

    /// The wanted members, each at most once, and nothing else.
    fn only<const N: usize>(
        self,
        names: [&'static str; N],
        known: &'static str,
    ) -> Result<[Option<&'a RawValue>; N], Malformed> {
        let mut found = [None; N];
        for (member, value) in self.0 {
            let slot = names.iter().zip(&mut found).find(|(name, _)| **name == member);
            match slot {
                Some((_, slot)) => *slot = Some(value),
                None => {
                    return Err(Malformed::Unknown { member: member.into_owned(), known });
                }
            }
        }
        Ok(found)
    }
}

/// serde_json's words may repeat a value, so only its place is told.
fn broken(error: &serde_json::Error, otherwise: Malformed) -> Malformed {
    match error.classify() {
        Category::Data => otherwise,
        Category::Syntax | Category::Eof | Category::Io => {
            Malformed::Syntax { line: error.line(), column: error.column() }
        }
    }
}

/// One JSON value as a feature or a label may be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field<'a> {
    Missing,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    Nested,
}

impl<'a> Field<'a> {
    fn read(member: &str, value: &'a RawValue) -> Result<Self, Malformed> {
        let text = value.get();
        // The whole body was seen to be JSON, so the first character tells what could not be read.
        serde_json::from_str(text).or_else(|_| match text.as_bytes().first() {
            Some(b'"') => Err(Malformed::NotUnicode { member: member.to_owned() }),
            Some(b'{' | b'[') => Ok(Field::Nested),
            // 1e999 is an infinity here, so that the contract can refuse it together with all the rest.
            Some(_) | None => Ok(text.parse().map_or(Field::Nested, Field::Number)),
        })
    }

    /// The value as the contract takes it.
    pub(super) fn given(&self) -> Given<'_> {
        match self {
            Field::Missing => Given::Missing,
            Field::Bool(yes) => Given::Bool(*yes),
            Field::Number(number) => Given::Number(*number),
            Field::Text(word) => Given::Text(word),
            Field::Nested => Given::Nested,
        }
    }
}

impl<'de> Deserialize<'de> for Field<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Field<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Field<'de>, E> {
                Ok(Field::Missing)
            }

            fn visit_bool<E>(self, yes: bool) -> Result<Field<'de>, E> {
                Ok(Field::Bool(yes))
            }

            // A whole number becomes the nearest float, as if it had been written with a point.
            fn visit_u64<E>(self, number: u64) -> Result<Field<'de>, E> {
                Ok(Field::Number(number as f64))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Field<'de>, E> {
                Ok(Field::Number(number as f64))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Field<'de>, E> {
                Ok(Field::Number(number))
            }

            fn visit_str<E>(self, word: &str) -> Result<Field<'de>, E> {
                Ok(Field::Text(Cow::Owned(word.to_owned())))
            }

            fn visit_borrowed_str<E>(self, word: &'de str) -> Result<Field<'de>, E> {
                Ok(Field::Text(Cow::Borrowed(word)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Field<'de>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Field::Nested)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Field::Nested)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

fn request_id(value: &RawValue) -> Result<Uuid, Malformed> {
    let Ok(Text(text)) = serde_json::from_str(value.get()) else {
        return Err(Malformed::NotAnId { member: "request_id" });
    };
    parse_id(&text).ok_or(Malformed::NotAnId { member: "request_id" })
}

/// A UUID in its hyphenated form, and not the nil one: a client's empty default would join every label to one request.
pub(crate) fn parse_id(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok().filter(|id| !id.is_nil())?;
    (text.len() == uuid::fmt::Hyphenated::LENGTH).then_some(id)
}

/// `POST /api/v1/labels`: one label, or `{"labels": [...]}`.
pub(super) struct LabelsRequest<'a>(pub(super) Vec<(Uuid, Field<'a>)>);

impl<'a> LabelsRequest<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Malformed> {
        const KNOWN: &str = "`labels`, or `request_id` and `label`";
        let text = std::str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
        let members = Members::read(text, "the body")?;
        if !members.0.iter().any(|(name, _)| name == "labels") {
            return Ok(LabelsRequest(vec![label(members)?]));
        }
        let [labels] = members.only(["labels"], KNOWN)?;
        let labels = labels.ok_or(Malformed::Absent { member: "labels" })?;
        let not_a_list = Malformed::NotAList { what: "`labels`" };
        let labels: Vec<&'a RawValue> =
            serde_json::from_str(labels.get()).map_err(|error| broken(&error, not_a_list))?;
        let each = labels.into_iter().map(|one| Members::read(one.get(), "a label").and_then(label));
        each.collect::<Result<_, _>>().map(LabelsRequest)
    }
}

/// An answer of a model elsewhere: one of a body, or one line of a file.
pub(crate) struct ToldInference<'a> {
    /// None if it is not a UUID.
    pub(crate) request_id: Option<Uuid>,
    at: When,
    features: Vec<(Cow<'a, str>, Field<'a>)>,
    prediction: Field<'a>,
    label: Option<Field<'a>>,
}

impl<'a> ToldInference<'a> {
    /// Read one line.
    ///
    /// # Errors
    /// It is not an object with the members of an answer; in words.
    pub(crate) fn line(text: &'a str) -> Result<Self, String> {
        Members::read(text, "the line").and_then(Self::of).map_err(|malformed| malformed.to_string())
    }

    fn of(members: Members<'a>) -> Result<Self, Malformed> {
        const KNOWN: &str = "`request_id`, `at`, `features`, `prediction` and `label`";
        let [id, at, features, prediction, label] =
            members.only(["request_id", "at", "features", "prediction", "label"], KNOWN)?;
        let features = features.ok_or(Malformed::Absent { member: "features" })?;
        let features = Members::read(features.get(), "`features`")?;
        let field = |(name, value): (Cow<'a, str>, &'a RawValue)| Ok((Field::read(&name, value)?, name));
        let fields: Result<Vec<_>, Malformed> = features.0.into_iter().map(field).collect();
        let at = match at.map(|value| Field::read("at", value)).transpose()? {
            None | Some(Field::Missing) => When::Now,
            Some(Field::Text(text)) => text.parse().map_or(When::Unreadable, When::At),
            Some(Field::Bool(_) | Field::Number(_) | Field::Nested) => When::Unreadable,
        };
        let member = |name: &'static str, value: Option<&'a RawValue>| value.map(|value| Field::read(name, value));
        Ok(ToldInference {
            request_id: id.and_then(|id| request_id(id).ok()),
            at,
            features: fields?.into_iter().map(|(field, name)| (name, field)).collect(),
            prediction: member("prediction", prediction).transpose()?.unwrap_or(Field::Missing),
            label: member("label", label).transpose()?.filter(|label| *label != Field::Missing),
        })
    }

    /// The answer as the contract takes it.
    pub(crate) fn sent(&self) -> Sent<'_> {
        Sent {
            request_id: self.request_id,
            at: self.at,
            fields: self.features.iter().map(|(name, field)| (name.as_ref(), field.given())).collect(),
            prediction: self.prediction.given(),
            label: self.label.as_ref().map(Field::given),
        }
    }
}

/// `POST /api/v1/inferences`: one answer, or `{"inferences": [...]}`.
pub(super) struct InferencesRequest<'a>(pub(super) Vec<ToldInference<'a>>);

impl<'a> InferencesRequest<'a> {
    /// So many answers a body has at most; more are a file.
    pub(super) const MOST: usize = 1_000;

    pub(super) fn read(body: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
        let members = Members::read(text, "the body")?;
        if !members.0.iter().any(|(name, _)| name == "inferences") {
            return Ok(InferencesRequest(vec![ToldInference::of(members)?]));
        }
        let [list] = members.only(["inferences"], "`inferences`, or the members of one")?;
        let list = list.ok_or(Malformed::Absent { member: "inferences" })?;
        let not_a_list = Malformed::NotAList { what: "`inferences`" };
        let list: Vec<&'a RawValue> = serde_json::from_str(list.get()).map_err(|error| broken(&error, not_a_list))?;
        if list.len() > Self::MOST {
            return Err(Malformed::TooMany { what: "`inferences`", most: Self::MOST });
        }
        let each = list.into_iter().map(|one| Members::read(one.get(), "an inference").and_then(ToldInference::of));
        each.collect::<Result<_, _>>().map(InferencesRequest)
    }
}

fn label(members: Members<'_>) -> Result<(Uuid, Field<'_>), Malformed> {
    let [id, label] = members.only(["request_id", "label"], "`request_id` and `label`")?;
    let id = id.ok_or(Malformed::Absent { member: "request_id" }).and_then(request_id)?;
    let label = label.ok_or(Malformed::Absent { member: "label" })?;
    Ok((id, Field::read("label", label)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "018f6b1e-7c1a-7000-8000-000000000001";

    #[test]
    fn labels_come_alone_or_in_a_list() {
        let one = format!(r#"{{"request_id":"{ID}","label":1}}"#);
        let list = format!(r#"{{"labels":[{one},{one}]}}"#);
        assert_eq!(LabelsRequest::read(one.as_bytes()).unwrap().0.len(), 1);
        assert_eq!(LabelsRequest::read(list.as_bytes()).unwrap().0.len(), 2);
        for bad in ["{}", r#"{"labels":{}}"#, r#"{"labels":[],"label":1}"#, r#"{"labels":[1]}"#] {
            assert!(LabelsRequest::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
