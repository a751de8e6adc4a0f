//! What features and scores looked like at training: frozen bins and their counts; pure. Never holds a row, and refuses bins
//! that do not fit their contract.

mod ladder;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::ladder::Ladder;
use super::ContractError;
use super::admit::{FeatureVector, Slot};
use super::feature::{Contract, Feature};
use crate::stats::histogram::{Edges, Grouping};
use crate::types::NotComputable;

/// The newest form of `profile.json`.
const FORMAT_VERSION: u32 = 1;
/// Bins of a numeric feature: fine enough for KS, whose distance they understate by at most 1/128.
const BINS: usize = 128;
/// Groups of bins for PSI: deciles, as its customary thresholds assume.
const GROUPS: u32 = 10;
/// Groups of categories: more than anybody looks at, and few enough for a window of some hundred rows.
const TOP: usize = 30;
/// Bins after the regular ones.
const OUTSIDE: usize = 4;
/// The name of the predictions' histogram.
const SCORE: &str = "score";

/// The reference histograms of a version: `profile.json` of its bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// 1: first form.
    pub format_version: u32,
    /// How many rows were counted.
    pub rows: u64,
    /// One histogram a feature, in the contract's order.
    pub features: Vec<Histogram>,
    /// The served prediction, on rows the model was not fitted on.
    pub score: Histogram,
}

/// Frozen bins and how many reference rows fell in each.
///
/// Counts are laid out as [`Bins::len`] says: the regular bins, then below range, above range, missing, unseen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Histogram {
    /// The feature's name, or `score`.
    pub name: String,
    /// Where values fall.
    pub bins: Bins,
    /// The reference counts.
    pub counts: Vec<u64>,
    /// How much of what the model knows it has from this feature, as a share, 0 to 1; what weighs drift.
    pub importance: f64,
}

/// Where values fall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Bins {
    /// Numbers: bin *i* holds `edges[i-1] < x <= edges[i]`; the first and the last are open.
    Numeric {
        /// Strictly increasing quantiles of the reference, at most 127.
        edges: Vec<f64>,
        /// For every regular bin its group, about a decile of the reference; PSI is computed on groups.
        groups: Vec<u32>,
    },
    /// Categories: bin *i* holds the *i*-th value of the table.
    Categorical {
        /// The table.
        values: Vec<String>,
        /// For every value its group: the most frequent have one each, and the others share the last; PSI and χ² are computed
        /// on groups.
        groups: Vec<u32>,
    },
}

/// The four bins after the regular ones, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// Below the contract's range.
    Below,
    /// Above the contract's range.
    Above,
    /// Not given.
    Missing,
    /// Unseen or mistyped.
    Unseen,
}

impl Bins {
    /// How many regular bins there are.
    pub fn regular(&self) -> usize {
        match self {
            Bins::Numeric { edges, .. } => edges.len() + 1,
            Bins::Categorical { values, .. } => values.len(),
        }
    }

    /// How many bins there are in all: the regular ones and the four outside.
    pub fn len(&self) -> usize {
        self.regular() + OUTSIDE
    }

    /// Never: there are always the four outside.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// How many categories are counted together because they are rare: those that share the last group; none of numbers.
    pub fn together(&self) -> usize {
        match self {
            Bins::Numeric { .. } => 0,
            Bins::Categorical { groups, .. } => {
                let last = groups.iter().max();
                Some(groups.iter().filter(|group| Some(*group) == last).count()).filter(|count| *count > 1).unwrap_or(0)
            }
        }
    }

    /// The place of an outside bin.
    pub fn outside(&self, outside: Outside) -> usize {
        self.regular() + outside as usize
    }

    /// The bin that a slot falls in; always below [`Bins::len`].
    pub fn place(&self, slot: Slot) -> usize {
        match slot {
            Slot::Value(value) => self.place_value(value),
            Slot::Below => self.outside(Outside::Below),
            Slot::Above => self.outside(Outside::Above),
            Slot::Missing => self.outside(Outside::Missing),
            Slot::Unseen => self.outside(Outside::Unseen),
        }
    }

