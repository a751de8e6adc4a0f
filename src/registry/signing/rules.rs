//! Whose signatures a version needs: rules with their defaults; pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::key::PublicKey;

/// `signature:` of `policy.yaml`. The keys stand in the policy itself, so that every decision records whom it trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignatureRules {
    /// What becomes of a version that no trusted key has signed. Default `off`: the manifest's digest in the journal already
    /// says which bytes were decided on; a signature says who stands for them, which is for those who have a key to keep.
    pub mode: SignatureMode,
    /// Public keys (PEM) by the names that messages call them; a signature by any one of them is enough.
    pub trusted: BTreeMap<String, PublicKey>,
}

/// What becomes of a version that no trusted key has signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignatureMode {
    /// Nobody looks.
    #[default]
    Off,
    /// It is used, and that it is not signed is said.
    Warn,
    /// It is not imported, promoted, served or returned to.
    Require,
}

impl SignatureRules {
    /// What contradicts itself: (key, what to write).
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let nobody = self.mode != SignatureMode::Off && self.trusted.is_empty();
        let what = "nobody is trusted, so no version could pass: add a public key (`regent signing keygen` makes one)";
        nobody.then(|| ("trusted", what.to_owned())).into_iter().collect()
    }
}
