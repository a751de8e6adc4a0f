//! LightGBM itself is the measure: our forest must answer what LightGBM answers, and the same inputs must give the same
//! bytes.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use rstest::rstest;

use super::*;
use crate::scoring::Forest;

const COLUMNS: usize = 6;
/// Categories 0 to 39: two words of bits.
const CATEGORIES: u32 = 40;

/// Rows of four numbers and two categories (of 40 and of 3), with labels that need all of them.
struct World {
    names: Vec<String>,
    features: Vec<f64>,
    binary: Vec<f32>,
    values: Vec<f32>,
}

impl World {
    fn with(rows: usize) -> Self {
        let mut random = Pcg64::seed_from_u64(7);
        let mut world = World {
            names: ["temperature", "pressure", "rounded", "skewed", "station", "season"].map(str::to_owned).into(),
            features: Vec::new(),
            binary: Vec::new(),
            values: Vec::new(),
        };
        for _ in 0..rows {
            let temperature: f64 = random.random_range(-30.0..40.0);
            let pressure: f64 = random.random_range(900.0..1100.0);
            // Few distinct values and zeros: thresholds fall beside data that tie.
            let rounded = f64::from(random.random_range(-3_i32..=3));
            let skewed = (random.random_range(-40.0..40.0_f64)).exp();
            let station = random.random_range(0..CATEGORIES);
            let season = random.random_range(0..3_u32);
            let odd = if (station * 7) % 5 < 2 { 1.5 } else { -0.5 };
            let value = temperature / 20.0 - (pressure - 1000.0) / 80.0 * rounded.signum()
                + odd * (f64::from(season) - 0.8)
                + skewed.ln() / 30.0;
            let noise: f64 = random.random_range(-1.0..1.0);
            world.features.extend([temperature, pressure, rounded, skewed, station.into(), season.into()]);
            world.values.push((value + noise) as f32);
            world.binary.push(if value + noise > 0.0 { 1.0 } else { 0.0 });
        }
        world
    }

    fn fit<'a>(&'a self, objective: Objective, settings: &'a Settings) -> Fit<'a> {
        Fit {
            features: &self.features,
            names: &self.names,
            categorical: &[4, 5],
            labels: match objective {
                Objective::Binary => &self.binary,
                Objective::Regression => &self.values,
            },
            objective,
            settings,
            seed: 11,
        }
    }
}

fn quick(settings: Settings) -> Settings {
    Settings { rounds: 40, ..settings }
}

/// 10,000 rows: near and far numbers, the model's own thresholds and their neighbours, zeros of every kind, categories
/// that are unseen, negative, huge or fractional.
fn probing_rows(text: &str) -> Vec<f64> {
    let thresholds: Vec<f64> = text
        .lines()
        .filter_map(|line| line.strip_prefix("threshold="))
        .flat_map(|list| list.split(' ').filter_map(|word| word.parse().ok()))
        .collect();
    let edges = [
        0.0,
        -0.0,
        1e-35,
        -1e-35,
        1e-35_f32 as f64,
        9.9e-36,
        5e-324,
        -5e-324,
        1e-34,
        f64::MAX,
        f64::MIN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MIN_POSITIVE,
        1e300,
        -1e300,
        f64::NAN,
    ];
    let categories = [-1.0, -0.5, 0.5, 40.0, 41.9, 63.0, 64.0, 1e6, 2147483646.0, f64::NAN, -1e9, 39.99];
    let mut random = Pcg64::seed_from_u64(23);
    let mut rows = Vec::with_capacity(10_000 * COLUMNS);
    for _ in 0..10_000 {
        for column in 0..4 {
            let threshold = thresholds[random.random_range(0..thresholds.len())];
            rows.push(match random.random_range(0..6_u8) {
                0 => threshold,
                1 => threshold.next_up(),
                2 => threshold.next_down(),
                3 => edges[random.random_range(0..edges.len())],
                4 => random.random_range(-2000.0..2000.0),
                _ => [random.random_range(-30.0..40.0), random.random_range(900.0..1100.0), 1.0, 0.5][column],
            });
        }
        for count in [CATEGORIES, 3] {
            rows.push(match random.random_range(0..4_u8) {
                0 => categories[random.random_range(0..categories.len())],
                _ => random.random_range(0..count).into(),
            });
        }
    }
    rows
}

