//! The encoder at work on one row; pure. Nothing of what is given is kept but the numbers that were made of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Code, FeatureVector, Given, Refusal, Slot, Violation, stranger};
use crate::contract::{Contract, Feature};

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

    /// The feature that comes next if the row is in the contract's order, as most are: its place, and what it is.
    pub fn expected(&self) -> Option<(usize, &'c Feature)> {
        Some((self.expected, self.contract.features().get(self.expected)?))
    }

    /// Take a field, and say what it is.
    pub fn take(&mut self, name: &str, given: Given<'_>) -> Taken {
        let place = match self.expected() {
            Some((place, feature)) if feature.name == name => Some(place),
            _ => self.contract.place(name),
        };
        if let Some(place) = place {
            return self.put(place, given);
        }
        self.strangers.push(stranger(self.contract, name));
        Taken::Stranger
    }

    /// Take the value of the feature at this place.
    #[inline]
    pub fn put(&mut self, place: usize, given: Given<'_>) -> Taken {
        let (Some(feature), Some(value)) = (self.contract.features().get(place), self.values.get_mut(place)) else {
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
