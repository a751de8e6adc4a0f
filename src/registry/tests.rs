//! Bundles published, damaged in every way, fetched and compared; on disk, where they can be damaged.
#![expect(clippy::disallowed_methods, reason = "damages files, and asks sha256sum")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use rstest::rstest;
use tempfile::TempDir;

use super::testing::{bundle, candidate, published};
use super::*;
use crate::contract::Task;
use crate::store::{Disk, Durability, Memory, Store};
use crate::train::worlds::World;
use crate::train::{Family, Path};
use crate::types::Timestamp;

/// A workspace on disk with one published version.
struct Shelf {
    folder: TempDir,
    store: Disk,
    bundle: Bundle,
}

impl Shelf {
    fn with(world: &World) -> Shelf {
        let folder = tempfile::tempdir().unwrap();
        let store = Disk::open(folder.path().to_owned(), Durability::Batched).unwrap();
        let bundle = published(world, &store);
        Shelf { folder, store, bundle }
    }

    fn place(&self) -> PathBuf {
        self.folder.path().join(format!("registry/{}/{}", self.bundle.model, self.bundle.version))
    }

    fn overwrite(&self, file: &str, bytes: &[u8]) {
        let path = self.place().join(file);
        if path.exists() {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        fs::write(path, bytes).unwrap();
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.place().join(file)).unwrap();
    }

    fn damage(&self) -> Vec<Damage> {
        verify(&self.store, &self.bundle.model, self.bundle.version, None).unwrap().damage
    }

    fn fetch(&self) -> Result<VerifiedModel, RegistryError> {
        fetch(&self.store, &self.bundle.model, self.bundle.version)?.into_model()
    }
}

/// A bundle in memory with one file changed before it was sealed: every byte is as published, and something is wrong.
fn sealed_with(change: impl Fn(&str, Vec<u8>) -> Vec<u8>) -> Result<VerifiedModel, RegistryError> {
    let world = World::rain();
    let mut bundle = bundle(&world, &candidate(&world, &world.plan(Path::Baseline)));
    bundle.files = bundle.files.into_iter().map(|(name, bytes)| (name.clone(), change(&name, bytes))).collect();
    bundle.manifest = Manifest::of(&bundle.files);
    let store = Memory::new();
    publish_bundle(&store, &bundle)?;
    fetch(&store, &bundle.model, bundle.version)?.into_model()
}

fn replaced(file: &'static str, from: &'static str, to: &'static str) -> impl Fn(&str, Vec<u8>) -> Vec<u8> {
    move |name, bytes| {
        if name != file {
            return bytes;
        }
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        text.replacen(from, to, 1).into_bytes()
    }
}

#[rstest]
#[case::binary(World::rain())]
#[case::regression(World::amount())]
fn what_is_fetched_answers_as_what_was_trained(#[case] world: World) {
    for family in Family::ALL.into_iter().filter(|family| family.fits(world.contract.task())) {
        let mut plan = world.plan(Path::Baseline);
        plan.rules.families = vec![family].into();
        let candidate = candidate(&world, &plan);
        let bundle = bundle(&world, &candidate);
        let store = Memory::new();
        publish_bundle(&store, &bundle).unwrap();
        let verified = fetch(&store, &plan.model, plan.version).unwrap().into_model().unwrap();
        for vector in &world.rows(200, 9).vectors {
            assert_eq!(verified.scorer().score(vector), candidate.scorer.score(vector));
        }
        assert_eq!(verified.digest(), bundle.manifest().digest());
        assert_eq!(verified.profile(), &candidate.profile);
        assert_eq!(verified.metrics(), candidate.metrics.metrics);
        assert_eq!(verified.calibrated_on(), candidate.calibrated_on);
        assert_eq!(verified.contract(), &world.contract);
        assert_eq!(verified.threshold().is_some(), world.contract.task() == Task::Binary);
        assert_eq!(verified.metadata().parents.plan, plan.digest().unwrap());
        assert_eq!(verified.metadata().parents.contract.sha256, world.registered().sha256);
    }
}