#[rstest]
#[case::boosted_binary(Objective::Binary, Settings::BOOSTED)]
#[case::boosted_regression(Objective::Regression, Settings::BOOSTED)]
#[case::random_forest_binary(Objective::Binary, Settings::FOREST)]
#[case::random_forest_regression(Objective::Regression, Settings::FOREST)]
fn the_forest_answers_what_lightgbm_answers(#[case] objective: Objective, #[case] settings: Settings) {
    let world = World::with(3000);
    let settings = quick(settings);
    let text = fit(&world.fit(objective, &settings)).unwrap();
    let forest = Forest::parse(&text).unwrap();
    assert_eq!(forest.n_trees(), 40);
    assert_eq!(forest.feature_names(), world.names);

    let rows = probing_rows(&text);
    let (raw, converted) = predict_native(&text, &rows, COLUMNS).unwrap();
    // LightGBM does not divide a random forest's raw score by its trees; its converted prediction does.
    let trees = match settings.boosting {
        Boosting::Gbdt => 1.0,
        Boosting::RandomForest => 40.0,
    };
    let mut distinct = std::collections::BTreeSet::new();
    for (row, values) in rows.chunks_exact(COLUMNS).enumerate() {
        assert_eq!(forest.raw(values).to_bits(), (raw[row] / trees).to_bits(), "row {row}: {values:?}");
        assert!((forest.score(values) - converted[row]).abs() <= 1e-12, "row {row}: {values:?}");
        distinct.insert(raw[row].to_bits());
    }
    assert!(distinct.len() > 1000, "the rows probe only {} answers", distinct.len());
}

/// Strict rows have no missing values, so no tree of ours asks for them; models from elsewhere do. Every numeric split
/// is given each missing type and default direction in turn.
#[test]
fn missing_values_go_where_lightgbm_sends_them() {
    let world = World::with(1000);
    let text = fit(&world.fit(Objective::Binary, &quick(Settings::BOOSTED))).unwrap();
    let mut kinds = [0, 2, 4, 6, 8, 10].into_iter().cycle();
    let mut resized = 0;
    let mut header = String::new();
    let mut trees = Vec::new();
    let (body, footer) = text.split_once("end of trees").unwrap();
    for (at, part) in body.split("Tree=").enumerate() {
        let lines = part.split_inclusive('\n').map(|line| match line.strip_prefix("decision_type=") {
            Some(list) => {
                let kinds = list.split_whitespace().map(|word| match word {
                    "1" => 1,
                    _ => kinds.next().unwrap(),
                });
                format!("decision_type={}\n", kinds.map(|kind| kind.to_string()).collect::<Vec<_>>().join(" "))
            }
            None => line.to_owned(),
        });
        let part: String = lines.collect();
        if at == 0 {
            header = part;
        } else {
            trees.push(format!("Tree={part}"));
        }
        resized += 1;
    }
    assert_eq!(resized, 41);
    let sizes: Vec<_> = trees.iter().map(|tree| tree.len().to_string()).collect();
    let (header, _) = header.split_once("tree_sizes=").unwrap();
    let text = format!("{header}tree_sizes={}\n\n{}end of trees{footer}", sizes.join(" "), trees.concat());

    let forest = Forest::parse(&text).unwrap();
    let rows = probing_rows(&text);
    let (raw, _) = predict_native(&text, &rows, COLUMNS).unwrap();
    for (row, values) in rows.chunks_exact(COLUMNS).enumerate() {
        assert_eq!(forest.raw(values).to_bits(), raw[row].to_bits(), "row {row}: {values:?}");
    }
}

#[rstest]
#[case::boosted(Settings::BOOSTED)]
#[case::random_forest(Settings::FOREST)]
fn a_nominal_feature_gives_categorical_splits(#[case] settings: Settings) {
    let world = World::with(1000);
    let settings = quick(settings);
    let sets = |fit: &Fit| -> u32 {
        let text = super::fit(fit).unwrap();
        text.lines().filter_map(|line| line.strip_prefix("num_cat=")).map(|n| n.parse::<u32>().unwrap()).sum()
    };
    let spec = world.fit(Objective::Binary, &settings);
    assert!(sets(&spec) > 0);
    assert_eq!(sets(&Fit { categorical: &[], ..spec }), 0);
}