    /// The bins that many slots fall in, each as [`place`](Self::place) says.
    pub fn places(&self, slots: impl Iterator<Item = Slot>) -> impl Iterator<Item = usize> {
        let ladder = match self {
            Bins::Numeric { edges, .. } => Some(Ladder::of(edges)),
            Bins::Categorical { .. } => None,
        };
        slots.map(move |slot| match (&ladder, slot) {
            (Some(ladder), Slot::Value(value)) => ladder.place(value),
            _ => self.place(slot),
        })
    }

    /// The counts of the regular bins, with what lies outside a range put into the first and the last of them.
    pub fn inside(&self, counts: &[u64]) -> Vec<u64> {
        let at = |place: usize| counts.get(place).copied().unwrap_or(0);
        let mut inside: Vec<u64> = (0..self.regular()).map(at).collect();
        if let Some(first) = inside.first_mut() {
            *first += at(self.outside(Outside::Below));
        }
        if let Some(last) = inside.last_mut() {
            *last += at(self.outside(Outside::Above));
        }
        inside
    }

    /// The counts of regular bins, added up by group: as few as PSI and χ² can bear.
    pub fn grouped(&self, inside: &[u64]) -> Vec<u64> {
        let groups = match self {
            Bins::Numeric { groups, .. } | Bins::Categorical { groups, .. } => groups,
        };
        let mut grouped = vec![0; groups.iter().max().map_or(0, |last| *last as usize + 1)];
        for (group, count) in groups.iter().zip(inside) {
            grouped[*group as usize] += count;
        }
        grouped
    }

    fn place_value(&self, value: f64) -> usize {
        match self {
            Bins::Numeric { edges, .. } => edges.partition_point(|edge| *edge < value),
            // A code is a small whole number; anything else cannot have been admitted under this table.
            Bins::Categorical { values, .. } if value >= 0.0 && value < values.len() as f64 => value as usize,
            Bins::Categorical { .. } => self.outside(Outside::Unseen),
        }
    }
}

impl Profile {
    /// Count the reference rows of every feature and the scores in bins that are frozen from them.
    ///
    /// `importance` is the share of what the model knows that it has from each feature; `scores` are predictions on rows that the model was
    /// not fitted on.
    ///
    /// # Errors
    /// `Profile` when there are no rows or no scores, or not one importance for each feature.
    pub fn build(
        contract: &Contract,
        vectors: &[FeatureVector],
        importance: &[f64],
        scores: &[f64],
    ) -> Result<Profile, ContractError> {
        let failed = |name: &str, source| ContractError::Profile { name: name.to_owned(), source };
        let (features, given) = (contract.features(), importance.len());
        if features.len() != given {
            let reason = format!("{} features, {given} importances", features.len());
            return Err(failed("importance", NotComputable::because(reason)));
        }
        let histograms = features.iter().zip(importance).enumerate().map(|(place, (feature, importance))| {
            let values: Vec<f64> = vectors.iter().filter_map(|vector| vector.get(place)).copied().collect();
            let bins = Bins::of(feature.words(), &values).map_err(|source| failed(&feature.name, source))?;
            Ok(Histogram::count(&feature.name, bins, &values, *importance))
        });
        let bins = Bins::of(None, scores).map_err(|source| failed(SCORE, source))?;
        Ok(Profile {
            format_version: FORMAT_VERSION,
            rows: vectors.len() as u64,
            features: histograms.collect::<Result<_, ContractError>>()?,
            // A score is no feature and has no importance.
            score: Histogram::count(SCORE, bins, scores, 0.0),
        })
    }

    /// Check a profile that was read against its contract.
    ///
    /// # Errors
    /// `BrokenProfile` with the first histogram that does not fit.
    pub fn check(&self, contract: &Contract) -> Result<(), ContractError> {
        let broken = |name: &str, what: String| Err(ContractError::BrokenProfile { name: name.to_owned(), what });
        if self.format_version > FORMAT_VERSION {
            let what =
                format!("its format_version is {}, this Regent knows up to {FORMAT_VERSION}", self.format_version);
            return broken("profile", what);
        }
        let names: Vec<&str> = self.features.iter().map(|histogram| histogram.name.as_str()).collect();
        let wanted: Vec<&str> = contract.features().iter().map(|feature| feature.name.as_str()).collect();
        if names != wanted {
            return broken("profile", format!("it has the features {names:?}, the contract {wanted:?}"));
        }
        for (histogram, feature) in self.features.iter().zip(contract.features()) {
            if let Err(what) = histogram.check(Some(feature), Some(self.rows)) {
                return broken(&histogram.name, what);
            }
        }
        self.score.check(None, None).or_else(|what| broken(SCORE, what))
    }
}

