//! The encoder at work on one row; pure. Nothing of what is given is kept but the numbers that were made of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Code, FeatureVector, Given, Refusal, Slot, Violation, stranger};
use crate::contract::Contract;

/// [`admit`](super::admit) for a row whose fields come one by one, in any order: each is encoded as it comes, and none is kept.
#[derive(Debug)]
pub struct Admission<'c> {
    contract: &'c Contract,
    /// The feature that comes next if the row is in the contract's order.
    expected: usize,
    /// The number of each feature; NaN of one that was not given or is refused.
    values: Vec<f64>,
    refused: BTreeMap<usize, (Slot, Code)>,
    repeated: BTreeSet<usize>,
    strangers: Vec<Violation>,
}

/// What a field turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A feature.
    Feature,
    /// A feature that was there before; the first value counts.
    Again,
    /// No feature.
    Stranger,
}

impl<'c> Admission<'c> {
    /// A row of which nothing is known yet.
    pub fn of(contract: &'c Contract) -> Self {
        Admission {
            contract,
            expected: 0,
            values: vec![f64::NAN; contract.features().len()],
            refused: BTreeMap::new(),
            repeated: BTreeSet::new(),
            strangers: Vec::new(),
        }
    }

    /// Take a field, and say what it is.
    pub fn take(&mut self, name: &str, given: Given<'_>) -> Taken {
        let features = self.contract.features();
        // Most rows come in the contract's order; only others need to be looked up.
        let in_order = features.get(self.expected).is_some_and(|feature| feature.name == name);
        let place = if in_order { Some(self.expected) } else { self.contract.place(name) };
        let Some((place, feature, value)) =
            place.and_then(|at| Some((at, features.get(at)?, self.values.get_mut(at)?)))
        else {
            self.strangers.push(stranger(self.contract, name));
            return Taken::Stranger;
        };
        // What is admitted is never NaN.
        if !value.is_nan() || self.refused.contains_key(&place) {
            self.repeated.insert(place);
            return Taken::Again;
        }
        match feature.encode(given) {
            Ok(number) => *value = number,
            Err(refused) => {
                self.refused.insert(place, refused);
            }
        }
        self.expected = place + 1;
        Taken::Feature
    }

    /// The row, once all of it was taken.
    ///
    /// # Errors
    /// As [`admit`](super::admit).
    pub fn finish(self) -> Result<FeatureVector, Refusal> {
        let whole = self.values.iter().all(|value| !value.is_nan());
        if whole && self.repeated.is_empty() && self.strangers.is_empty() {
            return Ok(FeatureVector(self.values));
        }
        let (mut slots, mut violations) = (Vec::with_capacity(self.values.len()), Vec::new());
        for (place, (feature, value)) in self.contract.features().iter().zip(self.values).enumerate() {
            if value.is_nan() {
                let (slot, code) = self.refused.get(&place).copied().unwrap_or((Slot::Missing, Code::Missing));
                slots.push(slot);
                violations.push(feature.violation(code));
            } else {
                slots.push(Slot::Value(value));
            }
            if self.repeated.contains(&place) {
                violations.push(feature.violation(Code::Duplicate));
            }
        }
        violations.extend(self.strangers);
        Err(Refusal { violations, slots })
    }
}
