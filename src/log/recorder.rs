//! Serving's memory: events and labels into the spool, sealed segments into the store; through the store and the spool.

mod recent;
mod scribe;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{Either, try_join_all};
use ulid::Ulid;
use uuid::Uuid;

use self::recent::Recent;
use self::scribe::Fresh;
pub use self::scribe::Scribe;
use super::segment::{LabelLine, Line, ShadowLine};
use super::spool::{Backlog, Due, Page, Spool, SpoolRules};
use super::{Event, Label, LogError, ShadowScore, Status, recover};
use crate::contract::{Code, Refusal};
use crate::serve::{
    Acknowledged, Answer, Answered, EventSink, Inferred, LabelSink, Labelled, Outcomes, Recorded, Seen, Shadowed,
    SinkError, Truth, slices,
};
use crate::store::{Durability, Store};
use crate::types::{ModelName, ReplicaName, Timestamp};

/// Records what one replica answers.
pub struct Recorder {
    store: Arc<dyn Store>,
    spool: Mutex<Spool>,
    recent: Mutex<Recent>,
    /// What threads have answered and is not among the recent yet.
    fresh: Mutex<Vec<Arc<Fresh>>>,
    /// One sealing at a time, without holding up those who record.
    sealing: Mutex<()>,
}

impl Recorder {
    /// Open the spool under `root`, and seal what an earlier process of this name left there.
    ///
    /// # Errors
    /// The spool, or another process has it; the store.
    pub fn open(
        store: Arc<dyn Store>,
        root: &Path,
        replica: &ReplicaName,
        boot: Ulid,
        durability: Durability,
        rules: SpoolRules,
        now: Timestamp,
    ) -> Result<Recorder, LogError> {
        let (spool, left) = Spool::open(root, replica, boot, durability, rules, now)?;
        recover::seal_all(store.as_ref(), &left)?;
        let (recent, fresh, sealing) = Default::default();
        Ok(Recorder { store, spool: Mutex::new(spool), recent, fresh, sealing })
    }

    /// Close the segment that is due and seal those that have waited for their shadows. Returns the watermark: everything
    /// before it is sealed. To be called about once a second.
    ///
    /// # Errors
    /// The spool or the store; nothing is lost, and the next call tries again.
    pub fn maintain(&self, now: Timestamp) -> Result<Timestamp, LogError> {
        self.turn(now, false)
    }

    /// Seal everything; to be called when nothing is answered any more.
    ///
    /// # Errors
    /// As [`maintain`](Self::maintain).
    pub fn close(&self, now: Timestamp) -> Result<Timestamp, LogError> {
        self.turn(now, true)
    }

    /// What lies in no part yet.
    pub fn backlog(&self) -> Backlog {
        self.spool().backlog()
    }

    fn turn(&self, now: Timestamp, ending: bool) -> Result<Timestamp, LogError> {
        let _turn = self.sealing.lock().unwrap_or_else(PoisonError::into_inner);
        let due = {
            let mut spool = self.spool();
            spool.rotate_if(now, ending);
            spool.take_due(now, ending)
        };
        // A part is made of what its file holds.
        let writer = self.spool().writer();
        writer.flush()?;
        self.seal(&due)?;
        // What was acknowledged without waiting is at most one call of this from the disk.
        let unsynced = self.spool().unsynced();
        unsynced.iter().try_for_each(|sheet| sheet.sync())?;
        Ok(self.spool().watermark().unwrap_or(now))
    }

    /// Seal segments; each goes only after its parts were read back.
    fn seal(&self, due: &[Due]) -> Result<(), LogError> {
        for segment in due {
            recover::seal(self.store.as_ref(), segment)?;
            self.spool().forget(segment)?;
        }
        Ok(())
    }

    /// Append a line about this instant; returns the instant it is recorded under.
    fn append(&self, at: Timestamp, line: Line) -> Result<(Timestamp, Acknowledged), SinkError> {
        // Spelled before the spool is taken: others wait for that.
        let spelled = line.spelled();
        self.spool().append(at, spelled, |at| line.about(at).spelled()).map_err(unwritten)
    }

    fn spool(&self) -> MutexGuard<'_, Spool> {
        // A panic between two writes leaves whole lines behind, so the spool can be used on.
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Record an answer; the next ones of its thread may stand on this page.
    fn record(&self, answered: &Answered<'_>, page: Option<&Page>) -> Result<Recorded, SinkError> {
        let (at, on_disk) = self.append(answered.at, Line::Answer(event(answered)))?;
        if let Some(page) = page {
            self.spool().lend(page);
        }
        Ok(Recorded { at, on_disk })
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self) -> MutexGuard<'_, Vec<Arc<Fresh>>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was answered and told of a request.
    fn known(&self, model: &ModelName, id: Uuid) -> (Option<Timestamp>, Option<Label>) {
        self.fresh().iter().for_each(|fresh| fresh.settle(&self.recent));
        self.recent().about(model, |requests| requests.of(id))
    }
}

