//! What changed between two contracts, and by how much that moves the version; pure.
//!
//! | change | bump | because |
//! |---|---|---|
//! | task, target, positive class; target's domain narrowed | major | scores mean something else, or labels are refused |
//! | feature removed, added or retyped; its domain narrowed | major | callers must send something else |
//! | a domain widened | minor | whatever was sent may still be sent |
//! | values in another order; features in another order | minor | vectors are new, requests are not |
//! | time, id, forbidden columns, slices, rules of files | minor | what is trained and logged is new, requests are not |
//! | descriptions, reasons, the schema's name | patch | only people read them |

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::feature::{Contract, Feature, RawContract};
use crate::ingest::{Column, Domain, Range};
use crate::types::{Bump, Version};

/// One change between two contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// What was done, as "removing feature `x`".
    pub what: String,
    /// By how much it moves the version.
    pub bump: Bump,
}

/// All changes between two contracts; none when only the number differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diff {
    /// The changes, the largest first.
    pub changes: Vec<Change>,
}

impl Diff {
    /// The largest change, which decides; none when nothing changed.
    pub fn largest(&self) -> Option<&Change> {
        self.changes.first()
    }

    /// The version that must follow `last`: `last` itself when nothing changed.
    pub fn required_version(&self, last: Version) -> Version {
        self.largest().map_or(last, |change| last.bump(change.bump))
    }

    fn add(&mut self, bump: Bump, what: impl Into<String>) {
        self.changes.push(Change { what: what.into(), bump });
    }

    fn add_if(&mut self, changed: bool, bump: Bump, what: impl Into<String>) {
        if changed {
            self.add(bump, what);
        }
    }
}

/// Every change from one contract to the other. Version numbers are not compared: they follow from the result.
pub fn diff(old: &Contract, new: &Contract) -> Diff {
    let mut diff = Diff::default();
    let (was, is) = (old.raw(), new.raw());
    diff.add_if(was.task != is.task, Bump::Major, format!("changing the task from {} to {}", was.task, is.task));
    diff_target(old, new, &mut diff);
    diff_features(old, new, &mut diff);
    diff_roles(was, is, &mut diff);
    diff_columns(old, new, &mut diff);
    diff_texts(was, is, &mut diff);
    // Stable, so changes of one size stay in the order above.
    diff.changes.sort_by_key(|change| std::cmp::Reverse(change.bump));
    diff
}

fn diff_target(old: &Contract, new: &Contract, diff: &mut Diff) {
    if old.target() != new.target() {
        diff.add(Bump::Major, format!("predicting `{}` in place of `{}`", new.target(), old.target()));
        return;
    }
    let at = format!("target `{}`", new.target());
    let positive = old.positive() != new.positive();
    diff.add_if(positive, Bump::Major, format!("changing the positive class of {at}"));
    if let (Some(was), Some(is)) = (old.target_domain(), new.target_domain()) {
        diff_domain(&at, was, is, diff);
    }
}

fn diff_features(old: &Contract, new: &Contract, diff: &mut Diff) {
    let find = |contract: &'_ Contract, name: &str| contract.features().iter().find(|f| f.name == name).cloned();
    for was in old.features() {
        let at = format!("feature `{}`", was.name);
        match find(new, &was.name) {
            None => diff.add(Bump::Major, format!("removing {at}")),
            Some(is) => {
                let kind = is.kind != was.kind;
                diff.add_if(kind, Bump::Major, format!("reading {at} as {} in place of {}", is.kind, was.kind));
                diff_domain(&at, &was.domain, &is.domain, diff);
            }
        }
    }
    for is in new.features().iter().filter(|is| find(old, &is.name).is_none()) {
        diff.add(Bump::Major, format!("adding feature `{}`", is.name));
    }
    let order = |of: &Contract, and: &Contract| -> Vec<String> {
        let shared = of.features().iter().filter(|feature| and.place(&feature.name).is_some());
        shared.map(|feature: &Feature| feature.name.clone()).collect()
    };
    diff.add_if(order(old, new) != order(new, old), Bump::Minor, "putting the features in another order");
}

fn diff_domain(at: &str, was: &Domain, is: &Domain, diff: &mut Diff) {
    match (was, is) {
        (Domain::Integer(was), Domain::Integer(is)) | (Domain::Float(was), Domain::Float(is)) => {
            diff_range(at, was, is, diff);
        }
        (Domain::Category(was), Domain::Category(is)) => diff_values(at, was, is, diff),
        (was, is) if was.kind() == is.kind() => {}
        (was, is) => {
            diff.add(Bump::Major, format!("changing the type of {at} from {} to {}", was.kind(), is.kind()));
        }
    }
}

