//! What came of the labels that arrived in a window, whatever request they speak of; pure. Labels of nobody's requests are
//! counted here, and nowhere else: a window's own report knows only its own.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rules::PerformanceRules;
use crate::log::Label;
use crate::snapshot::Window;
use crate::types::{Check, Measurement, NotComputable, Operator, Timestamp};

/// Labels that became known in the newest judged window, and whether anybody asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabelIntake {
    /// The window.
    pub window: Window,
    /// Their requests were looked for among those of the window and of the windows before it since then.
    pub looked_since: Timestamp,
    /// Labels that became known in the window; of a sample, those of the sample.
    pub received: u64,
    /// Of these, the ones whose request is there.
    pub matched: u64,
    /// The others: ids that were never asked, or so long ago that nobody looked.
    pub unmatched: u64,
    /// `label_join_rate`, the share that was matched, against `performance.coverage`. It is shown and decides nothing: ids that do
    /// not fit those of the requests show here first.
    pub join_rate: Check,
}

/// The labels that arrived in a window, until their requests are found.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrivals {
    window: Window,
    received: u64,
    missing: BTreeMap<Uuid, u64>,
}

impl Arrivals {
    /// The labels that became known in the window.
    pub fn of(window: Window, labels: &[Label]) -> Arrivals {
        let mut arrivals = Arrivals { window, received: 0, missing: BTreeMap::new() };
        for label in labels.iter().filter(|label| window.contains(label.at)) {
            arrivals.received += 1;
            *arrivals.missing.entry(label.request_id).or_default() += 1;
        }
        arrivals
    }

    /// A request was found.
    pub fn found(&mut self, request_id: Uuid) {
        self.missing.remove(&request_id);
    }

    /// Whether no request is missing any more.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// What came of them, having looked back so far.
    pub fn told(&self, looked_since: Timestamp, rules: &PerformanceRules) -> LabelIntake {
        let unmatched = self.missing.values().sum();
        let matched = self.received - unmatched;
        let rate = match self.received {
            0 => Err(NotComputable::because("no labels")),
            received => Ok(matched as f64 / received as f64),
        };
        let rate = Measurement::new("label_join_rate", rate, self.received);
        LabelIntake {
            window: self.window,
            looked_since,
            received: self.received,
            matched,
            unmatched,
            join_rate: Check::require(rate, Operator::AtLeast, rules.coverage, 1),
        }
    }
}