fn event(answered: &Answered<'_>) -> Event {
    let champion = &answered.serving.champion;
    let (prediction, status, codes, slices) = match answered.answer {
        Answer::Scored { vector, score } => {
            (Some(score.prediction), Status::Valid, Vec::new(), champion.slices(vector))
        }
        Answer::Refused(refusal) => (None, Status::Invalid, codes(refusal), BTreeMap::new()),
    };
    Event {
        ts: answered.at,
        request_id: answered.request_id,
        model: champion.name().clone(),
        model_version: champion.version(),
        prediction,
        latency_us: answered.latency_us,
        status,
        codes,
        shadow: None,
        slices,
        trace: answered.trace,
    }
}

pub(crate) fn event_elsewhere(inferred: &Inferred<'_>) -> Event {
    let Inferred { request_id, at, seen, reference } = *inferred;
    let (prediction, status, codes, slices) = match seen {
        Seen::Valid { vector, prediction } => {
            (Some(*prediction), Status::Valid, Vec::new(), slices(reference.contract(), vector))
        }
        Seen::Refused(refusal) => (None, Status::Invalid, codes(refusal), BTreeMap::new()),
    };
    Event {
        ts: at,
        request_id,
        model: reference.name().clone(),
        model_version: reference.version(),
        prediction,
        latency_us: 0,
        status,
        codes,
        shadow: None,
        slices,
        // Whoever tells it belongs to a trace; whoever answered, nobody knows.
        trace: None,
    }
}

fn codes(refusal: &Refusal) -> Vec<Code> {
    let mut codes: Vec<Code> = refusal.violations.iter().map(|violation| violation.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn unwritten(error: LogError) -> SinkError {
    SinkError { reason: std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string) }
}

impl EventSink for Recorder {
    fn answered(&self, answered: &Answered<'_>) -> Result<Recorded, SinkError> {
        let recorded = self.record(answered, None)?;
        let model = answered.serving.champion.name();
        self.recent().about(model, |requests| requests.answered(answered.request_id, recorded.at));
        Ok(recorded)
    }

    fn shadowed(&self, shadowed: &Shadowed<'_>) -> Result<(), SinkError> {
        let line = Line::Shadow(ShadowLine {
            model: shadowed.candidate.name().clone(),
            ts: shadowed.at,
            request_id: shadowed.request_id,
            score: ShadowScore {
                version: shadowed.candidate.version(),
                prediction: shadowed.prediction,
                latency_us: shadowed.latency_us,
            },
        });
        let line = line.spelled();
        match self.spool().append_beside(shadowed.at, &line) {
            Ok(true) => Ok(()),
            Ok(false) => Err(SinkError { reason: "the request's segment is sealed".to_owned() }),
            Err(error) => Err(unwritten(error)),
        }
    }

    fn inferred(&self, inferred: &Inferred<'_>, now: Timestamp) -> Result<Option<Acknowledged>, SinkError> {
        let model = inferred.reference.name();
        if self.known(model, inferred.request_id).0.is_some() {
            return Ok(None);
        }
        let line = Line::Answer(event_elsewhere(inferred)).spelled();
        let on_disk = self.spool().append_past(now, &line).map_err(unwritten)?;
        self.recent().about(model, |requests| requests.answered(inferred.request_id, inferred.at));
        Ok(Some(on_disk))
    }
}

impl LabelSink for Recorder {
    fn labelled(&self, model: &ModelName, truths: &[Truth], at: Timestamp) -> Result<Labelled, SinkError> {
        let mut outcomes = Outcomes::default();
        let mut lines = Vec::new();
        for truth in truths {
            let label = Label { request_id: truth.request_id, label: truth.label, at };
            let (answered, told) = self.known(model, truth.request_id);
            // Whatever is remembered is young enough to be judged.
            if !outcomes.settle(answered, told.as_slice(), &label, Timestamp::EPOCH) {
                continue;
            }
            let line = Line::Label(LabelLine { model: model.clone(), label: label.clone() });
            lines.push(self.append(at, line)?.1);
            self.recent().about(model, |requests| requests.labelled(label));
        }
        Ok(Labelled { outcomes, on_disk: Either::Right(Box::pin(async { try_join_all(lines).await.map(drop) })) })
    }
}

#[cfg(test)]
mod tests;