#[test]
fn dataset_settings_reach_the_dataset() {
    let world = World::with(1000);
    let thresholds = |max_bin| {
        let settings = Settings { max_bin, ..quick(Settings::BOOSTED) };
        let text = fit(&world.fit(Objective::Binary, &settings)).unwrap();
        let lists = text.lines().filter_map(|line| line.strip_prefix("threshold="));
        lists.flat_map(|list| list.split(' ')).map(str::to_owned).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert!(thresholds(8) < thresholds(255) / 2);
}

#[rstest]
#[case::boosted(Settings::BOOSTED)]
#[case::random_forest(Settings::FOREST)]
fn the_same_inputs_give_the_same_bytes(#[case] settings: Settings) {
    let world = World::with(1000);
    let settings = quick(settings);
    let spec = world.fit(Objective::Binary, &settings);
    let text = fit(&spec).unwrap();
    assert_eq!(fit(&spec).unwrap(), text);
    assert_ne!(fit(&Fit { seed: 12, ..spec }).unwrap(), text);
    let elsewhere = std::thread::scope(|scope| scope.spawn(|| fit(&spec).unwrap()).join().unwrap());
    assert_eq!(elsewhere, text);
}

#[test]
fn gain_is_found_where_it_was_put() {
    let world = World::with(2000);
    let forest = Forest::parse(&fit(&world.fit(Objective::Regression, &quick(Settings::BOOSTED))).unwrap()).unwrap();
    assert!(forest.importance().iter().all(|gain| *gain > 0.0));
    let constant: Vec<f64> =
        world.features.chunks_exact(COLUMNS).flat_map(|row| [&[1.0], &row[1..]].concat()).collect();
    let settings = quick(Settings::BOOSTED);
    let spec = Fit { features: &constant, ..world.fit(Objective::Regression, &settings) };
    assert_eq!(Forest::parse(&fit(&spec).unwrap()).unwrap().importance()[0], 0.0);
}

/// Nothing to learn: one constant tree, whose text has empty lists.
#[rstest]
#[case::one_class(Objective::Binary)]
#[case::one_value(Objective::Regression)]
fn a_constant_label_gives_a_constant_forest(#[case] objective: Objective) {
    let world = World::with(100);
    let settings = quick(Settings::BOOSTED);
    let labels = vec![1.0; 100];
    let text = fit(&Fit { labels: &labels, ..world.fit(objective, &settings) }).unwrap();
    let forest = Forest::parse(&text).unwrap();
    let (raw, converted) = predict_native(&text, &world.features, COLUMNS).unwrap();
    let row = &world.features[..COLUMNS];
    assert_eq!((forest.raw(row), forest.score(row)), (raw[0], converted[0]));
    assert_eq!(forest.importance(), [0.0; COLUMNS]);
}

#[test]
fn rounds_are_reported_as_they_end() {
    let world = World::with(200);
    let settings = Settings { rounds: 3, ..Settings::BOOSTED };
    let mut rounds = Vec::new();
    fit_watched(&world.fit(Objective::Binary, &settings), |round| {
        rounds.push(round);
    })
    .unwrap();
    assert_eq!(rounds, [1, 2, 3]);
}

#[rstest]
#[case::rounds(Settings { rounds: 0, ..Settings::BOOSTED }, "rounds")]
#[case::rate(Settings { learning_rate: f64::NAN, ..Settings::BOOSTED }, "learning_rate")]
#[case::leaves(Settings { num_leaves: 1, ..Settings::BOOSTED }, "num_leaves")]
#[case::penalty(Settings { lambda_l2: -1.0, ..Settings::BOOSTED }, "lambda_l2")]
#[case::features(Settings { feature_fraction: 0.0, ..Settings::BOOSTED }, "feature_fraction")]
#[case::bags(Settings { bagging_fraction: 1.5, ..Settings::BOOSTED }, "bagging_fraction")]
#[case::forest_without_bags(Settings { bagging_fraction: 1.0, ..Settings::FOREST }, "bagging_fraction")]
#[case::forest_never_bagged(Settings { bagging_freq: 0, ..Settings::FOREST }, "bagging_fraction")]
#[case::bins(Settings { max_bin: 1, ..Settings::BOOSTED }, "max_bin")]
#[case::threads(Settings { threads: 0, ..Settings::BOOSTED }, "threads")]
fn a_setting_out_of_bounds_is_refused(#[case] settings: Settings, #[case] named: &str) {
    let world = World::with(10);
    let error = fit(&world.fit(Objective::Binary, &settings)).unwrap_err();
    assert!(matches!(error, LightGbmError::Setting { key, .. } if key == named), "{error}");
}

/// Ten good rows, for a test to bend.
struct Given {
    features: Vec<f64>,
    names: Vec<String>,
    categorical: Vec<usize>,
    labels: Vec<f32>,
    objective: Objective,
}

fn shape(rows: usize, columns: usize, values: usize) -> LightGbmError {
    LightGbmError::Shape { rows, columns, values }
}

fn name(name: &str) -> LightGbmError {
    LightGbmError::Name { name: name.to_owned() }
}

#[rstest]
#[case::too_few_labels(|given: &mut Given| given.labels.truncate(9), shape(9, 6, 60))]
#[case::too_few_names(|given: &mut Given| given.names.truncate(5), shape(10, 5, 60))]
#[case::too_few_values(|given: &mut Given| given.features.truncate(59), shape(10, 6, 59))]
#[case::no_rows(|given: &mut Given| { given.labels.clear(); given.features.clear(); }, shape(0, 6, 0))]
#[case::space_in_a_name(|given: &mut Given| given.names[0] = "a b".into(), name("a b"))]
#[case::colon_in_a_name(|given: &mut Given| given.names[1] = "a:b".into(), name("a:b"))]
#[case::nul_in_a_name(|given: &mut Given| given.names[1] = "a\0b".into(), name("a\0b"))]
#[case::empty_name(|given: &mut Given| given.names[0].clear(), name(""))]
#[case::name_twice(|given: &mut Given| given.names[0] = "pressure".into(), name("pressure"))]
#[case::no_such_column(|given: &mut Given| given.categorical = vec![6], LightGbmError::Categorical { column: 6 })]
#[case::column_twice(|given: &mut Given| given.categorical = vec![4, 4], LightGbmError::Categorical { column: 4 })]
#[case::half_a_label(|given: &mut Given| given.labels[3] = 0.5, LightGbmError::Label { row: 3 })]
#[case::endless_label(
    |given: &mut Given| { given.objective = Objective::Regression; given.labels[3] = f32::INFINITY; },
    LightGbmError::Label { row: 3 }
)]
#[case::not_a_number(|given: &mut Given| given.features[13] = f64::NAN, LightGbmError::Feature { row: 2, column: 1 })]
#[case::negative_category(|given: &mut Given| given.features[16] = -1.0, LightGbmError::Feature { row: 2, column: 4 })]
#[case::half_a_category(|given: &mut Given| given.features[16] = 0.5, LightGbmError::Feature { row: 2, column: 4 })]
#[case::huge_category(|given: &mut Given| given.features[16] = 3e9, LightGbmError::Feature { row: 2, column: 4 })]
fn what_does_not_fit_is_refused_before_lightgbm_sees_it(#[case] bend: fn(&mut Given), #[case] error: LightGbmError) {
    let world = World::with(10);
    let mut given = Given {
        features: world.features,
        names: world.names,
        categorical: vec![4, 5],
        labels: world.binary,
        objective: Objective::Binary,
    };
    bend(&mut given);
    let spec = Fit {
        features: &given.features,
        names: &given.names,
        categorical: &given.categorical,
        labels: &given.labels,
        objective: given.objective,
        settings: &Settings::BOOSTED,
        seed: 0,
    };
    assert_eq!(fit(&spec), Err(error));
}

