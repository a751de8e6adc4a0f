//! How a signature is kept: a sigstore bundle around a DSSE envelope; pure. Nothing inside is read before the signature holds.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::key::{KeyFault, PrivateKey, PublicKey};
use super::statement::{Statement, StatementFault};
use crate::types::{Digest, JsonError, ModelName, Version, canonical_json, read_json};

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The largest signature that is read; one of a bundle of ours has 4 KiB.
pub(super) const LARGEST: u64 = 1 << 18;

/// Why bytes are not a signature that holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// More than any signature needs.
    #[error("it has {bytes} bytes; at most {LARGEST} are read")]
    TooLarge {
        /// Its length.
        bytes: u64,
    },
    /// It is a link, a folder or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// It is not the JSON it should be.
    #[error("it is not a sigstore bundle: {0}")]
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
    /// A DSSE envelope may hold several signatures; a signature of a model has one.
    #[error("it holds {found} signatures, not one")]
    Signatures {
        /// How many.
        found: usize,
    },
    /// A part is not base64.
    #[error("its `{key}` is not base64")]
    NotBase64 {
        /// Which part.
        key: &'static str,
    },
    /// It names a key that is not among those asked for.
    #[error("it was made by the key {}, which is not trusted", .hint.chars().take(12).collect::<String>())]
    OtherKey {
        /// The SHA-256 of the key's PEM, as the signature says.
        hint: String,
    },
    /// It names no key, and none of those asked for made it.
    #[error("no trusted key made it")]
    NoKey,
    /// It names a key that did not make it, or what was signed has changed since.
    #[error("the key `{name}` did not sign this")]
    Forged {
        /// What the key is called.
        name: String,
    },
    /// It holds, and does not speak of this version.
    #[error(transparent)]
    Statement(#[from] StatementFault),
    /// The key to sign with is no key; none of these can be met.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The signature could not be printed; cannot be met.
    #[error("print it: {why}")]
    Print {
        /// Why.
        why: String,
    },
}

/// A signature as it lies there, of which nothing is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    hint: Option<String>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Envelope,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: KeyIdentifier,
    /// Entries of a transparency log, which a signature with a key has none of.
    #[serde(default)]
    tlog_entries: Vec<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct KeyIdentifier {
    #[serde(default)]
    hint: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
struct EnvelopeSignature {
    sig: String,
    #[serde(default)]
    keyid: String,
}

impl Signature {
    /// Sign a statement. The same key, version and bytes give the same signature.
    ///
    /// # Errors
    /// `Key` and `Print`, which cannot be met.
    pub fn make(
        key: &PrivateKey,
        statement: &Statement,
        model: &ModelName,
        version: Version,
    ) -> Result<Signature, SignatureError> {
        let payload =
            statement.print(model, version).map_err(|error| SignatureError::Print { why: error.to_string() })?;
        let signature = key.sign(&to_be_signed(&payload));
        Ok(Signature { hint: Some(key.public()?.hint().to_string()), payload, signature })
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// `Print`, which cannot be met.
    pub fn print(&self) -> Result<Vec<u8>, SignatureError> {
        let written = Written {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: Material {
                public_key: KeyIdentifier { hint: self.hint.clone() },
                tlog_entries: Vec::new(),
            },
            dsse_envelope: Envelope {
                payload: BASE64_STANDARD.encode(&self.payload),
                payload_type: PAYLOAD_TYPE.to_owned(),
                signatures: vec![EnvelopeSignature {
                    sig: BASE64_STANDARD.encode(&self.signature),
                    keyid: String::new(),
                }],
            },
        };
        canonical_json(&written).map_err(|error| SignatureError::Print { why: error.to_string() })
    }

    /// Read a signature's file; nothing of it is believed by that.
    ///
    /// # Errors
    /// What it is instead.
    pub fn read(bytes: &[u8]) -> Result<Signature, SignatureError> {
        if bytes.len() as u64 > LARGEST {
            return Err(SignatureError::TooLarge { bytes: bytes.len() as u64 });
        }
        let Written { media_type, verification_material, dsse_envelope } = read_json(bytes)?;
        is("mediaType", &media_type, MEDIA_TYPE)?;
        is("payloadType", &dsse_envelope.payload_type, PAYLOAD_TYPE)?;
        let [signature] = dsse_envelope.signatures.as_slice() else {
            return Err(SignatureError::Signatures { found: dsse_envelope.signatures.len() });
        };
        Ok(Signature {
            hint: verification_material.public_key.hint.filter(|hint| !hint.is_empty()),
            payload: decode("payload", &dsse_envelope.payload)?,
            signature: decode("sig", &signature.sig)?,
        })
    }

    /// Who of these keys made it, and what it states.
    ///
    /// # Errors
    /// `OtherKey`, `NoKey`, `Forged`; `Statement` for a signature that holds over something else than a version.
    pub fn verify<'a>(
        &self,
        keys: impl IntoIterator<Item = (&'a String, &'a PublicKey)>,
    ) -> Result<(&'a str, Statement), SignatureError> {
        let message = to_be_signed(&self.payload);
        let asked = keys.into_iter().filter(|(_, key)| self.is_of(key.hint()));
        let mut forged = None;
        for (name, key) in asked {
            if key.verifies(&message, &self.signature) {
                return Ok((name, Statement::read(&self.payload)?));
            }
            forged = self.hint.is_some().then(|| SignatureError::Forged { name: name.clone() });
        }
        let unknown = self.hint.clone().map_or(SignatureError::NoKey, |hint| SignatureError::OtherKey { hint });
        Err(forged.unwrap_or(unknown))
    }

    /// What it claims to state, for a courtesy before its key is known; never a reason to believe it.
    ///
    /// # Errors
    /// `Statement`.
    pub fn claim(&self) -> Result<Statement, SignatureError> {
        Ok(Statement::read(&self.payload)?)
    }

    fn is_of(&self, key: Digest) -> bool {
        self.hint.as_ref().is_none_or(|hint| *hint == key.to_string())
    }
}

/// DSSE's pre-authentication encoding: type and length are signed with the content.
fn to_be_signed(payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

fn decode(key: &'static str, text: &str) -> Result<Vec<u8>, SignatureError> {
    BASE64_STANDARD.decode(text).map_err(|_| SignatureError::NotBase64 { key })
}

fn is(key: &'static str, found: &str, expected: &'static str) -> Result<(), SignatureError> {
    if found == expected {
        return Ok(());
    }
    Err(SignatureError::Type { key, found: found.chars().take(80).collect(), expected })
}
