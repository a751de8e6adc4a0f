//! Chapter 6: people order, and the journal says who and why.

use regent::govern::{Order, Override, State};
use regent::registry;
use regent::types::{Span, Version};

use super::programs::{GOVERNOR, Programs, REGENT, day, exchanged, later, text};
use super::stage::{Workspace, noon};

const NEW: Version = Version::new(1, 1, 0);

/// A champion and a candidate that shadows.
fn with_shadow() -> Workspace {
    let workspace = Workspace::with_champion();
    workspace.drop_rows(2_000..3_000);
    workspace.train(noon() + Span::from_mins(2));
    workspace.tick(noon() + Span::from_mins(3));
    assert_eq!(workspace.standing().candidate.map(|candidate| candidate.state), Some(State::Shadowing));
    workspace
}

fn order(workspace: &Workspace, order: Order, version: Option<Version>) -> Override {
    let digest = |version| registry::fetch(&*workspace.store, workspace.model(), version).unwrap().digest();
    Override {
        id: format!("night-{order}"),
        model: workspace.model().clone(),
        order,
        version,
        bundle: version.map(digest),
        author: "ana".to_owned(),
        reason: "the radar is down".to_owned(),
        expires: noon() + Span::from_days(2),
    }
}

#[test]
fn a_promotion_by_order_says_who_and_why_and_is_taken_back_by_order() {
    let workspace = with_shadow();
    workspace.drop_order(&order(&workspace, Order::Promote, Some(NEW)));
    let ticks = workspace.tick(noon() + Span::from_mins(4));
    let (entry, _) = ticks[0].receipt.entry.as_ref().unwrap();
    assert_eq!(entry.decision.applied[0].author, "ana");
    assert_eq!(workspace.standing().champion_version(), Some(NEW));
    workspace.drop_order(&order(&workspace, Order::Rollback, None));
    workspace.tick(noon() + Span::from_mins(5));
    assert_eq!(workspace.standing().champion_version(), Some(Version::FIRST));
    assert_eq!(workspace.standing().versions[&NEW], State::RolledBack);
}

#[test]
fn a_frozen_model_does_not_move_and_a_rejected_one_is_gone() {
    let workspace = with_shadow();
    workspace.drop_order(&order(&workspace, Order::Freeze, None));
    workspace.drop_order(&order(&workspace, Order::Promote, Some(NEW)));
    workspace.tick(noon() + Span::from_mins(4));
    assert_eq!(workspace.standing().champion_version(), Some(Version::FIRST));
    workspace.drop_order(&order(&workspace, Order::Reject, Some(NEW)));
    workspace.tick(noon() + Span::from_mins(5));
    assert_eq!(workspace.standing().versions[&NEW], State::Rejected);
}

#[test]
fn an_override_that_cannot_be_read_holds_the_model_and_names_the_place() {
    let workspace = with_shadow();
    let before = workspace.files();
    workspace.drop_override("night.yaml", "id: night\nmodel: rain\nordr: freeze\n");
    let ticks = workspace.tick(noon() + Span::from_mins(4));
    let held = ticks[0].decision.held.as_deref().unwrap();
    assert!(held.contains("night.yaml") && held.contains("ordr") && held.contains("order"), "{held}");
    let mut after = workspace.files();
    after.retain(|name, _| !name.ends_with("night.yaml"));
    assert_eq!(after, before);
}

fn set<'a>(order: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["override", "set", "rain", order, "--for", "24h", "--reason", "the radar is down"], more].concat()
}

/// An order is typed, obeyed, shown and taken back; nothing of it is lost.
#[test]
fn orders_are_set_listed_obeyed_and_cleared_by_commands() {
    let programs = Programs::with_champion();
    programs.write("incoming/rain/002000.csv", &exchanged(2_000..3_000));
    programs.done(&set("freeze", &["--id", "radar"]));
    let said = programs.done(&set("retrain", &["--id", "again"]));
    assert!(said.contains("wrote governance/rain/overrides/again.yaml: retrain until"), "{said}");
    let told = programs.govern(&[]);
    assert!(told.contains("frozen by `radar`") && !programs.steps().contains(&"1.1.0 TRAINING".to_owned()), "{told}");
    let list = programs.done(&["override", "list", "rain"]);
    assert!(
        list.contains("rain  radar  freeze  in force until") && list.contains("by ana: the radar is down"),
        "{list}"
    );

    let said = programs.done(&["override", "clear", "rain", "radar"]);
    assert!(said.contains("moved governance/rain/overrides/radar.yaml to governance/rain/cleared/"), "{said}");
    assert_eq!(programs.names("governance/rain/overrides"), ["again.yaml"]);
    assert!(programs.names("governance/rain/cleared")[0].ends_with("-radar.yaml"));
    assert!(programs.govern(&[]).contains("1.1.0 is SHADOWING"));
    let list = programs.json(REGENT, &["override", "list"]);
    let state = list["overrides"][0]["state"].as_str().unwrap();
    assert!(state.starts_with("was already applied at entry "), "{list}");
    assert!(programs.done(&["history"]).contains("retrain by ana: the radar is down"));

    programs.done(&set("reject", &["--id", "no"]));
    programs.govern(&[]);
    assert_eq!(programs.steps().last().unwrap(), "1.1.0 REJECTED");
    let expired = programs.done(&["override", "list", "--now", &later(2 * 24 * 60)]);
    assert!(
        expired.contains("was already applied")
            && programs.json(REGENT, &["status"])["models"][0]["candidate"].is_null()
    );
}

