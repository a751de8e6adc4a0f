//! Bundles whose files somebody edited and sealed again: nothing panics, and what is still taken still answers; tests only.
#![expect(clippy::disallowed_methods, reason = "reads the broken inputs of tests/data")]

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use rstest::rstest;

use super::testing::{bundle, candidate};
use super::verify::Opened;
use super::*;
use crate::store::Memory;
use crate::train::worlds::World;
use crate::train::{Family, Path};
use crate::types::read_json;

/// One bundle of each family that a file of its own stands behind.
static BUNDLES: LazyLock<Vec<Bundle>> = LazyLock::new(|| {
    let of = |world: World, family| {
        let mut plan = world.plan(Path::Baseline);
        plan.rules.families = vec![family].into();
        bundle(&world, &candidate(&world, &plan))
    };
    vec![
        of(World::rain(), Family::Logistic),
        of(World::rain(), Family::Gbdt),
        of(World::rain(), Family::RandomForest),
        of(World::amount(), Family::Gbdt),
    ]
});

/// Load a bundle as it stands, sealed by whoever changed it.
fn load(bundle: &Bundle) -> Result<VerifiedModel, RegistryError> {
    let manifest = Some(Manifest::of(&bundle.files));
    let opened = Opened { manifest, files: bundle.files.clone(), damage: Vec::new() };
    fetch::load(&bundle.model, bundle.version, opened)?.into_model()
}

#[rstest]
#[case("preprocessor-key-twice", "`name` is given twice")]
#[case("preprocessor-unknown-key", "unknown field `script`")]
#[case("preprocessor-trailing-value", "trailing characters")]
fn a_broken_preprocessor_is_refused(#[case] defect: &str, #[case] says: &str) {
    let path = format!("{}/tests/data/{defect}/preprocessor.json", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let error = read_json::<Preprocessor>(&bytes).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
    let mut bundle = BUNDLES[0].clone();
    bundle.files.insert("preprocessor.json".to_owned(), bytes);
    assert!(load(&bundle).unwrap_err().to_string().contains(says));
}

/// One key twice in any JSON file of a bundle: the first, or the last, whatever a reader takes, nobody takes it.
#[test]
fn a_key_twice_is_refused_in_every_file() {
    for bundle in BUNDLES.iter() {
        for (name, bytes) in bundle.files.iter().filter(|(name, _)| name.ends_with(".json")) {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let twice = text.replacen("\"format_version\": 1", "\"format_version\": 1,\n\"format_version\": 1", 1);
            assert_ne!(text, twice, "{name}");
            let mut changed = bundle.clone();
            changed.files.insert(name.clone(), twice.into_bytes());
            let error = load(&changed).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("`format_version` is given twice"), "{error}");
        }
    }
}

/// What may answer has a model, and what has none is watched: a bundle that says both, or neither, is no version.
#[test]
fn a_bundle_is_of_a_model_or_of_none_and_never_of_both() {
    let world = World::rain();
    let plan = crate::train::Plan { path: Path::MonitorOnly, ..world.plan(Path::Baseline) };
    let encoded = world.rows(300, 1);
    let predictions: Vec<f64> = (0..encoded.target.len()).map(|row| (row % 10) as f64 / 10.0).collect();
    let said = crate::contract::Said {
        vectors: encoded.vectors,
        predictions,
        target: Some(encoded.target),
        slices: encoded.slices,
    };
    let portrait = crate::train::portray(&plan, &said, &world.contract).unwrap();
    let watched = Bundle::of_portrait(&portrait, &world.bytes, crate::types::Timestamp::EPOCH).unwrap();
    let store = Memory::new();
    publish_bundle(&store, &watched).unwrap();
    let fetched = fetch(&store, &watched.model, watched.version).unwrap();
    assert!(fetched.model().is_none() && !fetched.metrics().is_empty());
    assert_eq!(fetched.learned_rows(), 300);
    assert!(matches!(fetched.into_model(), Err(RegistryError::MonitorOnly { .. })));

    let model = &BUNDLES[0];
    let says = |bundle: &Bundle| load(bundle).unwrap_err().to_string();
    let with = |bundle: &Bundle, name: &str, bytes: Vec<u8>| {
        let mut changed = bundle.clone();
        changed.files.insert(name.to_owned(), bytes);
        changed
    };
    let text = |bundle: &Bundle| String::from_utf8(bundle.files["metadata.yaml"].clone()).unwrap();
    let renamed = |bundle: &Bundle, from: &str, to: &str| {
        with(
            bundle,
            "metadata.yaml",
            text(bundle).replace(&format!("path: {from}"), &format!("path: {to}")).into_bytes(),
        )
    };
    assert!(
        says(&with(&watched, "model.json", model.files["model.json"].clone()))
            .contains("model.json is no file of a monitor-only")
    );
    assert!(says(&renamed(model, "baseline", "monitor-only")).contains("of a model the contrary"));
    assert!(says(&renamed(&watched, "monitor-only", "baseline")).contains("of a model the contrary"));
    let mut without = model.clone();
    without.files.remove("model.json");
    assert!(says(&without).contains("lists no model.json"));
    assert!(
        crate::train::train(&plan, &world.rows(600, 1), &world.contract).is_err(),
        "nothing is fitted by that plan"
    );
    assert!(crate::train::portray(&world.plan(Path::Baseline), &said, &world.contract).is_err());
}

