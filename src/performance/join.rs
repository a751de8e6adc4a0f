//! Predictions joined with the labels that came later, by `request_id`; pure. The first answer is the one that counts.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Pair;
use crate::log::{Event, Label, Status};
use crate::types::Version;

/// A window's answers with what came true of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Joined {
    /// Events of the window, valid or not, first or again.
    pub events: u64,
    /// Valid first answers by version, labelled or not.
    pub answered: BTreeMap<Version, u64>,
    /// Of these, how many a candidate scored too, by candidate.
    pub paired: BTreeMap<Version, u64>,
    /// Answers whose label has arrived, in the order of time.
    pub pairs: Vec<Pair>,
    /// Requests that were answered again: a client's retries.
    pub retries: u64,
    /// Labels that contradict an earlier one of the same request; the first counts.
    pub conflicting: u64,
}

/// Join events with labels. Of several events of one request the first counts, and of several labels the first.
pub fn join(events: &[Event], labels: &[Label]) -> Joined {
    let mut joined = Joined { events: events.len() as u64, ..Joined::default() };
    let mut true_values: BTreeMap<Uuid, &Label> = BTreeMap::new();
    for label in labels {
        let first = true_values.entry(label.request_id).or_insert(label);
        if first.label.total_cmp(&label.label).is_ne() {
            joined.conflicting += 1;
        }
        if label.at < first.at {
            *first = label;
        }
    }
    let mut answers: Vec<&Event> = events.iter().filter(|event| event.status == Status::Valid).collect();
    answers.sort_by_key(|event| (event.ts, event.request_id));
    let mut seen = std::collections::BTreeSet::new();
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
        if let Some(label) = true_values.get(&event.request_id) {
            joined.pairs.push(Pair {
                request_id: event.request_id,
                ts: event.ts,
                version: event.model_version,
                prediction,
                shadow,
                label: label.label,
                known_at: label.at,
            });
        }
    }
    joined
}
