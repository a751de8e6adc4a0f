//! Answers are given although their events cannot be written, and counted; pure but for the sink it stands before.

use std::sync::Arc;

use futures::future::Either;

use crate::serve::{Acknowledged, Answered, Counter, EventSink, Inferred, Recorded, Shadowed, SinkError};
use crate::types::Timestamp;

/// Remembers what can be remembered and counts the rest (`unrecorded: count`). Only answers are let through: whoever tells of a model
/// elsewhere, or of labels, can tell it again.
pub struct Lenient {
    events: Arc<dyn EventSink>,
    counter: Arc<dyn Counter>,
}

impl Lenient {
    /// Stand before this sink, and count here what it does not take.
    pub fn new(events: Arc<dyn EventSink>, counter: Arc<dyn Counter>) -> Lenient {
        Lenient { events, counter }
    }
}

impl EventSink for Lenient {
    fn answered(&self, answered: &Answered<'_>) -> Result<Recorded, SinkError> {
        let counter = Arc::clone(&self.counter);
        let recorded = self.events.answered(answered);
        let at = recorded.as_ref().map_or(answered.at, |recorded| recorded.at);
        let on_disk = async move {
            let kept = match recorded {
                Ok(recorded) => recorded.on_disk.await,
                Err(error) => Err(error),
            };
            kept.unwrap_or_else(|_| counter.unrecorded(at));
            Ok(())
        };
        Ok(Recorded { at, on_disk: Either::Right(Box::pin(on_disk)) })
    }

    fn shadowed(&self, shadowed: &Shadowed<'_>) -> Result<(), SinkError> {
        self.events.shadowed(shadowed)
    }

    fn inferred(&self, inferred: &Inferred<'_>, now: Timestamp) -> Result<Option<Acknowledged>, SinkError> {
        self.events.inferred(inferred, now)
    }
}
