//! A version as one file that can be carried elsewhere: a tar of exactly its bundle and its signatures; pure. Reading refuses
//! whatever writing would not have written, and writes nothing itself.

mod tar;

use std::collections::BTreeMap;
use std::str::FromStr;

use super::manifest::{Damage, MANIFEST, Manifest, ManifestFault};
use crate::types::{Digest, ModelName, Version};

/// The largest archive that is read.
pub const LARGEST_ARCHIVE: u64 = 512 << 20;

/// A version's files, whole by its own manifest, and what is said to be signatures of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    pub(super) model: ModelName,
    pub(super) version: Version,
    pub(super) manifest: Manifest,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) signatures: Vec<Vec<u8>>,
}

/// Why a file is not an archive of a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveFault {
    /// Larger than any archive.
    #[error("it has {size} bytes; at most {LARGEST_ARCHIVE} are read")]
    LargeArchive {
        /// Its length.
        size: u64,
    },
    /// It ends too early.
    #[error("it is cut off")]
    Truncated,
    /// It is no tar of the plain form, or a header was changed.
    #[error("it is not a ustar archive, or a header is damaged")]
    NotUstar,
    /// Something follows the end, which another reader might read.
    #[error("there is something after its end")]
    Trailing,
    /// More files than a version can have.
    #[error("it holds more than {} files", tar::MOST_FILES)]
    TooManyFiles,
    /// A file is too large.
    #[error("`{path}` has {size} bytes; at most {} are read", tar::LARGEST_FILE)]
    LargeFile {
        /// Its path.
        path: String,
        /// Its size.
        size: u64,
    },
    /// A link, a device, a folder, an extension.
    #[error("`{path}` is {kind}, not a regular file")]
    NotAFile {
        /// Its path.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// A path from the root of the file system.
    #[error("`{path}` is an absolute path")]
    Absolute {
        /// The path.
        path: String,
    },
    /// A path that leads up.
    #[error("`{path}` leads out of its folder")]
    Traversal {
        /// The path.
        path: String,
    },
    /// A path with a byte that belongs in none, or without a folder, or too long.
    #[error("`{path}` is no path of a version's file")]
    Name {
        /// The path, its strange bytes escaped.
        path: String,
    },
    /// One path twice: which of the two counts, readers would disagree.
    #[error("`{path}` is there twice")]
    Twice {
        /// The path.
        path: String,
    },
    /// Paths that do not rise.
    #[error("`{path}` stands after a path that it should precede")]
    Order {
        /// The path.
        path: String,
    },
    /// An owner, a time, a mode or another field that `regent registry export` does not write.
    #[error("the header of `{path}` is not as `regent registry export` writes it")]
    NotWrittenHere {
        /// The path.
        path: String,
    },
    /// Bytes between a file's end and the next header.
    #[error("there are hidden bytes after `{path}`")]
    HiddenBytes {
        /// The path.
        path: String,
    },
    /// A file of another version or of none.
    #[error(
        "`{path}` does not belong to one version: <model>/<version>/<file>, <model>/signatures/<version>/<sha256>.json"
    )]
    Stray {
        /// The path.
        path: String,
    },
    /// The list of the version's files is not one.
    #[error("its {MANIFEST} cannot be read: {0}")]
    Manifest(#[from] ManifestFault),
    /// There is no list of the version's files.
    #[error("it holds no {MANIFEST}")]
    NoManifest,
    /// Files are not what the manifest says.
    #[error("{}", .damage.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Damaged {
        /// Every file that is wrong, by name.
        damage: Vec<Damage>,
    },
    /// A signature's file is not named by its digest.
    #[error("the signature `{path}` has SHA-256 {}", found.short())]
    SignatureName {
        /// The path.
        path: String,
        /// What its bytes give.
        found: Digest,
    },
}

impl Archive {
    /// Read an archive and hold its files against its own manifest. Whether the version can be trusted is for `import` to say.
    ///
    /// # Errors
    /// [`ArchiveFault`]: the first thing that [`Archive::print`] would not have written.
    pub fn read(bytes: &[u8]) -> Result<Archive, ArchiveFault> {
        if bytes.len() as u64 > LARGEST_ARCHIVE {
            return Err(ArchiveFault::LargeArchive { size: bytes.len() as u64 });
        }
        let mut version: Option<(ModelName, Version)> = None;
        let (mut files, mut signatures) = (BTreeMap::new(), Vec::new());
        for (path, bytes) in tar::read(bytes)? {
            let place =
                Place::of(&path).filter(|place| version.as_ref().is_none_or(|version| *version == place.version));
            let Some(Place { version: named, file, is_signature }) = place else {
                return Err(ArchiveFault::Stray { path });
            };
            version = Some(named);
            if !is_signature {
                files.insert(file.to_owned(), bytes.to_vec());
                continue;
            }
            let found = Digest::of(bytes);
            if file != format!("{found}.json") {
                return Err(ArchiveFault::SignatureName { path, found });
            }
            signatures.push(bytes.to_vec());
        }
        let (model, version) = version.ok_or(ArchiveFault::NoManifest)?;
        let listed = files.remove(MANIFEST).ok_or(ArchiveFault::NoManifest)?;
        let manifest = Manifest::parse(&listed)?;
        let damage = manifest.check_bytes(&files);
        if !damage.is_empty() {
            return Err(ArchiveFault::Damaged { damage });
        }
        Ok(Archive { model, version, manifest, files, signatures })
    }

    /// The bytes of the archive: the same version with the same signatures always gives the same.
    ///
    /// # Errors
    /// A file too large to be read again.
    pub fn print(&self) -> Result<Vec<u8>, ArchiveFault> {
        let Archive { model, version, .. } = self;
        let bundle = self.files.iter().map(|(name, bytes)| (format!("{model}/{version}/{name}"), bytes.clone()));
        let manifest = (format!("{model}/{version}/{MANIFEST}"), self.manifest.to_string().into_bytes());
        let signatures = self.signatures.iter().map(|bytes| {
            let digest = Digest::of(bytes);
            (format!("{model}/signatures/{version}/{digest}.json"), bytes.clone())
        });
        let archive = tar::write(&bundle.chain([manifest]).chain(signatures).collect())?;
        match archive.len() as u64 {
            size if size > LARGEST_ARCHIVE => Err(ArchiveFault::LargeArchive { size }),
            _ => Ok(archive),
        }
    }

    /// The model it is of.
    pub fn model(&self) -> &ModelName {
        &self.model
    }

    /// The version it is of.
    pub fn version(&self) -> Version {
        self.version
    }
}

/// Where a path of an archive belongs.
struct Place<'a> {
    version: (ModelName, Version),
    file: &'a str,
    is_signature: bool,
}

impl Place<'_> {
    fn of(path: &str) -> Option<Place<'_>> {
        let segments: Vec<&str> = path.split('/').collect();
        let (model, version, file, is_signature) = match segments.as_slice() {
            [model, version, file] => (model, version, file, false),
            [model, "signatures", version, file] => (model, version, file, true),
            _ => return None,
        };
        let parsed = Version::from_str(version).ok()?;
        // One version has one spelling: `01.0.0` would be another folder.
        let spelled = parsed.to_string() == **version;
        spelled.then_some(Place { version: (model.parse().ok()?, parsed), file, is_signature })
    }
}

#[cfg(test)]
mod tests;
