//! Chapter 1: strict rows in, a contract, a training, an immutable version, a first champion.

use std::process::Command;

use regent::govern::State;
use regent::registry;
use regent::types::{Span, Version};

use super::stage::{Workspace, noon, weather};

#[test]
fn a_model_walks_from_a_file_to_its_first_promotion() {
    let workspace = Workspace::new();
    workspace.drop_rows(0..2_000);
    let version = workspace.train(noon());
    assert_eq!(version, Version::FIRST);
    let first = workspace.tick(noon());
    let steps: Vec<State> =
        first[0].receipt.entry.iter().flat_map(|(entry, _)| &entry.decision.transitions).map(|step| step.to).collect();
    assert_eq!(steps, [State::Shadowing, State::Promotable]);
    workspace.tick(noon() + Span::from_mins(1));
    assert_eq!(workspace.standing().champion_version(), Some(version));
}

/// P1 and P6: running again changes nothing.
#[test]
fn a_run_with_nothing_new_changes_no_byte() {
    let workspace = Workspace::with_champion();
    workspace.tick(noon() + Span::from_mins(2));
    let before = workspace.files();
    workspace.tick(noon() + Span::from_mins(2));
    workspace.tick(noon() + Span::from_mins(3));
    let after = workspace.files();
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert!(after == before, "a file has other bytes");
}

/// P10: every file is checked against the manifest before it is parsed.
#[test]
fn a_published_version_is_what_sha256sum_says_and_a_flipped_byte_is_named() {
    let workspace = Workspace::with_champion();
    let bundle = workspace.path().join("registry/rain/1.0.0");
    let checked = Command::new("sha256sum").args(["-c", "--quiet", "MANIFEST.sha256"]).current_dir(&bundle).status();
    assert!(checked.unwrap().success());
    let profile = bundle.join("profile.json");
    let mut bytes = std::fs::read(&profile).unwrap();
    bytes[10] ^= 1;
    std::fs::remove_file(&profile).unwrap();
    std::fs::write(&profile, bytes).unwrap();
    let refused = registry::fetch(&*workspace.store, workspace.model(), Version::FIRST).err().unwrap();
    assert!(refused.to_string().contains("profile.json"), "{refused}");
}

#[test]
fn one_bad_row_refuses_the_whole_file_and_the_rest_goes_on() {
    let workspace = Workspace::new();
    workspace.drop_rows(0..2_000);
    workspace.drop_file("bad.csv", &weather(2_000..2_010).replace("2005,", "2005,warm,").replacen("0.", "NaN,", 1));
    workspace.train(noon());
    let tick = &workspace.tick(noon())[0];
    assert_eq!((tick.observation.data.rows, tick.observation.data.refused.len()), (2_000, 1));
    assert!(tick.observation.data.refused[0].contains("bad.csv"));
}