impl Histogram {
    fn count(name: &str, bins: Bins, values: &[f64], importance: f64) -> Histogram {
        let mut counts = vec![0; bins.len()];
        for value in values {
            if let Some(count) = counts.get_mut(bins.place(Slot::Value(*value))) {
                *count += 1;
            }
        }
        Histogram { name: name.to_owned(), bins, counts, importance }
    }

    /// What is wrong with a histogram of this feature (none: of the score) that counts so many rows (none: any number).
    fn check(&self, feature: Option<&Feature>, rows: Option<u64>) -> Result<(), String> {
        match (&self.bins, feature.and_then(Feature::words)) {
            (Bins::Numeric { edges, groups }, None) => {
                let said = |error: NotComputable| error.reason;
                Edges::new(edges.clone()).map_err(said)?;
                Grouping::new(groups.clone()).map_err(said)?;
                if edges.len() >= BINS || groups.len() != self.bins.regular() {
                    return Err(format!("it has {} edges and {} groups", edges.len(), groups.len()));
                }
            }
            (Bins::Categorical { values, groups }, Some(words)) if *values == words => {
                let places = groups.iter().copied().collect::<BTreeSet<u32>>();
                if groups.len() != values.len() || !places.into_iter().eq(0..values.len().min(TOP) as u32) {
                    return Err(format!("it has {} values and {} groups", values.len(), groups.len()));
                }
            }
            (Bins::Categorical { .. }, _) => return Err("its words are not the contract's".to_owned()),
            (Bins::Numeric { .. }, Some(_)) => return Err("its bins are for numbers".to_owned()),
        }
        let counted = self.counts.iter().try_fold(0u64, |sum, count| sum.checked_add(*count));
        if self.counts.len() != self.bins.len() {
            return Err(format!("it has {} counts for {} bins", self.counts.len(), self.bins.len()));
        }
        if counted.is_none_or(|counted| counted == 0 || rows.is_some_and(|rows| rows != counted)) {
            return Err("its counts do not add up to its rows".to_owned());
        }
        if !(0.0..=1.0).contains(&self.importance) {
            return Err(format!("its importance {} is outside 0 to 1", self.importance));
        }
        Ok(())
    }
}

impl Bins {
    /// Bins for these words; without words, quantiles of the values.
    fn of(words: Option<Vec<String>>, values: &[f64]) -> Result<Bins, NotComputable> {
        if let Some(words) = words {
            return Ok(Bins::of_words(words, values));
        }
        let edges = Edges::quantiles(values, BINS)?;
        let groups = Grouping::of(&edges.counts(values)?, GROUPS)?;
        Ok(Bins::Numeric { edges: edges.into(), groups: groups.into() })
    }
}

impl Bins {
    /// The most frequent words by themselves, in the order of the table, and the others together.
    fn of_words(words: Vec<String>, codes: &[f64]) -> Bins {
        let mut counts = vec![0u64; words.len()];
        for code in codes {
            if let Some(count) = counts.get_mut(*code as usize) {
                *count += 1;
            }
        }
        let mut frequent: Vec<usize> = (0..words.len()).collect();
        frequent.sort_by_key(|place| (Reverse(counts[*place]), *place));
        let alone = if words.len() > TOP { &frequent[..TOP - 1] } else { &frequent[..] };
        let mut own: Vec<usize> = alone.to_vec();
        own.sort_unstable();
        let group = |place: usize| own.binary_search(&place).unwrap_or(own.len()) as u32;
        let groups = (0..words.len()).map(group).collect();
        Bins::Categorical { values: words, groups }
    }
}

#[cfg(test)]
mod tests;
