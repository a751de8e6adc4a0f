//! A LightGBM forest evaluated in safe Rust, to the same bits as LightGBM itself; pure, and refuses every text it
//! would have to guess about.

mod error;
mod parse;
mod quick;
mod ranked;
mod text;
mod tree;

use quick::Quick;
use ranked::Ranked;

pub use error::{ForestError, Place};

use super::{Output, sigmoid};

/// What LightGBM takes for zero: `kZeroThreshold`, a float widened to double (`include/LightGBM/meta.h`).
const ZERO_THRESHOLD: f64 = 1e-35_f32 as f64;

/// A forest of decision trees: gradient-boosted (a sum of trees) or random (their mean).
///
/// Trees lie flattened in shared arrays; scoring a row allocates nothing. Trees of up to 64 leaves are evaluated feature by
/// feature, larger ones are walked by ranks: the same leaves either way, added in the same order.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    nodes: Vec<Node>,
    leaves: Vec<f64>,
    /// The category sets of all nominal splits, as bits, 32 categories a word.
    words: Vec<u32>,
    /// Where each tree begins, in the model's order.
    roots: Vec<Link>,
    combine: Combine,
    objective: Objective,
    feature_names: Vec<String>,
    gain: Vec<f64>,
    /// The same trees once more, for speed.
    layout: Layout,
}

/// How the leaves of a row are found.
#[derive(Debug, Clone, PartialEq)]
enum Layout {
    /// Trees that are small enough.
    ByFeature(Quick),
    /// Trees that have few enough thresholds and sets of categories.
    ByRank(Box<Ranked>),
    /// Any trees: node by node.
    Plain,
}

/// A child: an index into the nodes, or, negative, the complement of an index into the leaves.
type Link = i32;

/// 32 bytes, two to a cache line.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    split: Split,
    feature: u32,
    /// The left one and the right one, by [`Side`].
    children: [Link; 2],
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Split {
    /// Left if the value is at most the threshold.
    AtMost { threshold: f64, missing: Missing },
    /// Left if the category's bit is set in `words[first..first + count]`.
    OneOf { first: u32, count: u32 },
}