fn diff_range(at: &str, was: &Range, is: &Range, diff: &mut Diff) {
    let told = |how: &str| format!("{how} the range of {at}: a number{was} became a number{is}");
    diff.add_if(is.min > was.min || is.max < was.max, Bump::Major, told("narrowing"));
    diff.add_if(is.min < was.min || is.max > was.max, Bump::Minor, told("widening"));
}

fn diff_values(at: &str, was: &[String], is: &[String], diff: &mut Diff) {
    for gone in was.iter().filter(|word| !is.contains(word)) {
        diff.add(Bump::Major, format!("removing the value `{gone}` of {at}"));
    }
    for new in is.iter().filter(|word| !was.contains(word)) {
        diff.add(Bump::Minor, format!("adding the value `{new}` to {at}"));
    }
    let before: Vec<_> = was.iter().filter(|word| is.contains(word)).collect();
    let after: Vec<_> = is.iter().filter(|word| was.contains(word)).collect();
    diff.add_if(before != after, Bump::Minor, format!("putting the values of {at} in another order"));
}

fn diff_roles(was: &RawContract, is: &RawContract, diff: &mut Diff) {
    diff.add_if(was.time != is.time, Bump::Minor, "ordering rows by another column (`time`)");
    diff.add_if(was.id != is.id, Bump::Minor, "identifying rows by another column (`id`)");
    diff.add_if(was.slices != is.slices, Bump::Minor, "changing the slices");
    let forbidden = |of: &RawContract| -> BTreeSet<String> { of.forbidden.iter().map(|f| f.column.clone()).collect() };
    for column in forbidden(is).symmetric_difference(&forbidden(was)) {
        let how = if forbidden(is).contains(column) { "forbidding" } else { "no longer forbidding" };
        diff.add(Bump::Minor, format!("{how} the column `{column}`"));
    }
}

/// Rules that only files meet: of columns that nobody sends, and of whole columns.
fn diff_columns(old: &Contract, new: &Contract, diff: &mut Diff) {
    let shared = new.columns().iter().filter_map(|is| {
        let was = old.columns().iter().find(|was| was.name() == is.name())?;
        Some((was, is))
    });
    for (was, is) in shared {
        let name = is.name();
        let sent = new.place(name).is_some() || new.target() == name;
        diff.add_if(!sent && was.domain() != is.domain(), Bump::Minor, format!("changing what files hold in `{name}`"));
        let rules = |column: &Column| (column.unique(), column.increasing());
        diff.add_if(rules(was) != rules(is), Bump::Minor, format!("changing the rules of files for `{name}`"));
    }
}

fn diff_texts(was: &RawContract, is: &RawContract, diff: &mut Diff) {
    diff.add_if(was.schema != is.schema, Bump::Patch, "naming another schema of the same columns");
    diff.add_if(was.description != is.description, Bump::Patch, "changing the description");
    for (was, is) in pairs(&was.features, &is.features, |feature| &feature.name) {
        diff.add_if(was.description != is.description, Bump::Patch, format!("describing feature `{}`", is.name));
    }
    for (was, is) in pairs(&was.columns, &is.columns, |column| &column.name) {
        diff.add_if(was.description != is.description, Bump::Patch, format!("describing column `{}`", is.name));
    }
    for (was, is) in pairs(&was.forbidden, &is.forbidden, |forbidden| &forbidden.column) {
        diff.add_if(was.reason != is.reason, Bump::Patch, format!("changing why `{}` is forbidden", is.column));
    }
    let placed = |raw: &RawContract| -> Vec<String> { raw.columns.iter().map(|column| column.name.clone()).collect() };
    let (before, after) = (placed(was), placed(is));
    let moved = before != after && before.iter().collect::<BTreeSet<_>>() == after.iter().collect::<BTreeSet<_>>();
    diff.add_if(moved, Bump::Patch, "listing the schema's columns in another order");
}

/// What stands on both sides under one name.
fn pairs<'a, T>(was: &'a [T], is: &'a [T], name: impl Fn(&T) -> &String) -> Vec<(&'a T, &'a T)> {
    let twin = |is: &T| was.iter().find(|was| name(was) == name(is));
    is.iter().filter_map(|is| Some((twin(is)?, is))).collect()
}

#[cfg(test)]
mod tests;
