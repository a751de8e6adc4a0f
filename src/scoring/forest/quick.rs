//! A forest of small trees, evaluated feature by feature instead of tree by tree; pure. The same leaves, and so the same bits.
//!
//! QuickScorer (Lucchese et al., SIGIR 2015): a tree's leaves are numbered from left to right, one bit each. A node whose
//! condition does not hold takes the leaves on its left out; the leaf that a row falls into is the first that is left. Of one
//! feature's nodes, in the order of their thresholds, those below the value do not hold: a prefix. What a prefix leaves is kept
//! every few nodes for all trees at once, so that a row takes the nearest one, the nodes from there on, and is done with the feature.

use std::array;
use std::hint::select_unpredictable;
use std::ops::{BitAnd, BitAndAssign};
use std::slice;

use multiversion::multiversion;

use super::{Forest, Link, Missing, Side, Split, category, sparse};

/// Rows that are scored together: what is left of their trees stays in the nearest cache.
const ROWS: usize = 8;
/// Nodes between two kept prefixes: fewer if all prefixes are [`NEAR`] even so, else the more, which take time.
const STRIDES: [usize; 2] = [8, 32];
/// So many bytes stay in the second nearest cache of a core, with room for what else it does.
const NEAR: usize = 1 << 20;
/// Trees whose leaves are looked for together: fewer have to look for the same prefixes again, more do not fit the cache.
const TREES: usize = 256;
/// Trees that stand side by side: what is left of so many fills a line of a cache, or two.
const LANES: usize = 16;
/// Features that a tree's leaves are held against at once: each time, what is left of all trees is fetched and put back.
const FEATURES: usize = 4;
/// Leaves of a tree that have a bit each.
const MOST: usize = 64;
/// Categories of a feature that are worth a table.
const CATEGORIES: u32 = 1_024;

/// The forest once more, laid out by feature.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Quick {
    /// No tree has more than 32 leaves.
    Narrow(Vec<Block<u32>>),
    /// No tree has more than 64 leaves.
    Wide(Vec<Block<u64>>),
}

/// The leaves of a tree that a row may still fall into, the first one the lowest bit.
pub(super) trait Left: Copy + BitAnd<Output = Self> + BitAndAssign {
    /// Nothing is out yet.
    const ALL: Self;

    /// All but these leaves, from the first to before the last.
    fn all_but(first: u32, last: u32) -> Self;

    /// The first leaf that is left.
    fn first(self) -> usize;
}

macro_rules! left {
    ($bits:ty) => {
        impl Left for $bits {
            const ALL: Self = Self::MAX;

            fn all_but(first: u32, last: u32) -> Self {
                // `last` is past a subtree on the left, so at least one leaf stands behind it: below the number of bits.
                !(((1 << last) - 1) & !((1 << first) - 1))
            }

            fn first(self) -> usize {
                self.trailing_zeros() as usize
            }
        }
    };
}

left!(u32);
left!(u64);

/// Some trees, in the model's order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block<L> {
    /// Where each tree's leaves begin.
    begins: Vec<u32>,
    /// The trees' leaves, from left to right.
    leaves: Vec<f64>,
    /// The features that the trees ask about, each perhaps twice: for its numbers and for its categories.
    features: Vec<Asked<L>>,
    /// What is left of the trees that nothing was asked about.
    whole: Vec<Lanes<L>>,
}

/// What is left of trees that stand side by side; what stands beyond the last tree is never looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
struct Lanes<L>([L; LANES]);

/// What the trees ask about one feature.
#[derive(Debug, Clone, PartialEq)]
struct Asked<L> {
    feature: usize,
    by: By<L>,
}

/// How nodes ask.
#[derive(Debug, Clone, PartialEq)]
enum By<L> {
    /// By comparing.
    Thresholds(Thresholds<L>),
    /// By categories: what each leaves of each tree, and, last, what any other value does.
    Categories(Vec<Lanes<L>>),
}