/// LightGBM's `missing_type` together with its default direction.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Missing {
    /// NaN is compared as if it were zero.
    IsZero,
    /// Zero (and NaN) goes to this side without being compared.
    ZeroGoes(Side),
    /// NaN goes to this side.
    NanGoes(Side),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Left = 0,
    Right = 1,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Combine {
    Sum,
    Mean,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Objective {
    Binary { sigmoid: f64 },
    Regression,
}

impl Forest {
    /// The forest written in this LightGBM 4 text model.
    ///
    /// # Errors
    /// Anything that is not exactly one whole single-output model: see [`ForestError`].
    pub fn parse(text: &str) -> Result<Self, ForestError> {
        let mut forest = parse::forest(text)?;
        forest.layout = Layout::of(&forest);
        Ok(forest)
    }

    /// The raw margin of one row: the trees' leaf values added in tree order, which gives LightGBM's bits. Log-odds
    /// for a binary objective (up to its sigmoid coefficient), the value itself for regression.
    ///
    /// A random forest's margin is the mean of its trees, as in LightGBM's converted prediction; LightGBM's own "raw
    /// score" of a random forest is the undivided sum.
    ///
    /// Categories are compared as LightGBM does: truncated to integers; negative, unseen and NaN go right. A row of
    /// another length than [`n_features`](Self::n_features) has no margin: NaN.
    pub fn raw(&self, row: &[f64]) -> f64 {
        if row.len() != self.n_features() {
            return f64::NAN;
        }
        self.margin(match &self.layout {
            Layout::ByFeature(quick) => quick.sum(row),
            Layout::ByRank(ranked) => ranked.sum(row),
            Layout::Plain => self.walk(row),
        })
    }

    /// The raw margins of many rows, each as [`raw`](Self::raw) gives it, in less time.
    pub fn raw_all(&self, rows: &[&[f64]]) -> Vec<f64> {
        let mut sums = vec![0.0; rows.len()];
        match &self.layout {
            Layout::ByFeature(quick) if self.are_as_wide(rows) => quick.add(rows, &mut sums),
            Layout::ByRank(ranked) if self.are_as_wide(rows) => ranked.add(rows, &mut sums),
            Layout::ByFeature(_) | Layout::ByRank(_) | Layout::Plain => {
                return rows.iter().map(|row| self.raw(row)).collect();
            }
        }
        sums.into_iter().map(|sum| self.margin(sum)).collect()
    }

    fn are_as_wide(&self, rows: &[&[f64]]) -> bool {
        rows.iter().all(|row| row.len() == self.n_features())
    }

    fn margin(&self, sum: f64) -> f64 {
        match self.combine {
            Combine::Sum => sum,
            Combine::Mean => sum / self.roots.len() as f64,
        }
    }

    /// The model's own prediction: the margin through the objective's link, uncalibrated. A probability for a binary
    /// objective, the value for regression.
    pub fn score(&self, row: &[f64]) -> f64 {
        let margin = self.raw(row);
        match self.objective {
            Objective::Binary { sigmoid: coefficient } => sigmoid(coefficient * margin),
            Objective::Regression => margin,
        }
    }

    /// What a prediction of this forest is.
    pub fn output(&self) -> Output {
        match self.objective {
            Objective::Binary { .. } => Output::Probability,
            Objective::Regression => Output::Value,
        }
    }

    /// How many features a row must have.
    pub fn n_features(&self) -> usize {
        self.feature_names.len()
    }

    /// How many trees there are.
    pub fn n_trees(&self) -> usize {
        self.roots.len()
    }

    /// The features' names in the order of a row.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The gain of all splits on each feature, in the order of a row; what LightGBM calls importance of type "gain".
    pub fn importance(&self) -> &[f64] {
        &self.gain
    }

    /// The sum of the leaves that this row falls into, in the order of the trees. Parsing proved that every link is in range and
    /// that every path ends in a leaf; [`raw`](Self::raw) proved the row's length.
    fn walk(&self, row: &[f64]) -> f64 {
        // A loop, not `sum()`: that one starts from -0.0.
        let mut sum = 0.0;
        for root in &self.roots {
            let mut link = *root;
            while link >= 0 {
                let node = &self.nodes[link as usize];
                link = node.children[self.side(node.split, row[node.feature as usize]) as usize];
            }
            sum += self.leaves[!link as usize];
        }
        sum
    }

    fn side(&self, split: Split, value: f64) -> Side {
        let value = sparse(value);
        match split {
            Split::AtMost { threshold, missing } => match missing {
                Missing::NanGoes(side) if value.is_nan() => side,
                Missing::ZeroGoes(side) if value.is_nan() || value == 0.0 => side,
                Missing::IsZero if value.is_nan() => Side::left_if(0.0 <= threshold),
                Missing::NanGoes(_) | Missing::ZeroGoes(_) | Missing::IsZero => Side::left_if(value <= threshold),
            },
            Split::OneOf { first, count } => Side::left_if(self.contains(first, count, value)),
        }
    }

    /// Whether a set of categories has this one.
    fn contains(&self, first: u32, count: u32, value: f64) -> bool {
        let known = count as usize * 32;
        let category = category(value, known);
        category < known && self.words[first as usize + category / 32] >> (category % 32) & 1 == 1
    }
}

/// LightGBM drops what is nearly zero before prediction, because dense rows pass through its sparse form.
fn sparse(value: f64) -> f64 {
    if value.abs() <= ZERO_THRESHOLD { 0.0 } else { value }
}

/// The category that a value is, below `known`; `known` for all others, and for NaN. Truncation is C's cast, so -0.5 is category 0.
fn category(value: f64, known: usize) -> usize {
    let category = value.trunc();
    if (0.0..known as f64).contains(&category) { category as usize } else { known }
}

impl Layout {
    fn of(forest: &Forest) -> Layout {
        let by_feature = Quick::of(forest).map(Layout::ByFeature);
        by_feature.or_else(|| Ranked::of(forest).map(Box::new).map(Layout::ByRank)).unwrap_or(Layout::Plain)
    }
}

impl Side {
    fn left_if(yes: bool) -> Self {
        if yes { Side::Left } else { Side::Right }
    }
}

#[cfg(test)]
mod tests;
