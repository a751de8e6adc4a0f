//! Signatures of ours and of `model-signing` for Python 1.1.1, made in tests/data/golden-signature; each forgery by its name.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::envelope::SignatureError as E;
use super::statement::StatementFault as S;
use super::*;
use crate::registry::testing::published;
use crate::registry::{Bundle, Manifest, RegistryError, fetch_trusted};
use crate::store::{Key, Memory, Store};
use crate::train::worlds::World;
use crate::types::{Digest, ModelName, Version};

const THEIRS: &str = include_str!("../../../tests/data/golden-signature/signature.json");
const THEIR_KEY: &str = include_str!("../../../tests/data/golden-signature/public.pem");
const MANIFEST: &str = include_str!("../../../tests/data/golden-signature/1.0.0/MANIFEST.sha256");

fn manifest() -> Manifest {
    Manifest::parse(MANIFEST.as_bytes()).unwrap()
}

fn model() -> ModelName {
    "rain".parse().unwrap()
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_random(&[seed; 32]).unwrap()
}

fn ours() -> Signature {
    Signature::make(&key(7), &Statement::of(&manifest()), &model(), Version::FIRST).unwrap()
}

fn by(name: &str, key: PublicKey) -> [(String, PublicKey); 1] {
    [(name.to_owned(), key)]
}

fn verify(signature: &[u8], keys: &[(String, PublicKey)]) -> Result<(String, Statement), SignatureError> {
    let signature = Signature::read(signature)?;
    let (name, statement) = signature.verify(keys.iter().map(|(name, key)| (name, key)))?;
    Ok((name.to_owned(), statement))
}

