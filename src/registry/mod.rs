//! Stage 4: a candidate becomes an immutable version. A bundle is published whole or not at all and read only verified.

mod archive;
mod bundle;
mod card;
mod carry;
mod fetch;
#[cfg(test)]
mod hostile;
mod lineage;
mod manifest;
mod mlmodel;
mod preprocessor;
mod publish;
mod show;
mod signing;
#[cfg(test)]
pub(crate) mod testing;
mod verified;
mod verify;
mod version;

pub use archive::{Archive, ArchiveFault, LARGEST_ARCHIVE};
pub use bundle::{Bundle, Fitting, Metadata, Parents};
pub use carry::{Imported, export, import};
pub use fetch::{fetch, fetch_trusted};
pub use lineage::{Lineage, lineage};
pub use manifest::{Damage, MANIFEST, Manifest, ManifestFault};
pub use preprocessor::{Encoding, Preprocessor};
pub use publish::{publish, publish_bundle, publish_portrait};
pub use show::{Change, Difference, Summary, diff, show, versions};
pub use signing::{
    Distrust, KeyFault, PrivateKey, PublicKey, Signature, SignatureError, SignatureMode, SignatureRules, Signed,
    Statement, StatementFault, file_signature, sign, signatures, signed,
};
pub use verified::{Reference, Verified, VerifiedModel};
pub use verify::{Verification, verify};
pub use version::{Publication, next_version};

use crate::store::{Key, KeyError, StoreError};
use crate::train::{SelfTestFault, TrainError};
use crate::types::{Digest, ModelName, Version};

/// The newest form of every file of a bundle that this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// Why a version could not be published or is not to be served; reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The store refused or could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A version is created once.
    #[error("publish {model} {version}: it exists with manifest {}, and the new one is {}", existing.short(), given.short())]
    AlreadyExists {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// The digest of the manifest that is there.
        existing: Digest,
        /// The digest of the one that was to be published.
        given: Digest,
    },
    /// There is no such bundle.
    #[error("find {model} {version}: there is no such version")]
    NoSuchVersion {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
    },
    /// Files are not what the manifest says.
    #[error("trust {model} {version}: {}", .damage.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Damaged {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// Every file that is wrong, by name.
        damage: Vec<Damage>,
    },
    /// A file has the bytes that were published, and this program cannot read them.
    #[error("read {file} of {model} {version}: {why}")]
    Unreadable {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// Files of one bundle contradict each other.
    #[error("trust {model} {version}: {what}")]
    Contradiction {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// Which files, and how.
        what: String,
    },
    /// The model does not answer as it did when it was made.
    #[error("trust {model} {version}")]
    SelfTest {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// Which answer.
        source: SelfTestFault,
    },
    /// No trusted key has signed it, and the policy asks for that.
    #[error("trust {model} {version}: {why}, and the policy says `signature.mode: require`")]
    Untrusted {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// The digest of its manifest, which is whole.
        digest: Digest,
        /// What is wrong with its signatures.
        why: Distrust,
    },
    /// There is a version, and its model is not here.
    #[error("load {model} {version}: it is monitor-only, and its model answers elsewhere")]
    MonitorOnly {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
    },
    /// Bytes that were to be filed as a signature are none of this version.
    #[error("file a signature of {model} {version}: {why}")]
    Signature {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// What they are instead.
        why: SignatureError,
    },
    /// A file is not an archive of a version.
    #[error("read the archive: {0}")]
    Archive(#[from] ArchiveFault),
    /// The contract's bytes are not the ones that the plan names.
    #[error("bundle {model} {version}: the contract given has SHA-256 {}, the plan names {}", given.short(), planned.short())]
    WrongContract {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// The digest of the bytes given.
        given: Digest,
        /// The digest that the plan names.
        planned: Digest,
    },
    /// The plan has no digest.
    #[error(transparent)]
    Plan(#[from] TrainError),
    /// A file could not be printed.
    #[error("print {file}: {why}")]
    Print {
        /// The file.
        file: &'static str,
        /// Why.
        why: String,
    },
}

impl RegistryError {
    /// Whether there is no such bundle: nobody published it yet, and nothing is wrong with what there is.
    pub fn is_absent(&self) -> bool {
        matches!(self, RegistryError::NoSuchVersion { .. })
    }
}

impl From<KeyError> for RegistryError {
    fn from(error: KeyError) -> Self {
        RegistryError::Store(error.into())
    }
}

/// The folder of all versions of a model, `registry/<model>`.
fn model_key(model: &ModelName) -> Result<Key, RegistryError> {
    Ok(Key::new(&format!("registry/{model}"))?)
}

/// The folder of a bundle, `registry/<model>/<version>`.
fn bundle_key(model: &ModelName, version: Version) -> Result<Key, RegistryError> {
    Ok(model_key(model)?.join(&version.to_string())?)
}

#[cfg(test)]
mod tests;
