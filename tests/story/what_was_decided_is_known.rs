//! Chapter 9: every decision is decided again, by other rules too; who served when is known, and why.

use std::fs;
use std::path::Path;
use std::process::Command;

use regent::audit::{self, Depth, Outcome, Recomputed};
use regent::govern::{Entry, Mode, ReportKind, Standing, State, fold, journal};
use regent::policy::Action;
use regent::registry;
use regent::snapshot::Window;
use regent::types::{Check, Span, Timestamp};
use serde_json::{Value, json};

use super::estate::{Estate, rules};

/// P5, and what `--deep` adds: the reports themselves, from windows, events, labels and datasets.
#[test]
fn every_decision_and_every_report_comes_out_the_same() {
    let estate = Estate::new();
    let replayed = audit::replay(&estate.store, &estate.model, Depth::Reports).unwrap();
    assert_eq!(replayed.findings, []);
    let same = replayed.entries.iter().filter(|turn| turn.outcome == Outcome::Same).count();
    let by_hand = replayed.entries.iter().filter(|turn| turn.outcome == Outcome::ByHand).count();
    assert!(replayed.windows > 300 && replayed.archived == 0, "{} windows", replayed.windows);
    assert_eq!((same + by_hand, by_hand), (estate.entries().len(), 1), "one training was begun by hand");
    let first = &estate.entries()[0].decision;
    assert!(first.reasons[0].starts_with("training 1.0.0: "), "{:?}", first.reasons);
    // What was decided of retraining is decided again with the entry, and not measured.
    for kind in ReportKind::ALL.into_iter().filter(|kind| *kind != ReportKind::Decision) {
        let outcomes: Vec<Recomputed> = replayed.reports[&kind].keys().copied().collect();
        assert_eq!(outcomes, [Recomputed::Same], "{kind}: {:?}", replayed.reports);
    }
    fs::remove_dir_all(estate.path("var/rain/events")).unwrap();
    let replayed = audit::replay(&estate.store, &estate.model, Depth::Reports).unwrap();
    assert_eq!(replayed.findings, [], "archived events are no tampering");
    assert!(replayed.archived > 0 && estate.verify(&[]).archived == replayed.archived);
    assert!(replayed.reports[&ReportKind::Shadow].contains_key(&Recomputed::Archived), "{:?}", replayed.reports);
    assert_eq!(replayed.reports[&ReportKind::Drift].keys().collect::<Vec<_>>(), [&Recomputed::Same]);
}

/// A decision is made on the windows that nothing was decided on before, and on no other; and it cites the evaluation that it saw, or
/// the one that its promotion rests on.
#[test]
fn every_window_is_decided_on_once_and_every_evaluation_cited_by_whom_it_moves() {
    let estate = Estate::new();
    let mut decided = Vec::new();
    for entry in estate.entries() {
        let inputs = entry.inputs.iter().map(|digest| estate.path(format!("governance/rain/inputs/{digest}.json")));
        let seen: Vec<Value> = inputs.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect();
        let judged = seen.iter().flat_map(|input| input["observation"]["judged"].as_array().unwrap());
        let judged: Vec<Window> =
            judged.map(|judged| serde_json::from_value(judged["window"].clone()).unwrap()).collect();
        assert_eq!(judged, entry.decision.judged, "entry {}", entry.seq);
        decided.extend(judged);
        let evaluated = seen.iter().any(|input| !input["observation"]["evaluation"].is_null());
        let promotes = entry.decision.transitions.iter().any(|step| step.to == State::Promoted);
        let cites = entry.reports.iter().any(|cited| cited.kind == ReportKind::Evaluation);
        assert_eq!(cites, evaluated || promotes, "entry {}", entry.seq);
    }
    assert!(decided.len() > 10 && decided.is_sorted_by(|a, b| a.end() <= b.start), "{decided:?}");
}

