//! A made-up world of twenty numbers and five categories, and ways in which it may change.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use regent::contract::{
    Contract, FeatureVector, Given, Profile, RawContract, Registered, Slot, admit, encode, register,
};
use regent::ingest::{Dataset, RawSchema, Rows, Source, freeze};
use regent::snapshot::VersionCounts;
use regent::store::Memory;
use regent::yaml;

pub const NUMBERS: usize = 20;
/// The shares of the words of each category.
const WORDS: [&[f64]; 5] = [
    &[0.5, 0.5],
    &[0.6, 0.3, 0.1],
    &[0.4, 0.25, 0.2, 0.1, 0.05],
    &[0.1; 10],
    // Forty words, most of them rare.
    &[
        0.2, 0.12, 0.08, 0.07, 0.06, 0.05, 0.04, 0.04, 0.03, 0.03, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.01,
        0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.004, 0.004, 0.002, 0.002, 0.002, 0.001,
        0.001, 0.001, 0.001, 0.001, 0.001,
    ],
];
/// The number that the changes below change: it is normal, of mean 0 and deviation 1.
pub const NUMBER: usize = 0;
/// The category that they change: five words.
pub const CATEGORY: usize = NUMBERS + 2;
/// Two numbers that hang together, each normal, of mean 0 and deviation 1: what the world's model answers by.
pub const PAIR: [usize; 2] = [4, 5];

pub struct World {
    contract: Contract,
    pub profile: Profile,
}

/// One row, feature after feature.
pub type Row = Vec<Slot>;

