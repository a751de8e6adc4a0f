//! Keys of signatures: ECDSA on P-256, in PEM; pure. Refuses any other kind of key, and a private one where a public one belongs.

use std::borrow::Cow;
use std::fmt;

use p256::SecretKey;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::elliptic_curve::zeroize::Zeroizing;
use p256::pkcs8::{DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::types::Digest;

/// How a private key's text begins: PKCS#8, and SEC1 as `openssl ecparam -genkey` writes it.
const PRIVATE: [&str; 2] = ["-----BEGIN PRIVATE KEY-----", "-----BEGIN EC PRIVATE KEY-----"];
/// The longest text of a key; a real one has 300 bytes.
const LONGEST: usize = 1 << 14;

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// A secret stands where everybody reads.
    #[error("it is a private key: a public one (`BEGIN PUBLIC KEY`) belongs here")]
    Private,
    /// It needs a password.
    #[error("it is encrypted: give the key without a password, from a file that only its owner reads")]
    Encrypted,
    /// It is no public key on P-256.
    #[error("it is not the PEM of a public key for ECDSA P-256 (`BEGIN PUBLIC KEY`)")]
    NotPublic,
    /// It is no private key on P-256.
    #[error("it is not the PEM of a private key for ECDSA P-256 (`BEGIN PRIVATE KEY` or `BEGIN EC PRIVATE KEY`)")]
    NotPrivate,
}

/// Whoever holds the other half may sign.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey {
    pem: String,
    key: VerifyingKey,
}

/// What signs. It is not printed by `Debug` and wiped when dropped.
pub struct PrivateKey(SigningKey);

impl PublicKey {
    /// The key of a PEM text.
    ///
    /// # Errors
    /// [`KeyFault`].
    pub fn from_pem(text: &str) -> Result<PublicKey, KeyFault> {
        if text.len() > LONGEST {
            return Err(KeyFault::NotPublic);
        }
        if text.contains("PRIVATE KEY-----") {
            return Err(KeyFault::Private);
        }
        let key = VerifyingKey::from_public_key_pem(text.trim()).map_err(|_| KeyFault::NotPublic)?;
        PublicKey::of(key).ok_or(KeyFault::NotPublic)
    }

    fn of(key: VerifyingKey) -> Option<PublicKey> {
        let pem = key.to_public_key_pem(LineEnding::LF).ok()?;
        Some(PublicKey { pem, key })
    }

    /// The key as PEM, always the same text for one key.
    pub fn to_pem(&self) -> &str {
        &self.pem
    }

    /// The SHA-256 of its PEM: how a signature names the key that made it.
    pub fn hint(&self) -> Digest {
        Digest::of(&self.pem)
    }

    /// Whether the other half of this key made this DER signature of the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = DerSignature::from_bytes(signature);
        signature.is_ok_and(|signature| self.key.verify(message, &signature).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.hint())
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyFault;

    fn try_from(text: String) -> Result<PublicKey, KeyFault> {
        PublicKey::from_pem(&text)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.pem
    }
}

impl JsonSchema for PublicKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PublicKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^\\s*-----BEGIN PUBLIC KEY-----" })
    }
}

impl PrivateKey {
    /// The key that these random bytes are; none for the one draw in four billion that is no key of the curve.
    pub fn from_random(bytes: &[u8; 32]) -> Option<PrivateKey> {
        SigningKey::from_slice(bytes).ok().map(PrivateKey)
    }

    /// The key of a PEM text, PKCS#8 or SEC1.
    ///
    /// # Errors
    /// [`KeyFault`].
    pub fn from_pem(text: &str) -> Result<PrivateKey, KeyFault> {
        if text.contains("ENCRYPTED") {
            return Err(KeyFault::Encrypted);
        }
        // `openssl ecparam -genkey` writes the curve's parameters before the key.
        let start = PRIVATE.iter().find_map(|begin| text.find(begin)).filter(|_| text.len() <= LONGEST);
        let key = start.and_then(|start| text.get(start..)).ok_or(KeyFault::NotPrivate)?;
        let key = SecretKey::from_pem(key.trim()).map_err(|_| KeyFault::NotPrivate)?;
        Ok(PrivateKey(SigningKey::from(key)))
    }

    /// The key as PKCS#8 PEM, wiped when dropped.
    ///
    /// # Errors
    /// `NotPrivate`, which no key of this type gives.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyFault> {
        self.0.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyFault::NotPrivate)
    }

    /// The half that everybody may know.
    ///
    /// # Errors
    /// `NotPublic`, which no key of this type gives.
    pub fn public(&self) -> Result<PublicKey, KeyFault> {
        PublicKey::of(*self.0.verifying_key()).ok_or(KeyFault::NotPublic)
    }

    /// The DER signature of a message, without chance (RFC 6979): signing twice gives the same bytes.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.0.sign(message);
        signature.as_bytes().to_vec()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}
