//! Which keys there are, what each opens and until when; pure. Of a key it knows the SHA-256 and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::{Choice, ConstantTimeEq};

use super::secret::Secret;
use crate::types::{Digest, KeyName, Timestamp};

/// What a key opens; each route needs one of them or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Ask the champion.
    Predict,
    /// Tell what a model elsewhere has answered.
    Ingest,
    /// Tell what came true.
    Label,
    /// Look at models, reports and history.
    Read,
}

impl Scope {
    /// Every scope there is.
    pub const ALL: [Scope; 4] = [Scope::Predict, Scope::Ingest, Scope::Label, Scope::Read];

    /// The scope in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Predict => "predict",
            Scope::Ingest => "ingest",
            Scope::Label => "label",
            Scope::Read => "read",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key as it is kept. 1: first form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    /// The form of this file.
    pub format_version: u32,
    /// The first twelve digits of `sha256`: how people speak of the key.
    pub id: String,
    /// Who calls with it.
    pub name: KeyName,
    /// What it opens.
    pub scopes: BTreeSet<Scope>,
    /// The SHA-256 of the whole key.
    pub sha256: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<Timestamp>,
}

/// The form of what is kept.
pub const KEY_FORMAT: u32 = 1;

impl KeyRecord {
    /// What is kept of a key.
    pub fn of(secret: &Secret, name: KeyName, scopes: BTreeSet<Scope>, now: Timestamp) -> KeyRecord {
        let sha256 = secret.digest();
        KeyRecord {
            format_version: KEY_FORMAT,
            id: sha256.short(),
            name,
            scopes,
            sha256,
            created_at: now,
            expires: None,
        }
    }

    /// Whether the record is one that Regent has written.
    pub(super) fn is_sound(&self) -> bool {
        self.format_version == KEY_FORMAT && self.id == self.sha256.short() && !self.scopes.is_empty()
    }
}

/// Why a key ends before it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Another one takes its place.
    Rotated,
    /// Somebody took it back.
    Revoked,
}

/// The end of a key, as it is kept beside it. 1: first form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// The form of this file.
    pub format_version: u32,
    /// The key.
    pub id: String,
    /// Why it ends.
    pub why: Why,
    /// From when on it opens nothing.
    pub at: Timestamp,
}

/// A key with its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldKey {
    /// The key as it was made.
    pub record: KeyRecord,
    /// What was said of its end since.
    pub ends: BTreeMap<Why, Timestamp>,
}

/// How it stands with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// It opens, and nobody has named its end but its expiry.
    Live,
    /// It opens until another has taken its place.
    Rotating,
    /// Another has taken its place.
    Rotated,
    /// It has expired.
    Expired,
    /// Somebody took it back.
    Revoked,
}

impl KeyState {
    /// The state in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyState::Live => "live",
            KeyState::Rotating => "rotating",
            KeyState::Rotated => "rotated",
            KeyState::Expired => "expired",
            KeyState::Revoked => "revoked",
        }
    }
}

impl HeldKey {
    /// From when on it opens nothing; nothing if nobody has named an end.
    pub fn until(&self) -> Option<Timestamp> {
        self.ends.values().copied().chain(self.record.expires).min()
    }

    /// Whether it opens what it opens.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.until().is_none_or(|until| now < until)
    }

    /// How it stands with it.
    pub fn state(&self, now: Timestamp) -> KeyState {
        let over = |end: Option<&Timestamp>| end.is_some_and(|at| *at <= now);
        if over(self.ends.get(&Why::Revoked)) {
            KeyState::Revoked
        } else if over(self.record.expires.as_ref()) {
            KeyState::Expired
        } else if over(self.ends.get(&Why::Rotated)) {
            KeyState::Rotated
        } else if self.ends.contains_key(&Why::Rotated) {
            KeyState::Rotating
        } else {
            KeyState::Live
        }
    }
}

/// Whoever has shown a key that opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The key's id.
    pub id: String,
    /// What it opens.
    pub scopes: BTreeSet<Scope>,
}

/// All keys. A ring without a single one asks nobody; one whose keys have all ended lets nobody in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ring {
    keys: BTreeMap<String, HeldKey>,
}

