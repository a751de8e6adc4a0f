//! One tree of LightGBM's text (`src/io/tree.cpp` of version 4.7); pure, and proves whatever scoring relies on later.

use super::error::ForestError;
use super::text::Section;
use super::{Forest, Link, Missing, Node, Side, Split};

pub(super) const KEYS: &[&str] = &[
    "num_leaves",
    "num_cat",
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
    "leaf_weight",
    "leaf_count",
    "internal_value",
    "internal_weight",
    "internal_count",
    "cat_boundaries",
    "cat_threshold",
    "is_linear",
    "shrinkage",
    // Keys of linear trees, known so that the error says what is wrong.
    "leaf_const",
    "num_features",
    "leaf_features",
    "leaf_coeff",
];

// Bits of a node's `decision_type` (`include/LightGBM/tree.h`).
const CATEGORICAL: u8 = 1;
const DEFAULT_LEFT: u8 = 2;

/// Add one tree.
pub(super) fn grow(forest: &mut Forest, tree: &Section) -> Result<(), ForestError> {
    if tree.value("is_linear")? != "0" {
        return Err(ForestError::LinearTree { place: tree.place() });
    }
    let n_leaves: usize = tree.number("num_leaves")?;
    let Some(n_nodes) = n_leaves.checked_sub(1) else {
        return Err(out_of_range(tree, "num_leaves", 0, n_leaves, "at least 1"));
    };
    statistics(tree, n_nodes, n_leaves)?;
    let leaves = tree.finite("leaf_value", n_leaves)?;
    let splits = splits(forest, tree, n_nodes)?;
    let features = bounded(tree, "split_feature", n_nodes, forest.n_features())?;
    let links = links(forest, tree, n_nodes)?;
    let gains = tree.finite("split_gain", n_nodes)?;

    forest.roots.push(if n_nodes == 0 { !(forest.leaves.len() as Link) } else { forest.nodes.len() as Link });
    forest.leaves.extend(leaves);
    for (((split, feature), children), gain) in splits.into_iter().zip(features).zip(links).zip(gains) {
        // LightGBM's FeatureImportance counts only positive gains.
        forest.gain[feature] += gain.max(0.0);
        forest.nodes.push(Node { split, feature: feature as u32, children });
    }
    Ok(())
}

/// What scoring does not use: it must still be numbers, and as many as the tree's size asks for, because LightGBM reads them.
/// A constant tree that was read and written again by LightGBM has lost its.
fn statistics(tree: &Section, n_nodes: usize, n_leaves: usize) -> Result<(), ForestError> {
    tree.finite("shrinkage", 1)?;
    let is_kept = |key| -> Result<bool, ForestError> { Ok(n_nodes > 0 || tree.words(key)?.next().is_some()) };
    for (key, expected) in [("internal_value", n_nodes), ("internal_weight", n_nodes), ("leaf_weight", n_leaves)] {
        if is_kept(key)? {
            tree.finite(key, expected)?;
        }
    }
    for (key, expected) in [("internal_count", n_nodes), ("leaf_count", n_leaves)] {
        if is_kept(key)? {
            tree.list::<u32>(key, expected)?;
        }
    }
    Ok(())
}

fn splits(forest: &mut Forest, tree: &Section, n_nodes: usize) -> Result<Vec<Split>, ForestError> {
    let sets = category_sets(forest, tree)?;
    let thresholds = tree.finite("threshold", n_nodes)?;
    let decisions: Vec<u8> = tree.list("decision_type", n_nodes)?;
    let splits = thresholds.into_iter().zip(decisions).enumerate().map(|(node, (threshold, decision))| {
        let missing = missing(decision)
            .ok_or_else(|| out_of_range(tree, "decision_type", node, decision, "a known decision and missing type"))?;
        if decision & CATEGORICAL == 0 {
            return Ok(Split::AtMost { threshold, missing });
        }
        // The threshold of a nominal split is the number of its category set.
        sets.get(threshold as usize)
            .filter(|_| threshold >= 0.0 && threshold.fract() == 0.0)
            .copied()
            .ok_or_else(|| out_of_range(tree, "threshold", node, threshold, "the number of a category set"))
    });
    let splits = splits.collect::<Result<Vec<_>, _>>()?;
    let nominal = splits.iter().filter(|split| matches!(split, Split::OneOf { .. })).count();
    tree.length("num_cat", sets.len(), nominal)?;
    Ok(splits)
}