#[test]
fn the_same_plan_publishes_once_and_succeeds_twice() {
    let world = World::rain();
    let store = Memory::new();
    let plan = world.plan(Path::Baseline);
    let one = publish_bundle(&store, &bundle(&world, &candidate(&world, &plan))).unwrap();
    let two = publish_bundle(&store, &bundle(&world, &candidate(&world, &plan))).unwrap();
    assert_eq!(one, two);
    let mut other = plan.clone();
    other.attempt = 2;
    let error = publish_bundle(&store, &bundle(&world, &candidate(&world, &other))).unwrap_err();
    assert!(matches!(error, RegistryError::AlreadyExists { existing, .. } if existing == one.digest()), "{error}");
    assert_eq!(versions(&store, &plan.model).unwrap(), [plan.version]);
}

#[test]
fn a_candidate_is_published_with_its_registered_contract() {
    let world = World::rain();
    let store = Memory::new();
    let candidate = candidate(&world, &world.plan(Path::Baseline));
    let registered = world.registered();
    let missing = publish(&store, &candidate, &registered, Timestamp::EPOCH).unwrap_err();
    assert!(matches!(missing, RegistryError::Store(StoreError::NotFound { .. })));
    let key = Key::new("registry/rain/contracts/1.0.0.yaml").unwrap();
    store.create(&key, (&world.bytes).into()).unwrap();
    let manifest = publish(&store, &candidate, &registered, Timestamp::EPOCH).unwrap();
    assert_eq!(&manifest, bundle(&world, &candidate).manifest());
    assert_eq!(versions(&store, &candidate.plan.model).unwrap(), [candidate.plan.version], "contracts are passed over");
    let error = Bundle::of(&candidate, &world.contract, b"contract: other\n", Timestamp::EPOCH).unwrap_err();
    assert!(matches!(error, RegistryError::WrongContract { .. }));
}

#[test]
fn sha256sum_agrees_and_files_are_read_only() {
    let shelf = Shelf::with(&World::rain());
    for entry in fs::read_dir(shelf.place()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o444);
    }
    let checked = Command::new("sha256sum").args(["--check", "--strict", MANIFEST]).current_dir(shelf.place()).output();
    let Ok(checked) = checked else { return };
    assert!(checked.status.success(), "{checked:?}");
    assert_eq!(String::from_utf8_lossy(&checked.stdout).matches(": OK").count(), shelf.bundle.files.len());
}

#[test]
fn any_flipped_byte_is_found_and_named() {
    let shelf = Shelf::with(&World::rain());
    assert_eq!(shelf.damage(), []);
    for (file, bytes) in &shelf.bundle.files {
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            shelf.overwrite(file, &flipped);
            let damage = shelf.damage();
            assert!(matches!(&damage[..], [Damage::Altered { file: named, .. }] if named == file), "{damage:?}");
            let error = shelf.fetch().unwrap_err();
            assert!(matches!(error, RegistryError::Damaged { .. }) && error.to_string().contains(file.as_str()));
        }
        shelf.overwrite(file, bytes);
    }
    let manifest = shelf.bundle.manifest.to_string().into_bytes();
    for at in [0, 64, 70, manifest.len() - 1] {
        let mut flipped = manifest.clone();
        flipped[at] ^= 1;
        shelf.overwrite(MANIFEST, &flipped);
        assert_ne!(shelf.damage(), [], "byte {at} of the manifest");
        assert!(shelf.fetch().is_err());
    }
}

