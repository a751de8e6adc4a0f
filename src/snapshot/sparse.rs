//! Counts of bins as JSON that names only the bins that hold something; pure. Refuses bins that lie outside.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// More than any histogram has; a file that says more is not believed.
const MOST_BINS: usize = 65_536;

/// `{"bins": 132, "counts": {"3": 5, "17": 2}}`
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sparse {
    /// How many bins there are.
    bins: usize,
    /// The counts of those that are not empty, by their place.
    counts: BTreeMap<usize, u64>,
}

impl From<&[u64]> for Sparse {
    fn from(dense: &[u64]) -> Self {
        let counts = dense.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect();
        Sparse { bins: dense.len(), counts }
    }
}

impl Sparse {
    fn dense<E: Error>(self) -> Result<Vec<u64>, E> {
        if self.bins > MOST_BINS {
            return Err(E::custom(format!("{} bins are more than {MOST_BINS}", self.bins)));
        }
        let mut dense = vec![0; self.bins];
        for (place, count) in self.counts {
            let outside = || E::custom(format!("bin {place} is outside {} bins", self.bins));
            *dense.get_mut(place).ok_or_else(outside)? = count;
        }
        Ok(dense)
    }
}

/// One histogram's counts.
pub(super) mod one {
    use super::*;

    pub(in crate::snapshot) fn serialize<S: Serializer>(dense: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        Sparse::from(dense).serialize(serializer)
    }

    pub(in crate::snapshot) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        Sparse::deserialize(deserializer)?.dense()
    }
}

/// Several histograms' counts.
pub(super) mod many {
    use super::*;

    pub(in crate::snapshot) fn serialize<S: Serializer>(dense: &[Vec<u64>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(dense.iter().map(|counts| Sparse::from(counts.as_slice())))
    }

    pub(in crate::snapshot) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<u64>>, D::Error> {
        Vec::<Sparse>::deserialize(deserializer)?.into_iter().map(Sparse::dense).collect()
    }
}

/// The JSON Schema of [`one`].
pub(super) struct One;

impl JsonSchema for One {
    fn schema_name() -> Cow<'static, str> {
        "BinCounts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Sparse::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::snapshot::VersionCounts;

    proptest! {
        #[test]
        fn counts_are_read_back_as_written(
            features in prop::collection::vec(prop::collection::vec(prop_oneof![Just(0), any::<u64>()], 0..9), 0..4),
            latency in prop::collection::vec(0u64..3, 0..9),
        ) {
            let counts = VersionCounts { features, latency, ..VersionCounts::default() };
            let json = serde_json::to_string(&counts).unwrap();
            prop_assert_eq!(serde_json::from_str::<VersionCounts>(&json).unwrap(), counts);
        }
    }

    #[test]
    fn a_bin_outside_is_not_believed() {
        let empty = serde_json::to_value(VersionCounts::default()).unwrap();
        for (bins, place) in [(2, "2"), (1_000_000_000_000_u64, "0")] {
            let mut broken = empty.clone();
            broken["latency"] = serde_json::json!({"bins": bins, "counts": {place: 1}});
            assert!(serde_json::from_value::<VersionCounts>(broken).is_err());
        }
    }
}
