//! Small made-up worlds to learn from, for tests of this stage and of later ones; pure, from a seed.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::plan::{Path, Plan};
use super::rules::{Part, TrainRules};
use crate::contract::{Contract, Encoded, Given, RawContract, Registered, admit};
use crate::types::{Digest, Version};

/// A model's contract with its registered bytes.
pub(crate) struct World {
    /// The contract.
    pub contract: Contract,
    /// Its registered bytes.
    pub bytes: Vec<u8>,
}

/// One row: its fields, and what came true.
type Row = (Vec<(&'static str, Given<'static>)>, f64);

const PLACES: [&str; 6] = ["north", "south", "east", "west", "sea", "hills"];
const SIZES: [&str; 3] = ["small", "middle", "large"];

const COLUMNS: &str = r"
features:
  - { name: wind, kind: continuous }
  - { name: heat, kind: continuous }
  - { name: place, kind: nominal }
  - { name: size, kind: ordinal }
columns:
  - { name: wind, type: float, min: -1000, max: 1000 }
  - { name: heat, type: float, min: -1000, max: 1000 }
  - { name: place, type: category, values: [north, south, east, west, sea, hills] }
  - { name: size, type: category, values: [small, middle, large] }
";

impl World {
    /// Will it rain? Binary.
    pub(crate) fn rain() -> World {
        World::of("task: binary", "rain", "  - { name: rain, type: boolean }")
    }

    /// How much does it rain? Regression.
    pub(crate) fn amount() -> World {
        World::of("task: regression", "amount", "  - { name: amount, type: float, min: -1000, max: 1000 }")
    }

    fn of(task: &str, target: &str, column: &str) -> World {
        let head =
            format!("contract: {target}\nversion: 1.0.0\nschema: weather\n{task}\ntarget: {{ column: {target} }}");
        let bytes = format!("{head}{COLUMNS}{column}\n").into_bytes();
        let raw: RawContract = crate::yaml::read("contract.yaml", &bytes).unwrap();
        World { contract: raw.check_registered().unwrap(), bytes }
    }

    /// The same world under another version of its contract.
    pub(crate) fn at_version(&self, version: Version) -> World {
        let text = std::str::from_utf8(&self.bytes).unwrap().replace("version: 1.0.0", &format!("version: {version}"));
        let raw: RawContract = crate::yaml::read("contract.yaml", &text).unwrap();
        World { contract: raw.check_registered().unwrap(), bytes: text.into_bytes() }
    }

    /// The contract as it is registered.
    pub(crate) fn registered(&self) -> Registered {
        Registered { contract: self.contract.clone(), sha256: Digest::of(&self.bytes) }
    }

    /// A plan for this world, with short fits so that tests are quick.
    pub(crate) fn plan(&self, path: Path) -> Plan {
        let mut rules = TrainRules::DEFAULTS;
        (rules.gbdt.trees, rules.random_forest.trees) = (20, 20);
        rules.validate = Part { share: 0.4, at_least: 50, at_most: 200 };
        let datasets = vec![Digest::of("dataset")];
        Plan::new(self.contract.name().clone(), path, Version::FIRST, &self.registered(), datasets, &rules)
    }

    /// Rows of a world that stays as it is.
    pub(crate) fn rows(&self, count: usize, seed: u64) -> Encoded {
        self.rows_that_turn(count, count, seed)
    }

    /// Rows of a world whose wind and place mean the opposite from row `turn` on.
    pub(crate) fn rows_that_turn(&self, count: usize, turn: usize, seed: u64) -> Encoded {
        let mut draw = Draw(Pcg64::new(seed.into(), 1));
        let binary = self.contract.task() == crate::contract::Task::Binary;
        let rows = (0..count).map(|row| draw.row(if row < turn { 1.0 } else { -1.0 }, binary));
        let (vectors, target) = rows.map(|(fields, label)| (admit(&self.contract, fields).unwrap(), label)).unzip();
        Encoded { vectors, target, order: (0..).take(count).collect(), slices: Vec::new() }
    }
}

struct Draw(Pcg64);

impl Draw {
    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Roughly normal: the sum of twelve uniform numbers less six.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    fn one_of(&mut self, words: &[&'static str]) -> (usize, &'static str) {
        let place = (self.uniform() * words.len() as f64) as usize;
        (place, words[place])
    }

    fn row(&mut self, direction: f64, binary: bool) -> Row {
        let (wind, heat) = (self.normal(), self.normal());
        let ((place, place_word), (size, size_word)) = (self.one_of(&PLACES), self.one_of(&SIZES));
        // Odd places are wet: no order of the words says so, only the words themselves.
        let wet = if place % 2 == 1 { 1.5 } else { -1.5 };
        let margin = direction * (1.5 * wind + wet) + 0.5 * size as f64 - 0.5;
        let label = if binary {
            f64::from(u8::from(self.uniform() < 1.0 / (1.0 + (-margin).exp())))
        } else {
            margin + 0.5 * self.normal()
        };
        let fields = vec![
            ("wind", Given::Number(wind)),
            ("heat", Given::Number(heat)),
            ("place", Given::Text(place_word)),
            ("size", Given::Text(size_word)),
        ];
        (fields, label)
    }
}
