//! Fine bins added up to coarser ones of equal reference mass; pure. Refuses groups that leave gaps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::given;
use crate::types::NotComputable;

/// The group of each fine bin: from 0, and from bin to bin the same or the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<u32>", into = "Vec<u32>")]
pub struct Grouping(Vec<u32>);

impl Grouping {
    /// Take groups as they are.
    ///
    /// # Errors
    /// No bins, a first group that is not 0, or a step that is not to the same or the next group.
    pub fn new(group_of: Vec<u32>) -> Result<Grouping, NotComputable> {
        let steady = group_of.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1);
        if group_of.first() == Some(&0) && steady {
            Ok(Grouping(group_of))
        } else {
            Err(NotComputable::because("groups must count up from 0 without a gap"))
        }
    }

    /// Group neighbouring bins into about `wanted` groups of equal reference mass (ten: deciles); a bin is never split, so
    /// heavy bins make fewer groups.
    ///
    /// Empty bins above everything the reference has seen form one more group: what is new there must not hide among the old.
    ///
    /// # Errors
    /// The reference has no rows, or no group is wanted.
    pub fn of(reference: &[u64], wanted: u32) -> Result<Grouping, NotComputable> {
        let n = given::total(reference);
        if n == 0.0 || wanted == 0 {
            return Err(NotComputable::because(given::NO_ROWS));
        }
        let mut seen = 0.0;
        let mut parts: Vec<u32> = Vec::with_capacity(reference.len());
        for &count in reference {
            let middle = (seen + count as f64 / 2.0) / n;
            parts.push(if seen < n { ((middle * f64::from(wanted)) as u32).min(wanted - 1) } else { wanted });
            seen += count as f64;
        }
        let runs = parts.chunk_by(|one, next| one == next).zip(0..);
        Grouping::new(runs.flat_map(|(run, group)| vec![group; run.len()]).collect())
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.0.last().map_or(0, |&group| group as usize + 1)
    }

    /// Fine counts, added up by group.
    ///
    /// # Errors
    /// Not one count for each fine bin.
    pub fn apply(&self, fine: &[u64]) -> Result<Vec<u64>, NotComputable> {
        given::same_length(&self.0, fine)?;
        let mut coarse = vec![0; self.groups()];
        for (&group, &count) in self.0.iter().zip(fine) {
            if let Some(total) = coarse.get_mut(group as usize) {
                *total += count;
            }
        }
        Ok(coarse)
    }
}

impl TryFrom<Vec<u32>> for Grouping {
    type Error = NotComputable;

    fn try_from(group_of: Vec<u32>) -> Result<Self, Self::Error> {
        Grouping::new(group_of)
    }
}

impl From<Grouping> for Vec<u32> {
    fn from(grouping: Grouping) -> Self {
        grouping.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::histogram::Edges;

    #[test]
    fn fine_bins_group_into_deciles() {
        let sample: Vec<f64> = (0..12_800).map(f64::from).collect();
        let fine = Edges::quantiles(&sample, 128).unwrap().counts(&sample).unwrap();
        let deciles = Grouping::of(&fine, 10).unwrap();
        let counts = deciles.apply(&fine).unwrap();
        assert_eq!(counts.len(), 10);
        assert!(counts.iter().all(|&count| (1_100..=1_400).contains(&count)), "{counts:?}");
    }

    #[test]
    fn what_lies_above_all_the_reference_has_seen_is_a_group_of_its_own() {
        let grouping = Grouping::of(&[50, 50, 0, 0], 2).unwrap();
        assert_eq!(grouping.apply(&[10, 20, 30, 40]).unwrap(), [10, 20, 70]);
        assert_eq!(Grouping::of(&[90, 10], 10).unwrap().groups(), 2);
        assert!(Grouping::of(&[0, 0], 10).is_err() && grouping.apply(&[1]).is_err());
    }

    #[test]
    fn groups_with_a_gap_cannot_be_read() {
        for text in ["[]", "[1]", "[0,2]", "[0,1,0]"] {
            assert!(serde_json::from_str::<Grouping>(text).is_err(), "{text}");
        }
        assert_eq!(serde_json::to_string(&Grouping::of(&[1, 1], 2).unwrap()).unwrap(), "[0,1]");
    }

    proptest! {
        #[test]
        fn grouping_loses_no_row(reference in prop::collection::vec(0u64..50, 1..130), wanted in 1u32..20) {
            prop_assume!(reference.iter().any(|&count| count > 0));
            let grouping = Grouping::of(&reference, wanted).unwrap();
            let coarse = grouping.apply(&reference).unwrap();
            prop_assert_eq!(coarse.iter().sum::<u64>(), reference.iter().sum::<u64>());
            prop_assert!(coarse.len() <= wanted as usize + 1 && coarse.len() == grouping.groups());
        }
    }
}
