//! Requests as nearly all of them are spelled, read in one go; pure. What is not plain, has a name twice or one that is not asked for is
//! left to the careful reader.

use super::predict::PredictRequest;
use super::{BatchRequest, parse_id};
use crate::contract::{Admission, Contract, FeatureVector, Given, Refusal, Taken};
use crate::types::Plain;

/// `{"features": {...}, "request_id": "..."}`
pub(super) fn request(plain: &mut Plain<'_>, contract: &Contract) -> Option<PredictRequest> {
    let (mut request_id, mut features) = (None, None);
    plain.members(|plain| {
        match plain.name()? {
            "features" if features.is_none() => features = Some(row(plain, contract)?),
            "request_id" if request_id.is_none() => request_id = Some(parse_id(plain.word()?)?),
            _ => return None,
        }
        Some(())
    })?;
    Some(PredictRequest { request_id, features: features? })
}

/// `{"rows": [...]}`
pub(super) fn batch(plain: &mut Plain<'_>, contract: &Contract) -> Option<BatchRequest> {
    let mut rows = None;
    plain.members(|plain| {
        let rows = if plain.name()? == "rows" && rows.is_none() { rows.insert(Vec::new()) } else { return None };
        plain.mark(b'[')?;
        while rows.len() < BatchRequest::MOST {
            rows.push(request(plain, contract)?);
            if plain.either(b',', b']')? == b']' {
                return Some(());
            }
        }
        None
    })?;
    rows.map(BatchRequest)
}

fn row(plain: &mut Plain<'_>, contract: &Contract) -> Option<Result<FeatureVector, Refusal>> {
    let mut admission = Admission::of(contract);
    plain.members(|plain| {
        // What comes next is known before it is read.
        let place = match admission.expected() {
            Some((place, feature)) if plain.known(&feature.spelled).is_some() => place,
            _ => contract.place(plain.name()?)?,
        };
        (admission.put(place, value(plain)?) == Taken::Feature).then_some(())
    })?;
    Some(admission.finish())
}

fn value<'a>(plain: &mut Plain<'a>) -> Option<Given<'a>> {
    match plain.peek()? {
        b'"' => plain.word().map(Given::Text),
        b't' => plain.literal("true").map(|()| Given::Bool(true)),
        b'f' => plain.literal("false").map(|()| Given::Bool(false)),
        b'n' => plain.literal("null").map(|()| Given::Missing),
        _ => plain.number().map(Given::Number),
    }
}
