//! What is signed: an in-toto statement that lists a version's files by SHA-256; pure. Refuses every form whose files it could
//! not hold against a manifest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::registry::{MANIFEST, Manifest};
use crate::types::{Digest, Hasher, JsonError, ModelName, Version, canonical_json, read_json};

const TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://model_signing/signature/v1.0";
const SHA256: &str = "sha256";
/// One digest for each whole file; `shards` gives several for a long one.
const FILES: &str = "files";

/// A statement that was read: which files, with which bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Every file's digest by its name.
    pub files: BTreeMap<String, Digest>,
}

/// Why a text is not a statement about a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementFault {
    /// It is not the JSON it should be.
    #[error("it is not an in-toto statement: {0}")]
    Json(#[from] JsonError),
    /// It is of another type.
    #[error("its `{key}` is `{found}`, not `{expected}`")]
    Type {
        /// Which key.
        key: &'static str,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// It is about several models or none.
    #[error("it has {found} subjects, not one")]
    Subjects {
        /// How many.
        found: usize,
    },
    /// A file is listed twice.
    #[error("it lists `{name}` twice")]
    Twice {
        /// The file.
        name: String,
    },
    /// The digest of all is not that of the list.
    #[error("its subject has SHA-256 {}, its files give {}", stated.short(), found.short())]
    Root {
        /// What the subject says.
        stated: Digest,
        /// What the list gives.
        found: Digest,
    },
    /// It is about other files.
    #[error("it is about other bytes: {}", differs.join("; "))]
    OtherFiles {
        /// Each file that differs, and how.
        differs: Vec<String>,
    },
}

// What the form has besides is for others: verifiers of v1.0 pass over what they do not know.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: SubjectDigest,
}

#[derive(Serialize, Deserialize)]
struct SubjectDigest {
    sha256: Digest,
}

#[derive(Serialize, Deserialize)]
struct Predicate {
    resources: Vec<Resource>,
    serialization: Serialization,
}

#[derive(Serialize, Deserialize)]
struct Resource {
    name: String,
    algorithm: String,
    digest: Digest,
}

#[derive(Serialize, Deserialize)]
struct Serialization {
    method: String,
    hash_type: String,
    allow_symlinks: bool,
    #[serde(default)]
    ignore_paths: Vec<String>,
}

impl Statement {
    /// What a signature of this version states: every file of its folder, the manifest included.
    pub fn of(manifest: &Manifest) -> Statement {
        let mut files = manifest.files().clone();
        files.insert(MANIFEST.to_owned(), manifest.digest());
        Statement { files }
    }

    /// Its text, always the same for one version. The subject's name is for people; the files bind.
    ///
    /// # Errors
    /// None that can be met: the shape is JSON.
    pub fn print(&self, model: &ModelName, version: Version) -> Result<Vec<u8>, serde_json::Error> {
        let resources = self.files.iter().map(|(name, digest)| Resource {
            name: name.clone(),
            algorithm: SHA256.to_owned(),
            digest: *digest,
        });
        canonical_json(&Written {
            kind: TYPE.to_owned(),
            subject: vec![Subject {
                name: format!("{model}/{version}"),
                digest: SubjectDigest { sha256: root(self.files.values()) },
            }],
            predicate_type: PREDICATE.to_owned(),
            predicate: Predicate {
                resources: resources.collect(),
                serialization: Serialization {
                    method: FILES.to_owned(),
                    hash_type: SHA256.to_owned(),
                    allow_symlinks: false,
                    // Nothing: a bundle has exactly its files.
                    ignore_paths: Vec::new(),
                },
            },
        })
    }

    /// Read a statement whose signature was verified.
    ///
    /// # Errors
    /// [`StatementFault`].
    pub fn read(payload: &[u8]) -> Result<Statement, StatementFault> {
        let written: Written = read_json(payload)?;
        let (serialization, resources) = (&written.predicate.serialization, &written.predicate.resources);
        is("_type", &written.kind, TYPE)?;
        is("predicateType", &written.predicate_type, PREDICATE)?;
        is("serialization.method", &serialization.method, FILES)?;
        is("serialization.hash_type", &serialization.hash_type, SHA256)?;
        let [subject] = written.subject.as_slice() else {
            return Err(StatementFault::Subjects { found: written.subject.len() });
        };
        let mut files = BTreeMap::new();
        for Resource { name, algorithm, digest } in resources {
            is("resources.algorithm", algorithm, SHA256)?;
            if files.insert(name.clone(), *digest).is_some() {
                return Err(StatementFault::Twice { name: name.clone() });
            }
        }
        let (stated, found) = (subject.digest.sha256, root(resources.iter().map(|resource| &resource.digest)));
        if stated != found {
            return Err(StatementFault::Root { stated, found });
        }
        Ok(Statement { files })
    }

    /// Hold it against a version's own: every file of the one is in the other, with the same bytes.
    ///
    /// # Errors
    /// `OtherFiles`.
    pub fn states(&self, wanted: &Statement) -> Result<(), StatementFault> {
        let missing = wanted.files.iter().filter_map(|(name, digest)| match self.files.get(name) {
            None => Some(format!("{name} is not signed")),
            Some(signed) if signed != digest => {
                Some(format!("{name} has SHA-256 {}, signed was {}", digest.short(), signed.short()))
            }
            Some(_) => None,
        });
        let extra = self.files.keys().filter(|name| !wanted.files.contains_key(*name));
        let differs: Vec<String> = missing.chain(extra.map(|name| format!("{name} was signed too"))).collect();
        if differs.is_empty() { Ok(()) } else { Err(StatementFault::OtherFiles { differs }) }
    }
}

/// The SHA-256 over all files' digests, one after the other.
fn root<'a>(digests: impl Iterator<Item = &'a Digest>) -> Digest {
    let mut hasher = Hasher::default();
    digests.for_each(|digest| hasher.update(digest.bytes()));
    hasher.finish()
}

fn is(key: &'static str, found: &str, expected: &'static str) -> Result<(), StatementFault> {
    if found == expected {
        return Ok(());
    }
    // Enough to see what it is; a hostile text may be long.
    Err(StatementFault::Type { key, found: found.chars().take(80).collect(), expected })
}