pub struct Dice(Pcg64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(Pcg64::new(u128::from(seed), 77))
    }

    /// From 0 to below 1.
    pub fn even(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        let (a, b) = (1.0 - self.even(), self.even());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

impl World {
    /// The world as a model was trained on it, with the profile of so many rows.
    pub fn new(rows: usize, seed: u64) -> World {
        let contract = contract();
        let mut dice = Dice::new(seed);
        let rows: Vec<Row> = (0..rows).map(|_| row(&mut dice)).collect();
        let answers: Vec<f64> = rows.iter().map(answer).collect();
        let rows: Vec<FeatureVector> = rows.iter().map(|row| admitted(&contract, row)).collect();
        let importance = vec![1.0 / contract.features().len() as f64; contract.features().len()];
        let profile = Profile::build(&contract, &rows, &importance, &answers).unwrap();
        World { contract, profile }
    }

    pub fn rows(&self, rows: usize, seed: u64) -> Vec<FeatureVector> {
        let mut dice = Dice::new(seed);
        (0..rows).map(|_| admitted(&self.contract, &row(&mut dice))).collect()
    }

    /// A window of so many rows of a world that may have changed.
    pub fn window(&self, rows: usize, dice: &mut Dice, change: impl Fn(&mut Row, &mut Dice)) -> VersionCounts {
        let changed = |_| {
            let mut row = row(dice);
            change(&mut row, dice);
            row
        };
        self.count((0..rows).map(changed))
    }

    /// Rows as a server counts them, with the model's answers.
    pub fn count(&self, rows: impl IntoIterator<Item = Row>) -> VersionCounts {
        let Profile { features, score, .. } = &self.profile;
        let mut counts = VersionCounts {
            features: features.iter().map(|feature| vec![0; feature.bins.len()]).collect(),
            prediction: vec![0; score.bins.len()],
            ..VersionCounts::default()
        };
        for row in rows {
            counts.rows += 1;
            counts.prediction[score.bins.place(Slot::Value(answer(&row)))] += 1;
            for ((feature, counts), slot) in features.iter().zip(&mut counts.features).zip(row) {
                counts[feature.bins.place(slot)] += 1;
            }
        }
        counts
    }
}

/// How likely a row of the world is to be positive, and what a model says that has learned the world to the full.
pub fn answer(row: &Row) -> f64 {
    let sum: f64 = PAIR.iter().filter_map(|place| number(row[*place])).sum();
    1.0 / (1.0 + (-sum).exp())
}

pub fn number(slot: Slot) -> Option<f64> {
    if let Slot::Value(value) = slot { Some(value) } else { None }
}

/// Normal ones of which some hang together, skewed ones, even ones, small whole numbers with their ties, and mostly nothing.
pub fn row(dice: &mut Dice) -> Row {
    let common = dice.normal();
    let number = |place: usize, dice: &mut Dice| match place {
        0..4 => dice.normal(),
        4..8 => 0.8 * common + 0.6 * dice.normal(),
        8..12 => dice.normal().exp(),
        12..15 => dice.even(),
        15..18 => (4.0 * dice.even() * dice.even() * 3.0).floor(),
        _ if dice.even() < 0.3 => -dice.even().max(1e-9).ln(),
        _ => 0.0,
    };
    let numbers: Vec<f64> = (0..NUMBERS).map(|place| number(place, dice)).collect();
    let words = WORDS.map(|shares| {
        let at = dice.even();
        let mut sum = 0.0;
        let word = shares.iter().position(|share| {
            sum += share;
            at < sum
        });
        word.unwrap_or(0) as f64
    });
    numbers.into_iter().chain(words).map(Slot::Value).collect()
}

fn contract() -> Contract {
    let mut columns = String::from("schema: made\ncolumns:\n");
    let mut features =
        String::from("contract: made\nversion: 1.0.0\nschema: made\ntask: binary\ntarget: {column: y}\nfeatures:\n");
    for place in 0..NUMBERS {
        columns += &format!("- {{name: x{place}, type: float}}\n");
        features += &format!("- {{name: x{place}, kind: continuous}}\n");
    }
    for (place, shares) in WORDS.iter().enumerate() {
        let words: Vec<String> = (0..shares.len()).map(|word| format!("w{word}")).collect();
        columns += &format!("- {{name: c{place}, type: category, values: [{}]}}\n", words.join(", "));
        features += &format!("- {{name: c{place}, kind: nominal}}\n");
    }
    columns += "- {name: y, type: boolean}\n";
    let schema: RawSchema = yaml::read("schema", &columns).unwrap();
    let contract: RawContract = yaml::read("contract", &features).unwrap();
    contract.check(&schema.check().unwrap()).unwrap()
}

/// A row in which nothing is missing.
fn admitted(contract: &Contract, row: &Row) -> FeatureVector {
    let values: Vec<f64> = row.iter().filter_map(|slot| number(*slot)).collect();
    let words: Vec<String> = values.iter().map(|value| format!("w{value}")).collect();
    let given = contract.features().iter().zip(&values).zip(&words).map(|((feature, value), word)| {
        let given = if feature.words().is_some() { Given::Text(word) } else { Given::Number(*value) };
        (feature.name.as_str(), given)
    });
    admit(contract, given).unwrap()
}

/// The rows of a file that the repository ships, under its contract, with the profile of all of them.
pub fn shipped([schema, contract, rows]: [&str; 3]) -> (Profile, Vec<FeatureVector>) {
    let store = Memory::new();
    let schema: RawSchema = yaml::read("schema", schema).unwrap();
    let contract: RawContract = yaml::read("contract", contract).unwrap();
    let registered: Registered = register(&contract, &schema.check().unwrap(), &store).unwrap();
    let contract = &registered.contract;
    let intake = contract.intake(registered.sha256);
    // Eleven customers of one file have no total: ingestion refuses them, and here they are left out.
    let whole: Vec<&str> = rows.lines().filter(|line| line.split(',').all(|cell| !cell.trim().is_empty())).collect();
    let rows = whole.join("\n") + "\n";
    let source = Source::new("rows.csv", rows.as_bytes());
    let frozen = freeze(source, &intake, std::io::Cursor::new(Vec::new()), &store).unwrap();
    let dataset = Dataset::load(&store, contract.name(), frozen.digest).unwrap();
    let vectors = encode(contract, &Rows::join([dataset]).unwrap()).unwrap().vectors;
    let importance = vec![1.0 / contract.features().len() as f64; contract.features().len()];
    let profile = Profile::build(contract, &vectors, &importance, &[0.5]).unwrap();
    (profile, vectors)
}
