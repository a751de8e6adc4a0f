//! How large windows are and how long they wait: rules with their defaults; pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::Span;

/// `windows:` of `policy.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WindowRules {
    /// The smallest window; all others are merged from it.
    pub base: Span,
    /// The window that is judged.
    pub judge: Span,
    /// How long a window waits for a replica that is silent.
    pub grace: Span,
}

/// Windows that people look at, whatever is judged.
const SHOWN: [Span; 2] = [HOUR, DAY];
const MINUTE: Span = Span::from_mins(1);
const HOUR: Span = Span::from_hours(1);
const DAY: Span = Span::from_days(1);

impl WindowRules {
    /// - `base` 5 minutes: short enough to see an incident begin, long enough that 20 rows are usual.
    /// - `judge` 24 hours: an hour of the day is not drift.
    /// - `grace` 10 minutes: a replica speaks every minute, so one that is silent for ten is gone.
    pub const DEFAULTS: WindowRules =
        WindowRules { base: Span::from_mins(5), judge: Span::from_hours(24), grace: Span::from_mins(10) };

    /// Every size of window, rising, each once. Each but the first is merged from the largest that divides it.
    pub fn sizes(&self) -> Vec<Span> {
        let mut sizes = vec![self.base, self.judge];
        sizes.extend(SHOWN.iter().filter(|shown| divides(self.base, **shown)));
        sizes.retain(|size| *size >= self.base);
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// The size that a window of this size is merged from; nothing for the base.
    pub fn merged_from(&self, size: Span) -> Option<Span> {
        self.sizes().into_iter().rev().find(|smaller| *smaller < size && divides(*smaller, size))
    }

    /// What contradicts itself: (key, what to write).
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        // Requests are counted by the minute, and a part belongs to one hour of one day.
        if self.base.is_zero() || !divides(MINUTE, self.base) || !(divides(self.base, HOUR) || divides(HOUR, self.base))
        {
            faults
                .push(("base", format!("{} is not a number of minutes that divides an hour, or of hours", self.base)));
        }
        if !self.base.is_zero() && !divides(self.base, self.judge) {
            faults.push(("judge", format!("{} is not a multiple of `base` {}", self.judge, self.base)));
        }
        if self.judge.is_zero() || !(divides(self.judge, DAY) || divides(DAY, self.judge)) {
            faults.push(("judge", format!("{} neither divides a day nor is a number of days", self.judge)));
        }
        if self.grace < MINUTE {
            let what = format!("{} is less than the minute in which a replica speaks once", self.grace);
            faults.push(("grace", what));
        }
        faults
    }
}

impl Default for WindowRules {
    fn default() -> Self {
        WindowRules::DEFAULTS
    }
}

fn divides(small: Span, large: Span) -> bool {
    !small.is_zero() && large.micros() % small.micros() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(base: &str, judge: &str) -> WindowRules {
        let [base, judge] = [base, judge].map(|text| text.parse().unwrap());
        WindowRules { base, judge, ..WindowRules::DEFAULTS }
    }

    #[test]
    fn every_size_but_the_base_is_merged_from_one_that_divides_it() {
        for (base, judge, sizes) in [
            ("5m", "24h", vec!["5m", "1h", "1d"]),
            ("5m", "6h", vec!["5m", "1h", "6h", "1d"]),
            ("10m", "90m", vec!["10m", "1h", "90m", "1d"]),
            ("1h", "7d", vec!["1h", "1d", "7d"]),
            ("1d", "1d", vec!["1d"]),
        ] {
            let rules = rules(base, judge);
            assert_eq!(rules.faults(), []);
            let found: Vec<_> = rules.sizes().iter().map(Span::to_string).collect();
            assert_eq!(found, sizes);
            assert!(rules.sizes()[1..].iter().all(|size| rules.merged_from(*size).is_some()));
        }
    }

    #[test]
    fn windows_that_do_not_fit_are_refused() {
        for (base, judge) in [("7m", "24h"), ("30s", "24h"), ("5m", "7h"), ("5m", "36h"), ("0s", "24h"), ("1h", "30m")]
        {
            assert!(!rules(base, judge).faults().is_empty(), "{base} {judge}");
        }
        assert!(!WindowRules { grace: Span::ZERO, ..WindowRules::DEFAULTS }.faults().is_empty());
        assert_eq!(WindowRules::DEFAULTS.faults(), []);
    }
}