/// Both are asked about rows that neither learned from, and about all of them.
#[test]
fn a_candidate_is_evaluated_on_the_rows_that_nobody_learned_from() {
    let estate = Estate::new();
    let evaluated = fs::read_dir(estate.path("var/rain/reports/evaluation")).unwrap();
    let reports: Vec<Value> =
        evaluated.map(|file| serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap()).collect();
    assert!(reports.len() > 1, "only the baseline was evaluated");
    for report in reports {
        let version = report["candidate"].as_str().unwrap().parse().unwrap();
        let bundle = registry::fetch(&estate.store, &estate.model, version).unwrap();
        let extent = &bundle.metadata().fitted.as_ref().unwrap().extent;
        assert_eq!(report["rows"], json!(extent.report), "{version}");
    }
}

/// A new champion is held beside its predecessor for as long as the rules say: then nothing is read for it any more.
#[test]
fn nobody_is_watched_longer_than_the_rules_say() {
    let (mut since, mut watched, mut left) = (None, 0, 0);
    for entry in Estate::new().entries() {
        let is_over = since.is_some_and(|since| entry.decision.at.since(since) > rules().rollback.watch);
        let is_watched = entry.reports.iter().any(|cited| cited.kind == ReportKind::Watch);
        assert!(!(is_over && is_watched), "entry {} watches on", entry.seq);
        (watched, left) = (watched + u32::from(is_watched), left + u32::from(is_over));
        if entry.decision.transitions.iter().any(|step| step.to == State::Promoted) {
            since = Some(entry.decision.at);
        }
    }
    assert!(watched > 0 && left > 0, "{watched} entries watch, {left} come later");
}

/// A forger who mends the whole chain is found by deciding again; a program of another version is not called a forger.
#[test]
fn a_forged_decision_is_found_and_another_engine_is_not_tampering() {
    let judged = |entry: &Entry| entry.decision.retrain.is_some();
    let seq = Estate::new().entries().into_iter().rev().find(judged).unwrap().seq;
    let estate = Estate::new();
    estate.forge(seq, |entry| entry.decision.retrain = None);
    assert_eq!(estate.verify(&[]).findings, [], "the chain was mended");
    let findings = audit::replay(&estate.store, &estate.model, Depth::Decisions).unwrap().findings;
    assert!(findings.iter().any(|found| found.entry == Some(seq) && found.what.contains("/retrain")), "{findings:?}");
    assert_eq!(estate.regent(&["replay"]).status.code(), Some(5));

    let estate = Estate::new();
    estate.forge(seq, |entry| {
        entry.decision.retrain = None;
        entry.engine = "regent 0.0.1".to_owned();
    });
    let replayed = audit::replay(&estate.store, &estate.model, Depth::Decisions).unwrap();
    assert_eq!(replayed.findings, []);
    assert!(
        matches!(&replayed.entries[seq as usize - 1].outcome, Outcome::OtherEngine { engine, .. } if engine == "regent 0.0.1")
    );

    let estate = Estate::new();
    estate.forge(1, |entry| entry.decision.action = Action::RetrainRequired);
    let findings = audit::replay(&estate.store, &estate.model, Depth::Decisions).unwrap().findings;
    assert!(findings.iter().any(|found| found.entry == Some(1)), "an entry by hand has one form: {findings:?}");
}

#[test]
fn a_replay_is_the_same_wherever_and_however_it_runs() {
    let estate = Estate::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let replay = |environment: &[(&str, &str)], folder: &Path, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regent"));
        command.args(["-o", "json", "--workspace"]).arg(estate.folder()).args(arguments).current_dir(folder);
        let output = command.envs(environment.iter().copied()).env_remove("REGENT_WORKSPACE").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{environment:?}: {output:?}");
        output.stdout
    };
    for arguments in [&["replay"][..], &["replay", "--deep"]] {
        let once = replay(&[("TZ", "UTC"), ("LANG", "C")], estate.folder(), arguments);
        for environment in [
            [
                ("TZ", "Pacific/Kiritimati"),
                ("LANG", "de_DE.UTF-8"),
                ("LC_ALL", "de_DE.UTF-8"),
                ("OMP_NUM_THREADS", "1"),
            ],
            [("TZ", "America/St_Johns"), ("LANG", "tr_TR.UTF-8"), ("RAYON_NUM_THREADS", "7"), ("OMP_NUM_THREADS", "7")],
        ] {
            assert_eq!(once, replay(&environment, elsewhere.path(), arguments), "{environment:?}");
        }
    }
}

