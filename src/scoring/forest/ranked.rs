//! A forest of large trees, walked by ranks; pure. The same leaves, and so the same bits.
//!
//! A row's values are replaced once by their ranks among the thresholds of their feature, and what is missing, or a category, by a
//! rank that goes to the side it is sent to. A node then compares two small integers and takes eight bytes, so that far more of the
//! forest stays in the cache; and many ways down are gone at once, so that there is something to do while a node is waited for. Of many
//! rows, all go down the first levels side by side, and only those that have not come to a leaf there go on.

use std::array;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use multiversion::multiversion;

use super::{Forest, Link, Missing, Side, Split, category, sparse};

/// Ways that are gone together: down one tree each for a single row, down the same tree for many.
const ABREAST: usize = 16;
/// Steps after which it is looked whether all ways have ended.
const LOOK: usize = 3;
/// Levels that many rows go down side by side: trees that grow leaf by leaf have most of their rows end early.
const LEVELS: usize = 4;
/// Places below these levels.
const BELOW: usize = 1 << LEVELS;
/// Rows that go down a tree together: enough of them are left to fill the ways, and their ranks stay in the nearest caches.
const ROWS: usize = 64;
/// Ranks of a row at most.
const SLOTS: usize = 2_048;
/// Cells of a table of categories at most.
const CELLS: usize = 1 << 20;
/// Goes to the left of every node but a leaf's.
const LEFTMOST: u16 = 0;
/// Goes to the right of every node but a leaf's.
const RIGHTMOST: u16 = u16::MAX;

/// The forest once more, by ranks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranked {
    /// The features that the trees ask about.
    features: Vec<Asked>,
    /// How many ranks a row has.
    slots: usize,
    /// The nodes and leaves of all trees.
    steps: Vec<Step>,
    /// Beside each step its leaf's value; 0 for a node.
    leaves: Vec<f64>,
    /// Where each tree begins, in the model's order.
    roots: Vec<u32>,
    /// The first levels of each tree.
    tops: Vec<Top>,
}

/// The first levels of a tree. A leaf above the last of them stands for a node that sends every row to the left, where it stands again.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Top {
    /// The slot and the rank of each node, level by level.
    nodes: [(u16, u16); BELOW - 1],
    /// The steps below them, from left to right.
    below: [u32; BELOW],
    /// Which of these are leaves.
    ends: [bool; BELOW],
}

/// A node: to the right if the rank is above its own. A leaf leads to itself, so that whoever is there stays there.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    /// Its left child; the right one stands behind it.
    left: u32,
    slot: u16,
    rank: u16,
}

/// What the trees ask about one feature.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    feature: usize,
    thresholds: Thresholds,
    sets: Sets,
}

/// A feature's nodes that compare.
#[derive(Debug, Clone, PartialEq)]
struct Thresholds {
    /// The distinct ones, in order.
    values: Vec<f64>,
    /// A slot for each way to treat what is missing.
    slots: Vec<(usize, Missing)>,
}

/// A feature's nodes that ask for categories.
#[derive(Debug, Clone, PartialEq)]
struct Sets {
    /// The slots of the distinct sets stand side by side.
    first: usize,
    count: usize,
    /// How many categories there is room for: beyond them, nothing is in any set.
    room: usize,
    /// The sets' ranks for each category, one after the other, and, last, for any other value.
    ranks: Vec<u16>,
}

/// Which of a row's ranks each node asks for, and its own; and how many ranks are spoken for.
struct Asks {
    nodes: Vec<(u16, u16)>,
    slots: usize,
}

impl Ranked {
    /// The forest by ranks, if its thresholds and sets are few enough.
    pub(super) fn of(forest: &Forest) -> Option<Ranked> {
        let mut nodes: Vec<usize> = (0..forest.nodes.len()).collect();
        nodes.sort_by_key(|node| forest.nodes[*node].feature);
        let mut asks = Asks { nodes: vec![(0, 0); nodes.len()], slots: 0 };
        let of_features = nodes.chunk_by(|a, b| forest.nodes[*a].feature == forest.nodes[*b].feature);
        let features = of_features.map(|nodes| Asked::of(forest, nodes, &mut asks)).collect::<Option<Vec<_>>>()?;
        // A leaf asks for the first rank, so there is one.
        let slots = asks.slots.max(1);
        let mut ranked =
            Ranked { features, slots, steps: Vec::new(), leaves: Vec::new(), roots: Vec::new(), tops: Vec::new() };
        forest.roots.iter().for_each(|root| ranked.grow(forest, *root, &asks));
        ranked.tops = ranked.roots.iter().map(|root| Top::of(&ranked.steps, *root)).collect();
        Some(ranked)
    }

    /// Add a tree level by level, so that siblings stand side by side.
    fn grow(&mut self, forest: &Forest, root: Link, asks: &Asks) {
        let first = self.steps.len() as u32;
        self.roots.push(first);
        let (mut open, mut left) = (VecDeque::from([root]), first + 1);
        while let Some(link) = open.pop_front() {
            let here = self.steps.len() as u32;
            if link < 0 {
                self.steps.push(Step { left: here, slot: 0, rank: RIGHTMOST });
                self.leaves.push(forest.leaves[!link as usize]);
            } else {
                let (slot, rank) = asks.nodes[link as usize];
                self.steps.push(Step { left, slot, rank });
                self.leaves.push(0.0);
                open.extend(forest.nodes[link as usize].children);
                left += 2;
            }
        }
    }

