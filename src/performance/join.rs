//! Predictions joined with the labels that came later, by `request_id`; pure. The first answer is the one that counts, and every
//! label has one outcome.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::rules::Conflicting;
use super::{LabelCounts, Pair};
use crate::log::{Event, Label, Status};
use crate::types::{Timestamp, Version};

/// A window's answers with what came true of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Joined {
    /// Events of the window, valid or not, first or again; of a sample, the events that it was taken of.
    pub events: u64,
    /// Valid first answers by version, labelled or not.
    pub answered: BTreeMap<Version, u64>,
    /// Of these, how many a candidate scored too, by candidate.
    pub paired: BTreeMap<Version, u64>,
    /// Answers whose label has arrived, in the order of time.
    pub pairs: Vec<Pair>,
    /// Requests that were answered again: a client's retries.
    pub retries: u64,
    /// What became of the labels of these requests.
    pub labels: LabelCounts,
}

/// Join events with labels. Of several events of one request the first counts; of several labels the first or the last. Labels
/// of requests that are not among the events are of other windows, and say nothing.
pub fn join(events: &[Event], labels: &[Label], conflicting: Conflicting) -> Joined {
    let mut joined = Joined { events: events.len() as u64, ..Joined::default() };
    let mut told: BTreeMap<Uuid, Vec<&Label>> = BTreeMap::new();
    for label in labels {
        told.entry(label.request_id).or_default().push(label);
    }
    let mut answers: Vec<&Event> = events.iter().filter(|event| event.status == Status::Valid).collect();
    answers.sort_by_key(|event| (event.ts, event.request_id));
    let mut seen = BTreeSet::new();
    for event in answers {
        let Some(prediction) = event.prediction else { continue };
        if !seen.insert(event.request_id) {
            joined.retries += 1;
            continue;
        }
        *joined.answered.entry(event.model_version).or_default() += 1;
        let shadow = event.shadow.as_ref().map(|shadow| (shadow.version, shadow.prediction));
        if let Some((version, _)) = shadow {
            *joined.paired.entry(version).or_default() += 1;
        }
        let labels = told.remove(&event.request_id).unwrap_or_default();
        if let Some(told) = joined.labels.settle(event.ts, labels, conflicting) {
            joined.pairs.push(Pair {
                request_id: event.request_id,
                ts: event.ts,
                version: event.model_version,
                prediction,
                shadow,
                label: told.counts,
                first_label: told.first,
                known_at: told.known_at,
                slices: event.slices.clone(),
            });
        }
    }
    let refused: BTreeSet<Uuid> = events.iter().map(|event| event.request_id).collect();
    let refused = told.iter().filter(|(request_id, _)| refused.contains(request_id));
    joined.labels.refused = refused.map(|(_, labels)| labels.len() as u64).sum();
    joined.labels.received += joined.labels.refused;
    joined
}

/// What the labels of one answer come to.
struct Told {
    counts: f64,
    first: f64,
    known_at: Timestamp,
}

impl LabelCounts {
    /// Give each label of an answer its outcome; none of them may be left to count.
    fn settle(&mut self, answered: Timestamp, mut labels: Vec<&Label>, conflicting: Conflicting) -> Option<Told> {
        self.received += labels.len() as u64;
        let sent = labels.len();
        labels.retain(|label| !label.is_early(answered));
        self.early += (sent - labels.len()) as u64;
        // Of two that became known in one instant the smaller is the first, so that no order decides.
        labels.sort_by(|a, b| a.at.cmp(&b.at).then(a.label.total_cmp(&b.label)));
        let (first, last) = (*labels.first()?, *labels.last()?);
        let counts = match conflicting {
            Conflicting::First => first,
            Conflicting::Last => last,
        };
        let same = labels.iter().filter(|label| label.agrees(counts)).count();
        self.used += 1;
        self.duplicate += (same - 1) as u64;
        self.conflicting += (labels.len() - same) as u64;
        Some(Told { counts: counts.label, first: first.label, known_at: first.at })
    }
}
