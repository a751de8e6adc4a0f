//! Windows sealed once: base windows from parts, larger ones from smaller ones; through the store. Never changes a sealed one.

use std::collections::{BTreeMap, BTreeSet};

use super::heard::{Heard, Requests};
use super::{Counts, Snapshot, SnapshotError, Window, WindowRules};
use crate::store::{Key, Store, StoreError};
use crate::types::{ModelName, Span, Timestamp, canonical_json};

const FORMAT: u32 = 1;
const HOUR: Span = Span::from_hours(1);

/// Seal every window that is closed and not sealed; returns what was sealed now, base windows first.
///
/// `served_since` is when the model first answered: no window that ended before is sealed, and larger ones are merged from
/// what came after. `judged_until` is the end of the last judged window, before which everything is sealed.
///
/// A base window closes when every live replica has passed its end, or `grace` after it. Windows are sealed in order, so
/// one that waits holds up those after it.
///
/// # Errors
/// The store; a part or a snapshot that is not one.
pub fn seal_due(
    store: &dyn Store,
    model: &ModelName,
    rules: &WindowRules,
    served_since: Timestamp,
    judged_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<Snapshot>, SnapshotError> {
    let sizes = rules.sizes();
    let from = judged_until.map_or(served_since, |until| until.max(served_since));
    let mut sealing = Sealing { store, model, rules, served_since, now, known: BTreeMap::new(), sealed: Vec::new() };
    sealing.base_windows(from)?;
    for size in sizes.into_iter().skip(1) {
        sealing.merged_windows(from, size)?;
    }
    Ok(sealing.sealed)
}

/// A sealed window; nothing while it is not sealed.
///
/// # Errors
/// The store; an object that is no snapshot.
pub fn judged(store: &dyn Store, model: &ModelName, window: Window) -> Result<Option<Snapshot>, SnapshotError> {
    read(store, &key(model, window)?)
}

/// The snapshot that lies here; nothing if there is none.
///
/// # Errors
/// As [`judged`].
pub fn read(store: &dyn Store, key: &Key) -> Result<Option<Snapshot>, SnapshotError> {
    let bytes = match store.read(key) {
        Err(StoreError::NotFound { .. }) => return Ok(None),
        read => read?,
    };
    let unreadable = |source| SnapshotError::Unreadable { key: key.to_string(), source };
    let snapshot: Snapshot = serde_json::from_slice(&bytes).map_err(unreadable)?;
    if snapshot.format_version > FORMAT {
        let (found, known) = (snapshot.format_version, FORMAT);
        return Err(SnapshotError::Newer { key: key.to_string(), found, known });
    }
    Ok(Some(snapshot))
}

/// Where a window's snapshot lies: `var/<model>/snapshots/<size>/<start>.json`.
///
/// # Errors
/// Never for a validated name; the store checks every key.
pub fn key(model: &ModelName, window: Window) -> Result<Key, SnapshotError> {
    let Window { start, size } = window;
    Ok(Key::new(&format!("var/{model}/snapshots/{size}/{}.json", start.compact()))?)
}

struct Sealing<'a> {
    store: &'a dyn Store,
    model: &'a ModelName,
    rules: &'a WindowRules,
    served_since: Timestamp,
    now: Timestamp,
    /// Windows that this call has already read or sealed.
    known: BTreeMap<Window, Snapshot>,
    sealed: Vec<Snapshot>,
}

impl Sealing<'_> {
    fn base_windows(&mut self, from: Timestamp) -> Result<(), SnapshotError> {
        let open = self.open_windows(from)?;
        let (Some(first), Some(last)) = (open.first(), open.last()) else {
            return Ok(());
        };
        let heard = Heard::read(self.store, self.model, self.rules, first.start, self.now)?;
        let requests = Requests::read(self.store, self.model, first.start, last.end())?;
        for window in open {
            let Some(silent_replicas) = heard.closes(window, self.rules, self.now) else {
                break;
            };
            let (counts, counted) = heard.counts(window);
            let (requests, mut merged) = requests.of(window);
            merged.extend(counted);
            self.seal(Snapshot {
                format_version: FORMAT,
                model: self.model.clone(),
                window,
                requests,
                counts,
                silent_replicas,
                merged: merged.into_iter().collect(),
                sealed_at: self.now,
            })?;
        }
        Ok(())
    }

    /// The base windows that are over and not sealed. A merged window that is sealed has all of its own.
    fn open_windows(&self, from: Timestamp) -> Result<Vec<Window>, SnapshotError> {
        let base = self.rules.base;
        let leap = self.rules.sizes().into_iter().rev().find(|size| *size > base && *size <= HOUR.max(base));
        let mut open = Vec::new();
        let mut window = Window::holding(from, base);
        while window.end() <= self.now {
            let larger = leap.map(|size| Window::holding(window.start, size));
            match larger.filter(|larger| larger.start == window.start) {
                Some(larger) if self.store.exists(&key(self.model, larger)?)? => {
                    window = Window::holding(larger.end(), base);
                    continue;
                }
                Some(_) | None => {}
            }
            if !self.store.exists(&key(self.model, window)?)? {
                open.push(window);
            }
            window = window.next();
        }
        Ok(open)
    }

    /// Merge the windows of one size whose parts are all sealed.
    fn merged_windows(&mut self, from: Timestamp, size: Span) -> Result<(), SnapshotError> {
        let Some(smaller) = self.rules.merged_from(size) else {
            return Ok(());
        };
        let mut window = Window::holding(from, size);
        while window.end() <= self.now {
            if !self.store.exists(&key(self.model, window)?)? && !self.merge(window, smaller)? {
                break;
            }
            window = window.next();
        }
        Ok(())
    }

    fn merge(&mut self, window: Window, smaller: Span) -> Result<bool, SnapshotError> {
        let mut whole = Snapshot {
            format_version: FORMAT,
            model: self.model.clone(),
            window,
            requests: 0,
            counts: Counts::default(),
            silent_replicas: Vec::new(),
            merged: Vec::new(),
            sealed_at: self.now,
        };
        let mut silent = BTreeSet::new();
        let served_since = self.served_since;
        for part in window.split(smaller).filter(|part| part.end() > served_since) {
            let Some(part) = self.known(part)? else {
                return Ok(false);
            };
            whole.requests += part.requests;
            whole.counts.add(&part.counts);
            silent.extend(part.silent_replicas.iter().cloned());
            whole.merged.push(key(self.model, part.window)?.to_string());
        }
        whole.silent_replicas = silent.into_iter().collect();
        self.seal(whole)?;
        Ok(true)
    }

    fn known(&mut self, window: Window) -> Result<Option<Snapshot>, SnapshotError> {
        match self.known.get(&window) {
            Some(snapshot) => Ok(Some(snapshot.clone())),
            None => judged(self.store, self.model, window),
        }
    }

    /// Create a snapshot. If another governor was first, his holds, whatever came in between.
    fn seal(&mut self, snapshot: Snapshot) -> Result<(), SnapshotError> {
        let key = key(self.model, snapshot.window)?;
        let unreadable = |source| SnapshotError::Unreadable { key: key.to_string(), source };
        let bytes = canonical_json(&snapshot).map_err(unreadable)?;
        let snapshot = match self.store.create(&key, (&bytes).into()) {
            Ok(()) => {
                self.sealed.push(snapshot.clone());
                snapshot
            }
            Err(StoreError::AlreadyExists { .. }) => match judged(self.store, self.model, snapshot.window)? {
                Some(theirs) => theirs,
                None => return Ok(()),
            },
            Err(error) => return Err(error.into()),
        };
        self.known.insert(snapshot.window, snapshot);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