#[test]
fn another_policy_is_judged_on_recorded_evidence_and_says_what_it_cannot_know() {
    let estate = Estate::new();
    let same = audit::simulate(&estate.store, &estate.model, &rules()).unwrap();
    assert_eq!(same.unlike, [], "the policy that was in force decides what was decided");
    assert_eq!((same.by_hand, same.decided + same.by_hand), (1, estate.entries().len() as u64));

    let mut manual = rules();
    manual.promotion.mode = Mode::Manual;
    let simulated = audit::simulate(&estate.store, &estate.model, &manual).unwrap();
    let first = &simulated.unlike[0];
    assert!(first.was.steps.iter().any(|step| step.ends_with("PROMOTABLE → PROMOTED")), "{first:?}");
    let would_be = first.would_be.as_ref().unwrap();
    assert!(
        would_be.steps.is_empty() && would_be.reasons.iter().any(|reason| reason.contains("approve")),
        "{would_be:?}"
    );
    assert!(!first.after_the_first && simulated.unlike[1..].iter().all(|unlike| unlike.after_the_first));

    let mut patient = rules();
    patient.shadow.min_pairs = 1_000_000;
    patient.windows.judge = Span::from_days(7);
    let simulated = audit::simulate(&estate.store, &estate.model, &patient).unwrap();
    assert!(simulated.rejudged > 0 && simulated.kept == 0, "{simulated:?}");
    let promotable =
        |unlike: &audit::Unlike| unlike.was.steps.iter().any(|step| step.ends_with("SHADOWING → PROMOTABLE"));
    assert!(simulated.unlike.iter().any(promotable), "too few pairs for the other policy");
    assert!(simulated.limits.iter().any(|limit| limit.starts_with("windows:")), "{:?}", simulated.limits);

    fs::write(estate.path("other.yaml"), "promotion:\n  mode: manual\n").unwrap();
    let file = estate.path("other.yaml").display().to_string();
    let told = estate.regent(&["simulate", "rain", "--policy", &file]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("would be") && told.contains("what nobody can know"), "{told}");
    fs::write(estate.path("other.yaml"), "promotion:\n  mood: manual\n").unwrap();
    assert_eq!(estate.regent(&["simulate", "rain", "--policy", &file]).status.code(), Some(4));
}

#[test]
fn who_served_when_is_known_at_every_instant() {
    let estate = Estate::new();
    let mut standing = Standing::default();
    let entries = journal::read(&estate.store, &estate.model).unwrap();
    let early = entries[0].0.decision.at - Span::from_micros(1);
    assert_eq!(audit::served_at(&estate.store, &estate.model, early).unwrap(), None);
    for (place, (entry, digest)) in entries.iter().enumerate() {
        standing = standing.after(entry, *digest).unwrap();
        let until =
            entries.get(place + 1).map_or(entry.decision.at, |(next, _)| next.decision.at - Span::from_micros(1));
        if until < entry.decision.at {
            continue;
        }
        for at in [entry.decision.at, until] {
            let served = audit::served_at(&estate.store, &estate.model, at).unwrap();
            assert_eq!(served.as_ref().map(|served| served.version), standing.champion_version(), "{at}");
            let champion = served.map(|served| (served.bundle, served.since));
            assert_eq!(champion, standing.champion.as_ref().map(|champion| (champion.bundle, champion.since)));
        }
    }
    let last = entries.last().unwrap().0.decision.at.to_string();
    let told = String::from_utf8(estate.regent(&["history", "--at", &last]).stdout).unwrap();
    assert!(told.contains("served at") && told.contains("by entry"), "{told}");
    let never = Timestamp::EPOCH.to_string();
    assert!(String::from_utf8(estate.regent(&["history", "--at", &never]).stdout).unwrap().contains("nothing served"));
}

