//! What was tried to deliver each notice to each of its routes: a record before an attempt and one after it, each created once;
//! through the store.
//!
//! Who creates the first has the attempt, so that of two deliverers one sends. One that has no second record when its time is
//! over was cut short, and is tried again: a notice is delivered at least once, and its id tells a receiver the second time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::AlertError;
use super::notice::{AlertId, Kind, Notice};
use super::outbox::{Attempt, Letter};
use super::record::{create, notices, place, read};
use crate::store::{Key, Store};
use crate::types::{ModelName, RouteName, Timestamp};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The receiver took it, and said this.
    Delivered(String),
    /// It did not, or did not answer.
    Failed(String),
}

/// A record of an attempt: `…/<number>/<route>/<attempt>-{begun,delivered,failed}.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Tried {
    format_version: u32,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    said: String,
}

const BEGUN: &str = "begun";
const DELIVERED: &str = "delivered";
const FAILED: &str = "failed";

/// Every notice of these models for every route it is for, with what was tried; in the order of models, kinds and numbers.
///
/// # Errors
/// The store's; a record that is not one.
pub fn letters(store: &dyn Store, models: &[ModelName]) -> Result<Vec<Letter>, AlertError> {
    let mut letters = Vec::new();
    for model in models {
        for kind in Kind::ALL {
            let id = AlertId { model: model.clone(), kind };
            for notice in notices(store, &id)? {
                for route in &notice.to {
                    let attempts = attempts(store, &folder(&notice, route)?)?;
                    letters.push(Letter { notice: notice.clone(), route: route.clone(), attempts });
                }
            }
        }
    }
    Ok(letters)
}

fn folder(notice: &Notice, route: &RouteName) -> Result<Key, AlertError> {
    Ok(place(&notice.alert(), notice.seq)?.join(route.as_str())?)
}

fn attempts(store: &dyn Store, folder: &Key) -> Result<Vec<Attempt>, AlertError> {
    let mut found: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for name in store.list_folder(folder)? {
        let read = || {
            let (number, what) = name.strip_suffix(".json")?.split_once('-')?;
            Some((number.parse().ok()?, what.to_owned()))
        };
        if let Some((number, what)) = read() {
            found.entry(number).or_default().insert(what);
        }
    }
    found.into_iter().map(|(number, whats)| attempt(store, folder, number, &whats)).collect()
}

fn attempt(store: &dyn Store, folder: &Key, number: u32, whats: &BTreeSet<String>) -> Result<Attempt, AlertError> {
    let tried = |what| read::<Tried>(store, &key(folder, number, what)?);
    let begun = tried(BEGUN)?.at;
    let ended = if whats.contains(DELIVERED) {
        let Tried { at, said, .. } = tried(DELIVERED)?;
        Some((at, Outcome::Delivered(said)))
    } else if whats.contains(FAILED) {
        let Tried { at, said, .. } = tried(FAILED)?;
        Some((at, Outcome::Failed(said)))
    } else {
        None
    };
    Ok(Attempt { number, begun, ended })
}

fn key(folder: &Key, number: u32, what: &str) -> Result<Key, AlertError> {
    Ok(folder.join(&format!("{number:04}-{what}.json"))?)
}

/// Begin the next attempt; its number, or nothing if somebody else has begun it.
pub(super) fn begin(store: &dyn Store, letter: &Letter, at: Timestamp) -> Result<Option<u32>, AlertError> {
    let number = letter.attempts.last().map_or(0, |last| last.number) + 1;
    let key = key(&folder(&letter.notice, &letter.route)?, number, BEGUN)?;
    let tried = Tried { format_version: 1, at, said: String::new() };
    Ok(create(store, &key, &tried)?.then_some(number))
}

/// End an attempt.
pub(super) fn end(
    store: &dyn Store,
    letter: &Letter,
    number: u32,
    outcome: &Outcome,
    at: Timestamp,
) -> Result<(), AlertError> {
    let (what, said) = match outcome {
        Outcome::Delivered(said) => (DELIVERED, said),
        Outcome::Failed(said) => (FAILED, said),
    };
    let key = key(&folder(&letter.notice, &letter.route)?, number, what)?;
    create(store, &key, &Tried { format_version: 1, at, said: said.clone() })?;
    Ok(())
}
