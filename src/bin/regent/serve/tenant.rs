//! One model in the house: whom its journal names, and what is counted of it; through the store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use regent::govern::{self, Rules, Standing, State};
use regent::openapi::Subject;
use regent::registry::Reference;
use regent::serve::{Champion as _, Decided, Follower, Named};
use regent::snapshot::Counting;
use regent::store::Store;
use regent::types::{ModelName, ReplicaName, Span};
use ulid::Ulid;

use crate::edge::{Exit, Failure, Workspace};

/// A model that is answered for.
pub struct Tenant {
    pub model: ModelName,
    pub follower: Arc<Follower>,
    pub counting: Arc<Counting>,
    root: PathBuf,
    store: Arc<dyn Store>,
    /// The windows it is counted in.
    base: Span,
}

impl Tenant {
    /// A model for which nobody answers yet.
    pub fn new(root: &Path, store: &Arc<dyn Store>, model: &ModelName, replica: &ReplicaName, boot: Ulid) -> Tenant {
        // A policy that cannot be read is told by `follow`, and nobody answers under it.
        let base = rules(root, model).unwrap_or_default().windows.base;
        Tenant {
            follower: Arc::new(Follower::new(Arc::clone(store), model.clone())),
            counting: Arc::new(Counting::new(Arc::clone(store), model.clone(), base, replica.clone(), boot)),
            model: model.clone(),
            root: root.to_owned(),
            store: Arc::clone(store),
            base,
        }
    }

    /// Serve whom the journal names now, if who signed it is trusted now; the number of its newest entry.
    pub fn follow(&self) -> Result<u64, Failure> {
        let standing = govern::fold(self.store.as_ref(), &self.model)?;
        let rules = rules(&self.root, &self.model)?;
        if rules.windows.base != self.base && !self.answers() {
            let what =
                format!("`windows.base` was {} when the server started and is {}", self.base, rules.windows.base);
            return Err(Failure::plain(Exit::Invalid, what).hint("start the server again"));
        }
        self.follower.follow(named(&standing), &rules.signature)?;
        Ok(standing.head.map_or(0, |(seq, _)| seq))
    }

    /// Whether somebody answers for it, here or elsewhere.
    pub fn answers(&self) -> bool {
        self.follower.current().is_some() || self.follower.watched().is_some()
    }

    /// What it asks of its callers.
    pub fn subject(&self) -> Subject {
        let (current, watched) = (self.follower.current(), self.follower.watched());
        let here = current.as_ref().map(|serving| &**serving.champion.model());
        let champion = here.or(watched.as_ref().map(|watched| &watched.reference));
        Subject {
            model: self.model.clone(),
            version: champion.map(Reference::version),
            contract: champion.map(|champion| champion.contract().clone()),
        }
    }

    pub fn greeting(&self) -> String {
        let model = &self.model;
        if let Some(watched) = self.follower.watched() {
            let version = watched.reference.version();
            return format!(
                "{model} {version} answers elsewhere: tell its answers to /api/v1/models/{model}/inferences"
            );
        }
        match &*self.follower.current() {
            Some(serving) => {
                let apart = serving.why_apart().map(|why| format!("; {why}")).unwrap_or_default();
                format!("{model} {} answers{apart}", serving.champion.version())
            }
            None => format!("{model} has no champion yet: predict answers 503 until `governor` has promoted one"),
        }
    }
}

/// The rules as its policy says them now.
fn rules(root: &Path, model: &ModelName) -> Result<Rules, Failure> {
    Ok(Workspace::open(root)?.governed(model)?.rules)
}

/// Whom the journal names: the champion, and the candidate that may see traffic.
fn named(standing: &Standing) -> Option<Named> {
    let champion = standing.champion.as_ref()?;
    let champion = Decided { version: champion.version, bundle: champion.bundle };
    let candidate = standing.candidate.as_ref().filter(|candidate| match candidate.state {
        State::Shadowing | State::Promotable => true,
        State::Training | State::Promoted | State::Rejected | State::Retired | State::RolledBack => false,
    });
    let recorded = candidate.and_then(|candidate| Some((candidate.version, candidate.bundle?)));
    let candidate = recorded.map(|(version, bundle)| Decided { version, bundle });
    Some(Named { champion, candidate, sealed_until: standing.sealed_until() })
}