    /// The sum of a row's leaves, tree by tree. It must be as wide as the model.
    pub(super) fn sum(&self, row: &[f64]) -> f64 {
        let mut ranks = [[0]; SLOTS];
        let ranks = &mut ranks[..self.slots];
        self.rank(&[row], ranks);
        // A loop, not `sum()`: that one starts from -0.0.
        let mut sum = 0.0;
        for roots in self.roots.chunks(ABREAST) {
            let mut places = [0; ABREAST];
            places[..roots.len()].copy_from_slice(roots);
            let ends = self.walk(ranks, [0; ABREAST], places);
            ends[..roots.len()].iter().for_each(|end| sum += self.leaves[*end as usize]);
        }
        sum
    }

    /// Add to each sum, which must begin at zero, the leaves of its row, tree by tree. Every row must be as wide as the model.
    pub(super) fn add(&self, rows: &[&[f64]], sums: &mut [f64]) {
        let mut ranks = vec![[0; ROWS]; self.slots];
        let ((many, rest), (many_sums, rest_sums)) = (rows.as_chunks(), sums.as_chunks_mut());
        for (rows, sums) in many.iter().zip(many_sums) {
            self.rank(rows, &mut ranks);
            add_each(self, &ranks, sums);
        }
        rest.iter().zip(rest_sums).for_each(|(row, sum)| *sum = self.sum(row));
    }

    /// Where several ways end that go on from these places, each by the ranks in its lane. Whoever calls this decides what it is compiled
    /// for.
    #[inline(always)]
    fn walk<const LANES: usize>(
        &self,
        ranks: &[[u16; LANES]],
        lanes: [u8; ABREAST],
        mut places: [u32; ABREAST],
    ) -> [u32; ABREAST] {
        loop {
            let mut moved = 0;
            for _ in 0..LOOK {
                moved = 0;
                for (lane, place) in lanes.iter().zip(&mut places) {
                    let step = self.steps[*place as usize];
                    // Added, not chosen: no processor guesses the side, and a wrong guess costs more than the step.
                    let next = step.left + u32::from(ranks[step.slot as usize][*lane as usize % LANES] > step.rank);
                    moved |= next ^ *place;
                    *place = next;
                }
            }
            if moved == 0 {
                return places;
            }
        }
    }

    /// Put each row's ranks into its lane.
    fn rank<const LANES: usize>(&self, rows: &[&[f64]; LANES], ranks: &mut [[u16; LANES]]) {
        self.features.iter().for_each(|asked| asked.rank(rows.map(|row| row[asked.feature]), ranks));
    }
}

/// Add to each sum the leaves of its row. Compiled twice, as small trees are.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2"))]
fn add_each(ranked: &Ranked, ranks: &[[u16; ROWS]], sums: &mut [f64; ROWS]) {
    for top in &ranked.tops {
        let below = top.ways(ranks);
        let mut places = below.map(|place| top.below[place as usize]);
        // The rows that have not come to a leaf. Behind them stand some once more: they end where they end.
        let (mut open, mut count) = ([0; ROWS], 0);
        for (row, place) in below.iter().enumerate() {
            open[count] = row as u8;
            count += usize::from(!top.ends[*place as usize]);
        }
        for rows in open.as_chunks().0.iter().take(count.div_ceil(ABREAST)) {
            let ends = ranked.walk(ranks, *rows, rows.map(|row| places[row as usize]));
            rows.iter().zip(ends).for_each(|(row, end)| places[*row as usize] = end);
        }
        sums.iter_mut().zip(places).for_each(|(sum, end)| *sum += ranked.leaves[end as usize]);
    }
}

impl Top {
    fn of(steps: &[Step], root: u32) -> Top {
        let mut places = [root; 2 * BELOW - 1];
        let is_leaf = |place: u32| steps[place as usize].left == place;
        let nodes = array::from_fn(|node| {
            let place = places[node];
            let Step { left, slot, rank } = steps[place as usize];
            places[2 * node + 1] = left;
            places[2 * node + 2] = left + u32::from(!is_leaf(place));
            (slot, rank)
        });
        let below = array::from_fn(|place| places[nodes.len() + place]);
        Top { nodes, below, ends: below.map(is_leaf) }
    }

    /// The place below that each row comes to: every node asks every row, and only the one that a row has come to counts.
    #[inline(always)]
    fn ways(&self, ranks: &[[u16; ROWS]]) -> [u16; ROWS] {
        let mut ways = [0; ROWS];
        for level in 0..LEVELS {
            let nodes = &self.nodes[(1 << level) - 1..][..1 << level];
            let mut right = [0; ROWS];
            for (place, (slot, rank)) in nodes.iter().enumerate() {
                for ((right, way), own) in right.iter_mut().zip(&ways).zip(&ranks[*slot as usize]) {
                    *right |= u16::from(*way == place as u16) & u16::from(own > rank);
                }
            }
            ways.iter_mut().zip(right).for_each(|(way, right)| *way = 2 * *way + right);
        }
        ways
    }
}

