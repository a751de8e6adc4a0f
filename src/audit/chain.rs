//! The journal, followed by someone who does not trust it: numbers, parents, digests, forms and steps; through the store.

use std::collections::BTreeMap;

use super::examiner::Examiner;
use super::{AuditError, Fault, Head};
use crate::govern::{Entry, GovernError, Standing, journal};
use crate::store::{Key, StoreError};
use crate::train::ENGINE;
use crate::types::{Digest, canonical_json};

/// One entry as it lies there.
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) digest: Digest,
    /// None if it cannot be read.
    pub(super) entry: Option<Entry>,
}

/// The entries that are there, by number.
pub(super) struct Chain {
    pub(super) links: Vec<Link>,
}

impl Chain {
    /// Read every entry, and write down whatever does not follow from the one before.
    pub(super) fn follow(examiner: &mut Examiner<'_>) -> Result<Chain, AuditError> {
        let folder = journal::folder(examiner.model)?;
        let mut links: Vec<Link> = Vec::new();
        for (seq, key) in numbered(examiner, &folder)? {
            let before = links.last();
            let expected = before.map_or(1, |link| link.seq + 1);
            if seq > expected {
                let what = match seq - expected {
                    1 => format!("entry {expected} is missing"),
                    _ => format!("entries {expected} to {} are missing", seq - 1),
                };
                let file = format!("{folder}/{}", journal::file_name(expected));
                examiner.find(file, Some(expected), Fault::Missing, what);
            }
            let Some(bytes) = examiner.bytes(&key, Some(seq))? else { continue };
            let link = Link { seq, digest: Digest::of(&bytes), entry: parse(examiner, &key, seq, &bytes) };
            follows(examiner, &folder, before, &link, &key);
            links.push(link);
        }
        walk_the_road(examiner, &folder, &links);
        Ok(Chain { links })
    }

    /// Entries that could be read, by number.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.links.iter().filter_map(|link| link.entry.as_ref())
    }

    /// The newest entry.
    pub(super) fn newest(&self) -> Option<&Link> {
        self.links.last()
    }

    /// Hold the journal against a head that was kept elsewhere: entries may have followed, none may be gone.
    pub(super) fn hold_against(&self, head: &Head, examiner: &mut Examiner<'_>) -> Result<(), AuditError> {
        let file = journal::folder(examiner.model)?.join(&journal::file_name(head.seq))?;
        let there = self.links.iter().find(|link| link.seq == head.seq);
        let (fault, what) = match there {
            Some(link) if link.digest == head.sha256 => return Ok(()),
            Some(link) => {
                let (found, kept) = (link.digest.short(), head.sha256.short());
                (Fault::Altered, format!("its SHA-256 is {found}, the head that was kept says {kept}"))
            }
            None => {
                let ends = self.newest().map_or(0, |link| link.seq);
                (Fault::Truncated, format!("the head that was kept names it, and the journal ends at entry {ends}"))
            }
        };
        examiner.find(file, Some(head.seq), fault, what);
        Ok(())
    }
}

/// The files of the folder that have an entry's name, by number. Whatever else lies there is a finding.
fn numbered(examiner: &mut Examiner<'_>, folder: &Key) -> Result<BTreeMap<u64, Key>, AuditError> {
    let found = examiner.findings.len();
    let names = examiner.names(folder)?;
    let mut keys = BTreeMap::new();
    if examiner.findings.len() > found {
        // The folder cannot be listed: look for one number after the other.
        for seq in 1.. {
            let key = folder.join(&journal::file_name(seq))?;
            match examiner.store.exists(&key) {
                Ok(true) => drop(keys.insert(seq, key)),
                Ok(false) | Err(StoreError::NotAFolder { .. }) => break,
                Err(other) => return Err(other.into()),
            }
        }
    }
    for name in names {
        let key = folder.join(&name)?;
        let number = name.strip_suffix(".json").and_then(|digits| digits.parse().ok());
        match number.filter(|seq| *seq > 0 && journal::file_name(*seq) == name) {
            Some(seq) => drop(keys.insert(seq, key)),
            None => examiner.find(key, None, Fault::Stranger, "it is no entry of the journal"),
        }
    }
    Ok(keys)
}

fn parse(examiner: &mut Examiner<'_>, key: &Key, seq: u64, bytes: &[u8]) -> Option<Entry> {
    let entry: Entry = match serde_json::from_slice(bytes) {
        Ok(entry) => entry,
        Err(why) => {
            examiner.find(key, Some(seq), Fault::Unreadable, format!("it is not an entry: {why}"));
            return None;
        }
    };
    if entry.format_version > journal::FORMAT_VERSION {
        let what =
            format!("its form is {}, this program knows up to {}", entry.format_version, journal::FORMAT_VERSION);
        examiner.find(key, Some(seq), Fault::Unreadable, what);
        return None;
    }
    // What this very version wrote it would write again, to the byte; of another version only the chain can tell.
    if entry.engine == ENGINE && canonical_json(&entry).is_ok_and(|again| again != bytes) {
        examiner.find(key, Some(seq), Fault::Altered, "it is not in the form in which entries are written");
    }
    Some(entry)
}

/// An entry has its file's number, names the digest of the one before it, and is not older.
fn follows(examiner: &mut Examiner<'_>, folder: &Key, before: Option<&Link>, link: &Link, key: &Key) {
    let Some(entry) = &link.entry else { return };
    let seq = link.seq;
    if entry.seq != seq {
        examiner.find(key, Some(seq), Fault::Chain, format!("it says that it is entry {}", entry.seq));
    }
    if entry.inputs.is_empty() {
        examiner.find(key, Some(seq), Fault::Contradiction, "it names nothing that it was decided on");
    }
    let Some(before) = before.filter(|before| before.seq + 1 == seq) else {
        if seq == 1 && entry.parent.is_some() {
            examiner.find(key, Some(seq), Fault::Chain, "it is the first entry and names one before it");
        }
        return;
    };
    if entry.parent != Some(before.digest) {
        let named = entry.parent.map_or_else(|| "nothing".to_owned(), |digest| digest.short());
        let what = format!("its SHA-256 is {}, entry {seq} names {named}", before.digest.short());
        let file = format!("{folder}/{}", journal::file_name(before.seq));
        examiner.find(file, Some(before.seq), Fault::Chain, what);
    }
    let earlier = before.entry.as_ref().map(|before| before.decision.at);
    if earlier.is_some_and(|earlier| entry.decision.at < earlier) {
        examiner.find(key, Some(seq), Fault::Chain, "it is older than the entry before it");
    }
}

/// Every step is one of the road, from where its version stands. Where the chain is broken nothing can be said of what follows.
fn walk_the_road(examiner: &mut Examiner<'_>, folder: &Key, links: &[Link]) {
    let mut standing = Standing::default();
    for link in links {
        let Some(entry) = &link.entry else { return };
        standing = match standing.after(entry, link.digest) {
            Ok(standing) => standing,
            Err(GovernError::Step { seq, source }) => {
                let file = format!("{folder}/{}", journal::file_name(seq));
                examiner.find(file, Some(seq), Fault::Road, source.to_string());
                return;
            }
            Err(_) => return,
        };
    }
}