#[test]
fn what_lightgbm_refuses_is_an_error_with_its_words() {
    let error = Booster::read("tree\nnum_class=1\n\n").err().unwrap();
    assert!(error.to_string().starts_with("LightGBM could not read a model: "), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Small random worlds, so that odd trees (few rows, few bins, single leaves) are met as well.
    #[test]
    fn any_small_forest_answers_what_lightgbm_answers(
        rows in 2_usize..120,
        num_leaves in 2_u32..12,
        min_data_in_leaf in 1_u32..20,
        max_bin in 2_u32..20,
        seed in any::<u64>(),
        forest in any::<bool>(),
    ) {
        let world = World::with(rows);
        let base = if forest { Settings::FOREST } else { Settings::BOOSTED };
        let settings = Settings { rounds: 8, num_leaves, min_data_in_leaf, max_bin, min_data_in_bin: 1, ..base };
        let text = fit(&Fit { seed, ..world.fit(Objective::Binary, &settings) }).unwrap();
        let forest = Forest::parse(&text).unwrap();
        let (_, converted) = predict_native(&text, &world.features, COLUMNS).unwrap();
        for (values, native) in world.features.chunks_exact(COLUMNS).zip(converted) {
            prop_assert_eq!(forest.score(values).to_bits(), native.to_bits());
        }
    }
}
