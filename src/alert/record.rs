//! Where alerts are kept: every notice created once, under the next number of its kind; through the store.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::life::{self, Alert, fold, standing};
use super::notice::{AlertId, Findings, Kind, Notice};
use super::routes::AlertRules;
use super::{AlertError, Event};
use crate::store::{Body, Key, Store, StoreError};
use crate::types::{ModelName, Timestamp, canonical_json};

/// How often a number is tried when others are faster.
const ROUNDS: u32 = 8;

/// Fire what is new or worse, remind of what stands, resolve what is over, and return what was written.
///
/// Of two governors that see the same, one writes it: a number is created once, and whoever finds it taken looks again.
///
/// # Errors
/// The store's; a record that is not one.
pub fn raise(
    store: &dyn Store,
    model: &ModelName,
    findings: &Findings,
    rules: &AlertRules,
    now: Timestamp,
) -> Result<Vec<Notice>, AlertError> {
    let mut raised = Vec::new();
    for (kind, seen) in findings {
        let id = AlertId { model: model.clone(), kind: *kind };
        let happens = |standing: Option<&Alert>| Ok(life::happens(&id, standing, seen, rules, now));
        raised.extend(append(store, &id, happens)?);
    }
    Ok(raised)
}

/// A person says that they know of an alert.
///
/// # Errors
/// It does not stand, or is acknowledged already; the store's.
pub fn acknowledge(
    store: &dyn Store,
    id: &AlertId,
    by: &str,
    note: Option<&str>,
    now: Timestamp,
) -> Result<Notice, AlertError> {
    let none = || AlertError::NotStanding { id: id.clone() };
    let known = |standing: Option<&Alert>| {
        let alert = standing.ok_or_else(none)?;
        match &alert.acknowledged {
            Some(known) => Err(AlertError::AcknowledgedAlready { id: id.clone(), by: known.by.clone(), at: known.at }),
            None => Ok(Some(alert.acknowledged_by(by, note, now))),
        }
    };
    append(store, id, known)?.ok_or_else(none)
}

/// Every alert there was, in the order of kinds and of time.
///
/// # Errors
/// The store's; a record that is not one.
pub fn history(store: &dyn Store, model: &ModelName) -> Result<Vec<Alert>, AlertError> {
    let mut alerts = Vec::new();
    for kind in Kind::ALL {
        alerts.extend(fold(&notices(store, &AlertId { model: model.clone(), kind })?));
    }
    Ok(alerts)
}

/// The alerts that stand, in the order of kinds.
///
/// # Errors
/// As [`history`].
pub fn active(store: &dyn Store, model: &ModelName) -> Result<Vec<Alert>, AlertError> {
    let standing = |alert: &Alert| alert.resolved_at.is_none();
    Ok(history(store, model)?.into_iter().filter(standing).collect())
}

/// Create the next notice of an alert, if something happens to it.
fn append(
    store: &dyn Store,
    id: &AlertId,
    happens: impl Fn(Option<&Alert>) -> Result<Option<Notice>, AlertError>,
) -> Result<Option<Notice>, AlertError> {
    for _ in 0..ROUNDS {
        let notices = notices(store, id)?;
        let Some(notice) = happens(standing(&notices).as_ref())? else { return Ok(None) };
        let notice = Notice { seq: notices.last().map_or(0, |last| last.seq) + 1, ..notice };
        let key = place(id, notice.seq)?.join(NOTICE)?;
        if create(store, &key, &notice)? {
            return Ok(Some(notice));
        }
    }
    Err(AlertError::Crowded { id: id.clone(), rounds: ROUNDS })
}

const NOTICE: &str = "notice.json";

/// Every notice of one alert, in order.
pub(super) fn notices(store: &dyn Store, id: &AlertId) -> Result<Vec<Notice>, AlertError> {
    let folder = folder(id)?;
    let mut notices = Vec::new();
    for number in store.list_folder(&folder)? {
        let key = folder.join(&number)?.join(NOTICE)?;
        let notice: Notice = match read(store, &key) {
            Ok(notice) => notice,
            // A folder whose notice is being created at this moment.
            Err(AlertError::Store(StoreError::NotFound { .. })) => continue,
            Err(error) => return Err(error),
        };
        if notice.format_version > 1 {
            return Err(AlertError::Newer { key, found: notice.format_version });
        }
        if notice.event != Event::Test {
            notices.push(notice);
        }
    }
    Ok(notices)
}

fn folder(id: &AlertId) -> Result<Key, AlertError> {
    Ok(Key::new(&format!("var/{}/alerts/{}", id.model, id.kind))?)
}

/// The folder of one notice and of all that was tried to deliver it.
pub(super) fn place(id: &AlertId, seq: u64) -> Result<Key, AlertError> {
    Ok(folder(id)?.join(&format!("{seq:08}"))?)
}

/// Create a record; whether it was not there yet.
pub(super) fn create(store: &dyn Store, key: &Key, record: &impl Serialize) -> Result<bool, AlertError> {
    let bytes = canonical_json(record).map_err(|source| AlertError::Print { key: key.clone(), source })?;
    match store.create(key, Body::Bytes(&bytes)) {
        Ok(()) => Ok(true),
        Err(StoreError::AlreadyExists { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Read a record.
pub(super) fn read<T: DeserializeOwned>(store: &dyn Store, key: &Key) -> Result<T, AlertError> {
    let bytes = store.read(key)?;
    serde_json::from_slice(&bytes).map_err(|source| AlertError::Read { key: key.clone(), source })
}

#[cfg(test)]
mod tests;
