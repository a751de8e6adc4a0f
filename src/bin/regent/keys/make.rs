//! `regent keys create` and `rotate`: a key from the system's own generator, shown this once; a door.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use rand::TryRng;
use rand::rngs::SysRng;
use regent::serve::{KeyRecord, LIVE_KEYS, OVERLAP, Ring, Scope, Secret, Why};
use regent::types::{KeyName, Span, Timestamp};
use serde_json::{Value, json};

use super::held;
use crate::edge::{Answer, Failure, Scene};

#[derive(Debug, Args)]
pub struct Create {
    /// Who calls with it
    name: KeyName,
    /// What it opens; several with several --scope
    #[arg(long = "scope", value_enum, required = true, value_name = "SCOPE")]
    scopes: Vec<Opens>,
    /// For how long it opens: 24h, 90d [default: until it is revoked]
    #[arg(long = "for", value_name = "SPAN")]
    lasting: Option<Span>,
    /// Say what would be made
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Rotate {
    /// Whose key
    name: KeyName,
    /// For how long the old key still opens
    #[arg(long, value_name = "SPAN", default_value_t = OVERLAP)]
    overlap: Span,
    /// For how long the new one opens: 24h, 90d [default: until it is revoked]
    #[arg(long = "for", value_name = "SPAN")]
    lasting: Option<Span>,
    /// Say what would be made
    #[arg(long)]
    dry_run: bool,
}

/// A scope as it is typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Opens {
    /// Ask the champion
    Predict,
    /// Tell what a model elsewhere has answered
    Ingest,
    /// Tell what came true
    Label,
    /// Look at models, reports and history
    Read,
}

impl From<Opens> for Scope {
    fn from(typed: Opens) -> Scope {
        match typed {
            Opens::Predict => Scope::Predict,
            Opens::Ingest => Scope::Ingest,
            Opens::Label => Scope::Label,
            Opens::Read => Scope::Read,
        }
    }
}

impl Create {
    pub(super) fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let (folder, ring) = held(scene)?;
        let scopes: BTreeSet<Scope> = self.scopes.iter().copied().map(Scope::from).collect();
        let live = ring.live(&self.name, scene.now).len();
        if live >= LIVE_KEYS {
            let what = format!("{} has {live} keys that open already, and {LIVE_KEYS} are the most", self.name);
            return Err(Failure::usage(what).hint("`regent keys list` names them; `regent keys revoke ID` ends one"));
        }
        let made = Made::new(self.name, scopes, self.lasting, scene.now)?;
        if self.dry_run {
            return made.rehearsed();
        }
        folder.create(&made.record)?;
        scene.say(&first_key(&ring));
        made.shown(json!({}))
    }
}

impl Rotate {
    pub(super) fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let (folder, ring) = held(scene)?;
        let live = ring.live(&self.name, scene.now);
        let hint = "`regent keys list` names the keys";
        let [old] = live.as_slice() else {
            let what = match live.len() {
                0 => format!("{} has no key that opens, so there is none to rotate", self.name),
                count => format!("{} has {count} keys that open: revoke one before another is made", self.name),
            };
            return Err(Failure::usage(what).hint(hint));
        };
        let made = Made::new(self.name, old.record.scopes.clone(), self.lasting, scene.now)?;
        if self.dry_run {
            return made.rehearsed();
        }
        // The new key first: a crash in between leaves two that open, and never none.
        folder.create(&made.record)?;
        let until = scene.now + self.overlap;
        folder.end(old, Why::Rotated, until)?;
        let old = &old.record.id;
        scene.say(&format!("{old} opens until {until}; this key is shown now and never again"));
        made.shown(json!({ "rotated": old, "until": until }))
    }
}

fn first_key(ring: &Ring) -> String {
    let once = "this key is shown now and never again";
    if ring.asks() { once.to_owned() } else { format!("{once}; from now on servers ask everybody for one") }
}

/// A key that nobody has seen yet.
struct Made {
    secret: Secret,
    record: KeyRecord,
}

impl Made {
    fn new(name: KeyName, scopes: BTreeSet<Scope>, lasting: Option<Span>, now: Timestamp) -> Result<Made, Failure> {
        if lasting.is_some_and(Span::is_zero) {
            return Err(Failure::usage("a key that opens for no time opens nothing").hint("write --for 90d"));
        }
        let mut bits = [0; 32];
        SysRng.try_fill_bytes(&mut bits).map_err(|error| Failure::internal("draw a key", error))?;
        let secret = Secret::from_random(&bits);
        let record = KeyRecord::of(&secret, name, scopes, now);
        let expires = lasting.map(|lasting| now + lasting);
        Ok(Made { secret, record: KeyRecord { expires, ..record } })
    }

    fn value(&self, more: Value) -> Value {
        let KeyRecord { id, name, scopes, created_at, expires, .. } = &self.record;
        let mut value = json!({
            "format_version": 1, "id": id, "name": name, "scopes": scopes, "created_at": created_at, "expires": expires,
        });
        if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
            value.extend(more);
        }
        value
    }

    /// A key that is not kept is not shown, and has no id.
    fn rehearsed(self) -> Result<Answer, Failure> {
        let scopes: Vec<&str> = self.record.scopes.iter().map(|scope| scope.as_str()).collect();
        let text = format!("would make a key of {} for {}", self.record.name, scopes.join(", "));
        Answer::new(text, &self.value(json!({ "id": null, "dry_run": true })))
    }

    /// The key alone on standard output, so that `KEY=$(regent keys create …)` has it.
    fn shown(self, more: Value) -> Result<Answer, Failure> {
        let mut value = self.value(more);
        if let Some(value) = value.as_object_mut() {
            value.insert("key".to_owned(), json!(self.secret.reveal()));
            value.insert("dry_run".to_owned(), json!(false));
        }
        Answer::new(self.secret.reveal(), &value)
    }
}
