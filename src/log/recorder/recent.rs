//! The newest requests and what was told of them, to say at once what becomes of a label; pure. They are in memory alone.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::log::Label;
use crate::types::{ModelName, Timestamp};

/// So many recent requests of a model are remembered at least, to tell duplicate and conflicting labels as they arrive; some 10 MB. An
/// older request's label is `unknown` here and joins all the same.
const REMEMBERED: usize = 100_000;

/// The newest requests of each model: the same id may be asked of two.
#[derive(Default)]
pub(super) struct Recent(BTreeMap<ModelName, Requests>);

impl Recent {
    pub(super) fn about<T>(&mut self, model: &ModelName, act: impl FnOnce(&mut Requests) -> T) -> T {
        match self.0.get_mut(model) {
            Some(requests) => act(requests),
            None => act(self.0.entry(model.clone()).or_default()),
        }
    }
}

/// When the newest requests were answered, and what was told last of the newest that were labelled.
#[derive(Default)]
pub(super) struct Requests {
    answers: Newest<Timestamp>,
    labels: Newest<Label>,
}

impl Requests {
    /// The first answer is the one that labels join, in whatever order they are told here.
    pub(super) fn answered(&mut self, id: Uuid, at: Timestamp) {
        let known = self.answers.newer().entry(id.as_u128()).or_insert(at);
        *known = at.min(*known);
    }

    pub(super) fn labelled(&mut self, label: Label) {
        self.labels.newer().insert(label.request_id.as_u128(), label);
    }

    pub(super) fn of(&self, id: Uuid) -> (Option<Timestamp>, Option<Label>) {
        let ([first, again], [before, newest]) = (self.answers.of(id), self.labels.of(id));
        (first.or(again).copied(), newest.or(before).cloned())
    }
}

/// What is known of so many requests as are remembered, and of as many again at most. All of the older ones are forgotten at once, which
/// costs less than one by one.
struct Newest<T> {
    older: ById<T>,
    newer: ById<T>,
}

/// By the number of an id: numbers are compared more quickly than bytes.
type ById<T> = BTreeMap<u128, T>;

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Newest { older: BTreeMap::new(), newer: BTreeMap::new() }
    }
}

impl<T> Newest<T> {
    /// Where the next one goes.
    fn newer(&mut self) -> &mut ById<T> {
        if self.newer.len() >= REMEMBERED {
            self.older = std::mem::take(&mut self.newer);
        }
        &mut self.newer
    }

    fn of(&self, id: Uuid) -> [Option<&T>; 2] {
        [&self.older, &self.newer].map(|known| known.get(&id.as_u128()))
    }
}