/// The nodes that compare a feature.
#[derive(Debug, Clone, PartialEq)]
struct Thresholds<L> {
    /// What NaN leaves of each tree.
    nan: Vec<Lanes<L>>,
    /// What zero leaves, where some node sends it to a side without comparing it.
    zero: Option<Vec<Lanes<L>>>,
    /// Nodes between two marks.
    stride: usize,
    /// The threshold of every `stride`th node, from the first.
    marks: Vec<f64>,
    /// What the nodes before each mark leave of each tree, one after the other.
    prefixes: Vec<Lanes<L>>,
    /// The nodes, in the order of their thresholds, `stride` from each mark on.
    nodes: Vec<Compared<L>>,
}

/// A node that compares.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Compared<L> {
    threshold: f64,
    tree: u32,
    /// What is left of its tree when the value is above the threshold.
    left: L,
}

impl<L: Left> Compared<L> {
    /// No node: no value is above it, and nothing is out if one were.
    const NONE: Self = Compared { threshold: f64::INFINITY, tree: 0, left: L::ALL };
}

impl Quick {
    /// The forest by features, if its trees are small enough and its categories few enough.
    pub(super) fn of(forest: &Forest) -> Option<Quick> {
        let most = forest.roots.iter().map(|root| leaves_below(forest, *root)).max()?;
        match most {
            0..=32 => Some(Quick::Narrow(blocks(forest)?)),
            33..=MOST => Some(Quick::Wide(blocks(forest)?)),
            _ => None,
        }
    }

    /// The sum of a row's leaves, tree by tree. It must be as wide as the model.
    pub(super) fn sum(&self, row: &[f64]) -> f64 {
        let mut sum = 0.0;
        self.add(&[row], slice::from_mut(&mut sum));
        sum
    }

    /// Add to each sum, which must begin at zero, the leaves of its row, tree by tree. Every row must be as wide as the model.
    pub(super) fn add(&self, rows: &[&[f64]], sums: &mut [f64]) {
        match self {
            Quick::Narrow(blocks) => blocks.iter().for_each(|block| block.add(rows, sums)),
            Quick::Wide(blocks) => blocks.iter().for_each(|block| block.add(rows, sums)),
        }
    }
}

impl<L: Left> Block<L> {
    /// All rows through this block before the next one, which would take its place in the cache.
    fn add(&self, rows: &[&[f64]], sums: &mut [f64]) {
        let ((eights, rest), (eight_sums, rest_sums)) = (rows.as_chunks(), sums.as_chunks_mut());
        eights.iter().zip(eight_sums).for_each(|(rows, sums)| add_each::<L, ROWS>(self, rows, sums));
        let (ones, one_sums) = (rest.as_chunks().0, rest_sums.as_chunks_mut().0);
        ones.iter().zip(one_sums).for_each(|(row, sum)| add_each::<L, 1>(self, row, sum));
    }
}

/// Add rows' leaves to their sums. Compiled twice: a processor of the last ten years takes more bits at once. What is added, and in what
/// order, is the same.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2"))]
fn add_each<L: Left, const N: usize>(block: &Block<L>, rows: &[&[f64]; N], sums: &mut [f64; N]) {
    let groups = block.begins.len().div_ceil(LANES);
    let mut left = [[L::ALL; TREES]; N];
    for features in block.features.chunks(FEATURES) {
        for (left, row) in left.iter_mut().zip(rows) {
            let mut kept = [Kept { value: 0.0, prefix: &block.whole[..], nodes: &[] }; FEATURES];
            for (kept, asked) in kept.iter_mut().zip(features) {
                *kept = asked.keeps(row[asked.feature], groups);
            }
            let [first, second, third, fourth] = &kept;
            let prefixes = first.prefix.iter().zip(second.prefix).zip(third.prefix).zip(fourth.prefix);
            let groups: &mut [[L; LANES]] = left.as_chunks_mut().0;
            for (left, (((first, second), third), fourth)) in groups.iter_mut().zip(prefixes) {
                let others = first.0.iter().zip(second.0).zip(third.0).zip(fourth.0);
                for (left, (((first, second), third), fourth)) in left.iter_mut().zip(others) {
                    *left &= *first & second & third & fourth;
                }
            }
            for Kept { value, nodes, .. } in kept {
                // Each of them, without asking when to stop: no processor guesses that well.
                for node in nodes {
                    left[node.tree as usize] &= select_unpredictable(node.threshold < value, node.left, L::ALL);
                }
            }
        }
    }
    let mut totals = *sums;
    for (tree, begins) in block.begins.iter().enumerate() {
        for (total, left) in totals.iter_mut().zip(&left) {
            *total += block.leaves[*begins as usize + left[tree].first()];
        }
    }
    *sums = totals;
}

