//! The list of a bundle's files with their digests, in `sha256sum -c` form; pure. Refuses any text it would not print itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::types::Digest;

/// The manifest's own name; the one file that it does not list.
pub const MANIFEST: &str = "MANIFEST.sha256";
/// The longest name of a file.
const LONGEST_NAME: usize = 100;

/// A bundle's files and their digests, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    files: BTreeMap<String, Digest>,
}

/// A line that is not of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ManifestFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

/// One file that is not what a manifest says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// The manifest itself cannot be read.
    Manifest {
        /// Where and why.
        fault: String,
    },
    /// The manifest is whole, and another one than was recorded.
    OtherManifest {
        /// The digest that was recorded.
        recorded: Digest,
        /// The digest of the one that is there.
        found: Digest,
    },
    /// A listed file is not there.
    Missing {
        /// Its name.
        file: String,
    },
    /// A file is there that the manifest does not list.
    Extra {
        /// Its name.
        file: String,
    },
    /// A file's bytes are not the listed ones.
    Altered {
        /// Its name.
        file: String,
        /// What the manifest says.
        listed: Digest,
        /// What its bytes give.
        found: Digest,
    },
    /// A file has another listed file's bytes.
    Swapped {
        /// Its name.
        file: String,
        /// The file whose bytes it has.
        holds: String,
    },
    /// A file is a folder, a link or a device.
    NotAFile {
        /// Its name.
        file: String,
    },
}

impl Manifest {
    /// The manifest of these files.
    pub fn of(files: &BTreeMap<String, Vec<u8>>) -> Manifest {
        Manifest { files: files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect() }
    }

    /// Read a manifest.
    ///
    /// # Errors
    /// The first line that this program would not have printed: so a flipped byte is either seen here or is a digest or a
    /// name, which [`Manifest::check`] sees.
    pub fn parse(bytes: &[u8]) -> Result<Manifest, ManifestFault> {
        let fault = |line, what| ManifestFault { line, what };
        let text = str::from_utf8(bytes).map_err(|_| fault(1, "it is not UTF-8"))?;
        let mut files = BTreeMap::new();
        let mut last = String::new();
        for (line, entry) in (1..).zip(text.split_inclusive('\n')) {
            let entry = entry.strip_suffix('\n').ok_or_else(|| fault(line, "it does not end"))?;
            let (digest, name) = entry.split_once("  ").ok_or_else(|| fault(line, "it is not `<sha256>  <name>`"))?;
            let digest = digest.parse().map_err(|_| fault(line, "it does not begin with a SHA-256"))?;
            if !is_name(name) || name == MANIFEST {
                return Err(fault(line, "it names no file of a bundle"));
            }
            if name <= last.as_str() {
                return Err(fault(line, "names must rise"));
            }
            name.clone_into(&mut last);
            files.insert(name.to_owned(), digest);
        }
        if files.is_empty() {
            return Err(fault(1, "there is no file"));
        }
        Ok(Manifest { files })
    }

    /// The listed files and their digests, by name.
    pub fn files(&self) -> &BTreeMap<String, Digest> {
        &self.files
    }

    /// The digest of the printed manifest: the version's identity.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_string())
    }

    /// Hold what was found, by name, against what is listed; the manifest itself left out. Nothing found wrong: no damage.
    pub fn check(&self, found: &BTreeMap<String, Digest>) -> Vec<Damage> {
        let mut damage = Vec::new();
        for (file, listed) in &self.files {
            match found.get(file) {
                None => damage.push(Damage::Missing { file: file.clone() }),
                Some(digest) if digest == listed => {}
                Some(digest) => damage.push(self.altered(file, *listed, *digest)),
            }
        }
        let listed: BTreeSet<&String> = self.files.keys().collect();
        let extra = found.keys().filter(|file| !listed.contains(file));
        damage.extend(extra.map(|file| Damage::Extra { file: file.clone() }));
        damage
    }

    /// As [`Manifest::check`], for bytes at hand.
    pub(super) fn check_bytes(&self, found: &BTreeMap<String, Vec<u8>>) -> Vec<Damage> {
        self.check(&found.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect())
    }

    fn altered(&self, file: &str, listed: Digest, found: Digest) -> Damage {
        let file = file.to_owned();
        match self.files.iter().find(|(_, digest)| **digest == found) {
            Some((holds, _)) => Damage::Swapped { file, holds: holds.clone() },
            None => Damage::Altered { file, listed, found },
        }
    }
}

