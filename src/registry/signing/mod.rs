//! Signatures of versions, in the form of OpenSSF Model Signing v1.0: a sigstore bundle with a DSSE envelope around an in-toto
//! statement, signed with ECDSA P-256. What `model-signing` for Python signs is verified here, and the other way round.

mod envelope;
mod key;
mod rules;
mod statement;
mod trust;

pub use envelope::{Signature, SignatureError};
pub use key::{KeyFault, PrivateKey, PublicKey};
pub use rules::{SignatureMode, SignatureRules};
pub use statement::{Statement, StatementFault};
pub use trust::{Distrust, Signed, file_signature, sign, signatures, signed};

pub(super) use trust::{demand, keep};

#[cfg(test)]
mod tests;