/// What a value keeps of all trees: a prefix, and what the nodes after it do not take out.
#[derive(Clone, Copy)]
struct Kept<'a, L> {
    value: f64,
    prefix: &'a [Lanes<L>],
    nodes: &'a [Compared<L>],
}

impl<L: Left> Asked<L> {
    /// What a value keeps. Whoever calls this decides what it is compiled for.
    #[inline(always)]
    fn keeps(&self, value: f64, groups: usize) -> Kept<'_, L> {
        let value = sparse(value);
        let (prefix, nodes) = match &self.by {
            By::Categories(categories) => {
                let place = category(value, categories.len() / groups - 1);
                (&categories[place * groups..], &[][..])
            }
            By::Thresholds(Thresholds { nan, .. }) if value.is_nan() => (&nan[..], &[][..]),
            By::Thresholds(Thresholds { zero: Some(zero), .. }) if value == 0.0 => (&zero[..], &[][..]),
            By::Thresholds(Thresholds { stride, marks, prefixes, nodes, .. }) => {
                // The last mark that is below the value: all nodes before it are, too. To look at every one of so few, many at once, is
                // quicker than to wait for one after the other.
                let mark = marks.iter().filter(|mark| **mark < value).count().saturating_sub(1);
                (&prefixes[mark * groups..], &nodes[mark * stride..][..*stride])
            }
        };
        Kept { value, prefix: &prefix[..groups], nodes }
    }
}

fn blocks<L: Left>(forest: &Forest) -> Option<Vec<Block<L>>> {
    forest.roots.chunks(TREES).map(|roots| block(forest, roots)).collect()
}

/// A node as it is met on the way through its tree.
struct Met<L> {
    feature: usize,
    split: Split,
    tree: usize,
    left: L,
}

fn block<L: Left>(forest: &Forest, roots: &[Link]) -> Option<Block<L>> {
    let whole = side_by_side(&vec![L::ALL; roots.len()]).collect();
    let mut block = Block { begins: Vec::new(), leaves: Vec::new(), features: Vec::new(), whole };
    let mut met: Vec<Met<L>> = Vec::new();
    for (tree, root) in roots.iter().enumerate() {
        let begins = block.leaves.len();
        block.begins.push(begins as u32);
        meet(forest, *root, tree, begins, &mut block.leaves, &mut met);
    }
    met.sort_by_key(|node| node.feature);
    let [few, many] = STRIDES;
    let prefixes = met.len().div_ceil(few) * roots.len().div_ceil(LANES) * size_of::<Lanes<L>>();
    let stride = if prefixes <= NEAR { few } else { many };
    for nodes in met.chunk_by(|a, b| a.feature == b.feature) {
        block.features.extend(Asked::of(forest, nodes, roots.len(), stride)?);
    }
    Some(block)
}

/// Put a subtree's leaves in order and its nodes on the list.
fn meet<L: Left>(
    forest: &Forest,
    link: Link,
    tree: usize,
    begins: usize,
    leaves: &mut Vec<f64>,
    met: &mut Vec<Met<L>>,
) {
    // A tree of at most 64 leaves is at most 63 nodes deep.
    if link < 0 {
        leaves.push(forest.leaves[!link as usize]);
        return;
    }
    let node = &forest.nodes[link as usize];
    let [smaller, larger] = node.children;
    let first = leaves.len() - begins;
    meet(forest, smaller, tree, begins, leaves, met);
    let last = leaves.len() - begins;
    met.push(Met {
        feature: node.feature as usize,
        split: node.split,
        tree,
        left: L::all_but(first as u32, last as u32),
    });
    meet(forest, larger, tree, begins, leaves, met);
}