#[test]
fn an_order_that_makes_no_sense_is_refused_and_leaves_no_trace() {
    let programs = Programs::with_champion();
    let told = |code: i32, arguments: &[&str], says: &str| {
        let output = programs.run(REGENT, arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    };
    told(2, &["override", "set", "rain", "freeze", "--for", "24h"], "--reason");
    told(2, &["override", "set", "rain", "freeze", "--reason", "x"], "--for");
    told(2, &["override", "set", "rain", "freeze", "--reason", "x", "--until", "2020-01-01"], "expired already");
    told(2, &["override", "set", "rian", "freeze", "--reason", "x", "--for", "1h"], "there is no model `rian`");
    told(2, &set("approve", &[]), "no candidate to approve");
    told(2, &set("freeze", &["--version", "1.0.0"]), "about no version");
    told(2, &set("rollback", &["--to", "1.0.0"]), "no former champion");
    told(2, &set("freeze", &["--id", "../radar"]), "use this --id");
    told(2, &["override", "clear", "rain", "radar"], "none stands");
    assert!(programs.done(&set("pin", &["--dry-run"])).contains("would write"));
    assert!(programs.names("governance/rain/overrides").is_empty());
    assert!(!programs.path("governance/rian").exists());
    // A file that nobody can read holds the model; it is refused by name, and cleared by name.
    programs.write("governance/rain/overrides/night.yaml", "order: freeze\n");
    told(4, &set("freeze", &[]), "night.yaml");
    programs.done(&["override", "clear", "rain", "night.yaml"]);
    programs.done(&set("freeze", &["--id", "radar"]));
    told(2, &set("freeze", &["--id", "radar"]), "name of another order");
}

const MANUAL: &str = "sources: [incoming/rain/*.csv]\npromotion:\n  mode: manual\n  cooldown: 1h\n";

/// `promotion.mode: manual`: the governor walks a candidate up to the last step, and a person takes it, and takes it back.
#[test]
fn a_person_approves_pins_and_rolls_back_while_all_is_frozen() {
    let programs = Programs::with_champion();
    programs.write("governance/rain/policy.yaml", MANUAL);
    programs.write("incoming/rain/002000.csv", &exchanged(2_000..3_000));
    programs.done(&set("retrain", &[]));
    assert!(programs.govern(&[]).contains("1.1.0 is SHADOWING"));
    programs.serve(&[]).live_through(&exchanged(3_000..3_500));

    assert!(programs.govern(&["--now", &day(1)]).contains("1.1.0 is PROMOTABLE"), "{}", programs.done(&["status"]));
    let told = programs.govern(&["--now", &day(2)]);
    assert!(told.contains("waits for an `approve` override: promotion.mode is manual"), "{told}");
    // An approval of other bytes than the candidate's is none.
    let other = format!(
        "id: wrong\nmodel: rain\norder: approve\nversion: 1.1.0\nbundle: {}\nauthor: eve\nreason: looks fine\nexpires: {}\n",
        "0".repeat(64),
        day(9)
    );
    programs.write("governance/rain/overrides/wrong.yaml", &other);
    let told = programs.govern(&["--now", &day(3)]);
    assert!(told.contains("serves 1.0.0, 1.1.0 is PROMOTABLE"), "{told}");
    programs.done(&["override", "clear", "rain", "wrong"]);
    let approve = ["override", "set", "rain", "approve", "--for", "7d", "--reason", "seen", "--now", &day(3)];
    programs.done(&approve);
    assert!(programs.govern(&["--now", &day(4)]).contains("serves 1.1.0"));
    assert!(programs.done(&["history", "--last", "1"]).contains("approve by ana: seen"));

    // Pinned and frozen, and it goes back all the same: that is what a rollback is for.
    for order in [&["freeze"][..], &["pin"], &["rollback", "--to", "1.0.0"]] {
        let now = day(4);
        let rest = ["--for", "7d", "--reason", "forecasts are wrong", "--now", &now];
        programs.done(&[&["override", "set", "rain"], order, &rest].concat());
    }
    let told = programs.json(GOVERNOR, &["--exit-code", "--now", &day(5)]);
    assert_eq!(told["models"][0]["champion"]["version"], "1.0.0", "{told}");
    let steps = programs.steps();
    assert_eq!(steps[steps.len() - 2..], ["1.1.0 ROLLED_BACK", "1.0.0 PROMOTED"]);
    assert!(programs.done(&["history", "--last", "1"]).contains("rollback by ana: forecasts are wrong"));
    assert!(programs.govern(&["--now", &day(5)]).contains("serves 1.0.0"), "it was taken back once");
    let shown = programs.done(&["status", "--now", &day(5)]);
    assert!(shown.contains("serves    1.0.0 since") && shown.contains("order     freeze until"), "{shown}");
    assert!(shown.contains("order     pin 1.1.0 (bundle ") && !shown.contains("order     rollback"), "{shown}");
}