#[test]
fn missing_extra_swapped_and_strange_files_are_named() {
    let named = |damage: fn(&Shelf)| {
        let shelf = Shelf::with(&World::rain());
        damage(&shelf);
        assert!(matches!(shelf.fetch(), Err(RegistryError::Damaged { .. })));
        shelf.damage().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(named(|shelf| shelf.remove("profile.json")), ["profile.json is missing"]);
    assert_eq!(named(|shelf| shelf.remove(MANIFEST)), ["MANIFEST.sha256 is missing"]);
    assert_eq!(named(|shelf| shelf.overwrite("notes.txt", b"x")), ["notes.txt is not in MANIFEST.sha256"]);
    assert_eq!(named(|shelf| shelf.overwrite(".hidden", b"x")), [".hidden is not in MANIFEST.sha256"]);
    let swapped = named(|shelf| {
        shelf.overwrite("metrics.json", &shelf.bundle.files["profile.json"]);
        shelf.overwrite("profile.json", &shelf.bundle.files["metrics.json"]);
    });
    assert_eq!(
        swapped,
        ["metrics.json holds what belongs in profile.json", "profile.json holds what belongs in metrics.json"]
    );
    let folder = named(|shelf| {
        shelf.remove("profile.json");
        fs::create_dir(shelf.place().join("profile.json")).unwrap();
    });
    assert_eq!(folder, ["profile.json is not a regular file", "profile.json is missing"]);
    let link = named(|shelf| {
        shelf.remove("profile.json");
        symlink("metrics.json", shelf.place().join("profile.json")).unwrap();
    });
    assert_eq!(link, ["profile.json is not a regular file"]);
}

#[test]
fn another_manifest_than_the_recorded_one_is_found() {
    let shelf = Shelf::with(&World::rain());
    let recorded = Some(Digest::of("another"));
    let found = verify(&shelf.store, &shelf.bundle.model, shelf.bundle.version, recorded).unwrap();
    assert!(matches!(&found.damage[..], [Damage::OtherManifest { .. }]));
    let recorded = Some(shelf.bundle.manifest.digest());
    let found = verify(&shelf.store, &shelf.bundle.model, shelf.bundle.version, recorded).unwrap();
    assert_eq!((found.damage.len(), found.files, found.digest), (0, 12, recorded));
}

#[test]
fn what_was_never_published_is_absent_and_not_damaged() {
    let world = World::rain();
    let error = fetch(&Memory::new(), world.contract.name(), Version::FIRST).unwrap_err();
    assert!(error.is_absent());
    assert_eq!(error.to_string(), "find rain 1.0.0: there is no such version");
}

#[rstest]
#[case::version("metadata.yaml", "version: 1.0.0", "version: 1.0.1", "metadata.yaml names another version")]
#[case::plan("metadata.yaml", "attempt: 1", "attempt: 2", "metadata.yaml and its plan differ")]
#[case::task("metadata.yaml", "task: binary", "task: regression", "differ in the task")]
#[case::contract("contract.yaml", "schema: weather", "schema: climate", "not the contract that metadata.yaml names")]
#[case::contract_model("contract.yaml", "contract: rain", "contract: snow", "contract.yaml is of another model")]
#[case::table("preprocessor.json", "\"north\"", "\"nord\"", "does not follow from contract.yaml")]
#[case::profile("profile.json", "\"wind\"", "\"gust\"", "the contract")]
#[case::newer("metrics.json", "\"format_version\": 1", "\"format_version\": 2", "its format_version is 2")]
#[case::unknown_key("metrics.json", "\"rows\"", "\"lines\"", "unknown field `lines`")]
#[case::margins("calibration_data.csv", "score,label\n", "score,label\nx,1\n", "line 2 is not two finite numbers")]
#[case::self_test("selftest.json", "\"expected\": [\n    0.", "\"expected\": [\n    1.", "trust rain 1.0.0")]
fn files_that_do_not_belong_together_are_refused(
    #[case] file: &'static str,
    #[case] from: &'static str,
    #[case] to: &'static str,
    #[case] says: &str,
) {
    let error = sealed_with(replaced(file, from, to)).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

#[test]
fn a_model_that_answers_otherwise_is_refused() {
    let shifted = |name: &str, bytes: Vec<u8>| {
        if name != "model.json" {
            return bytes;
        }
        let mut model: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        model["intercept"] = 1e-3.into();
        serde_json::to_vec(&model).unwrap()
    };
    let error = sealed_with(shifted).unwrap_err();
    assert!(matches!(error, RegistryError::SelfTest { .. }), "{error}");
}

#[test]
fn versions_can_be_shown_and_compared() {
    let world = World::rain();
    let store = Memory::new();
    let first = published(&world, &store);
    let mut plan = world.plan(Path::Candidate);
    plan.version = next_version(&versions(&store, &plan.model).unwrap(), 1, Publication::Model);
    publish_bundle(&store, &bundle(&world, &candidate(&world, &plan))).unwrap();
    assert_eq!(versions(&store, &plan.model).unwrap(), [Version::FIRST, Version::new(1, 1, 0)]);
    let summary = show(&store, &plan.model, Version::FIRST).unwrap();
    assert_eq!(summary.digest, first.manifest.digest());
    assert_eq!(summary.importance[0].0, "wind");
    let difference = diff(&store, &plan.model, Version::FIRST, plan.version).unwrap();
    let changed: Vec<&str> = difference.files.iter().map(|(name, _)| name.as_str()).collect();
    assert!(changed.contains(&"metadata.yaml") && !changed.contains(&"contract.yaml"), "{changed:?}");
    let (auc, one, other) = &difference.metrics[0];
    assert!(auc == "auc" && one.is_some() && other.is_some());
    assert_eq!(diff(&store, &plan.model, plan.version, plan.version).unwrap().files, []);
}

#[test]
fn people_and_mlflow_can_read_a_bundle() {
    let world = World::rain();
    let mut plan = world.plan(Path::Baseline);
    plan.rules.families = vec![Family::Gbdt].into();
    let bundle = bundle(&world, &candidate(&world, &plan));
    let text = |file: &str| String::from_utf8(bundle.files[file].clone()).unwrap();
    let card = text("MODEL_CARD.md");
    for says in
        ["# rain 1.0.0", "the probability of `rain`", "| auc |", "| wind |", &plan.digest().unwrap().to_string()]
    {
        assert!(card.contains(says), "no {says} in\n{card}");
    }
    let mlmodel = text("MLmodel");
    assert!(
        mlmodel.contains("data: model.txt") && mlmodel.contains("model_class: lightgbm.basic.Booster"),
        "{mlmodel}"
    );
    assert!(mlmodel.contains("utc_time_created: '1970-01-01 00:00:00.000000'"), "{mlmodel}");
    assert!(!mlmodel.contains("python_function"));
    let loaded = crate::scoring::Forest::parse(&text("model.txt")).unwrap();
    assert_eq!(loaded.feature_names(), ["wind", "heat", "place", "size"]);
}

#[test]
fn a_stand_in_speaks_for_its_own_contract() {
    let (rain, amount) = (testing::verified(&World::rain()), testing::verified(&World::amount()));
    assert_eq!(rain.error_clip(), 1.0);
    assert!(amount.error_clip() > 0.5 && amount.error_clip() < 5.0);
    let version = Version::new(3, 0, 0);
    let scorer = amount.scorer().clone();
    let stand_in = VerifiedModel::stand_in(amount.contract().clone(), amount.profile().clone(), version, scorer);
    assert_eq!((stand_in.name(), stand_in.version()), (amount.name(), version));
}

/// A disk that acknowledges and forgets a bit.
struct Forgetful(Memory);

impl Store for Forgetful {
    fn create(&self, key: &Key, body: crate::store::Body<'_>) -> Result<(), StoreError> {
        self.0.create(key, body)
    }

    fn create_all(&self, folder: &Key, files: Vec<(String, crate::store::Body<'_>)>) -> Result<(), StoreError> {
        let mut bodies = Vec::new();
        for (name, mut body) in files {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut body, &mut bytes).unwrap();
            if name == "profile.json" {
                bytes[9] ^= 1;
            }
            bodies.push((name, bytes));
        }
        self.0.create_all(folder, bodies.iter().map(|(name, bytes)| (name.clone(), bytes.into())).collect())
    }

    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        self.0.read(key)
    }

    fn read_range(&self, key: &Key, offset: u64, wanted: usize) -> Result<Vec<u8>, StoreError> {
        self.0.read_range(key, offset, wanted)
    }

    fn len(&self, key: &Key) -> Result<u64, StoreError> {
        self.0.len(key)
    }

    fn list(&self, folder: &Key) -> Result<Vec<Key>, StoreError> {
        self.0.list(folder)
    }

    fn list_folder(&self, folder: &Key) -> Result<Vec<String>, StoreError> {
        self.0.list_folder(folder)
    }
}

#[test]
fn what_is_published_is_read_back() {
    let world = World::rain();
    let bundle = bundle(&world, &candidate(&world, &world.plan(Path::Baseline)));
    let error = publish_bundle(&Forgetful(Memory::new()), &bundle).unwrap_err();
    assert!(matches!(error, RegistryError::Damaged { .. }) && error.to_string().contains("profile.json"), "{error}");
}

/// Every key below a store with its bytes.
fn all(store: &dyn Store) -> std::collections::BTreeMap<String, Vec<u8>> {
    let keys = store.list(&Key::new("registry").unwrap()).unwrap();
    keys.iter().map(|key| (key.to_string(), store.read(key).unwrap())).collect()
}

#[test]
fn a_version_is_carried_to_another_registry_with_its_signatures() {
    let (here, there) = (Memory::new(), Memory::new());
    let Bundle { model, version, manifest, .. } = published(&World::rain(), &here);
    let key = PrivateKey::from_random(&[7; 32]).unwrap();
    sign(&here, &model, version, &key).unwrap();
    let bytes = export(&here, &model, version).unwrap().print().unwrap();
    assert_eq!(bytes, export(&here, &model, version).unwrap().print().unwrap(), "the same version, the same bytes");
    let trusted = |by: &PrivateKey| SignatureRules {
        mode: SignatureMode::Require,
        trusted: [("release".to_owned(), by.public().unwrap())].into(),
    };

    // By somebody who is not trusted there: nothing is written.
    let stranger = trusted(&PrivateKey::from_random(&[8; 32]).unwrap());
    let refused = import(&there, Archive::read(&bytes).unwrap(), &stranger).unwrap_err();
    assert!(matches!(refused, RegistryError::Untrusted { .. }), "{refused}");
    assert_eq!(all(&there), Default::default());

    let imported = import(&there, Archive::read(&bytes).unwrap(), &trusted(&key)).unwrap();
    assert_eq!((imported.digest, imported.was_there), (manifest.digest(), false));
    assert_eq!((imported.files, imported.signatures, &imported.signed), (12, 1, &Signed::By("release".to_owned())));
    assert_eq!(all(&here), all(&there));
    let again = import(&there, Archive::read(&bytes).unwrap(), &trusted(&key)).unwrap();
    assert!(again.was_there);
    assert_eq!(all(&here), all(&there));
    fetch_trusted(&there, &model, version, Some(manifest.digest()), &trusted(&key)).unwrap();
}

#[test]
fn another_version_under_the_same_number_is_a_conflict_and_leaves_no_trace() {
    let world = World::rain();
    let (here, there) = (Memory::new(), Memory::new());
    let Bundle { model, version, .. } = published(&world, &here);
    sign(&here, &model, version, &PrivateKey::from_random(&[7; 32]).unwrap()).unwrap();
    let mut other = world.plan(Path::Baseline);
    other.attempt = 2;
    publish_bundle(&there, &bundle(&world, &candidate(&world, &other))).unwrap();
    let before = all(&there);
    let archive = export(&here, &model, version).unwrap();
    let error = import(&there, archive.clone(), &SignatureRules::default()).unwrap_err();
    assert!(matches!(error, RegistryError::AlreadyExists { .. }), "{error}");
    assert_eq!(all(&there), before);

    // Nor does a version enter whose contract is another one here.
    let elsewhere = Memory::new();
    elsewhere.create(&Key::new("registry/rain/contracts/1.0.0.yaml").unwrap(), "other".into()).unwrap();
    let error = import(&elsewhere, archive, &SignatureRules::default()).unwrap_err();
    assert!(error.to_string().contains("is not the one that is registered here as 1.0.0"), "{error}");
    assert_eq!(all(&elsewhere).len(), 1);
}

#[test]
fn what_is_damaged_does_not_leave() {
    let shelf = Shelf::with(&World::rain());
    shelf.overwrite("profile.json", b"{}");
    assert!(matches!(
        export(&shelf.store, &shelf.bundle.model, shelf.bundle.version),
        Err(RegistryError::Damaged { .. })
    ));
}