/// How many leaves a tree has; any number above [`MOST`] for more.
fn leaves_below(forest: &Forest, root: Link) -> usize {
    let (mut open, mut leaves) = (vec![root], 0);
    while let Some(link) = open.pop() {
        if link < 0 {
            leaves += 1;
        } else {
            open.extend(forest.nodes[link as usize].children);
        }
        if leaves > MOST {
            break;
        }
    }
    leaves
}

/// What is left of each tree once those of these nodes do not hold that fail.
fn without<L: Left>(met: &[&Met<L>], trees: usize, fails: impl Fn(&Split) -> bool) -> Vec<Lanes<L>> {
    let mut left = vec![L::ALL; trees];
    met.iter().filter(|node| fails(&node.split)).for_each(|node| left[node.tree] &= node.left);
    side_by_side(&left).collect()
}

fn side_by_side<L: Left>(left: &[L]) -> impl Iterator<Item = Lanes<L>> {
    left.chunks(LANES).map(|some| Lanes(array::from_fn(|lane| some.get(lane).copied().unwrap_or(L::ALL))))
}

impl<L: Left> Asked<L> {
    /// What these nodes, all of one feature, ask about it; nothing at all if there are too many categories.
    fn of(forest: &Forest, met: &[Met<L>], trees: usize, stride: usize) -> Option<Vec<Asked<L>>> {
        let feature = met.first()?.feature;
        let (compare, are_sets): (Vec<_>, Vec<_>) =
            met.iter().partition(|node| matches!(node.split, Split::AtMost { .. }));
        let mut asked = Vec::new();
        if !compare.is_empty() {
            asked.push(By::Thresholds(Thresholds::of(forest, &compare, trees, stride)));
        }
        if !are_sets.is_empty() {
            asked.push(By::Categories(categories(forest, &are_sets, trees)?));
        }
        Some(asked.into_iter().map(|by| Asked { feature, by }).collect())
    }
}

impl<L: Left> Thresholds<L> {
    fn of(forest: &Forest, met: &[&Met<L>], trees: usize, stride: usize) -> Thresholds<L> {
        let goes_right = |split: &Split, value: f64| forest.side(*split, value) == Side::Right;
        let is_sent = |node: &&Met<L>| matches!(node.split, Split::AtMost { missing: Missing::ZeroGoes(_), .. });
        let compared = |node: &&Met<L>| match node.split {
            Split::AtMost { threshold, .. } => Some(Compared { threshold, tree: node.tree as u32, left: node.left }),
            Split::OneOf { .. } => None,
        };
        let mut nodes: Vec<Compared<L>> = met.iter().filter_map(compared).collect();
        nodes.sort_by(|a, b| a.threshold.total_cmp(&b.threshold).then(a.tree.cmp(&b.tree)));
        let (mut marks, mut prefixes) = (Vec::new(), Vec::new());
        let mut left = vec![L::ALL; trees];
        for nodes in nodes.chunks(stride) {
            marks.push(nodes[0].threshold);
            prefixes.extend(side_by_side(&left));
            nodes.iter().for_each(|node| left[node.tree as usize] &= node.left);
        }
        nodes.resize(marks.len() * stride, Compared::NONE);
        Thresholds {
            nan: without(met, trees, |split| goes_right(split, f64::NAN)),
            zero: met.iter().any(is_sent).then(|| without(met, trees, |split| goes_right(split, 0.0))),
            stride,
            marks,
            prefixes,
            nodes,
        }
    }
}

/// What each category leaves of each tree, and, last, what any other value does; nothing if there are too many.
fn categories<L: Left>(forest: &Forest, met: &[&Met<L>], trees: usize) -> Option<Vec<Lanes<L>>> {
    let known = |node: &&Met<L>| match node.split {
        Split::OneOf { count, .. } => count * 32,
        Split::AtMost { .. } => 0,
    };
    let known = met.iter().map(known).max().filter(|known| *known <= CATEGORIES)?;
    let lacks = |split: &Split, category| forest.side(*split, f64::from(category)) == Side::Right;
    Some((0..=known).flat_map(|category| without(met, trees, |split| lacks(split, category))).collect())
}