/// The tree's category sets, their words added to the forest's.
fn category_sets(forest: &mut Forest, tree: &Section) -> Result<Vec<Split>, ForestError> {
    let n_sets: usize = tree.number("num_cat")?;
    if n_sets == 0 {
        return Ok(Vec::new());
    }
    let n_boundaries = tree.words("cat_boundaries")?.count();
    tree.length("cat_boundaries", n_boundaries, n_sets.saturating_add(1))?;
    let boundaries: Vec<u32> = tree.list("cat_boundaries", n_boundaries)?;
    let n_words = tree.words("cat_threshold")?.count();
    let words: Vec<u32> = tree.list("cat_threshold", n_words)?;
    if boundaries.first() != Some(&0) {
        return Err(out_of_range(tree, "cat_boundaries", 0, boundaries[0], "0"));
    }
    if let Some(at) = boundaries.windows(2).position(|pair| pair[0] >= pair[1]) {
        let expected = format!("above {}", boundaries[at]);
        return Err(out_of_range(tree, "cat_boundaries", at + 1, boundaries[at + 1], expected));
    }
    tree.length("cat_threshold", words.len(), boundaries[n_sets] as usize)?;
    // Now every boundary lies within the words, so none can overflow.
    let before = forest.words.len() as u32;
    let sets = boundaries.windows(2).map(|pair| Split::OneOf { first: before + pair[0], count: pair[1] - pair[0] });
    let sets = sets.collect();
    forest.words.extend(words);
    Ok(sets)
}

fn missing(decision: u8) -> Option<Missing> {
    let side = Side::left_if(decision & DEFAULT_LEFT != 0);
    match decision >> 2 {
        0 => Some(Missing::IsZero),
        1 => Some(Missing::ZeroGoes(side)),
        2 => Some(Missing::NanGoes(side)),
        _ => None,
    }
}

/// A list of indices below a limit.
fn bounded(tree: &Section, key: &'static str, length: usize, limit: usize) -> Result<Vec<usize>, ForestError> {
    let indices: Vec<usize> = tree.list(key, length)?;
    match indices.iter().position(|index| *index >= limit) {
        Some(at) => Err(out_of_range(tree, key, at, indices[at], format!("below {limit}"))),
        None => Ok(indices),
    }
}

/// Every node's two children, numbered within the forest.
///
/// LightGBM numbers a node after its parent. If every child does, and no child has two parents, then the 2n links of n
/// nodes reach all n - 1 other nodes and all n + 1 leaves exactly once: a tree, and every walk ends.
fn links(forest: &Forest, tree: &Section, n_nodes: usize) -> Result<Vec<[Link; 2]>, ForestError> {
    let sides = [
        ("left_child", tree.list::<i32>("left_child", n_nodes)?),
        ("right_child", tree.list::<i32>("right_child", n_nodes)?),
    ];
    let mut links = vec![[0; 2]; n_nodes];
    let mut has_parent = (vec![false; n_nodes], vec![false; n_nodes + 1]);
    for (side, (key, children)) in sides.iter().enumerate() {
        for (node, &child) in children.iter().enumerate() {
            let is_leaf = child < 0;
            let index = if is_leaf { !child } else { child } as usize;
            let taken = if is_leaf { &mut has_parent.1 } else { &mut has_parent.0 };
            let Some(taken) = taken.get_mut(index) else {
                return Err(out_of_range(tree, key, node, child, format!("a node or leaf of {n_nodes} nodes")));
            };
            if *taken || (!is_leaf && index <= node) {
                return Err(ForestError::NotATree { place: tree.place(), key, index: node, found: child });
            }
            *taken = true;
            links[node][side] =
                if is_leaf { !((forest.leaves.len() + index) as Link) } else { (forest.nodes.len() + index) as Link };
        }
    }
    Ok(links)
}

fn out_of_range(
    section: &Section,
    key: &'static str,
    index: usize,
    found: impl ToString,
    expected: impl Into<String>,
) -> ForestError {
    ForestError::OutOfRange { place: section.place(), key, index, found: found.to_string(), expected: expected.into() }
}