impl Asked {
    /// What these nodes, all of one feature, ask about it.
    fn of(forest: &Forest, nodes: &[usize], asks: &mut Asks) -> Option<Asked> {
        let feature = forest.nodes[*nodes.first()?].feature as usize;
        Some(Asked { feature, thresholds: Thresholds::of(forest, nodes, asks)?, sets: Sets::of(forest, nodes, asks)? })
    }

    fn rank<const LANES: usize>(&self, values: [f64; LANES], ranks: &mut [[u16; LANES]]) {
        self.thresholds.rank(values.map(sparse), ranks);
        self.sets.rank(values, ranks);
    }
}

impl Thresholds {
    fn of(forest: &Forest, nodes: &[usize], asks: &mut Asks) -> Option<Thresholds> {
        let compare = |node: &usize| match forest.nodes[*node].split {
            Split::AtMost { threshold, missing } => Some((*node, threshold, missing)),
            Split::OneOf { .. } => None,
        };
        let mut values: Vec<f64> = nodes.iter().filter_map(compare).map(|(_, threshold, _)| threshold).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let mut thresholds = Thresholds { values, slots: Vec::new() };
        if thresholds.values.len() >= RIGHTMOST.into() {
            return None;
        }
        for (node, threshold, missing) in nodes.iter().filter_map(compare) {
            let slot = match thresholds.slots.iter().find(|(_, other)| *other == missing) {
                Some((slot, _)) => *slot,
                None => {
                    let slot = asks.slot()?;
                    thresholds.slots.push((slot, missing));
                    slot
                }
            };
            asks.nodes[node] = (slot as u16, thresholds.below(threshold));
        }
        Some(thresholds)
    }

    /// How many are below a value: it goes to the right of these, and to the left of all others. None is below NaN.
    fn below(&self, value: f64) -> u16 {
        self.values.partition_point(|threshold| *threshold < value) as u16
    }

    fn rank<const LANES: usize>(&self, values: [f64; LANES], ranks: &mut [[u16; LANES]]) {
        for (lane, value) in values.into_iter().enumerate() {
            let rank = self.below(value);
            for (slot, missing) in &self.slots {
                ranks[*slot][lane] = match missing {
                    Missing::NanGoes(side) if value.is_nan() => rank_to(*side),
                    Missing::ZeroGoes(side) if value.is_nan() || value == 0.0 => rank_to(*side),
                    Missing::IsZero if value.is_nan() => self.below(0.0),
                    Missing::NanGoes(_) | Missing::ZeroGoes(_) | Missing::IsZero => rank,
                };
            }
        }
    }
}

impl Sets {
    fn of(forest: &Forest, nodes: &[usize], asks: &mut Asks) -> Option<Sets> {
        let mut sets = Sets { first: asks.slots, count: 0, room: 0, ranks: Vec::new() };
        let room = |node: &usize| match forest.nodes[*node].split {
            Split::OneOf { count, .. } => Some(count * 32),
            Split::AtMost { .. } => None,
        };
        let Some(others) = nodes.iter().filter_map(room).max() else {
            return Some(sets);
        };
        let mut slots: BTreeMap<Vec<u16>, usize> = BTreeMap::new();
        for node in nodes.iter().filter(|node| room(node).is_some()) {
            let side = |category| forest.side(forest.nodes[*node].split, f64::from(category));
            let set = (0..=others).map(|category| rank_to(side(category))).collect();
            let slot = match slots.entry(set) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => *new.insert(asks.slot()?),
            };
            asks.nodes[*node] = (slot as u16, LEFTMOST);
        }
        (sets.count, sets.room) = (slots.len(), others as usize);
        let cells = sets.count * (sets.room + 1);
        if cells > CELLS {
            return None;
        }
        sets.ranks = vec![LEFTMOST; cells];
        for (set, slot) in slots {
            let column = sets.ranks.iter_mut().skip(slot - sets.first).step_by(sets.count);
            column.zip(set).for_each(|(rank, known)| *rank = known);
        }
        Some(sets)
    }

    fn rank<const LANES: usize>(&self, values: [f64; LANES], ranks: &mut [[u16; LANES]]) {
        // Set by set: there may be hundreds, and the lanes of each are put where they belong at once.
        let known = values.map(|value| &self.ranks[category(value, self.room) * self.count..][..self.count]);
        for (set, lanes) in ranks[self.first..][..self.count].iter_mut().enumerate() {
            lanes.iter_mut().zip(known).for_each(|(lane, known)| *lane = known[set]);
        }
    }
}

impl Asks {
    /// One more rank of a row, if there may be one.
    fn slot(&mut self) -> Option<usize> {
        let slot = self.slots;
        self.slots += 1;
        (slot < SLOTS).then_some(slot)
    }
}

/// The rank that goes to this side.
fn rank_to(side: Side) -> u16 {
    match side {
        Side::Left => LEFTMOST,
        Side::Right => RIGHTMOST,
    }
}
