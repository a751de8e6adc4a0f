//! Who serves, as the journal names them; through the store. What does not verify never replaces what serves.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::ServeError;
use super::predictor::Predictor;
use super::seams::{Champion, Current, Serving, Watched};
use crate::registry::{self, Reference, SignatureRules, Signed, Verified};
use crate::store::Store;
use crate::types::{Digest, ModelName, Timestamp, Version};

/// Whom the journal names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The version that is PROMOTED.
    pub champion: Decided,
    /// The version that is SHADOWING or PROMOTABLE.
    pub candidate: Option<Decided>,
    /// The end of the newest judged window; before there is one, when the model's first champion was promoted.
    pub sealed_until: Timestamp,
}

/// A version, and the digest of its manifest that was decided on: the same number over other bytes is not what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// The version.
    pub version: Version,
    /// The digest of its manifest.
    pub bundle: Digest,
}

/// Loads the versions it is told of, each once, and swaps them without failing a request.
pub struct Follower {
    store: Arc<dyn Store>,
    model: ModelName,
    /// Whoever is champion is here or elsewhere; for a moment in between, both.
    here: ArcSwapOption<Serving>,
    elsewhere: ArcSwapOption<Watched>,
}

impl Champion for Follower {
    fn current(&self) -> Current {
        self.here.load()
    }

    fn watched(&self) -> Option<Arc<Watched>> {
        self.elsewhere.load_full()
    }
}

impl Follower {
    /// A follower of this model that does not serve yet.
    pub fn new(store: Arc<dyn Store>, model: ModelName) -> Self {
        Follower { store, model, here: ArcSwapOption::empty(), elsewhere: ArcSwapOption::empty() }
    }

    /// Serve whom the journal names, with the signatures that these rules ask for; to be called by one thread whenever the
    /// journal has grown. Returns whether anything changed. Nobody named changes nothing: once there is a champion, there is one for ever (P2).
    ///
    /// # Errors
    /// A version does not verify. A champion that does not leaves everything as it was; a candidate that does not is left
    /// out. Either is tried again at the next call.
    pub fn follow(&self, named: Option<Named>, signature: &SignatureRules) -> Result<bool, ServeError> {
        let Some(named) = named else { return Ok(false) };
        let before = self.here.load_full();
        let champion = match self.load("champion", named.champion, signature, before.as_deref())? {
            Loaded::Here(champion) => champion,
            Loaded::Elsewhere(reference) => return Ok(self.watch(*reference, named.sealed_until)),
        };
        let candidate = named.candidate.map(|named| self.load("candidate", named, signature, before.as_deref()));
        // Nothing of a candidate that answers elsewhere can be shown here.
        let candidate = candidate.transpose().map(|loaded| loaded.and_then(Loaded::here));
        let (candidate, outcome) = match candidate {
            Ok(candidate) => (candidate, Ok(true)),
            Err(error) => (None, Err(error)),
        };
        let (candidate, apart) = match candidate {
            Some(apart) if !apart.can_shadow(&champion) => (None, Some(apart)),
            candidate => (candidate, None),
        };
        let after = Serving { champion, candidate, apart };
        if before.is_some_and(|before| versions(&before) == versions(&after)) {
            return outcome.map(|_| false);
        }
        self.here.store(Some(Arc::new(after)));
        self.elsewhere.store(None);
        outcome
    }

    /// Watch a champion that answers elsewhere; whether anything changed.
    fn watch(&self, reference: Reference, sealed_until: Timestamp) -> bool {
        let before = self.watched();
        let same =
            |before: &Watched| before.reference.digest() == reference.digest() && before.sealed_until == sealed_until;
        if before.is_some_and(|before| same(&before)) {
            return false;
        }
        self.elsewhere.store(Some(Arc::new(Watched { reference, sealed_until })));
        self.here.store(None);
        true
    }

    fn load(
        &self,
        role: &'static str,
        Decided { version, bundle }: Decided,
        signature: &SignatureRules,
        loaded: Option<&Serving>,
    ) -> Result<Loaded, ServeError> {
        let known = loaded
            .into_iter()
            .flat_map(|serving| [Some(&serving.champion), serving.candidate.as_ref(), serving.apart.as_ref()]);
        let is_named = |known: &&Arc<Predictor>| known.version() == version && known.model().digest() == bundle;
        if let Some(known) = known.flatten().find(is_named) {
            return Ok(Loaded::Here(Arc::clone(known)));
        }
        let (store, recorded) = (self.store.as_ref(), Some(bundle));
        let model = registry::fetch_trusted(store, &self.model, version, recorded, signature);
        let model = model.map_err(|source| ServeError::Load { role, source: Box::new(source) })?;
        if let Signed::Not(why) = model.signed() {
            tracing::warn!("{} {version} serves as {role}, and {why}", self.model);
        }
        Ok(match model {
            Verified::Here(model) => Loaded::Here(Arc::new(Predictor::new(Arc::from(model)))),
            Verified::Elsewhere(reference) => Loaded::Elsewhere(reference),
        })
    }
}

