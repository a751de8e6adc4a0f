//! P10: bytes are held against manifest, journal and signature wherever they matter: promotion, serve start, swap, rollback.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use regent::govern::{Order, Override, State};
use regent::registry::{self, PrivateKey, SignatureMode, SignatureRules};
use regent::serve::{Champion as _, Decided, Follower, Named};
use regent::types::{Digest, Span, Timestamp, Version};

use super::commands;
use super::stage::{Workspace, noon};

const OLD: Version = Version::FIRST;
const NEW: Version = Version::new(1, 1, 0);

fn later(minutes: i64) -> Timestamp {
    noon() + Span::from_mins(minutes)
}

fn key() -> PrivateKey {
    PrivateKey::from_random(&[7; 32]).unwrap()
}

fn required() -> SignatureRules {
    SignatureRules { mode: SignatureMode::Require, trusted: [("release".to_owned(), key().public().unwrap())].into() }
}

fn digest(workspace: &Workspace, version: Version) -> Digest {
    registry::fetch(&*workspace.store, workspace.model(), version).unwrap().digest()
}

fn sign(workspace: &Workspace, version: Version) {
    registry::sign(&*workspace.store, workspace.model(), version, &key()).unwrap();
}

/// Flip one bit of a published file; again to mend it.
fn flip(workspace: &Workspace, version: Version) {
    let path = workspace.path().join(format!("registry/rain/{version}/profile.json"));
    let mut bytes = fs::read(&path).unwrap();
    bytes[10] ^= 1;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&path, bytes).unwrap();
}

fn order(workspace: &Workspace, id: &str, order: Order, version: Option<Version>, bundle: Option<Digest>) {
    workspace.drop_order(&Override {
        id: id.to_owned(),
        model: workspace.model().clone(),
        order,
        version,
        bundle,
        author: "ana".to_owned(),
        reason: "the story goes on".to_owned(),
        expires: later(600),
    });
}

/// With a champion and a candidate whose bundle was published and that somebody wants to promote at once.
fn with_a_wanted_candidate(rules: SignatureRules) -> Workspace {
    let mut workspace = Workspace::with_champion();
    workspace.rules.signature = rules;
    workspace.drop_rows(2_000..3_000);
    assert_eq!(workspace.train(later(2)), NEW);
    order(&workspace, "now", Order::Promote, Some(NEW), Some(digest(&workspace, NEW)));
    workspace
}

