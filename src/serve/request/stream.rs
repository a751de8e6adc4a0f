//! Lists and objects of a body, looked at one by one; pure. Nothing of them is kept but what is made of it, however many there are.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Malformed, Text, broken};

/// Look at each value of a list; returns how many there are. After the first fault the rest is only counted.
pub(super) fn each<'a>(
    list: &'a RawValue,
    what: &'static str,
    look: impl FnMut(usize, &'a RawValue) -> Result<(), Malformed>,
) -> Result<usize, Malformed> {
    let mut json = serde_json::Deserializer::from_str(list.get());
    let read = json.deserialize_seq(List(look)).map_err(|error| broken(&error, Malformed::NotAList { what }));
    let (count, outcome) = read?;
    outcome.map(|()| count)
}

/// Look at each member of an object, in the order they come.
pub(super) fn members<'a>(
    text: &'a str,
    what: &'static str,
    look: impl FnMut(Cow<'a, str>, &'a RawValue) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = json.deserialize_map(Object(look)).and_then(|outcome| json.end().map(|()| outcome));
    read.map_err(|error| broken(&error, Malformed::NotAnObject { what }))?
}

/// A text, or that it is none.
pub(super) fn word(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str(value.get()).ok().map(|Text(word)| word)
}

/// Fill a place that is empty.
pub(super) fn once<T>(place: &mut Option<T>, member: &str, value: T) -> Result<(), Malformed> {
    match place {
        Some(_) => Err(Malformed::Repeated { member: member.to_owned() }),
        None => {
            *place = Some(value);
            Ok(())
        }
    }
}

struct List<F>(F);

impl<'de, F: FnMut(usize, &'de RawValue) -> Result<(), Malformed>> Visitor<'de> for List<F> {
    type Value = (usize, Result<(), Malformed>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut count, mut outcome) = (0, Ok(()));
        while let Some(value) = list.next_element()? {
            if outcome.is_ok() {
                outcome = (self.0)(count, value);
            }
            count += 1;
        }
        Ok((count, outcome))
    }
}

struct Object<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue) -> Result<(), Malformed>> Visitor<'de> for Object<F> {
    type Value = Result<(), Malformed>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut outcome = Ok(());
        while let Some((Text(name), value)) = map.next_entry()? {
            if outcome.is_ok() {
                outcome = (self.0)(name, value);
            }
        }
        Ok(outcome)
    }
}
