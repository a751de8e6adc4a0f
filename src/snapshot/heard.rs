//! What replicas have said of windows: their counts, how far they are, and how many events they sealed; through the store.

use std::collections::{BTreeMap, BTreeSet};

use super::count_parts::CountPart;
use super::{Counts, SnapshotError, Window, WindowRules};
use crate::log::{PartKind, parts_between, read_part, requests_of, unreadable};
use crate::store::Store;
use crate::types::{ModelName, ReplicaName, Span, Timestamp};

/// What the replicas have said: their counts by base window, each with its part, and how far each is.
pub(super) struct Heard {
    counts: BTreeMap<Timestamp, Vec<(String, Counts)>>,
    /// The latest watermark of each replica, and whether it said goodbye with it.
    latest: BTreeMap<ReplicaName, (Timestamp, bool)>,
}

impl Heard {
    /// Read the parts that were written from a grace before `from` on: nobody who was silent for longer is waited for.
    pub(super) fn read(
        store: &dyn Store,
        model: &ModelName,
        rules: &WindowRules,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<Heard, SnapshotError> {
        let mut heard = Heard { counts: BTreeMap::new(), latest: BTreeMap::new() };
        for key in parts_between(store, model, PartKind::Counts, from - rules.grace, now + Span::from_micros(1))? {
            let part = CountPart::read(&read_part(store, &key)?).map_err(unreadable(&key))?;
            for (start, counts) in part.windows {
                heard.counts.entry(start).or_default().push((key.to_string(), counts));
            }
            let said = heard.latest.entry(part.replica).or_insert((part.watermark, part.closed));
            // Its next process speaks after its goodbye.
            *said = (*said).max((part.watermark, part.closed));
        }
        Ok(heard)
    }

    /// Whether a window is closed, and then which replicas it did not wait for any longer.
    pub(super) fn closes(&self, window: Window, rules: &WindowRules, now: Timestamp) -> Option<Vec<String>> {
        let lives =
            |(said, closed): (Timestamp, bool)| said + rules.grace > window.start && !(closed && said <= window.start);
        let live = self.latest.iter().filter(|(_, said)| lives(**said));
        let mut behind =
            live.clone().filter(|(_, (watermark, closed))| *watermark < window.end() && !closed).peekable();
        let everyone_passed = live.clone().next().is_some() && behind.peek().is_none();
        let grace_is_over = window.end() + rules.grace <= now;
        (everyone_passed || grace_is_over).then(|| behind.map(|(replica, _)| replica.to_string()).collect())
    }

    /// The counts of a window, each part once, and the parts.
    pub(super) fn counts(&self, window: Window) -> (Counts, BTreeSet<String>) {
        let mut whole = (Counts::default(), BTreeSet::new());
        for (key, counts) in self.counts.range(window.start..window.end()).flat_map(|(_, parts)| parts) {
            whole.0.add(counts);
            whole.1.insert(key.clone());
        }
        whole
    }
}

/// How many events each part of events has in each minute.
pub(super) struct Requests(BTreeMap<Timestamp, Vec<(String, u64)>>);

impl Requests {
    pub(super) fn read(
        store: &dyn Store,
        model: &ModelName,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Requests, SnapshotError> {
        let mut requests = Requests(BTreeMap::new());
        for key in parts_between(store, model, PartKind::Events, from, to)? {
            for (minute, count) in requests_of(store, &key)? {
                requests.0.entry(minute).or_default().push((key.to_string(), count));
            }
        }
        Ok(requests)
    }

    pub(super) fn of(&self, window: Window) -> (u64, BTreeSet<String>) {
        let parts = self.0.range(window.start..window.end()).flat_map(|(_, parts)| parts);
        parts.fold((0, BTreeSet::new()), |(total, mut keys), (key, count)| {
            keys.insert(key.clone());
            (total + count, keys)
        })
    }
}
