//! Chapter 6: people order, and the journal says who and why.

use regent::govern::{Order, Override, State};
use regent::registry;
use regent::types::{Span, Version};

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
