//! `regent signing`: keys that sign versions; a door. A private key is written once, for its owner's eyes, and never printed.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rand::TryRng;
use rand::rngs::SysRng;
use regent::registry::PrivateKey;
use serde_json::json;

use crate::edge::{Answer, Exit, Failure, Scene, files};

/// Keys that sign versions
#[derive(Debug, Subcommand)]
pub enum Signing {
    /// Make a key: FILE for the signer alone, and FILE with the ending .pub.pem for everybody
    Keygen(Keygen),
}

#[derive(Debug, Args)]
pub struct Keygen {
    /// Where the private key goes; nothing is overwritten
    #[arg(long, value_name = "FILE", default_value = "regent-signing.pem")]
    out: PathBuf,
    /// Say what would be written
    #[arg(long)]
    dry_run: bool,
}

impl Signing {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        match self {
            Signing::Keygen(keygen) => keygen.run(scene),
        }
    }
}

impl Keygen {
    fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let (private, public) = (self.out.clone(), self.out.with_extension("pub.pem"));
        if let Some(there) = [&private, &public].into_iter().find(|path| path.symlink_metadata().is_ok()) {
            let what = format!("{} is there already, and a key is never overwritten", there.display());
            return Err(Failure::usage(what).hint("name another file: --out FILE"));
        }
        if self.dry_run {
            let text = format!("would write {} and {}", private.display(), public.display());
            return Answer::new(
                text,
                &json!({ "format_version": 1, "private_key": private, "public_key": public, "dry_run": true }),
            );
        }
        let key = draw()?;
        let half = key.public().map_err(|fault| Failure::internal("make a key", fault))?;
        let secret = key.to_pem().map_err(|fault| Failure::internal("make a key", fault))?;
        create(&private, secret.as_bytes(), 0o600)?;
        create(&public, half.to_pem().as_bytes(), 0o644)?;
        scene.say(&format!("{} is secret: whoever has it can sign", private.display()));
        let name = private.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = format!(
            "wrote {} and {}\nto trust it, write into governance/MODEL/policy.yaml:\n{}",
            private.display(),
            public.display(),
            trusting(&name, half.to_pem())
        );
        let value = json!({
            "format_version": 1,
            "private_key": private,
            "public_key": public,
            "public_pem": half.to_pem(),
            "hint": half.hint(),
            "dry_run": false,
        });
        Ok(Answer::new(text, &value)?.next(format!("regent registry sign MODEL VERSION --key {}", private.display())))
    }
}

/// A key from the system's own generator.
fn draw() -> Result<PrivateKey, Failure> {
    loop {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).map_err(|error| Failure::internal("draw a key", error))?;
        if let Some(key) = PrivateKey::from_random(&bytes) {
            return Ok(key);
        }
    }
}

/// The lines of a policy that trust this key and no other.
fn trusting(name: &str, pem: &str) -> String {
    let lines = pem.lines().map(|line| format!("      {line}\n"));
    format!("signature:\n  mode: require\n  trusted:\n    {name}: |\n{}", lines.collect::<String>())
}

fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists => {
            Failure::because(Exit::Usage, format!("create {}", path.display()), error)
        }
        _ => Failure::internal(format!("create {}", path.display()), error),
    };
    files::write_new(path, bytes, mode).map_err(failed)
}
