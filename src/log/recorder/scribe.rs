//! Where one thread records; pure but for the recorder. What it answers stands on a page of its own, and is brought to the recent requests
//! together with what it answers next, so that threads do not wait for each other at every request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::recent::Recent;
use super::{Recorder, event};
use crate::log::Event;
use crate::log::segment::Line;
use crate::log::spool::Page;
use crate::serve::{Acknowledged, Answered, EventSink, Inferred, Recorded, Shadowed, SinkError, acknowledged};
use crate::types::{ModelName, Timestamp};

/// So many answers are brought to the recent ones together.
const TOGETHER: usize = 64;

/// Records what one thread answers.
pub struct Scribe {
    recorder: Arc<Recorder>,
    page: Option<Page>,
    fresh: Arc<Fresh>,
}

/// What a thread has answered and nobody else knows yet; apart in memory from what other threads write to.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Fresh(Mutex<Vec<(ModelName, Uuid, Timestamp)>>);

impl Fresh {
    fn answers(&self) -> MutexGuard<'_, Vec<(ModelName, Uuid, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, answer: (ModelName, Uuid, Timestamp), recent: &Mutex<Recent>) {
        let mut answers = self.answers();
        answers.push(answer);
        if answers.len() >= TOGETHER {
            bring(&mut answers, recent);
        }
    }

    /// Bring what there is to the recent ones.
    pub(super) fn settle(&self, recent: &Mutex<Recent>) {
        bring(&mut self.answers(), recent);
    }
}

fn bring(answers: &mut Vec<(ModelName, Uuid, Timestamp)>, recent: &Mutex<Recent>) {
    if answers.is_empty() {
        return;
    }
    let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
    for (model, id, at) in answers.drain(..) {
        recent.about(&model, |requests| requests.answered(id, at));
    }
}

impl Recorder {
    /// Where one more thread records.
    pub fn scribe(self: &Arc<Self>) -> Scribe {
        let fresh = Arc::<Fresh>::default();
        self.fresh().push(Arc::clone(&fresh));
        Scribe { recorder: Arc::clone(self), page: self.spool().page(), fresh }
    }
}

impl EventSink for Scribe {
    fn answered(&self, answered: &Answered<'_>) -> Result<Recorded, SinkError> {
        let spell = |at, page: &mut _| Line::Answer(Event { ts: at, ..event(answered) }).spell(page);
        let recorded = match self.page.as_ref().and_then(|page| page.take(answered.at, spell)) {
            Some(at) => Recorded { at, on_disk: acknowledged() },
            None => self.recorder.record(answered, self.page.as_ref())?,
        };
        let model = answered.serving.champion.name().clone();
        self.fresh.add((model, answered.request_id, recorded.at), &self.recorder.recent);
        Ok(recorded)
    }

    fn shadowed(&self, shadowed: &Shadowed<'_>) -> Result<(), SinkError> {
        self.recorder.shadowed(shadowed)
    }

    fn inferred(&self, inferred: &Inferred<'_>, now: Timestamp) -> Result<Option<Acknowledged>, SinkError> {
        self.recorder.inferred(inferred, now)
    }
}