#[test]
fn what_python_signed_is_verified_here() {
    let keys = by("python", PublicKey::from_pem(THEIR_KEY).unwrap());
    let (name, statement) = verify(THEIRS.as_bytes(), &keys).unwrap();
    assert_eq!(name, "python");
    statement.states(&Statement::of(&manifest())).unwrap();
    let hint = THEIRS.split("\"hint\":\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(keys[0].1.hint().to_string(), hint, "the hint is the digest of the same text");
    assert_eq!(keys[0].1.to_pem(), THEIR_KEY);
}

/// The shape that `model-signing` writes: the same keys at the same places. `make test-signing` asks Python itself.
#[test]
fn what_is_signed_here_has_the_shape_of_pythons() {
    fn shape(value: &Value) -> Value {
        match value {
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
            Value::Array(list) => list.first().map(shape).into_iter().collect(),
            Value::String(_) => json!("text"),
            other => other.clone(),
        }
    }
    let theirs: Value = serde_json::from_str(THEIRS).unwrap();
    let ours: Value = serde_json::from_slice(&ours().print().unwrap()).unwrap();
    assert_eq!(shape(&ours), shape(&theirs));
    let payload = |bundle: &Value| -> Value {
        use base64::Engine as _;
        let text = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
        serde_json::from_slice(&base64::prelude::BASE64_STANDARD.decode(text).unwrap()).unwrap()
    };
    let (mut ours, mut theirs) = (payload(&ours), payload(&theirs));
    for statement in [&mut ours, &mut theirs] {
        // The two things that are ours to choose: what the subject is called, and what is not looked at.
        statement["subject"][0]["name"].take();
        statement["predicate"]["serialization"]["ignore_paths"].take();
    }
    assert_eq!(ours, theirs);
}

#[test]
fn a_key_signs_the_same_twice_and_no_other_key_stands_for_it() {
    let bytes = ours().print().unwrap();
    assert_eq!(bytes, ours().print().unwrap());
    let own = by("release", key(7).public().unwrap());
    assert_eq!(verify(&bytes, &own).unwrap().0, "release");
    let other = by("other", key(8).public().unwrap());
    assert!(matches!(verify(&bytes, &other), Err(E::OtherKey { .. })));
    assert!(matches!(verify(&bytes, &[]), Err(E::OtherKey { .. })));
}

#[test]
fn keys_are_read_in_every_form_that_openssl_writes() {
    let secret = key(7).to_pem().unwrap();
    assert!(secret.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert_eq!(PrivateKey::from_pem(&secret).unwrap().public(), key(7).public());
    let sec1 = include_str!("../../../tests/data/golden-signature/throw-away.pem");
    assert!(sec1.starts_with("-----BEGIN EC PARAMETERS-----"), "as `openssl ecparam -genkey` writes it");
    assert_eq!(PrivateKey::from_pem(sec1).unwrap().public().unwrap().to_pem(), THEIR_KEY);
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";
    assert_eq!(PrivateKey::from_pem(encrypted).unwrap_err(), KeyFault::Encrypted);
    assert_eq!(PrivateKey::from_pem(THEIR_KEY).unwrap_err(), KeyFault::NotPrivate);
    assert_eq!(PublicKey::from_pem(&secret).unwrap_err(), KeyFault::Private);
    assert_eq!(PublicKey::from_pem("-----BEGIN PUBLIC KEY-----").unwrap_err(), KeyFault::NotPublic);
    // A key on another curve: P-384.
    let other = include_str!("../../../tests/data/golden-signature/p384.pem");
    assert_eq!(PublicKey::from_pem(other).unwrap_err(), KeyFault::NotPublic);
    assert!(!format!("{:?}", key(7)).contains(secret.lines().nth(1).unwrap()));
    assert!(PrivateKey::from_random(&[0; 32]).is_none() && PrivateKey::from_random(&[255; 32]).is_none());
}

/// The golden signature with one value changed.
fn changed(path: &str, to: Value) -> Vec<u8> {
    let mut bundle: Value = serde_json::from_str(THEIRS).unwrap();
    *bundle.pointer_mut(path).unwrap() = to;
    serde_json::to_vec(&bundle).unwrap()
}

#[rstest]
#[case::media_type("/mediaType", json!("application/json"), "its `mediaType` is `application/json`")]
#[case::payload_type("/dsseEnvelope/payloadType", json!("text/plain"), "its `payloadType` is `text/plain`")]
#[case::two_signatures("/dsseEnvelope/signatures", json!([{"sig": ""}, {"sig": ""}]), "it holds 2 signatures")]
#[case::no_signature("/dsseEnvelope/signatures", json!([]), "it holds 0 signatures")]
#[case::certificate("/verificationMaterial", json!({"certificate": {"rawBytes": ""}}), "missing field `publicKey`")]
#[case::payload("/dsseEnvelope/payload", json!("e30="), "the key `python` did not sign this")]
#[case::signature("/dsseEnvelope/signatures/0/sig", json!("MAYCAQECAQE="), "the key `python` did not sign this")]
#[case::no_der("/dsseEnvelope/signatures/0/sig", json!("AAAA"), "the key `python` did not sign this")]
#[case::base64("/dsseEnvelope/signatures/0/sig", json!("=?="), "its `sig` is not base64")]
#[case::another_hint("/verificationMaterial/publicKey/hint", json!("ab12"), "made by the key ab12, which is not trusted")]
fn a_broken_signature_is_named(#[case] path: &str, #[case] to: Value, #[case] says: &str) {
    let keys = by("python", PublicKey::from_pem(THEIR_KEY).unwrap());
    let error = verify(&changed(path, to), &keys).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

#[test]
fn a_key_twice_is_refused_and_an_older_signature_without_a_hint_is_not() {
    let twice = THEIRS.replacen("{\"mediaType\":", "{\"mediaType\":\"x\",\"mediaType\":", 1);
    assert!(matches!(Signature::read(twice.as_bytes()), Err(E::Json(_))));
    let large = vec![b' '; 1 << 19];
    assert!(matches!(Signature::read(&large), Err(E::TooLarge { .. })));
    let without = changed("/verificationMaterial/publicKey", json!({}));
    let keys = by("python", PublicKey::from_pem(THEIR_KEY).unwrap());
    assert!(verify(&without, &keys).is_ok());
    assert_eq!(verify(&without, &by("other", key(8).public().unwrap())).unwrap_err(), E::NoKey);
}

/// The statement that was signed, with one value changed and signed again by the right key: only its meaning is wrong.
fn restated(path: &str, to: Value) -> Result<(), SignatureError> {
    let mut statement: Value =
        serde_json::from_slice(&Statement::of(&manifest()).print(&model(), Version::FIRST).unwrap()).unwrap();
    *statement.pointer_mut(path).unwrap() = to;
    Statement::read(&serde_json::to_vec(&statement).unwrap())?.states(&Statement::of(&manifest()))?;
    Ok(())
}

#[rstest]
#[case::kind("/_type", json!("https://in-toto.io/Statement/v0.1"), "`_type`")]
#[case::predicate("/predicateType", json!("https://model_signing/Digests/v0.1"), "`predicateType`")]
#[case::shards("/predicate/serialization/method", json!("shards"), "`serialization.method` is `shards`")]
#[case::blake3("/predicate/serialization/hash_type", json!("blake3"), "`serialization.hash_type` is `blake3`")]
#[case::algorithm("/predicate/resources/0/algorithm", json!("blake2b"), "`resources.algorithm` is `blake2b`")]
#[case::subjects("/subject", json!([]), "it has 0 subjects")]
#[case::root("/subject/0/digest/sha256", json!("0".repeat(64)), "its subject has SHA-256 000000000000")]
#[case::nothing("/predicate/resources", json!([]), "its files give e3b0c44298fc")]
#[case::digest("/predicate/resources/0/digest", json!("0".repeat(64)), "its files give")]
#[case::no_digest("/predicate/resources/0/digest", json!("xyz"), "`xyz` is not a SHA-256 digest")]
fn a_statement_about_something_else_is_named(#[case] path: &str, #[case] to: Value, #[case] says: &str) {
    let error = restated(path, to).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

#[test]
fn a_statement_lists_exactly_the_files_of_the_version() {
    let whole = Statement::of(&manifest());
    let differs = |change: fn(&mut Statement)| {
        let mut other = whole.clone();
        change(&mut other);
        match other.states(&whole).unwrap_err() {
            S::OtherFiles { differs } => differs.join("; "),
            fault => panic!("{fault}"),
        }
    };
    assert_eq!(differs(|other| other.files.retain(|name, _| name != "model.json")), "model.json is not signed");
    assert_eq!(
        differs(|other| other.files.retain(|name, _| name != "MANIFEST.sha256")),
        "MANIFEST.sha256 is not signed"
    );
    let extra = differs(|other| other.files.extend([("x.txt".to_owned(), Digest::of("x"))]));
    assert_eq!(extra, "x.txt was signed too");
    let altered = differs(|other| other.files.extend([("model.json".to_owned(), Digest::of("x"))]));
    assert!(altered.starts_with("model.json has SHA-256"), "{altered}");
}

/// A store with a published version, and a policy.
struct Shelf {
    store: Memory,
    bundle: Bundle,
}

impl Shelf {
    fn new() -> Shelf {
        let store = Memory::new();
        let bundle = published(&World::rain(), &store);
        Shelf { store, bundle }
    }

    fn fetch(&self, mode: SignatureMode) -> Result<Signed, RegistryError> {
        let rules = SignatureRules { mode, trusted: by("release", key(7).public().unwrap()).into() };
        let model = fetch_trusted(&self.store, &self.bundle.model, self.bundle.version, None, &rules)?;
        Ok(model.signed().clone())
    }

    fn sign(&self, with: &PrivateKey) -> Key {
        sign(&self.store, &self.bundle.model, self.bundle.version, with).unwrap().0
    }
}

#[test]
fn the_policy_says_what_becomes_of_an_unsigned_version() {
    let shelf = Shelf::new();
    assert_eq!(shelf.fetch(SignatureMode::Off).unwrap(), Signed::Unchecked);
    assert_eq!(shelf.fetch(SignatureMode::Warn).unwrap(), Signed::Not(Distrust::Unsigned));
    let refused = shelf.fetch(SignatureMode::Require).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "trust rain 1.0.0: it is not signed, and the policy says `signature.mode: require`"
    );
    let stranger = shelf.sign(&key(9));
    let refused = shelf.fetch(SignatureMode::Require).unwrap_err().to_string();
    assert!(refused.contains(stranger.name()) && refused.contains("which is not trusted"), "{refused}");
    shelf.sign(&key(7));
    assert_eq!(shelf.fetch(SignatureMode::Require).unwrap(), Signed::By("release".to_owned()));
    assert_eq!(shelf.fetch(SignatureMode::Warn).unwrap(), Signed::By("release".to_owned()));
    assert_eq!(shelf.sign(&key(7)), shelf.sign(&key(7)), "signing again changes nothing");
    assert_eq!(signatures(&shelf.store, &shelf.bundle.model, shelf.bundle.version).unwrap().len(), 2);
}

#[test]
fn a_signature_of_another_version_is_not_filed_and_not_believed() {
    let shelf = Shelf::new();
    let Shelf { store, bundle } = &shelf;
    let foreign = ours().print().unwrap();
    let error = file_signature(store, &bundle.model, bundle.version, &foreign).unwrap_err().to_string();
    assert!(error.contains("it is about other bytes"), "{error}");
    let folder = Key::new("registry/rain/signatures/1.0.0").unwrap();
    store.create(&folder.join("foreign.json").unwrap(), (&foreign).into()).unwrap();
    store.create(&folder.join("noise.json").unwrap(), "{".into()).unwrap();
    store.create(&folder.join("large.json").unwrap(), (&"x".repeat(1 << 19)).into()).unwrap();
    store.create(&folder.join("notes.txt").unwrap(), "x".into()).unwrap();
    let error = shelf.fetch(SignatureMode::Require).unwrap_err().to_string();
    for says in
        ["foreign.json: it is about other bytes", "noise.json: it is not a sigstore bundle", "large.json: it has"]
    {
        assert!(error.contains(says), "{error}");
    }
    assert!(!error.contains("notes.txt"));
    shelf.sign(&key(7));
    assert_eq!(shelf.fetch(SignatureMode::Require).unwrap(), Signed::By("release".to_owned()), "noise does no harm");
}

#[test]
fn a_policy_that_asks_for_signatures_and_trusts_nobody_is_a_fault() {
    let rules = SignatureRules { mode: SignatureMode::Require, ..SignatureRules::default() };
    assert_eq!(rules.faults()[0].0, "trusted");
    let text = format!(
        "mode: require\ntrusted:\n  release: |\n{}",
        key(7).public().unwrap().to_pem().lines().map(|line| format!("    {line}\n")).collect::<String>()
    );
    let rules: SignatureRules = crate::yaml::read("policy.yaml", &text).unwrap();
    assert_eq!((rules.mode, rules.faults()), (SignatureMode::Require, Vec::new()));
    assert_eq!(rules.trusted["release"], key(7).public().unwrap());
    let pasted = format!("mode: warn\ntrusted:\n  mine: |\n    {}\n", key(7).to_pem().unwrap().replace('\n', "\n    "));
    let error = crate::yaml::read::<SignatureRules>("policy.yaml", &pasted).unwrap_err().to_string();
    assert!(error.contains("it is a private key"), "{error}");
}

proptest! {
    /// A signature that still holds after an edit still says the same.
    #[test]
    fn no_edit_makes_a_signature_say_something_else(
        at in any::<prop::sample::Index>(),
        length in 0..6_usize,
        with in prop::collection::vec(any::<u8>(), 0..6),
    ) {
        let mut bytes = THEIRS.as_bytes().to_vec();
        let at = at.index(bytes.len());
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, with);
        let keys = by("python", PublicKey::from_pem(THEIR_KEY).unwrap());
        if let Ok((_, statement)) = verify(&bytes, &keys) {
            prop_assert!(statement.states(&Statement::of(&manifest())).is_ok());
        }
    }
}