/// A name of one plain segment, which neither a shell nor `sha256sum` reads in another way.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(plain) && !name.starts_with(['.', '-'])
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|(name, digest)| writeln!(f, "{digest}  {name}"))
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Manifest { fault } => write!(f, "{MANIFEST} cannot be read: {fault}"),
            Damage::OtherManifest { recorded, found } => {
                write!(f, "{MANIFEST} has SHA-256 {}, recorded was {}", found.short(), recorded.short())
            }
            Damage::Missing { file } => write!(f, "{file} is missing"),
            Damage::Extra { file } => write!(f, "{file} is not in {MANIFEST}"),
            Damage::Altered { file, listed, found } => {
                write!(f, "{file} has SHA-256 {}, {MANIFEST} says {}", found.short(), listed.short())
            }
            Damage::Swapped { file, holds } => write!(f, "{file} holds what belongs in {holds}"),
            Damage::NotAFile { file } => write!(f, "{file} is not a regular file"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn files() -> BTreeMap<String, Vec<u8>> {
        [("a.json", "1"), ("b.txt", "22"), ("c.csv", "333")]
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .into()
    }

    fn digests(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Digest> {
        files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect()
    }

    #[test]
    fn a_manifest_is_read_back_as_printed() {
        let manifest = Manifest::of(&files());
        let text = manifest.to_string();
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap(), manifest);
        assert_eq!(manifest.digest(), Digest::of(&text));
        assert_eq!(manifest.check(&digests(&files())), []);
    }

    #[test]
    fn every_damage_is_named() {
        let manifest = Manifest::of(&files());
        let damage = |change: fn(&mut BTreeMap<String, Vec<u8>>)| {
            let mut files = files();
            change(&mut files);
            manifest.check(&digests(&files)).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(damage(|files| drop(files.remove("b.txt"))), ["b.txt is missing"]);
        assert_eq!(damage(|files| drop(files.insert("d".into(), vec![]))), ["d is not in MANIFEST.sha256"]);
        let swapped = damage(|files| {
            files.insert("a.json".into(), b"22".to_vec());
            files.insert("b.txt".into(), b"1".to_vec());
        });
        assert_eq!(swapped, ["a.json holds what belongs in b.txt", "b.txt holds what belongs in a.json"]);
        let altered = damage(|files| drop(files.insert("a.json".into(), b"0".to_vec())));
        assert!(altered[0].starts_with("a.json has SHA-256 5feceb66ffc8, MANIFEST.sha256 says"), "{altered:?}");
    }

    #[test]
    fn what_this_program_would_not_print_is_refused() {
        let one = "a".repeat(64);
        for bad in [
            String::new(),
            "\n".to_owned(),
            format!("{one}  x"),
            format!("{one} x\n"),
            format!("{one}  ../x\n"),
            format!("{one}  a/b\n"),
            format!("{one}  {MANIFEST}\n"),
            format!("{one}  .hidden\n"),
            format!("{one}   x\n"),
            format!("{one}  x\r\n"),
            format!("{}  x\n", "A".repeat(64)),
            format!("{one}  y\n{one}  x\n"),
            format!("{one}  x\n{one}  x\n"),
        ] {
            assert!(Manifest::parse(bad.as_bytes()).is_err(), "{bad:?} was taken");
        }
    }

    proptest! {
        #[test]
        fn no_flipped_byte_of_a_manifest_passes(at in 0usize..200, bit in 0u8..8) {
            let files = files();
            let mut bytes = Manifest::of(&files).to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let sound = Manifest::parse(&bytes).is_ok_and(|manifest| manifest.check(&digests(&files)).is_empty());
            prop_assert!(!sound);
        }
    }
}
