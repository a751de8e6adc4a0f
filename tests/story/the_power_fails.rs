//! Chapter 7: a crash at any instant leaves the old state or the new one, two governors at once are safe, and what was
//! decided replays.

use std::collections::BTreeSet;
use std::thread;

use regent::govern::{State, decide, journal};
use regent::promote::Turn;
use regent::types::{Digest, Span, Version};

use super::programs::{Programs, request_id};
use super::stage::{self, Workspace, noon};

/// P6: the bundle is lost with the machine between the TRAINING entry and its publication; whoever comes gets the same bytes.
#[test]
fn a_training_that_fell_silent_is_repeated_and_gives_the_same_bytes() {
    let whole = Workspace::with_champion();
    let crashed = Workspace::with_champion();
    for workspace in [&whole, &crashed] {
        workspace.drop_rows(2_000..3_000);
        workspace.train(noon() + Span::from_mins(2));
    }
    std::fs::remove_dir_all(crashed.path().join("registry/rain/1.1.0")).unwrap();
    crashed.tick(noon() + Span::from_mins(3));
    assert_eq!(crashed.standing().candidate.unwrap().state, State::Training, "it may still be training");
    crashed.tick(noon() + Span::from_hours(2));
    assert_eq!(crashed.standing().candidate.unwrap().state, State::Shadowing);
    let manifest = |workspace: &Workspace| workspace.files()["registry/rain/1.1.0/MANIFEST.sha256"].clone();
    assert_eq!(manifest(&whole), manifest(&crashed));
}

/// P6: two governors at once take one turn.
#[test]
fn two_governors_at_once_write_one_entry_a_decision() {
    let workspace = Workspace::new();
    workspace.drop_rows(0..2_000);
    workspace.train(noon());
    for minute in 0..4 {
        let now = noon() + Span::from_mins(minute);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| workspace.try_tick(now).unwrap());
            }
        });
    }
    let standing = workspace.standing();
    assert_eq!(standing.champion_version(), Some(Version::FIRST));
    let entries = journal::read(&*workspace.store, workspace.model()).unwrap();
    assert_eq!(entries.len(), 3, "TRAINING; SHADOWING and PROMOTABLE; PROMOTED");
    let txns: BTreeSet<&str> = entries.iter().map(|(entry, _)| entry.txn.as_str()).collect();
    assert_eq!(txns.len(), 3);
}

/// P13: every entry names the digest of the one before.
#[test]
fn a_changed_entry_breaks_the_chain() {
    let workspace = Workspace::with_champion();
    let first = workspace.path().join("governance/rain/journal/00000000000000000001.json");
    let text = std::fs::read_to_string(&first).unwrap().replace("by hand", "by itself");
    std::fs::remove_file(&first).unwrap();
    std::fs::write(&first, text).unwrap();
    let broken = regent::govern::fold(&*workspace.store, workspace.model()).unwrap_err();
    assert!(broken.to_string().contains("entry 2"), "{broken}");
}

/// P5: what was decided is decided again from the recorded inputs, byte for byte.
#[test]
fn decisions_replay_from_what_was_recorded() {
    let workspace = Workspace::with_champion();
    let entries = journal::read(&*workspace.store, workspace.model()).unwrap();
    let mut standing = regent::govern::Standing::default();
    let mut replayed = 0;
    for (entry, digest) in &entries {
        let inputs = workspace.files()[&format!("governance/rain/inputs/{}.json", entry.inputs[0])].clone();
        assert_eq!(Digest::of(&inputs), entry.inputs[0]);
        let inputs: regent::promote::Inputs = serde_json::from_slice(&inputs).unwrap();
        if entry.decision.training.is_none() {
            let (overrides, now) = (&inputs.overrides, entry.decision.at);
            let again = decide(&standing, &inputs.observation, &inputs.rules, overrides, now).unwrap();
            assert_eq!(again.record.as_ref(), Some(&entry.decision));
            replayed += 1;
        }
        standing = standing.after(entry, *digest).unwrap();
    }
    assert_eq!(replayed, 2);
}

/// A rehearsal writes nothing to the journal.
#[test]
fn a_dry_run_decides_and_writes_no_entry() {
    let workspace = Workspace::new();
    workspace.drop_rows(0..2_000);
    workspace.train(noon());
    let before = workspace.standing();
    let tick = workspace.act(|context| regent::promote::tick(context, noon(), Turn::Rehearsal)).unwrap();
    assert_eq!(tick.decision.record.unwrap().transitions.len(), 2);
    assert_eq!(workspace.standing(), before);
}

/// P14: what a replica that was killed had acknowledged is sealed by others once it is dead for long enough, and never while it
/// lives.
#[test]
fn a_killed_replicas_events_are_adopted_and_a_living_ones_are_not() {
    let programs = Programs::with_champion();
    programs.write("regent.yaml", "events: durable\nadopt_after: 0s\n");
    let mut dying = programs.serve(&["--replica", "dying"]);
    let living = programs.serve(&["--replica", "living"]);
    let file = stage::weather(3_000..3_020);
    let (header, rows) = file.split_once('\n').unwrap();
    for (number, row) in rows.lines().enumerate() {
        let server = if number % 2 == 0 { &dying } else { &living };
        assert!(server.ask(number, header, row)["probability"].is_f64());
    }
    // Both live, and nothing is old: the lock alone holds the governor off.
    assert!(!programs.govern(&[]).contains("which is gone"));
    dying.running.kill();
    let told = programs.govern(&[]);
    assert!(told.contains("sealed 1 segment of replica dying, which is gone"), "{told}");
    assert_eq!(programs.names("var/spool/dying"), ["lock"]);
    let store = regent::store::Disk::open(programs.folder().to_owned(), regent::store::Durability::Batched).unwrap();
    let (model, from) = ("rain".parse().unwrap(), regent::types::Timestamp::EPOCH);
    let events = regent::log::read_events(&store, &model, from, from + Span::from_days(365 * 200)).unwrap();
    let ids: BTreeSet<String> = events.iter().map(|event| event.request_id.to_string()).collect();
    assert_eq!(ids, (0..20).step_by(2).map(request_id).collect());
    drop(living);
    assert!(!programs.govern(&["--dry-run"]).contains("which is gone"), "a rehearsal took something away");
    assert!(programs.govern(&[]).contains("replica living"));
}
