//! Why a text is not a forest: every error names the tree and the key; pure.

use std::fmt;

/// Why a text is not a forest that can be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForestError {
    /// The text is cut off.
    #[error("the text ends where {expected} should be")]
    Truncated {
        /// What should follow.
        expected: String,
    },
    /// A line stands where another belongs.
    #[error("`{found}` stands where {expected} should be")]
    Unexpected {
        /// What should be there.
        expected: String,
        /// The line, or its beginning.
        found: String,
    },
    /// A key is given twice: readers would disagree about which one counts.
    #[error("{place}: `{key}` is given twice")]
    Duplicate {
        /// Where.
        place: Place,
        /// The key.
        key: String,
    },
    /// A key is missing.
    #[error("{place}: `{key}` is missing")]
    Missing {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
    },
    /// A key that version v4 of the text does not have.
    #[error("{place}: `{key}` is not a key of LightGBM's text version v4")]
    Unknown {
        /// Where.
        place: Place,
        /// The key.
        key: String,
    },
    /// A list has another length than the tree's size asks for.
    #[error("{place}: `{key}` has {found} values instead of {expected}")]
    Length {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A word is not a number of the kind that belongs there.
    #[error("{place}: `{key}` value {index} is `{found}`, not a number that belongs there")]
    NotANumber {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
        /// The position in the list, from 0.
        index: usize,
        /// The word, or its beginning.
        found: String,
    },
    /// A number is NaN or infinite.
    #[error("{place}: `{key}` value {index} is not finite")]
    NotFinite {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
        /// The position in the list, from 0.
        index: usize,
    },
    /// A number is outside of what it may be.
    #[error("{place}: `{key}` value {index} is {found}, which is not {expected}")]
    OutOfRange {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
        /// The position in the list, from 0.
        index: usize,
        /// The number.
        found: String,
        /// What it must be.
        expected: String,
    },
    /// Following the children would meet a node twice or never end.
    #[error(
        "{place}: `{key}` value {index} leads to {found}, which already has a parent or stands before this node: not a tree"
    )]
    NotATree {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
        /// The node, from 0.
        index: usize,
        /// The child, as LightGBM writes it: a leaf's is negative.
        found: i32,
    },
    /// Trees with linear models in their leaves are not evaluated.
    #[error("{place}: linear trees are not supported: train with linear_tree=false")]
    LinearTree {
        /// Where.
        place: Place,
    },
    /// More than one output.
    #[error("the header: `{key}` is {found}: only models with one output are supported")]
    Multiclass {
        /// `num_class` or `num_tree_per_iteration`.
        key: &'static str,
        /// How many outputs.
        found: usize,
    },
    /// An objective whose link is not known.
    #[error("the header: objective `{found}` is not supported: {supported} are")]
    Objective {
        /// The objective as it is written.
        found: String,
        /// What may stand there.
        supported: &'static str,
    },
    /// Another version of the text.
    #[error("the header: text version `{found}` is not supported: LightGBM 4 writes v4")]
    Version {
        /// The version as it is written.
        found: String,
    },
    /// Categories were numbered by pandas, in an order that a contract does not know.
    #[error(
        "the model was trained on pandas categories, whose numbering is not the contract's: train on integer codes"
    )]
    PandasCategories,
    /// No trees at all.
    #[error("the model has no trees")]
    NoTrees,
    /// Longer than any index can reach.
    #[error("the text has {bytes} bytes; at most 2147483647 can be read")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
}

/// A part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The lines before the first tree.
    Header,
    /// A tree, from 0.
    Tree(usize),
    /// What follows the trees.
    Footer,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Header => f.write_str("the header"),
            Place::Tree(tree) => write!(f, "tree {tree}"),
            Place::Footer => f.write_str("the part after the trees"),
        }
    }
}