#[test]
fn a_self_test_that_asks_nothing_proves_nothing() {
    let mut bundle = BUNDLES[0].clone();
    let empty = b"{\"format_version\": 1, \"vectors\": [], \"expected\": []}".to_vec();
    bundle.files.insert("selftest.json".to_owned(), empty);
    assert!(load(&bundle).unwrap_err().to_string().contains("selftest.json asks nothing"));
}

#[test]
fn what_could_not_serve_is_not_published() {
    let mut bundle = BUNDLES[0].clone();
    bundle.files.insert("metrics.json".to_owned(), b"{}".to_vec());
    bundle.manifest = Manifest::of(&bundle.files);
    let store = Memory::new();
    assert!(matches!(publish_bundle(&store, &bundle), Err(RegistryError::Unreadable { .. })));
    assert_eq!(versions(&store, &bundle.model).unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_edit_of_any_file_panics(
        which in any::<Index>(),
        file in any::<Index>(),
        edits in prop::collection::vec((any::<Index>(), 0..8_usize, prop::collection::vec(any::<u8>(), 0..8)), 1..4),
    ) {
        let mut bundle = BUNDLES[which.index(BUNDLES.len())].clone();
        let name = bundle.files.keys().nth(file.index(bundle.files.len())).unwrap().clone();
        let bytes = bundle.files.get_mut(&name).unwrap();
        for (at, length, with) in edits {
            let at = at.index(bytes.len() + 1);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, with);
        }
        if let Ok(verified) = load(&bundle) {
            let row = vec![1.0; verified.scorer().model().n_features()];
            prop_assert!(verified.scorer().score(&row).prediction.is_finite());
        }
    }

    /// Digits are what an edit of a number changes.
    #[test]
    fn no_other_number_panics(
        which in any::<Index>(),
        at in any::<Index>(),
        number in prop::sample::select(vec!["0", "-1", "1e308", "-1e308", "1e-320", "18446744073709551615", "4294967296", "nan", "inf", "1e999"]),
    ) {
        let mut bundle = BUNDLES[which.index(BUNDLES.len())].clone();
        let numbers = ["model.txt", "model.json", "calibration.json", "profile.json", "selftest.json"];
        for name in numbers {
            let Some(bytes) = bundle.files.get_mut(name) else { continue };
            let text = String::from_utf8(bytes.clone()).unwrap();
            let digits: Vec<_> = text.match_indices(|c: char| c.is_ascii_digit()).collect();
            let (start, _) = digits[at.index(digits.len())];
            let end = start + text[start..].find(|c: char| !(c.is_ascii_digit() || ".eE+-".contains(c))).unwrap_or(0);
            *bytes = format!("{}{number}{}", &text[..start], &text[end..]).into_bytes();
        }
        if let Ok(verified) = load(&bundle) {
            let row = vec![1.0; verified.scorer().model().n_features()];
            prop_assert!(!verified.scorer().score(&row).prediction.is_nan());
        }
    }
}
