//! `regent keys`: who may call; a door. A key is shown once, when it is made; what is kept of it opens nothing.

mod make;

use clap::{Args, Subcommand};
use regent::openapi;
use regent::serve::{Access, HeldKey, Keys as Folder, Ring, Row, Scope, Why};
use regent::types::Timestamp;
use serde_json::{Value, json};

use crate::edge::{Answer, Failure, Scene};
use make::{Create, Rotate};

/// Keys of those who may call: a server that has one asks everybody
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key, and show it this once
    Create(Create),
    /// List the keys and how it stands with each
    List,
    /// End a key at once
    Revoke(Revoke),
    /// Make a key that takes the place of another: both open for a while
    Rotate(Rotate),
    /// List every route and the scope that it needs
    Scopes,
}

#[derive(Debug, Args)]
pub struct Revoke {
    /// The key's id, as `regent keys list` has it
    id: String,
    /// Say what would be ended
    #[arg(long)]
    dry_run: bool,
}

impl Keys {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        match self {
            Keys::Create(create) => create.run(scene),
            Keys::List => list(scene),
            Keys::Revoke(revoke) => revoke.run(scene),
            Keys::Rotate(rotate) => rotate.run(scene),
            Keys::Scopes => scopes(),
        }
    }
}

/// The keys of the workspace, and where they lie.
fn held(scene: &Scene) -> Result<(Folder, Ring), Failure> {
    let folder = Folder::of(&scene.workspace()?.root);
    let ring = folder.ring()?;
    Ok((folder, ring))
}

/// A key as programs read it; never the key itself.
fn told(key: &HeldKey, now: Timestamp) -> Value {
    let record = &key.record;
    json!({
        "id": record.id,
        "name": record.name,
        "scopes": record.scopes,
        "state": key.state(now),
        "created_at": record.created_at,
        "expires": record.expires,
        "until": key.until(),
    })
}

/// `1f0c…  ci  predict, read  live  until 2027-01-01T00:00:00Z`
fn line(key: &HeldKey, now: Timestamp) -> String {
    let record = &key.record;
    let scopes: Vec<&str> = record.scopes.iter().map(|scope| scope.as_str()).collect();
    let until = key.until().map(|until| format!("  until {until}")).unwrap_or_default();
    format!("{}  {}  {}  {}{until}", record.id, record.name, scopes.join(", "), key.state(now).as_str())
}

fn list(scene: &Scene) -> Result<Answer, Failure> {
    let (_, ring) = held(scene)?;
    let mut keys: Vec<&HeldKey> = ring.keys().collect();
    keys.sort_by_key(|key| (&key.record.name, key.record.created_at));
    let lines: Vec<String> = keys.iter().map(|key| line(key, scene.now)).collect();
    let values: Vec<Value> = keys.iter().map(|key| told(key, scene.now)).collect();
    let text = if lines.is_empty() {
        "there is no key: a server answers this machine alone, and asks nobody".to_owned()
    } else {
        lines.join("\n")
    };
    Answer::new(text, &json!({ "format_version": 1, "keys": values }))
}

impl Revoke {
    fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let (folder, ring) = held(scene)?;
        let Some(key) = ring.get(&self.id) else {
            let what = format!("there is no key `{}`", self.id);
            return Err(Failure::usage(what).hint("`regent keys list` shows the ids"));
        };
        let verb = if self.dry_run { "would end" } else { "ended" };
        if !self.dry_run {
            folder.end(key, Why::Revoked, scene.now)?;
        }
        let (id, name) = (&key.record.id, &key.record.name);
        let text = format!("{verb} {id} of {name}; servers that run hear of it within a second");
        Answer::new(text, &json!({ "format_version": 1, "id": id, "name": name, "dry_run": self.dry_run }))
    }
}

/// From the tables of routes themselves, so that it says what the server does.
fn scopes() -> Result<Answer, Failure> {
    let rows = openapi::rows();
    let needs = |row: &Row| match row.access {
        Access::Open => None,
        Access::Needs(scope) => Some(scope),
    };
    let word = |row: &Row| needs(row).map_or("–", Scope::as_str);
    let lines: Vec<String> =
        rows.iter().map(|row| format!("{:<7}  {:<4}  {}", word(row), row.method, row.path)).collect();
    let values: Vec<Value> = rows
        .iter()
        .map(|row| json!({ "method": row.method.as_str(), "path": row.path, "scope": needs(row) }))
        .collect();
    Answer::new(lines.join("\n"), &json!({ "format_version": 1, "routes": values }))
}