impl Ring {
    /// The keys with their ends.
    pub fn of(records: impl IntoIterator<Item = KeyRecord>, endings: impl IntoIterator<Item = Ending>) -> Ring {
        let held = |record: KeyRecord| (record.id.clone(), HeldKey { record, ends: BTreeMap::new() });
        let mut keys: BTreeMap<String, HeldKey> = records.into_iter().map(held).collect();
        for Ending { id, why, at, .. } in endings {
            if let Some(key) = keys.get_mut(&id) {
                key.ends.insert(why, at);
            }
        }
        Ring { keys }
    }

    /// Whether callers are asked for keys.
    pub fn asks(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Every key, by id.
    pub fn keys(&self) -> impl Iterator<Item = &HeldKey> {
        self.keys.values()
    }

    /// The key of this id.
    pub fn get(&self, id: &str) -> Option<&HeldKey> {
        self.keys.get(id)
    }

    /// The live keys of a name, the oldest first.
    pub fn live(&self, name: &KeyName, now: Timestamp) -> Vec<&HeldKey> {
        let mut live: Vec<_> = self.keys().filter(|key| key.record.name == *name && key.is_live(now)).collect();
        live.sort_by_key(|key| (key.record.created_at, key.record.id.clone()));
        live
    }

    /// Who shows this secret. Every key is compared whole, so how long it takes says nothing of how near a guess was.
    pub fn bearer(&self, secret: &Secret, now: Timestamp) -> Option<Bearer> {
        let shown = secret.digest();
        let mut found = None;
        for key in self.keys() {
            let same: Choice = key.record.sha256.bytes().ct_eq(shown.bytes());
            if bool::from(same) {
                found = Some(key);
            }
        }
        let key = found.filter(|key| key.is_live(now))?;
        Some(Bearer { id: key.record.id.clone(), scopes: key.record.scopes.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Span;

    fn now() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn a_key(seed: u8) -> (Secret, KeyRecord) {
        let secret = Secret::from_random(&[seed; 32]);
        let record = KeyRecord::of(&secret, "ci".parse().unwrap(), BTreeSet::from([Scope::Predict]), now());
        (secret, record)
    }

    fn ending(record: &KeyRecord, why: Why, at: Timestamp) -> Ending {
        Ending { format_version: KEY_FORMAT, id: record.id.clone(), why, at }
    }

    #[test]
    fn a_key_opens_until_its_first_end() {
        let (secret, record) = a_key(1);
        let (soon, later) = (now() + Span::from_hours(1), now() + Span::from_hours(2));
        let record = KeyRecord { expires: Some(later), ..record };
        let ring = Ring::of([record.clone()], [ending(&record, Why::Rotated, soon)]);
        assert_eq!(ring.bearer(&secret, now()).unwrap().scopes, BTreeSet::from([Scope::Predict]));
        assert!(ring.bearer(&secret, soon).is_none() && ring.bearer(&secret, later).is_none());
        let state = |ring: &Ring, at| ring.get(&record.id).unwrap().state(at);
        assert_eq!([now(), soon, later].map(|at| state(&ring, at).as_str()), ["rotating", "rotated", "expired"]);
        let ring = Ring::of([record.clone()], [ending(&record, Why::Revoked, now())]);
        assert!(ring.bearer(&secret, now()).is_none());
        assert_eq!(state(&ring, now()), KeyState::Revoked);
    }

    #[test]
    fn two_keys_of_one_name_open_at_a_time_and_no_third_secret_does() {
        let ((first, one), (second, two)) = (a_key(1), a_key(2));
        let ring = Ring::of([one, two], []);
        assert_ne!(ring.bearer(&first, now()), ring.bearer(&second, now()));
        assert!(ring.bearer(&first, now()).is_some() && ring.bearer(&second, now()).is_some());
        assert!(ring.bearer(&a_key(3).0, now()).is_none());
        assert_eq!(ring.live(&"ci".parse().unwrap(), now()).len(), 2);
    }

    /// A ring whose keys have all ended is not one without keys: it goes on asking.
    #[test]
    fn a_ring_of_ended_keys_lets_nobody_in() {
        let (secret, record) = a_key(1);
        let ring = Ring::of([record.clone()], [ending(&record, Why::Revoked, now())]);
        assert!(ring.asks() && ring.bearer(&secret, now()).is_none());
        assert!(!Ring::default().asks());
    }
}