/// P11: one screen, every open check in its one form, and what would change it.
#[test]
fn every_version_is_explained_in_one_screen() {
    let estate = Estate::new();
    let now = estate.entries().last().unwrap().decision.at.to_string();
    let standing = fold(&estate.store, &estate.model).unwrap();
    for (version, state) in &standing.versions {
        let told = estate.regent(&["--now", &now, "explain", "rain", &version.to_string()]);
        let told = String::from_utf8(told.stdout).unwrap();
        assert!(told.lines().count() <= 24, "{told}");
        assert!(told.starts_with(&format!("rain {version} is ")) && told.contains(&state.to_string()), "{told}");
        assert!(told.contains("  change    "), "{told}");
        let json = estate.json(0, &["--now", &now, "explain", "rain", &version.to_string()]);
        for open in json["why"]["open"].as_array().unwrap() {
            let check: Check = serde_json::from_value(open.clone()).unwrap();
            assert!(!check.verdict.is_pass());
        }
    }
    let shown = estate.regent(&["--now", &now, "explain", "rain", "9.9.9"]);
    assert_eq!(shown.status.code(), Some(2));
}

#[test]
fn the_answers_of_an_audit_are_an_interface() {
    let estate = Estate::new();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let head = estate.json(0, &["journal", "head"]);
    assert_eq!(keys(&head), "format_version heads");
    assert_eq!(keys(&head["heads"][0]), "model seq sha256");
    let verified = estate.json(0, &["verify"]);
    assert_eq!(keys(&verified), "bytes format_version mb_per_s models seconds sound");
    assert_eq!(
        keys(&verified["models"][0]),
        "archived bundles bytes contracts datasets entries findings head inputs model reports snapshots sources"
    );
    assert_eq!(keys(&verified["models"][0]["sources"][0]), "dataset found name sha256");
    let replayed = estate.json(0, &["replay", "--deep"]);
    assert_eq!(keys(&replayed), "format_version models sound");
    assert_eq!(keys(&replayed["models"][0]), "archived engine entries findings model reports windows");
    assert_eq!(keys(&replayed["models"][0]["reports"]), "drift estimate evaluation performance shadow watch");
    assert_eq!(keys(&replayed["models"][0]["entries"][0]), "entry outcome");
    fs::write(estate.path("other.yaml"), "promotion:\n  mode: manual\n").unwrap();
    let file = estate.path("other.yaml").display().to_string();
    let simulated = estate.json(0, &["simulate", "--policy", &file]);
    assert_eq!(keys(&simulated), "by_hand decided format_version kept limits model policy rejudged unlike");
    assert_eq!(keys(&simulated["unlike"][0]), "after_the_first at entry was would_be");
    assert_eq!(keys(&simulated["unlike"][0]["was"]), "action held reasons steps trains");
    let at = estate.entries().last().unwrap().decision.at.to_string();
    let served = estate.json(0, &["history", "--at", &at]);
    assert_eq!(keys(&served), "at format_version model serves");
    assert_eq!(keys(&served["serves"]), "bundle entry shadow since version");
    let explained = estate.json(0, &["--now", &at, "explain"]);
    assert_eq!(keys(&explained), "format_version model why");
    assert_eq!(keys(&explained["why"]), "because bundle entry open passed since state version waits would_change");
    estate.put("governance/rain/journal/stranger", b"");
    let found = estate.json(5, &["verify"]);
    assert_eq!(keys(&found["models"][0]["findings"][0]), "entry fault file what");
}
