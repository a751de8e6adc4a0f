//! `regent registry sign`: a signature is filed beside a version; a door.

use std::path::{Path, PathBuf};

use clap::Args;
use regent::registry::{self, PrivateKey, PublicKey, SignatureMode, SignatureRules, Signed};
use regent::store::{Overlay, Store};
use regent::types::{ModelName, Version};
use serde_json::{Value, json};

use crate::edge::{Answer, Exit, Failure, Scene, Workspace};

/// What is signed, and with what
#[derive(Debug, Args)]
pub struct Sign {
    /// The model
    model: ModelName,
    /// The version
    version: Version,
    /// A private key: ECDSA P-256 in PEM, not encrypted (`regent signing keygen` makes one)
    #[arg(long, value_name = "FILE", required_unless_present = "attach", conflicts_with = "attach")]
    key: Option<PathBuf>,
    /// A signature that was made elsewhere, such as by `model_signing sign key` of Python's model-signing
    #[arg(long, value_name = "FILE")]
    attach: Option<PathBuf>,
    /// Say what would be filed
    #[arg(long)]
    dry_run: bool,
}

impl Sign {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let rehearsal = Overlay::over(&workspace.store);
        let store: &dyn Store = if self.dry_run { &rehearsal } else { &workspace.store };
        let Sign { model, version, .. } = &self;
        let (filed, digest) = match (&self.key, &self.attach) {
            (_, Some(file)) => registry::file_signature(store, model, *version, &bytes(file)?)?,
            (Some(file), None) => registry::sign(store, model, *version, &private_key(file, scene)?)?,
            (None, None) => return Err(Failure::usage("neither a key nor a signature is named")),
        };
        // Whose it is, by the keys that the policy trusts: a signature nobody trusts is filed, and said to be that.
        let trusted = workspace.governed(model)?.rules.signature.trusted;
        let signed = registry::signed(store, model, *version, &SignatureRules { mode: SignatureMode::Warn, trusted })?;
        let verb = if self.dry_run { "would file" } else { "filed" };
        let text = format!("{verb} {filed}\n{model} {version} is {}", told(&signed));
        let value = json!({
            "format_version": 1,
            "model": model,
            "version": version,
            "digest": digest,
            "signature": filed.to_string(),
            "signed": value(&signed),
            "dry_run": self.dry_run,
        });
        Answer::new(text, &value)
    }
}

/// In words: `signed by `release``.
pub fn told(signed: &Signed) -> String {
    match signed {
        Signed::Unchecked => "not checked for signatures".to_owned(),
        Signed::By(name) => format!("signed by `{name}`"),
        Signed::Not(why) => format!("not signed by a trusted key: {why}"),
    }
}

/// The same for programs.
pub fn value(signed: &Signed) -> Value {
    match signed {
        Signed::Unchecked => json!({ "checked": false, "by": null, "why": null }),
        Signed::By(name) => json!({ "checked": true, "by": name, "why": null }),
        Signed::Not(why) => json!({ "checked": true, "by": null, "why": why.to_string() }),
    }
}

/// The rules a version is held to: the policy's, or one key that was named on the command line.
pub fn rules(workspace: &Workspace, model: &ModelName, key: Option<&Path>) -> Result<SignatureRules, Failure> {
    let Some(file) = key else {
        return Ok(workspace.governed(model)?.rules.signature);
    };
    let key = PublicKey::from_pem(&text(file)?)
        .map_err(|fault| Failure::because(Exit::Usage, format!("use {} as a key", file.display()), fault))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(SignatureRules { mode: SignatureMode::Require, trusted: [(name, key)].into() })
}

fn private_key(file: &Path, scene: &Scene) -> Result<PrivateKey, Failure> {
    use std::os::unix::fs::PermissionsExt;
    let open_to_others = file.metadata().is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    if open_to_others {
        scene.say(&format!("{} can be read by others: chmod 600 it", file.display()));
    }
    PrivateKey::from_pem(&text(file)?)
        .map_err(|fault| Failure::because(Exit::Usage, format!("sign with {}", file.display()), fault))
}

fn text(file: &Path) -> Result<String, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::usage(format!("read {}: {error}", file.display()));
    String::from_utf8(bytes(file)?).map_err(|error| failed(&error))
}

fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    super::carry::bounded(file, 1 << 20)
}
