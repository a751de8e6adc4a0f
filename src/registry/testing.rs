//! A small real bundle for tests of this stage and of later ones: trained, published and fetched.

use super::{Bundle, VerifiedModel, fetch, publish_bundle};
use crate::store::{Memory, Store};
use crate::train::worlds::World;
use crate::train::{Candidate, Path, Plan, train};
use crate::types::Timestamp;

/// A candidate of a plan on 600 rows of its world.
pub(crate) fn candidate(world: &World, plan: &Plan) -> Candidate {
    train(plan, &world.rows(600, 1), &world.contract).unwrap()
}

/// The bundle of a candidate.
pub(crate) fn bundle(world: &World, candidate: &Candidate) -> Bundle {
    Bundle::of(candidate, &world.contract, &world.bytes, Timestamp::EPOCH).unwrap()
}

/// The baseline of a world, published in this store.
pub(crate) fn published(world: &World, store: &dyn Store) -> Bundle {
    let bundle = bundle(world, &candidate(world, &world.plan(Path::Baseline)));
    publish_bundle(store, &bundle).unwrap();
    bundle
}

/// The verified baseline of a world.
pub(crate) fn verified(world: &World) -> VerifiedModel {
    let store = Memory::new();
    let bundle = published(world, &store);
    fetch(&store, &bundle.model, bundle.version).unwrap().into_model().unwrap()
}