/// A version that was loaded.
enum Loaded {
    Here(Arc<Predictor>),
    Elsewhere(Box<Reference>),
}

impl Loaded {
    fn here(self) -> Option<Arc<Predictor>> {
        match self {
            Loaded::Here(predictor) => Some(predictor),
            Loaded::Elsewhere(_) => None,
        }
    }
}

fn versions(serving: &Serving) -> (Version, Option<Version>) {
    let candidate = serving.candidate.as_ref().or(serving.apart.as_ref());
    (serving.champion.version(), candidate.map(|candidate| candidate.version()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::published;
    use crate::registry::versions as versions_of;
    use crate::store::Memory;
    use crate::train::worlds::World;

    fn serves(follower: &Follower) -> Option<(Version, Option<Version>)> {
        follower.current().as_deref().map(versions)
    }

    #[test]
    fn what_does_not_verify_never_replaces_what_serves() {
        let store = Arc::new(Memory::new());
        let world = World::rain();
        published(&world, store.as_ref());
        let model = world.registered().contract.name().clone();
        let version = versions_of(store.as_ref(), &model).unwrap()[0];
        let bundle = registry::fetch(store.as_ref(), &model, version).unwrap().digest();
        let good = Decided { version, bundle };
        let missing = Decided { version: Version::new(9, 9, 9), bundle };
        let follower = Follower::new(store, model);
        let follow = |champion, candidate| {
            follower
                .follow(Some(Named { champion, candidate, sealed_until: Timestamp::EPOCH }), &SignatureRules::default())
        };

        assert!(!follower.follow(None, &SignatureRules::default()).unwrap());
        assert!(matches!(follow(missing, None), Err(ServeError::Load { role: "champion", .. })));
        assert_eq!(serves(&follower), None);
        assert!(follow(good, None).unwrap());
        let first = follower.here.load_full().unwrap();
        assert!(!follow(good, None).unwrap(), "nothing changed");
        assert!(Arc::ptr_eq(&first, &follower.here.load_full().unwrap()));

        // Neither a broken champion, a broken candidate nor silence takes the one that serves away.
        assert!(matches!(follow(missing, None), Err(ServeError::Load { role: "champion", .. })));
        assert!(matches!(follow(good, Some(missing)), Err(ServeError::Load { role: "candidate", .. })));
        assert!(!follower.follow(None, &SignatureRules::default()).unwrap());
        assert_eq!(serves(&follower), Some((version, None)));
        assert!(follow(good, Some(good)).unwrap());
        let serving = follower.here.load_full().unwrap();
        assert_eq!(versions(&serving), (version, Some(version)));
        assert!(Arc::ptr_eq(&serving.champion, &first.champion), "a version was loaded twice");

        // The same number over other bytes is not what was decided.
        let other = Decided { version, bundle: Digest::of("another") };
        let error = follow(other, None).unwrap_err();
        assert!(matches!(&error, ServeError::Load { source, .. } if source.to_string().contains("recorded was")));
        assert_eq!(serves(&follower), Some((version, Some(version))));
    }

    /// A candidate of another major version is loaded and said to stand apart; it is shown nothing.
    #[test]
    fn a_candidate_under_another_major_contract_stands_apart_and_it_is_said() {
        let store = Arc::new(Memory::new());
        let (old, new) = (World::rain(), World::rain().at_version(Version::new(2, 0, 0)));
        published(&old, store.as_ref());
        let mut plan = new.plan(crate::train::Path::Baseline);
        plan.version = Version::new(2, 0, 0);
        let candidate = crate::registry::testing::candidate(&new, &plan);
        crate::registry::publish_bundle(store.as_ref(), &crate::registry::testing::bundle(&new, &candidate)).unwrap();
        let model = old.registered().contract.name().clone();
        let decided = |version| {
            let bundle = registry::fetch(store.as_ref(), &model, version).unwrap().digest();
            Decided { version, bundle }
        };
        let candidate = Some(decided(plan.version));
        let named = Named { champion: decided(Version::FIRST), candidate, sealed_until: Timestamp::EPOCH };
        let follower = Follower::new(store.clone(), model.clone());
        assert!(follower.follow(Some(named), &SignatureRules::default()).unwrap());
        let serving = follower.here.load_full().unwrap();
        assert!(serving.candidate.is_none());
        let why = serving.why_apart().unwrap();
        assert!(why.contains("2.0.0 does not shadow") && why.contains("1.0.0"), "{why}");
        assert!(!follower.follow(Some(named), &SignatureRules::default()).unwrap(), "it was loaded again");
    }
}