fn notes(workspace: &Workspace, at: Timestamp) -> String {
    workspace.tick(at).iter().flat_map(|tick| tick.decision.notes.clone()).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_unsigned_candidate_waits_and_is_not_trained_again() {
    let workspace = with_a_wanted_candidate(required());
    let said = notes(&workspace, later(3));
    assert!(said.contains("1.1.0 is not verified") && said.contains("it is not signed"), "{said}");
    let standing = workspace.standing();
    assert_eq!(standing.versions[&NEW], State::Training);
    // Longer than another governor would wait for a silent training.
    notes(&workspace, later(3 + 24 * 60));
    assert_eq!(workspace.standing().candidate.unwrap().training.attempt, 1);
    sign(&workspace, OLD);
    sign(&workspace, NEW);
    order(&workspace, "again", Order::Promote, Some(NEW), Some(digest(&workspace, NEW)));
    workspace.tick(later(4 + 24 * 60));
    assert_eq!(workspace.standing().champion_version(), Some(OLD), "orders expired meanwhile");
    assert_eq!(workspace.standing().versions[&NEW], State::Shadowing);
}

#[test]
fn a_signed_candidate_is_promoted() {
    let workspace = with_a_wanted_candidate(required());
    sign(&workspace, OLD);
    sign(&workspace, NEW);
    workspace.tick(later(3));
    assert_eq!(workspace.standing().champion_version(), Some(NEW));
}

#[test]
fn a_damaged_candidate_is_not_promoted_even_by_order() {
    let workspace = with_a_wanted_candidate(SignatureRules::default());
    flip(&workspace, NEW);
    let said = notes(&workspace, later(3));
    assert!(said.contains("profile.json has SHA-256"), "{said}");
    assert_eq!(workspace.standing().champion_version(), Some(OLD));
    flip(&workspace, NEW);
    workspace.tick(later(4));
    assert_eq!(workspace.standing().champion_version(), Some(NEW));
}

#[test]
fn a_rollback_returns_only_to_what_verifies_and_is_signed() {
    let mut workspace = with_a_wanted_candidate(SignatureRules::default());
    workspace.tick(later(3));
    assert_eq!(workspace.standing().champion_version(), Some(NEW));
    order(&workspace, "back", Order::Rollback, None, None);
    flip(&workspace, OLD);
    let said = notes(&workspace, later(4));
    assert!(said.contains("no former champion verifies"), "{said}");
    flip(&workspace, OLD);
    workspace.rules.signature = required();
    let said = notes(&workspace, later(5));
    assert!(said.contains("no former champion verifies"), "{said}");
    assert_eq!(workspace.standing().champion_version(), Some(NEW));
    sign(&workspace, OLD);
    workspace.tick(later(6));
    assert_eq!(workspace.standing().champion_version(), Some(OLD));
}

#[test]
fn a_server_starts_and_swaps_only_with_what_verifies_and_is_signed() {
    let workspace = with_a_wanted_candidate(SignatureRules::default());
    let follower = Follower::new(workspace.store.clone(), workspace.model().clone());
    let decided = |version| Decided { version, bundle: digest(&workspace, version) };
    let serves = || follower.current().as_ref().map(|serving| serving.champion.version());
    let (old, new) = (decided(OLD), decided(NEW));
    let follow = |champion| {
        follower.follow(Some(Named { champion, candidate: None, sealed_until: super::stage::noon() }), &required())
    };
    assert!(follow(old).unwrap_err().to_string().contains("champion"));
    assert_eq!(serves(), None);
    sign(&workspace, OLD);
    follow(old).unwrap();
    assert_eq!(serves(), Some(OLD));
    assert!(follow(new).is_err(), "the new one is not signed");
    sign(&workspace, NEW);
    flip(&workspace, NEW);
    assert!(follow(new).is_err(), "the new one is damaged");
    assert_eq!(serves(), Some(OLD), "who serves goes on serving");
    flip(&workspace, NEW);
    follow(new).unwrap();
    assert_eq!(serves(), Some(NEW));
}

/// The program itself, and `warn`, which says so and goes on.
#[test]
fn regent_serve_ends_with_5_for_a_champion_that_is_not_signed() {
    let workspace = commands::Workspace::trained();
    workspace.govern();
    workspace.govern();
    workspace.done(&["signing", "keygen", "--out", "k.pem"]);
    let pem = fs::read_to_string(workspace.path("k.pub.pem")).unwrap().replace('\n', "\n      ");
    let policy = |mode: &str| {
        let text = format!("signature:\n  mode: {mode}\n  trusted:\n    release: |\n      {pem}\n");
        fs::write(workspace.path("governance/rain/policy.yaml"), text).unwrap();
    };
    policy("require");
    // Were it to serve after all, it would do so for ever.
    let serve = ["60", env!("CARGO_BIN_EXE_regent"), "serve", "rain", "--listen", "127.0.0.1:0"];
    let refused = workspace.run("timeout", &serve);
    assert_eq!(refused.status.code(), Some(5), "{refused:?}");
    assert!(commands::text(&refused.stderr).contains("is not signed"), "{refused:?}");
    // The governor sees it too: nothing is decided on the evidence of a version that nobody stands for.
    let governed = commands::text(&workspace.governor(&[]).stdout);
    assert!(governed.contains("it is not signed"), "{governed}");
    policy("warn");
    let governed = commands::text(&workspace.governor(&[]).stdout);
    assert!(governed.contains("it is not signed"), "{governed}");
    workspace.done(&["registry", "sign", "rain", "1.0.0", "--key", "k.pem"]);
    policy("require");
    let governed = commands::text(&workspace.governor(&[]).stdout);
    assert!(governed.contains("resolved") && !governed.contains("  note"), "{governed}");
}
